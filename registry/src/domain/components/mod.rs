//! WebAssembly: looked into when it is pushed, whoever pushes it and with what.

mod analyses;
mod compat;
mod findings;
mod index;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use tokio::time::timeout;
use wreg_api::{
    Component, ComponentFinding, ComponentFindingCode, ComponentState, MissingReferences, Policy, Versions,
};
use wreg_oci::{Digest, Manifest, RepositoryName, Tag, TagOrDigest, WasmLayer, wasm::WasmConfig};

use self::findings::{Config, Examined};
use super::{Error, Registry, Result, blobs::BlobBytes};
use crate::{
    analyser::Outcome,
    auth::{
        Permit,
        permit::{CatalogPermit, Pull, Push},
    },
    metadata::components::{AnalysisState, NewComponent},
};

pub(crate) use analyses::Analyses;
pub(super) use analyses::outcome;
pub(super) use index::split;

/// How long a push waits for what an analysis says, where it is only to be told.
const PATIENCE: Duration = Duration::from_millis(150);

/// How long a push that is to be refused if the layer is not valid waits for that to be found out, others' turns included.
const LONG_PATIENCE: Duration = Duration::from_mins(2);

/// How long a job is left to the push that it comes from, in milliseconds.
const HEAD_START: i64 = 10_000;

/// The largest config that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// What is asked of an artifact, and what was found about it before it is stored.
#[derive(Default)]
pub(super) struct Admission {
    /// The WebAssembly in it, if there is some.
    pub(super) component: Option<NewComponent>,
    /// Whether tags that are versions are written once.
    pub(super) versions_stay: bool,
    /// What is not as it should be, as far as it is known and wanted to be told.
    pub(super) findings: Vec<ComponentFinding>,
}

impl Registry {
    /// Looks at an artifact before it is stored. Refused is what the policy refuses.
    pub(super) async fn admit(
        &self,
        permit: &Permit<Push>,
        sees: &CatalogPermit,
        manifest: &Manifest,
        tags: &[Tag],
    ) -> Result<Admission> {
        let wasm = WasmLayer::find(manifest);
        // Where nothing depends on the policies they are not asked for.
        let are_versions = tags.iter().any(|tag| wreg_oci::version::of_tag(tag).is_some());
        if wasm.is_none() && !are_versions {
            return Ok(Admission::default());
        }
        let repository = permit.repository();
        let policies = self.metadata.find_policies(repository).await?;
        let versions_stay = match policies.versions {
            Versions::Free => false,
            Versions::Wasm => wasm.is_some(),
            Versions::All => true,
        };
        let Some(wasm) = wasm else {
            return Ok(Admission {
                versions_stay,
                ..Admission::default()
            });
        };
        let mut component = NewComponent::from(wasm);
        let waits = if are_versions {
            stricter(policies.components, policies.compatibility)
        } else {
            policies.components
        };
        let outcome = self.look_into(repository, &mut component, waits).await?;
        let mut findings = if policies.components == Policy::Off {
            Vec::new()
        } else {
            let config = self.read_config(repository, &wasm).await?;
            let examined = Examined {
                repository,
                tags,
                annotations: &manifest.annotations,
                layer: &wasm.layer.digest,
                config: &config,
            };
            findings::findings(&examined, outcome.as_deref())
        };
        if policies.components == Policy::Enforce && !findings.is_empty() {
            return Err(Error::ComponentRefused(findings));
        }
        if policies.compatibility != Policy::Off && outcome.is_some() {
            let mut broken = Vec::new();
            for tag in tags {
                broken.extend(self.breaks(sees, repository, tag, &component.layer).await?);
            }
            if policies.compatibility == Policy::Enforce && !broken.is_empty() {
                return Err(Error::ComponentRefused(broken));
            }
            findings.extend(broken);
        }
        Ok(Admission {
            component: Some(component),
            versions_stay,
            findings,
        })
    }

    /// The outcome of the analysis, as far as the policy waits for it.
    async fn look_into(
        &self,
        repository: &RepositoryName,
        component: &mut NewComponent,
        policy: Policy,
    ) -> Result<Option<Arc<Outcome>>> {
        if let Some(outcome) = self.known_outcome(&component.layer).await? {
            return Ok(Some(outcome));
        }
        if policy == Policy::Off {
            return Ok(None);
        }
        if self.metadata.find_blob(repository, &component.layer).await?.is_none() {
            // What is not there cannot be looked into, and the manifest is refused for that; unless the repository takes sparse ones.
            let settings = self.metadata.find_settings(repository).await?;
            let is_sparse = settings.unwrap_or(self.defaults).missing_references == MissingReferences::Accept;
            return Ok(is_sparse.then(|| Arc::new(Outcome::Failed("the repository does not hold it".to_owned()))));
        }
        let Some(verdict) = self.analyse(repository, &component.layer) else {
            return match policy {
                Policy::Enforce => Err(Error::Unavailable("too many components wait to be analysed".into())),
                Policy::Warn | Policy::Off => Ok(None),
            };
        };
        component.head_start = HEAD_START;
        if policy == Policy::Warn {
            let verdict = timeout(PATIENCE, verdict).await;
            return Ok(verdict.ok().and_then(Result::ok));
        }
        match timeout(LONG_PATIENCE, verdict).await {
            Ok(Ok(outcome)) => Ok(Some(outcome)),
            Ok(Err(why)) => Err(Error::Unavailable(why.into())),
            Err(_) => Err(Error::Unavailable("the analysis takes too long".into())),
        }
    }

