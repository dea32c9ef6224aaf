//! Repository names and tags: what the grammar takes works everywhere, and what it does not is refused everywhere.

use reqwest::StatusCode;
use wreg_oci::Digest;

use crate::{
    registry::{TestRegistry, header, refused},
    wire::{exchange, refusal},
};

/// Every kind of request that names a repository.
fn requests_for(name: &str) -> [(&'static str, String); 10] {
    let digest = Digest::sha256("x");
    [
        ("GET", format!("/v2/{name}/blobs/{digest}")),
        ("DELETE", format!("/v2/{name}/blobs/{digest}")),
        ("POST", format!("/v2/{name}/blobs/uploads/")),
        ("POST", format!("/v2/{name}/blobs/uploads/?digest={digest}")),
        (
            "PATCH",
            format!("/v2/{name}/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ),
        ("GET", format!("/v2/{name}/manifests/1.0.0")),
        ("PUT", format!("/v2/{name}/manifests/1.0.0")),
        ("DELETE", format!("/v2/{name}/manifests/1.0.0")),
        ("GET", format!("/v2/{name}/tags/list")),
        ("GET", format!("/v2/{name}/referrers/{digest}")),
    ]
}

/// Asserts that no request takes the name, and that none has left a trace.
async fn refused_everywhere(names: impl IntoIterator<Item = String>) {
    let registry = TestRegistry::start().await;
    for name in names {
        for (method, target) in requests_for(&name) {
            let answer = exchange(&registry, method, &target, b"x").await;
            assert_eq!(
                refusal(&answer),
                (400, "NAME_INVALID".to_owned()),
                "{method} {target}: {}",
                answer.text()
            );
        }
    }
    for statement in [
        "SELECT COUNT(*) FROM repositories",
        "SELECT COUNT(*) FROM uploads",
        "SELECT COUNT(*) FROM blobs",
    ] {
        assert_eq!(registry.count(statement).await, 0, "{statement}");
    }
}

/// **N01** Upper case, a separator at an end, doubled or mixed, an empty part, `..` → 400 `NAME_INVALID`, whatever is asked for.
#[tokio::test]
async fn a_name_outside_the_grammar_is_refused_by_every_request() {
    let names = [
        "Foo/bar",
        "foo/Bar",
        ".a",
        "-a",
        "_a",
        "a.",
        "a-",
        "a/",
        "a//b",
        "a/../b",
        "a/.",
        "a___b",
        "a._b",
        "a..b",
        "a-_b",
        "acme/a%20b",
        "acme/a%2Fb",
        "acme/a%5Cb",
        "acme/a%252Eb",
        "acme/a+b",
        "acme/a:b",
    ];
    refused_everywhere(names.map(str::to_owned)).await;
}

/// **N04** Letters of another alphabet that look alike, marks that turn the direction, NUL, line ends, emoji, bytes that are no text → 400 `NAME_INVALID`.
#[tokio::test]
async fn a_name_that_is_not_plain_ascii_is_refused_by_every_request() {
    let names = [
        "acme/h%D0%B5llo",
        "acme/%E2%80%AEolleh",
        "acme/hello%00",
        "acme/hel%0Alo",
        "acme/hello%0D%0AX-A:b",
        "acme/%F0%9F%A6%80",
        "acme/h%C3%A9llo",
        "acme/hello%FF",
        "acme/hello%C3",
    ];
    refused_everywhere(names.map(str::to_owned)).await;
}

/// **N03** 256 characters; 200 parts → 400 `NAME_INVALID`. 255 characters work, in one part or in 128.
#[tokio::test]
async fn a_name_of_more_than_255_characters_is_refused() {
    refused_everywhere([
        "a".repeat(256),
        vec!["a"; 200].join("/"),
        format!("acme/{}", "b".repeat(7000)),
    ])
    .await;
    let registry = TestRegistry::start().await;
    for name in ["a".repeat(255), vec!["a"; 128].join("/")] {
        push_and_pull(&registry, &name).await;
    }
}

/// **N02** Every separator that the grammar has, alone and in turns, and parts named as the paths of the interface → works from push to pull.
#[tokio::test]
async fn a_name_within_the_grammar_works_from_push_to_pull() {
    let registry = TestRegistry::start().await;
    for name in [
        "a__b",
        "a--b",
        "a---b",
        "a.b_c/d",
        "0/1-2.3",
        "hello",
        "blobs/uploads",
        "acme/manifests/latest",
        "acme/tags/list",
        "acme/blobs",
        "v2/referrers",
    ] {
        push_and_pull(&registry, name).await;
    }
}

async fn push_and_pull(registry: &TestRegistry, name: &str) {
    let digest = registry.push_image(name, "1.0.0", name.as_bytes()).await;
    let manifest = registry.send("GET", &format!("/v2/{name}/manifests/1.0.0")).await;
    assert_eq!(header(&manifest, "docker-content-digest"), digest.to_string(), "{name}");
    let layer = Digest::sha256(name);
    let blob = registry.send("GET", &format!("/v2/{name}/blobs/{layer}")).await;
    assert_eq!(blob.text().await.expect("a body"), name);
    let tags = registry.send("GET", &format!("/v2/{name}/tags/list")).await;
    assert_eq!(
        tags.text().await.expect("a body"),
        format!(r#"{{"name":"{name}","tags":["1.0.0"]}}"#)
    );
    let session = registry.start_upload(name).await;
    assert_eq!(
        registry.send("DELETE", &session).await.status(),
        StatusCode::NO_CONTENT,
        "{name}"
    );
}

/// **N06** A tag of 129 characters, one that begins with `.` or `-`, one with `@`, an escaped `/` or what is no ASCII → PUT 400 `MANIFEST_INVALID`, GET and DELETE 404 `MANIFEST_UNKNOWN`.
#[tokio::test]
async fn a_tag_outside_the_grammar_can_be_neither_written_nor_found() {
    let registry = TestRegistry::start().await;
    let manifest = registry.image("acme/hello", b"layer").await;
    for tag in [
        "a".repeat(129),
        ".a".to_owned(),
        "-a".to_owned(),
        "a@b".to_owned(),
        "a%2Fb".to_owned(),
        "a%20b".to_owned(),
        "a+b".to_owned(),
        "%C3%A4".to_owned(),
        "a%00".to_owned(),
    ] {
        let target = format!("/v2/acme/hello/manifests/{tag}");
        refused(
            registry.put_manifest("acme/hello", &tag, &manifest).await,
            400,
            "MANIFEST_INVALID",
        )
        .await;
        for method in ["GET", "DELETE"] {
            refused(registry.send(method, &target).await, 404, "MANIFEST_UNKNOWN").await;
        }
        assert_eq!(registry.send("HEAD", &target).await.status(), StatusCode::NOT_FOUND);
        // The same as a parameter beside a digest.
        let digest = Digest::sha256(manifest.to_string());
        let with_tag = format!("{digest}?tag=1.0.0&tag={tag}");
        refused(
            registry.put_manifest("acme/hello", &with_tag, &manifest).await,
            400,
            "MANIFEST_INVALID",
        )
        .await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM manifests").await, 0);
    assert_eq!(registry.count("SELECT COUNT(*) FROM tags").await, 0);
    let longest = "a".repeat(128);
    let answer = registry.put_manifest("acme/hello", &longest, &manifest).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
}

/// **N06** A colon in the place of a tag → meant as a digest, and refused as one: 400 `DIGEST_INVALID`.
#[tokio::test]
async fn what_has_a_colon_is_read_as_a_digest() {
    let registry = TestRegistry::start().await;
    let manifest = registry.image("acme/hello", b"layer").await;
    for selector in ["a:b", "1.0.0:", ":", "latest:latest"] {
        refused(
            registry.put_manifest("acme/hello", selector, &manifest).await,
            400,
            "DIGEST_INVALID",
        )
        .await;
        let target = format!("/v2/acme/hello/manifests/{selector}");
        refused(registry.send("GET", &target).await, 400, "DIGEST_INVALID").await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM manifests").await, 0);
}
