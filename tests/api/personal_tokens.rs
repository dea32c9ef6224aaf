//! Personal tokens beside the administrator's: made with a scope and an end, listed without their secrets, and gone at once when
//! they are revoked.

use std::time::Duration;

use futures_util::future::join;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use wreg_oci::MediaType;
use wreg_registry::Clock;

use crate::{
    auth::challenged,
    registry::{Options, TestRegistry, header, refused},
};

/// 2023-11-14T22:13:20Z.
const NOW: i64 = 1_700_000_000_000;
const DAY: Duration = Duration::from_hours(24);

async fn at(clock: &Clock) -> TestRegistry {
    TestRegistry::with(Options::at(clock)).await
}

async fn create(registry: &TestRegistry, secret: &str, new: &Value) -> Response {
    let request = registry.anonymous("POST", "/api/v1/tokens").bearer_auth(secret);
    request.json(new).send().await.expect("an answer")
}

/// A token made by the holder of another one.
async fn made_with(registry: &TestRegistry, secret: &str, new: &Value) -> Value {
    let answer = create(registry, secret, new).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    answer.json().await.expect("JSON")
}

fn secret(created: &Value) -> &str {
    created["secret"].as_str().expect("a secret")
}

async fn list(registry: &TestRegistry) -> Vec<Value> {
    let answer = registry.send("GET", "/api/v1/tokens").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body: Value = answer.json().await.expect("JSON");
    serde_json::from_value(body["tokens"].take()).expect("a list")
}

