//! WebAssembly that a command was given by name: a file on this machine, or an artifact in a registry.

use std::path::{Path, PathBuf};

use semver::Version;
use wreg_client::Client;
use wreg_component::{Invalid, Wit, wit};
use wreg_oci::{Host, Tag};

use crate::{
    context::Context,
    error::CliError,
    local::{self, Local},
    remote::{Fetched, Wanted},
};

/// What a name on the command line means.
pub(crate) enum Named {
    /// A file; `-` is stdin.
    File(PathBuf),
    /// An artifact.
    Artifact(Wanted),
}

impl Named {
    /// What exists here is a file, and so is what can only be a path; everything else is a reference.
    pub(crate) fn parse(text: &str, context: &Context) -> Result<Self, CliError> {
        let path = Path::new(text);
        if text == "-" || path.is_absolute() || path.starts_with(".") || path.starts_with("..") || path.exists() {
            return Ok(Self::File(path.to_owned()));
        }
        let wanted = context
            .wanted(text)
            .map_err(|error| error.reworded(format!("there is no file {text}, and it is not a reference either")))?;
        Ok(Self::Artifact(wanted))
    }

    /// The registry that it is in.
    fn host(&self) -> Option<&Host> {
        match self {
            Self::File(_) => None,
            Self::Artifact(wanted) => Some(wanted.host()),
        }
    }

    /// Reads each of `named`, with one client for all, which fetches into the local store.
    pub(crate) async fn read_all<const N: usize>(named: [&Self; N], context: &Context) -> Result<[Given; N], CliError> {
        let hosts: Vec<_> = named.iter().filter_map(|named| named.host().cloned()).collect();
        let client = if hosts.is_empty() {
            None
        } else {
            Some(context.client_with_store(&hosts)?)
        };
        let mut given = Vec::with_capacity(N);
        for named in named {
            given.push(named.read(client.as_ref(), context).await?);
        }
        given
            .try_into()
            .map_err(|_| CliError::failed("some of what was named was not read"))
    }

    async fn read(&self, client: Option<&Client>, context: &Context) -> Result<Given, CliError> {
        match (self, client) {
            (Self::Artifact(wanted), Some(client)) => Given::fetch(wanted, client, context).await,
            (Self::Artifact(wanted), None) => {
                Err(CliError::failed(format!("there is no client for {}", wanted.host())))
            }
            (Self::File(path), _) => Given::file(path).await,
        }
    }
}

/// What was named, read, and found to be valid.
pub(crate) struct Given {
    /// What it is called: the file as it was named, or `host/repository@digest`.
    pub(crate) name: String,
    /// The tag that it was found by.
    tag: Option<Tag>,
    pub(crate) local: Local,
}

impl Given {
    /// Reads a file; `-` is stdin.
    pub(crate) async fn file(path: &Path) -> Result<Self, CliError> {
        Self::valid(local::name(path), None, local::read(path).await?)
    }

    /// Fetches the WebAssembly that is wanted.
    pub(crate) async fn fetch(wanted: &Wanted, client: &Client, context: &Context) -> Result<Self, CliError> {
        let registry = client.registry(wanted.host())?;
        let (reference, artifact) = wanted.find(&registry).await?;
        let layer = artifact.wasm_layer().ok_or_else(|| artifact.not_wasm())?;
        let fetched = Fetched::fetch(client, &registry, &reference.repository, layer, &context.printer).await?;
        let tag = reference.tag.clone().filter(|_| reference.digest.is_none());
        Self::valid(artifact.reference.to_string(), tag, local::read(fetched.path()).await?)
    }

    fn valid(name: String, tag: Option<Tag>, local: Result<Local, Invalid>) -> Result<Self, CliError> {
        match local {
            Ok(local) => Ok(Self { name, tag, local }),
            Err(invalid) => Err(CliError::no(format!("{name} is not valid WebAssembly: {invalid}"))),
        }
    }

    /// Its version: that of its tag, else that of the WIT package that it is, else what it says of itself.
    pub(crate) fn version(&self) -> Option<Version> {
        let inspection = &self.local.inspection;
        let package = inspection.package.as_ref();
        let of_package = || Version::parse(package?.name.split_once('@')?.1).ok();
        let of_itself = || Version::parse(inspection.metadata.version.as_ref()?.trim()).ok();
        self.tag
            .as_ref()
            .and_then(version_of)
            .or_else(of_package)
            .or_else(of_itself)
    }

    /// Its WIT text, or why there is none.
    pub(crate) async fn wit(&self) -> Result<Result<Wit, Invalid>, CliError> {
        let bytes = self.local.bytes.clone();
        let made = tokio::task::spawn_blocking(move || wit(&bytes)).await;
        made.map_err(|error| CliError::failed("cannot make the WIT text").because(error))
    }
}

/// The version that a tag is. A tag cannot hold a `+`, and the custom is to write `_` in its place.
pub(crate) fn version_of(tag: &Tag) -> Option<Version> {
    Version::parse(&tag.as_str().replacen('_', "+", 1)).ok()
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn versions_are_told_from_other_tags() {
        for (tag, version) in [
            ("1.0.0", Some("1.0.0")),
            ("0.1.0-rc.1", Some("0.1.0-rc.1")),
            ("1.0.0_build5", Some("1.0.0+build5")),
            ("v1.0.0", None),
            ("1.0", None),
            ("01.0.0", None),
            ("latest", None),
        ] {
            let found = version_of(&tag.parse().expect("a tag")).map(|version| version.to_string());
            assert_eq!(found.as_deref(), version, "{tag}");
        }
    }
}
