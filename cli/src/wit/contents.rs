//! What the packages of a lock are: from the local store, or from their registries, verified either way.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wreg_component::{Inspection, Kind, inspect};

use super::{
    name::PackageId,
    plan::{AT_ONCE, Resolved},
    source::{MAX_CONTENT, Sources},
};
use crate::error::CliError;

/// The most bytes of all packages together: 128 MiB.
const MAX_CONTENTS: usize = 128 << 20;

/// A package that is at hand.
#[derive(Debug)]
pub(crate) struct Content {
    /// What it calls itself.
    pub(crate) id: PackageId,
    pub(crate) bytes: Bytes,
    /// The plain names of its interfaces.
    pub(crate) interfaces: Vec<String>,
}

/// The content of each package, in the same order. Nothing is asked of a registry if `offline`, or for what is in the local store.
pub(crate) async fn contents(
    resolved: &[Resolved],
    sources: &Sources<'_>,
    offline: bool,
) -> Result<Vec<Content>, CliError> {
    let mut contents = stream::iter(resolved.iter().map(|one| content(one, sources, offline))).buffered(AT_ONCE);
    let (mut all, mut size) = (Vec::new(), 0);
    while let Some(content) = contents.try_next().await? {
        size += content.bytes.len();
        if size > MAX_CONTENTS {
            return Err(CliError::no(format!(
                "the packages are larger than {MAX_CONTENTS} bytes together"
            )));
        }
        all.push(content);
    }
    Ok(all)
}

async fn content(one: &Resolved, sources: &Sources<'_>, offline: bool) -> Result<Content, CliError> {
    let id = one.entry.package.at(&one.entry.version);
    let bytes = bytes(one, &id, sources, offline).await?;
    let looked = {
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || inspect(&bytes)).await
    };
    let inspection = looked
        .map_err(|error| CliError::failed(format!("cannot look at {id}")).because(error))?
        .map_err(|invalid| CliError::no(format!("{id} is not valid: {invalid}")))?;
    let (id, interfaces) = named(&id, inspection)?;
    Ok(Content { id, bytes, interfaces })
}

async fn bytes(one: &Resolved, id: &PackageId, sources: &Sources<'_>, offline: bool) -> Result<Bytes, CliError> {
    let digest = &one.entry.digest;
    if let Some(store) = sources.store()
        && let Some(bytes) = store.read(digest, MAX_CONTENT).await
    {
        return Ok(bytes.into());
    }
    if offline {
        return Err(CliError::no(format!("{id} is not in the local store, with {digest}"))
            .hint("run `wreg fetch` once where its registry can be reached"));
    }
    let layer = sources
        .release(&one.mapping, &one.entry.package, &one.entry.version)
        .await?;
    if layer.digest != *digest {
        return Err(CliError::no(format!(
            "{id} is not what wkg.lock says: {} has {}, and the lock {digest}",
            one.mapping.name, layer.digest
        ))
        .hint("find out why it was changed; if it is as it should be, `wreg lock --update` takes it over"));
    }
    sources.content(&one.mapping, id, &layer).await
}

/// What the content of `id` calls itself, which may leave out the version, and its interfaces.
fn named(id: &PackageId, inspection: Inspection) -> Result<(PackageId, Vec<String>), CliError> {
    if inspection.kind != Kind::WitPackage {
        let what = if inspection.kind == Kind::Module {
            "a core module"
        } else {
            "a component"
        };
        return Err(CliError::no(format!("{id} is {what}, not a WIT package"))
            .hint("depend on the package of its interfaces; `wreg pull` gets the component"));
    }
    let (name, interfaces) = inspection
        .package
        .map_or_else(Default::default, |package| (package.name, package.interfaces));
    match name.parse::<PackageId>() {
        Ok(named) if named == *id || (named.package == id.package && named.version.is_none()) => {
            Ok((named, interfaces))
        }
        _ => Err(
            CliError::no(format!("what the registry has as {id} calls itself {name:?}"))
                .hint("whoever published it has to publish it under its own name and version"),
        ),
    }
}
