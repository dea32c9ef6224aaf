//! Copying manifests and everything that they name.

use std::collections::BTreeSet;

use wreg_client::{BlobSource, Client, FetchedManifest, Registry};
use wreg_oci::{Descriptor, Digest, Manifest, RepositoryName, Tag};

use super::Fetched;
use crate::{error::CliError, output::Printer};

/// How deep indexes may be nested in each other.
const MAX_DEPTH: usize = 16;

/// How many manifests are copied at most.
const MAX_MANIFESTS: usize = 10_000;

/// A repository at a registry.
pub(crate) struct Place {
    pub(crate) registry: Registry,
    pub(crate) repository: RepositoryName,
}

/// Copies from one place to another; content before what names it, so that whatever is interrupted, nothing names what is missing.
pub(crate) struct Copier<'a> {
    client: &'a Client,
    from: Place,
    to: Place,
    printer: &'a Printer,
    seen: BTreeSet<Digest>,
    /// How many manifests were copied.
    pub(crate) manifests: u64,
    /// How many blobs were sent.
    pub(crate) blobs_sent: u64,
    /// How many blobs were there, or were mounted.
    pub(crate) blobs_there: u64,
}

/// What is still to be done, the next last.
enum Step {
    /// Fetch a manifest, and do what it names first.
    Visit(Descriptor),
    /// All that it names is there.
    Put(Box<(FetchedManifest, Manifest)>),
}

impl<'a> Copier<'a> {
    pub(crate) fn new(client: &'a Client, from: Place, to: Place, printer: &'a Printer) -> Self {
        Self {
            client,
            from,
            to,
            printer,
            seen: BTreeSet::new(),
            manifests: 0,
            blobs_sent: 0,
            blobs_there: 0,
        }
    }

    /// Copies `root` and what it names; with `referrers` also what refers to any of it. The tag is set last.
    pub(crate) async fn copy(
        &mut self,
        root: FetchedManifest,
        tag: Option<&Tag>,
        referrers: bool,
    ) -> Result<(), CliError> {
        let tagged = tag.map(|tag| (tag, root.clone()));
        let mut steps = self.open(root)?;
        while let Some(step) = steps.pop() {
            let depth = steps.iter().filter(|step| matches!(step, Step::Put(_))).count();
            if depth > MAX_DEPTH || self.seen.len() > MAX_MANIFESTS {
                return Err(CliError::no(format!(
                    "there are indexes nested more than {MAX_DEPTH} deep, or more than {MAX_MANIFESTS} manifests"
                )));
            }
            match step {
                Step::Visit(descriptor) => {
                    let digest = descriptor.digest.clone().into();
                    let fetched = self.from.registry.manifest(&self.from.repository, &digest).await?;
                    steps.extend(self.open(fetched)?);
                }
                Step::Put(ready) => {
                    let (fetched, manifest) = *ready;
                    self.put(&fetched, &manifest).await?;
                    if referrers {
                        let digest = &fetched.descriptor.digest;
                        let found = self.from.registry.referrers(&self.from.repository, digest).await?;
                        steps.extend(self.unseen(found));
                    }
                }
            }
        }
        if let Some((tag, root)) = tagged {
            let media_type = &root.descriptor.media_type;
            self.to
                .registry
                .put_manifest(&self.to.repository, &tag.clone().into(), media_type, root.bytes)
                .await?;
        }
        Ok(())
    }

    /// The steps for a manifest: itself, and before it those that it lists.
    fn open(&mut self, fetched: FetchedManifest) -> Result<Vec<Step>, CliError> {
        self.seen.insert(fetched.descriptor.digest.clone());
        let manifest = Manifest::parse(&fetched.bytes, &fetched.descriptor.media_type).map_err(|invalid| {
            CliError::no(format!(
                "the manifest {} is not one that wreg understands",
                fetched.descriptor.digest
            ))
            .because(invalid)
        })?;
        let children: Vec<_> = manifest.manifests().into_iter().cloned().collect();
        let mut steps = vec![Step::Put(Box::new((fetched, manifest)))];
        steps.extend(self.unseen(children));
        Ok(steps)
    }

    fn unseen(&mut self, descriptors: Vec<Descriptor>) -> Vec<Step> {
        descriptors
            .into_iter()
            .filter(|descriptor| self.seen.insert(descriptor.digest.clone()))
            .map(Step::Visit)
            .collect()
    }

    async fn put(&mut self, fetched: &FetchedManifest, manifest: &Manifest) -> Result<(), CliError> {
        // What may be elsewhere is left where it is, as the image specification asks of copies.
        for blob in manifest.blobs().into_iter().filter(|blob| !blob.may_be_elsewhere()) {
            self.blob(blob).await?;
        }
        let descriptor = &fetched.descriptor;
        let digest = descriptor.digest.clone().into();
        let put = self.to.registry.put_manifest(
            &self.to.repository,
            &digest,
            &descriptor.media_type,
            fetched.bytes.clone(),
        );
        put.await?;
        self.manifests += 1;
        self.printer.note(format!("copied the manifest {}", descriptor.digest));
        Ok(())
    }

    async fn blob(&mut self, blob: &Descriptor) -> Result<(), CliError> {
        let (from, to) = (&self.from, &self.to);
        let mount = (from.registry.host() == to.registry.host()).then_some(&from.repository);
        if to.registry.find_blob(&to.repository, blob, mount).await?.is_some() {
            self.blobs_there += 1;
            return Ok(());
        }
        let fetched = Fetched::fetch(self.client, &from.registry, &from.repository, blob, self.printer).await?;
        let progress = self.printer.progress("pushing");
        let source = BlobSource::File(fetched.path());
        to.registry
            .push_blob(&to.repository, blob, source, None, &*progress)
            .await?;
        self.blobs_sent += 1;
        Ok(())
    }
}
