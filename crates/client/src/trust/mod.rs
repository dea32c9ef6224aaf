//! Whether an artifact may be used, by the rules of whoever uses it.
//!
//! A rule is looked up ([`wreg_trust::policy`]), what stands beside the artifact is gathered (`evidence.rs`) and checked (`check.rs`), and the
//! registry's log is asked whether it still says what it said before (`log.rs`). What was learned of a registry (its keys, how long its log
//! was, where its tags were) is kept in a file for each (`memory.rs`): that is what a later lie is measured by.
//!
//! Where no rule says anything of a registry, and it is one that signs, its keys are pinned at the first use; from then on what it holds
//! must be signed by them.

mod check;
mod evidence;
mod log;
mod memory;
mod monitor;
mod policy;

use std::path::PathBuf;

use wreg_oci::{Digest, Host, RepositoryName, Tag};
use wreg_trust::{
    anchors::Anchors,
    policy::{OnFailure, Rule, rule_for},
    signature::PublicKey,
};

pub use self::{
    log::{LogReader, Refuted},
    memory::{Memory, PinnedLog, Pins},
    monitor::{Monitor, Names, Watched},
    policy::{InvalidPolicy, parse_policy},
};
use crate::{Error, Registry};

/// How long a registry may take to sign what has just been pushed, in seconds.
const PATIENCE: u64 = 10;

/// The rules, and where is kept what was learned of registries.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The folder with a file for each registry; without it nothing is pinned, and nothing remembered.
    pub folder: Option<PathBuf>,
}

/// What is to be used.
#[derive(Debug, Clone, Copy)]
pub struct Used<'a> {
    /// The repository that it is from.
    pub repository: &'a RepositoryName,
    /// The tag that it was asked for by, if it was.
    pub tag: Option<&'a Tag>,
    /// The manifest's digest.
    pub digest: &'a Digest,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rule is about it.
    NoRule(NoRule),
    /// All that the rule asks for is there.
    Verified(Report),
    /// Something is missing or wrong.
    Failed(Report),
}

/// Why no rule is about an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRule {
    /// The registry publishes no keys.
    NoKeys,
    /// The registry says that it signs nothing.
    SignsNothing,
    /// The registry's keys could not be asked for, or not be kept.
    Unknown(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The scope of the rule.
    pub scope: String,
    /// What happens where something is missing.
    pub on_failure: OnFailure,
    /// What is proven, in words.
    pub proven: Vec<String>,
    /// What is missing or wrong, in words.
    pub failures: Vec<String>,
    /// What has been pinned or changed with this check, in words.
    pub news: Vec<String>,
}

impl Trust {
    /// Checks an artifact. An error means that it could not be told.
    ///
    /// Dropping the future changes nothing but what has been pinned.
    pub async fn check(&self, registry: &Registry, used: Used<'_>) -> Result<Verdict, Error> {
        let host = registry.host();
        let mut memory = self.recall(host).await?;
        let mut news = Vec::new();
        let written = rule_for(&self.rules, host, used.repository);
        let by_default = Rule::pinned(host.clone());
        let rule = written.unwrap_or(&by_default);
        if rule.needs_pin() && memory.pins.is_none() {
            let pinned = self.pin(registry, &mut memory).await;
            match (pinned, written) {
                (Ok(Ok(())), _) => news.push(pinned_now(host, &memory)),
                (Ok(Err(why)), None) => return Ok(Verdict::NoRule(why)),
                (Err(error), None) => return Ok(Verdict::NoRule(NoRule::Unknown(error.to_string()))),
                // A rule that is written asks for what is not there: that is what the check says.
                (Ok(Err(_)), Some(_)) => {}
                (Err(error), Some(_)) => return Err(error),
            }
        }
        let mut checked = check::check(registry, rule, &mut memory, used).await?;
        if checked.is_early && self.is_published_soon(registry, used).await {
            checked = check::check(registry, rule, &mut memory, used).await?;
        }
        if checked.is_foreign_key && self.extend(registry, &mut memory, &mut news).await? {
            checked = check::check(registry, rule, &mut memory, used).await?;
        }
        let report = Report {
            scope: rule.scope.to_string(),
            on_failure: rule.on_failure,
            proven: checked.proven,
            failures: checked.failures,
            news,
        };
        if report.failures.is_empty() {
            self.remember(host, &memory).await?;
            return Ok(Verdict::Verified(report));
        }
        Ok(Verdict::Failed(report))
    }

