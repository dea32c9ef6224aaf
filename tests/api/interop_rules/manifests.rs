//! Rules 9 to 12, 22, 24 and 25: manifests, tags, referrers, names.

use futures_util::future::join_all;
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType, Tag};

use super::{has_headers, lacks};
use crate::registry::{TestRegistry, header, next_page};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The referrers of `subject` by digest, by one request: crane and cosign follow no link.
async fn referrers(registry: &TestRegistry, subject: &Digest) -> Vec<Value> {
    let answer = registry
        .send("GET", &format!("/v2/acme/hello/referrers/{subject}"))
        .await;
    assert_eq!(answer.status(), 200);
    has_headers(&answer, &[("content-type", INDEX)]);
    let mut index: Value = answer.json().await.expect("JSON");
    serde_json::from_value(index["manifests"].take()).expect("a list")
}

/// An index of these manifests.
fn index(manifests: &[(&Digest, usize)]) -> Value {
    let entries: Vec<_> = manifests
        .iter()
        .map(|(digest, size)| json!({ "mediaType": INDEX, "digest": digest, "size": size }))
        .collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries })
}

/// crane fails without the digest on HEAD, containerd falls back to GET.
#[tokio::test]
async fn rule_09_a_manifest_comes_with_its_exact_bytes_type_digest_and_length() {
    let registry = TestRegistry::start().await;
    let text = format!("{{ \"schemaVersion\":2,\n\t\"mediaType\":\"{INDEX}\", \"manifests\": [ ] }}");
    let digest = Digest::sha256(&text);
    let with_parameter = format!("{INDEX}; charset=utf-8");
    let put = registry.put_bytes("acme/hello", "1.0", &with_parameter, text.clone());
    assert_eq!(put.await.status(), 201);
    for selector in ["1.0", digest.as_str()] {
        for method in ["GET", "HEAD"] {
            let answer = registry
                .send(method, &format!("/v2/acme/hello/manifests/{selector}"))
                .await;
            assert_eq!(answer.status(), 200);
            let (length, tag) = (text.len().to_string(), format!("\"{digest}\""));
            let expected = [
                ("content-type", INDEX),
                ("docker-content-digest", digest.as_str()),
                ("content-length", &length),
                ("etag", &tag),
            ];
            has_headers(&answer, &expected);
            if method == "GET" {
                assert_eq!(answer.text().await.expect("a body"), text);
            }
        }
    }
}

/// wkg and Spin print the digest that they read from the end of `Location`; regctl compares `OCI-Subject` and `OCI-Tag`.
#[tokio::test]
async fn rule_10_a_push_tells_where_the_manifest_is_by_digest() {
    let registry = TestRegistry::start().await;
    let subject = Digest::sha256("subject");
    let mut manifest = registry.image("acme/hello", b"layer").await;
    manifest["subject"] = json!({ "mediaType": MediaType::IMAGE_MANIFEST, "digest": subject, "size": 7 });
    let digest = Digest::sha256(manifest.to_string());
    let location = format!("/v2/acme/hello/manifests/{digest}");
    for (selector, tags) in [("1.0", None), (&format!("{digest}?tag=1.1&tag=1.2"), Some("1.1, 1.2"))] {
        let answer = registry.put_manifest("acme/hello", selector, &manifest).await;
        assert_eq!(answer.status(), 201);
        let (digest, subject) = (digest.as_str(), subject.as_str());
        let expected = [
            ("location", location.as_str()),
            ("docker-content-digest", digest),
            ("oci-subject", subject),
        ];
        has_headers(&answer, &expected);
        match tags {
            Some(tags) => assert_eq!(header(&answer, "oci-tag"), tags),
            None => lacks(&answer, "oci-tag"),
        }
    }
}

/// wkg asks once and follows no link.
#[tokio::test]
async fn rule_11_without_n_every_tag_is_listed() {
    let registry = TestRegistry::start().await;
    let text = index(&[]).to_string();
    let digest = Digest::sha256(&text);
    let list = async |query: &str| {
        let answer = registry.send("GET", &format!("/v2/acme/hello/tags/list{query}")).await;
        let next = next_page(&answer);
        (answer.json::<Value>().await.expect("JSON")["tags"].take(), next)
    };
    registry.push_blob("acme/hello", b"so that there is a repository").await;
    assert_eq!(list("").await, (json!([]), None));
    let mut tags: Vec<String> = (0..1010).map(|number| format!("v{number}")).collect();
    let puts = tags.chunks(10).map(|ten| {
        let selector = format!("{digest}?tag={}", ten.join("&tag="));
        let text = text.clone();
        let registry = &registry;
        async move { registry.put_bytes("acme/hello", &selector, INDEX, text).await.status() }
    });
    assert!(join_all(puts).await.iter().all(|status| *status == 201));
    tags.sort_unstable();
    assert_eq!(list("").await, (json!(tags), None));
    let (page, next) = list("?n=3").await;
    assert_eq!((page, next.is_some()), (json!(tags[..3]), true));
}

/// oras asks for the referrers of the zero digest to find out whether the API is there, and compares the type to the letter.
#[tokio::test]
async fn rule_12_referrers_are_always_an_index_also_of_what_is_unknown() {
    let registry = TestRegistry::start().await;
    let zero: Digest = format!("sha256:{}", "0".repeat(64)).parse().expect("a digest");
    assert_eq!(referrers(&registry, &zero).await, [] as [Value; 0]);
    let filtered = format!("/v2/acme/hello/referrers/{zero}?artifactType=a/b");
    let expected = [("oci-filters-applied", "artifactType"), ("content-type", INDEX)];
    has_headers(&registry.send("GET", &filtered).await, &expected);
}

