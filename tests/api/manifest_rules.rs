//! Manifests that are refused, and that leave nothing behind.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType, descriptor::MAX_DATA};

use crate::registry::{TestRegistry, header, refused};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that holds the blobs of [`image`].
async fn start() -> TestRegistry {
    let registry = TestRegistry::start().await;
    registry.image("acme/hello", b"layer").await;
    registry
}

/// A valid manifest, with other values for some members.
fn image(changes: Value) -> Value {
    let mut manifest =
        json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": empty(json!({})), "layers": [layer(json!({}))] });
    extend(&mut manifest, changes);
    manifest
}

fn empty(changes: Value) -> Value {
    let mut config = json!({ "mediaType": MediaType::EMPTY, "digest": Digest::sha256("{}"), "size": 2 });
    extend(&mut config, changes);
    config
}

fn layer(changes: Value) -> Value {
    let mut layer = json!({ "mediaType": "application/octet-stream", "digest": Digest::sha256("layer"), "size": 5 });
    extend(&mut layer, changes);
    layer
}

fn extend(value: &mut Value, changes: Value) {
    if let (Value::Object(members), Value::Object(changes)) = (value, changes) {
        members.extend(changes);
    }
}

/// Pushes the bytes by tag and by digest, which is refused with 400 and nothing is stored. Gives the body of the answer.
async fn is_refused(registry: &TestRegistry, content_type: &str, content: impl AsRef<[u8]>, code: &str) -> Value {
    let (content, digest) = (content.as_ref(), Digest::sha256(&content));
    let mut body = Value::Null;
    for selector in [digest.as_str(), "1.0.0"] {
        let answer = registry
            .put_bytes("acme/hello", selector, content_type, content.to_vec())
            .await;
        let shown = String::from_utf8_lossy(&content[..content.len().min(500)]);
        assert_eq!(answer.status(), 400, "{shown}");
        body = refused(answer, 400, code).await;
        let answer = registry
            .send("GET", &format!("/v2/acme/hello/manifests/{selector}"))
            .await;
        refused(answer, 404, "MANIFEST_UNKNOWN").await;
    }
    body
}

async fn all_refused(registry: &TestRegistry, manifests: impl IntoIterator<Item = Value>) {
    for manifest in manifests {
        is_refused(registry, IMAGE, manifest.to_string(), "MANIFEST_INVALID").await;
    }
    let valid = image(json!({}));
    assert_eq!(registry.put_manifest("acme/hello", "valid", &valid).await.status(), 201);
}

/// **M01** A manifest that is empty, cut off, no JSON, an array, has NaN, nests too deeply, or is not UTF-8 → 400 `MANIFEST_INVALID`.
/// **D08** A manifest that begins with a byte order mark → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let registry = start().await;
    let valid = image(json!({})).to_string();
    let deep = format!(
        "{{\"schemaVersion\":2,\"x\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for content in [
        "",
        " ",
        "null",
        "\"\"",
        "2",
        "hello",
        &format!("[{valid}]"),
        &valid[..valid.len() - 1],
        &valid[..valid.len() / 2],
        &format!("{valid}{valid}"),
        &format!("{valid},"),
        &valid.replacen(":2}", ":NaN}", 1),
        &valid.replacen(":2}", ":Infinity}", 1),
        &valid.replacen(":2}", ":02}", 1),
        &valid.replacen('"', "'", 2),
        &format!("\u{feff}{valid}"),
        &deep,
    ] {
        for content_type in [IMAGE, INDEX, "application/x-own+json"] {
            is_refused(&registry, content_type, content, "MANIFEST_INVALID").await;
        }
    }
    for bytes in [&b"{\"schemaVersion\":2,\"x\":\"\xff\"}"[..], &b"\xff\xfe{\0}\0"[..]] {
        is_refused(&registry, IMAGE, bytes, "MANIFEST_INVALID").await;
    }
}

