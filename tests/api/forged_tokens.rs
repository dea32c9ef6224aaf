//! Registry tokens made by hand, sent as Bearer: only what the server's own key signed in the server's own way counts.

use std::net::TcpListener;

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use reqwest::StatusCode;
use serde_json::{Value, json};
use wreg_oci::Digest;
use wreg_registry::{Clock, Surroundings};

use crate::{
    auth::challenged,
    registry::{Options, TestRegistry},
};

const NOW: i64 = 1_700_000_000_000;
const TARGET: &str = "/v2/acme/hello/manifests/1.0";

/// A registry with something to pull, and the key that it signs with, taken from its data folder.
struct Forge {
    registry: TestRegistry,
    key: Ed25519KeyPair,
}

impl Forge {
    async fn new() -> Self {
        let surroundings = Surroundings {
            clock: Clock::manual(NOW),
            ..Surroundings::default()
        };
        let registry = TestRegistry::with(Options {
            surroundings,
            ..Options::default()
        })
        .await;
        registry.push_image("acme/hello", "1.0", b"layer").await;
        let mut document = Vec::new();
        let mut file = std::fs::File::open(registry.data.path().join("token-key.p8")).expect("the key file");
        std::io::Read::read_to_end(&mut file, &mut document).expect("the key file");
        let key = Ed25519KeyPair::from_pkcs8(&document).expect("a key");
        Self { registry, key }
    }

    fn header(&self) -> Value {
        header_of(&self.key)
    }

    /// A token with the server's own signature over whatever it says.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        signed(&self.key, header, claims)
    }

    async fn status(&self, token: &str) -> StatusCode {
        let answer = self.registry.anonymous("GET", TARGET).bearer_auth(token).send().await;
        answer.expect("an answer").status()
    }

    async fn is_refused(&self, token: &str) {
        for target in [TARGET, "/v2/", "/token", "/api/v1/repositories"] {
            let answer = self.registry.anonymous("GET", target).bearer_auth(token).send().await;
            challenged(&self.registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
        }
    }
}

/// The header that a server with this key writes.
fn header_of(key: &Ed25519KeyPair) -> Value {
    let id = Digest::sha256(key.public_key());
    json!({ "typ": "JWT", "alg": "EdDSA", "kid": id.encoded()[..16] })
}

/// A token with any header and claims.
pub(crate) fn signed(key: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let input = unsigned(header, claims);
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(signature))
}

/// A token as a server with this key would write it.
pub(crate) fn signed_by(key: &Ed25519KeyPair, claims: &Value) -> String {
    signed(key, &header_of(key), claims)
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64URL.encode(header.to_string()),
        BASE64URL.encode(claims.to_string())
    )
}

/// What the server says of a token that lets its holder pull.
fn claims() -> Value {
    claims_at(NOW)
}

