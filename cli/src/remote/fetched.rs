//! A blob on this machine's disk: in the local store, or in a temporary folder where there is no store.

use std::path::{Path, PathBuf};

use wreg_client::{Client, PulledBlob, Registry};
use wreg_oci::{Descriptor, RepositoryName};

use crate::{error::CliError, output::Printer};

/// A verified blob. Where it is not in the store, it goes away with this value.
pub(crate) struct Fetched {
    path: PathBuf,
    /// Whether no byte of it had to be transferred.
    pub(crate) from_store: bool,
    _folder: Option<tempfile::TempDir>,
}

impl Fetched {
    /// Fetches a blob unless the store has it. Dropping the future leaves no temporary file; what a store keeps of a transfer
    /// that was broken off is where the next one goes on.
    pub(crate) async fn fetch(
        client: &Client,
        registry: &Registry,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        printer: &Printer,
    ) -> Result<Self, CliError> {
        let progress = printer.progress("pulling");
        if client.store().is_some() {
            let (path, pulled) = registry.pull_to_store(repository, descriptor, &*progress).await?;
            return Ok(Self {
                path,
                from_store: pulled == PulledBlob::FromStore,
                _folder: None,
            });
        }
        let folder =
            tempfile::tempdir().map_err(|error| CliError::failed("cannot make a temporary folder").because(error))?;
        let path = folder.path().join("blob");
        registry.pull_blob(repository, descriptor, &path, &*progress).await?;
        Ok(Self {
            path,
            from_store: false,
            _folder: Some(folder),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
