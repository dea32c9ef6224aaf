//! The file with the rules.
//!
//! ```toml
//! [[rule]]
//! scope = "registry.example/acme"
//! on-failure = "refuse"                  # or "warn"
//! log = "online"                         # or "proof", "off"; the registry's own, as it was pinned, unless log-key says another
//! witnesses = ["witness.example+…"]      # one of them must have cosigned the log
//! witness-max-age = "24h"
//!
//! [[rule.require]]
//! type = "publish"                       # a word, or the type of a predicate; none: any signature
//! keys = ["registry", "acme.pub"]        # the registry's own keys, and files beside this one, or PEM
//! ```

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use wreg_trust::{
    policy::{LogRule, OnFailure, Requirement, Rule},
    publication,
    signature::{Identity, PublicKey, TrustRoot, statement},
};

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPolicy(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleText {
    scope: String,
    #[serde(default)]
    require: Vec<RequirementText>,
    #[serde(default)]
    log: LogWord,
    log_key: Option<String>,
    #[serde(default)]
    witnesses: Vec<String>,
    witness_max_age: Option<String>,
    #[serde(default)]
    on_failure: FailureWord,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum LogWord {
    #[default]
    Online,
    Proof,
    Off,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum FailureWord {
    #[default]
    Refuse,
    Warn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RequirementText {
    r#type: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    trust_root: Option<PathBuf>,
    identity: Option<String>,
    issuer: Option<String>,
}

/// The rules in the text of a file; files that it names are read from `folder` by `read`.
pub fn parse_policy(
    text: &str,
    folder: &Path,
    read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<Vec<Rule>, InvalidPolicy> {
    let file: File = toml::from_str(text).map_err(|error| InvalidPolicy(error.to_string()))?;
    let read = |name: &Path| {
        let path = folder.join(name);
        read(&path).map_err(|error| InvalidPolicy(format!("{}: {error}", path.display())))
    };
    file.rule.into_iter().map(|rule| rule.parsed(&read)).collect()
}

impl RuleText {
    fn parsed(self, read: &impl Fn(&Path) -> Result<Vec<u8>, InvalidPolicy>) -> Result<Rule, InvalidPolicy> {
        let invalid = |what: &str, error: &dyn std::fmt::Display| {
            InvalidPolicy(format!("the rule for {}: {what}: {error}", self.scope))
        };
        let scope = self.scope.parse().map_err(|error| invalid("scope", &error))?;
        let verifier = |text: &String| text.parse().map_err(|error| invalid(text, &error));
        let log = match self.log {
            LogWord::Off => None,
            LogWord::Online | LogWord::Proof => Some(LogRule {
                key: self.log_key.as_ref().map(verifier).transpose()?,
                online: matches!(self.log, LogWord::Online),
                witnesses: self.witnesses.iter().map(verifier).collect::<Result<_, _>>()?,
                max_age: self
                    .witness_max_age
                    .as_deref()
                    .map(|text| duration(text).ok_or_else(|| invalid("witness-max-age", &"write 90s, 30m, 24h or 7d")))
                    .transpose()?,
            }),
        };
        Ok(Rule {
            scope,
            require: self
                .require
                .iter()
                .map(|one| one.parsed(read))
                .collect::<Result<_, _>>()?,
            log,
            on_failure: match self.on_failure {
                FailureWord::Refuse => OnFailure::Refuse,
                FailureWord::Warn => OnFailure::Warn,
            },
        })
    }
}

impl RequirementText {
    fn parsed(&self, read: &impl Fn(&Path) -> Result<Vec<u8>, InvalidPolicy>) -> Result<Requirement, InvalidPolicy> {
        let mut requirement = Requirement {
            predicate_type: self.r#type.as_deref().map(predicate_type).transpose()?,
            ..Requirement::default()
        };
        for key in &self.keys {
            match key.as_str() {
                "registry" => requirement.registry = true,
                text if text.trim_start().starts_with("-----BEGIN") => {
                    requirement.keys.push(public_key(text, "a key")?);
                }
                name => {
                    let bytes = read(Path::new(name))?;
                    let text = String::from_utf8_lossy(&bytes);
                    requirement.keys.push(public_key(&text, name)?);
                }
            }
        }
        requirement.identity = match (&self.trust_root, &self.identity, &self.issuer) {
            (None, None, None) => None,
            (Some(root), Some(name), Some(issuer)) => {
                let bytes = read(root)?;
                let parsed = TrustRoot::parse(&bytes);
                let parsed = parsed.map_err(|error| InvalidPolicy(format!("{}: {error}", root.display())))?;
                let identity = Identity {
                    name: name.clone(),
                    issuer: issuer.clone(),
                };
                Some((parsed, identity))
            }
            _ => {
                return Err(InvalidPolicy(
                    "an identity takes all of trust-root, identity and issuer".to_owned(),
                ));
            }
        };
        if requirement.keys.is_empty() && !requirement.registry && requirement.identity.is_none() {
            return Err(InvalidPolicy(
                "what is required must name keys or an identity that may sign it".to_owned(),
            ));
        }
        Ok(requirement)
    }
}

fn predicate_type(word: &str) -> Result<String, InvalidPolicy> {
    Ok(match word {
        "publish" => publication::PREDICATE_TYPE.to_owned(),
        "signature" => statement::SIGNED.to_owned(),
        "slsaprovenance1" => "https://slsa.dev/provenance/v1".to_owned(),
        "cyclonedx" => "https://cyclonedx.org/bom".to_owned(),
        "spdxjson" => "https://spdx.dev/Document".to_owned(),
        uri if uri.contains(':') => uri.to_owned(),
        other => {
            return Err(InvalidPolicy(format!(
                "{other} is no kind of statement: write publish, signature, slsaprovenance1, cyclonedx, spdxjson or a URI"
            )));
        }
    })
}

fn public_key(text: &str, name: &str) -> Result<PublicKey, InvalidPolicy> {
    text.parse().map_err(|error| InvalidPolicy(format!("{name}: {error}")))
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}
