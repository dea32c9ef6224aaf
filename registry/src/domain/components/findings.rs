//! What is not as it should be about a Wasm artifact.

use wreg_api::{ComponentFinding, ComponentFindingCode as Code};
use wreg_component::{Analysis, Kind, contradictions};
use wreg_oci::{Digest, RepositoryName, Tag, version, wasm::WasmConfig};

use crate::analyser::Outcome;

/// The annotation in which an artifact says its version.
const VERSION: &str = "org.opencontainers.image.version";

/// The config of an artifact, as far as it is the CNCF's.
pub(super) enum Config {
    Wasm(Box<WasmConfig>),
    Unreadable(String),
    Other,
}

/// A Wasm artifact, and where it is put.
pub(super) struct Examined<'a> {
    pub(super) repository: &'a RepositoryName,
    pub(super) tags: &'a [Tag],
    pub(super) annotations: &'a wreg_oci::Annotations,
    pub(super) layer: &'a Digest,
    pub(super) config: &'a Config,
}

/// All that is found. `None` for an outcome: it is not known yet, and only what needs none is found.
pub(super) fn findings(examined: &Examined<'_>, outcome: Option<&Outcome>) -> Vec<ComponentFinding> {
    let mut found = Vec::new();
    let analysis = match outcome {
        Some(Outcome::Analysed(analysis)) => Some(&**analysis),
        Some(Outcome::Invalid(invalid)) => {
            let mut finding = finding(
                Code::InvalidWasm,
                format!("the layer is not valid WebAssembly: {invalid}"),
            );
            finding.offset = invalid.offset;
            found.push(finding);
            None
        }
        Some(Outcome::Failed(why)) => {
            found.push(finding(Code::NotAnalysed, format!("the layer was not analysed: {why}")));
            None
        }
        None => None,
    };
    match examined.config {
        Config::Wasm(config) => {
            let inspection = analysis.map(|analysis| &analysis.inspection);
            let all = contradictions(config, examined.layer, inspection).into_iter();
            found.extend(all.map(|message| finding(Code::ConfigDiffers, message)));
        }
        Config::Unreadable(why) => found.push(finding(
            Code::ConfigDiffers,
            format!("the config cannot be read: {why}"),
        )),
        Config::Other => {}
    }
    if let Some(analysis) = analysis {
        found.extend(other_package(examined.repository, analysis));
    }
    found.extend(other_version(examined, analysis));
    found
}

fn finding(code: Code, message: String) -> ComponentFinding {
    ComponentFinding {
        code,
        message,
        offset: None,
    }
}

/// The name of the WIT package that it is, without its version, and the version.
fn package(analysis: &Analysis) -> Option<(&str, Option<&str>)> {
    let package = analysis
        .inspection
        .package
        .as_ref()
        .filter(|_| analysis.inspection.kind == Kind::WitPackage)?;
    Some(match package.name.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (&package.name, None),
    })
}

fn other_package(repository: &RepositoryName, analysis: &Analysis) -> Option<ComponentFinding> {
    let (name, _) = package(analysis)?;
    let fits = name.replacen(':', "/", 1);
    // Whoever mirrors packages puts them below a name of their own.
    let is_it = |whole: &str| whole == fits || whole.strip_suffix(&fits).is_some_and(|before| before.ends_with('/'));
    (!is_it(repository.as_str())).then(|| {
        let message = format!("it is the WIT package {name}, which belongs into a repository {fits}");
        finding(Code::PackageDiffers, message)
    })
}

fn other_version(examined: &Examined<'_>, analysis: Option<&Analysis>) -> Option<ComponentFinding> {
    let says = [
        (
            "the WIT package",
            analysis.and_then(package).and_then(|(_, version)| version),
        ),
        ("the annotation", examined.annotations.get(VERSION).map(String::as_str)),
        (
            "the binary",
            analysis.and_then(|analysis| analysis.inspection.metadata.version.as_deref()),
        ),
    ];
    let versions = examined
        .tags
        .iter()
        .filter_map(|tag| Some((tag, version::of_tag(tag)?)));
    for (tag, version) in versions {
        for (who, says) in says {
            let Some(said) = says.and_then(|says| says.trim().trim_start_matches('v').parse::<semver::Version>().ok())
            else {
                continue;
            };
            if said != version {
                let message = format!("it is tagged {tag}, and {who} says that it is version {said}");
                return Some(finding(Code::VersionDiffers, message));
            }
        }
    }
    None
}
