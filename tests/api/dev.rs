//! `--dev`: for one person on one machine, everything is open.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::StatusCode;
use serde_json::json;
use wreg_oci::{Digest, MediaType};

use crate::{
    auth::{challenged, unknown_token},
    registry::{Options, TestRegistry},
};

async fn dev() -> TestRegistry {
    TestRegistry::with(Options {
        config: "dev = true",
        ..Options::default()
    })
    .await
}

/// Basic with an empty user name and an empty password.
fn empty() -> String {
    format!("Basic {}", BASE64.encode(":"))
}

#[tokio::test]
async fn in_dev_nobody_needs_credentials_to_push_pull_list_and_delete() {
    let registry = dev().await;
    for authorization in [None, Some(empty())] {
        let send = async |method: &str, target: &str, body: &str, expected: u16| {
            let mut request = registry.anonymous(method, target).body(body.to_owned());
            request = request.header("content-type", MediaType::IMAGE_MANIFEST.as_str());
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), expected, "{method} {target}");
        };
        let (config, layer) = (Digest::sha256("{}"), Digest::sha256("layer"));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": { "mediaType": "application/json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": "application/wasm", "digest": layer, "size": 5 }],
        });
        send("GET", "/v2/", "", 200).await;
        send("POST", &format!("/v2/a/b/blobs/uploads/?digest={config}"), "{}", 201).await;
        send("POST", &format!("/v2/a/b/blobs/uploads/?digest={layer}"), "layer", 201).await;
        send("PUT", "/v2/a/b/manifests/1.0", &manifest.to_string(), 201).await;
        send("GET", "/v2/a/b/manifests/1.0", "", 200).await;
        send("GET", &format!("/v2/a/b/blobs/{layer}"), "", 200).await;
        send("GET", "/v2/a/b/tags/list", "", 200).await;
        send("GET", "/v2/_catalog", "", 200).await;
        send("GET", "/api/v1/repositories", "", 200).await;
        send("DELETE", "/v2/a/b/manifests/1.0", "", 202).await;
    }
}

#[tokio::test]
async fn in_dev_clients_that_ask_for_a_token_get_one_that_works() {
    let registry = dev().await;
    for authorization in [None, Some(empty())] {
        let mut request = registry.anonymous("GET", "/token?scope=repository:a/b:pull,push,delete,*");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let token = answer["token"].as_str().expect("a token");
        let target = format!("/v2/a/b/blobs/uploads/?digest={}", Digest::sha256("layer"));
        let pushed = registry.anonymous("POST", &target).bearer_auth(token).body("layer");
        assert_eq!(pushed.send().await.expect("an answer").status(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn in_dev_settings_are_still_the_administrators_and_wrong_credentials_are_wrong() {
    let registry = dev().await;
    let target = "/api/v1/repository?repository=a/b";
    let answer = registry.anonymous("PATCH", target).body("{}").send().await;
    challenged(&registry, answer.expect("an answer"), ",scope=\"repository:a/b:*\"").await;
    assert_eq!(registry.send_body("PATCH", target, "{}").await.status(), StatusCode::OK);
    for target in ["/v2/", "/v2/_catalog", "/token"] {
        let request = registry
            .anonymous("GET", target)
            .basic_auth("admin", Some(unknown_token()));
        let answer = request.send().await.expect("an answer");
        challenged(&registry, answer, ",error=\"invalid_token\"").await;
    }
}

#[tokio::test]
async fn without_dev_an_empty_user_and_password_are_wrong_credentials() {
    let registry = TestRegistry::start().await;
    for target in ["/v2/", "/v2/a/b/tags/list", "/token", "/v2/_catalog"] {
        let answer = registry
            .anonymous("GET", target)
            .header("authorization", empty())
            .send()
            .await;
        challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    }
}
