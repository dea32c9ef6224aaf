//! The same registry, the same content, another client: what one pushes, the other pulls.

use oci_client::{
    Reference,
    client::{Client, ClientConfig, ClientProtocol},
    secrets::RegistryAuth,
};
use wreg_client::{BlobSource, NoProgress};
use wreg_oci::{Digest, MediaType};

use crate::{
    memory::Memory,
    server::Server,
    setup::{anonymous, content, descriptor, name, tag},
};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

async fn start() -> (Server, Client, Reference) {
    let memory = Memory::default();
    let server = Server::start(move |request| memory.answer(request)).await;
    let config = ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    };
    let reference = format!("{}/a/b:1", server.address).parse().expect("a reference");
    (server, Client::new(config), reference)
}

#[tokio::test]
async fn another_client_pulls_what_this_one_pushes() {
    let (server, peer, reference) = start().await;
    let (registry, bytes) = (anonymous(&server), content(100_000));
    let source = BlobSource::Bytes(bytes.clone().into());
    registry
        .push_blob(&name(), &descriptor(&bytes), source, None, &NoProgress)
        .await
        .expect("pushed");
    let digest = registry
        .put_manifest(&name(), &tag("1"), &MediaType::IMAGE_INDEX, MANIFEST)
        .await
        .expect("pushed");

    let accepted = [MediaType::IMAGE_INDEX.to_string()];
    let pulled = peer
        .pull_manifest_raw(&reference, &RegistryAuth::Anonymous, &[&accepted[0]])
        .await
        .expect("pulled");
    assert_eq!(pulled, (MANIFEST.into(), digest.to_string()));
    let mut blob = Vec::new();
    peer.pull_blob(&reference, Digest::sha256(&bytes).as_str(), &mut blob)
        .await
        .expect("pulled");
    assert_eq!(blob, bytes);
}

#[tokio::test]
async fn this_client_pulls_what_another_one_pushes() {
    let (server, peer, reference) = start().await;
    let (registry, bytes) = (anonymous(&server), content(5_000_000));
    peer.push_blob(&reference, bytes.clone(), Digest::sha256(&bytes).as_str())
        .await
        .expect("pushed");
    let media_type = MediaType::IMAGE_INDEX.as_str().parse().expect("a header");
    peer.push_manifest_raw(&reference, MANIFEST, media_type)
        .await
        .expect("pushed");

    let manifest = registry.manifest(&name(), &tag("1")).await.expect("pulled");
    assert_eq!(
        (&manifest.bytes[..], manifest.descriptor.media_type),
        (MANIFEST.as_bytes(), MediaType::IMAGE_INDEX)
    );
    assert_eq!(
        registry
            .blob_bytes(&name(), &descriptor(&bytes), 10_000_000)
            .await
            .expect("pulled"),
        bytes
    );
}
