//! The results of `wreg namespace`, `search`, `versions`, `yank`, `deprecate` and `show`: what the registry understands.

use std::fmt;

use serde::Serialize;
use wreg_api::{Component, ComponentFinding, Found, Marks, Namespace, TagHistory, VersionList};
use wreg_component::Analysis;
use wreg_oci::{Digest, Host, Reference};
use wreg_trust::signature::PublicKey;

use super::{
    text::{count, field, one_line, plain, size, time},
    wasm::Wasm,
};

/// The result of `wreg namespace list`.
#[derive(Debug, Serialize)]
pub(crate) struct Namespaces {
    pub(crate) registry: String,
    pub(crate) namespaces: Vec<NamespaceShown>,
}

/// One namespace: the result of `wreg namespace show` and `set`.
#[derive(Debug, Serialize)]
pub(crate) struct NamespaceShown {
    /// `host/namespace`.
    pub(crate) namespace: String,
    pub(crate) components: &'static str,
    pub(crate) versions: &'static str,
    pub(crate) compatibility: &'static str,
    pub(crate) signing: &'static str,
    pub(crate) pull: &'static str,
    /// Public keys in PEM, and the word `registry`.
    pub(crate) signers: Vec<String>,
    pub(crate) repositories: u64,
}

impl NamespaceShown {
    pub(crate) fn new(host: &Host, namespace: &Namespace) -> Self {
        Self {
            namespace: format!("{host}/{}", namespace.name),
            components: namespace.components.as_str(),
            versions: namespace.versions.as_str(),
            compatibility: namespace.compatibility.as_str(),
            signing: namespace.signing.as_str(),
            pull: namespace.pull.as_str(),
            signers: namespace.signers.clone(),
            repositories: namespace.repositories,
        }
    }
}

impl fmt::Display for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .namespaces
            .iter()
            .map(|shown| shown.namespace.len())
            .max()
            .unwrap_or_default();
        self.namespaces.iter().try_for_each(|shown| {
            writeln!(
                f,
                "{:width$}  components {:7}  versions {:4}  compatibility {:7}  {}",
                shown.namespace,
                shown.components,
                shown.versions,
                shown.compatibility,
                match shown.repositories {
                    1 => "1 repository".to_owned(),
                    number => format!("{number} repositories"),
                }
            )
        })
    }
}

impl fmt::Display for NamespaceShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.namespace)?;
        for (label, text) in [
            ("components", self.components.to_owned()),
            ("versions", self.versions.to_owned()),
            ("compatibility", self.compatibility.to_owned()),
            ("signing", self.signing.to_owned()),
            ("pull", self.pull.to_owned()),
            ("repositories", self.repositories.to_string()),
        ] {
            field(f, &format!("{label:15}"), [text])?;
        }
        // A key by what bundles name it by.
        let shown = |signer: &String| match signer.parse::<PublicKey>() {
            Ok(key) => key.hint(),
            Err(_) => one_line(&plain(signer)).to_string(),
        };
        field(f, &format!("{:15}", "signers"), self.signers.iter().map(shown))
    }
}

/// The result of `wreg search`.
#[derive(Debug, Serialize)]
pub(crate) struct SearchResults {
    pub(crate) registry: String,
    pub(crate) components: Vec<FoundShown>,
}

/// One component that was found.
#[derive(Debug, Serialize)]
pub(crate) struct FoundShown {
    /// `host/repository:tag`.
    pub(crate) reference: String,
    #[serde(flatten)]
    pub(crate) found: Found,
}

impl FoundShown {
    pub(crate) fn new(host: &Host, found: &Found) -> Self {
        Self {
            reference: format!("{host}/{}:{}", found.repository, found.tag),
            found: found.clone(),
        }
    }
}

impl fmt::Display for SearchResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .components
            .iter()
            .map(|shown| shown.reference.len())
            .max()
            .unwrap_or_default();
        self.components.iter().try_for_each(|shown| {
            let description = shown.found.description.as_deref().unwrap_or_default();
            let line = format!(
                "{:width$}  {:11}  {:>9}  {}",
                shown.reference,
                plain(&shown.found.kind),
                size(shown.found.size),
                one_line(&plain(description))
            );
            writeln!(f, "{}", line.trim_end())
        })
    }
}

/// The result of `wreg versions`.
#[derive(Debug, Serialize)]
pub(crate) struct Versions {
    /// `host/repository`.
    pub(crate) repository: String,
    pub(crate) versions: Vec<VersionShown>,
}

