//! The check of the store against the database: every row has its bytes, all bytes have their row, and manifests are made of what is
//! there. It deletes nothing, and repairs only where nothing can be lost by it: see [`wreg_api::check::FindingKind`].

use std::time::UNIX_EPOCH;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use wreg_api::{
    MissingReferences,
    check::{Checked, Finding, FindingKind},
};
use wreg_oci::{Digest, Hasher, Manifest, RepositoryName, TagOrDigest};

use super::{Error, Registry, Result};
use crate::{
    clock::millis,
    metadata::{
        blobs::{MoveBlob, Place},
        check::PutEdge,
    },
    storage::{BlobKey, Listed},
};

/// How thorough a check is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Check {
    /// Whether all bytes are read and hashed.
    pub deep: bool,
    /// Whether what can safely be made good is.
    pub repair: bool,
}

/// A check under way.
struct Checking<'r> {
    registry: &'r Registry,
    check: Check,
    found: mpsc::Sender<Finding>,
    checked: Checked,
}

impl Registry {
    /// Checks everything, and sends what it finds as it goes; to nobody, once nobody listens. An error means that the check could not
    /// tell: a listing that broke off says nothing about what it did not list. For the server itself when it serves nobody, and for
    /// those who administer it.
    pub async fn check(&self, check: Check, found: mpsc::Sender<Finding>) -> Result<Checked> {
        let mut checking = Checking {
            registry: self,
            check,
            found,
            checked: Checked::default(),
        };
        checking.rows().await?;
        checking.objects().await?;
        checking.manifests().await?;
        Ok(checking.checked)
    }

    /// Whether the store has these bytes under this key, hashed.
    async fn has_content(&self, key: &BlobKey, digest: &Digest, size: u64) -> Result<bool> {
        let Some(mut bytes) = self.storage.read(key, 0..size).await? else {
            return Ok(false);
        };
        let mut hasher = Hasher::new(digest.algorithm());
        while let Some(piece) = bytes.next().await {
            hasher.update(&piece.map_err(Error::Unavailable)?);
        }
        Ok(hasher.finish() == *digest)
    }
}