async fn revoke(registry: &TestRegistry, created: &Value) -> Vec<String> {
    let id = created["token"]["id"].as_str().expect("an id");
    let answer = registry.send("DELETE", &format!("/api/v1/tokens?id={id}")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let body: Value = answer.json().await.expect("JSON");
    let ended = body["tokens"].as_array().expect("a list").iter();
    ended
        .map(|token| token["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn put(request: RequestBuilder, manifest: &Value) -> RequestBuilder {
    let request = request.header("content-type", MediaType::IMAGE_MANIFEST.as_str());
    request.body(manifest.to_string())
}

#[tokio::test]
async fn a_token_is_told_once_and_listed_without_its_secret() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let new = json!({ "name": "ci", "scopes": ["acme/*:tag:update,pull,tag:create", "other:delete"] });
    let created = made_with(&registry, &registry.token, &new).await;
    assert!(secret(&created).starts_with("wreg_pat_") && secret(&created).len() == 58);
    let expected = json!({
        "id": created["token"]["id"], "name": "ci", "scopes": ["acme/*:pull,push", "other:delete"], "owner": "admin",
        "created_at": NOW, "expires_at": NOW + 90 * 24 * 60 * 60 * 1000_i64, "last_used_at": null,
    });
    assert_eq!(created["token"], expected);

    let listed = list(&registry).await;
    let admin = &listed[0];
    assert_eq!(
        (&admin["name"], &admin["scopes"], &admin["expires_at"]),
        (
            &json!("admin"),
            &json!(["*:pull,push,delete,repo:admin,server:admin"]),
            &Value::Null
        )
    );
    assert_eq!(listed[1], expected);
    let text = format!("{listed:?}");
    assert!(!text.contains("wreg_pat_") && !text.contains("hash"), "{text}");
    // Only what cannot be turned back into the secret is kept.
    let kept = registry
        .count("SELECT COUNT(*) FROM tokens WHERE hash LIKE 'wreg_pat_%' OR LENGTH(hash) <> 64")
        .await;
    assert_eq!(kept, 0);

    let (one, rest) = (
        registry.send("GET", "/api/v1/tokens?n=1").await,
        "/api/v1/tokens?n=1&last=admin",
    );
    assert_eq!(crate::registry::next_page(&one).as_deref(), Some(rest));
    let answer = registry.send("GET", rest).await;
    assert_eq!(crate::registry::next_page(&answer), None);
}

#[tokio::test]
async fn when_a_token_was_used_is_known_to_the_hour() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let created = made_with(
        &registry,
        &registry.token,
        &json!({ "name": "ci", "scopes": ["acme/*:pull"] }),
    )
    .await;
    let hour = NOW - NOW % 3_600_000;
    for (later, expected) in [(Duration::ZERO, hour), (Duration::from_hours(1), hour + 3_600_000)] {
        clock.advance(later);
        let answer = registry
            .anonymous("GET", "/v2/")
            .bearer_auth(secret(&created))
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
        // It is noted beside the request, so the answer may be quicker: ask until it is there.
        while list(&registry).await[1]["last_used_at"] != json!(expected) {
            tokio::task::yield_now().await;
        }
    }
}

/// **A14** A member that is not asked for (`is_admin`, `owner`, `id`), a list, a wrong scope or name → 400, and no token.
#[tokio::test]
async fn a_wrong_description_of_a_token_is_refused() {
    let registry = TestRegistry::start().await;
    for new in [
        json!({ "name": "ci", "scopes": ["a:pull"], "is_admin": true }),
        json!({ "name": "ci", "scopes": ["a:pull"], "owner": "admin" }),
        json!({ "name": "ci", "scopes": ["a:pull"], "id": "admin" }),
        json!(["ci", ["a:pull"], null]),
        json!({ "name": "ci" }),
        json!({ "name": "ci", "scopes": [] }),
        json!({ "name": "ci", "scopes": ["a"] }),
        json!({ "name": "ci", "scopes": ["a*:pull"] }),
        json!({ "name": "ci", "scopes": ["a:server:admin"] }),
        json!({ "name": "c i", "scopes": ["a:pull"] }),
        json!({ "name": "", "scopes": ["a:pull"] }),
        json!({ "name": "ci", "scopes": ["a:pull"], "expires_in": 0 }),
        json!({ "name": "ci", "scopes": ["a:pull"], "expires_in": 365 * 24 * 60 * 60 + 1 }),
        json!({ "name": "ci", "scopes": ["a:pull"], "expires_in": -1 }),
    ] {
        refused(create(&registry, &registry.token, &new).await, 400, "UNSUPPORTED").await;
    }
    assert_eq!(list(&registry).await.len(), 1);
}

#[tokio::test]
async fn a_name_is_taken_until_its_token_ends() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let new = json!({ "name": "ci", "scopes": ["acme/*:pull"], "expires_in": 3600 });
    let first = made_with(&registry, &registry.token, &new).await;
    refused(create(&registry, &registry.token, &new).await, 409, "DENIED").await;
    let admin = json!({ "name": "admin", "scopes": ["acme/*:pull"] });
    refused(create(&registry, &registry.token, &admin).await, 409, "DENIED").await;
    clock.advance(Duration::from_hours(1));
    let second = made_with(&registry, &registry.token, &new).await;
    assert_ne!(first["token"]["id"], second["token"]["id"]);
    revoke(&registry, &second).await;
    made_with(&registry, &registry.token, &new).await;
    assert_eq!(list(&registry).await.len(), 2);
}

/// **A11** A token that is read-only, or for another repository → 403, or 404 as for a repository that is not there.
/// **A02** A personal token that lacks the action → 403 DENIED if it may pull, and what it would need.
#[tokio::test]
async fn a_token_that_lacks_the_right_is_told_which() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    registry.push_image("other/hello", "1.0", b"layer").await;
    let new = json!({ "name": "reader", "scopes": ["acme/*:pull"] });
    let reader = made_with(&registry, &registry.token, &new).await;
    let send = async |method, target| {
        let request = registry
            .anonymous(method, target)
            .basic_auth("x", Some(secret(&reader)));
        request.send().await.expect("an answer")
    };
    assert_eq!(
        send("GET", "/v2/acme/hello/manifests/1.0").await.status(),
        StatusCode::OK
    );
    for (method, target, needs) in [
        ("DELETE", "/v2/acme/hello/manifests/1.0", "acme/hello:delete"),
        ("POST", "/v2/acme/new/blobs/uploads/", "acme/new:push"),
        (
            "PATCH",
            "/api/v1/repository?repository=acme/hello",
            "acme/hello:repo:admin",
        ),
        ("GET", "/api/v1/tokens", "*:server:admin"),
        ("POST", "/api/v1/tokens", "*:server:admin"),
        ("DELETE", "/api/v1/tokens?id=admin", "*:server:admin"),
    ] {
        let body = refused(send(method, target).await, 403, "DENIED").await;
        assert_eq!(
            body["errors"][0]["detail"],
            json!({ "wreg_code": "denied", "needs": needs })
        );
        let (_, actions) = needs.split_once(':').expect("a scope");
        assert!(
            body["errors"][0]["message"]
                .as_str()
                .is_some_and(|text| text.contains(actions)),
            "{body}"
        );
    }
    for target in ["/v2/other/hello/manifests/1.0", "/v2/other/absent/manifests/1.0"] {
        for method in ["GET", "DELETE"] {
            refused(send(method, target).await, 404, "NAME_UNKNOWN").await;
        }
    }
    // What is public is so for holders of tokens too, and no more than that.
    registry.set("other/hello", &json!({ "visibility": "public" })).await;
    assert_eq!(
        send("GET", "/v2/other/hello/manifests/1.0").await.status(),
        StatusCode::OK
    );
    refused(send("DELETE", "/v2/other/hello/manifests/1.0").await, 403, "DENIED").await;
}