/// The same, said at `now`.
pub(crate) fn claims_at(now: i64) -> Value {
    let seconds = now / 1000;
    json!({
        "iss": "wreg", "sub": "admin", "aud": "wreg", "jti": "1",
        "iat": seconds, "nbf": seconds - 60, "exp": seconds + 300,
        "access": [{ "type": "repository", "name": "acme/hello", "actions": ["pull"] }],
    })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

/// **J01** `alg: none`; HS256 with the public key as its secret; another algorithm than the key's → 401.
#[tokio::test]
async fn only_the_algorithm_of_the_servers_key_counts() {
    let forge = Forge::new().await;
    let good = forge.sign(&forge.header(), &claims());
    assert_eq!(forge.status(&good).await, StatusCode::OK, "the control is not valid");

    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let header = |alg: &str| with(forge.header(), "alg", json!(alg));
    for alg in ["none", "None", "NONE", ""] {
        let input = unsigned(&header(alg), &claims());
        forge.is_refused(&format!("{input}.")).await;
        forge.is_refused(&format!("{input}.{signature}")).await;
        forge.is_refused(&input).await;
    }
    let input_as_hs256 = unsigned(&header("HS256"), &claims());
    let public = hmac::Key::new(hmac::HMAC_SHA256, forge.key.public_key().as_ref());
    let mac = BASE64URL.encode(hmac::sign(&public, input_as_hs256.as_bytes()));
    forge.is_refused(&format!("{input_as_hs256}.{mac}")).await;
    for alg in ["HS256", "RS256", "ES256", "Ed25519", "eddsa"] {
        forge.is_refused(&forge.sign(&header(alg), &claims())).await;
    }
    forge.is_refused(&format!("{input}.")).await;
    let other_claims = with(claims(), "sub", json!("somebody"));
    forge
        .is_refused(&format!("{}.{signature}", unsigned(&forge.header(), &other_claims)))
        .await;
}

/// **J02** A key in the header (`jwk`, `jku`, `x5u`, `x5c`), a `kid` that is a path, SQL or long, an unknown `crit` → 401, and nothing is fetched.
#[tokio::test]
async fn a_tokens_header_brings_no_key() {
    let forge = Forge::new().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket takes its options");
    let url = format!(
        "http://{}/keys",
        elsewhere.local_addr().expect("a bound socket has an address")
    );
    let x = BASE64URL.encode(forge.key.public_key());
    for (name, member) in [
        ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", json!([x])),
        ("crit", json!(["exp"])),
        ("crit", json!(["wreg"])),
        ("kid", json!("../../../../etc/passwd")),
        ("kid", json!("' OR '1'='1")),
        ("kid", json!(url)),
        ("kid", json!("k".repeat(10 * 1024))),
        ("kid", Value::Null),
        ("typ", json!("at+jwt")),
    ] {
        forge
            .is_refused(&forge.sign(&with(forge.header(), name, member), &claims()))
            .await;
    }
    let fetched = elsewhere.accept();
    assert!(fetched.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}

/// **J04** `aud` or `iss` that is wrong, looks alike, is missing or a list → 401.
#[tokio::test]
async fn audience_and_issuer_are_exact() {
    let forge = Forge::new().await;
    for (name, member) in [
        ("aud", json!("other")),
        ("aud", json!("Wreg")),
        ("aud", json!("wreg ")),
        ("aud", json!("wreg.evil.example")),
        ("aud", json!(["wreg"])),
        ("aud", json!(["wreg", "other"])),
        ("aud", Value::Null),
        ("iss", json!("wreg.example")),
        ("iss", json!("WREG")),
        ("iss", json!("wr\u{435}g")), // a Cyrillic letter
        ("iss", json!(["wreg"])),
        ("iss", Value::Null),
        ("exp", json!(NOW / 1000 - 60)),
        ("exp", Value::Null),
        ("nbf", json!(NOW / 1000 + 120)),
        ("iat", json!(NOW / 1000 + 120)),
        ("access", json!({ "type": "repository" })),
    ] {
        forge
            .is_refused(&forge.sign(&forge.header(), &with(claims(), name, member)))
            .await;
    }
}

/// **J05** An upload's session as a token, a registry token at the exchange or as a password, a signed token of another type → 401.
#[tokio::test]
async fn what_is_good_for_one_thing_is_good_for_nothing_else() {
    let forge = Forge::new().await;
    let registry = &forge.registry;
    let session = registry.start_upload("acme/hello").await;
    let id = session.rsplit('/').next().unwrap_or_default().to_owned();
    let grant = registry.registry_token("repository:acme/hello:pull", false).await;
    for secret in [&id, &session] {
        forge.is_refused(secret).await;
    }
    for target in [TARGET, "/v2/", "/token", "/api/v1/repositories"] {
        for secret in [&id, &grant] {
            let answer = registry
                .anonymous("GET", target)
                .basic_auth("x", Some(secret))
                .send()
                .await;
            challenged(registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
        }
    }
    let answer = registry.anonymous("GET", "/token").bearer_auth(&grant).send().await;
    challenged(registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    for typ in ["at+jwt", "wreg-upload", "wreg-session", ""] {
        forge
            .is_refused(&forge.sign(&with(forge.header(), "typ", json!(typ)), &claims()))
            .await;
    }
    assert_eq!(registry.send("DELETE", &session).await.status(), StatusCode::NO_CONTENT);
}
