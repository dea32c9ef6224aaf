//! `wreg add`.

use semver::{Version, VersionReq};

use super::{Verdict, fetch::warn_of_dangling};
use crate::{
    context::Context,
    error::CliError,
    output::{Added, AddedPackage},
    wit::{self, Entry, Keep, LOCK, Lock, MANIFEST, Override, PackageName, Plan, Project, Registries, Wanted, exactly},
};

/// How many interfaces of a package are shown.
const MAX_SHOWN: usize = 5;

/// Add packages to the WIT project in this folder
///
/// Each is looked up in its registry; the highest version that is allowed is fixed in wkg.lock and fetched into wit/deps, so that the
/// text in wit can refer to it. The requirement is written to the table overrides of wkg.toml, where wkg looks for what the text does not say:
/// as it was typed, or exactly the version that was found, since text names exact versions too. Where the text names that very version
/// already, no entry is needed and none is made. Comments and order of wkg.toml stay.
///
/// `wkg fetch` takes the newest version that a requirement allows, whatever wkg.lock says; where both tools are used, exact ones keep
/// them of one mind.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Requirements:
  acme:hello          the newest version; a pre-release only where there is nothing else
  acme:hello@1.2.0    this version and no other
  acme:hello@^1.2     1.2.0 or newer, below 2.0.0; the same is 1.2
  acme:hello@~1.2     1.2.0 or newer, below 1.3.0
  acme:hello@'>=1.2, <1.5'

Output:
  namespace:name@version and the digest of each package that was added, one a line

Examples:
  wreg add acme:hello
  wreg add wasi:http@0.2.6 wasi:cli@0.2.6
  wreg add acme:hello@^1.2")]
pub(crate) struct Args {
    /// The packages: namespace:name, or namespace:name@requirement
    #[arg(required = true, value_name = "PACKAGE", value_parser = parse)]
    packages: Vec<Spec>,
}

/// A package as typed.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    package: PackageName,
    requirement: Option<VersionReq>,
    /// If one version was typed, and no requirement.
    exact: Option<Version>,
}

fn parse(text: &str) -> Result<Spec, String> {
    let (name, requirement) = match text.split_once('@') {
        Some((name, requirement)) => (name, Some(requirement)),
        None => (text, None),
    };
    if name.contains('/') {
        return Err("a dependency is a package, not one of its interfaces: leave out what follows the /".to_owned());
    }
    let package = name.parse().map_err(|invalid| format!("{invalid}"))?;
    let exact = requirement.and_then(|text| Version::parse(text).ok());
    let requirement = match (&exact, requirement) {
        (Some(version), _) => Some(exactly(version)),
        (None, Some(text)) => Some(
            text.parse()
                .map_err(|invalid| format!("{text:?} is no requirement: {invalid}"))?,
        ),
        (None, None) => None,
    };
    Ok(Spec {
        package,
        requirement,
        exact,
    })
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let mut project = Project::read(wit::here())?;
    let registries = Registries::read(&context.config)?;
    let old = Lock::read(&project.folder)?;
    check(&args.packages, &project)?;
    let specs = args.packages.iter().map(|spec| Wanted {
        package: spec.package.clone(),
        requirement: spec.requirement.clone().unwrap_or(VersionReq::STAR),
        exact: spec.exact.clone(),
    });
    let plan = Plan::new(specs.collect(), &registries, old.as_ref(), Keep::Nothing)?;
    let rest = Plan::new(project.wanted()?, &registries, old.as_ref(), Keep::All)?;
    let sources = wit::sources(&[&plan, &rest], context)?;
    let mut added = Vec::new();
    for (spec, resolved) in args.packages.iter().zip(plan.resolve(&sources).await?) {
        let entry = Entry {
            requirement: spec
                .requirement
                .clone()
                .unwrap_or_else(|| exactly(&resolved.entry.version)),
            ..resolved.entry
        };
        if !is_in_text(&entry, &project) {
            project.manifest = project.manifest.with_version(&entry.package, &entry.requirement)?;
        }
        added.push(entry);
    }
    let others = old.iter().flat_map(Lock::entries);
    let others = others.filter(|entry| !added.iter().any(|added| added.package == entry.package));
    let known = Lock::new(others.chain(&added).cloned());
    let resolved = Plan::new(project.wanted()?, &registries, Some(&known), Keep::All)?;
    let resolved = resolved.resolve(&sources).await?;
    let (folder, manifest) = (project.folder.clone(), project.manifest.clone());
    let filled = wit::fill(project, &resolved, &sources, false).await?;
    let is_changed = wit::lock(&resolved).write(&folder, old.as_ref())?;
    manifest.write()?;
    if is_changed {
        context.printer.status(format!("wrote {LOCK}"));
    }
    warn_of_dangling(&filled, context);
    let contents = resolved.iter().zip(&filled.contents);
    let contents: Vec<_> = contents
        .filter(|(resolved, _)| added.contains(&resolved.entry))
        .map(|(resolved, content)| AddedPackage::new(&resolved.entry, content))
        .collect();
    show_imports(&contents, context);
    context.printer.result(&Added { packages: contents })?;
    Ok(Verdict::Yes)
}

fn check(specs: &[Spec], project: &Project) -> Result<(), CliError> {
    for (index, Spec { package, .. }) in specs.iter().enumerate() {
        if specs[..index].iter().any(|other| other.package == *package) {
            return Err(CliError::usage(format!("{package} is named twice")));
        }
        if let Some(Override::Path(path)) = project.manifest.overrides.get(package) {
            return Err(
                CliError::no(format!("{MANIFEST} says that {package} is in {}", path.display())).hint(format!(
                    "remove that entry of {MANIFEST} to use the package of a registry"
                )),
            );
        }
    }
    Ok(())
}

/// Whether the text asks for exactly this already, and the manifest says nothing else.
fn is_in_text(entry: &Entry, project: &Project) -> bool {
    entry.requirement == exactly(&entry.version)
        && !project.manifest.overrides.contains_key(&entry.package)
        && project.references.contains(&entry.package.at(&entry.version))
}

fn show_imports(added: &[AddedPackage], context: &Context) {
    for interfaces in added.iter().map(|package| &package.interfaces) {
        if let [first, rest @ ..] = interfaces.as_slice() {
            let shown: Vec<_> = [first]
                .into_iter()
                .chain(rest)
                .take(MAX_SHOWN)
                .map(|name| format!("import {name};"))
                .collect();
            let more = interfaces.len() - shown.len();
            let more = if more > 0 {
                format!("  and {more} more")
            } else {
                String::new()
            };
            context
                .printer
                .hint(format!("in a world of yours: {}{more}", shown.join(" ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Result<Option<String>, String> {
        parse(text).map(|spec| spec.requirement.map(|requirement| requirement.to_string()))
    }

    #[test]
    fn a_version_is_exactly_that_and_everything_else_a_requirement() {
        for (text, expected) in [
            ("acme:hello", None),
            ("acme:hello@1.2.0", Some("=1.2.0")),
            ("acme:hello@1.2", Some("^1.2")),
            ("acme:hello@^1.2.0", Some("^1.2.0")),
            ("acme:hello@>=1.2, <1.5", Some(">=1.2, <1.5")),
            ("acme:hello@*", Some("*")),
        ] {
            assert_eq!(requirement(text), Ok(expected.map(str::to_owned)), "{text}");
        }
        for text in [
            "acme",
            "acme:hello@",
            "acme:hello@one",
            "wasi:http/types@0.2.0",
            "Acme:hello",
        ] {
            assert!(requirement(text).is_err(), "{text}");
        }
    }
}
