//! Tags: given with a manifest, moved, kept from moving, and listed.

use reqwest::Response;
use serde_json::{Value, json};
use wreg_oci::Digest;

use crate::registry::{TestRegistry, header, next_page, refused};

const LIST: &str = "/v2/acme/hello/tags/list";

/// Pushes an image of `content` with `query`; gives the answer.
async fn push(registry: &TestRegistry, selector: &str, content: &[u8]) -> Response {
    let image = registry.image("acme/hello", content).await;
    registry.put_manifest("acme/hello", selector, &image).await
}

/// What a tag points to.
async fn digest_of(registry: &TestRegistry, tag: &str) -> String {
    let answer = registry.send("GET", &format!("/v2/acme/hello/manifests/{tag}")).await;
    assert_eq!(answer.status(), 200, "{tag}");
    header(&answer, "docker-content-digest")
}

/// The tags of one page, and the path of the next one.
async fn page(registry: &TestRegistry, path: &str) -> (Vec<String>, Option<String>) {
    let answer = registry.send("GET", path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let next = next_page(&answer);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["name"], "acme/hello");
    let tags = body["tags"].as_array().expect("tags is an array").iter();
    (tags.map(|tag| tag.as_str().expect("text").to_owned()).collect(), next)
}

/// end-7b: every `tag` parameter is given to the manifest, and `OCI-Tag` tells them.
#[tokio::test]
async fn a_push_by_digest_can_give_several_tags() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    let digest = Digest::sha256(image.to_string());
    let tags: Vec<String> = (0..10).map(|i| format!("t{i}")).collect();
    let answer = registry
        .put_manifest("acme/hello", &format!("{digest}?tag={}", tags.join("&tag=")), &image)
        .await;
    assert_eq!(answer.status(), 201);
    assert_eq!(header(&answer, "oci-tag"), tags.join(", "));
    assert_eq!(
        header(&answer, "location"),
        format!("/v2/acme/hello/manifests/{digest}")
    );
    for tag in &tags {
        assert_eq!(digest_of(&registry, tag).await, digest.to_string());
    }
    let sha512 = Digest::of(wreg_oci::Algorithm::Sha512, image.to_string());
    let answer = registry
        .put_manifest("acme/hello", &format!("{sha512}?tag=t0&tag=other"), &image)
        .await;
    assert_eq!(header(&answer, "oci-tag"), "t0, other");
    assert_eq!(digest_of(&registry, "t0").await, sha512.to_string());
    assert_eq!(digest_of(&registry, "t1").await, digest.to_string());
    let answer = registry.put_manifest("acme/hello", digest.as_str(), &image).await;
    assert!(answer.headers().get("oci-tag").is_none());
}

#[tokio::test]
async fn a_push_with_a_wrong_tag_or_too_many_gives_none() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    let digest = Digest::sha256(image.to_string());
    let eleven = (0..11).map(|i| format!("tag=t{i}")).collect::<Vec<_>>().join("&");
    let answer = registry
        .put_manifest("acme/hello", &format!("{digest}?{eleven}"), &image)
        .await;
    refused(answer, 414, "UNSUPPORTED").await;
    for wrong in ["", ".hidden", "-a", "a%2Fb", "a:b", "a%20b", "%FF", &"x".repeat(129)] {
        let answer = registry
            .put_manifest("acme/hello", &format!("{digest}?tag=good&tag={wrong}"), &image)
            .await;
        refused(answer, 400, "MANIFEST_INVALID").await;
    }
    let answer = registry
        .send("GET", &format!("/v2/acme/hello/manifests/{digest}"))
        .await;
    refused(answer, 404, "MANIFEST_UNKNOWN").await;
    assert_eq!(page(&registry, LIST).await, (vec![], None));
}

