//! `wreg verify`.

use std::path::{Path, PathBuf};

use wreg_client::{Client, Registry, Signer, Trusted, trust};
use wreg_trust::signature::{Identity, PublicKey, TrustRoot, Unproven, bundle::MAX_BUNDLE};

use super::{Verdict, key, sign::uri};
use crate::{
    context::Context,
    error::CliError,
    files,
    output::{RuleVerification, Unverified, Verification, VerifiedStatement},
    remote::{Artifact, Fetched, Wanted},
};

/// Verify that an artifact is signed: by your rules, a key or an identity
///
/// Without --key and --trust-root the rules are asked that `wreg pull` asks too: the keys that are pinned of the registry and its log, or what
/// stands in ~/.config/wreg/trust.toml.
///
/// With --key it looks for signatures and attestations beside the artifact, in both forms that cosign writes: sigstore bundles among its referrers, and
/// what stands under its tag sha256-….sig. One of the keys must have signed one of them, for this digest; with --type, a statement of that
/// kind.
///
/// What is signed is the digest of a manifest. Where that is verified, WebAssembly and its config are fetched too, into the local store, and
/// compared with their digests in it, as `wreg pull` does.
///
/// With --trust-root it may also be a keyless bundle, whose certificate is for the identity and issuer that are named, exactly. The file says
/// which authorities and logs are believed. Certificate, log entry and time are checked with it and the bundle alone: nothing is asked of
/// an authority or a log.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of the artifact, and a line for each thing that is proven

Examples:
  wreg verify localhost:5000/acme/hello:1.2.0
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub --type https://slsa.dev/provenance/v1
  cosign sign --key cosign.key localhost:5000/acme/hello:1.2.0 && wreg verify localhost:5000/acme/hello:1.2.0 --key cosign.pub
  wreg verify localhost:5000/acme/hello:1.2.0 --trust-root trusted_root.json --certificate-identity me@acme.example \\
    --certificate-oidc-issuer https://accounts.google.com")]
pub(crate) struct Args {
    /// The artifact: host/repository:tag, @digest or @^1.2
    reference: String,
    /// A public key: SPKI in PEM, of ECDSA over P-256; can be repeated, and one will do
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    keyless: Keyless,
    /// A statement of this kind is wanted: a URI, or slsaprovenance1, cyclonedx or spdxjson
    #[arg(long = "type", value_name = "URI", value_parser = uri)]
    predicate_type: Option<String>,
}

/// Whose keyless signatures count.
#[derive(Debug, clap::Args)]
struct Keyless {
    /// The authorities and logs to believe: a trusted root of sigstore, as JSON
    #[arg(long, alias = "trusted-root", value_name = "FILE", requires_all = ["certificate_identity", "certificate_oidc_issuer"])]
    trust_root: Option<PathBuf>,
    /// Who must have signed: the e-mail address or URI in the certificate
    #[arg(long, value_name = "ID", requires = "trust_root")]
    certificate_identity: Option<String>,
    /// Who must have vouched for the identity: the issuer in the certificate
    #[arg(long, value_name = "URL", requires = "trust_root")]
    certificate_oidc_issuer: Option<String>,
}

