//! The names of objects, and where a blob's bytes are.
//!
//! S3 cannot rename, and a large object should not be copied, while the digest of an upload is known only at its end. So a blob that
//! came in parts keeps its bytes under the name of its upload, and an empty object under the blob's own name says that this upload is
//! that blob. It is written first: without it the bytes are nobody's, without the bytes it says nothing. A smaller blob is under its own
//! name at once.

use wreg_oci::Digest;

use super::{
    super::{BlobKey, Error, UploadId},
    bucket::Bucket,
};

/// Where the bytes of blobs are that came in parts.
pub(super) const DATA: &str = "data/";
/// Where probes work.
pub(super) const PROBE: &str = "probe/";

/// The bytes of the blob that `upload` becomes in parts.
pub(super) fn data(upload: UploadId) -> String {
    format!("{DATA}{upload}")
}

/// What the names of an upload's objects begin with.
pub(super) fn upload(upload: UploadId) -> String {
    format!("{}/", upload.object())
}

/// The note that an upload's parts were joined to be read.
pub(super) fn sealed(upload: UploadId) -> String {
    format!("{}/sealed", upload.object())
}

/// True if a blob of no bytes under this name stands for bytes elsewhere.
pub(super) fn points_elsewhere(key: &BlobKey, size: u64) -> bool {
    size == 0 && *key.digest() != Digest::of(key.digest().algorithm(), [])
}

/// A blob's bytes.
pub(super) struct Found {
    /// The object's name.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) size: u64,
}

/// Looks where a blob's bytes are.
pub(super) async fn find(bucket: &Bucket, key: &BlobKey) -> Result<Option<Found>, Error> {
    let name = key.object();
    match bucket.size(&name).await? {
        Some(size) if points_elsewhere(key, size) => {
            let name = data(key.generation());
            let size = bucket.size(&name).await?;
            Ok(size.map(|size| Found { name, size }))
        }
        found => Ok(found.map(|size| Found { name, size })),
    }
}
