//! Referrers: the manifests that name another one as their subject.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType};

use crate::registry::{TestRegistry, header, next_page, refused};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn path(subject: &Digest) -> String {
    format!("/v2/acme/hello/referrers/{subject}")
}

/// A manifest about `subject`, with members of its own; its blobs are pushed.
async fn about(registry: &TestRegistry, subject: &Digest, members: Value) -> Value {
    let mut manifest = registry.image("acme/hello", b"about").await;
    manifest["subject"] = json!({ "mediaType": IMAGE, "digest": subject, "size": 7 });
    if let (Value::Object(manifest), Value::Object(members)) = (&mut manifest, members) {
        manifest.extend(members);
    }
    manifest
}

/// Pushes a manifest by its digest; gives that.
async fn push(registry: &TestRegistry, manifest: &Value) -> (Digest, Response) {
    let digest = Digest::sha256(manifest.to_string());
    let answer = registry.put_manifest("acme/hello", digest.as_str(), manifest).await;
    assert_eq!(answer.status(), 201);
    (digest, answer)
}

/// One page of an index, and the path of the next.
async fn page(registry: &TestRegistry, path: &str) -> (Vec<Value>, Option<String>) {
    let answer = registry.send("GET", path).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(header(&answer, "content-type"), INDEX);
    let next = next_page(&answer);
    let index: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&index["schemaVersion"], &index["mediaType"]),
        (&json!(2), &json!(INDEX))
    );
    (index["manifests"].as_array().expect("an array").clone(), next)
}

/// **F01** A subject that is not there yet → 201 with OCI-Subject; the referrer is listed before and after the subject comes.
#[tokio::test]
async fn a_subject_may_come_before_or_after_what_is_about_it() {
    let registry = TestRegistry::start().await;
    let subject = registry.image("acme/hello", b"layer").await;
    let digest = Digest::sha256(subject.to_string());
    let members = json!({ "artifactType": "application/vnd.example.sbom", "annotations": { "org.example.by": "ä" } });
    let early = about(&registry, &digest, members).await;
    let (early_digest, answer) = push(&registry, &early).await;
    assert_eq!(header(&answer, "oci-subject"), digest.to_string());
    let early = json!({
        "mediaType": IMAGE,
        "digest": early_digest,
        "size": early.to_string().len(),
        "annotations": { "org.example.by": "ä" },
        "artifactType": "application/vnd.example.sbom",
    });
    assert_eq!(page(&registry, &path(&digest)).await, (vec![early.clone()], None));
    let (_, answer) = push(&registry, &subject).await;
    assert!(answer.headers().get("oci-subject").is_none());
    let (late, answer) = push(&registry, &about(&registry, &digest, json!({})).await).await;
    assert_eq!(header(&answer, "oci-subject"), digest.to_string());
    let (listed, next) = page(&registry, &path(&digest)).await;
    assert_eq!((listed.len(), next), (2, None));
    assert!(listed.contains(&early));
    let late = listed
        .iter()
        .find(|entry| entry["digest"] == json!(late))
        .expect("it is listed");
    // Without an artifactType of its own, the type of the config stands for it.
    assert_eq!(
        (&late["artifactType"], late.get("annotations")),
        (&json!(MediaType::EMPTY), None)
    );
}

#[tokio::test]
async fn indexes_and_manifests_of_other_types_can_be_about_something() {
    let registry = TestRegistry::start().await;
    let subject = Digest::of(wreg_oci::Algorithm::Sha512, "anything");
    let descriptor = json!({ "mediaType": IMAGE, "digest": subject, "size": 8 });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": descriptor });
    let with_type = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": descriptor, "artifactType": "a/b" });
    for manifest in [index, with_type] {
        let (_, answer) = push(&registry, &manifest).await;
        assert_eq!(header(&answer, "oci-subject"), subject.to_string());
    }
    let (listed, _) = page(&registry, &path(&subject)).await;
    let types: BTreeSet<_> = listed
        .iter()
        .map(|entry| entry.get("artifactType").map(Value::to_string))
        .collect();
    assert_eq!(types, BTreeSet::from([None, Some("\"a/b\"".to_owned())]));
}

/// **F02** Referrers of what is no digest → 400 `DIGEST_INVALID`.
/// **F02** Referrers of an unknown digest, or in an unknown repository → 200 and an empty index.
#[tokio::test]
async fn nothing_is_about_what_is_unknown() {
    let registry = TestRegistry::start().await;
    let zero: Digest = format!("sha256:{}", "0".repeat(64)).parse().expect("a digest");
    for _ in 0..2 {
        assert_eq!(page(&registry, &path(&zero)).await, (vec![], None));
        assert_eq!(
            page(&registry, &format!("{}?artifactType=a/b", path(&zero))).await,
            (vec![], None)
        );
        for wrong in [
            "latest",
            "sha256:00",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha256:",
            "%00",
        ] {
            let answer = registry.send("GET", &format!("/v2/acme/hello/referrers/{wrong}")).await;
            refused(answer, 400, "DIGEST_INVALID").await;
        }
        registry.push_image("acme/hello", "1.0.0", b"layer").await;
    }
}

