//! What stands beside a manifest, and names it as its subject.

use wreg_oci::{Attachment, Digest, MediaType, RepositoryName, TagOrDigest};

use super::Registry;
use crate::{BlobSource, Error, NoProgress};

impl Registry {
    /// Pushes an artifact beside the manifest that it is about: its digest. The same one is pushed once.
    pub async fn attach(&self, repository: &RepositoryName, attachment: Attachment) -> Result<Digest, Error> {
        let at = TagOrDigest::Digest(attachment.digest());
        for (descriptor, bytes) in attachment.blobs {
            let bytes = BlobSource::Bytes(bytes.into());
            self.push_blob(repository, &descriptor, bytes, None, &NoProgress)
                .await?;
        }
        self.put_manifest(repository, &at, &MediaType::IMAGE_MANIFEST, attachment.manifest)
            .await
    }
}