    /// What is known of a registry.
    pub async fn recall(&self, host: &Host) -> Result<Memory, Error> {
        match &self.folder {
            Some(folder) => memory::load(folder, host).await,
            None => Ok(Memory::default()),
        }
    }

    /// Keeps it.
    pub async fn remember(&self, host: &Host, memory: &Memory) -> Result<(), Error> {
        match &self.folder {
            Some(folder) => memory::store(folder, host, memory).await,
            None => Ok(()),
        }
    }

    /// Forgets all that is known of a registry. Says whether there was anything.
    pub async fn forget(&self, host: &Host) -> Result<bool, Error> {
        match &self.folder {
            Some(folder) => memory::remove(folder, host).await,
            None => Ok(false),
        }
    }

    /// Pins what a registry says of itself, and keeps it. `Ok(Err)` where there is nothing to pin.
    pub async fn pin(&self, registry: &Registry, memory: &mut Memory) -> Result<Result<(), NoRule>, Error> {
        let anchors = match registry.anchors().await {
            Ok(Some(anchors)) => anchors,
            // Another kind of registry may have anything there.
            Ok(None) | Err(Error::Protocol { .. } | Error::TooLarge { .. }) => return Ok(Err(NoRule::NoKeys)),
            Err(error) => return Err(error),
        };
        if anchors.signing == "off" {
            return Ok(Err(NoRule::SignsNothing));
        }
        memory.pins = Some(Pins::of(&anchors));
        self.remember(registry.host(), memory).await?;
        Ok(Ok(()))
    }

    /// Looks whether the registry has keys that one of the pinned ones announces. Says whether there are new ones.
    async fn extend(&self, registry: &Registry, memory: &mut Memory, news: &mut Vec<String>) -> Result<bool, Error> {
        let Some(pins) = &mut memory.pins else { return Ok(false) };
        let Some(anchors) = registry.anchors().await? else {
            return Ok(false);
        };
        let new = pins.extend(&anchors);
        if new.is_empty() {
            return Ok(false);
        }
        let host = registry.host();
        for key in &new {
            news.push(format!(
                "{host} signs with a new key, {}, which one of those that are pinned has announced",
                key.hint()
            ));
        }
        self.remember(host, memory).await?;
        Ok(true)
    }

    /// Waits for a registry that has not signed yet what was pushed a moment ago. Says whether it has by now.
    async fn is_published_soon(&self, registry: &Registry, used: Used<'_>) -> bool {
        let Some(tag) = used.tag else { return false };
        let state = registry
            .publication(used.repository, &tag.clone().into(), PATIENCE)
            .await;
        state.is_ok_and(|state| state.signed && state.digest == *used.digest)
    }
}

fn pinned_now(host: &Host, memory: &Memory) -> String {
    let keys = memory.pins.iter().flat_map(|pins| &pins.keys);
    let hints: Vec<_> = keys
        .filter_map(|pem| pem.parse::<PublicKey>().ok())
        .map(|key| key.hint())
        .collect();
    format!(
        "the keys of {host} are pinned from now on, as it says them at the first use: {}",
        hints.join(", ")
    )
}

/// How what a registry says of itself now stands to what was pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// It is the same.
    Same,
    /// It has new keys, which those that were pinned announce.
    Extended(Vec<PublicKey>),
    /// Something has changed that nothing announces, in words.
    Changed(String),
}

impl Pins {
    /// Compares, and takes up what is announced.
    pub fn compare(&mut self, anchors: &Anchors) -> Compared {
        let log = anchors.log.as_ref().map(|log| &log.key);
        if let Some(own) = &self.log
            && log != Some(&own.key)
        {
            return Compared::Changed("its log has another key than the one that was pinned, or none".to_owned());
        }
        let new = self.extend(anchors);
        let known = self.public_keys();
        let active = anchors
            .keys
            .iter()
            .find(|key| key.state == wreg_trust::anchors::KeyState::Active);
        match active {
            Some(active) if !known.contains(&active.key) => Compared::Changed(format!(
                "it signs with the key {} now, which none of those that were pinned announces",
                active.key.hint()
            )),
            _ if new.is_empty() => Compared::Same,
            _ => Compared::Extended(new),
        }
    }
}