#[tokio::test]
async fn tags_are_listed_in_the_order_of_their_bytes_and_pages_lead_through_all() {
    let registry = TestRegistry::start().await;
    let mut tags = [
        "latest", "1.10.0", "1.9.0", "_x", "A", "a", "Z", "z", "a-b", "a.b", "a_b", "aB", "0",
    ]
    .map(str::to_owned);
    let image = registry.image("acme/hello", b"layer").await;
    for tag in &tags {
        assert_eq!(registry.put_manifest("acme/hello", tag, &image).await.status(), 201);
    }
    tags.sort_unstable();
    assert_eq!(page(&registry, LIST).await, (tags.to_vec(), None));
    for n in [1, 2, 5, 12, 13, 14, 1000] {
        let (mut found, mut next) = (Vec::new(), Some(format!("{LIST}?n={n}")));
        while let Some(path) = next {
            let (tags, after) = page(&registry, &path).await;
            assert!(tags.len() == n || after.is_none(), "{path}");
            found.extend(tags);
            next = after;
        }
        assert_eq!(found, tags, "n={n}");
    }
    for (query, expected) in [
        ("last=a", &tags[7..]),
        ("last=a.&n=2", &tags[8..10]),
        ("last=zzz", &[]),
        ("last=", &tags[..]),
        ("last=%00&n=1", &tags[..1]),
        ("last=%F0%9F%98%80", &[]),
    ] {
        let (found, _) = page(&registry, &format!("{LIST}?{query}")).await;
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_without_n_is_complete_and_one_with_n_has_a_thousand_at_most() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    let digest = Digest::sha256(image.to_string());
    let tags: Vec<String> = (0..1010).map(|i| format!("v{i:04}")).collect();
    for ten in tags.chunks(10) {
        let selector = format!("{digest}?tag={}", ten.join("&tag="));
        assert_eq!(
            registry.put_manifest("acme/hello", &selector, &image).await.status(),
            201
        );
    }
    assert_eq!(page(&registry, LIST).await, (tags.clone(), None));
    let (first, next) = page(&registry, &format!("{LIST}?n=2147483647")).await;
    assert_eq!(first, tags[..1000]);
    assert_eq!(
        page(&registry, &next.expect("there is more")).await,
        (tags[1000..].to_vec(), None)
    );
}

/// **T01** `n` negative, no number, or beyond 63 bits → 400 UNSUPPORTED.
/// **T01** `n=0` → 200, an empty list and no Link.
#[tokio::test]
async fn n_has_to_be_a_number() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    for n in ["-1", "abc", "9223372036854775808", "", "1.5", "+1", "0x10", "%00"] {
        let answer = registry.send("GET", &format!("{LIST}?n={n}")).await;
        refused(answer, 400, "UNSUPPORTED").await;
    }
    for query in ["n=0", "n=0&last=0", "n=00"] {
        assert_eq!(page(&registry, &format!("{LIST}?{query}")).await, (vec![], None));
    }
}

/// **T05** The tags of an unknown repository → 404 `NAME_UNKNOWN`.
/// **T05** The tags of a repository whose tags are all deleted → 200 and `[]`.
#[tokio::test]
async fn a_repository_without_tags_is_not_an_unknown_one() {
    let registry = TestRegistry::start().await;
    for query in ["", "?n=0", "?n=5"] {
        let answer = registry.send("GET", &format!("{LIST}{query}")).await;
        let body = refused(answer, 404, "NAME_UNKNOWN").await;
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1));
    }
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let answer = registry.send("DELETE", "/v2/acme/hello/manifests/1.0.0").await;
    assert_eq!(answer.status(), 202);
    assert_eq!(page(&registry, LIST).await, (vec![], None));
}

