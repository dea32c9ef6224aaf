//! Where packages are, as a registry says it; and what the store gives without being asked for a size.

use wreg_client::Error;
use wreg_oci::Digest;

use crate::{
    server::{Body, Reply, Server},
    setup::{self, anonymous, descriptor, known, name, storing},
};

const PATH: &str = "/.well-known/wasm-pkg/registry.json";

async fn says(body: &'static str) -> Result<Option<(Option<String>, Option<String>)>, Error> {
    let server = Server::start(move |request| {
        assert_eq!(request.target, PATH);
        Reply::new(200).body(body)
    })
    .await;
    let metadata = anonymous(&server).package_metadata().await?;
    Ok(metadata.map(|metadata| {
        (
            metadata.oci_registry().map(str::to_owned),
            metadata.oci_namespace_prefix().map(str::to_owned),
        )
    }))
}

#[tokio::test]
async fn a_registry_says_where_its_packages_are() {
    let here = |registry: &str, prefix: &str| Some((Some(registry.to_owned()), Some(prefix.to_owned())));
    for (body, expected) in [
        (
            r#"{"preferredProtocol":"oci","oci":{"registry":"reg.example","namespacePrefix":"pkgs/"}}"#,
            here("reg.example", "pkgs/"),
        ),
        (
            r#"{"ociRegistry":"reg.example","ociNamespacePrefix":"pkgs/"}"#,
            here("reg.example", "pkgs/"),
        ),
        (
            r#"{"warg":{"url":"https://warg.example"},"oci":null}"#,
            Some((None, None)),
        ),
    ] {
        assert_eq!(says(body).await.expect(body), expected, "{body}");
    }
    assert!(matches!(says("<!doctype html>").await, Err(Error::Protocol { .. })));
}

#[tokio::test]
async fn it_is_asked_without_credentials_and_once() {
    let server = Server::start(|request| {
        assert_eq!(request.header("authorization"), None);
        Reply::new(401).header("www-authenticate", "Basic realm=\"r\"")
    })
    .await;
    let refused = known(&server).package_metadata().await;
    assert!(matches!(refused, Err(Error::Unauthorized { .. })));
    assert_eq!(server.lines(), [format!("GET {PATH}")]);

    let server = Server::start(|_| Reply::new(404)).await;
    assert_eq!(anonymous(&server).package_metadata().await.expect("nothing"), None);
    let server = Server::start(|_| Reply::new(500)).await;
    assert!(anonymous(&server).package_metadata().await.is_err());
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_description_without_an_end_is_cut_off() {
    let server = Server::start(|_| Reply::new(200).with(Body::Endless)).await;
    let endless = anonymous(&server).package_metadata().await;
    assert!(matches!(endless, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn the_store_gives_content_by_its_digest_alone_and_only_while_it_is_whole() {
    let bytes = setup::content(1000);
    let (content, digest) = (bytes.clone(), Digest::sha256(&bytes));
    let server = Server::start(move |_| Reply::new(200).body(content.clone())).await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = wreg_client::Store::open(folder.path().join("store")).expect("a store");
    assert_eq!(store.read(&digest, 1000).await, None);
    let registry = storing(&server, &folder);
    registry
        .blob_bytes(&name(), &descriptor(&bytes), 1000)
        .await
        .expect("the blob");
    assert_eq!(store.read(&digest, 999).await, None);
    assert_eq!(store.read(&digest, 1000).await, Some(bytes.clone()));

    let file = store.get(&descriptor(&bytes)).expect("it is there");
    std::fs::write(&file, setup::content(999)).expect("the store is ours");
    assert_eq!(store.read(&digest, 1000).await, None);
    assert!(!file.exists());
}
