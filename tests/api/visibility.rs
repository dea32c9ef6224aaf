//! What a repository's visibility opens, and what it keeps from those who may not know of it.

use reqwest::StatusCode;
use serde_json::{Value, json};
use wreg_oci::Digest;

use crate::{
    auth::{challenged, comparable},
    registry::{Options, TestRegistry, header},
};

/// Everything that can be read of a repository made by `push_image`.
fn reads(repository: &str, manifest: &Digest) -> [String; 6] {
    let layer = Digest::sha256("layer");
    [
        format!("/v2/{repository}/manifests/1.0"),
        format!("/v2/{repository}/manifests/{manifest}"),
        format!("/v2/{repository}/blobs/{layer}"),
        format!("/v2/{repository}/tags/list"),
        format!("/v2/{repository}/referrers/{manifest}"),
        format!("/api/v1/repository?repository={repository}"),
    ]
}

/// And everything that cannot be without credentials, whatever it is.
fn writes(repository: &str) -> [(&'static str, String); 5] {
    let layer = Digest::sha256("layer");
    [
        ("POST", format!("/v2/{repository}/blobs/uploads/")),
        ("PUT", format!("/v2/{repository}/manifests/2.0")),
        ("DELETE", format!("/v2/{repository}/manifests/1.0")),
        ("DELETE", format!("/v2/{repository}/blobs/{layer}")),
        ("PATCH", format!("/api/v1/repository?repository={repository}")),
    ]
}

#[tokio::test]
async fn a_repository_is_private_until_it_is_made_public_and_again_after() {
    let registry = TestRegistry::start().await;
    let manifest = registry.push_image("acme/hello", "1.0", b"layer").await;
    let status = async |method: &str, target: &str| {
        let answer = registry.anonymous(method, target).send().await;
        answer.expect("an answer").status()
    };
    for (visibility, expected) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("public"), StatusCode::OK),
        (Some("private"), StatusCode::UNAUTHORIZED),
    ] {
        if let Some(visibility) = visibility {
            registry.set("acme/hello", &json!({ "visibility": visibility })).await;
        }
        for target in reads("acme/hello", &manifest) {
            assert_eq!(status("GET", &target).await, expected, "{visibility:?} {target}");
            assert_eq!(status("HEAD", &target).await, expected, "{visibility:?} {target}");
        }
        for (method, target) in writes("acme/hello") {
            assert_eq!(
                status(method, &target).await,
                StatusCode::UNAUTHORIZED,
                "{visibility:?} {method} {target}"
            );
        }
        // Whoever sends no credentials learns here that there are some, whatever is public.
        assert_eq!(status("GET", "/v2/").await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_visibility_of_new_repositories_can_be_configured() {
    let registry = TestRegistry::with(Options {
        config: "default_visibility = \"public\"",
        ..Options::default()
    })
    .await;
    let manifest = registry.push_image("acme/hello", "1.0", b"layer").await;
    for target in reads("acme/hello", &manifest) {
        let answer = registry.anonymous("GET", &target).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{target}");
    }
    for (method, target) in writes("acme/hello") {
        let answer = registry.anonymous(method, &target).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{target}");
    }
    // What nobody made is not public: that would tell which names are taken.
    let answer = registry.anonymous("GET", "/v2/acme/absent/tags/list").send().await;
    challenged(
        &registry,
        answer.expect("an answer"),
        ",scope=\"repository:acme/absent:pull\"",
    )
    .await;
}

#[tokio::test]
async fn a_private_repository_and_none_at_all_are_answered_alike() {
    let registry = TestRegistry::start().await;
    let manifest = registry.push_image("acme/hidden", "1.0", b"layer").await;
    registry.push_image("acme/own", "1.0", b"layer").await;
    let jwt = registry.registry_token("repository:acme/own:pull,push", false).await;
    let anonymous_jwt = registry.registry_token("repository:acme/hidden:pull", true).await;
    let targets = |repository: &str| {
        let reads = reads(repository, &manifest).map(|target| ("GET", target));
        let heads = reads.clone().map(|(_, target)| ("HEAD", target));
        reads
            .into_iter()
            .chain(heads)
            .chain(writes(repository))
            .collect::<Vec<_>>()
    };
    for bearer in [None, Some(&jwt), Some(&anonymous_jwt)] {
        let pairs = targets("acme/hidden").into_iter().zip(targets("acme/absent"));
        for ((method, hidden), (_, absent)) in pairs {
            let ask = async |target: &str| {
                let request = registry.anonymous(method, target);
                let request = if let Some(token) = bearer {
                    request.bearer_auth(token)
                } else {
                    request
                };
                comparable(request.send().await.expect("an answer")).await
            };
            let (there, not_there) = (ask(&hidden).await, ask(&absent).await);
            assert_eq!(
                format!("{there:?}"),
                format!("{not_there:?}").replace("acme/absent", "acme/hidden")
            );
            assert_eq!(there.0, StatusCode::UNAUTHORIZED, "{method} {hidden}");
        }
    }
}

/// A client that mounts has a registry token for where the blob goes; whose token that is decides from where it may come.
#[tokio::test]
async fn a_blob_is_mounted_from_where_the_owner_of_the_token_may_read() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_blob("acme/hidden", b"layer").await;
    let jwt = registry.registry_token("repository:acme/own:pull,push", false).await;
    let own = format!("/v2/acme/own/blobs/{digest}");
    let ask = async |method: &str, target: &str| {
        let request = registry.anonymous(method, target).bearer_auth(&jwt);
        request.send().await.expect("an answer")
    };
    let mount = async |from: &str| {
        let target = format!("/v2/acme/own/blobs/uploads/?mount={digest}{from}");
        ask("POST", &target).await
    };
    let hidden = format!("/v2/acme/hidden/blobs/{digest}");
    assert_eq!(ask("GET", &hidden).await.status(), StatusCode::UNAUTHORIZED);

    let answer = mount("&from=acme/absent").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(answer.headers().get("docker-content-digest").is_none());
    let cancelled = ask("DELETE", &header(&answer, "location")).await;
    assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
    for from in ["&from=acme/hidden", ""] {
        assert_eq!(ask("HEAD", &own).await.status(), StatusCode::NOT_FOUND, "{from}");
        assert_eq!(mount(from).await.status(), StatusCode::CREATED, "{from}");
        assert_eq!(ask("HEAD", &own).await.status(), StatusCode::OK, "{from}");
        assert_eq!(
            registry.send("DELETE", &own).await.status(),
            StatusCode::ACCEPTED,
            "{from}"
        );
    }
}

#[tokio::test]
async fn a_blob_is_not_mounted_from_where_the_owner_of_the_token_cannot_read() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_blob("acme/hidden", b"layer").await;
    let secret = registry.personal_token("pusher", &["acme/own:pull,push"]).await;
    let grant = registry
        .anonymous("GET", "/token?scope=repository:acme/own:pull,push")
        .bearer_auth(&secret);
    let grant: Value = grant.send().await.expect("an answer").json().await.expect("JSON");
    let jwt = grant["token"].as_str().expect("a token");
    for token in [secret.as_str(), jwt] {
        let ask = async |method: &str, target: &str| {
            let request = registry.anonymous(method, target).bearer_auth(token);
            request.send().await.expect("an answer")
        };
        for from in ["&from=acme/hidden", "", "&from=acme/absent"] {
            let mount = format!("/v2/acme/own/blobs/uploads/?mount={digest}{from}");
            let answer = ask("POST", &mount).await;
            assert_eq!(answer.status(), StatusCode::ACCEPTED, "{from}");
            assert!(answer.headers().get("docker-content-digest").is_none());
            let cancelled = ask("DELETE", &header(&answer, "location")).await;
            assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
        }
        let own = format!("/v2/acme/own/blobs/{digest}");
        assert_eq!(ask("HEAD", &own).await.status(), StatusCode::NOT_FOUND);
        registry.set("acme/hidden", &json!({ "visibility": "public" })).await;
        let mount = format!("/v2/acme/own/blobs/uploads/?mount={digest}&from=acme/hidden");
        assert_eq!(ask("POST", &mount).await.status(), StatusCode::CREATED);
        registry.set("acme/hidden", &json!({ "visibility": "private" })).await;
        assert_eq!(registry.send("DELETE", &own).await.status(), StatusCode::ACCEPTED);
    }
}
