//! The results of `wreg sign`, `attest`, `verify` and `key`.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use wreg_oci::Digest;
use wreg_trust::signature::Identity;

/// The result of `wreg sign` and `wreg attest`.
#[derive(Debug, Serialize)]
pub(crate) struct Signed {
    /// `host/repository@digest` of the signature.
    pub(crate) reference: String,
    pub(crate) digest: Digest,
    /// What it is about.
    pub(crate) subject: Digest,
    pub(crate) predicate_type: String,
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)
    }
}

/// The result of `wreg verify`.
#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    /// `host/repository@digest` of the artifact.
    pub(crate) reference: String,
    pub(crate) digest: Digest,
    pub(crate) verified: bool,
    pub(crate) proven: Vec<VerifiedStatement>,
    pub(crate) unproven: Vec<Unverified>,
}

/// Something that is signed by one who is trusted.
#[derive(Debug, Serialize)]
pub(crate) struct VerifiedStatement {
    /// The file of the key, if a key has signed it.
    pub(crate) key: Option<String>,
    /// The identity, if a certificate says that it has signed it.
    pub(crate) identity: Option<Identity>,
    pub(crate) artifact: Digest,
    pub(crate) predicate_type: String,
    pub(crate) predicate: Value,
}

/// Something that proves nothing.
#[derive(Debug, Serialize)]
pub(crate) struct Unverified {
    pub(crate) artifact: Digest,
    pub(crate) why: String,
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)?;
        for one in &self.proven {
            let signer = match (&one.key, &one.identity) {
                (Some(key), _) => key.clone(),
                (None, Some(Identity { name, issuer })) => printable(&format!("{name} ({issuer})")),
                (None, None) => "a key".to_owned(),
            };
            writeln!(f, "  signed    {} by {signer}", printable(&one.predicate_type))?;
        }
        for one in &self.unproven {
            writeln!(f, "  unproven  {}: {}", one.artifact, one.why)?;
        }
        Ok(())
    }
}

/// The result of `wreg verify` by rules.
#[derive(Debug, Serialize)]
pub(crate) struct RuleVerification {
    /// `host/repository@digest` of the artifact.
    pub(crate) reference: String,
    pub(crate) digest: Digest,
    pub(crate) verified: bool,
    /// The scope of the rule.
    pub(crate) rule: String,
    /// What is proven, and what is missing or wrong, in sentences.
    pub(crate) proven: Vec<String>,
    pub(crate) failures: Vec<String>,
}

impl fmt::Display for RuleVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.reference)?;
        for (label, lines) in [("proven", &self.proven), ("failed", &self.failures)] {
            for line in lines {
                writeln!(f, "  {label}  {}", printable(line))?;
            }
        }
        Ok(())
    }
}

/// On one line, and without what moves a terminal's cursor.
fn printable(text: &str) -> String {
    wreg_component::printable(text)
}

/// The result of `wreg key generate`.
#[derive(Debug, Serialize)]
pub(crate) struct KeyPair {
    pub(crate) private: String,
    pub(crate) public: String,
    /// What signatures name the key by.
    pub(crate) hint: String,
    /// The public half as the line of text that logs and witnesses give each other, if it is one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verifier: Option<String>,
}

impl fmt::Display for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.private, self.public)?;
        self.verifier.iter().try_for_each(|verifier| writeln!(f, "{verifier}"))
    }
}
