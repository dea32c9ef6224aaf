//! The dependencies of a WIT project, in the files and folders of wkg, so that both tools can take turns in one project.
//!
//! ```text
//! project.rs     wit/*.wit and wkg.toml → what is wanted       manifest.rs  wkg.toml, read and edited
//! registries.rs  which registry a package is of                source.rs    a registry: versions and contents
//! plan.rs        wanted + wkg.lock → what the lock should say  lock.rs      wkg.lock, read and written
//! contents.rs    what the packages are, verified               deps.rs      wit/deps
//! name.rs        names of packages
//! ```
//!
//! A WIT package in binary form carries what it needs of the packages that it refers to. So a lock has entries only for what the
//! project itself refers to; the rest is fixed by their digests, and comes out of their contents into `wit/deps`.
//!
//! Sources: wkg, wasm-pkg-core and wasm-pkg-common 0.16.1. Where they do what cannot be meant, wreg does not: `wkg fetch` 0.16.1
//! empties the lock before it looks into it, so that it takes the newest version each time, and keeps entries that nothing wants.

mod contents;
mod deps;
mod lock;
mod manifest;
mod name;
mod plan;
mod project;
mod registries;
mod source;

use std::path::PathBuf;

use wreg_component::{WitPart, wit_packages};

pub(crate) use self::{
    contents::Content,
    deps::Placed,
    lock::{Entry, LOCK, Lock},
    manifest::{MANIFEST, Override},
    name::{PackageId, PackageName},
    plan::{Keep, Plan, Resolved},
    project::{Project, Wanted, exactly},
    registries::Registries,
    source::Sources,
};
use crate::{context::Context, error::CliError};

/// The folder of the project: the one that the command runs in.
pub(crate) fn here() -> PathBuf {
    PathBuf::from(".")
}

/// The registries that `plans` lead to, for a user who named none of them on the command line.
pub(crate) fn sources<'a>(plans: &[&Plan], context: &'a Context) -> Result<Sources<'a>, CliError> {
    let hosts: Vec<_> = plans.iter().flat_map(|plan| plan.hosts()).collect();
    let client = context.client_with_store(&hosts)?;
    Ok(Sources::new(client, &context.printer))
}

/// The lock that says what was resolved.
pub(crate) fn lock(resolved: &[Resolved]) -> Lock {
    Lock::new(resolved.iter().map(|one| one.entry.clone()))
}

/// Fills `wit/deps` with the packages that were resolved and those on this machine that the project names. Nothing is changed before
/// everything is there, and is sound.
pub(crate) async fn fill(
    project: Project,
    resolved: &[Resolved],
    sources: &Sources<'_>,
    offline: bool,
) -> Result<Filled, CliError> {
    let contents = contents::contents(resolved, sources, offline).await?;
    let filled = tokio::task::spawn_blocking(move || place(&project, contents)).await;
    filled.map_err(|error| CliError::failed("cannot fill wit/deps").because(error))?
}

/// What is in `wit/deps` now.
pub(crate) struct Filled {
    pub(crate) placed: Vec<Placed>,
    pub(crate) contents: Vec<Content>,
    /// What the text refers to, and `wit/deps` does not have.
    pub(crate) dangling: Vec<PackageId>,
}

fn place(project: &Project, contents: Vec<Content>) -> Result<Filled, CliError> {
    let parts = contents.iter().map(|content| WitPart::Binary(&content.bytes));
    let parts: Vec<_> = parts
        .chain(project.local.iter().map(|files| WitPart::Text(files)))
        .collect();
    let packages = wit_packages(&parts).map_err(|invalid| {
        CliError::no(format!(
            "the packages do not go together: {invalid}; nothing was changed"
        ))
    })?;
    let deps = deps::Deps::new(project, packages)?;
    deps.write(&deps.look()?)?;
    let placed = deps.placed();
    let is_placed = |id: &&PackageId| placed.iter().any(|placed| placed.id == **id);
    let dangling = project.references.iter().filter(|id| !is_placed(id)).cloned().collect();
    Ok(Filled {
        placed,
        contents,
        dangling,
    })
}