/// **A11** A token that has expired, is cut off, or has another character or checksum → 401; where the checksum is wrong, without asking the database.
#[tokio::test]
async fn what_is_no_good_token_is_refused() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let new = json!({ "name": "ci", "scopes": ["*:pull"], "expires_in": 60 });
    let created = made_with(&registry, &registry.token, &new).await;
    let good = secret(&created);
    let flip = |at: usize| {
        let other = if good.as_bytes()[at] == b'a' { "b" } else { "a" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    };
    let bad = [
        good[..good.len() - 1].to_owned(),
        format!("{good}a"),
        flip(20),
        flip(57),
        good.to_lowercase(),
    ];
    for token in &bad {
        let answer = registry.anonymous("GET", "/v2/").bearer_auth(token).send().await;
        challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    }
    clock.advance(Duration::from_millis(59_999));
    let ask = || registry.anonymous("GET", "/v2/").bearer_auth(good).send();
    assert_eq!(ask().await.expect("an answer").status(), StatusCode::OK);
    clock.advance(Duration::from_millis(1));
    challenged(&registry, ask().await.expect("an answer"), ",error=\"invalid_token\"").await;

    let new = json!({ "name": "unused", "scopes": ["*:pull"], "expires_in": 60 });
    let unused = secret(&made_with(&registry, &registry.token, &new).await).to_owned();
    let app = registry.app.clone();
    registry.stop().await;
    let identify = async |token: &str| {
        let header = format!("Bearer {token}");
        format!("{:?}", app.auth().identify(&[header.as_bytes()], None).await)
    };
    assert!(
        identify(&unused).await.contains("Unchecked"),
        "the control asks the database, which is closed"
    );
    for token in &bad {
        assert_eq!(identify(token).await, "Err(Wrong)");
    }
}

/// **A08** A personal token that was revoked → its next request is 401, and so is the next one with a registry token that it was exchanged for.
/// **A08** A right that was taken away in the middle of a push → the session's next request is refused.
#[tokio::test]
async fn a_revoked_token_ends_at_once_and_takes_its_grants_with_it() {
    let registry = TestRegistry::with(Options {
        may_leave_uploads: true,
        ..Options::default()
    })
    .await;
    let new = json!({ "name": "ci", "scopes": ["acme/*:pull,push"] });
    let created = made_with(&registry, &registry.token, &new).await;
    let target =
        "/token?scope=repository:acme/hello:pull,push,delete&scope=repository:other:pull&scope=registry:server:*";
    let answer = registry
        .anonymous("GET", target)
        .basic_auth("ci", Some(secret(&created)))
        .send()
        .await;
    let grant: Value = answer.expect("an answer").json().await.expect("JSON");
    let jwt = grant["token"].as_str().expect("a token");
    let start = "/v2/acme/hello/blobs/uploads/";
    let answer = registry
        .anonymous("POST", start)
        .bearer_auth(jwt)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let session = header(&answer, "location");
    let delete = registry
        .anonymous("DELETE", "/v2/acme/hello/manifests/1.0")
        .bearer_auth(jwt)
        .send()
        .await;
    let body = refused(delete.expect("an answer"), 401, "UNAUTHORIZED").await;
    assert_eq!(body["errors"][0]["detail"]["needs"], "acme/hello:delete");

    assert_eq!(revoke(&registry, &created).await, ["ci"]);
    for bearer in [jwt, secret(&created)] {
        for (method, target) in [
            ("PATCH", session.as_str()),
            ("GET", "/v2/"),
            ("GET", "/v2/acme/hello/tags/list"),
        ] {
            let answer = registry
                .anonymous(method, target)
                .bearer_auth(bearer)
                .body("x")
                .send()
                .await;
            challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
        }
    }
    let again = registry
        .send(
            "DELETE",
            &format!("/api/v1/tokens?id={}", created["token"]["id"].as_str().expect("an id")),
        )
        .await;
    refused(again, 404, "UNSUPPORTED").await;
}

