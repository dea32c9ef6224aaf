//! The S3 server that the task runner brought up.

/// A bucket that the tests may fill; each takes a prefix of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectStorage {
    /// `http://127.0.0.1:3900`
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// Who may write to it.
    pub access_key_id: String,
    /// What that one proves itself with.
    pub secret_access_key: String,
}

impl ObjectStorage {
    /// Reads `http://KEY:SECRET@127.0.0.1:3900/BUCKET`.
    fn parse(url: &str) -> Option<Self> {
        let (key, rest) = url.strip_prefix("http://")?.split_once(':')?;
        let (secret, rest) = rest.split_once('@')?;
        let (address, bucket) = rest.split_once('/')?;
        Some(Self {
            endpoint: format!("http://{address}"),
            bucket: bucket.to_owned(),
            access_key_id: key.to_owned(),
            secret_access_key: secret.to_owned(),
        })
    }

    /// The same as variables, for a server that is a process of its own.
    pub fn variables(&self, prefix: &str) -> [(&'static str, String); 7] {
        [
            ("WREG_S3_BUCKET", self.bucket.clone()),
            ("WREG_S3_ENDPOINT", self.endpoint.clone()),
            ("WREG_S3_REGION", "garage".to_owned()),
            ("WREG_S3_PATH_STYLE", "true".to_owned()),
            ("WREG_S3_PREFIX", prefix.to_owned()),
            ("WREG_S3_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("WREG_S3_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    /// The settings of a server that keeps its blobs there, as lines of its configuration file. `prefix` ends in a slash.
    pub fn settings(&self, prefix: &str) -> String {
        let Self {
            endpoint,
            bucket,
            access_key_id,
            secret_access_key,
        } = self;
        format!(
            "s3_bucket = \"{bucket}\"\ns3_endpoint = \"{endpoint}\"\ns3_region = \"garage\"\ns3_path_style = true\ns3_prefix = \"{prefix}\"\n\
             s3_access_key_id = \"{access_key_id}\"\ns3_secret_access_key = \"{secret_access_key}\"\n"
        )
    }
}

/// The bucket to run whole servers on, if this run is the one on object storage.
pub fn object_storage() -> Option<ObjectStorage> {
    from("WREG_TEST_S3")
}

/// The bucket for tests of the storage alone, whatever the rest of the run is on.
pub fn object_storage_for_units() -> Option<ObjectStorage> {
    from("WREG_TEST_S3_UNITS")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the task runner speaks to tests through the environment"
)]
fn from(variable: &str) -> Option<ObjectStorage> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty())?;
    Some(ObjectStorage::parse(&url).unwrap_or_else(|| panic!("{variable} is no http://KEY:SECRET@HOST:PORT/BUCKET")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_bucket_is_taken_apart() {
        let storage = ObjectStorage::parse("http://key:secret@127.0.0.1:1/bucket").expect("a URL");
        assert_eq!(
            (
                &*storage.endpoint,
                &*storage.bucket,
                &*storage.access_key_id,
                &*storage.secret_access_key
            ),
            ("http://127.0.0.1:1", "bucket", "key", "secret")
        );
        assert_eq!(ObjectStorage::parse("http://127.0.0.1:1/bucket"), None);
    }
}
