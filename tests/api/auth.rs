//! Who is asking: credentials that are taken, those that are not, and what the answer tells.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::{Response, StatusCode};

use crate::registry::{Options, TestDatabase, TestRegistry, header, refused};

/// A token of the right form that nobody was given.
pub(crate) const UNKNOWN_TOKEN: &str = "wreg_pat_0000000000000000000000000000000000000000000";

/// `UNKNOWN_TOKEN` with its checksum: it can only be told by asking the database.
pub(crate) fn unknown_token() -> String {
    format!("{UNKNOWN_TOKEN}{}", checksum(UNKNOWN_TOKEN))
}

fn checksum(body: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut text = [0; 6];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8(text.to_vec()).expect("digits are ASCII")
}

/// Asserts a 401 whose challenge has, after realm and service, exactly these parameters.
pub(crate) async fn challenged(registry: &TestRegistry, answer: Response, parameters: &str) {
    let expected = format!(
        "Bearer realm=\"http://{}/token\",service=\"wreg\"{parameters}",
        registry.address
    );
    assert_eq!(header(&answer, "www-authenticate"), expected);
    refused(answer, 401, "UNAUTHORIZED").await;
}

/// **A01** No credentials where some are needed → 401 UNAUTHORIZED, and the challenge says where to get a token and for what.
#[tokio::test]
async fn a_challenge_says_where_to_get_a_token_and_for_what() {
    let registry = TestRegistry::start().await;
    for (method, target, scope) in [
        ("GET", "/v2/", ""),
        (
            "GET",
            "/v2/acme/hello/tags/list",
            ",scope=\"repository:acme/hello:pull\"",
        ),
        (
            "POST",
            "/v2/acme/hello/blobs/uploads/",
            ",scope=\"repository:acme/hello:pull,push\"",
        ),
        (
            "DELETE",
            "/v2/acme/hello/manifests/1.0",
            ",scope=\"repository:acme/hello:delete\"",
        ),
        ("GET", "/v2/_catalog", ",scope=\"registry:catalog:*\""),
        (
            "PATCH",
            "/api/v1/repository?repository=acme/hello",
            ",scope=\"repository:acme/hello:*\"",
        ),
    ] {
        let answer = registry.anonymous(method, target).send().await.expect("an answer");
        challenged(&registry, answer, scope).await;
    }
}

/// **A02** A registry token that is good and lacks the action → 401, `insufficient_scope`, and the scope to come back with.
#[tokio::test]
async fn a_token_that_lacks_the_action_is_told_what_to_ask_for() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let token = registry.registry_token("repository:acme/hello:pull", false).await;
    let send = |method, target| registry.anonymous(method, target).bearer_auth(&token).send();
    let answer = send("GET", "/v2/acme/hello/manifests/1.0").await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    for (method, target, scope) in [
        (
            "POST",
            "/v2/acme/hello/blobs/uploads/",
            "repository:acme/hello:pull,push",
        ),
        ("DELETE", "/v2/acme/hello/manifests/1.0", "repository:acme/hello:delete"),
        ("GET", "/v2/acme/other/manifests/1.0", "repository:acme/other:pull"),
        (
            "PATCH",
            "/api/v1/repository?repository=acme/hello",
            "repository:acme/hello:*",
        ),
        ("GET", "/api/v1/repositories", "registry:catalog:*"),
    ] {
        let answer = send(method, target).await.expect("an answer");
        let parameters = format!(",scope=\"{scope}\",error=\"insufficient_scope\"");
        challenged(&registry, answer, &parameters).await;
    }
}

/// **A04** An unknown user, a wrong password, a mistyped one → 401 with the same headers and the same text.
#[tokio::test]
async fn wrong_credentials_are_answered_alike_whatever_is_wrong() {
    let registry = TestRegistry::start().await;
    let (unknown, mistyped) = (unknown_token(), format!("{UNKNOWN_TOKEN}aaaaaa"));
    let pairs = [
        ("admin", unknown.as_str()),
        ("nobody", &unknown),
        ("admin", &mistyped),
        ("admin", "password"),
        ("nobody", "password"),
        ("admin", ""),
    ];
    for target in ["/v2/", "/token?service=wreg", "/api/v1/repositories"] {
        let mut answers = Vec::new();
        for (user, password) in pairs {
            let request = registry.anonymous("GET", target).basic_auth(user, Some(password));
            answers.push(comparable(request.send().await.expect("an answer")).await);
        }
        for answer in &answers {
            assert_eq!((answer, answer.0), (&answers[0], StatusCode::UNAUTHORIZED), "{target}");
        }
    }
    let mut answers = Vec::new();
    for (user, password) in pairs {
        let form = format!("grant_type=password&username={user}&password={password}");
        let request = registry.anonymous("POST", "/token").body(form);
        answers.push(comparable(request.send().await.expect("an answer")).await);
    }
    for answer in &answers {
        assert_eq!((answer, answer.0), (&answers[0], StatusCode::UNAUTHORIZED));
    }
}

/// All of an answer but its id and its time.
pub(crate) async fn comparable(answer: Response) -> (StatusCode, Vec<(String, String)>, String) {
    let status = answer.status();
    let headers = answer.headers().iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| *name != "x-request-id" && *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .collect();
    headers.sort();
    (status, headers, answer.text().await.expect("a body"))
}

