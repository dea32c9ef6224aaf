//! Artifacts that `wreg push` would not make, put into a registry by hand.

use wreg_harness::{RegistryProcess, raw::Connection};
use wreg_oci::{Attachment, Descriptor, Digest, MediaType};

/// Requests to a registry with its admin token.
pub(crate) struct Raw<'a> {
    registry: &'a RegistryProcess,
    token: String,
}

impl<'a> Raw<'a> {
    pub(crate) fn new(registry: &'a RegistryProcess) -> Self {
        Self {
            registry,
            token: registry.admin_token(),
        }
    }

    /// Pushes an artifact of one layer with this config, as version 1.0.0; its reference.
    pub(crate) fn push(&self, repository: &str, config: &str, layer: &Descriptor, bytes: &[u8]) -> String {
        let manifest = self.manifest(repository, config, layer, bytes);
        self.put_manifest(repository, "1.0.0", &MediaType::IMAGE_MANIFEST, &manifest)
    }

    /// Pushes an index with one Wasm artifact of this layer, as version 1.0.0; its reference, and the digest of the artifact.
    pub(crate) fn push_index(&self, repository: &str, bytes: &[u8]) -> (String, Digest) {
        let manifest = self.manifest(repository, "{}", &Descriptor::of(MediaType::WASM, bytes), bytes);
        let child = Descriptor::of(MediaType::IMAGE_MANIFEST, manifest.as_bytes());
        self.put_manifest(repository, child.digest.as_str(), &MediaType::IMAGE_MANIFEST, &manifest);
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_INDEX,
            "manifests": [child],
            "annotations": {"of": repository},
        });
        (
            self.put_manifest(repository, "1.0.0", &MediaType::IMAGE_INDEX, &index.to_string()),
            child.digest,
        )
    }

    /// Pushes a manifest about another one; its digest.
    pub(crate) fn push_referrer(&self, repository: &str, subject: &Digest, size: u64) -> Digest {
        self.put_blob(repository, b"{}");
        let empty = Descriptor::of(MediaType::EMPTY, b"{}");
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "artifactType": "application/vnd.example.signature",
            "config": empty,
            "layers": [empty],
            "subject": Descriptor::new(MediaType::IMAGE_MANIFEST, subject.clone(), size),
        });
        let manifest = manifest.to_string();
        let digest = Digest::sha256(&manifest);
        self.put_manifest(repository, digest.as_str(), &MediaType::IMAGE_MANIFEST, &manifest);
        digest
    }

    /// Pushes a bundle that nobody here has made.
    pub(crate) fn push_bundle(&self, repository: &str, artifact: &Attachment) {
        for (_, bytes) in &artifact.blobs {
            self.put_blob(repository, bytes);
        }
        let (digest, manifest) = (artifact.digest(), String::from_utf8_lossy(&artifact.manifest));
        self.put_manifest(repository, digest.as_str(), &MediaType::IMAGE_MANIFEST, &manifest);
    }

    /// The digests of what is about a manifest, in the order of the registry.
    pub(crate) fn referrers(&self, repository: &str, subject: &Digest) -> Vec<Digest> {
        let index = self.send("GET", &format!("/v2/{repository}/referrers/{subject}"), "*/*", b"", 200);
        let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
        let all = index["manifests"].as_array().expect("a list").iter();
        all.map(|one| serde_json::from_value(one["digest"].clone()).expect("a digest"))
            .collect()
    }

    fn manifest(&self, repository: &str, config: &str, layer: &Descriptor, bytes: &[u8]) -> String {
        self.put_blob(repository, config.as_bytes());
        self.put_blob(repository, bytes);
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": Descriptor::of(MediaType::WASM_CONFIG, config.as_bytes()),
            "layers": [layer],
        });
        manifest.to_string()
    }

    fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let digest = Digest::sha256(bytes);
        let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        self.send("POST", &target, "application/octet-stream", bytes, 201);
    }

    fn put_manifest(&self, repository: &str, at: &str, media_type: &MediaType, manifest: &str) -> String {
        self.send(
            "PUT",
            &format!("/v2/{repository}/manifests/{at}"),
            media_type.as_str(),
            manifest.as_bytes(),
            201,
        );
        let separator = if at.contains(':') { '@' } else { ':' };
        format!("{}/{repository}{separator}{at}", self.registry.address())
    }

    fn send(&self, method: &str, target: &str, content_type: &str, body: &[u8], status: u16) -> Vec<u8> {
        let mut connection = Connection::open(self.registry.address());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.registry.address(),
            self.token,
            body.len()
        );
        connection
            .send(head)
            .and_then(|()| connection.send(body))
            .expect("the server takes requests");
        let response = connection.read_response().expect("the server answers");
        assert_eq!(response.status, status, "{method} {target}: {}", response.text());
        response.body
    }
}
