//! The gate of a namespace: what is pulled from it must be signed by those whom it names, whatever the client is and checks itself.
//!
//! Manifests are behind it, and nothing else: whoever knows the digest of a blob and may pull can read the blob, as can whoever pushes read
//! the manifest, to sign it. What is attached to a manifest is not behind it either, or nobody could read the signatures. A signature counts
//! wherever it was made: it is about a digest.
//!
//! Where nothing is asked for, which is the rule, a pull costs no query: what a namespace asks is kept for a second, and until this
//! server changes it. That something is signed is kept too, since it stays true; that it is not is found out anew each time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use wreg_api::Policy;
use wreg_oci::{Digest, Manifest, MediaType, RepositoryName, TagOrDigest, manifest::Content, name::Namespace};
use wreg_trust::{anchors::KeyState, signature::PublicKey};

use super::{Error, Registry, Result, error::with_sources, signed::Looked};
use crate::{
    auth::{Permit, permit::Pull},
    metadata::{manifests::ManifestRecord, signers::Signer},
};

/// How long it counts what a namespace was found to ask: another server may have changed it.
const LIFETIME: Duration = Duration::from_secs(1);
/// Of how many namespaces it is kept what they ask.
const NAMESPACES: usize = 4_096;
/// Of how many manifests it is kept that they are signed, or that it was told that they are not.
const MANIFESTS: usize = 16_384;
/// How many manifests are looked for signatures of at a time: it takes memory, and whoever may push can make it take long.
const TOGETHER: usize = 4;

/// A manifest that may be pulled.
#[derive(Debug)]
pub struct Pulled {
    /// The manifest.
    pub manifest: Arc<ManifestRecord>,
    /// What is to be told of it, where the namespace only warns.
    pub unsigned: Option<Unsigned>,
}

/// A manifest that none of those has signed who are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The manifest.
    pub digest: Digest,
    namespace: Namespace,
    looked: Looked,
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, namespace, .. } = self;
        let Looked { found, left, .. } = self.looked;
        match found {
            0 => write!(f, "{digest} is not signed at all")?,
            found => write!(
                f,
                "of what is signed beside {digest} ({found}) nothing is a signature by one who counts"
            )?,
        }
        if left {
            f.write_str(" (there is more than is looked at)")?;
        }
        write!(
            f,
            ", and the namespace {namespace} asks for a signature of one of its signers"
        )
    }
}

/// What a namespace asks, ready to be checked.
pub(super) struct Rule {
    policy: Policy,
    /// Whose signatures count.
    pub(super) keys: Vec<PublicKey>,
    /// Tells one set of keys from another.
    fingerprint: Digest,
}

#[derive(Clone)]
struct Known {
    /// None where nothing is asked.
    rule: Option<Arc<Rule>>,
    generation: u64,
    read: Instant,
}

/// A manifest in a repository, and a set of keys.
type Question = (RepositoryName, Digest, Digest);

/// What is known of namespaces and manifests.
pub(super) struct PullGate {
    /// What was read before the last change that this server made is void.
    generation: AtomicU64,
    rules: Cache<Namespace, Known>,
    signed: Cache<Question, ()>,
    told: Cache<Question, ()>,
    places: Semaphore,
}

impl Default for PullGate {
    fn default() -> Self {
        Self {
            generation: AtomicU64::new(0),
            rules: Cache::new(NAMESPACES),
            signed: Cache::new(MANIFESTS),
            told: Cache::new(MANIFESTS),
            places: Semaphore::new(TOGETHER),
        }
    }
}

impl PullGate {
    /// Forgets what namespaces ask: something of it was changed.
    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    fn known(&self, namespace: &Namespace) -> Option<Known> {
        let known = self.rules.get(namespace)?;
        let counts = known.generation == self.generation.load(Ordering::SeqCst) && known.read.elapsed() < LIFETIME;
        counts.then_some(known)
    }
}

impl Registry {
    /// The manifest that a tag or digest selects (end-3), if it may be pulled.
    pub async fn pull_manifest(&self, permit: &Permit<Pull>, selector: &TagOrDigest) -> Result<Pulled> {
        let manifest = self.get_manifest(permit, selector).await?;
        let namespace = permit.repository().namespace();
        let rule = match self.gate.known(&namespace) {
            Some(known) => known.rule,
            None => Box::pin(self.read_rule(&namespace)).await?,
        };
        let unsigned = match rule {
            Some(rule) if !permit.may_push() => {
                Box::pin(self.check_pull(permit.repository(), namespace, &rule, selector, &manifest)).await?
            }
            _ => None,
        };
        Ok(Pulled { manifest, unsigned })
    }

