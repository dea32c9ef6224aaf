//! `wreg key generate`, `sign`, `attest` and `verify`.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::{Descriptor, Digest, MediaType};
use wreg_trust::signature::{Bundle, Statement, statement};

use crate::{
    registry::Raw,
    sigstore::{Instance, Making, identity},
    wreg::User,
};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A user with the keys `acme` and `other`, who has pushed a component: the user, and its reference.
fn pushed(registry: &RegistryProcess) -> (User, String) {
    let user = User::of(registry);
    let file = user.file("hello.wasm", wat::component());
    let reference = format!("{}/acme/hello:1.0.0", registry.address());
    user.run(&["push", &file, &reference]).yes();
    for name in ["acme", "other"] {
        let files = user.run(&["key", "generate", name]).yes().text();
        assert_eq!(files, format!("{name}.key\n{name}.pub\n"));
    }
    (user, reference)
}

#[test]
fn what_a_key_has_signed_is_verified_with_it_and_with_no_other() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let verify = |more: &[&str]| user.run(&[&["verify", &reference][..], more].concat());
    assert_eq!(verify(&["--key", "acme.pub"]).saying("not signed at all").code, 1);
    let signature = user.run(&["sign", &reference, "--key", "acme.key"]).yes().text();
    assert!(signature.starts_with(&format!("{}/acme/hello@sha256:", registry.address())));
    let said = verify(&["--key", "acme.pub"]).yes().text();
    assert!(
        said.contains("signed    https://sigstore.dev/cosign/sign/v1 by acme.pub"),
        "{said}"
    );
    verify(&["--key", "other.pub", "--key", "acme.pub"]).yes();
    let refused = verify(&["--key", "other.pub"]).saying("none of the keys that are trusted");
    assert_eq!(refused.code, 1);
    let json = verify(&["--key", "other.pub", "--format", "json"]).json();
    assert_eq!(
        (&json["verified"], &json["proven"]),
        (&false.into(), &serde_json::json!([]))
    );
    assert_eq!(json["unproven"].as_array().map(Vec::len), Some(1));
    // Signed again it is the same artifact.
    assert_eq!(
        user.run(&["sign", &reference, "--key", "acme.key"]).yes().text(),
        signature
    );
    let json = verify(&["--key", "acme.pub", "--format", "json"]).yes().json();
    assert_eq!(json["proven"].as_array().map(Vec::len), Some(1));
}

/// **V37** Another artifact than the one that was signed, in the same repository → not verified.
#[test]
fn a_signature_is_of_one_artifact_and_of_whatever_names_it() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let host = registry.address();
    user.run(&["sign", &format!("{host}/acme/hello@^1"), "--key", "acme.key"])
        .yes();
    let other = user.file("other.wasm", wat::component_with("other"));
    let latest = format!("{host}/acme/hello:latest");
    user.run(&["push", &other, &latest]).yes();
    assert_eq!(user.run(&["verify", &latest, "--key", "acme.pub"]).code, 1);
    user.run(&["verify", &format!("{host}/acme/hello@^1"), "--key", "acme.pub"])
        .yes();
    user.run(&["verify", &format!("{host}/acme/hello:9.9.9"), "--key", "acme.pub"])
        .no();
    user.run(&["verify", &reference]).unknown();
}

#[test]
fn what_is_said_of_an_artifact_is_found_by_its_type() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let predicate = user.file(
        "provenance.json",
        r#"{"buildDefinition":{"buildType":"https://acme.example/build","externalParameters":{}},
            "runDetails":{"builder":{"id":"https://acme.example/builder"}}}"#,
    );
    let attest = |kind: &str, file: &str| {
        user.run(&[
            "attest",
            &reference,
            "--key",
            "acme.key",
            "--type",
            kind,
            "--predicate",
            file,
        ])
    };
    attest(PROVENANCE, &predicate).yes();
    let verify = |kind: &str| {
        user.run(&[
            "verify", &reference, "--key", "acme.pub", "--type", kind, "--format", "json",
        ])
    };
    let json = verify(PROVENANCE).yes().json();
    assert_eq!(
        json["proven"][0]["predicate"]["buildDefinition"]["buildType"],
        "https://acme.example/build"
    );
    let refused = verify("https://cyclonedx.org/bom");
    assert_eq!(refused.code, 1);
    refused.saying("no statement of the type https://cyclonedx.org/bom is proven");
    attest("provenance", &predicate).unknown().saying("it is no URI");
    attest(PROVENANCE, &user.file("list.json", "[]"))
        .unknown()
        .saying("holds no JSON object");
    attest(PROVENANCE, &user.file("text.json", "{"))
        .unknown()
        .saying("holds no JSON");
    attest(PROVENANCE, "absent.json")
        .unknown()
        .saying("there is no file absent.json");
}

