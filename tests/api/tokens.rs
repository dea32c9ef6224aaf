//! `/token`: what is granted, and how it is written.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use wreg_registry::Clock;

use crate::{
    auth::{challenged, unknown_token},
    registry::{Options, TestRegistry, header, refused},
};

/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000_000;

async fn granted(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    answer.json().await.expect("JSON")
}

/// Part 0 (header) or 1 (claims) of a token.
fn part(answer: &Value, index: usize) -> Value {
    let token = answer["token"].as_str().expect("a token");
    let part = token.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&BASE64URL.decode(part).expect("Base64")).expect("JSON")
}

fn access(answer: &Value) -> Value {
    part(answer, 1)["access"].take()
}

async fn at(clock: &Clock) -> TestRegistry {
    TestRegistry::with(Options::at(clock)).await
}

#[tokio::test]
async fn a_token_is_a_jwt_for_five_minutes_and_comes_without_a_refresh_token() {
    let registry = at(&Clock::manual(NOW)).await;
    let target =
        "/token?service=wreg&scope=repository:acme/hello:pull,push&offline_token=true&client_id=test&account=admin";
    let answer = granted(registry.request("GET", target)).await;
    let members: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "issued_at", "token"]);
    assert_eq!(answer["token"], answer["access_token"]);
    assert_eq!(
        (&answer["expires_in"], &answer["issued_at"]),
        (&json!(300), &json!("2023-11-14T22:13:20Z"))
    );
    let header = part(&answer, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("EdDSA")));
    let mut claims = part(&answer, 1);
    let seconds = NOW / 1000;
    assert!(claims["jti"].take().is_string());
    let expected = json!({
        "iss": "wreg", "sub": "admin", "aud": "wreg", "jti": null,
        "iat": seconds, "nbf": seconds - 60, "exp": seconds + 300,
        "access": [{ "type": "repository", "name": "acme/hello", "actions": ["pull", "push"] }],
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_registry_token_works_until_it_expires() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let token = registry.registry_token("repository:acme/hello:pull,push", false).await;
    let ask = || {
        registry
            .anonymous("GET", "/v2/acme/hello/tags/list")
            .bearer_auth(&token)
            .send()
    };
    let pushed = registry.anonymous(
        "POST",
        &format!(
            "/v2/acme/hello/blobs/uploads/?digest={}",
            wreg_oci::Digest::sha256("layer")
        ),
    );
    let pushed = pushed.bearer_auth(&token).body("layer").send().await;
    assert_eq!(pushed.expect("an answer").status(), StatusCode::CREATED);
    // It lives for 300 seconds, and clocks may be 60 apart.
    clock.advance(Duration::from_secs(359));
    assert_eq!(ask().await.expect("an answer").status(), StatusCode::OK);
    clock.advance(Duration::from_secs(1));
    challenged(&registry, ask().await.expect("an answer"), ",error=\"invalid_token\"").await;
}

#[tokio::test]
async fn scopes_come_repeated_and_joined() {
    let registry = TestRegistry::start().await;
    let both = json!([
        { "type": "repository", "name": "a/b", "actions": ["pull"] },
        { "type": "repository", "name": "c", "actions": ["pull", "push"] },
    ]);
    for query in [
        "scope=repository:a/b:pull&scope=repository:c:pull,push",
        "scope=repository:a/b:pull%20repository:c:pull,push",
        "scope=repository:a/b:pull+repository:c:pull,push",
        "scope=repository%3Aa%2Fb%3Apull&scope=repository:c:pull,push,pull",
    ] {
        assert_eq!(
            access(&granted(registry.request("GET", &format!("/token?{query}"))).await),
            both
        );
        let form = format!("grant_type=password&username=x&password={}&{query}", registry.token);
        assert_eq!(
            access(&granted(registry.anonymous("POST", "/token").body(form)).await),
            both
        );
    }
}

#[tokio::test]
async fn too_much_is_granted_in_part_and_never_an_error() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/private", "1.0", b"layer").await;
    registry.push_image("acme/public", "1.0", b"layer").await;
    let body = r#"{"visibility":"public"}"#;
    let answer = registry
        .send_body("PATCH", "/api/v1/repository?repository=acme/public", body)
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let pull = json!([{ "type": "repository", "name": "acme/public", "actions": ["pull"] }]);
    for (scope, expected) in [
        ("repository:acme/public:pull,push,delete", &pull),
        ("repository:acme/public:*", &pull),
        ("repository:acme/private:pull", &json!([])),
        ("repository:acme/absent:pull", &json!([])),
        ("repository:acme/private:pull repository:acme/public:pull", &pull),
        ("registry:catalog:*", &json!([])),
        ("repository:Not/A/Name:pull", &json!([])),
        ("nonsense", &json!([])),
        ("", &json!([])),
    ] {
        let answer = granted(registry.anonymous("GET", &format!("/token?service=wreg&scope={scope}"))).await;
        assert_eq!(
            (&access(&answer), &part(&answer, 1)["sub"]),
            (expected, &json!("")),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn the_administrator_is_granted_everything_that_is_asked_for() {
    let registry = TestRegistry::start().await;
    let answer =
        granted(registry.request("GET", "/token?scope=repository:acme/hello:*&scope=registry:catalog:*")).await;
    let everything = json!([
        { "type": "repository", "name": "acme/hello", "actions": ["pull", "push", "delete", "*"] },
        { "type": "registry", "name": "catalog", "actions": ["*"] },
    ]);
    assert_eq!(access(&answer), everything);
    let token = answer["token"].as_str().expect("a token");
    for (method, target, body) in [
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", ""),
        ("PATCH", "/api/v1/repository?repository=acme/hello", "{}"),
    ] {
        let answer = registry
            .anonymous(method, target)
            .bearer_auth(token)
            .body(body)
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::OK, "{target}");
    }
    let answer = granted(registry.request("GET", "/token")).await;
    assert_eq!(access(&answer), json!([]));
}

#[tokio::test]
async fn a_form_is_taken_with_either_grant_and_is_told_the_scope() {
    let registry = TestRegistry::start().await;
    let token = &registry.token;
    for credentials in [
        format!("grant_type=password&username=admin&password={token}"),
        format!("grant_type=password&username=&password={token}"),
        format!("grant_type=refresh_token&refresh_token={token}"),
    ] {
        let form =
            format!("{credentials}&service=wreg&client_id=test&scope=repository:a:pull,push%20registry:catalog:*");
        let request = registry.anonymous("POST", "/token").body(form);
        let answer = granted(request.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!(answer["scope"], "repository:a:pull,push registry:catalog:*");
        assert_eq!(answer["access_token"], answer["token"]);
        assert_eq!(answer["expires_in"], 300);
        assert!(answer["issued_at"].is_string() && answer.get("refresh_token").is_none());
    }
}

#[tokio::test]
async fn wrong_credentials_get_no_token_even_for_what_is_public() {
    let registry = TestRegistry::with(Options {
        config: "default_visibility = \"public\"",
        ..Options::default()
    })
    .await;
    registry.push_image("acme/public", "1.0", b"layer").await;
    let target = "/token?scope=repository:acme/public:pull";
    let jwt = registry.registry_token("repository:acme/public:pull", false).await;
    let (unknown, get) = (unknown_token(), || registry.anonymous("GET", target));
    // A registry token is no credential here: otherwise one could be made to live for ever.
    for request in [
        get().basic_auth("admin", Some("wrong")),
        get().basic_auth("admin", Some(&unknown)),
        get().bearer_auth(&unknown),
        get().bearer_auth("nonsense"),
        get().bearer_auth(&jwt),
        get().basic_auth("admin", Some(&jwt)),
    ] {
        let answer = request.send().await.expect("an answer");
        challenged(&registry, answer, ",error=\"invalid_token\"").await;
    }
    for form in [
        format!("grant_type=password&username=admin&password={unknown}"),
        format!("grant_type=password&username=admin&password={jwt}"),
        format!("grant_type=refresh_token&refresh_token={jwt}"),
        "grant_type=password&username=admin".to_owned(),
        "grant_type=password&username=&password=".to_owned(),
    ] {
        let answer = registry.anonymous("POST", "/token").body(form).send().await;
        challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    }
}

#[tokio::test]
async fn a_form_of_another_kind_or_size_is_refused() {
    let registry = TestRegistry::start().await;
    for form in [
        "",
        "grant_type=",
        "grant_type=client_credentials",
        "{\"grant_type\":\"password\"}",
    ] {
        let answer = registry.anonymous("POST", "/token").body(form).send().await;
        refused(answer.expect("an answer"), 400, "UNSUPPORTED").await;
    }
    let form = format!(
        "grant_type=password&password={}&x={}",
        registry.token,
        "x".repeat(16 * 1024)
    );
    let answer = registry.anonymous("POST", "/token").body(form).send().await;
    refused(answer.expect("an answer"), 413, "SIZE_INVALID").await;
    let answer = registry.anonymous("PUT", "/token").send().await.expect("an answer");
    assert_eq!(header(&answer, "allow"), "GET, HEAD, POST");
    refused(answer, 405, "UNSUPPORTED").await;
}

#[tokio::test]
async fn a_grant_ends_with_the_right_that_it_came_from() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let set = async |visibility: &str| {
        let body = json!({ "visibility": visibility }).to_string();
        let answer = registry
            .send_body("PATCH", "/api/v1/repository?repository=acme/hello", body)
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
    };
    set("public").await;
    let token = registry.registry_token("repository:acme/hello:pull", true).await;
    let ask = || {
        registry
            .anonymous("GET", "/v2/acme/hello/manifests/1.0")
            .bearer_auth(&token)
            .send()
    };
    assert_eq!(ask().await.expect("an answer").status(), StatusCode::OK);
    set("private").await;
    let parameters = ",scope=\"repository:acme/hello:pull\",error=\"insufficient_scope\"";
    challenged(&registry, ask().await.expect("an answer"), parameters).await;
}
