//! Namespaces from which only what is signed can be pulled.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use wreg_harness::fixtures::wat;
use wreg_oci::{Attachment, Descriptor, Digest, MediaType};
use wreg_trust::{
    attachment::{TaggedSignature, signature_tag},
    signature::{Bundle, SigningKey, Statement, statement},
};

use super::{manifest, put, signing_registry};
use crate::registry::{TestRegistry, header, refused};

const REPOSITORY: &str = "acme/hello";
const SETTINGS: &str = "/api/v1/namespace?namespace=acme";

async fn change(registry: &TestRegistry, settings: &Value) -> Response {
    registry.send_body("PATCH", SETTINGS, settings.to_string()).await
}

/// Has the namespace ask for signatures of these.
async fn ask(registry: &TestRegistry, pull: &str, signers: &[String]) {
    let answer = change(registry, &json!({ "pull": pull, "signers": signers })).await;
    assert_eq!(answer.status(), 200);
}

/// A public repository with a component in a namespace that asks for the signature of a key: the component's digest, and the key.
async fn gated(registry: &TestRegistry) -> (Digest, SigningKey) {
    registry.set(REPOSITORY, &json!({ "visibility": "public" })).await;
    let digest = put(registry, REPOSITORY, "1.0.0", &wat::component()).await;
    let key = SigningKey::generate();
    ask(registry, "enforce", &[key.public_key().to_string()]).await;
    (digest, key)
}

/// A request for a manifest as nobody in particular.
async fn asked(registry: &TestRegistry, method: &str, reference: &str) -> RequestBuilder {
    let token = registry.registry_token("repository:acme/hello:pull", true).await;
    let target = format!("/v2/{REPOSITORY}/manifests/{reference}");
    registry.anonymous(method, &target).bearer_auth(token)
}

async fn pull(registry: &TestRegistry, reference: &str) -> Response {
    let request = asked(registry, "GET", reference).await;
    request.send().await.expect("an answer")
}

/// Asserts that a pull is refused for want of a signature, and gives the reason.
async fn unsigned(registry: &TestRegistry, reference: &str) -> String {
    let body = refused(pull(registry, reference).await, 403, "DENIED").await;
    let error = &body["errors"][0];
    assert_eq!(error["detail"]["wreg_code"], "not-signed", "{reference}");
    error["message"].as_str().expect("text").to_owned()
}

async fn pulled(registry: &TestRegistry, reference: &str) {
    assert_eq!(pull(registry, reference).await.status(), 200, "{reference}");
}

async fn described(registry: &TestRegistry, digest: &Digest) -> Descriptor {
    let bytes = manifest(registry, REPOSITORY, digest.as_str()).await;
    Descriptor::new(MediaType::IMAGE_MANIFEST, digest.clone(), bytes.len() as u64)
}

async fn attach(registry: &TestRegistry, attachment: Attachment, reference: &str) {
    for (_, bytes) in &attachment.blobs {
        registry.push_blob(REPOSITORY, bytes).await;
    }
    let media_type = MediaType::IMAGE_MANIFEST;
    let answer = registry
        .put_bytes(REPOSITORY, reference, media_type.as_str(), attachment.manifest)
        .await;
    assert_eq!(answer.status(), 201);
}

/// Puts a bundle of `key` beside a manifest, which says something of `about`; gives the digest of its artifact.
async fn say(registry: &TestRegistry, key: &SigningKey, beside: &Digest, about: &Digest, kind: &str) -> Digest {
    let said = Statement::new(about, kind, json!({}));
    let bundle = Bundle::sign(&said, key);
    let artifact = bundle.beside(&said, &described(registry, beside).await);
    let digest = artifact.digest();
    attach(registry, artifact, digest.as_str()).await;
    digest
}

async fn sign(registry: &TestRegistry, key: &SigningKey, digest: &Digest) -> Digest {
    say(registry, key, digest, digest, statement::SIGNED).await
}

/// Signs in cosign's older form.
async fn sign_under_tag(registry: &TestRegistry, key: &SigningKey, digest: &Digest) {
    let payload = TaggedSignature::payload("reg.example/acme/hello", digest);
    let signature = key.sign(&payload);
    let attachment = TaggedSignature::new(payload, &signature).beside(None);
    let tag = signature_tag(digest).expect("a tag");
    attach(registry, attachment.expect("it is the first"), tag.as_str()).await;
}

