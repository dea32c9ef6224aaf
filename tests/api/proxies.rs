//! By which name and scheme clients are told to come, and whose word counts for it: the configured URL, a trusted proxy's, the client's.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::registry::{Options, TestRegistry, header};

async fn with_config(config: &'static str) -> TestRegistry {
    TestRegistry::with(Options {
        config,
        ..Options::default()
    })
    .await
}

/// Asks without credentials, as a proxy in front would ask.
async fn forwarded(registry: &TestRegistry, target: &str) -> Response {
    let request = registry
        .anonymous("GET", target)
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "reg.example");
    request.send().await.expect("an answer")
}

fn realm(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let challenge = header(answer, "www-authenticate");
    let rest = challenge.strip_prefix("Bearer realm=\"").expect("a realm");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// **H14** `X-Forwarded-*` from a peer that is no trusted proxy → ignored; from one that is → the challenge names the scheme and host that the client used.
#[tokio::test]
async fn the_realm_is_where_the_client_reached_the_server() {
    let registry = TestRegistry::start().await;
    let own = format!("http://{}/token", registry.address);
    assert_eq!(realm(&forwarded(&registry, "/v2/").await), own);
    let others = with_config("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]").await;
    let own = format!("http://{}/token", others.address);
    assert_eq!(realm(&forwarded(&others, "/v2/").await), own);
    let trusting = with_config("trusted_proxies = \"127.0.0.0/8\"").await;
    assert_eq!(realm(&forwarded(&trusting, "/v2/").await), "https://reg.example/token");
    let own = format!("http://{}/token", trusting.address);
    assert_eq!(
        realm(&trusting.anonymous("GET", "/v2/").send().await.expect("an answer")),
        own
    );
    let public = with_config("trusted_proxies = \"127.0.0.1\"\npublic_url = \"https://public.example\"").await;
    assert_eq!(realm(&forwarded(&public, "/v2/").await), "https://public.example/token");
}

/// Tools of WebAssembly packages are told the registry by the name that they used → public, cacheable, and for scripts of any origin.
#[tokio::test]
async fn package_tools_are_told_where_packages_are() {
    let registry = with_config("trusted_proxies = \"127.0.0.1\"").await;
    let target = "/.well-known/wasm-pkg/registry.json";
    for (answer, host) in [
        (
            registry.anonymous("GET", target).send().await.expect("an answer"),
            registry.address.to_string(),
        ),
        (forwarded(&registry, target).await, "reg.example".to_owned()),
    ] {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "access-control-allow-origin"), "*");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=3600");
        assert_eq!(header(&answer, "content-type"), "application/json");
        let body: Value = answer.json().await.expect("JSON");
        let expected = json!({ "preferredProtocol": "oci", "oci": { "registry": host, "namespacePrefix": "" } });
        assert_eq!(body, expected);
    }
    let answer = registry.send("POST", target).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&answer, "allow"), "GET, HEAD");
}
