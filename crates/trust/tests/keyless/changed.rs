//! Bundles of an instance that is made here, which differ in one thing from what they should be.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use serde_json::{Value, json};
use time::Duration;
use wreg_oci::Digest;
use wreg_trust::signature::{
    Bundle, SigningKey, Statement, TrustRoot, Unproven,
    Untrusted::{self, Certificate, CertificateLog, Log, NoCertificate, Signature, Time},
    statement,
};

use super::{
    instance::{Instance, Making, NOW, base64, identity, issuer},
    made::{Change, set, verdict, verify},
};

fn text(bundle: &mut Value, pointer: &str) -> String {
    bundle
        .pointer(pointer)
        .and_then(Value::as_str)
        .expect(pointer)
        .to_owned()
}

/// Another letter in the middle of a text.
fn turn(bundle: &mut Value, pointer: &str) {
    let mut turned = text(bundle, pointer).into_bytes();
    let middle = turned.len() / 2;
    turned[middle] = if turned[middle] == b'x' { b'y' } else { b'x' };
    set(bundle, pointer, String::from_utf8(turned).expect("ASCII"));
}

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const SET: &str = "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp";
const PROOF: &str = "/verificationMaterial/tlogEntries/0/inclusionProof";

/// What is made otherwise, and signed by all who have to.
const OTHERWISE: &[(Untrusted, Change<Making>)] = &[
    (
        Untrusted::Identity,
        ("another address", |making| {
            let name = "maker@acme.example.org".try_into().expect("ASCII");
            making.certificate.subject_alt_names = vec![SanType::Rfc822Name(name)];
        }),
    ),
    (
        Untrusted::Identity,
        ("no name", |making| making.certificate.subject_alt_names.clear()),
    ),
    (
        Untrusted::Identity,
        ("another issuer", |making| {
            making.certificate.custom_extensions = vec![issuer("https://accounts.acme.example.org")];
        }),
    ),
    (
        Untrusted::Identity,
        ("no issuer", |making| making.certificate.custom_extensions.clear()),
    ),
    (
        Certificate,
        ("a certificate that has expired", |making| {
            making.certificate.not_after -= Duration::seconds(541);
        }),
    ),
    (
        Certificate,
        ("a certificate that is not valid yet", |making| {
            making.certificate.not_before += Duration::seconds(61);
        }),
    ),
    (
        Certificate,
        ("a certificate for something else", |making| {
            making.certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
    ),
    (
        Certificate,
        ("a certificate for nothing", |making| {
            making.certificate.extended_key_usages.clear();
        }),
    ),
    (
        Certificate,
        ("a certificate of an authority", |making| {
            making.certificate.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            making.certificate.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }),
    ),
    (
        CertificateLog,
        ("no timestamp in the certificate", |making| making.sct = false),
    ),
    (
        Log,
        ("an entry of a kind that is not of envelopes", |making| {
            making.kind = "hashedrekord 0.0.1";
        }),
    ),
    (
        Log,
        ("an entry of a kind that nobody writes", |making| {
            making.kind = "dsse 0.0.2";
        }),
    ),
    (
        Log,
        ("an entry of another signature", |making| making.other_entry = true),
    ),
    (Log, ("a time before the log's", |making| making.time = 1_700_000_000)),
];

/// What is changed afterwards.
const TURNED: &[(Untrusted, Change<Value>)] = &[
    (
        Signature,
        ("payload", |bundle| {
            let other = Statement::new(&Digest::sha256("a manifest"), "https://other.example", json!({})).to_bytes();
            set(bundle, "/dsseEnvelope/payload", base64(other));
        }),
    ),
    (
        Signature,
        ("signature", |bundle| {
            let other = SigningKey::generate().sign(b"something").to_string();
            set(bundle, "/dsseEnvelope/signatures/0/sig", other);
        }),
    ),
    (
        Signature,
        ("two signatures", |bundle| {
            let one = bundle["dsseEnvelope"]["signatures"][0].clone();
            set(bundle, "/dsseEnvelope/signatures", json!([one, one]));
        }),
    ),
    (
        NoCertificate,
        ("no certificate", |bundle| {
            set(bundle, "/verificationMaterial/certificate/rawBytes", "AA==");
        }),
    ),
    (
        Log,
        ("no entry", |bundle| {
            set(bundle, "/verificationMaterial/tlogEntries", json!([]));
        }),
    ),
    (
        Log,
        ("no proof", |bundle| {
            bundle
                .pointer_mut(ENTRY)
                .and_then(Value::as_object_mut)
                .expect("it is there")
                .remove("inclusionProof");
        }),
    ),
    (
        Time,
        ("no promise", |bundle| {
            bundle
                .pointer_mut(ENTRY)
                .and_then(Value::as_object_mut)
                .expect("it is there")
                .remove("inclusionPromise");
        }),
    ),
    (
        Log,
        ("promise of another", |bundle| {
            set(bundle, SET, SigningKey::generate().sign(b"something").to_string());
        }),
    ),
    (
        Log,
        ("time of the promise", |bundle| {
            set(bundle, &format!("{ENTRY}/integratedTime"), (NOW + 1).to_string());
        }),
    ),
    (
        Log,
        ("place in the promise", |bundle| {
            set(bundle, &format!("{ENTRY}/logIndex"), "5002");
        }),
    ),
    (
        Log,
        ("name of the log", |bundle| {
            turn(bundle, &format!("{ENTRY}/logId/keyId"));
        }),
    ),
    (
        Log,
        ("place in the proof", |bundle| {
            set(bundle, &format!("{PROOF}/logIndex"), "0");
        }),
    ),
    (
        Log,
        ("hash in the proof", |bundle| turn(bundle, &format!("{PROOF}/hashes/0"))),
    ),
    (
        Log,
        ("a hash less", |bundle| {
            bundle
                .pointer_mut(&format!("{PROOF}/hashes"))
                .and_then(Value::as_array_mut)
                .expect("a list")
                .pop();
        }),
    ),
    (
        Log,
        ("root in the proof", |bundle| turn(bundle, &format!("{PROOF}/rootHash"))),
    ),
    (
        Log,
        ("checkpoint", |bundle| {
            let checkpoint = format!("{PROOF}/checkpoint/envelope");
            let other = text(bundle, &checkpoint).replacen("\n3\n", "\n4\n", 1);
            set(bundle, &checkpoint, other);
        }),
    ),
    (
        Log,
        ("body", |bundle| {
            let body = base64(r#"{"apiVersion":"0.0.1","kind":"dsse","spec":{}}"#);
            set(bundle, &format!("{ENTRY}/canonicalizedBody"), body);
        }),
    ),
];

#[test]
fn what_differs_in_one_thing_is_not_believed() {
    let instance = Instance::new();
    let root = instance.trust_root();
    for (why, (what, change)) in OTHERWISE {
        let mut making = Making::new();
        change(&mut making);
        let refused = verdict(&root, &instance.sign(&making), &identity(), what);
        assert_eq!(refused, Err(Unproven::Keyless(*why)), "{what}");
    }
    let critical = |making: &mut Making| {
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 9, 9], vec![5, 0]);
        unknown.set_criticality(true);
        making.certificate.custom_extensions.push(unknown);
    };
    // Where this is stricter, or says it otherwise: names are one, and nobody knows what a critical extension asks for.
    let mut making = Making::new();
    critical(&mut making);
    let refused = verify(&root, &instance.sign(&making), &identity());
    assert_eq!(refused, Err(Unproven::Keyless(Certificate)));
    let mut making = Making::new();
    let name = "https://other.example".try_into().expect("ASCII");
    making.certificate.subject_alt_names.push(SanType::URI(name));
    let refused = verify(&root, &instance.sign(&making), &identity());
    assert_eq!(refused, Err(Unproven::Keyless(Untrusted::Identity)));
    // Of another artifact, or no statement at all.
    let other = Making {
        digest: Digest::sha256("another"),
        ..Making::new()
    };
    assert_eq!(
        verdict(&root, &instance.sign(&other), &identity(), "digest"),
        Err(Unproven::Subject)
    );
    let other = Making {
        payload_type: "text/plain",
        ..Making::new()
    };
    assert_eq!(
        verdict(&root, &instance.sign(&other), &identity(), "type"),
        Err(Unproven::Statement)
    );
}

#[test]
fn what_is_turned_afterwards_is_not_believed() {
    let instance = Instance::new();
    let root = instance.trust_root();
    for (why, (what, change)) in TURNED {
        let mut bundle = instance.sign(&Making::new());
        change(&mut bundle);
        assert_eq!(
            verdict(&root, &bundle, &identity(), what),
            Err(Unproven::Keyless(*why)),
            "{what}"
        );
    }
    // The other believes the checkpoint whatever the proof says of its size, where the same root follows.
    let mut bundle = instance.sign(&Making::new());
    set(&mut bundle, &format!("{PROOF}/treeSize"), "4");
    assert_eq!(verify(&root, &bundle, &identity()), Err(Unproven::Keyless(Log)));
}

#[test]
fn no_letter_of_a_bundle_can_be_changed_unseen() {
    let instance = Instance::new();
    let root = TrustRoot::parse(instance.trust_root().to_string().as_bytes()).expect("a trust root");
    let making = Making::new();
    let bytes = instance.sign(&making).to_string().into_bytes();
    let said = Statement::new(&making.digest, statement::SIGNED, json!({}));
    let mut believed = 0;
    for place in (0..bytes.len()).step_by(23) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let proven = Bundle::parse(&changed);
        let proven = proven.and_then(|bundle| bundle.verify_keyless(&making.digest, &root, &identity()));
        if let Ok(statement) = proven {
            assert_eq!(statement, said);
            believed += 1;
        }
    }
    // What nobody reads is what the bundle says of the kind of the entry, which the entry says too.
    assert!(believed < 5, "{believed}");
}
