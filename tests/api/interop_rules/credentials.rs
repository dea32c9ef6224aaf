//! Rules 1 to 8 and 26: how clients come to their credentials, and what they read from a refusal.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::lacks;
use crate::{
    auth::challenged,
    registry::{Options, TestRegistry, header, refused},
};

const GRANT: &str = "/token?service=wreg&scope=repository:acme/hello:pull,push";

async fn json(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("JSON")
}

/// What a registry token is for.
fn access(grant: &Value) -> Value {
    let token = grant["token"].as_str().expect("a token");
    let claims = BASE64URL.decode(token.split('.').nth(1).expect("claims"));
    let mut claims: Value = serde_json::from_slice(&claims.expect("Base64")).expect("JSON");
    claims["access"].take()
}

/// oci-client learns only here that there are credentials to send, and crane takes 200 for a registry that wants none.
#[tokio::test]
async fn rule_01_the_ping_asks_for_credentials_even_where_anybody_may_pull() {
    let registry = TestRegistry::with(Options {
        config: "default_visibility = \"public\"",
        ..Options::default()
    })
    .await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let pulled = registry.anonymous("GET", "/v2/acme/hello/manifests/1.0").send().await;
    assert_eq!(pulled.expect("an answer").status(), 200);
    let pinged = registry.anonymous("GET", "/v2/").send().await.expect("an answer");
    challenged(&registry, pinged, "").await;
}

/// crane does not go to a realm on another private address than the registry's own.
#[tokio::test]
async fn rule_02_the_realm_lies_where_the_client_reached_the_server() {
    let realm = async |registry: &TestRegistry, host: &str| {
        let request = registry.anonymous("GET", "/v2/").header("host", host);
        let answer = request.send().await.expect("an answer");
        let challenge = header(&answer, "www-authenticate");
        let (_, realm) = challenge.split_once("realm=\"").expect("a realm");
        realm.split('"').next().unwrap_or_default().to_owned()
    };
    let registry = TestRegistry::start().await;
    for host in ["localhost:5000", "registry.example", "[::1]:5000"] {
        assert_eq!(realm(&registry, host).await, format!("http://{host}/token"));
    }
    // What is no host is not repeated to anybody.
    for host in ["evil\",scope=\"x", "a b", "user@host", "host/path"] {
        assert_eq!(realm(&registry, host).await, "/token");
    }
    let behind_tls = TestRegistry::with(Options {
        config: "public_url = \"https://registry.example/\"",
        ..Options::default()
    })
    .await;
    assert_eq!(
        realm(&behind_tls, "localhost:5000").await,
        "https://registry.example/token"
    );
}

/// regclient and oras send the form, the others ask with GET; some repeat `scope`, others join several with a space.
#[tokio::test]
async fn rule_03_tokens_come_by_get_and_by_form() {
    let registry = TestRegistry::start().await;
    let scopes = [
        "scope=repository:a/b:pull&scope=repository:c:push",
        "scope=repository:a/b:pull%20repository:c:push",
    ];
    let expected = json!([
        { "type": "repository", "name": "a/b", "actions": ["pull"] },
        { "type": "repository", "name": "c", "actions": ["push"] },
    ]);
    for scope in scopes {
        let query = format!("/token?service=wreg&account=me&client_id=x&offline_token=true&{scope}");
        let form = |grant: &str| {
            let form = format!(
                "service=wreg&client_id=x&access_type=offline&{grant}={}&{scope}",
                registry.token
            );
            registry.anonymous("POST", "/token").body(form)
        };
        for grant in [
            json(registry.request("GET", &query)).await,
            json(form("grant_type=password&username=me&password")).await,
            json(form("grant_type=refresh_token&refresh_token")).await,
        ] {
            assert_eq!(access(&grant), expected);
            assert_eq!(grant["token"], grant["access_token"]);
            assert!(grant["expires_in"].as_i64() >= Some(60) && grant["issued_at"].is_string());
        }
    }
}

/// oci-client takes every other status for wrong credentials, and wkg then goes on as nobody.
#[tokio::test]
async fn rule_04_too_little_right_is_a_smaller_token_and_wrong_credentials_are_401() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let reader = registry.personal_token("reader", &["acme/*:pull"]).await;
    let pull = json!([{ "type": "repository", "name": "acme/hello", "actions": ["pull"] }]);
    let ask = || registry.anonymous("GET", GRANT);
    assert_eq!(access(&json(ask().basic_auth("me", Some(&reader))).await), pull);
    assert_eq!(access(&json(ask()).await), json!([]));
    let wrong = ask().basic_auth("me", Some("wrong")).send().await;
    challenged(&registry, wrong.expect("an answer"), ",error=\"invalid_token\"").await;
}

