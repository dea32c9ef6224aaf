//! Bundles of an instance that is made here, and of whom it is that they are believed.

use rcgen::{CustomExtension, SanType};
use serde_json::{Value, json};
use wreg_oci::Digest;
use wreg_trust::signature::{Bundle, Identity, SigningKey, Statement, TrustRoot, Unproven, Untrusted};

use super::{
    instance::{Instance, Making, OLD_ISSUER, identity},
    oracle,
};

pub(crate) fn verify(root: &Value, bundle: &Value, identity: &Identity) -> Result<Statement, Unproven> {
    let root = TrustRoot::parse(root.to_string().as_bytes()).expect("a trust root");
    let bundle = Bundle::parse(bundle.to_string().as_bytes())?;
    bundle.verify_keyless(&Digest::sha256("a manifest"), &root, identity)
}

/// What is said of a bundle; whether it is believed is what the other implementation says too.
pub(crate) fn verdict(root: &Value, bundle: &Value, identity: &Identity, what: &str) -> Result<Statement, Unproven> {
    let own = verify(root, bundle, identity);
    let other = oracle::verify(&root.to_string(), bundle, &Digest::sha256("a manifest"), Some(identity));
    assert_eq!(own.is_ok(), other.is_ok(), "{what}: {own:?}, but the other: {other:?}");
    own
}

/// A change of a thing, under what it is called.
pub(crate) type Change<T> = (&'static str, fn(&mut T));

pub(crate) fn set(bundle: &mut Value, pointer: &str, value: impl Into<Value>) {
    *bundle.pointer_mut(pointer).expect(pointer) = value.into();
}

#[test]
fn what_an_instance_vouches_for_is_believed() {
    let instance = Instance::new();
    let root = instance.trust_root();
    let good: &[Change<Making>] = &[
        ("an entry of the kind dsse", |_| ()),
        ("an entry of the kind intoto", |making| making.kind = "intoto 0.0.2"),
        ("an address of a workflow", |making| {
            let name = identity().name.try_into().expect("ASCII");
            making.certificate.subject_alt_names = vec![SanType::URI(name)];
        }),
        ("an issuer in the older form", |making| {
            let older = CustomExtension::from_oid_content(&OLD_ISSUER, identity().issuer.into_bytes());
            making.certificate.custom_extensions = vec![older];
        }),
        ("an issuer in both forms, of which the newer counts", |making| {
            let older = CustomExtension::from_oid_content(&OLD_ISSUER, b"https://other.example".to_vec());
            making.certificate.custom_extensions.push(older);
        }),
    ];
    for (what, change) in good {
        let mut making = Making::new();
        change(&mut making);
        let proven = verdict(&root, &instance.sign(&making), &identity(), what);
        assert!(
            proven.is_ok_and(|statement| statement.is_about(&making.digest)),
            "{what}"
        );
    }
    // The other knows no log of version 2 that promises something.
    let making = Making {
        kind: "hashedrekord 0.0.2",
        ..Making::new()
    };
    assert!(verify(&root, &instance.sign(&making), &identity()).is_ok());
    let mut bundle = instance.sign(&Making::new());
    let leaf = bundle["verificationMaterial"]["certificate"].take();
    bundle["verificationMaterial"] = json!({
        "x509CertificateChain": { "certificates": [leaf] },
        "tlogEntries": bundle["verificationMaterial"]["tlogEntries"],
    });
    assert!(verify(&root, &bundle, &identity()).is_ok(), "a chain of certificates");
}

#[test]
fn each_part_is_of_the_instance_that_is_trusted() {
    let (own, foreign) = (Instance::new(), Instance::new());
    let (bundle, other) = (own.sign(&Making::new()), foreign.trust_root());
    for (part, why) in [
        ("certificateAuthorities", Untrusted::Certificate),
        ("ctlogs", Untrusted::CertificateLog),
        ("tlogs", Untrusted::Log),
    ] {
        let mut root = own.trust_root();
        root[part] = other[part].clone();
        assert_eq!(
            verdict(&root, &bundle, &identity(), part),
            Err(Unproven::Keyless(why)),
            "{part}"
        );
        // A key that passes for the trusted one, under its name.
        if part != "certificateAuthorities" {
            root[part][0]["logId"] = own.trust_root()[part][0]["logId"].clone();
            assert_eq!(
                verify(&root, &bundle, &identity()),
                Err(Unproven::Keyless(why)),
                "{part}"
            );
        }
        // Both may be trusted.
        let mut root = own.trust_root();
        root[part] = json!([other[part][0], root[part][0]]);
        assert!(verdict(&root, &bundle, &identity(), part).is_ok(), "{part}");
        // Trust has a beginning and an end.
        let period = if part == "certificateAuthorities" {
            "/validFor"
        } else {
            "/publicKey/validFor"
        };
        for ended in [
            json!({ "start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z" }),
            json!({ "start": "2026-01-01T00:00:00Z" }),
        ] {
            let mut root = own.trust_root();
            set(&mut root[part][0], period, ended);
            assert_eq!(
                verify(&root, &bundle, &identity()),
                Err(Unproven::Keyless(why)),
                "{part}"
            );
        }
    }
    assert!(verify(&other, &bundle, &identity()).is_err());
}

#[test]
fn a_bundle_of_an_identity_proves_nothing_by_a_key_and_one_of_a_key_nothing_of_an_identity() {
    let instance = Instance::new();
    let keyless = instance.sign(&Making::new());
    let keyless = Bundle::parse(keyless.to_string().as_bytes()).expect("it is one");
    let key = SigningKey::generate();
    let digest = Digest::sha256("a manifest");
    assert!(keyless.is_keyless());
    assert_eq!(keyless.verify(&digest, &[key.public_key()]), Err(Unproven::Signature));
    assert_eq!(Bundle::parse(&keyless.to_bytes()), Ok(keyless));
    let own = Bundle::sign(&Statement::new(&digest, "https://other.example", json!({})), &key);
    assert!(!own.is_keyless());
    let root = TrustRoot::parse(instance.trust_root().to_string().as_bytes()).expect("a trust root");
    let refused = own.verify_keyless(&digest, &root, &identity());
    assert_eq!(refused, Err(Unproven::Keyless(Untrusted::NoCertificate)));
}
