//! Manifests: verified, bounded, byte for byte.

use std::sync::atomic::Ordering;

use tempfile::TempDir;
use wreg_client::Error;
use wreg_oci::{Descriptor, Digest, MediaType, TagOrDigest, digest::Algorithm};

use crate::{
    memory::Memory,
    server::{Body, Reply, Server},
    setup::{anonymous, files, name, storing, tag},
};

const INDEX: &str =
    "{ \"schemaVersion\": 2,\n \"mediaType\": \"application/vnd.oci.image.index.v1+json\", \"manifests\": [] }";

async fn serving(bytes: &'static str, stated: String) -> Server {
    Server::start(move |_| {
        let reply = Reply::new(200).header("content-type", MediaType::IMAGE_INDEX.as_str());
        reply
            .header("docker-content-digest", &stated)
            .header("content-length", bytes.len().to_string())
            .body(bytes)
    })
    .await
}

#[tokio::test]
async fn a_manifest_is_pushed_and_fetched_byte_for_byte() {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let registry = anonymous(&server);
    let digest = registry
        .put_manifest(&name(), &tag("1"), &MediaType::IMAGE_INDEX, INDEX)
        .await
        .expect("pushed");
    assert_eq!(digest, Digest::sha256(INDEX));
    let expected = Descriptor::of(MediaType::IMAGE_INDEX, INDEX.as_bytes());
    for at in [tag("1"), digest.into()] {
        let manifest = registry.manifest(&name(), &at).await.expect("fetched");
        assert_eq!(
            (&manifest.bytes[..], &manifest.descriptor),
            (INDEX.as_bytes(), &expected)
        );
        assert_eq!(
            registry.resolve(&name(), &at).await.expect("resolved").as_ref(),
            Some(&expected)
        );
    }
    registry.delete_manifest(&name(), &tag("1")).await.expect("deleted");
    assert_eq!(registry.resolve(&name(), &tag("1")).await.expect("an answer"), None);
    let error = registry.manifest(&name(), &tag("1")).await.expect_err("gone");
    assert_eq!(error.to_string(), format!("{} has no manifest a/b:1", server.host()));
    assert!(error.is_no());
}

/// **K04** A manifest that is asked for by digest, and other bytes → an error that names both digests; nothing is kept.
/// **V39** A digest is pinned, and other bytes come → refused, whatever the registry says of them.
#[tokio::test]
async fn other_bytes_than_the_pinned_ones_are_refused() {
    let pinned = Digest::sha256("pinned");
    for stated in [pinned.to_string(), Digest::sha256(INDEX).to_string()] {
        let server = serving(INDEX, stated).await;
        let folder = TempDir::new().expect("a folder");
        let error = storing(&server, &folder)
            .manifest(&name(), &pinned.clone().into())
            .await
            .expect_err("other bytes");
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        assert!(error.is_no());
        assert_eq!(files(folder.path()), [""; 0]);
    }
}

