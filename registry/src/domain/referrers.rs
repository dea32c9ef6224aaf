//! The manifests that are about another one.

use wreg_oci::{Descriptor, Digest, MediaType};

use super::{Registry, Result, tags::Listed};
use crate::auth::{Permit, permit::Pull};

/// The most bytes of descriptors in one page: clients that read one page only should lose nothing that is not absurd.
const MAX_PAGE_BYTES: u64 = 4 * 1024 * 1024;

impl Registry {
    /// Descriptors of the manifests whose subject is `subject`, by digest, those after `after` (end-12). Empty for what is unknown,
    /// the repository included.
    pub async fn list_referrers(
        &self,
        permit: &Permit<Pull>,
        subject: &Digest,
        artifact_type: Option<&MediaType>,
        after: Option<&Digest>,
    ) -> Result<Listed<Descriptor>> {
        let (mut entries, mut bytes): (Vec<Descriptor>, u64) = (Vec::new(), 0);
        loop {
            let after = entries
                .last()
                .map(|last| &last.digest)
                .or(after)
                .map_or("", Digest::as_str);
            let rows = self
                .metadata
                .list_referrers(permit.repository(), subject, artifact_type, after, MAX_PAGE_BYTES)
                .await?;
            if rows.is_empty() {
                return Ok(Listed { entries, more: false });
            }
            for descriptor in rows {
                bytes += weight(&descriptor);
                if bytes > MAX_PAGE_BYTES && !entries.is_empty() {
                    return Ok(Listed { entries, more: true });
                }
                entries.push(descriptor);
            }
        }
    }
}

/// What a descriptor takes in JSON, with the comma after it.
fn weight(descriptor: &Descriptor) -> u64 {
    serde_json::to_vec(descriptor).map_or(0, |json| json.len() as u64 + 1)
}
