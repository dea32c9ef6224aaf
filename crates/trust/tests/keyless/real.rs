//! Bundles of the public instance and of its staging sister, which come with the package `sigstore-verify`, and their trust roots.

use std::{fs::File, path::PathBuf, process::Command};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use sigstore_trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT as PUBLIC, SIGSTORE_STAGING_TRUSTED_ROOT as STAGING};
use wreg_oci::Digest;
use wreg_trust::signature::{Bundle, Envelope, Identity, Statement, TrustRoot, Unproven, Untrusted};

use super::oracle;

/// Of the public instance: an entry `dsse` of the first version of the log.
const DSSE: (&str, &str) = (PUBLIC, "bundles/conda-attestation.sigstore.json");
/// Of staging: entries `hashedrekord` of the second version, with timestamps of an authority.
const VERSION_2: (&str, &str) = (STAGING, "bundles/conda-attestation-rekor2.sigstore.json");
const PROVENANCE_2: (&str, &str) = (
    STAGING,
    "upstream/sigstore-python/a.dsse.staging-rekor-v2.txt.sigstore.json",
);
/// Of the public instance: an entry `intoto`, in a bundle of version 0.1, which has a chain of certificates.
const INTOTO: (&str, &str) = (PUBLIC, "bundles/sigstore.js@2.0.0-provenance.sigstore.json");

/// The data of the package's tests, where Cargo has put its source.
fn data(name: &str) -> Value {
    let cargo = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO")).args(arguments).output();
        String::from_utf8(output.expect("cargo, which has built this, is there").stdout).expect("text")
    };
    // Only this platform's packages are sure to be there.
    let version = cargo(&["-vV"]);
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("it is said");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = cargo(&[
        "metadata",
        "--format-version=1",
        "--offline",
        "--filter-platform",
        host,
        "--manifest-path",
        manifest,
    ]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let mut packages = metadata["packages"].as_array().expect("a list").iter();
    let package = packages.find(|package| package["name"] == "sigstore-verify");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let path = PathBuf::from(manifest.expect("a dependency of the tests")).with_file_name("test_data");
    let file = File::open(path.join(name)).expect("it is in the package");
    serde_json::from_reader(file).expect("JSON")
}

/// The same bundle under the name of version 0.3, which says more than the older ones.
fn as_version_3(mut bundle: Value) -> Value {
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.3+json".into();
    bundle
}

fn subject(bundle: &Value) -> Digest {
    let envelope: Envelope = serde_json::from_value(bundle["dsseEnvelope"].clone()).expect("an envelope");
    let payload = envelope.unverified_payload().expect("base64");
    let statement = Statement::parse(&payload).expect("a statement");
    let (algorithm, hex) = statement.subject[0].digest.first_key_value().expect("a digest");
    format!("{algorithm}:{hex}").parse().expect("a digest")
}

fn verify(root: &str, bundle: &Value, digest: &Digest, identity: &Identity) -> Result<Statement, Unproven> {
    let root = TrustRoot::parse(root.as_bytes()).expect("a trust root");
    Bundle::parse(bundle.to_string().as_bytes())?.verify_keyless(digest, &root, identity)
}

#[test]
fn real_bundles_are_verified_and_another_implementation_says_the_same() {
    for (root, name) in [DSSE, VERSION_2, PROVENANCE_2, INTOTO] {
        let bundle = data(name);
        let digest = subject(&bundle);
        let identity = oracle::verify(root, &bundle, &digest, None).expect("the other says so");
        let bundle = as_version_3(bundle);
        let proven = verify(root, &bundle, &digest, &identity);
        assert!(proven.is_ok_and(|statement| statement.is_about(&digest)), "{name}");
        // Neither of another artifact, nor of another identity, nor by another instance.
        let other = Digest::sha256("another");
        assert_eq!(
            verify(root, &bundle, &other, &identity),
            Err(Unproven::Subject),
            "{name}"
        );
        let (name_of, issuer) = (identity.name.clone(), "https://issuer.example".to_owned());
        let stranger = Identity { name: name_of, issuer };
        let refused = Err(Unproven::Keyless(Untrusted::Identity));
        assert_eq!(verify(root, &bundle, &digest, &stranger), refused, "{name}");
        let foreign = if root == PUBLIC { STAGING } else { PUBLIC };
        assert!(matches!(
            verify(foreign, &bundle, &digest, &identity),
            Err(Unproven::Keyless(Untrusted::Log | Untrusted::Time))
        ));
    }
}

