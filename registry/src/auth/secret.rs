//! Personal tokens as secrets, and files that hold secrets.
//!
//! A token is `wreg_pat_`, 43 characters of 256 random bits, and 6 characters of checksum: recognisable for scanners, and a mistyped
//! one is told without asking the database.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use wreg_oci::Digest;

const PREFIX: &str = "wreg_pat_";
const RANDOM_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes a personal token.
pub fn generate() -> io::Result<String> {
    let mut token = PREFIX.to_owned();
    let mut bytes = [0_u8; 64];
    while token.len() < PREFIX.len() + RANDOM_LEN {
        rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
        // Bytes of 248 and more would make the first letters of the alphabet likelier than the others.
        let letters = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(ALPHABET[usize::from(*byte) % 62]));
        token.extend(letters.take(PREFIX.len() + RANDOM_LEN - token.len()));
    }
    let checksum = checksum(&token);
    Ok(token + &checksum)
}

/// Whether this is meant as a personal token.
pub fn looks_like_one(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// What the database knows a token by; `None` for what cannot be one.
pub fn hash(token: &str) -> Option<String> {
    let (body, found) = token.split_at_checked(PREFIX.len() + RANDOM_LEN)?;
    let valid = looks_like_one(body) && body.is_ascii() && found == checksum(body);
    valid.then(|| Digest::sha256(token).encoded().to_owned())
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// Why a file that holds a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("{path} is readable by others (mode {mode:o}): run `chmod 600 {path}`, and replace the secret if they may have read it", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// The secret in `path`, which only its owner may be able to read. Where there is no file, `make` gives the secret and the file is
/// made, mode 0600, durably. Says whether it was made.
pub fn load_or_create(
    path: &Path,
    make: impl FnOnce() -> io::Result<Vec<u8>>,
) -> Result<(Vec<u8>, bool), SecretFileError> {
    if let Some(secret) = load(path)? {
        return Ok((secret, false));
    }
    let create = || {
        let secret = make()?;
        create(path, &secret)?;
        Ok((secret, true))
    };
    create().map_err(|source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The secret in `path`, which only its owner may be able to read; `None` where there is no file.
pub fn load(path: &Path) -> Result<Option<Vec<u8>>, SecretFileError> {
    let wrap = |source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    };
    match read(path) {
        Ok(secret) => {
            let mode = fs::metadata(path).map_err(wrap)?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(SecretFileError::Exposed {
                    path: path.to_owned(),
                    mode,
                });
            }
            Ok(Some(secret))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrap(error)),
    }
}

/// Makes a folder for secrets, for the owner alone, if it is not there.
pub fn ensure_folder(path: &Path) -> Result<(), SecretFileError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Puts a secret into `path`, in place of the one that is there: mode 0600, durably, whole or not at all.
pub fn replace(path: &Path, secret: &[u8]) -> Result<(), SecretFileError> {
    create(path, secret).map_err(|source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Secrets are short: what goes on beyond this is none.
const MAX_LEN: u64 = 4096;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut secret = Vec::new();
    fs::File::open(path)?.take(MAX_LEN).read_to_end(&mut secret)?;
    Ok(secret)
}

/// Whole or not at all: a half-written key would keep the server from ever starting again.
fn create(path: &Path, secret: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(secret)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_and_mistyped_ones_by_their_checksum() {
        let token = generate().expect("random bytes");
        assert_eq!(token.len(), PREFIX.len() + RANDOM_LEN + CHECKSUM_LEN);
        assert_eq!(hash(&token), Some(Digest::sha256(&token).encoded().to_owned()));
        let last = if token.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{last}", &token[..token.len() - 1]);
        for other in [
            mistyped.as_str(),
            &token[1..],
            &token[..token.len() - 1],
            "",
            "wreg_pat_",
            "wreg_pat_\u{e4}",
        ] {
            assert_eq!(hash(other), None, "{other}");
        }
        assert_ne!(generate().expect("random bytes"), token);
    }

    /// **L03** A key file that others can read → refused, with what to do.
    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let (made, new) = load_or_create(&path, || Ok(b"secret".to_vec())).expect("made");
        assert_eq!((made.as_slice(), new), (&b"secret"[..], true));
        let (again, new) = load_or_create(&path, || Ok(b"other".to_vec())).expect("read");
        assert_eq!((again.as_slice(), new), (&b"secret"[..], false));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        let error = load_or_create(&path, || Ok(Vec::new()))
            .expect_err("exposed")
            .to_string();
        assert!(
            error.contains("mode 640") && error.contains("chmod 600") && !error.contains("secret\""),
            "{error}"
        );
    }
}
