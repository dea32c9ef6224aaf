//! What stands beside a manifest, and names it as its subject.

use wreg_oci::{AttachedDocument, Descriptor, Digest, MediaType, RepositoryName, TagOrDigest};

use super::Registry;
use crate::{BlobSource, Error, NoProgress};

impl Registry {
    /// Pushes a document beside the manifest that it is about: the digest of the artifact. The same document is the same artifact.
    pub async fn attach_document(
        &self,
        repository: &RepositoryName,
        attached: AttachedDocument,
    ) -> Result<Digest, Error> {
        let digest = attached.digest();
        self.put_beside(
            repository,
            digest,
            [attached.config, attached.document],
            attached.manifest,
        )
        .await
    }

    /// Pushes two blobs, and then the manifest that names them, by its digest.
    pub(super) async fn put_beside(
        &self,
        repository: &RepositoryName,
        digest: Digest,
        blobs: [(Descriptor, Vec<u8>); 2],
        manifest: Vec<u8>,
    ) -> Result<Digest, Error> {
        for (descriptor, bytes) in blobs {
            let bytes = BlobSource::Bytes(bytes.into());
            self.push_blob(repository, &descriptor, bytes, None, &NoProgress)
                .await?;
        }
        let at = TagOrDigest::Digest(digest);
        self.put_manifest(repository, &at, &MediaType::IMAGE_MANIFEST, manifest)
            .await
    }
}