#[tokio::test]
async fn a_token_makes_none_that_gives_more_or_lives_longer_and_they_end_with_it() {
    let clock = Clock::manual(NOW);
    let registry = at(&clock).await;
    let new =
        json!({ "name": "lead", "scopes": ["acme/*:pull,push", "*:server:admin"], "expires_in": 10 * DAY.as_secs() });
    let lead = made_with(&registry, &registry.token, &new).await;
    for (scope, expires_in) in [
        ("*:pull", None),
        ("acme:pull", None),
        ("acme/hello:delete", None),
        ("acme/*:repo:admin", None),
        ("other/*:pull", None),
        ("acme/*:pull", Some(11 * DAY.as_secs())),
    ] {
        let new = json!({ "name": "more", "scopes": [scope], "expires_in": expires_in });
        refused(create(&registry, secret(&lead), &new).await, 403, "DENIED").await;
    }
    let within = json!({ "name": "within", "scopes": ["acme/team/*:pull,tag:create", "*:server:admin"] });
    let within = made_with(&registry, secret(&lead), &within).await;
    assert_eq!(
        within["token"]["expires_at"], lead["token"]["expires_at"],
        "not 90 days"
    );
    assert_eq!(within["token"]["owner"], lead["token"]["id"]);
    let below = json!({ "name": "below", "scopes": ["acme/team/hello:pull"], "expires_in": 60 });
    let below = made_with(&registry, secret(&within), &below).await;
    let beside = made_with(
        &registry,
        &registry.token,
        &json!({ "name": "beside", "scopes": ["*:pull"] }),
    )
    .await;

    assert_eq!(revoke(&registry, &lead).await, ["below", "lead", "within"]);
    for (created, status) in [(&lead, 401), (&within, 401), (&below, 401), (&beside, 200)] {
        let answer = registry
            .anonymous("GET", "/v2/")
            .bearer_auth(secret(created))
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), status, "{created}");
    }
    let answer = registry.send("DELETE", "/api/v1/tokens?id=admin").await;
    refused(answer, 403, "DENIED").await;
    let created =
        "SELECT COUNT(*) FROM events WHERE kind = 'token-created' AND old_value IS NULL AND new_value IS NOT NULL";
    let revoked =
        "SELECT COUNT(*) FROM events WHERE kind = 'token-revoked' AND actor = 'token:admin' AND new_value IS NULL";
    assert_eq!((registry.count(created).await, registry.count(revoked).await), (5, 3));
}

