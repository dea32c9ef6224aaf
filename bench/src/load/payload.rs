//! Content that differs from blob to blob and is not hashed anew for each: many bytes that all share, and sixteen of its own.

use wreg_oci::{Algorithm, Digest, Hasher};

/// What a blob ends with.
pub(super) type Nonce = [u8; 16];

/// Blobs of one size.
pub(super) struct Payload {
    shared: Vec<u8>,
    /// The state of the digest after the shared bytes.
    hasher: Hasher,
}

impl Payload {
    /// Blobs of that many bytes, 16 at least. What they share looks random, and is always the same.
    pub(super) fn new(size: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let shared: Vec<u8> = words.flatten().take(size.saturating_sub(16)).collect();
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&shared);
        Self { shared, hasher }
    }

    pub(super) fn shared(&self) -> &[u8] {
        &self.shared
    }

    /// Bytes of each blob.
    pub(super) fn size(&self) -> usize {
        self.shared.len() + 16
    }

    pub(super) fn digest(&self, nonce: Nonce) -> Digest {
        let mut hasher = self.hasher.clone();
        hasher.update(&nonce);
        hasher.finish()
    }
}

/// The nonce of a blob of a run.
pub(super) fn nonce(run: u64, number: usize) -> Nonce {
    ((u128::from(run) << 64) | number as u128).to_be_bytes()
}

/// An image's config, which says nothing but the nonce.
pub(super) fn config(nonce: Nonce) -> String {
    format!(
        r#"{{"architecture":"amd64","os":"linux","comment":"{:032x}","rootfs":{{"type":"layers","diff_ids":[]}},"history":[]}}"#,
        u128::from_be_bytes(nonce)
    )
}

/// Bytes of every config.
pub(super) fn config_size() -> usize {
    config(Nonce::default()).len()
}

pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The manifest of an artifact of one layer.
pub(super) fn manifest(config: &Digest, layer: &Digest, layer_size: usize) -> String {
    let config_size = config_size();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":{config_size}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{layer_size}}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_bytes_that_are_sent() {
        let payload = Payload::new(1000);
        let nonce = nonce(7, 9);
        let whole = [payload.shared(), &nonce].concat();
        assert_eq!(whole.len(), 1000);
        assert_eq!(payload.digest(nonce), Digest::sha256(&whole));
        assert_eq!(config(nonce).len(), config_size());
    }
}