/// oci-client reads `exp` and otherwise takes a minute; Spin assumes 300 seconds.
#[tokio::test]
async fn rule_05_a_token_says_that_it_lives_five_minutes() {
    let registry = TestRegistry::start().await;
    let grant = json(registry.request("GET", GRANT)).await;
    let claims = grant["token"]
        .as_str()
        .expect("a token")
        .split('.')
        .nth(1)
        .expect("claims");
    let claims: Value = serde_json::from_slice(&BASE64URL.decode(claims).expect("Base64")).expect("JSON");
    let lives = claims["exp"]
        .as_i64()
        .zip(claims["iat"].as_i64())
        .map(|(end, start)| end - start);
    assert_eq!((lives, &grant["expires_in"]), (Some(300), &json!(300)));
}

/// docker would keep it as an identity token, which wkg and wash refuse.
#[tokio::test]
async fn rule_06_nobody_is_given_a_refresh_token() {
    let registry = TestRegistry::start().await;
    let form = format!(
        "grant_type=password&username=me&password={}&access_type=offline",
        registry.token
    );
    for request in [
        registry.request("GET", &format!("{GRANT}&offline_token=true&client_id=docker")),
        registry.anonymous("GET", &format!("{GRANT}&offline_token=true")),
        registry.anonymous("POST", "/token").body(form),
    ] {
        assert_eq!(json(request).await.get("refresh_token"), None);
    }
}

/// crane and oras come back with a token for the scope; containerd gives a push up at a 403.
#[tokio::test]
async fn rule_07_a_token_that_is_too_small_is_told_the_scope_before_a_push() {
    let registry = TestRegistry::start().await;
    let blob = registry.push_blob("acme/hello", b"layer").await;
    let token = registry.registry_token("repository:acme/other:pull", false).await;
    let looking = ",scope=\"repository:acme/hello:pull\",error=\"insufficient_scope\"";
    let writing = ",scope=\"repository:acme/hello:pull,push\",error=\"insufficient_scope\"";
    for (method, target, parameters) in [
        ("GET", format!("/v2/acme/hello/blobs/{blob}"), looking),
        ("GET", "/v2/acme/hello/manifests/1.0".to_owned(), looking),
        ("POST", "/v2/acme/hello/blobs/uploads/".to_owned(), writing),
        ("PUT", "/v2/acme/hello/manifests/1.0".to_owned(), writing),
    ] {
        let answer = registry.anonymous(method, &target).bearer_auth(&token).send().await;
        challenged(&registry, answer.expect("an answer"), parameters).await;
        let answer = registry
            .anonymous("HEAD", &format!("/v2/acme/hello/blobs/{blob}"))
            .bearer_auth(&token);
        assert_eq!(answer.send().await.expect("an answer").status(), 401);
    }
}

/// oci-client fails to read an error with a code that it does not know; wkg finds a new package by a lone `NAME_UNKNOWN`.
#[tokio::test]
async fn rule_08_errors_have_the_specifications_codes_and_wregs_own_in_the_detail() {
    let registry = TestRegistry::start().await;
    let absent = format!("sha256:{}", "0".repeat(64));
    for (method, target, status, code, own) in [
        ("GET", "/v2/acme/absent/tags/list", 404, "NAME_UNKNOWN", "name-unknown"),
        ("GET", "/v2/Acme/tags/list", 400, "NAME_INVALID", "name-invalid"),
        (
            "GET",
            "/v2/acme/absent/manifests/1.0",
            404,
            "MANIFEST_UNKNOWN",
            "manifest-unknown",
        ),
        (
            "GET",
            &format!("/v2/acme/absent/blobs/{absent}"),
            404,
            "BLOB_UNKNOWN",
            "blob-unknown",
        ),
        (
            "GET",
            "/v2/acme/absent/blobs/sha256:0",
            400,
            "DIGEST_INVALID",
            "digest-invalid",
        ),
        ("POST", "/v2/", 405, "UNSUPPORTED", "method-not-allowed"),
        (
            "PATCH",
            "/v2/acme/absent/blobs/uploads/0",
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "upload-unknown",
        ),
        (
            "PUT",
            "/v2/acme/absent/manifests/1.0",
            400,
            "MANIFEST_INVALID",
            "content-type-invalid",
        ),
    ] {
        let body = refused(registry.send(method, target).await, status, code).await;
        let errors = body["errors"].as_array().expect("a list");
        assert_eq!(
            (errors.len(), &errors[0]["detail"]["wreg_code"]),
            (1, &json!(own)),
            "{target}"
        );
    }
}

/// skopeo and podman would look for signatures where there are none. What of the catalog the caller sees is in `catalog.rs`.
#[tokio::test]
async fn rule_26_no_signature_extension_is_announced_and_the_catalog_is_the_callers() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    registry.push_image("other/hello", "1.0", b"layer").await;
    for target in ["/v2/", "/v2/acme/hello/manifests/1.0", "/v2/acme/hello/tags/list"] {
        for request in [registry.request("GET", target), registry.anonymous("GET", target)] {
            lacks(
                &request.send().await.expect("an answer"),
                "x-registry-supports-signatures",
            );
        }
    }
    let reader = registry.personal_token("reader", &["acme/*:pull"]).await;
    let catalog = registry.anonymous("GET", "/v2/_catalog").bearer_auth(&reader);
    assert_eq!(json(catalog).await, json!({ "repositories": ["acme/hello"] }));
}