/// **M02** A member twice, at the top, inside, or written with an escape; a known name in other letters beside it → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn what_two_readers_could_read_differently_is_refused() {
    let registry = start().await;
    let valid = image(json!({})).to_string();
    for (from, to) in [
        ("\"schemaVersion\":2", "\"schemaVersion\":2,\"schemaVersion\":2"),
        ("\"schemaVersion\":2", "\"schemaVersion\":2,\"\\u0073chemaVersion\":2"),
        ("\"size\":2", "\"size\":2,\"size\":2"),
        (
            "\"schemaVersion\":2",
            "\"schemaVersion\":2,\"x\":{\"y\":[{\"z\":1,\"z\":1}]}",
        ),
        ("\"schemaVersion\":2", "\"schemaVersion\":2,\"MediaType\":\"a/b\""),
        ("\"schemaVersion\":2", "\"schemaVersion\":2,\"LAYERS\":[]"),
        ("\"size\":2", "\"size\":2,\"Size\":3"),
        ("\"schemaVersion\":2", "\"schemaVersion\":2,\"Manifests\":[]"),
    ] {
        let content = valid.replacen(from, to, 1);
        assert_ne!(content, valid);
        is_refused(&registry, IMAGE, content, "MANIFEST_INVALID").await;
    }
}

/// **M03** Both `layers` or `config` and `manifests`, whatever the type → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn an_image_that_is_also_an_index_is_refused() {
    let registry = start().await;
    for content_type in [IMAGE, INDEX, "application/x-own+json"] {
        for manifest in [
            json!({ "schemaVersion": 2, "config": empty(json!({})), "layers": [], "manifests": [] }),
            json!({ "schemaVersion": 2, "layers": [], "manifests": [] }),
            json!({ "schemaVersion": 2, "config": empty(json!({})), "manifests": [] }),
            json!({ "schemaVersion": 2, "blobs": [layer(json!({}))], "manifests": [] }),
        ] {
            is_refused(&registry, content_type, manifest.to_string(), "MANIFEST_INVALID").await;
        }
    }
    let index = json!({ "schemaVersion": 2, "manifests": [] }).to_string();
    is_refused(&registry, IMAGE, index, "MANIFEST_INVALID").await;
    let unnamed = json!({ "schemaVersion": 2, "config": empty(json!({})), "layers": [] }).to_string();
    is_refused(&registry, INDEX, unnamed, "MANIFEST_INVALID").await;
}

/// **M04** A Content-Type that is missing, no media type, or another one than `mediaType` says → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn a_content_type_that_contradicts_the_manifest_is_refused() {
    let registry = start().await;
    let valid = image(json!({})).to_string();
    for content_type in [INDEX, "application/json", "application/x-own+json", "", "json", "a/b/c"] {
        is_refused(&registry, content_type, &valid, "MANIFEST_INVALID").await;
    }
    let request = registry.request("PUT", "/v2/acme/hello/manifests/1.0.0").body(valid);
    refused(request.send().await.expect("an answer"), 400, "MANIFEST_INVALID").await;
}

/// **M07** A size that is negative, a fraction, beyond 63 bits, or no number → 400 `MANIFEST_INVALID`.
/// **M07** A size that is not the real one, or two sizes for one digest → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn a_size_that_content_cannot_have_is_refused() {
    let registry = start().await;
    let child = registry.push_image("acme/hello", "child", b"layer").await;
    let sizes = [
        json!(-1),
        json!(1.5),
        json!(5.0),
        json!(9_223_372_036_854_775_808_u64),
        json!("5"),
        Value::Null,
        json!(4),
        json!(6),
        json!(0),
        json!(i64::MAX),
    ];
    for size in sizes {
        all_refused(
            &registry,
            [
                image(json!({ "layers": [layer(json!({ "size": size }))] })),
                image(json!({ "config": empty(json!({ "size": size })) })),
                image(json!({ "layers": [layer(json!({})), layer(json!({ "size": size }))] })),
            ],
        )
        .await;
        let index = json!({ "schemaVersion": 2, "manifests": [{ "mediaType": IMAGE, "digest": child, "size": size }] });
        is_refused(&registry, INDEX, index.to_string(), "MANIFEST_INVALID").await;
    }
}