/// One version.
#[derive(Debug, Serialize)]
pub(crate) struct VersionShown {
    pub(crate) version: String,
    pub(crate) tag: String,
    pub(crate) digest: Digest,
    /// RFC 3339.
    pub(crate) created: String,
    /// Of its WebAssembly, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    #[serde(flatten)]
    pub(crate) marks: Marks,
}

impl Versions {
    pub(crate) fn new(host: &Host, list: VersionList) -> Self {
        let shown = list.versions.into_iter().map(|version| VersionShown {
            version: version.version.to_string(),
            tag: version.tag.to_string(),
            digest: version.digest,
            created: time(version.created_at),
            size: version.size,
            marks: version.marks,
        });
        Self {
            repository: format!("{host}/{}", list.repository),
            versions: shown.collect(),
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .versions
            .iter()
            .map(|shown| shown.version.len())
            .max()
            .unwrap_or_default();
        self.versions.iter().try_for_each(|shown| {
            let marks = [
                shown.marks.yanked.as_ref().map(|_| "yanked"),
                shown.marks.deprecated.as_ref().map(|_| "deprecated"),
                (!shown.marks.advisories.is_empty()).then_some("advisory"),
            ];
            let marks: Vec<_> = marks.into_iter().flatten().collect();
            writeln!(
                f,
                "{:width$}  {}  {:>9}  {:10}  {}",
                shown.version,
                shown.created.get(..10).unwrap_or_default(),
                shown.size.map(size).unwrap_or_default(),
                marks.join(","),
                shown.digest
            )
        })
    }
}

/// The result of `wreg yank` and `wreg deprecate`.
#[derive(Debug, Serialize)]
pub(crate) struct Marked {
    pub(crate) reference: String,
    #[serde(flatten)]
    pub(crate) marks: Marks,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)?;
        let warnings = self.marks.warnings();
        if warnings.is_empty() {
            return writeln!(f, "  nothing is said of it");
        }
        warnings
            .iter()
            .try_for_each(|warning| writeln!(f, "  {}", one_line(&plain(warning))))
    }
}

/// The result of `wreg show`.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// `host/repository@digest`.
    pub(crate) reference: String,
    pub(crate) layout: &'static str,
    pub(crate) layer: Digest,
    /// Of the layer, in bytes.
    pub(crate) size: u64,
    /// `pending`, `analysed`, `invalid` or `failed`.
    pub(crate) state: &'static str,
    /// What it is, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wasm: Option<Wasm>,
    /// Everything that the registry derived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) analysis: Option<Analysis>,
    pub(crate) findings: Vec<ComponentFinding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<TagHistory>,
}

impl Shown {
    pub(crate) fn new(
        reference: &Reference,
        component: Component,
        history: Option<TagHistory>,
    ) -> Result<Self, serde_json::Error> {
        let analysis: Option<Analysis> = component
            .analysis
            .map(|analysis| serde_json::from_str(analysis.get()))
            .transpose()?;
        Ok(Self {
            reference: reference.at(component.digest).to_string(),
            layout: component.layout.as_str(),
            layer: component.layer,
            size: component.size,
            state: component.state.as_str(),
            wasm: analysis.as_ref().map(|analysis| Wasm::from_bytes(&analysis.inspection)),
            analysis,
            findings: component.findings,
            history,
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)?;
        field(f, "layout", [self.layout])?;
        field(f, "layer", [format!("{}, {}", self.layer, size(self.size))])?;
        if self.state != "analysed" {
            field(f, "state", [self.state])?;
        }
        if let Some(wasm) = &self.wasm {
            write!(f, "{wasm}")?;
        }
        if let Some(analysis) = &self.analysis {
            if analysis.modules.len() > 1 {
                field(f, "modules", [count(analysis.modules.len() as u64, "core module")])?;
            }
            if !analysis.dependencies.is_empty() {
                let number = analysis.dependencies.len() as u64;
                field(f, "made from", [format!("{} that it names", count(number, "package"))])?;
            }
        }
        let findings = self.findings.iter().map(|finding| plain(&finding.message).into_owned());
        field(f, "findings", findings)?;
        let changes = self.history.iter().flat_map(|history| &history.changes);
        let changes = changes.map(|change| match (&change.from, &change.to) {
            (_, Some(to)) => format!("{}  {to}", time(change.at)),
            (_, None) => format!("{}  deleted", time(change.at)),
        });
        field(f, "history", changes)
    }
}