/// **A06** Basic that is not Base64, not text, or has no colon; an unknown scheme; no value → 401.
#[tokio::test]
async fn malformed_credentials_are_no_credentials() {
    let registry = TestRegistry::start().await;
    let long = format!("Basic {}", BASE64.encode(format!("admin:{}", "x".repeat(20_000))));
    for value in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWRtaW4", // without its padding
        &format!("Basic {}", BASE64.encode("admin")),
        &format!("Basic {}", BASE64.encode(b"admin:\xff")),
        &long,
        "Bearer",
        "Bearer ",
        "Bearer wreg_pat_",
        &format!("Token {}", registry.token),
        &registry.token,
        "",
    ] {
        let request = registry.anonymous("GET", "/v2/").header("authorization", value);
        let answer = request.send().await.expect("an answer");
        challenged(&registry, answer, ",error=\"invalid_token\"").await;
    }
}

/// **A06** Two `Authorization` headers, or one that is no text → 400, even if one of them is right.
#[tokio::test]
async fn several_authorizations_are_refused() {
    let registry = TestRegistry::start().await;
    let right = format!("Bearer {}", registry.token);
    for other in [right.as_str(), "Basic Og==", ""] {
        let request = registry.anonymous("GET", "/v2/");
        let request = request.header("authorization", &right).header("authorization", other);
        refused(request.send().await.expect("an answer"), 400, "UNAUTHORIZED").await;
    }
    let request = registry.anonymous("GET", "/v2/");
    let request = request.header("authorization", b"Bearer \xff".as_slice());
    refused(request.send().await.expect("an answer"), 400, "UNAUTHORIZED").await;
}

#[tokio::test]
async fn a_personal_token_is_a_password_for_any_user_or_a_bearer() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    for target in ["/v2/", "/v2/acme/hello/manifests/1.0", "/token", "/api/v1/repositories"] {
        let ask = || registry.anonymous("GET", target);
        for request in [
            ask().basic_auth("admin", Some(&registry.token)),
            ask().basic_auth("somebody", Some(&registry.token)),
            ask().basic_auth("", Some(&registry.token)),
            ask().bearer_auth(&registry.token),
            ask().header("authorization", format!("bearer {}", registry.token)),
            ask().header(
                "authorization",
                format!("BASIC {}", BASE64.encode(format!("x:{}", registry.token))),
            ),
        ] {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK, "{target}");
        }
    }
}

#[tokio::test]
async fn who_is_somebody_and_asks_for_what_is_not_there_is_told_so() {
    let registry = TestRegistry::start().await;
    let answer = registry.send("GET", "/v2/acme/absent/tags/list").await;
    refused(answer, 404, "NAME_UNKNOWN").await;
    let answer = registry.send("GET", "/api/v1/repository?repository=acme/absent").await;
    refused(answer, 404, "NAME_UNKNOWN").await;
}

#[tokio::test]
async fn a_new_administrators_token_takes_the_place_of_the_old_one() {
    let registry = TestRegistry::start().await;
    let old = registry.token.clone();
    let (data, database) = registry.stop().await;
    std::fs::remove_file(data.path().join("admin-token")).expect("the file is there");
    let registry = TestRegistry::with(Options {
        data: Some(data),
        database: Some(database),
        reset_admin_token: true,
        ..Options::default()
    })
    .await;
    assert_ne!(registry.token, old);
    let answer = registry.anonymous("GET", "/v2/").bearer_auth(&old).send().await;
    challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    assert_eq!(registry.send("GET", "/v2/").await.status(), StatusCode::OK);
}

/// Runs with PostgreSQL only: SQLite is one server's.
#[tokio::test]
async fn a_further_server_leaves_the_administrators_token_alone() {
    let first = TestRegistry::start().await;
    let TestDatabase::Postgres(_) = &first.database else {
        return;
    };
    let good = async |registry: &TestRegistry, token: &str| {
        let answer = registry.anonymous("GET", "/v2/").bearer_auth(token).send().await;
        answer.expect("an answer").status() == StatusCode::OK
    };
    let another = async |data, reset_admin_token| {
        TestRegistry::with(Options {
            data,
            database: Some(first.database.clone()),
            reset_admin_token,
            ..Options::default()
        })
        .await
    };
    // With an empty folder it makes none.
    let second = another(None, false).await;
    assert_eq!((second.token.as_str(), second.app.is_first_start()), ("", false));
    assert!(good(&first, &first.token).await && good(&second, &first.token).await);

    // A folder with another one changes nothing, until the operator says so.
    let (data, _) = second.stop().await;
    let stranger = TestRegistry::with(Options {
        database: Some(TestDatabase::Sqlite),
        ..Options::default()
    })
    .await;
    let from = stranger.data.path().join("admin-token");
    std::fs::copy(from, data.path().join("admin-token")).expect("a copy");
    let third = another(Some(Arc::clone(&data)), false).await;
    assert!(good(&first, &first.token).await && !good(&first, &third.token).await);
    third.stop().await;
    let fourth = another(Some(data), true).await;
    assert!(!good(&first, &first.token).await && good(&first, &fourth.token).await);
}