/// **M12** `data` that is no base64, not the content by size or digest, or over 1 MiB → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn embedded_content_that_is_not_the_content_is_refused() {
    let registry = start().await;
    let content = |length: usize| vec![0; length];
    let carrying = |content: &[u8]| {
        layer(json!({ "digest": Digest::sha256(content), "size": content.len(), "data": BASE64.encode(content) }))
    };
    for length in [MAX_DATA, MAX_DATA + 1] {
        registry.push_blob("acme/hello", &content(length)).await;
    }
    let configs = [
        empty(json!({ "data": "e30" })),
        empty(json!({ "data": "e30===" })),
        empty(json!({ "data": "%%%%" })),
        empty(json!({ "data": "" })),
        empty(json!({ "data": "e30K" })),
        empty(json!({ "data": "W10=" })),
        empty(json!({ "data": "e31=" })),
        empty(json!({ "data": 7 })),
        empty(json!({ "data": "e30=", "size": 3 })),
    ];
    all_refused(&registry, configs.map(|config| image(json!({ "config": config })))).await;
    let too_large = image(json!({ "layers": [carrying(&content(MAX_DATA + 1))] }));
    is_refused(&registry, IMAGE, too_large.to_string(), "MANIFEST_INVALID").await;
    let largest = image(json!({ "layers": [carrying(&content(MAX_DATA))] }));
    assert_eq!(
        registry.put_manifest("acme/hello", "data", &largest).await.status(),
        201
    );
}

/// **M14** Schema version 1, an unknown one, one that is no number, or none → 400 `MANIFEST_INVALID`.
#[tokio::test]
async fn another_schema_version_is_refused() {
    let registry = start().await;
    let versions = [
        json!(1),
        json!(3),
        json!(0),
        json!(-2),
        json!(2.0),
        json!("2"),
        json!(true),
        Value::Null,
    ];
    all_refused(
        &registry,
        versions.map(|version| image(json!({ "schemaVersion": version }))),
    )
    .await;
    let mut none = image(json!({}));
    none.as_object_mut().expect("an object").remove("schemaVersion");
    is_refused(&registry, IMAGE, none.to_string(), "MANIFEST_INVALID").await;
    let signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let first = json!({ "schemaVersion": 1, "name": "acme/hello", "tag": "1.0.0", "fsLayers": [], "history": [], "signatures": [] });
    is_refused(&registry, signed, first.to_string(), "MANIFEST_INVALID").await;
}

/// Members that are there and are not what the specification says they are.
#[tokio::test]
async fn members_of_another_kind_are_refused() {
    let registry = start().await;
    all_refused(
        &registry,
        [
            image(json!({ "config": [] })),
            image(json!({ "layers": {} })),
            image(json!({ "layers": [null] })),
            image(json!({ "layers": ["sha256:00"] })),
            image(json!({ "subject": "sha256:00" })),
            image(json!({ "subject": { "mediaType": IMAGE, "size": 1 } })),
            image(json!({ "artifactType": "none" })),
            image(json!({ "annotations": { "a": 1 } })),
            image(json!({ "annotations": ["a"] })),
            image(json!({ "layers": [layer(json!({ "urls": "https://example.com" }))] })),
            image(json!({ "layers": [layer(json!({ "annotations": { "a": null } }))] })),
        ],
    )
    .await;
    for digest in [
        "",
        "sha256",
        "sha256:",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:../../etc/passwd",
    ] {
        let manifest = image(json!({ "layers": [layer(json!({ "digest": digest }))] })).to_string();
        is_refused(&registry, IMAGE, manifest, "MANIFEST_INVALID").await;
    }
}