/// **M17** A tag that may not move, pushed with the digest that it has → 201.
/// **M17** A tag that may not move, pushed with another digest, in the path or as a parameter → 409 DENIED, and nothing is stored.
#[tokio::test]
async fn an_immutable_tag_keeps_its_manifest() {
    for (policy, kept, moving) in [
        ("none", &[][..], &["1.0.0", "v1.0.0", "latest"][..]),
        (
            "semver",
            &["1.0.0", "v1.0.0", "0.1.0-rc.1"],
            &["latest", "1", "1.0", "01.0.0", "main"],
        ),
        ("all", &["1.0.0", "latest", "_"], &[]),
    ] {
        let registry = TestRegistry::start().await;
        registry.set("acme/hello", &json!({ "immutable_tags": policy })).await;
        let (first, second) = (
            registry.image("acme/hello", b"first").await,
            registry.image("acme/hello", b"second").await,
        );
        for tag in [kept, moving].concat() {
            for _ in 0..2 {
                let answer = registry.put_manifest("acme/hello", tag, &first).await;
                assert_eq!(answer.status(), 201, "{policy} {tag}");
            }
        }
        for tag in moving {
            let answer = registry.put_manifest("acme/hello", tag, &second).await;
            assert_eq!(answer.status(), 201, "{policy} {tag}");
        }
        let third = registry.image("acme/hello", b"third").await;
        let digest = Digest::sha256(third.to_string());
        for tag in kept {
            let before = digest_of(&registry, tag).await;
            for selector in [(*tag).to_owned(), format!("{digest}?tag=new&tag={tag}")] {
                let answer = registry.put_manifest("acme/hello", &selector, &third).await;
                let body = refused(answer, 409, "DENIED").await;
                assert_eq!(body["errors"][0]["detail"]["wreg_code"], "tag-immutable");
            }
            assert_eq!(digest_of(&registry, tag).await, before);
            for selector in ["new", digest.as_str()] {
                let answer = registry
                    .send("GET", &format!("/v2/acme/hello/manifests/{selector}"))
                    .await;
                refused(answer, 404, "MANIFEST_UNKNOWN").await;
            }
        }
    }
}

/// **M17** A tag that may not move, deleted and pushed again with another digest → 409 DENIED; with its own → 201.
#[tokio::test]
async fn an_immutable_tag_that_was_deleted_stays_taken() {
    let registry = TestRegistry::start().await;
    registry.set("acme/hello", &json!({ "immutable_tags": "semver" })).await;
    for (tag, by) in [("1.0.0", "tag"), ("2.0.0", "digest")] {
        let digest = header(&push(&registry, tag, tag.as_bytes()).await, "docker-content-digest");
        let selector = if by == "tag" { tag } else { &digest };
        let answer = registry
            .send("DELETE", &format!("/v2/acme/hello/manifests/{selector}"))
            .await;
        assert_eq!(answer.status(), 202);
        refused(push(&registry, tag, b"another").await, 409, "DENIED").await;
        assert_eq!(push(&registry, tag, tag.as_bytes()).await.status(), 201);
        assert_eq!(digest_of(&registry, tag).await, digest);
    }
}

/// **M21** A tag update whose `If-Match` is stale, or no digest → 412, and the tag stays.
/// **M21** A push with `If-None-Match: *` of a tag that exists → 412.
#[tokio::test]
async fn a_tag_moves_only_from_where_the_client_thinks_it_is() {
    let registry = TestRegistry::start().await;
    let first = registry.push_image("acme/hello", "latest", b"first").await;
    let second = registry.image("acme/hello", b"second").await;
    let conditional = async |tag: &str, header: &str, value: String| {
        let request = registry.request("PUT", &format!("/v2/acme/hello/manifests/{tag}"));
        let request = request
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .header(header, value)
            .body(second.to_string());
        request.send().await.expect("an answer")
    };
    let stale = Digest::sha256("stale");
    for (tag, header, value) in [
        ("latest", "if-match", format!("\"{stale}\"")),
        ("latest", "if-match", "\"nonsense\"".to_owned()),
        ("latest", "if-none-match", "*".to_owned()),
        ("new", "if-match", format!("\"{first}\"")),
    ] {
        let body = refused(conditional(tag, header, value).await, 412, "DENIED").await;
        assert_eq!(body["errors"][0]["detail"]["wreg_code"], "precondition-failed");
        assert_eq!(page(&registry, LIST).await, (vec!["latest".to_owned()], None));
        assert_eq!(digest_of(&registry, "latest").await, first.to_string());
    }
    assert_eq!(conditional("new", "if-none-match", "*".to_owned()).await.status(), 201);
    assert_eq!(
        conditional("latest", "if-match", format!("\"{first}\"")).await.status(),
        201
    );
    let moved = Digest::sha256(second.to_string()).to_string();
    assert_eq!(
        [digest_of(&registry, "latest").await, digest_of(&registry, "new").await],
        [moved.clone(), moved]
    );
}