/// **A10** A token that may create tags and not move them: overwriting `latest`, by PUT and by `?tag=` → 403 DENIED, and nothing changes.
#[tokio::test]
async fn who_may_only_create_tags_moves_none() {
    let registry = TestRegistry::start().await;
    let old = registry.push_image("acme/hello", "latest", b"old").await;
    let image = registry.image("acme/hello", b"new").await;
    let digest = wreg_oci::Digest::sha256(image.to_string());
    let token = async |name: &str, actions: &str| {
        let new = json!({ "name": name, "scopes": [format!("acme/*:{actions}")] });
        secret(&made_with(&registry, &registry.token, &new).await).to_owned()
    };
    let (creator, mover) = (
        token("creator", "pull,tag:create").await,
        token("mover", "pull,tag:update").await,
    );
    // The registry token says push, and the tags are decided by the personal token behind it.
    let answer = registry
        .anonymous("GET", "/token?scope=repository:acme/hello:pull,push")
        .basic_auth("x", Some(&creator));
    let grant: Value = answer.send().await.expect("an answer").json().await.expect("JSON");
    let jwt = grant["token"].as_str().expect("a token").to_owned();
    let send = async |bearer: &str, target: &str| {
        put(registry.anonymous("PUT", target).bearer_auth(bearer), &image)
            .send()
            .await
            .expect("an answer")
    };
    let by_tag = |tags: &str| format!("/v2/acme/hello/manifests/{digest}?{tags}");
    let before = registry.count("SELECT COUNT(*) FROM events").await;
    for bearer in [&creator, &jwt] {
        for target in [
            "/v2/acme/hello/manifests/latest".to_owned(),
            by_tag("tag=latest"),
            by_tag("tag=new&tag=latest"),
        ] {
            let body = refused(send(bearer, &target).await, 403, "DENIED").await;
            let detail = json!({ "wreg_code": "tag-denied", "needs": "acme/hello:tag:update" });
            assert_eq!(body["errors"][0]["detail"], detail, "{target}");
        }
    }
    let body = refused(send(&mover, "/v2/acme/hello/manifests/new").await, 403, "DENIED").await;
    assert_eq!(body["errors"][0]["detail"]["needs"], "acme/hello:tag:create");
    assert_eq!(registry.count("SELECT COUNT(*) FROM events").await, before);
    let answer = registry.send("HEAD", "/v2/acme/hello/manifests/latest").await;
    assert_eq!(header(&answer, "docker-content-digest"), old.as_str());

    assert_eq!(send(&jwt, &by_tag("tag=new")).await.status(), StatusCode::CREATED);
    // The same again moves nothing.
    assert_eq!(
        send(&creator, "/v2/acme/hello/manifests/new").await.status(),
        StatusCode::CREATED
    );
    assert_eq!(send(&creator, &by_tag("")).await.status(), StatusCode::CREATED);
    assert_eq!(
        send(&mover, "/v2/acme/hello/manifests/latest").await.status(),
        StatusCode::CREATED
    );
    let answer = registry
        .anonymous("DELETE", "/v2/acme/hello/manifests/new")
        .bearer_auth(&creator)
        .send()
        .await;
    refused(answer.expect("an answer"), 403, "DENIED").await;
}

/// **A10** Two who may only create race for a tag, in a repository that is there or not → one 201, the other 403, and the tag is the first one's.
#[tokio::test]
async fn two_who_race_to_create_a_tag_do_not_overwrite_each_other() {
    let registry = TestRegistry::start().await;
    let new = json!({ "name": "creator", "scopes": ["acme/*:pull,tag:create"] });
    let creator = made_with(&registry, &registry.token, &new).await;
    for round in 0..8 {
        let name = format!("acme/r{round}");
        let index = |author: &str| {
            json!({
                "schemaVersion": 2, "mediaType": MediaType::IMAGE_INDEX, "manifests": [], "annotations": { "author": author },
            })
        };
        let (one, two) = (index("one").to_string(), index("two").to_string());
        let push = |content: &String| {
            let request = registry
                .anonymous("PUT", &format!("/v2/{name}/manifests/1.0"))
                .bearer_auth(secret(&creator));
            request
                .header("content-type", MediaType::IMAGE_INDEX.as_str())
                .body(content.clone())
                .send()
        };
        let (first, second) = join(push(&one), push(&two)).await;
        let (first, second) = (first.expect("an answer").status(), second.expect("an answer").status());
        let winner = if first == StatusCode::CREATED { &one } else { &two };
        let mut statuses = [first.as_u16(), second.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403]);
        let found = registry.send("GET", &format!("/v2/{name}/manifests/1.0")).await;
        assert_eq!(&found.text().await.expect("text"), winner);
    }
}