#[tokio::test]
async fn what_nobody_has_signed_is_refused_to_those_who_may_not_push() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let reader = registry.personal_token("reader", &["acme/*:pull"]).await;
    let pusher = registry.personal_token("pusher", &["acme/*:pull,push"]).await;
    let as_token = async |method: &str, reference: &str, token: &str| {
        let target = format!("/v2/{REPOSITORY}/manifests/{reference}");
        let request = registry.anonymous(method, &target).bearer_auth(token);
        request.send().await.expect("an answer")
    };
    for reference in ["1.0.0", digest.as_str()] {
        let reason = unsigned(&registry, reference).await;
        assert!(
            reason.contains("is not signed at all") && reason.contains("wreg sign"),
            "{reason}"
        );
        let answer = as_token("GET", reference, &reader).await;
        let body = refused(answer, 403, "DENIED").await;
        assert_eq!(body["errors"][0]["detail"]["digest"], digest.as_str());
        assert_eq!(as_token("HEAD", reference, &reader).await.status(), 403);
        // That it is there already does not say that it is signed.
        let request = asked(&registry, "GET", reference).await;
        let answer = request.header("if-none-match", format!("\"{digest}\"")).send().await;
        assert_eq!(answer.expect("an answer").status(), 403);
        // Whoever is to sign it must be able to read it, with a token of whatever kind: clients ask for one to pull with.
        assert_eq!(as_token("GET", reference, &pusher).await.status(), 200);
        let token = registry.registry_token("repository:acme/hello:pull", false).await;
        assert_eq!(as_token("GET", reference, &token).await.status(), 200);
        // And is asked who it is, since many send no credentials before.
        let target = format!("/v2/{REPOSITORY}/manifests/{reference}");
        let answer = registry.anonymous("GET", &target).send().await.expect("an answer");
        assert!(header(&answer, "www-authenticate").ends_with(r#"scope="repository:acme/hello:pull""#));
        let body = refused(answer, 401, "UNAUTHORIZED").await;
        assert_eq!(body["errors"][0]["detail"]["wreg_code"], "not-signed-anonymous");
    }
    sign(&registry, &key, &digest).await;
    for reference in ["1.0.0", digest.as_str()] {
        pulled(&registry, reference).await;
        assert_eq!(as_token("GET", reference, &reader).await.status(), 200);
        assert_eq!(as_token("HEAD", reference, &reader).await.status(), 200);
    }
}

/// **V37** A signature by another key, of another digest, or of another kind → the registry does not let it count.
#[tokio::test]
async fn a_signature_counts_by_its_key_its_digest_and_what_it_says() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let (other, version) = (SigningKey::generate(), "1.0.0");
    sign(&registry, &other, &digest).await;
    let reason = unsigned(&registry, version).await;
    assert!(
        reason.contains("(1) nothing is a signature by one who counts"),
        "{reason}"
    );
    sign_under_tag(&registry, &other, &digest).await;
    let reason = unsigned(&registry, version).await;
    assert!(reason.contains("(2) nothing"), "{reason}");
    // The signer has signed something else, which somebody puts here.
    let another = put(&registry, REPOSITORY, "2.0.0", &wat::component_with("another")).await;
    say(&registry, &key, &digest, &another, statement::SIGNED).await;
    unsigned(&registry, version).await;
    // The signer says something of it, and not that it is to be used.
    say(
        &registry,
        &key,
        &digest,
        &digest,
        "https://acme.example/tests-failed/v1",
    )
    .await;
    unsigned(&registry, version).await;
    // What was found once is not kept: the next signature counts at once.
    sign(&registry, &key, &digest).await;
    pulled(&registry, version).await;
    unsigned(&registry, "2.0.0").await;
    // Who counts has changed, and with it what was known.
    ask(&registry, "enforce", &[other.public_key().to_string()]).await;
    pulled(&registry, version).await;
    ask(&registry, "enforce", &[SigningKey::generate().public_key().to_string()]).await;
    unsigned(&registry, version).await;
}

