//! Challenges, token exchange, and what happens when rights are missing.

use std::sync::atomic::{AtomicBool, Ordering};

use wreg_client::{ClientOptions, Credentials, Error, Secret};

use crate::{
    memory::Memory,
    server::{Reply, Server},
    setup::{anonymous, basic, client, known, name, start_guarded, tag},
};

fn manifest() -> Memory {
    let memory = Memory::default();
    let bytes = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#.to_vec();
    let media_type = "application/vnd.oci.image.index.v1+json".to_owned();
    memory.state().manifests.insert("1".to_owned(), (media_type, bytes));
    memory
}

#[tokio::test]
async fn a_token_is_fetched_once_for_each_scope() {
    let memory = manifest();
    let server = start_guarded(move |request| memory.answer(request)).await;
    let registry = known(&server);
    for _ in 0..3 {
        assert!(registry.resolve(&name(), &tag("1")).await.expect("an answer").is_some());
    }
    registry.delete_manifest(&name(), &tag("1")).await.expect("deleted");
    let tokens: Vec<String> = server
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("GET /token"))
        .collect();
    assert_eq!(
        tokens,
        [
            "GET /token?service=test&scope=repository%3Aa%2Fb%3Apull",
            "GET /token?service=test&scope=repository%3Aa%2Fb%3Apull%2Cdelete"
        ]
    );
}

#[tokio::test]
async fn many_requests_at_once_fetch_one_token() {
    let memory = manifest();
    let server = start_guarded(move |request| memory.answer(request)).await;
    let registry = known(&server);
    let requests = (0..20).map(|_| {
        let registry = registry.clone();
        tokio::spawn(async move { registry.manifest(&name(), &tag("1")).await })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("joined").expect("a manifest");
    }
    assert_eq!(server.count("GET /token"), 1);
}

#[tokio::test]
async fn a_token_that_the_registry_no_longer_takes_is_replaced() {
    let memory = manifest();
    let is_revoked = AtomicBool::new(false);
    let server = start_guarded(move |request| {
        let is_first = request.header("authorization") == Some("Bearer jwt-1");
        if is_first && is_revoked.swap(true, Ordering::Relaxed) {
            let challenge = "Bearer realm=\"/token\",service=\"test\",error=\"invalid_token\"";
            return Reply::new(401).header("www-authenticate", challenge);
        }
        memory.answer(request)
    })
    .await;
    let registry = known(&server);
    registry
        .manifest(&name(), &tag("1"))
        .await
        .expect("with the first token");
    registry
        .manifest(&name(), &tag("1"))
        .await
        .expect("with the second token");
    assert_eq!(server.count("GET /token"), 2);
}

#[tokio::test]
async fn without_credentials_the_error_says_how_to_log_in() {
    let memory = manifest();
    let server = start_guarded(move |request| memory.answer(request)).await;
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("not public");
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!error.is_no());
    assert_eq!(
        error.hint(),
        Some(format!("log in with `wreg login {}`, or set WREG_TOKEN", server.host()))
    );
}

#[tokio::test]
async fn rights_that_are_missing_are_denied_and_not_a_login_problem() {
    let server = start_guarded(|_| {
        let challenge = "Bearer realm=\"/token\",service=\"test\",error=\"insufficient_scope\"";
        Reply::new(401)
            .header("www-authenticate", challenge)
            .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"may not push"}]}"#)
    })
    .await;
    let error = known(&server)
        .delete_manifest(&name(), &tag("1"))
        .await
        .expect_err("denied");
    assert!(
        matches!(&error, Error::Denied { message: Some(words), .. } if words == "may not push"),
        "{error}"
    );
    assert!(error.is_no());
}

#[tokio::test]
async fn refused_credentials_do_not_stand_in_the_way_of_what_is_public() {
    let memory = manifest();
    let server =
        Server::start(
            move |request| match (request.target.starts_with("/token"), request.header("authorization")) {
                (true, Some(_)) => Reply::new(401),
                (true, None) => Reply::new(200).body(r#"{"token":"anonymous"}"#),
                (false, Some("Bearer anonymous")) if request.method == "GET" => memory.answer(request),
                (false, _) => Reply::new(401).header("www-authenticate", "Bearer realm=\"/token\",service=\"test\""),
            },
        )
        .await;
    let registry = known(&server);
    registry.manifest(&name(), &tag("1")).await.expect("public");
    let error = registry
        .delete_manifest(&name(), &tag("1"))
        .await
        .expect_err("not public");
    assert!(matches!(error, Error::CredentialsRefused { .. }), "{error}");
    assert_eq!(
        error.hint(),
        Some(format!("log in again with `wreg login {}`", server.host()))
    );
}

#[tokio::test]
async fn refused_credentials_are_the_reason_where_nothing_is_public() {
    let server = start_guarded(|_| Reply::new(500)).await;
    let options = ClientOptions {
        credentials: Credentials::none().with(server.host(), Secret::new("ada", "expired")),
        ..ClientOptions::default()
    };
    let registry = client(options).registry(&server.host()).expect("a registry");
    let error = registry.manifest(&name(), &tag("1")).await.expect_err("not public");
    assert!(
        matches!(&error, Error::CredentialsRefused { message: Some(words), .. } if words == "unknown token"),
        "{error}"
    );
}

#[tokio::test]
async fn a_registry_that_asks_for_a_password_gets_it() {
    let memory = manifest();
    let server = Server::start(move |request| match request.header("authorization") {
        Some(header) if header == basic() => memory.answer(request),
        _ => Reply::new(401).header("www-authenticate", "Basic realm=\"x\""),
    })
    .await;
    let registry = known(&server);
    registry.manifest(&name(), &tag("1")).await.expect("with the password");
    registry
        .manifest(&name(), &tag("1"))
        .await
        .expect("with the password, unasked");
    assert_eq!(server.lines().len(), 3);
    let error = anonymous(&server)
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("no password");
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn a_login_is_checked_with_the_credentials_that_are_given() {
    let server = start_guarded(|_| Reply::new(200)).await;
    let registry = anonymous(&server);
    registry
        .check_login(&Secret::new("ada", "hunter2"))
        .await
        .expect("good");
    let error = registry
        .check_login(&Secret::new("ada", "wrong"))
        .await
        .expect_err("bad");
    assert!(matches!(error, Error::CredentialsRefused { .. }), "{error}");
    assert!(error.is_no());
}

#[tokio::test]
async fn the_own_api_gets_the_personal_token_itself() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer hunter2") => Reply::new(200).body(
            r#"{"name":"a/b","visibility":"public","immutable_tags":"none","missing_references":"reject","deletable":true,"tags":1,"manifests":2,"size":3,"created_at":4}"#,
        ),
        Some(_) => Reply::new(401),
        None => Reply::new(401).header("www-authenticate", "Bearer realm=\"http://evil.test/token\""),
    })
    .await;
    assert_eq!(known(&server).repository(&name()).await.expect("a repository").size, 3);
    assert_eq!(server.lines(), ["GET /api/v1/repository?repository=a%2Fb"]);
    let error = anonymous(&server).repository(&name()).await.expect_err("nobody");
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn no_error_and_no_debug_output_holds_a_secret() {
    let server =
        Server::start(|_| Reply::new(401).header("www-authenticate", "Bearer realm=\"http://evil.test/\"")).await;
    let registry = known(&server);
    let error = registry
        .manifest(&name(), &tag("1"))
        .await
        .expect_err("a foreign realm");
    let shown = format!("{error} {error:?} {registry:?} {:?}", error.hint());
    assert!(!shown.contains("hunter2") && !shown.contains(&basic()), "{shown}");
}
