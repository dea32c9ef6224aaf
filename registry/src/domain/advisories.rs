//! Advisories about what components are made from: told to whoever pulls one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use quick_cache::sync::Cache;
use serde::Deserialize;
use wreg_component::{
    Dependency, DependencyKind,
    advisories::{Advisory, Affects},
};
use wreg_oci::{Digest, Manifest, WasmLayer};

use super::{Registry, Result, error::with_sources};
use crate::metadata::{components::AnalysisState, manifests::ManifestRecord};

/// Of how many manifests it is kept what is to be told.
const MANIFESTS: usize = 4_096;
/// How many advisories are told of a component.
const MAX_TOLD: usize = 20;

/// What is to be told of a manifest.
type Told = Arc<[String]>;

/// The advisories that this server knows. They change while it runs.
#[derive(Default)]
pub(crate) struct Advisories {
    current: RwLock<Option<Arc<Known>>>,
    /// Whether there are some: where there never are, a pull takes no lock for them.
    any: AtomicBool,
}

/// Those of one reading of the database of advisories.
struct Known {
    by_package: HashMap<String, Vec<Arc<Advisory>>>,
    /// By the manifest, since no more than its bytes and those of its layer decide about it. What is kept goes when the advisories change.
    told: Cache<Digest, Told>,
}

/// What the analysis of a layer says of packages.
#[derive(Deserialize)]
struct Listed {
    dependencies: Vec<Dependency>,
}

impl Advisories {
    /// Takes these from now on.
    pub(crate) fn replace(&self, advisories: impl IntoIterator<Item = Advisory>) {
        let mut by_package: HashMap<String, Vec<Arc<Advisory>>> = HashMap::new();
        for advisory in advisories.into_iter().map(Arc::new) {
            for package in advisory.packages().collect::<BTreeSet<_>>() {
                by_package
                    .entry(package.to_owned())
                    .or_default()
                    .push(Arc::clone(&advisory));
            }
        }
        let known = Known {
            by_package,
            told: Cache::new(MANIFESTS),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(known));
        self.any.store(true, Ordering::Release);
    }

    fn known(&self) -> Option<Arc<Known>> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    /// In sentences, sorted. What only helped to build a component is none of those who use it.
    fn about(&self, dependencies: &[Dependency]) -> Told {
        let mut told = BTreeSet::new();
        let parts = dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Runtime);
        for dependency in parts {
            for advisory in self.by_package.get(&dependency.name).into_iter().flatten() {
                if let Affects::Yes(fixed) = advisory.affects(dependency) {
                    told.insert(sentence(advisory, dependency, fixed));
                }
            }
        }
        let more = told.len().saturating_sub(MAX_TOLD);
        let rest = (more > 0).then(|| format!("{more} more advisories are about what it is made from"));
        told.into_iter().take(MAX_TOLD).chain(rest).collect()
    }
}

/// `RUSTSEC-2021-0001: mdbook 0.4.4: XSS in mdBook's search page (fixed in >= 0.4.5)`
fn sentence(advisory: &Advisory, dependency: &Dependency, fixed: &[String]) -> String {
    let Dependency { name, version, .. } = dependency;
    let fixed = match fixed {
        [] => String::new(),
        fixed => format!(" (fixed in {})", fixed.join(" or ")),
    };
    format!("{}: {name} {version}: {}{fixed}", advisory.id, advisory.title)
}

impl Registry {
    /// Takes these advisories from now on.
    pub(crate) fn replace_advisories(&self, advisories: impl IntoIterator<Item = Advisory>) {
        self.advisories.replace(advisories);
    }

    /// What is known against the packages that a component was made from, in sentences. Nothing where there are no advisories, it is no
    /// component, or nobody has looked into it yet; nor where that cannot be found out, which is logged: a pull does not fail for it.
    pub async fn advisories_about(&self, manifest: &ManifestRecord) -> Told {
        let Some(known) = self.advisories.known() else {
            return Told::default();
        };
        if let Some(told) = known.told.get(&manifest.digest) {
            return told;
        }
        match self.find_advisories(&known, manifest).await {
            Ok(Some(told)) => {
                known.told.insert(manifest.digest.clone(), Arc::clone(&told));
                told
            }
            Ok(None) => Told::default(),
            Err(error) => {
                let error = with_sources(&error);
                tracing::warn!(manifest = %manifest.digest, error, "it could not be found out which advisories are about it");
                Told::default()
            }
        }
    }

    /// `None` if it is not known yet.
    async fn find_advisories(&self, known: &Known, manifest: &ManifestRecord) -> Result<Option<Told>> {
        let parsed = Manifest::parse(&manifest.content, &manifest.media_type)?;
        let Some(wasm) = WasmLayer::find(&parsed) else {
            return Ok(Some(Told::default()));
        };
        let Some(record) = self.metadata.find_analysis(&wasm.layer.digest, 0).await? else {
            return Ok(None);
        };
        match record.state {
            AnalysisState::Pending => Ok(None),
            AnalysisState::Invalid | AnalysisState::Failed => Ok(Some(Told::default())),
            AnalysisState::Analysed => {
                let listed: Listed =
                    serde_json::from_str(&record.document).map_err(|error| super::Error::Unavailable(error.into()))?;
                Ok(Some(known.about(&listed.dependencies)))
            }
        }
    }
}