/// **K04** A `Docker-Content-Digest` that is not the digest of the bytes, or is no digest → an error, by tag as well.
#[tokio::test]
async fn a_stated_digest_must_be_that_of_the_bytes() {
    let server = serving(INDEX, Digest::sha256("other").to_string()).await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("another digest");
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    let server = serving(INDEX, "sha256:short".to_owned()).await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("no digest");
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

/// **K04** A `HEAD` by digest that states another digest → an error.
#[tokio::test]
async fn a_head_must_state_the_pinned_digest() {
    let server = serving(INDEX, Digest::sha256("other").to_string()).await;
    let error = anonymous(&server)
        .resolve(&name(), &Digest::sha256(INDEX).into())
        .await
        .expect_err("another digest");
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

/// **K04** A registry that confirms a push with another digest → an error.
#[tokio::test]
async fn a_push_that_is_confirmed_with_another_digest_is_an_error() {
    let server = Server::start(|_| Reply::new(201).header("docker-content-digest", Digest::sha256("x").as_str())).await;
    let pushed = anonymous(&server)
        .put_manifest(&name(), &tag("1"), &MediaType::IMAGE_INDEX, INDEX)
        .await;
    assert!(matches!(pushed, Err(Error::DigestMismatch { .. })), "{pushed:?}");
}

/// **K03** A manifest of 1 GiB, announced or without an end → cut off at 4 MiB while it is read.
#[tokio::test]
async fn an_endless_manifest_is_cut_off() {
    let server = Server::start(|_| {
        Reply::new(200)
            .header("content-type", "application/json")
            .with(Body::Endless)
    })
    .await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("too large");
    assert!(matches!(error, Error::TooLarge { limit: 0x40_0000, .. }), "{error}");
    assert!(
        server.sent.load(Ordering::Relaxed) < 0x400_0000,
        "{server:?}",
        server = server.sent
    );

    let announced = Body::Cut(1 << 30, vec![b' '; 5 << 20]);
    let server = Server::start(move |_| Reply::new(200).with(announced.clone())).await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// **K03** An error whose body has no end → the error, without waiting for it.
#[tokio::test]
async fn an_endless_error_is_cut_off() {
    let server = Server::start(|_| Reply::new(400).with(Body::Endless)).await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("an error");
    assert!(matches!(error, Error::Registry { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn a_manifest_is_pushed_only_under_its_own_digest() {
    let server = Server::start(|_| Reply::new(201)).await;
    let at = TagOrDigest::Digest(Digest::sha256("other"));
    let pushed = anonymous(&server)
        .put_manifest(&name(), &at, &MediaType::IMAGE_INDEX, INDEX)
        .await;
    assert!(matches!(pushed, Err(Error::NotItsDigest { .. })), "{pushed:?}");
    assert_eq!(server.lines(), [""; 0]);
}

#[tokio::test]
async fn sha512_is_as_good_as_sha256() {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let registry = anonymous(&server);
    let digest = Digest::of(Algorithm::Sha512, INDEX);
    let at = TagOrDigest::Digest(digest.clone());
    assert_eq!(
        registry
            .put_manifest(&name(), &at, &MediaType::IMAGE_INDEX, INDEX)
            .await
            .expect("pushed"),
        digest
    );
    assert_eq!(
        registry
            .manifest(&name(), &at)
            .await
            .expect("fetched")
            .descriptor
            .digest,
        digest
    );
}

#[tokio::test]
async fn a_registry_that_states_no_digest_is_asked_for_the_manifest() {
    let server = Server::start(|_| {
        Reply::new(200)
            .header("content-type", "text/plain; charset=utf-8")
            .body(INDEX)
    })
    .await;
    let resolved = anonymous(&server)
        .resolve(&name(), &tag("1"))
        .await
        .expect("an answer")
        .expect("a manifest");
    assert_eq!(resolved, Descriptor::of(MediaType::IMAGE_INDEX, INDEX.as_bytes()));
    assert_eq!(server.lines(), ["HEAD /v2/a/b/manifests/1", "GET /v2/a/b/manifests/1"]);
}

#[tokio::test]
async fn a_manifest_by_digest_is_fetched_once() {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let folder = TempDir::new().expect("a folder");
    let registry = storing(&server, &folder);
    let digest = registry
        .put_manifest(&name(), &tag("1"), &MediaType::IMAGE_INDEX, INDEX)
        .await
        .expect("pushed");
    let first = registry.manifest(&name(), &tag("1")).await.expect("by tag");
    let second = registry.manifest(&name(), &digest.into()).await.expect("by digest");
    assert_eq!((first.from_store, second.from_store), (false, true));
    assert_eq!((first.bytes, first.descriptor), (second.bytes, second.descriptor));
    assert_eq!(server.count("GET "), 1);
    registry.manifest(&name(), &tag("1")).await.expect("by tag again");
    assert_eq!(server.count("GET "), 2, "a tag may have moved");
}
