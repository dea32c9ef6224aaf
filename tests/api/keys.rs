//! Keys of registry tokens: rotated while pushes go on, and shared by servers that have one database.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::signature::Ed25519KeyPair;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use wreg_registry::Clock;

use crate::{
    auth::challenged,
    forged_tokens::{claims_at, signed, signed_by},
    registry::{Options, TestDatabase, TestRegistry, header},
};

const NOW: i64 = 1_700_000_000_000;
/// As long as a registry token lives, on clocks that may be a minute apart.
const OVERLAP: Duration = Duration::from_mins(6);

async fn server(clock: &Clock, data: Option<Arc<TempDir>>, database: Option<TestDatabase>) -> TestRegistry {
    TestRegistry::with(Options {
        data,
        database,
        ..Options::at(clock)
    })
    .await
}

/// The private key in a server's data folder.
fn private_key(registry: &TestRegistry) -> Ed25519KeyPair {
    let mut document = Vec::new();
    let path = registry.data.path().join("token-key.p8");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("the file is there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut file = std::fs::File::open(path).expect("the key file");
    std::io::Read::read_to_end(&mut file, &mut document).expect("the key file");
    Ed25519KeyPair::from_pkcs8(&document).expect("a key")
}

async fn keys(registry: &TestRegistry, method: &str) -> Vec<Value> {
    let answer = registry.send(method, "/api/v1/keys").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body: Value = answer.json().await.expect("JSON");
    serde_json::from_value(body["keys"].take()).expect("a list")
}

fn members<'a>(keys: &'a [Value], name: &str) -> Vec<&'a Value> {
    keys.iter().map(|key| &key[name]).collect()
}

async fn status(registry: &TestRegistry, bearer: &str) -> u16 {
    let answer = registry.anonymous("GET", "/v2/").bearer_auth(bearer).send().await;
    answer.expect("an answer").status().as_u16()
}

/// **J06** The signing key is rotated in the middle of a push → what the old one signed is accepted in the overlap, and refused after it.
#[tokio::test]
async fn a_push_goes_on_while_the_key_is_rotated() {
    let clock = Clock::manual(NOW);
    let registry = server(&clock, None, None).await;
    let old = private_key(&registry);
    let token = registry.registry_token("repository:acme/hello:pull,push", false).await;
    let start = registry
        .anonymous("POST", "/v2/acme/hello/blobs/uploads/")
        .bearer_auth(&token);
    let session = header(&start.send().await.expect("an answer"), "location");

    let before = keys(&registry, "GET").await;
    assert_eq!(members(&before, "state"), ["active"]);
    assert!(before[0].to_string().len() < 250, "only what is public: {before:?}");
    clock.advance(Duration::from_secs(1));
    let after = keys(&registry, "POST").await;
    assert_eq!(members(&after, "state"), ["active", "retired"]);
    assert_eq!(members(&after, "signing"), [true, false]);
    assert_eq!(after[1]["id"], before[0]["id"]);
    assert_eq!(after[1]["accepted_until"], json!(NOW + 1000 + 360_000));

    let chunk = registry.anonymous("PATCH", &session).bearer_auth(&token).body("layer");
    assert_eq!(chunk.send().await.expect("an answer").status(), StatusCode::ACCEPTED);
    let new = registry.registry_token("repository:acme/hello:pull,push", false).await;
    let close = format!("{session}?digest={}", wreg_oci::Digest::sha256("layer"));
    let close = registry.anonymous("PUT", &close).bearer_auth(&new);
    assert_eq!(close.send().await.expect("an answer").status(), StatusCode::CREATED);

    // Somebody has the old key. In the overlap nobody can tell; after it nothing that it signs counts, however new.
    let forged = |clock: &Clock| signed_by(&old, &claims_at(clock.now()));
    assert_eq!(status(&registry, &forged(&clock)).await, 200, "the control");
    clock.advance(Duration::from_millis(359_999));
    assert_eq!(status(&registry, &forged(&clock)).await, 200);
    clock.advance(Duration::from_millis(1));
    assert_eq!(status(&registry, &forged(&clock)).await, 401);
    let answer = registry.anonymous("GET", "/v2/").bearer_auth(&token).send().await;
    challenged(&registry, answer.expect("an answer"), ",error=\"invalid_token\"").await;
    assert_eq!(members(&keys(&registry, "GET").await, "state"), ["active", "ended"]);
    let current = signed_by(&private_key(&registry), &claims_at(clock.now()));
    assert_eq!(status(&registry, &current).await, 200);
    let told = "SELECT COUNT(*) FROM events WHERE kind = 'key-retired' AND actor = 'token:admin'";
    assert_eq!(registry.count(told).await, 1);
    assert_eq!(
        registry
            .count("SELECT COUNT(*) FROM events WHERE kind = 'key-created'")
            .await,
        2
    );
}

