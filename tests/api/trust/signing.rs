//! What stands beside a version that was accepted.

use wreg_harness::fixtures::wat;
use wreg_oci::{Manifest, MediaType};
use wreg_trust::{
    attachment::{proof_layers, signature_tag},
    logged::Wanted,
    publication::Publication,
    signature::{Bundle, SimpleSigning, simple, statement},
};

use super::{keys_of, layers, manifest, name, publication, publish, put, referrers, signing_registry};

#[tokio::test]
async fn a_version_is_stated_signed_and_proved() {
    let registry = signing_registry().await;
    let digest = publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    let (keys, log) = keys_of(&registry).await;

    let mut stated = Vec::new();
    let mut proved = 0;
    for referrer in referrers(&registry, "acme/hello", &digest).await {
        let layers = layers(&registry, "acme/hello", referrer.digest.as_str()).await;
        if referrer.artifact_type == Some(MediaType::SIGSTORE_BUNDLE) {
            let [(_, bundle)] = &layers[..] else {
                panic!("one layer")
            };
            let bundle = Bundle::parse(bundle).expect("a bundle");
            stated.push(bundle.verify(&digest, &keys).expect("it is signed").0);
        } else {
            let bytes = manifest(&registry, "acme/hello", referrer.digest.as_str()).await;
            let parsed = Manifest::parse(&bytes, &MediaType::IMAGE_MANIFEST).expect("a manifest");
            assert!(proof_layers(&parsed).is_some());
            let [(_, entry), (_, proof)] = &layers[..] else {
                panic!("two layers")
            };
            let (repository, tag) = (name("acme/hello"), "1.0.0".parse().expect("a tag"));
            let wanted = Wanted {
                repository: &repository,
                tag: Some(&tag),
                digest: &digest,
            };
            let proof = std::str::from_utf8(proof).expect("text");
            let logged = wanted.check(entry, proof, &log).expect("it is in the log");
            assert_eq!(logged.entry.digest.as_ref(), Some(&digest));
            // Nobody without a right to it learns the name from the log.
            assert!(logged.entry.is_hashed() && !String::from_utf8_lossy(entry).contains("hello"));
            proved += 1;
        }
    }
    assert_eq!(proved, 1);
    stated.sort_by(|a, b| a.predicate_type.cmp(&b.predicate_type));
    let [signed, published] = &stated[..] else {
        panic!("{stated:?}")
    };
    assert_eq!(signed.predicate_type, statement::SIGNED);
    let published = Publication::of(published).expect("a publication");
    assert_eq!(
        (published.repository.as_str(), published.tag.as_str()),
        ("acme/hello", "1.0.0")
    );
    assert!(published.publisher.starts_with("token:"), "{published:?}");
    let component = published.component.expect("what it was found to be");
    assert_eq!(
        (component.valid, component.kind.as_deref()),
        (Some(true), Some("component"))
    );
    assert_eq!(component.exports, ["wreg:demo/adder@0.1.0"]);

    // The older form, for those who read no referrers.
    let tag = signature_tag(&digest).expect("a tag");
    let tagged = layers(&registry, "acme/hello", tag.as_str()).await;
    let [(layer, payload)] = &tagged[..] else {
        panic!("one signature")
    };
    let signature = layer.annotations[simple::SIGNATURE].parse().expect("base64");
    assert!(SimpleSigning::verify(payload, &signature, &digest, &keys).is_some());
}

#[tokio::test]
async fn what_the_registry_makes_is_neither_signed_nor_logged() {
    let registry = signing_registry().await;
    let digest = publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    for referrer in referrers(&registry, "acme/hello", &digest).await {
        assert!(referrers(&registry, "acme/hello", &referrer.digest).await.is_empty());
    }
    assert_eq!(
        registry
            .count("SELECT COUNT(*) FROM log_entries WHERE entry LIKE '%\"op\":\"tag-put\"%'")
            .await,
        1
    );
    assert_eq!(
        registry
            .count("SELECT COUNT(*) FROM jobs WHERE name LIKE 'sign:%'")
            .await,
        0
    );
}

#[tokio::test]
async fn what_is_no_webassembly_is_logged_and_not_signed_unless_the_namespace_says_so() {
    let registry = signing_registry().await;
    let digest = registry.push_image("plain/image", "1.0.0", b"some layer").await;
    let state = publication(&registry, "plain/image", "1.0.0").await;
    assert_eq!(
        (state["signed"].as_bool(), state["place"].is_number()),
        (Some(false), true)
    );
    assert!(referrers(&registry, "plain/image", &digest).await.is_empty());

    let target = "/api/v1/namespace?namespace=all";
    let answer = registry.send_body("PATCH", target, r#"{"signing":"all"}"#).await;
    assert_eq!(answer.status(), 200);
    let digest = registry.push_image("all/image", "1.0.0", b"some layer").await;
    assert_eq!(publication(&registry, "all/image", "1.0.0").await["signed"], true);
    assert_eq!(referrers(&registry, "all/image", &digest).await.len(), 3);

    let target = "/api/v1/namespace?namespace=none";
    let answer = registry.send_body("PATCH", target, r#"{"signing":"off"}"#).await;
    assert_eq!(answer.status(), 200);
    let digest = put(&registry, "none/hello", "1.0.0", &wat::component()).await;
    assert_eq!(publication(&registry, "none/hello", "1.0.0").await["signed"], false);
    assert!(referrers(&registry, "none/hello", &digest).await.is_empty());
}

#[tokio::test]
async fn a_signature_of_somebody_else_under_the_tag_stays() {
    let registry = signing_registry().await;
    let layer = wat::component();
    // The manifest is known before it is pushed: so is the tag for its signatures.
    let quiet = "/api/v1/namespace?namespace=acme";
    registry.send_body("PATCH", quiet, r#"{"signing":"off"}"#).await;
    let digest = put(&registry, "acme/hello", "latest", &layer).await;
    publication(&registry, "acme/hello", "latest").await;
    let tag = signature_tag(&digest).expect("a tag");
    registry
        .push_image("acme/hello", tag.as_str(), b"signed by somebody")
        .await;
    registry.send_body("PATCH", quiet, r#"{"signing":"wasm"}"#).await;
    publish(&registry, "acme/hello", "1.0.0", &layer).await;
    let tagged = layers(&registry, "acme/hello", tag.as_str()).await;
    assert_eq!(tagged.len(), 2);
    assert_eq!(tagged[0].1, b"signed by somebody");
    assert_ne!(tagged[1].1, tagged[0].1);
}