/// Before a registry could list referrers, clients kept an index of them under a tag. Nobody looks there any more, so what it lists is
/// listed with the rest: once each, filtered and paged as they are. What is about something else, or not there, is not.
#[tokio::test]
async fn rule_12_what_clients_listed_under_the_tag_for_it_is_listed() {
    let registry = TestRegistry::start().await;
    registry
        .set(
            "acme/hello",
            &json!({ "missing_references": "accept", "immutable_tags": "semver" }),
        )
        .await;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let put = async |members: Value| {
        let mut manifest = index(&[]);
        manifest
            .as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("an object").clone());
        let digest = Digest::sha256(manifest.to_string());
        let answer = registry.put_manifest("acme/hello", digest.as_str(), &manifest).await;
        assert_eq!(answer.status(), 201);
        (digest, manifest.to_string().len())
    };
    let about = |digest: &Digest| json!({ "mediaType": INDEX, "digest": digest, "size": 7 });
    let plain = put(json!({ "artifactType": "a/plain", "annotations": { "a": "b" } })).await;
    let both = put(json!({ "artifactType": "a/both", "subject": about(&subject) })).await;
    let direct = put(json!({ "artifactType": "a/direct", "subject": about(&subject) })).await;
    let other = put(json!({ "subject": about(&Digest::sha256("other")) })).await;
    let absent = (Digest::sha256("absent"), 5);

    let tag = Tag::of_referrers(&subject);
    for listed in [vec![&both], vec![&plain, &both, &other, &absent]] {
        let listed: Vec<_> = listed.iter().map(|(digest, size)| (digest, *size)).collect();
        // Such a tag is no version, so the second time moves it.
        assert_eq!(
            registry
                .put_manifest("acme/hello", tag.as_str(), &index(&listed))
                .await
                .status(),
            201
        );
    }
    let mut expected = [&plain, &both, &direct].map(|(digest, _)| json!(digest));
    expected.sort_by_key(ToString::to_string);
    let found = referrers(&registry, &subject).await;
    assert_eq!(
        found.iter().map(|entry| entry["digest"].clone()).collect::<Vec<_>>(),
        expected
    );
    let entry = json!({
        "mediaType": INDEX, "digest": plain.0, "size": plain.1, "artifactType": "a/plain", "annotations": { "a": "b" },
    });
    assert!(found.contains(&entry), "{found:?}");
    for (artifact_type, count) in [("a/plain", 1), ("a/both", 1), ("a/direct", 1), (INDEX, 0)] {
        let target = format!("/v2/acme/hello/referrers/{subject}?artifactType={artifact_type}");
        let body: Value = registry.send("GET", &target).await.json().await.expect("JSON");
        assert_eq!(
            body["manifests"].as_array().map(Vec::len),
            Some(count),
            "{artifact_type}"
        );
    }
    let after = format!(
        "/v2/acme/hello/referrers/{subject}?last={}",
        expected[0].as_str().expect("text")
    );
    let rest: Value = registry.send("GET", &after).await.json().await.expect("JSON");
    assert_eq!(rest["manifests"], json!(found[1..]));
}

/// A signature may come before what it signs, and nobody knows every type there will be.
#[tokio::test]
async fn rule_22_subjects_may_be_missing_types_unknown_and_manifests_large() {
    let registry = TestRegistry::start().await;
    let mut manifest = registry.image("acme/hello", b"layer").await;
    manifest["config"]["mediaType"] = json!("application/vnd.example.nobody-knows.v9+cbor");
    manifest["artifactType"] = json!("application/vnd.example.other");
    manifest["subject"] = json!({ "mediaType": "x/y", "digest": Digest::sha256("absent"), "size": 3 });
    manifest["annotations"] = json!({ "text": "" });
    let missing = 4 * 1024 * 1024 - manifest.to_string().len();
    manifest["annotations"] = json!({ "text": "x".repeat(missing) });
    assert_eq!(
        registry.put_manifest("acme/hello", "large", &manifest).await.status(),
        201
    );
    let answer = registry.send("GET", "/v2/acme/hello/manifests/large").await;
    let pushed = manifest.to_string();
    assert!(answer.text().await.expect("a body") == pushed);
}

/// notation deletes the index that it has replaced, and warns when it cannot.
#[tokio::test]
async fn rule_24_tags_manifests_blobs_and_uploads_can_be_deleted() {
    let registry = TestRegistry::start().await;
    let digest = registry.push_image("acme/hello", "1.0", b"layer").await;
    registry.push_image("acme/hello", "1.1", b"layer").await;
    let layer = Digest::sha256("layer");
    let session = registry.start_upload("acme/hello").await;
    for (target, status) in [
        ("/v2/acme/hello/manifests/1.0".to_owned(), 202),
        (format!("/v2/acme/hello/manifests/{digest}"), 202),
        (format!("/v2/acme/hello/blobs/{layer}"), 202),
        (session, 204),
    ] {
        assert_eq!(registry.send("DELETE", &target).await.status(), status, "{target}");
        assert_eq!(registry.send("DELETE", &target).await.status(), 404, "{target}");
        assert_eq!(registry.send("GET", &target).await.status(), 404, "{target}");
    }
}

/// wkg makes `acme/hello` of the package `acme:hello`; other clients use names of any depth.
#[tokio::test]
async fn rule_25_names_have_two_parts_or_any_number() {
    let registry = TestRegistry::start().await;
    for name in ["hello", "acme/hello", "a/b/c/d/e/f"] {
        let digest = registry.push_image(name, "1.0", name.as_bytes()).await;
        let answer = registry.send("GET", &format!("/v2/{name}/manifests/1.0")).await;
        has_headers(&answer, &[("docker-content-digest", digest.as_str())]);
    }
}