#[tokio::test]
async fn a_key_signs_for_thirty_days_and_is_then_replaced_unasked() {
    let clock = Clock::manual(NOW);
    let registry = server(&clock, None, None).await;
    let first = private_key(&registry);
    let id = keys(&registry, "GET").await[0]["id"].clone();
    clock.advance(Duration::from_millis(30 * 24 * 60 * 60 * 1000 - 1));
    registry.registry_token("", false).await;
    assert_eq!(keys(&registry, "GET").await.len(), 1);
    clock.advance(Duration::from_millis(1));
    registry.registry_token("", false).await;
    let both = keys(&registry, "GET").await;
    assert_eq!(
        (&both[1]["id"], members(&both, "state")),
        (&id, vec![&json!("active"), &json!("retired")])
    );
    clock.advance(OVERLAP);
    assert_eq!(
        status(&registry, &signed_by(&first, &claims_at(clock.now()))).await,
        401
    );
}

#[tokio::test]
async fn a_restart_keeps_the_key_unless_it_was_retired_meanwhile() {
    let clock = Clock::manual(NOW);
    let registry = server(&clock, None, None).await;
    let token = registry.registry_token("", false).await;
    let old = std::fs::File::open(registry.data.path().join("token-key.p8")).and_then(|mut file| {
        let mut document = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut document).map(|_| document)
    });
    let (data, database) = registry.stop().await;
    let registry = server(&clock, Some(data), Some(database)).await;
    assert_eq!(status(&registry, &token).await, 200);
    keys(&registry, "POST").await;
    let (data, database) = registry.stop().await;
    // As if the folder had been put back from a backup.
    std::fs::write(data.path().join("token-key.p8"), old.expect("the key file")).expect("a file");
    let registry = server(&clock, Some(data), Some(database)).await;
    let all = keys(&registry, "GET").await;
    let signing: Vec<_> = all.iter().filter(|key| key["signing"] == true).collect();
    assert_eq!(
        (all.len(), signing.len(), &signing[0]["state"]),
        (3, 1, &json!("active"))
    );
    assert_eq!(status(&registry, &token).await, 200, "still in the overlap");
}

/// Runs with PostgreSQL only: SQLite is one server's.
#[tokio::test]
async fn servers_that_share_a_database_take_each_others_tokens_and_rotate_together() {
    let clock = Clock::manual(NOW);
    let one = server(&clock, None, None).await;
    let TestDatabase::Postgres(_) = &one.database else {
        return;
    };
    let token = one.registry_token("", false).await;
    let two = server(&clock, None, Some(one.database.clone())).await;
    assert_eq!(status(&two, &token).await, 200);
    let exchanged = async |registry: &TestRegistry| {
        let request = registry.anonymous("GET", "/token").bearer_auth(&one.token);
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    };
    // The first knew no other key when it was last asked, so it has to look again.
    let of_two = exchanged(&two).await;
    assert_eq!(status(&one, &of_two).await, 200);

    let old_key_of_two = private_key(&two);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        members(&keys(&one, "POST").await, "state"),
        ["active", "retired", "retired"]
    );
    // The other was not told, and signs nothing with its old key all the same.
    let again = exchanged(&two).await;
    assert_eq!(
        members(&keys(&one, "GET").await, "state"),
        ["active", "active", "retired", "retired"]
    );
    for bearer in [&of_two, &again] {
        assert_eq!((status(&one, bearer).await, status(&two, bearer).await), (200, 200));
    }
    clock.advance(OVERLAP);
    for registry in [&one, &two] {
        let forged = signed_by(&old_key_of_two, &claims_at(clock.now()));
        assert_eq!(status(registry, &forged).await, 401);
    }
}

/// **J02** A `kid` of the right form that no key has, many times at once → 401 each time, and nobody else is kept waiting.
#[tokio::test]
async fn keys_that_nobody_has_are_looked_for_together() {
    let registry = TestRegistry::start().await;
    let good = registry.registry_token("", false).await;
    let key = private_key(&registry);
    let forged = (0..64_u64).map(|i| {
        let header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": format!("{i:016x}") });
        signed(&key, &header, &claims_at(NOW))
    });
    let forged: Vec<_> = forged.collect();
    let statuses = join_all(forged.iter().map(|token| status(&registry, token))).await;
    assert_eq!(statuses, [401; 64]);
    assert_eq!(status(&registry, &good).await, 200);
}