#[test]
fn a_real_bundle_of_two_signatures_or_without_a_proof_is_not_believed() {
    for (name, why) in [
        ("bundles/dsse-2sigs.sigstore.json", Untrusted::Signature),
        ("bundles/dsse.sigstore.json", Untrusted::Log),
    ] {
        let bundle = as_version_3(data(name));
        let digest = subject(&bundle);
        let identity = Identity {
            name: "anybody".to_owned(),
            issuer: "https://issuer.example".to_owned(),
        };
        assert_eq!(verify(PUBLIC, &bundle, &digest, &identity), Err(Unproven::Keyless(why)));
    }
}

#[test]
fn a_timestamp_is_what_proves_the_time_where_the_log_promises_nothing() {
    let (root, name) = VERSION_2;
    let bundle = data(name);
    let digest = subject(&bundle);
    let identity = oracle::verify(root, &bundle, &digest, None).expect("the other says so");
    let timestamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let token = format!("{timestamps}/0/signedTimestamp");
    let refused = Err(Unproven::Keyless(Untrusted::Time));
    let mut without = bundle.clone();
    *without.pointer_mut(timestamps).expect("it is there") = serde_json::json!([]);
    assert_eq!(verify(root, &without, &digest, &identity), refused);
    // That of another signature.
    let mut other = bundle.clone();
    *other.pointer_mut(&token).expect("it is there") =
        data(PROVENANCE_2.1).pointer(&token).expect("it is there").clone();
    assert_eq!(verify(root, &other, &digest, &identity), refused);
    // What is not as the authority has written it, but for the certificate that it sends along, which the root has too.
    let bytes = |value: Option<&Value>| {
        BASE64_STANDARD
            .decode(value.and_then(Value::as_str).expect("a text"))
            .expect("base64")
    };
    let written = bytes(bundle.pointer(&token));
    let own: Value = serde_json::from_str(root).expect("JSON");
    let own = bytes(own.pointer("/timestampAuthorities/0/certChain/certificates/0/rawBytes"));
    let sent = written
        .windows(own.len())
        .position(|window| window == own)
        .expect("it is sent along");
    let is_read = |place: &usize| !(sent..sent + own.len()).contains(place);
    let places: Vec<usize> = (0..written.len()).filter(is_read).step_by(11).collect();
    let accepts = |place: &&usize| {
        let (mut turned, mut bundle) = (written.clone(), bundle.clone());
        turned[**place] ^= 1;
        *bundle.pointer_mut(&token).expect("it is there") = BASE64_STANDARD.encode(turned).into();
        verify(root, &bundle, &digest, &identity).is_ok()
    };
    // Numbers of versions, and what is said of the digests once more.
    let accepted: Vec<_> = places.iter().filter(accepts).collect();
    assert!(accepted.len() < 3, "{accepted:?}");
}

#[test]
fn what_is_no_trust_root_is_none() {
    use wreg_trust::signature::InvalidTrustRoot::{Lacks, Malformed};
    for (root, why) in [
        ("", Malformed),
        ("{}", Malformed),
        (
            r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#,
            Malformed,
        ),
        (
            r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.1+json"}"#,
            Lacks("certificate authority"),
        ),
    ] {
        assert_eq!(TrustRoot::parse(root.as_bytes()), Err(why), "{root}");
    }
    let mut root: Value = serde_json::from_str(PUBLIC).expect("JSON");
    root["tlogs"] = serde_json::json!([]);
    assert_eq!(
        TrustRoot::parse(root.to_string().as_bytes()),
        Err(Lacks("transparency log"))
    );
    root["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AA==".into();
    assert_eq!(TrustRoot::parse(root.to_string().as_bytes()), Err(Malformed));
}
