//! A registry as a source of WIT packages: which versions there are, and what they are.

use bytes::Bytes;
use semver::Version;
use tokio::sync::Mutex;
use wreg_client::{Client, Error, PackageMetadata, Registry, Store};
use wreg_oci::{Algorithm, Descriptor, Host, Reference, RepositoryName, Tag, version};

use super::{
    name::{PackageId, PackageName},
    registries::Mapping,
};
use crate::{error::CliError, output::Printer, remote::Artifact};

/// The most bytes of a package: 16 MiB. Those of WASI have a hundredth of it.
pub(crate) const MAX_CONTENT: u64 = 16 << 20;

/// All registries that a command asks for packages.
pub(crate) struct Sources<'a> {
    client: Client,
    printer: &'a Printer,
    /// Held while a registry is asked where its packages are, so that it is asked once.
    known: Mutex<Vec<(Mapping, Source)>>,
}

/// One of them.
#[derive(Clone)]
struct Source {
    registry: Registry,
    /// What the names of repositories begin with.
    prefix: String,
}

/// A version that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) version: Version,
    /// Whether it is not to be chosen any more.
    pub(crate) is_yanked: bool,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(client: Client, printer: &'a Printer) -> Self {
        Self {
            client,
            printer,
            known: Mutex::default(),
        }
    }

    /// The local store.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.client.store()
    }

    /// The versions of `package`, in no order. The one place that knows where they come from: from wreg's own list, which says what is
    /// yanked, and with other registries from the tags. Tags with a `v` before the version are passed over, as wkg does.
    pub(crate) async fn versions(&self, mapping: &Mapping, package: &PackageName) -> Result<Vec<Offered>, CliError> {
        let source = self.source(mapping).await?;
        let repository = source.repository(package)?;
        let offered = |tag: &Tag, is_yanked| {
            let version = version::of_tag(tag)?;
            (version::to_tag(&version).as_ref() == Some(tag)).then_some(Offered { version, is_yanked })
        };
        match source.registry.versions(&repository).await {
            Ok(list) => {
                let versions = list.versions.iter();
                return Ok(versions
                    .filter_map(|one| offered(&one.tag, one.marks.yanked.is_some()))
                    .collect());
            }
            // Another registry, which may answer anything to a path that it does not know. If this one denies, its tags are denied too.
            Err(error) if error.is_no() => {}
            Err(Error::Protocol { .. } | Error::Unauthorized { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let tags = source.registry.tags(&repository).await;
        let tags = tags.map_err(|error| no_package(error, package))?;
        Ok(tags.iter().filter_map(|tag| offered(tag, false)).collect())
    }

    /// What the content of `package` is at `version`.
    pub(crate) async fn release(
        &self,
        mapping: &Mapping,
        package: &PackageName,
        version: &Version,
    ) -> Result<Descriptor, CliError> {
        let source = self.source(mapping).await?;
        let id = package.at(version);
        let tag = version::to_tag(version).ok_or_else(|| CliError::no(format!("no tag can name {id}")))?;
        let reference = Reference {
            host: source.registry.host().clone(),
            repository: source.repository(package)?,
            tag: Some(tag),
            digest: None,
        };
        let artifact = Artifact::find(&source.registry, &reference).await?;
        let layer = artifact.wasm_layer().ok_or_else(|| artifact.not_wasm())?;
        if layer.digest.algorithm() == Algorithm::Sha256 {
            Ok(layer.clone())
        } else {
            Err(CliError::no(format!(
                "the content of {id} is known by {}, and a lock holds sha256 digests only",
                layer.digest
            )))
        }
    }

    /// Content, verified; it is kept in the local store.
    pub(crate) async fn content(
        &self,
        mapping: &Mapping,
        id: &PackageId,
        layer: &Descriptor,
    ) -> Result<Bytes, CliError> {
        let source = self.source(mapping).await?;
        let repository = source.repository(&id.package)?;
        Ok(source.registry.blob_bytes(&repository, layer, MAX_CONTENT).await?)
    }

    async fn source(&self, mapping: &Mapping) -> Result<Source, CliError> {
        let mut known = self.known.lock().await;
        if let Some((_, source)) = known.iter().find(|(known, _)| known == mapping) {
            return Ok(source.clone());
        }
        let source = self.open(mapping).await?;
        known.push((mapping.clone(), source.clone()));
        Ok(source)
    }

    /// Where the packages of a registry are: what the configuration says, else the registry itself, else right there.
    async fn open(&self, mapping: &Mapping) -> Result<Source, CliError> {
        let Mapping { name, metadata } = mapping;
        let metadata = match metadata {
            Some(metadata) => metadata.clone(),
            None => match self.client.registry(&host(name)?)?.package_metadata().await {
                Ok(metadata) => metadata.unwrap_or_default(),
                Err(error @ Error::Network { .. }) => return Err(error.into()),
                Err(error) => {
                    self.printer
                        .warning(format!("{name} is taken to have its packages itself: {error}"));
                    PackageMetadata::default()
                }
            },
        };
        match metadata.preferred_protocol.as_deref() {
            None | Some("oci") => {}
            Some(other) => {
                return Err(CliError::no(format!(
                    "{name} gives its packages by the protocol {other:?}, and wreg takes them by oci"
                )));
            }
        }
        let address = host(metadata.oci_registry().unwrap_or(name))?;
        // As with redirects: nobody elsewhere leads to what listens on this machine.
        if mapping.metadata.is_none() && address.is_loopback() && !host(name)?.is_loopback() {
            return Err(CliError::no(format!(
                "{name} says that its packages are on this machine, at {address}"
            )));
        }
        Ok(Source {
            registry: self.client.registry(&address)?,
            prefix: metadata.oci_namespace_prefix().unwrap_or_default().to_owned(),
        })
    }
}

impl Source {
    fn repository(&self, package: &PackageName) -> Result<RepositoryName, CliError> {
        package.repository(&self.prefix).ok_or_else(|| {
            CliError::no(format!(
                "{} cannot have {package}: {:?} before it makes no name of a repository",
                self.registry.host(),
                self.prefix
            ))
        })
    }
}

fn host(name: &str) -> Result<Host, CliError> {
    name.parse()
        .map_err(|invalid| CliError::usage(format!("{name:?} is no address of a registry")).because(invalid))
}

fn no_package(error: Error, package: &PackageName) -> CliError {
    let Error::NotFound { registry, .. } = &error else {
        return error.into();
    };
    let message = format!("{registry} has no package {package}, or you may not see it");
    CliError::from(error)
        .reworded(message)
        .hint("a package whose text is on this machine can be named in wkg.toml, with its path")
}
