//! `wreg sign` and `wreg attest`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wreg_oci::Descriptor;
use wreg_trust::signature::{Bundle, SigningKey, Statement, predicate, statement};

use super::{Verdict, key};
use crate::{context::Context, error::CliError, files, output::Signed};

/// The largest predicate that is signed, in bytes.
const MAX_PREDICATE: u64 = 2 << 20;

/// Sign an artifact with a key
///
/// What is signed is the digest of its manifest, so of everything in it. The signature is a sigstore bundle beside the artifact, which
/// `wreg verify` and `cosign verify --key` find there; signing again with the same key changes nothing. `wreg key generate` makes a key.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of the signature

Examples:
  wreg sign localhost:5000/acme/hello:1.2.0 --key acme.key
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub
  cosign verify --key acme.pub --insecure-ignore-tlog localhost:5000/acme/hello:1.2.0")]
pub(crate) struct Sign {
    /// The artifact: host/repository:tag, @digest or @^1.2
    reference: String,
    /// The private key: PKCS#8 in PEM, of ECDSA over P-256
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Sign something that is said of an artifact
///
/// The statement is an in-toto statement about the digest of its manifest, in a sigstore bundle beside the artifact, which `wreg verify --type`
/// and `cosign verify-attestation --key` find there.
///
/// SLSA provenance (`https://slsa.dev/provenance/v1`, or slsaprovenance1), CycloneDX (`https://cyclonedx.org/bom`, or cyclonedx) and SPDX
/// (`https://spdx.dev/Document`, or spdxjson) must have the members that these formats require; what a statement of another kind has is
/// not looked at.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  host/repository@sha256:… of the attestation

Examples:
  wreg attest localhost:5000/acme/hello:1.2.0 --key acme.key --type https://slsa.dev/provenance/v1 --predicate provenance.json
  wreg sbom hello.wasm -o hello.cdx.json && wreg attest localhost:5000/acme/hello:1.2.0 --key acme.key --type cyclonedx --predicate hello.cdx.json
  wreg verify localhost:5000/acme/hello:1.2.0 --key acme.pub --type https://slsa.dev/provenance/v1")]
pub(crate) struct Attest {
    /// The artifact: host/repository:tag, @digest or @^1.2
    reference: String,
    /// The private key: PKCS#8 in PEM, of ECDSA over P-256
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What kind of thing is said: a URI, or slsaprovenance1, cyclonedx or spdxjson
    #[arg(long = "type", value_name = "URI", value_parser = uri)]
    predicate_type: String,
    /// What is said: a file with a JSON object
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
}

/// A URI is at least a scheme and something behind it. Some have short names.
pub(super) fn uri(text: &str) -> Result<String, String> {
    if let Some(uri) = predicate::named(text) {
        return Ok(uri.to_owned());
    }
    let is_uri = text.split_once(':').is_some_and(|(scheme, rest)| {
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        is_scheme && !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())
    });
    is_uri
        .then(|| text.to_owned())
        .ok_or_else(|| "it is no URI, such as https://slsa.dev/provenance/v1".to_owned())
}

pub(super) async fn sign(args: Sign, context: &mut Context) -> Result<Verdict, CliError> {
    let key = read_key(&args.key)?;
    attach(
        &args.reference,
        &key,
        statement::SIGNED,
        Value::Object(Map::new()),
        context,
    )
    .await
}

pub(super) async fn attest(args: Attest, context: &mut Context) -> Result<Verdict, CliError> {
    let key = read_key(&args.key)?;
    let file = args.predicate.display();
    let text = files::read_named(&args.predicate, MAX_PREDICATE)?;
    let predicate: Value =
        serde_json::from_str(&text).map_err(|error| CliError::usage(format!("{file} holds no JSON")).because(error))?;
    if !predicate.is_object() {
        return Err(CliError::usage(format!("{file} holds no JSON object")));
    }
    predicate::check(&args.predicate_type, &predicate).map_err(|invalid| {
        CliError::no(format!("{file} is not what it is said to be"))
            .because(invalid)
            .hint("its type says what it must have; one with a URI of your own is signed as it is")
    })?;
    attach(&args.reference, &key, &args.predicate_type, predicate, context).await
}

async fn attach(
    text: &str,
    key: &SigningKey,
    predicate_type: &str,
    predicate: Value,
    context: &Context,
) -> Result<Verdict, CliError> {
    let wanted = context.wanted(text)?;
    let registry = context
        .client(std::slice::from_ref(wanted.host()))?
        .registry(wanted.host())?;
    let (reference, artifact) = wanted.find(&registry).await?;
    let manifest = &artifact.descriptor;
    // With nothing but what every descriptor has: what is signed does not depend on where it was found.
    let subject = Descriptor::new(manifest.media_type.clone(), manifest.digest.clone(), manifest.size);
    let statement = Statement::new(&subject.digest, predicate_type, predicate);
    let signed = Bundle::sign(&statement, key).beside(&statement, &subject);
    let digest = registry.attach(&reference.repository, signed).await?;
    context.printer.result(&Signed {
        reference: reference.at(digest.clone()).to_string(),
        digest,
        subject: subject.digest,
        predicate_type: predicate_type.to_owned(),
    })?;
    Ok(Verdict::Yes)
}

fn read_key(path: &Path) -> Result<SigningKey, CliError> {
    let pem = key::read(path)?;
    SigningKey::from_pem(&pem).map_err(|error| {
        CliError::usage(format!("{} holds no key to sign with", path.display()))
            .because(error)
            .hint("`wreg key generate acme` makes acme.key and acme.pub")
    })
}
