//! Nothing secret leaves the registry's scheme, host and port.

use wreg_client::{BlobSource, Error, NoProgress};
use wreg_oci::MediaType;

use crate::{
    memory::{Memory, blob},
    server::{Reply, Server},
    setup::{Address, challenge, descriptor, guarded, known, name, start_guarded, tag},
};

/// **K01** A registry that names the token realm of another host or port → refused with both named, and nobody is asked.
#[tokio::test]
async fn a_foreign_token_realm_is_not_asked() {
    let thief = Server::start(|_| Reply::new(200).body(r#"{"token":"x"}"#)).await;
    let address = thief.address.to_string();
    let server = Server::start(move |_| challenge(&address)).await;
    let error = known(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("a foreign realm");
    assert!(matches!(error, Error::ForeignOrigin { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&server.address.to_string()) && text.contains(&thief.address.to_string()),
        "{text}"
    );
    assert_eq!(thief.lines(), [""; 0]);
    assert_eq!(server.headers("authorization"), [""; 0]);
}

/// **K01** An upload `Location` at another host or port → refused, and neither credentials nor content go there.
/// **V39** A redirect, or a `Location`, to another origin → credentials stay where they belong.
#[tokio::test]
async fn a_foreign_upload_location_gets_nothing() {
    let thief = Server::start(|_| Reply::new(201)).await;
    let location = format!("http://{}/v2/a/b/blobs/uploads/x", thief.address);
    let server = start_guarded(move |request| match request.method.as_str() {
        "POST" => Reply::new(202).header("location", &location),
        _ => Reply::new(404),
    })
    .await;
    let bytes = b"private".as_slice();
    let source = BlobSource::Bytes(bytes.into());
    let pushed = known(&server)
        .push_blob(&name(), &descriptor(bytes), source, None, &NoProgress)
        .await;
    let error = pushed.expect_err("a foreign location");
    assert!(matches!(error, Error::ForeignOrigin { .. }), "{error}");
    assert_eq!(thief.lines(), [""; 0]);
}

/// **K01** A `Location` that moves to another origin in the middle of an upload → refused.
#[tokio::test]
async fn an_upload_does_not_move_to_another_origin() {
    let thief = Server::start(|_| Reply::new(201)).await;
    let location = format!("http://{}/v2/a/b/blobs/uploads/x", thief.address);
    let memory = Memory::default();
    let server = Server::start(move |request| match request.method.as_str() {
        "PATCH" => Reply::new(202)
            .header("location", &location)
            .header("range", "0-16777215"),
        _ => memory.answer(request),
    })
    .await;
    let bytes = vec![0; 17 * 1024 * 1024];
    let source = BlobSource::Bytes(bytes.clone().into());
    let error = known(&server)
        .push_blob(&name(), &descriptor(&bytes), source, None, &NoProgress)
        .await
        .expect_err("moved");
    assert!(matches!(error, Error::ForeignOrigin { .. }), "{error}");
    assert_eq!(thief.lines(), [""; 0]);
    assert_eq!(server.count("DELETE "), 1, "the session is cancelled where it was");
}

/// **K01** A blob that is kept elsewhere → the redirect is followed, without credentials.
/// **V39** A redirect, or a `Location`, to another origin → credentials stay where they belong.
#[tokio::test]
async fn a_redirected_read_carries_no_credentials() {
    let bytes = b"content".as_slice();
    let cdn = Server::start(move |request| blob(request, &descriptor(bytes).digest, bytes)).await;
    let location = format!("http://{}/blob?signature=1", cdn.address);
    let server = start_guarded(move |_| Reply::new(307).header("location", &location)).await;
    let pulled = known(&server)
        .blob_bytes(&name(), &descriptor(bytes), 100)
        .await
        .expect("pulled");
    assert_eq!(pulled, bytes);
    assert_eq!(cdn.lines(), ["GET /blob?signature=1"]);
    assert_eq!(cdn.headers("authorization"), [""; 0]);
    assert!(!server.headers("authorization").is_empty());
}

/// **K01** A redirect target that answers 401 with a challenge → no credentials are shown to it.
#[tokio::test]
async fn a_redirect_target_cannot_ask_for_credentials() {
    let address = Address::default();
    let own = address.clone();
    let thief = Server::start(move |_| challenge(&own.get())).await;
    address.set(&thief);
    let location = format!("http://{}/blob", thief.address);
    let server = start_guarded(move |_| Reply::new(307).header("location", &location)).await;
    let error = known(&server)
        .blob_bytes(&name(), &descriptor(b"x"), 100)
        .await
        .expect_err("401 elsewhere");
    assert!(matches!(error, Error::Registry { status: 401, .. }), "{error}");
    assert_eq!(thief.lines(), ["GET /blob"]);
    assert_eq!(thief.headers("authorization"), [""; 0]);
}

/// **K01** A redirect that leads away and back → credentials do not come back into play.
#[tokio::test]
async fn credentials_do_not_return_after_a_detour() {
    let address = Address::default();
    let (own, back) = (address.clone(), address.clone());
    let detour =
        Server::start(move |_| Reply::new(307).header("location", format!("http://{}/back", back.get()))).await;
    let location = format!("http://{}/away", detour.address);
    let server = Server::start(guarded(
        move || own.get(),
        move |request| match request.target.as_str() {
            "/back" => Reply::new(200),
            _ => Reply::new(307).header("location", &location),
        },
    ))
    .await;
    address.set(&server);
    let result = known(&server).blob_bytes(&name(), &descriptor(b"x"), 100).await;
    assert!(result.is_err());
    let requests = server.requests.lock().expect("requests");
    let back: Vec<_> = requests.iter().filter(|request| request.target == "/back").collect();
    assert!(
        !back.is_empty() && back[0].header("authorization").is_none(),
        "{back:?}"
    );
}

/// **K01** A push that is redirected, even within the registry → not followed: content goes where it was meant to go.
#[tokio::test]
async fn a_redirected_write_is_not_followed() {
    let thief = Server::start(|_| Reply::new(201)).await;
    let location = format!("http://{}/v2/a/b/manifests/1", thief.address);
    let server = start_guarded(move |_| Reply::new(307).header("location", &location)).await;
    let pushed = known(&server)
        .put_manifest(&name(), &tag("1"), &MediaType::IMAGE_MANIFEST, "{}")
        .await;
    assert!(matches!(pushed, Err(Error::Registry { status: 307, .. })), "{pushed:?}");
    assert_eq!(thief.lines(), [""; 0]);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let server = Server::start(|_| Reply::new(307).header("location", "/round")).await;
    let error = known(&server)
        .blob_bytes(&name(), &descriptor(b"x"), 100)
        .await
        .expect_err("a circle");
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert_eq!(server.lines().len(), 6);
}

/// **K01** A page of a list that leads to another origin → refused.
#[tokio::test]
async fn a_list_does_not_go_on_elsewhere() {
    let thief = Server::start(|_| Reply::new(200).body(r#"{"tags":["stolen"]}"#)).await;
    let link = format!("<http://{}/v2/a/b/tags/list>; rel=\"next\"", thief.address);
    let server = Server::start(move |_| Reply::new(200).header("link", &link).body(r#"{"tags":["1"]}"#)).await;
    let error = known(&server).tags(&name()).await.expect_err("a foreign page");
    assert!(matches!(error, Error::ForeignOrigin { .. }), "{error}");
    assert_eq!(thief.lines(), [""; 0]);
}
