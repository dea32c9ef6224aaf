//! Where the bytes of blobs are kept: the settings of object storage, put together.

use super::{ConfigError, Partial};
pub use crate::storage::S3Settings;

/// Memory for parts on their way to the bucket, in bytes.
const MEMORY: u64 = 192 * 1024 * 1024;

/// Where the bytes of blobs are.
#[derive(Debug, Clone)]
pub enum Blobs {
    /// In the data folder.
    Files,
    /// In a bucket.
    S3(S3Settings),
}

impl Blobs {
    pub(super) fn of(partial: &Partial) -> Result<Self, ConfigError> {
        let refused = |why| Err(ConfigError::Blobs(why));
        let Some(bucket) = &partial.s3_bucket else {
            return if partial.names_object_storage() {
                refused("the settings that begin with s3_ need s3_bucket as well")
            } else {
                Ok(Self::Files)
            };
        };
        if !cfg!(feature = "s3") {
            return refused("this server was compiled without object storage (feature s3)");
        }
        let endpoint = partial.s3_endpoint.clone();
        if endpoint.as_ref().is_some_and(|url| !is_url(url)) {
            return refused("s3_endpoint must begin with https:// or http://");
        }
        let credentials = match (&partial.s3_access_key_id, &partial.s3_secret_access_key) {
            (None, None) => None,
            (Some(id), Some(secret)) => Some((id.clone(), secret.expose().to_owned())),
            _ => return refused("s3_access_key_id and s3_secret_access_key go together"),
        };
        if partial.max_blob_size() > S3Settings::MAX_BLOB {
            return refused("max_blob_size can be 16777216000 at most on object storage");
        }
        let Some(prefix) = prefix(partial.s3_prefix.as_deref().unwrap_or_default()) else {
            return refused("s3_prefix can have letters, digits and any of ._-/");
        };
        Ok(Self::S3(S3Settings {
            bucket: bucket.clone(),
            // Servers other than Amazon's seldom have a host name for each bucket.
            path_style: partial.s3_path_style.unwrap_or(endpoint.is_some()),
            endpoint,
            region: partial.s3_region.clone(),
            prefix,
            credentials,
            redirect: partial.s3_redirect.unwrap_or(false),
            memory: partial.s3_memory.unwrap_or(MEMORY),
        }))
    }
}

impl Partial {
    fn names_object_storage(&self) -> bool {
        self.s3_endpoint.is_some()
            || self.s3_region.is_some()
            || self.s3_prefix.is_some()
            || self.s3_access_key_id.is_some()
            || self.s3_secret_access_key.is_some()
            || self.s3_path_style.is_some()
            || self.s3_redirect.is_some()
            || self.s3_memory.is_some()
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The prefix with one slash at its end, or nothing.
fn prefix(text: &str) -> Option<String> {
    let bare = text.trim_matches('/');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    match bare {
        "" => Some(String::new()),
        _ => bare.bytes().all(is_plain).then(|| format!("{bare}/")),
    }
}
