//! What somebody wants to see before an artifact is used: rules for registries, namespaces and repositories.
//!
//! The rule with the longest scope that an artifact is in is the one that counts, and it alone. A rule is satisfied when all that it asks
//! for is there; what is there beside it says nothing, good or bad.

use std::{fmt, str::FromStr, time::Duration};

use wreg_oci::{Host, RepositoryName};

use crate::{
    log::Verifier,
    publication,
    signature::{Identity, PublicKey, TrustRoot},
};

/// What a rule is for: everything, a registry, or what is at or below a path of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    host: Option<Host>,
    path: String,
}

impl Scope {
    /// All of a registry.
    pub fn registry(host: Host) -> Self {
        Self {
            host: Some(host),
            path: String::new(),
        }
    }

    /// How well it fits: more for a longer one. `None` if the repository is not in it.
    pub fn fit(&self, host: &Host, repository: &RepositoryName) -> Option<usize> {
        let Some(own) = &self.host else { return Some(0) };
        if own != host {
            return None;
        }
        let rest = repository.as_str().strip_prefix(&*self.path)?;
        (self.path.is_empty() || rest.is_empty() || rest.starts_with('/')).then_some(1 + self.path.len())
    }

    /// The registry, if it names one.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            None => f.write_str("*"),
            Some(host) if self.path.is_empty() => write!(f, "{host}"),
            Some(host) => write!(f, "{host}/{}", self.path),
        }
    }
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is *, a registry, or a registry with a namespace or repository: registry.example/acme")]
pub struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text == "*" {
            return Ok(Self {
                host: None,
                path: String::new(),
            });
        }
        let (host, path) = text
            .trim_end_matches('/')
            .split_once('/')
            .unwrap_or((text.trim_end_matches('/'), ""));
        let is_path = path.is_empty() || path.parse::<RepositoryName>().is_ok();
        let host = host.parse().map_err(|_| InvalidScope)?;
        is_path
            .then(|| Self {
                host: Some(host),
                path: path.to_owned(),
            })
            .ok_or(InvalidScope)
    }
}

/// What happens where a rule is not satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// The artifact is not used.
    #[default]
    Refuse,
    /// It is used, with a warning.
    Warn,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is for.
    pub scope: Scope,
    /// What must have been signed: all of it.
    pub require: Vec<Requirement>,
    /// What is asked of the registry's log.
    pub log: Option<LogRule>,
    /// What happens otherwise.
    pub on_failure: OnFailure,
}

/// Something that must have been signed by one of some signers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    /// What kind of thing must be said of the artifact: the type of a predicate. Any will do, if none is given.
    pub predicate_type: Option<String>,
    /// These keys count.
    pub keys: Vec<PublicKey>,
    /// So do those of the registry, as they were pinned.
    pub registry: bool,
    /// So does this identity, by that trust root.
    pub identity: Option<(TrustRoot, Identity)>,
}

/// What is asked of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogRule {
    /// Who checks its checkpoints; the registry's own log as it was pinned, if none is given.
    pub key: Option<Verifier>,
    /// Whether the log itself is asked, beside the proof that comes with the artifact: so that one that was rolled back, or shows others
    /// something else, is noticed.
    pub online: bool,
    /// Witnesses, one of which must have cosigned the checkpoint.
    pub witnesses: Vec<Verifier>,
    /// How old that cosignature may be.
    pub max_age: Option<Duration>,
}

impl Rule {
    /// What who pins a registry's keys wants to see: that it has accepted the version, and that its log says so.
    pub fn pinned(host: Host) -> Self {
        Self {
            scope: Scope::registry(host),
            require: vec![Requirement {
                predicate_type: Some(publication::PREDICATE_TYPE.to_owned()),
                registry: true,
                ..Requirement::default()
            }],
            log: Some(LogRule {
                online: true,
                ..LogRule::default()
            }),
            on_failure: OnFailure::Refuse,
        }
    }

    /// Whether it rests on what was pinned of the registry.
    pub fn needs_pin(&self) -> bool {
        self.require.iter().any(|one| one.registry) || self.log.as_ref().is_some_and(|log| log.key.is_none())
    }
}

/// The rule for a repository: that with the longest scope, of those of one length the first.
pub fn rule_for<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    host: &Host,
    repository: &RepositoryName,
) -> Option<&'r Rule> {
    let mut best: Option<(usize, &Rule)> = None;
    for rule in rules {
        if let Some(fit) = rule.scope.fit(host, repository)
            && best.is_none_or(|(so_far, _)| fit > so_far)
        {
            best = Some((fit, rule));
        }
    }
    best.map(|(_, rule)| rule)
}
