//! What object storage is reached by. Here and not with its backend, so that a server that is compiled without it can say so.

/// A bucket, and how to reach it.
#[derive(Clone)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// The server's URL; `None` for the one that the region has at AWS.
    pub endpoint: Option<String>,
    /// The region; `None` for what the environment says, and `us-east-1` where an endpoint is given.
    pub region: Option<String>,
    /// What the name of every object begins with: empty, or ending in a slash.
    pub prefix: String,
    /// Key id and secret; `None` for what the environment, a profile or the machine's role gives.
    pub credentials: Option<(String, String)>,
    /// Whether the bucket stands in the path of URLs and not in their host.
    pub path_style: bool,
    /// Whether clients may fetch blobs from the bucket by themselves.
    pub redirect: bool,
    /// Bytes of memory for parts on their way, for all uploads together.
    pub memory: u64,
}

impl S3Settings {
    /// The largest blob that a bucket can hold, in bytes: 2,000 parts of 8 MiB.
    pub const MAX_BLOB: u64 = 2_000 * 8 * 1024 * 1024;
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let credentials = self.credentials.as_ref().map(|(id, _)| (id, "[secret]"));
        f.debug_struct("S3Settings")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("prefix", &self.prefix)
            .field("credentials", &credentials)
            .field("path_style", &self.path_style)
            .field("redirect", &self.redirect)
            .field("memory", &self.memory)
            .finish()
    }
}
