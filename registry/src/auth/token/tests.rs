//! Tokens that must not pass.

use serde_json::{Value, json};

use super::*;

const NOW: Millis = 1_800_000_000_000;

fn key() -> (TokenKey, Vec<u8>) {
    let document = TokenKey::generate().expect("random bytes");
    (TokenKey::from_pkcs8(&document).expect("a key"), document)
}

fn claims() -> Value {
    let seconds = NOW / 1000;
    json!({"iss": "wreg", "sub": "admin", "aud": "wreg", "exp": seconds + 300, "nbf": seconds - 60, "iat": seconds, "jti": "1", "access": []})
}

/// A token with any header and claims, signed by the real key.
fn signed(document: &[u8], header: &Value, claims: &Value) -> String {
    let input = format!(
        "{}.{}",
        BASE64URL.encode(header.to_string()),
        BASE64URL.encode(claims.to_string())
    );
    let pair = Ed25519KeyPair::from_pkcs8(document).expect("a key");
    format!("{input}.{}", BASE64URL.encode(pair.sign(input.as_bytes())))
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

#[test]
fn a_token_says_what_was_granted_until_it_expires() {
    let (key, _) = key();
    let access = vec![Access {
        kind: "repository".to_owned(),
        name: "a".to_owned(),
        actions: vec!["pull".to_owned()],
    }];
    let grant = key.sign(&Actor::Token("admin".to_owned()), access.clone(), NOW);
    let claims = key.public.verify(&grant.token, NOW).expect("valid");
    assert_eq!((claims.sub.as_str(), claims.access), ("admin", access));
    let late = NOW + (LIFETIME + LEEWAY) * 1000;
    assert!(key.public.verify(&grant.token, late - 1000).is_some());
    assert!(key.public.verify(&grant.token, late).is_none());
}

#[test]
fn the_hand_made_tokens_of_these_tests_are_valid_where_nothing_is_wrong() {
    let (key, document) = key();
    let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": key.public.id});
    assert!(key.public.verify(&signed(&document, &header, &claims()), NOW).is_some());
}

/// **J01** `alg: none`; HS256 with the public key as secret; another algorithm than the key's → not valid.
#[test]
fn only_the_keys_own_algorithm_counts() {
    let (key, document) = key();
    let pair = Ed25519KeyPair::from_pkcs8(&document).expect("a key");
    let header = |alg: &str| json!({"typ": "JWT", "alg": alg, "kid": key.public.id});
    let none = format!(
        "{}.{}.",
        BASE64URL.encode(header("none").to_string()),
        BASE64URL.encode(claims().to_string())
    );
    let mut hs256 = Header::new(Algorithm::HS256);
    hs256.kid = Some(key.public.id.clone());
    let confused =
        jsonwebtoken::encode(&hs256, &claims(), &EncodingKey::from_secret(pair.public_key().as_ref())).expect("signs");
    let mismatch = signed(&document, &header("ES256"), &claims());
    for token in [none, confused, mismatch] {
        assert!(key.public.verify(&token, NOW).is_none(), "{token}");
    }
}

/// **J02** An embedded `jwk`, `jku`, `x5u` or `x5c`, an unknown `crit`, a `kid` that is a path, SQL or 10 KiB long → not valid, and nothing is fetched.
#[test]
fn a_header_says_nothing_about_keys() {
    let (key, document) = key();
    let good = json!({"typ": "JWT", "alg": "EdDSA", "kid": key.public.id});
    for (name, member) in [
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AA"])),
        ("crit", json!(["exp"])),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(10 * 1024))),
        ("typ", json!("at+jwt")),
    ] {
        let token = signed(&document, &with(good.clone(), name, member), &claims());
        assert!(key.public.verify(&token, NOW).is_none(), "{name}");
    }
}

/// **J04** A wrong, look-alike or array `aud` or `iss`, a missing claim → not valid.
#[test]
fn audience_and_issuer_are_exact() {
    let (key, document) = key();
    let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": key.public.id});
    for (name, member) in [
        ("aud", json!("Wreg")),
        ("aud", json!("wreg ")),
        ("aud", json!(["wreg"])),
        ("aud", json!(["wreg", "other"])),
        ("iss", json!("wreg.example")),
        ("iss", json!(["wreg"])),
        ("exp", Value::Null),
        ("exp", json!("4102444800")),
        ("nbf", json!(NOW / 1000 + 120)),
        ("iat", json!(NOW / 1000 + 120)),
        ("sub", Value::Null),
    ] {
        let token = signed(&document, &header, &with(claims(), name, member));
        assert!(key.public.verify(&token, NOW).is_none(), "{name}");
    }
}

#[test]
fn a_token_of_another_key_or_of_no_form_is_not_valid() {
    let ((ours, _), (theirs, document)) = (key(), key());
    let foreign = signed(
        &document,
        &json!({"typ": "JWT", "alg": "EdDSA", "kid": ours.public.id}),
        &claims(),
    );
    let own = theirs.sign(&Actor::Anonymous, Vec::new(), NOW).token;
    let long = "a".repeat(MAX_LEN + 1);
    for token in [foreign.as_str(), own.as_str(), "", "a.b.c", "...", long.as_str()] {
        assert!(ours.public.verify(token, NOW).is_none(), "{token}");
    }
}
