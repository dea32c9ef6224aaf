//! Signatures and statements.

use serde_json::{Value, json};
use wreg_oci::Digest;
use wreg_trust::signature::{Bundle, PublicKey, SigningKey, SimpleSigning, Statement, Unproven, dsse, statement};

fn keys() -> (SigningKey, PublicKey) {
    let key = SigningKey::generate();
    let public = key.public_key();
    (key, public)
}

fn digest() -> Digest {
    Digest::sha256("a manifest")
}

fn signed(key: &SigningKey) -> Bundle {
    Bundle::sign(&Statement::new(&digest(), statement::SIGNED, json!({})), key)
}

#[test]
fn keys_go_through_pem_and_back() {
    let (key, public) = keys();
    let pem = key.to_pem().expect("it can be written");
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8");
    let again = SigningKey::from_pem(&pem).expect("it can be read");
    assert_eq!(again.public_key(), public);
    assert_eq!(public.to_string().parse(), Ok(public.clone()));
    assert!(public.to_string().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    assert!(public.to_string().parse::<PublicKey>().is_ok());
    assert!(pem.parse::<PublicKey>().is_err());
    assert!(SigningKey::from_pem(&public.to_string()).is_err());
    assert!(!format!("{key:?}").contains(pem.lines().nth(1).expect("a line")));
}

#[test]
fn the_same_is_signed_with_the_same_bytes() {
    let (key, public) = keys();
    assert_eq!(signed(&key).to_bytes(), signed(&key).to_bytes());
    let (one, other) = (key.sign(b"one"), key.sign(b"other"));
    assert!(public.verifies(b"one", &one));
    assert!(!public.verifies(b"one", &other) && !public.verifies(b"other", &one));
    assert!(!keys().1.verifies(b"one", &one));
}

#[test]
fn what_is_signed_has_its_lengths_in_it() {
    assert_eq!(
        dsse::pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

#[test]
fn a_bundle_has_the_form_that_cosign_reads() {
    let (key, public) = keys();
    let bundle: Value = serde_json::from_slice(&signed(&key).to_bytes()).expect("JSON");
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(
        bundle["verificationMaterial"],
        json!({ "publicKey": { "hint": public.hint() } })
    );
    assert_eq!(bundle["dsseEnvelope"]["payloadType"], "application/vnd.in-toto+json");
    let signatures = bundle["dsseEnvelope"]["signatures"].as_array().expect("a list");
    assert_eq!(signatures.len(), 1);
    assert_eq!(
        signatures[0].as_object().expect("an object").keys().collect::<Vec<_>>(),
        ["sig"]
    );
    let payload = Statement::new(&digest(), statement::SIGNED, json!({})).to_bytes();
    assert_eq!(
        String::from_utf8(payload).expect("JSON"),
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            digest().encoded()
        )
    );
}

#[test]
fn a_bundle_proves_what_its_key_has_signed_of_that_manifest() {
    let ((key, public), (_, stranger)) = (keys(), keys());
    let bundle = Bundle::parse(&signed(&key).to_bytes()).expect("it is one");
    assert_eq!(bundle.hint(), Some(&*public.hint()));
    let (statement, place) = bundle
        .verify(&digest(), &[stranger.clone(), public.clone()])
        .expect("it proves it");
    assert_eq!((statement.predicate_type.as_str(), place), (statement::SIGNED, 1));
    assert_eq!(bundle.verify(&digest(), &[stranger]), Err(Unproven::Signature));
    assert_eq!(bundle.verify(&digest(), &[]), Err(Unproven::Signature));
    assert_eq!(
        bundle.verify(&Digest::sha256("another"), &[public]),
        Err(Unproven::Subject)
    );
}

/// **V37** A bundle with any bit turned → it proves nothing else than before, or nothing.
#[test]
fn no_bit_of_a_bundle_can_be_turned_unseen() {
    let (key, public) = keys();
    let bytes = signed(&key).to_bytes();
    let text = String::from_utf8(bytes.clone()).expect("JSON");
    let envelope = text.find("\"payload\":").expect("it is there");
    let mut caught = 0;
    for place in envelope..bytes.len() {
        for bit in 0..7 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let proven =
                Bundle::parse(&changed).and_then(|bundle| bundle.verify(&digest(), std::slice::from_ref(&public)));
            match proven {
                Err(_) => caught += 1,
                // What is not signed can differ: the name of a field that nobody reads is one.
                Ok((statement, _)) => assert_eq!(statement, Statement::new(&digest(), statement::SIGNED, json!({}))),
            }
        }
    }
    assert!(caught > (bytes.len() - envelope) * 6, "{caught}");
}

/// **V37** A bundle that cannot be read → an error, and never "verified".
#[test]
fn what_is_no_bundle_is_none() {
    for bytes in [
        &b""[..],
        b"{}",
        b"[]",
        br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{}}"#,
        br#"{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.2","verificationMaterial":{},"dsseEnvelope":{"payload":"","payloadType":"","signatures":[]}}"#,
    ] {
        assert_eq!(Bundle::parse(bytes), Err(Unproven::Malformed));
    }
    // A keyless one is read, and proves nothing by a key.
    let keyless = br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"AA=="},"tlogEntries":[]},"dsseEnvelope":{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA==","keyid":""}]}}"#;
    let bundle = Bundle::parse(keyless).expect("it is one");
    assert_eq!(
        (bundle.hint(), bundle.verify(&digest(), &[keys().1])),
        (None, Err(Unproven::Signature))
    );
    // What is signed must be a statement, of a version that is known.
    let (key, public) = keys();
    let subject = json!([{ "digest": { "sha256": digest().encoded() } }]);
    for (version, known) in [("v1", true), ("v0.1", true), ("v2", false)] {
        let kind = format!("https://in-toto.io/Statement/{version}");
        let text = json!({ "_type": kind, "subject": subject, "predicateType": "a:b", "predicate": {} }).to_string();
        assert_eq!(
            Statement::parse(text.as_bytes()).is_some_and(|one| one.is_about(&digest())),
            known,
            "{version}"
        );
    }
    let envelope = dsse::Envelope::sign(statement::MEDIA_TYPE, b"{}", &key);
    let other = json!({ "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}, "dsseEnvelope": envelope });
    let other = Bundle::parse(other.to_string().as_bytes()).expect("it is one");
    assert_eq!(other.verify(&digest(), &[public]), Err(Unproven::Statement));
}

#[test]
fn the_older_form_is_that_of_cosign() {
    let ((key, public), (_, stranger)) = (keys(), keys());
    let signing = SimpleSigning::new("reg.example/acme/hello", &digest());
    let payload = signing.to_bytes();
    assert_eq!(
        String::from_utf8(payload.clone()).expect("JSON"),
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"reg.example/acme/hello"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
            digest()
        )
    );
    let signature = key.sign(&payload);
    let read = SimpleSigning::verify(&payload, &signature, &digest(), &[stranger.clone(), public.clone()])
        .expect("it proves it");
    assert_eq!((&read, read.repository()), (&signing, "reg.example/acme/hello"));
    assert_eq!(
        SimpleSigning::verify(&payload, &signature, &digest(), &[stranger]),
        None
    );
    assert_eq!(
        SimpleSigning::verify(
            &payload,
            &signature,
            &Digest::sha256("another"),
            std::slice::from_ref(&public)
        ),
        None
    );
    let mut changed = payload.clone();
    changed[70] ^= 1;
    assert_eq!(SimpleSigning::verify(&changed, &signature, &digest(), &[public]), None);
}
