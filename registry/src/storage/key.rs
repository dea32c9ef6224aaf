//! The name of every object that the server stores.
//!
//! ```text
//! blobs/sha256/ab/abcd….0b0c…-…    a blob: algorithm, first two characters, encoded digest, generation
//! uploads/0b0c…-…                  an upload that is under way
//! log/tile/0/x001/234              a tile of the log of changes; log/checkpoint its checkpoint
//! ```
//!
//! The generation of a blob is the upload that brought its bytes. The same content pushed again after a deletion therefore has
//! another key, and a late removal of the old one can never hit it. A backend that cannot rename may find a blob by its generation
//! alone. Names are built from parsed values only: no text of a client ever becomes a path.

use std::{fmt, str::FromStr};

use uuid::Uuid;
use wreg_oci::digest::{Algorithm, Digest};
use wreg_trust::log::Tile;

/// The folder of the blobs.
pub(super) const BLOBS: &str = "blobs";
/// The folder of the uploads.
pub(super) const UPLOADS: &str = "uploads";

/// The folder of the log of changes.
pub(super) const LOG: &str = "log";

/// A file of the log of changes, by the path that it is served under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LogKey(String);

impl LogKey {
    /// The last checkpoint.
    pub(crate) fn checkpoint() -> Self {
        Self("checkpoint".to_owned())
    }

    /// A tile. What it holds never changes.
    pub(crate) fn tile(tile: Tile) -> Self {
        Self(tile.to_string())
    }

    /// The file's name within the store.
    pub(super) fn object(&self) -> String {
        format!("{LOG}/{}", self.0)
    }

    /// The folders that the file is in, each after the one that it is in itself.
    pub(super) fn folders(&self) -> Vec<String> {
        let object = self.object();
        object
            .match_indices('/')
            .map(|(at, _)| object[..at].to_owned())
            .collect()
    }
}

/// The identity of one upload: 122 random bits, written as a UUID in lower case with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UploadId(Uuid);

impl UploadId {
    /// An identity that no upload had before.
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The upload's name within the store.
    pub(super) fn object(self) -> String {
        format!("{UPLOADS}/{self}")
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidUploadId)?;
        // The parser also takes braces, upper case and no hyphens: two spellings of one upload would be two names of one file.
        let mut canonical = Uuid::encode_buffer();
        if id.as_hyphenated().encode_lower(&mut canonical) == text {
            Ok(Self(id))
        } else {
            Err(InvalidUploadId)
        }
    }
}

/// A text that is not the identity of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an upload is named by a UUID in lower case with hyphens")]
pub(crate) struct InvalidUploadId;

/// Where a blob is: what its bytes hash to, and which upload brought them. Its text is what the database keeps as the blob's location.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BlobKey {
    digest: Digest,
    generation: UploadId,
}

impl BlobKey {
    /// The blob `digest` that the upload `generation` brought.
    pub(crate) fn new(digest: Digest, generation: UploadId) -> Self {
        Self { digest, generation }
    }

    /// What the bytes hash to.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The upload that brought the bytes.
    pub(crate) fn generation(&self) -> UploadId {
        self.generation
    }

    /// The blob's name within the store.
    pub(super) fn object(&self) -> String {
        self.to_string()
    }

    /// The folder that the blob is in, and the one that this folder is in.
    pub(super) fn folders(&self) -> (String, String) {
        let algorithm = format!("{BLOBS}/{}", self.digest.algorithm());
        (format!("{algorithm}/{}", &self.digest.encoded()[..2]), algorithm)
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = self.digest.encoded();
        write!(
            f,
            "{BLOBS}/{}/{}/{encoded}.{}",
            self.digest.algorithm(),
            &encoded[..2],
            self.generation
        )
    }
}

impl FromStr for BlobKey {
    type Err = InvalidBlobKey;

    fn from_str(text: &str) -> Result<Self, InvalidBlobKey> {
        let parse = || {
            let (algorithm, rest) = text.strip_prefix(BLOBS)?.strip_prefix('/')?.split_once('/')?;
            let algorithm: Algorithm = algorithm.parse().ok()?;
            let (shard, name) = rest.split_once('/')?;
            let (encoded, generation) = name.split_once('.')?;
            let digest = format!("{algorithm}:{encoded}").parse().ok()?;
            let key = Self::new(digest, generation.parse().ok()?);
            encoded.starts_with(shard).then_some(key).filter(|_| shard.len() == 2)
        };
        parse().ok_or(InvalidBlobKey)
    }
}

/// A text that is not the key of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a blob is kept under blobs/<algorithm>/<two characters>/<digest>.<upload>")]
pub(crate) struct InvalidBlobKey;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn a_blob_lies_under_its_algorithm_and_first_two_characters() {
        let key = BlobKey::new(Digest::sha256([]), ID.parse().expect("an upload"));
        let encoded = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(key.to_string(), format!("blobs/sha256/e3/{encoded}.{ID}"));
        assert_eq!(key.folders(), ("blobs/sha256/e3".to_owned(), "blobs/sha256".to_owned()));
    }

    #[test]
    fn a_tile_lies_in_the_folders_of_its_path() {
        let tile: Tile = "tile/0/x001/234".parse().expect("a tile");
        let key = LogKey::tile(tile);
        assert_eq!(key.object(), "log/tile/0/x001/234");
        assert_eq!(key.folders(), ["log", "log/tile", "log/tile/0", "log/tile/0/x001"]);
        assert_eq!(LogKey::checkpoint().folders(), ["log"]);
    }

    #[test]
    fn only_one_spelling_of_an_upload_is_taken() {
        assert_eq!(ID.parse::<UploadId>().map(|id| id.to_string()), Ok(ID.to_owned()));
        for other in [
            ID.to_uppercase(),
            ID.replace('-', ""),
            format!("{{{ID}}}"),
            format!("urn:uuid:{ID}"),
            String::new(),
            "../x".to_owned(),
        ] {
            assert_eq!(other.parse::<UploadId>(), Err(InvalidUploadId), "{other}");
        }
    }

    #[test]
    fn texts_that_are_no_key_are_refused() {
        let good = BlobKey::new(Digest::sha256([]), ID.parse().expect("an upload")).to_string();
        for bad in [
            String::new(),
            good.replace("blobs/", "blobs//"),
            good.replace("sha256", "sha512"),
            good.replace("/e3/", "/e4/"),
            good.replace("/e3/", "/e3b/"),
            good.replace("/e3/", "//"),
            good.replace("/e3/", "/../e3/"),
            good.to_uppercase(),
            format!("/{good}"),
            format!("{good}/"),
            good.trim_end_matches(ID).to_owned(),
        ] {
            assert_eq!(bad.parse::<BlobKey>(), Err(InvalidBlobKey), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(bytes: Vec<u8>, long: bool, id: u128) {
            let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let key = BlobKey::new(Digest::of(algorithm, bytes), UploadId(Uuid::from_u128(id)));
            prop_assert_eq!(key.to_string().parse::<BlobKey>(), Ok(key));
        }
    }
}
