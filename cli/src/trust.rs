//! Whether what is pulled may be used: the rules of this user, applied, and said.

use std::path::Path;

use wreg_client::{
    Registry,
    trust::{NoRule, Report, Trust, Used, Verdict, parse_policy},
};
use wreg_oci::{Digest, Reference};
use wreg_trust::policy::OnFailure;

use crate::{context::Context, error::CliError, files};

/// The largest policy, and the largest file that it names, in bytes.
const MAX_FILE: u64 = 1 << 20;

impl Context {
    /// The rules of this user, and where is kept what was learned of registries.
    pub(crate) fn trust(&self) -> Result<Trust, CliError> {
        let mut trust = Trust {
            rules: Vec::new(),
            folder: self.config.trust_state.clone(),
        };
        if let Some(path) = self.config.trust_policy.as_deref().filter(|path| path.exists()) {
            let text = files::read_named(path, MAX_FILE)?;
            let read = |path: &Path| {
                let text = files::read_text(path, MAX_FILE)?;
                text.map(String::into_bytes)
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
            };
            trust.rules = parse_policy(&text, files::folder_of(path), read).map_err(|error| {
                CliError::usage(format!("the rules in {} cannot be used", path.display()))
                    .because(error)
                    .hint("docs/how-to/trust-what-you-pull.md shows how they are written")
            })?;
        }
        Ok(trust)
    }

    /// Checks an artifact by the rules: what is proven, in words. Where it may not be used, the error says which rule failed.
    pub(crate) async fn verified(
        &self,
        registry: &Registry,
        reference: &Reference,
        digest: &Digest,
        no_verify: bool,
    ) -> Result<Vec<String>, CliError> {
        if no_verify {
            self.printer
                .warning(format!("--no-verify: who made {reference} is not looked at"));
            return Ok(Vec::new());
        }
        match self.judged(registry, reference, digest).await? {
            Verdict::NoRule(NoRule::NoKeys | NoRule::SignsNothing) => {
                self.printer.note(format!(
                    "not verified: {} signs nothing, and no rule asks for anything",
                    reference.host
                ));
                Ok(Vec::new())
            }
            Verdict::NoRule(NoRule::Unknown(why)) => {
                self.printer.warning(format!("not verified: {why}"));
                Ok(Vec::new())
            }
            Verdict::Verified(report) => {
                for proven in &report.proven {
                    self.printer.note(format!("verified: {proven}"));
                }
                Ok(report.proven)
            }
            Verdict::Failed(report) => {
                let message = failed(reference, &report);
                if report.on_failure == OnFailure::Warn {
                    self.printer.warning(message);
                    return Ok(report.proven);
                }
                Err(CliError::no(message).hint(
                    "rules of your own, in ~/.config/wreg/trust.toml, can ask for something else (docs/how-to/trust-what-you-pull.md); --no-verify looks at nothing",
                ))
            }
        }
    }

    /// The same without a word, but for what was pinned.
    pub(crate) async fn judged(
        &self,
        registry: &Registry,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Verdict, CliError> {
        let used = Used {
            repository: &reference.repository,
            tag: reference.tag.as_ref().filter(|_| reference.digest.is_none()),
            digest,
        };
        let verdict = self.trust()?.check(registry, used).await?;
        if let Verdict::Verified(report) | Verdict::Failed(report) = &verdict {
            for news in &report.news {
                self.printer.status(news);
            }
        }
        Ok(verdict)
    }
}

/// Which rule failed, and how.
fn failed(reference: &Reference, report: &Report) -> String {
    let why = report.failures.join("; ");
    format!("{reference} is not what the rule for {} asks for: {why}", report.scope)
}