/// **V38** 150 bundles that are none beside a manifest → what is looked at is bounded, and the answer says that there is more.
#[tokio::test]
async fn junk_beside_a_manifest_is_passed_over_within_limits() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let subject = described(&registry, &digest).await;
    let config = registry.push_blob(REPOSITORY, b"{}").await;
    for number in 0..150 {
        let junk = match number {
            0 => Vec::new(),
            1 => vec![b'['; 100_000],
            number => format!("{{\"junk\":{number}}}").into_bytes(),
        };
        let layer = registry.push_blob(REPOSITORY, &junk).await;
        let artifact = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "artifactType": MediaType::SIGSTORE_BUNDLE,
            "config": { "mediaType": MediaType::EMPTY, "digest": config, "size": 2 },
            "layers": [{ "mediaType": MediaType::SIGSTORE_BUNDLE, "digest": layer, "size": junk.len() }],
            "subject": subject,
        });
        let digest = Digest::sha256(artifact.to_string());
        let answer = registry.put_manifest(REPOSITORY, digest.as_str(), &artifact).await;
        assert_eq!(answer.status(), 201);
    }
    let reason = unsigned(&registry, "1.0.0").await;
    assert!(reason.contains("there is more than is looked at"), "{reason}");
    // The other form has a limit of its own.
    sign_under_tag(&registry, &key, &digest).await;
    pulled(&registry, "1.0.0").await;
}

/// **V38** A bundle with 25,000 signatures → none of them is tried.
#[tokio::test]
async fn a_bundle_with_a_mass_of_signatures_is_not_tried() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let said = Statement::new(&digest, statement::SIGNED, json!({}));
    let mut bundle: Value =
        serde_json::from_slice(&Bundle::sign(&said, &SigningKey::generate()).to_bytes()).expect("JSON");
    let signature = bundle["dsseEnvelope"]["signatures"][0].clone();
    bundle["dsseEnvelope"]["signatures"] = vec![signature; 25_000].into();
    let bundle = Bundle::parse(bundle.to_string().as_bytes()).expect("a bundle");
    let artifact = bundle.beside(&said, &described(&registry, &digest).await);
    let of_artifact = artifact.digest();
    attach(&registry, artifact, of_artifact.as_str()).await;
    let reason = unsigned(&registry, "1.0.0").await;
    assert!(reason.contains("there is more than is looked at"), "{reason}");
    sign(&registry, &key, &digest).await;
    pulled(&registry, "1.0.0").await;
}

#[tokio::test]
async fn attachments_are_readable_and_nothing_that_runs_passes_for_one() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let bundle = sign(&registry, &key, &digest).await;
    sign_under_tag(&registry, &key, &digest).await;
    let tag = signature_tag(&digest).expect("a tag");
    pulled(&registry, bundle.as_str()).await;
    pulled(&registry, tag.as_str()).await;
    // By another tag it is what the tag is for.
    let bytes = manifest(&registry, REPOSITORY, bundle.as_str()).await;
    let media_type = MediaType::IMAGE_MANIFEST;
    registry
        .put_bytes(REPOSITORY, "latest", media_type.as_str(), bytes)
        .await;
    unsigned(&registry, "latest").await;

    let subject = described(&registry, &digest).await;
    let layers = [
        ("application/wasm", wat::component_with("evil")),
        ("application/vnd.wasm.content.layer.v1+wasm", wat::component_with("bad")),
        ("application/vnd.oci.image.layer.v1.tar+gzip", b"a file system".to_vec()),
    ];
    for (number, (kind, content)) in layers.into_iter().enumerate() {
        let mut evil = registry.image(REPOSITORY, &content).await;
        evil["layers"][0]["mediaType"] = kind.into();
        evil["subject"] = serde_json::to_value(&subject).expect("JSON");
        let tags = [
            "evil".to_owned(),
            format!("sha256-{number:064x}.sig"),
            format!("sha256-{number:064x}"),
        ];
        let of_evil = Digest::sha256(evil.to_string());
        for reference in tags.iter().map(String::as_str).chain([of_evil.as_str()]) {
            assert_eq!(registry.put_manifest(REPOSITORY, reference, &evil).await.status(), 201);
            unsigned(&registry, reference).await;
        }
    }
}

#[tokio::test]
async fn what_a_signed_index_lists_is_signed_with_it() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    let child = described(&registry, &digest).await;
    let index = json!({ "schemaVersion": 2, "mediaType": MediaType::IMAGE_INDEX, "manifests": [child] });
    let answer = registry.put_manifest(REPOSITORY, "all", &index).await;
    let of_index: Digest = header(&answer, "docker-content-digest").parse().expect("a digest");
    for reference in ["all", of_index.as_str(), digest.as_str()] {
        unsigned(&registry, reference).await;
    }
    let said = Statement::new(&of_index, statement::SIGNED, json!({}));
    let subject = Descriptor::new(MediaType::IMAGE_INDEX, of_index.clone(), index.to_string().len() as u64);
    let artifact = Bundle::sign(&said, &key).beside(&said, &subject);
    let of_artifact = artifact.digest();
    attach(&registry, artifact, of_artifact.as_str()).await;
    for reference in ["all", of_index.as_str(), digest.as_str()] {
        pulled(&registry, reference).await;
    }
    put(&registry, REPOSITORY, "2.0.0", &wat::component_with("another")).await;
    unsigned(&registry, "2.0.0").await;
}