    async fn read_config(&self, repository: &RepositoryName, wasm: &WasmLayer<'_>) -> Result<Config> {
        match wasm.config.filter(|_| wasm.has_wasm_config()) {
            Some(config) => self.config(repository, &config.digest).await,
            None => Ok(Config::Other),
        }
    }

    async fn config(&self, repository: &RepositoryName, digest: &Digest) -> Result<Config> {
        let Ok(blob) = self.find_blob(repository, digest).await else {
            return Ok(Config::Unreadable("the repository does not hold it".to_owned()));
        };
        if blob.size() > MAX_CONFIG {
            return Ok(Config::Unreadable(format!("it has more than {MAX_CONFIG} bytes")));
        }
        let mut bytes = Vec::new();
        match self.read_blob(&blob, 0..blob.size()).await? {
            BlobBytes::Whole(all) => bytes.extend_from_slice(&all),
            BlobBytes::Stream(mut stream) => {
                while let Some(piece) = stream.next().await {
                    bytes.extend_from_slice(&piece.map_err(Error::Unavailable)?);
                }
            }
        }
        Ok(match serde_json::from_slice::<WasmConfig>(&bytes) {
            Ok(config) => Config::Wasm(Box::new(config)),
            Err(error) => Config::Unreadable(error.to_string()),
        })
    }

    /// A Wasm artifact, with what is known of it and what is not as it should be.
    pub async fn get_component(
        &self,
        permit: &Permit<Pull>,
        sees: &CatalogPermit,
        selector: &TagOrDigest,
    ) -> Result<Component> {
        let repository = permit.repository();
        let manifest = self.get_manifest(permit, selector).await?;
        let by_digest = TagOrDigest::Digest(manifest.digest.clone());
        let found = self.metadata.find_component(repository, &by_digest).await?;
        let found = found.ok_or_else(|| Error::NotWasm(selector.clone()))?;
        let parsed = Manifest::parse(&manifest.content, &manifest.media_type)?;
        let config = match WasmLayer::find(&parsed) {
            Some(wasm) => self.read_config(repository, &wasm).await?,
            None => Config::Other,
        };
        let tags = match selector {
            TagOrDigest::Tag(tag) => std::slice::from_ref(tag),
            TagOrDigest::Digest(_) => &[],
        };
        let analysis = (found.analysis.state == AnalysisState::Analysed)
            .then(|| serde_json::from_str(&found.analysis.document))
            .transpose()
            .map_err(|error| Error::Unavailable(error.into()))?;
        let state = found.analysis.state;
        let outcome = match state {
            AnalysisState::Pending => None,
            _ => Some(analyses::outcome(&found.analysis)?),
        };
        let examined = Examined {
            repository,
            tags,
            annotations: &parsed.annotations,
            layer: &found.layer,
            config: &config,
        };
        let mut findings = findings::findings(&examined, outcome.as_ref());
        for tag in tags {
            findings.extend(self.breaks(sees, repository, tag, &found.layer).await?);
        }
        let advisories = self.advisories_about(&manifest).await;
        findings.extend(advisories.iter().map(|advisory| ComponentFinding {
            code: ComponentFindingCode::Advisory,
            message: advisory.clone(),
            offset: None,
        }));
        Ok(Component {
            repository: repository.clone(),
            digest: found.manifest,
            layout: found.layout,
            size: found.size,
            state: match state {
                AnalysisState::Pending => ComponentState::Pending,
                AnalysisState::Analysed => ComponentState::Analysed,
                AnalysisState::Invalid => ComponentState::Invalid,
                AnalysisState::Failed => ComponentState::Failed,
            },
            analysis,
            findings,
            layer: found.layer,
        })
    }

    /// The WIT text of a Wasm artifact.
    pub async fn get_wit(&self, permit: &Permit<Pull>, selector: &TagOrDigest) -> Result<String> {
        let found = self.metadata.find_component(permit.repository(), selector).await?;
        let found = found.ok_or_else(|| Error::NotWasm(selector.clone()))?;
        let record = self.metadata.find_analysis(&found.layer, 0).await?;
        let wit = record.and_then(|record| record.wit);
        let wit: Option<wreg_component::Wit> = wit
            .map(|wit| serde_json::from_str(&wit))
            .transpose()
            .map_err(|error| Error::Unavailable(error.into()))?;
        wit.map(|wit| wit.text).ok_or_else(|| Error::NoWit(selector.clone()))
    }
}

/// The stricter of two policies.
fn stricter(a: Policy, b: Policy) -> Policy {
    match (a, b) {
        (Policy::Enforce, _) | (_, Policy::Enforce) => Policy::Enforce,
        (Policy::Warn, _) | (_, Policy::Warn) => Policy::Warn,
        (Policy::Off, Policy::Off) => Policy::Off,
    }
}