/// **F03** An `artifactType` that is no media type → 400 UNSUPPORTED.
/// **F03** A good `artifactType` → the referrers of that type alone, and OCI-Filters-Applied.
#[tokio::test]
async fn referrers_are_filtered_by_their_type() {
    let registry = TestRegistry::start().await;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let types = [
        "application/vnd.example.sbom+json",
        "application/vnd.example.signature",
        "x/y",
    ];
    for artifact_type in types {
        push(
            &registry,
            &about(&registry, &subject, json!({ "artifactType": artifact_type })).await,
        )
        .await;
    }
    push(&registry, &about(&registry, &subject, json!({})).await).await;
    let answer = registry.send("GET", &path(&subject)).await;
    assert!(answer.headers().get("oci-filters-applied").is_none());
    for (filter, found) in [
        (types[0], 1),
        ("application%2Fvnd.example.sbom%2Bjson", 1),
        (types[1], 1),
        (MediaType::EMPTY.as_str(), 1),
        ("application/vnd.example", 0),
        ("X/Y", 0),
    ] {
        let filtered = format!("{}?artifactType={filter}", path(&subject));
        let answer = registry.send("GET", &filtered).await;
        assert_eq!(header(&answer, "oci-filters-applied"), "artifactType");
        assert_eq!(page(&registry, &filtered).await.0.len(), found, "{filter}");
    }
    for wrong in ["", "sbom", "a/b/c", "a/%00", "%FF"] {
        let answer = registry
            .send("GET", &format!("{}?artifactType={wrong}", path(&subject)))
            .await;
        refused(answer, 400, "UNSUPPORTED").await;
    }
}

/// **F07** A referrer is deleted → it is listed no more, at once.
#[tokio::test]
async fn a_deleted_referrer_is_not_listed() {
    let registry = TestRegistry::start().await;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let (one, _) = push(
        &registry,
        &about(&registry, &subject, json!({ "artifactType": "a/one" })).await,
    )
    .await;
    let (two, _) = push(
        &registry,
        &about(&registry, &subject, json!({ "artifactType": "a/two" })).await,
    )
    .await;
    let answer = registry
        .send("DELETE", &format!("/v2/acme/hello/manifests/{one}"))
        .await;
    assert_eq!(answer.status(), 202);
    let (listed, _) = page(&registry, &path(&subject)).await;
    assert_eq!((listed.len(), &listed[0]["digest"]), (1, &json!(two)));
    let answer = registry
        .send("DELETE", &format!("/v2/acme/hello/manifests/{subject}"))
        .await;
    assert_eq!(answer.status(), 202);
    assert_eq!(page(&registry, &path(&subject)).await.0, listed);
}

/// Every referrer once, and the number of pages.
async fn follow(registry: &TestRegistry, first: String) -> (BTreeSet<String>, usize) {
    let (mut digests, mut pages, mut next) = (BTreeSet::new(), 0, Some(first));
    while let Some(path) = next {
        let (listed, after) = page(registry, &path).await;
        assert!(!listed.is_empty());
        assert!(
            listed.iter().all(|entry| digests.insert(entry["digest"].to_string())),
            "listed twice"
        );
        (pages, next) = (pages + 1, after);
    }
    (digests, pages)
}

#[tokio::test]
async fn referrers_come_in_one_page_until_that_has_4_mib() {
    let registry = TestRegistry::start().await;
    let subject = registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let mut all = BTreeSet::new();
    // 300 small ones pass the number of rows that are read at a time.
    let empty = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": { "mediaType": IMAGE, "digest": subject, "size": 7 } });
    let small: Vec<_> = (0..300)
        .map(|number| {
            let mut manifest = empty.clone();
            manifest["annotations"] = json!({ "number": number.to_string() });
            manifest
        })
        .collect();
    for some in small.chunks(30) {
        let pushed = join_all(some.iter().map(|manifest| push(&registry, manifest))).await;
        all.extend(pushed.into_iter().map(|(digest, _)| format!("\"{digest}\"")));
    }
    assert_eq!(follow(&registry, path(&subject)).await, (all.clone(), 1));
    let mut large = BTreeSet::new();
    for letter in 'a'..='f' {
        let mut manifest = empty.clone();
        manifest["artifactType"] = json!("x/large");
        manifest["annotations"] = json!({ "text": String::from(letter).repeat(1_000_000) });
        large.insert(format!("\"{}\"", push(&registry, &manifest).await.0));
    }
    assert_eq!(
        follow(&registry, format!("{}?artifactType=x/large", path(&subject))).await,
        (large.clone(), 2)
    );
    all.extend(large);
    assert_eq!(follow(&registry, path(&subject)).await, (all, 2));
}