#[tokio::test]
async fn the_registry_can_be_the_signer() {
    let registry = signing_registry().await;
    registry.set(REPOSITORY, &json!({ "visibility": "public" })).await;
    change(&registry, &json!({ "signing": "off" })).await;
    put(&registry, REPOSITORY, "0.9.0", &wat::component_with("before")).await;
    super::publication(&registry, REPOSITORY, "0.9.0").await;
    change(&registry, &json!({ "signing": "wasm" })).await;
    super::publish(&registry, REPOSITORY, "1.0.0", &wat::component()).await;
    ask(&registry, "enforce", &["registry".to_owned()]).await;
    unsigned(&registry, "0.9.0").await;
    pulled(&registry, "1.0.0").await;
    // What a key has signed counts when another one has taken its place.
    for action in ["announce", "activate"] {
        let answer = registry
            .send("POST", &format!("/api/v1/signing-keys?action={action}"))
            .await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("text"));
    }
    super::publish(&registry, REPOSITORY, "2.0.0", &wat::component_with("after")).await;
    pulled(&registry, "1.0.0").await;
    pulled(&registry, "2.0.0").await;
    unsigned(&registry, "0.9.0").await;
}

#[tokio::test]
async fn a_dry_run_tells_and_refuses_nothing() {
    let registry = TestRegistry::start().await;
    let (digest, key) = gated(&registry).await;
    change(&registry, &json!({ "pull": "warn" })).await;
    for _ in 0..2 {
        let answer = pull(&registry, "1.0.0").await;
        assert_eq!(answer.status(), 200);
        let warning = header(&answer, "warning");
        assert!(
            warning.contains("is not signed at all, and the namespace acme asks"),
            "{warning}"
        );
    }
    sign(&registry, &key, &digest).await;
    assert!(!pull(&registry, "1.0.0").await.headers().contains_key("warning"));
    change(&registry, &json!({ "pull": "off", "signers": [] })).await;
    put(&registry, REPOSITORY, "2.0.0", &wat::component_with("another")).await;
    assert!(!pull(&registry, "2.0.0").await.headers().contains_key("warning"));
}

#[tokio::test]
async fn signers_are_keys_or_the_registry_and_told_by_their_hints() {
    let registry = TestRegistry::start().await;
    let key = SigningKey::generate();
    let public = key.public_key().to_string();
    let many: Vec<_> = (0..21).map(|_| public.clone()).collect();
    for bad in [
        json!({ "pull": "enforce" }),
        json!({ "pull": "warn", "signers": [] }),
        json!({ "signers": ["somebody"] }),
        json!({ "signers": [key.to_pem().expect("PEM")] }),
        json!({ "signers": many }),
    ] {
        let body = refused(change(&registry, &bad).await, 400, "UNSUPPORTED").await;
        assert_eq!(body["errors"][0]["detail"]["wreg_code"], "signers-invalid", "{bad}");
    }
    // What is refused makes no namespace.
    refused(registry.send("GET", SETTINGS).await, 404, "NAME_UNKNOWN").await;
    ask(
        &registry,
        "enforce",
        &[public.clone(), "registry".to_owned(), public.clone()],
    )
    .await;
    let shown: Value = registry.send("GET", SETTINGS).await.json().await.expect("JSON");
    assert_eq!(
        (&shown["pull"], &shown["signers"]),
        (&json!("enforce"), &json!([public, "registry"]))
    );
    let body = refused(change(&registry, &json!({ "signers": [] })).await, 400, "UNSUPPORTED").await;
    assert!(
        body["errors"][0]["message"]
            .as_str()
            .expect("text")
            .contains("nobody is named")
    );
    let told = "SELECT COUNT(*) FROM events WHERE kind = 'namespace-changed'
        AND new_value LIKE '% pull=enforce signers=___________________________________________=,registry'";
    assert_eq!(registry.count(told).await, 1);
}
