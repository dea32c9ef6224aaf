//! `wreg verify`.

use std::path::{Path, PathBuf};

use wreg_trust::signature::{PublicKey, Unproven};

use super::{Verdict, key, sign::uri};
use crate::{
    context::Context,
    error::CliError,
    output::{Unverified, Verification, VerifiedStatement},
};

/// Verify that an artifact is signed with a key
///
/// Looks for signatures and attestations beside the artifact, in both forms that cosign writes: sigstore bundles among its referrers, and
/// what stands under its tag sha256-….sig. One of the keys must have signed one of them, for this digest; with --type, a statement of that
/// kind. Transparency logs are not asked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of the artifact, and a line for each thing that is proven

Examples:
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub --type https://slsa.dev/provenance/v1
  cosign sign --key cosign.key localhost:5000/acme/hello:1.2.0 && wreg verify localhost:5000/acme/hello:1.2.0 --key cosign.pub")]
pub(crate) struct Args {
    /// The artifact: host/repository:tag, @digest or @^1.2
    reference: String,
    /// A public key: SPKI in PEM, of ECDSA over P-256; can be repeated, and one will do
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// A statement of this kind is wanted: a URI, or slsaprovenance1, cyclonedx or spdxjson
    #[arg(long = "type", value_name = "URI", value_parser = uri)]
    predicate_type: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let keys: Vec<PublicKey> = args.key.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    let wanted = context.wanted(&args.reference)?;
    let registry = context
        .client(std::slice::from_ref(wanted.host()))?
        .registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let digest = artifact.descriptor.digest.clone();
    let (mut proven, mut unproven) = (Vec::new(), Vec::new());
    for found in registry.signatures(&reference.repository, &digest, &keys).await? {
        match found.proven {
            Ok(statement) => proven.push(VerifiedStatement {
                key: args.key.get(statement.key).map(|file| file.display().to_string()),
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
        ((0, _), _) => format!("none of what is signed there is proven: {}", Unproven::Signature),
        (_, Some(wanted)) => format!("no statement of the type {wanted} is proven"),
        (_, None) => "nothing is proven".to_owned(),
    });
    Ok(Verdict::No)
}

fn read_key(path: &Path) -> Result<PublicKey, CliError> {
    key::read(path)?.parse().map_err(|error| {
        CliError::usage(format!("{} holds no key to verify with", path.display()))
            .because(error)
            .hint("the public key is wanted: `cosign.pub`, or the .pub beside what `wreg key generate` made")
    })
}