impl Keyless {
    fn read(&self) -> Result<Option<(TrustRoot, Identity)>, CliError> {
        let (Some(file), Some(name), Some(issuer)) = (
            &self.trust_root,
            &self.certificate_identity,
            &self.certificate_oidc_issuer,
        ) else {
            return Ok(None);
        };
        let json = files::read_named(file, MAX_BUNDLE as u64)?;
        let root = TrustRoot::parse(json.as_bytes()).map_err(|error| {
            CliError::usage(format!("{} holds no trust root", file.display()))
                .because(error)
                .hint("for the public instance, `cosign trusted-root create --with-default-services` writes it")
        })?;
        let (name, issuer) = (name.clone(), issuer.clone());
        Ok(Some((root, Identity { name, issuer })))
    }
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let trusted = Trusted {
        keys: args.key.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?,
        identity: args.keyless.read()?,
    };
    let wanted = context.wanted(&args.reference)?;
    if trusted.keys.is_empty() && trusted.identity.is_none() {
        return by_rule(&wanted, context).await;
    }
    let client = context.client_with_store(std::slice::from_ref(wanted.host()))?;
    let registry = client.registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let digest = artifact.descriptor.digest.clone();
    let (mut proven, mut unproven) = (Vec::new(), Vec::new());
    for found in registry.signatures(&reference.repository, &digest, &trusted).await? {
        match found.proven {
            Ok(statement) => proven.push(VerifiedStatement {
                key: match &statement.signer {
                    Signer::Key(place) => args.key.get(*place).map(|file| file.display().to_string()),
                    Signer::Identity(_) => None,
                },
                identity: match statement.signer {
                    Signer::Key(_) => None,
                    Signer::Identity(identity) => Some(identity),
                },
                artifact: found.artifact,
                predicate_type: statement.predicate_type,
                predicate: statement.predicate,
            }),
            Err(why) => unproven.push(Unverified {
                artifact: found.artifact,
                why: why.to_string(),
            }),
        }
    }
    let is_wanted = |one: &VerifiedStatement| {
        args.predicate_type
            .as_ref()
            .is_none_or(|wanted| *wanted == one.predicate_type)
    };
    let verified = proven.iter().any(is_wanted);
    if verified {
        check_content(&artifact, &client, &registry, context).await?;
    }
    let there = (proven.len(), unproven.len());
    context.printer.result(&Verification {
        reference: reference.at(digest.clone()).to_string(),
        digest,
        verified,
        proven,
        unproven,
    })?;
    if verified {
        return Ok(Verdict::Yes);
    }
    context.printer.warning(match (there, &args.predicate_type) {
        ((0, 0), _) => "it is not signed at all".to_owned(),
        ((0, _), _) if trusted.identity.is_none() => {
            format!("none of what is signed there is proven: {}", Unproven::Signature)
        }
        ((0, _), _) => "none of what is signed there is proven".to_owned(),
        (_, Some(wanted)) => format!("no statement of the type {wanted} is proven"),
        (_, None) => "nothing is proven".to_owned(),
    });
    Ok(Verdict::No)
}

/// By the rules of this user.
async fn by_rule(wanted: &Wanted, context: &mut Context) -> Result<Verdict, CliError> {
    let host = wanted.host();
    let client = context.client_with_store(std::slice::from_ref(host))?;
    let registry = client.registry(host)?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let digest = artifact.digest().clone();
    let (verified, report) = match context.judged(&registry, &reference, &digest).await? {
        trust::Verdict::Verified(report) => (true, report),
        trust::Verdict::Failed(report) => (false, report),
        trust::Verdict::NoRule(_) => {
            return Err(CliError::usage(format!("nothing says who must have signed {reference}")).hint(
                "give --key or --trust-root, or write a rule into ~/.config/wreg/trust.toml (docs/how-to/trust-what-you-pull.md)",
            ));
        }
    };
    if verified {
        check_content(&artifact, &client, &registry, context).await?;
    }
    context.printer.result(&RuleVerification {
        reference: reference.at(digest.clone()).to_string(),
        digest,
        verified,
        rule: report.scope,
        proven: report.proven,
        failures: report.failures,
    })?;
    Ok(if verified { Verdict::Yes } else { Verdict::No })
}

/// What is signed is a manifest: looks whether what it names, as far as `wreg pull` would fetch it, is what the registry has.
async fn check_content(
    artifact: &Artifact,
    client: &Client,
    registry: &Registry,
    context: &Context,
) -> Result<(), CliError> {
    artifact.read_config(registry).await?;
    if let Some(layer) = artifact.wasm_layer() {
        let repository = &artifact.reference.repository;
        Fetched::fetch(client, registry, repository, layer, &context.printer).await?;
    }
    Ok(())
}

pub(super) fn read_key(path: &Path) -> Result<PublicKey, CliError> {
    key::read(path)?.parse().map_err(|error| {
        CliError::usage(format!("{} holds no key to verify with", path.display()))
            .because(error)
            .hint("the public key is wanted: `cosign.pub`, or the .pub beside what `wreg key generate` made")
    })
}