/// **M09** Blobs or children that the repository does not hold → 400 `MANIFEST_BLOB_UNKNOWN`, one error for each digest.
/// **M10** A blob that only another repository holds → the same answer, to the letter.
#[tokio::test]
async fn what_a_manifest_is_made_of_has_to_be_there_first() {
    let registry = start().await;
    let (absent, elsewhere) = (
        Digest::sha256("absent"),
        registry.push_blob("other/secret", b"elsewhere").await,
    );
    let named = |digest: &Digest| layer(json!({ "digest": digest, "size": 9 }));
    let several = image(json!({
        "config": empty(json!({ "digest": Digest::sha256("config") })),
        "layers": [named(&absent), layer(json!({})), named(&elsewhere), named(&absent)],
    }));
    let body = is_refused(&registry, IMAGE, several.to_string(), "MANIFEST_BLOB_UNKNOWN").await;
    let errors = body["errors"].as_array().expect("errors");
    let digests: Vec<_> = errors.iter().map(|error| error["detail"]["digest"].clone()).collect();
    assert_eq!(
        digests,
        [json!(Digest::sha256("config")), json!(absent), json!(elsewhere)]
    );
    assert!(errors.iter().all(|error| error["code"] == "MANIFEST_BLOB_UNKNOWN"));

    let mut bodies = Vec::new();
    for digest in [&absent, &elsewhere] {
        let manifest = image(json!({ "layers": [named(digest)] })).to_string();
        let body = is_refused(&registry, IMAGE, manifest, "MANIFEST_BLOB_UNKNOWN").await;
        bodies.push(body.to_string().replace(digest.as_str(), "…"));
    }
    assert_eq!(bodies[0], bodies[1]);

    let child = registry.push_image("other/secret", "1.0.0", b"layer").await;
    for digest in [&child, &absent] {
        let index = json!({ "schemaVersion": 2, "manifests": [{ "mediaType": IMAGE, "digest": digest, "size": 300 }] });
        let body = is_refused(&registry, INDEX, index.to_string(), "MANIFEST_BLOB_UNKNOWN").await;
        assert_eq!(body["errors"][0]["detail"]["digest"], json!(digest));
    }
    let answer = registry.put_manifest("acme/hello", "1.0.0", &image(json!({}))).await;
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn a_refused_manifest_makes_no_repository() {
    let registry = TestRegistry::start().await;
    let answer = registry.put_manifest("acme/new", "1.0.0", &image(json!({}))).await;
    refused(answer, 400, "MANIFEST_BLOB_UNKNOWN").await;
    refused(
        registry.send("GET", "/v2/acme/new/tags/list").await,
        404,
        "NAME_UNKNOWN",
    )
    .await;
    assert_eq!(registry.count("SELECT COUNT(*) FROM repositories").await, 0);
    assert_eq!(
        registry
            .count("SELECT COUNT(*) FROM events WHERE repository IS NOT NULL")
            .await,
        0
    );
}

#[tokio::test]
async fn a_repository_may_take_manifests_without_their_content() {
    let registry = TestRegistry::start().await;
    registry
        .set("acme/sparse", &json!({ "missing_references": "accept" }))
        .await;
    let manifest = image(json!({}));
    let answer = registry.put_manifest("acme/sparse", "1.0.0", &manifest).await;
    assert_eq!(answer.status(), 201);
    let child = Digest::sha256("absent");
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "mediaType": IMAGE, "digest": child, "size": 300 },
        { "mediaType": IMAGE, "digest": header(&answer, "docker-content-digest"), "size": manifest.to_string().len() },
    ]});
    assert_eq!(
        registry.put_manifest("acme/sparse", "index", &index).await.status(),
        201
    );
    let answer = registry
        .send("GET", &format!("/v2/acme/sparse/manifests/{child}"))
        .await;
    refused(answer, 404, "MANIFEST_UNKNOWN").await;
    // What is there has to have its size all the same.
    registry.push_blob("acme/sparse", b"layer").await;
    let wrong = image(json!({ "layers": [layer(json!({ "size": 6 }))] }));
    let answer = registry.put_manifest("acme/sparse", "1.0.1", &wrong).await;
    refused(answer, 400, "MANIFEST_INVALID").await;
}