    async fn read_rule(&self, namespace: &Namespace) -> Result<Option<Arc<Rule>>> {
        let (generation, read) = (self.gate.generation.load(Ordering::SeqCst), Instant::now());
        let found = self.metadata.find_pull_rule(namespace).await?;
        let rule = if found.policy == Policy::Off {
            None
        } else {
            let keys = self.keys_of(found.signers).await?;
            let hints: Vec<_> = keys.iter().map(PublicKey::hint).collect();
            Some(Arc::new(Rule {
                policy: found.policy,
                keys,
                fingerprint: Digest::sha256(hints.join(" ")),
            }))
        };
        let known = Known {
            rule: rule.clone(),
            generation,
            read,
        };
        self.gate.rules.insert(namespace.clone(), known);
        Ok(rule)
    }

    /// The keys of signers. What the registry's next key signs does not count: it signs nothing yet.
    async fn keys_of(&self, signers: Vec<Signer>) -> Result<Vec<PublicKey>> {
        let mut keys = Vec::new();
        for signer in signers {
            match signer {
                Signer::Key(key) => keys.push(key),
                Signer::Registry => {
                    let own = self.keys.list().await?.into_iter();
                    let own = own.filter(|key| key.state != KeyState::Next);
                    let read = own.map(|key| key.public_key.parse());
                    let read: Result<Vec<PublicKey>, _> = read.collect();
                    keys.extend(read.map_err(|error| Error::Unavailable(error.into()))?);
                }
            }
        }
        Ok(keys)
    }

    /// Refuses what is not signed, or gives what is to be told of it.
    async fn check_pull(
        &self,
        repository: &RepositoryName,
        namespace: Namespace,
        rule: &Arc<Rule>,
        selector: &TagOrDigest,
        manifest: &ManifestRecord,
    ) -> Result<Option<Unsigned>> {
        let question = (repository.clone(), manifest.digest.clone(), rule.fingerprint.clone());
        if self.gate.signed.get(&question).is_some() || is_attachment(selector, manifest) {
            return Ok(None);
        }
        let looked = match self.look(repository, rule, &manifest.digest).await {
            Ok(looked) => looked,
            // A dry run stops nobody.
            Err(error) if rule.policy == Policy::Warn => {
                let error = with_sources(&error);
                tracing::warn!(%repository, digest = %manifest.digest, error, "it could not be found out who has signed a manifest");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if looked.signed {
            self.gate.signed.insert(question, ());
            return Ok(None);
        }
        let unsigned = Unsigned {
            digest: manifest.digest.clone(),
            namespace,
            looked,
        };
        if rule.policy == Policy::Enforce {
            return Err(Error::NotSigned(unsigned.into()));
        }
        if self.gate.told.get(&question).is_none() {
            self.gate.told.insert(question, ());
            tracing::info!(%repository, digest = %unsigned.digest, why = %unsigned, "a manifest was pulled that would be refused if the namespace enforced signatures");
        }
        Ok(Some(unsigned))
    }

    async fn look(&self, repository: &RepositoryName, rule: &Arc<Rule>, digest: &Digest) -> Result<Looked> {
        let place = self.gate.places.acquire().await;
        let _place = place.map_err(|error| Error::Unavailable(error.into()))?;
        self.look_for_signatures(repository, rule, digest).await
    }
}

/// Whether a manifest is given away since it is beside another one, as signatures are: it is asked for in the way of such, and holds
/// nothing that runs. That it names a subject proves nothing: anybody who pushes can write that.
fn is_attachment(selector: &TagOrDigest, manifest: &ManifestRecord) -> bool {
    let Ok(parsed) = Manifest::parse(&manifest.content, &manifest.media_type) else {
        return false;
    };
    let beside = match selector {
        TagOrDigest::Tag(tag) => tag.is_attachment(),
        TagOrDigest::Digest(_) => parsed.subject.is_some(),
    };
    beside && !holds_what_runs(&parsed)
}

/// Whether a config or layer is WebAssembly in any layout, or a layer of a file system, as its type says. An index holds neither: what it lists
/// is asked for by itself.
fn holds_what_runs(manifest: &Manifest) -> bool {
    let Content::Image { config, layers } = &manifest.content else {
        return false;
    };
    let runs = |media_type: &MediaType| {
        let text = media_type.as_str().to_ascii_lowercase();
        ["wasm", "image.layer", "image.rootfs"]
            .iter()
            .any(|part| text.contains(part))
    };
    let artifact_type = manifest.artifact_type.as_ref();
    let types = config.iter().chain(layers).map(|descriptor| &descriptor.media_type);
    types.chain(artifact_type).any(runs)
}