impl Checking<'_> {
    async fn tell(&mut self, kind: FindingKind, subject: String, detail: String, repaired: bool) {
        self.checked.findings += 1;
        self.checked.repaired += u64::from(repaired);
        let finding = Finding {
            kind,
            subject,
            detail,
            repaired,
        };
        let _ = self.found.send(finding).await;
    }

    /// Every row has its bytes.
    async fn rows(&mut self) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows = self.registry.metadata.list_blob_rows(&after).await?;
            let Some((last, ..)) = rows.last() else { return Ok(()) };
            after.clone_from(last);
            for (text, location, size, content) in rows {
                self.checked.blobs += 1;
                if let Some(content) = content {
                    self.row(text, size, &content).await;
                    continue;
                }
                let (Ok(digest), Ok(key), Ok(size)) =
                    (text.parse::<Digest>(), location.parse::<BlobKey>(), u64::try_from(size))
                else {
                    self.tell(FindingKind::LocationUnreadable, text, location, false).await;
                    continue;
                };
                match self.registry.storage.size(&key).await? {
                    Some(found) if found == size => {
                        if self.check.deep && !self.registry.has_content(&key, &digest, size).await? {
                            self.tell(FindingKind::ContentDiffers, digest.to_string(), key.to_string(), false)
                                .await;
                        }
                    }
                    // Where the right bytes lie elsewhere, the listing finds them.
                    Some(_) | None if self.check.repair && self.find_elsewhere(&digest, &key, size).await? => {
                        self.tell(
                            FindingKind::BlobMissing,
                            digest.to_string(),
                            "it was elsewhere in the store".to_owned(),
                            true,
                        )
                        .await;
                    }
                    found => {
                        let detail = found.map_or_else(
                            || format!("no bytes at {key}"),
                            |found| format!("{found} bytes at {key}, {size} are due"),
                        );
                        self.tell(FindingKind::BlobMissing, digest.to_string(), detail, false)
                            .await;
                    }
                }
            }
        }
    }

    /// A blob whose bytes are in its row: so few that they are hashed in any case.
    async fn row(&mut self, digest: String, size: i64, content: &[u8]) {
        let is_sound = digest
            .parse::<Digest>()
            .is_ok_and(|digest| Digest::of(digest.algorithm(), content) == digest);
        if !is_sound || u64::try_from(size) != Ok(content.len() as u64) {
            let detail = format!("{} bytes in the database", content.len());
            self.tell(FindingKind::ContentDiffers, digest, detail, false).await;
        }
    }

    /// Looks for the right bytes of a blob under another key, and makes them the blob's.
    async fn find_elsewhere(&self, digest: &Digest, lost: &BlobKey, size: u64) -> Result<bool> {
        let mut objects = self.registry.storage.list_blobs();
        while let Some(object) = objects.next().await {
            let Listed::Object { key, size: found, .. } = object? else {
                continue;
            };
            if key.digest() != digest || key == *lost || found != size {
                continue;
            }
            if self.registry.has_content(&key, digest, size).await? {
                let operation = MoveBlob {
                    digest: digest.clone(),
                    from: lost.to_string(),
                    to: Place::Store(key.to_string()),
                };
                return Ok(self.registry.metadata.write(operation).await?);
            }
        }
        Ok(false)
    }

    /// All bytes have their row. What is younger than a lease may be a push under way.
    async fn objects(&mut self) -> Result<()> {
        let registry = self.registry;
        let young = registry.clock.now().saturating_sub(millis(registry.terms.blob_lease));
        let mut objects = registry.storage.list_blobs();
        while let Some(object) = objects.next().await {
            self.checked.objects += 1;
            let (key, size, modified) = match object? {
                Listed::Object { key, size, modified } => (key, size, modified),
                Listed::Unknown(name) => {
                    self.tell(
                        FindingKind::ObjectUnknown,
                        name,
                        "not put there by wreg".to_owned(),
                        false,
                    )
                    .await;
                    continue;
                }
            };
            let location = key.to_string();
            let row = registry.metadata.find_blob_row(key.digest()).await?;
            if row.is_some_and(|(known, _)| known == location) || registry.metadata.is_being_removed(&location).await? {
                continue;
            }
            let modified = modified.duration_since(UNIX_EPOCH).map_or(0, millis);
            if modified <= young {
                self.tell(
                    FindingKind::BytesUnknown,
                    location,
                    format!("{size} bytes that no row knows"),
                    false,
                )
                .await;
            }
        }
        Ok(())
    }

    /// Manifests are what their digests name, and made of what is there.
    async fn manifests(&mut self) -> Result<()> {
        let mut after = (String::new(), String::new());
        loop {
            let rows = self.registry.metadata.list_manifest_rows((&after.0, &after.1)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(last);
            for (repository, digest) in rows {
                self.checked.manifests += 1;
                match (repository.parse(), digest.parse()) {
                    (Ok(repository), Ok(digest)) => self.manifest(repository, digest).await?,
                    _ => {
                        self.tell(
                            FindingKind::ManifestDiffers,
                            format!("{repository}@{digest}"),
                            "no digest".to_owned(),
                            false,
                        )
                        .await;
                    }
                }
            }
        }
    }

    async fn manifest(&mut self, repository: RepositoryName, digest: Digest) -> Result<()> {
        let metadata = &self.registry.metadata;
        let subject = format!("{repository}@{digest}");
        let selector = TagOrDigest::Digest(digest.clone());
        let parsed = match metadata.read_manifest(&repository, &selector).await {
            // Deleted since it was listed.
            Ok(None) => return Ok(()),
            Ok(Some(found)) if Digest::of(digest.algorithm(), &found.content) == digest => {
                Manifest::parse(&found.content, &found.media_type).map_err(|error| error.to_string())
            }
            Ok(Some(_)) => Err("the bytes have another digest".to_owned()),
            Err(error @ crate::metadata::Error::Corrupt { .. }) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        let manifest = match parsed {
            Ok(manifest) => manifest,
            Err(problem) => {
                self.tell(FindingKind::ManifestDiffers, subject, problem, false).await;
                return Ok(());
            }
        };
        let settings = metadata.find_settings(&repository).await?;
        let sparse = settings.is_none_or(|settings| settings.missing_references == MissingReferences::Accept);
        let blobs = manifest.blobs().into_iter().map(|target| ("blob", target));
        let children = manifest.manifests().into_iter().map(|target| ("manifest", target));
        for (kind, target) in blobs.chain(children) {
            let (edge, is_there) = metadata.find_edge(&repository, &digest, kind, &target.digest).await?;
            if !edge {
                if self.check.repair {
                    let operation = PutEdge {
                        repository: repository.clone(),
                        manifest: digest.clone(),
                        kind,
                        digest: target.digest.clone(),
                    };
                    metadata.write(operation).await?;
                }
                self.tell(
                    FindingKind::EdgeMissing,
                    subject.clone(),
                    target.digest.to_string(),
                    self.check.repair,
                )
                .await;
            }
            if !is_there && !sparse && !target.may_be_elsewhere() {
                self.tell(
                    FindingKind::ReferenceMissing,
                    subject.clone(),
                    target.digest.to_string(),
                    false,
                )
                .await;
            }
        }
        Ok(())
    }
}