#[test]
fn keys_are_kept_from_others_and_from_being_replaced() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let mode = |name: &str| {
        let file = user.work().join(name).metadata().expect("it is there");
        file.permissions().mode() & 0o777
    };
    assert_eq!((mode("acme.key"), mode("acme.pub")), (0o600, 0o644));
    let before = user.read("acme.key");
    user.run(&["key", "generate", "acme"])
        .unknown()
        .saying("no key is replaced");
    std::fs::remove_file(user.work().join("acme.pub")).expect("it is there");
    user.run(&["key", "generate", "acme"])
        .unknown()
        .saying("no key is replaced");
    assert_eq!(user.read("acme.key"), before);
    assert!(!user.work().join("acme.pub").exists());
    user.run(&["sign", &reference, "--key", "other.pub"])
        .unknown()
        .saying("holds no key to sign with");
    user.run(&["verify", &reference, "--key", "other.key"])
        .unknown()
        .saying("the public key is wanted");
    user.run(&["sign", &reference, "--key", "absent.key"])
        .unknown()
        .saying("there is no file absent.key");
}

#[test]
fn what_an_identity_has_signed_is_verified_with_a_trust_root() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let verify = |more: &[&str]| user.run(&[&["verify", &reference][..], more].concat());
    let json = verify(&["--key", "acme.pub", "--format", "json"]).json();
    let digest: Digest = json["digest"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a digest");
    let (instance, foreign) = (Instance::new(), Instance::new());
    user.file("root.json", instance.trust_root().to_string());
    user.file("foreign.json", foreign.trust_root().to_string());
    let identity = identity();
    let by = |root: &'static str, name: &str, more: &[&str]| {
        let issuer = &*identity.issuer;
        let asked = [
            "--trust-root",
            root,
            "--certificate-identity",
            name,
            "--certificate-oidc-issuer",
            issuer,
        ];
        verify(&[&asked[..], more].concat())
    };
    assert_eq!(by("root.json", &identity.name, &[]).saying("not signed at all").code, 1);
    let bundle = instance.sign(&Making {
        digest: digest.clone(),
        ..Making::new()
    });
    let bundle = Bundle::parse(bundle.to_string().as_bytes()).expect("it is one");
    let subject = Descriptor::new(MediaType::IMAGE_MANIFEST, digest.clone(), 1);
    let said = Statement::new(&digest, statement::SIGNED, json!({}));
    Raw::new(&registry).push_bundle("acme/hello", &bundle.beside(&said, &subject));
    let text = by("root.json", &identity.name, &[]).yes().text();
    let signed = "signed    https://sigstore.dev/cosign/sign/v1 by maker@acme.example (https://accounts.acme.example)";
    assert!(text.contains(signed), "{text}");
    let json = by("root.json", &identity.name, &["--format", "json"]).yes().json();
    assert_eq!(json["proven"][0]["identity"], json!(identity));
    // A key beside it does not take anything away, and alone proves nothing.
    by("root.json", &identity.name, &["--key", "acme.pub"]).yes();
    assert_eq!(verify(&["--key", "acme.pub"]).code, 1);
    user.run(&["sign", &reference, "--key", "acme.key"]).yes();
    let json = by("root.json", &identity.name, &["--key", "acme.pub", "--format", "json"])
        .yes()
        .json();
    assert_eq!(json["proven"].as_array().map(Vec::len), Some(2));
    // Another identity, and another instance.
    for refused in [
        by("root.json", "other@acme.example", &[]),
        by("foreign.json", &identity.name, &[]),
    ] {
        assert_eq!(refused.saying("none of what is signed there is proven").code, 1);
    }
    // What is asked must be whole.
    user.run(&["verify", &reference, "--trust-root", "root.json"]).unknown();
    user.run(&[
        "verify",
        &reference,
        "--key",
        "acme.pub",
        "--certificate-identity",
        "me",
    ])
    .unknown();
    by("acme.pub", &identity.name, &[])
        .unknown()
        .saying("holds no trust root");
}

#[test]
fn statements_of_known_kinds_must_have_what_these_require() {
    let registry = RegistryProcess::start();
    let (user, reference) = pushed(&registry);
    let attest = |kind: &str, file: &str| {
        let arguments = [
            "attest",
            &reference,
            "--key",
            "acme.key",
            "--type",
            kind,
            "--predicate",
            file,
        ];
        user.run(&arguments)
    };
    let listed = user.file("listed.wasm", wat::component_made_of("[]"));
    user.run(&["sbom", &listed, "-o", "hello.cdx.json"]).yes();
    attest("cyclonedx", "hello.cdx.json").yes();
    for kind in ["cyclonedx", "https://cyclonedx.org/bom"] {
        user.run(&["verify", &reference, "--key", "acme.pub", "--type", kind])
            .yes();
    }
    attest("spdxjson", "hello.cdx.json")
        .no()
        .saying("an SPDX document must have spdxVersion");
    attest("slsaprovenance1", "hello.cdx.json")
        .no()
        .saying("buildDefinition.buildType");
    attest("https://acme.example/said", "hello.cdx.json").yes();
    attest("custom", "hello.cdx.json").unknown().saying("it is no URI");
}
