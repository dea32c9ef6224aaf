//! `/v2/_catalog`: all repositories, page by page, for those who may know of all.

use sqlx::Connection as _;

use crate::{
    auth::challenged,
    registry::{TestDatabase, TestRegistry, next_page},
};

/// 1,100 repositories, too many to push in a test.
const MANY: &str =
    "INSERT INTO repositories (name, visibility, immutable_tags, missing_references, deletable, created_at)
    WITH RECURSIVE numbers(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM numbers WHERE i < 2099)
    SELECT 'many/r' || i, 'private', 'none', 'reject', TRUE, 0 FROM numbers";

async fn fill(registry: &TestRegistry) {
    let filled = match &registry.database {
        TestDatabase::Sqlite => {
            let file = registry.data.path().join("wreg.db");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            let mut connection = sqlx::SqliteConnection::connect_with(&options)
                .await
                .expect("the database opens");
            sqlx::query(MANY)
                .execute(&mut connection)
                .await
                .map(|done| done.rows_affected())
        }
        TestDatabase::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the database answers");
            sqlx::query(MANY)
                .execute(&mut connection)
                .await
                .map(|done| done.rows_affected())
        }
    };
    assert_eq!(filled.expect("the rows are taken"), 1100);
}

async fn page(registry: &TestRegistry, target: &str) -> (Vec<String>, Option<String>) {
    page_for(registry, &registry.token, target).await
}

async fn page_for(registry: &TestRegistry, token: &str, target: &str) -> (Vec<String>, Option<String>) {
    let answer = registry
        .anonymous("GET", target)
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200, "{target}");
    let next = next_page(&answer);
    let body: serde_json::Value = answer.json().await.expect("JSON");
    let entries = body["repositories"].as_array().expect("a list").iter();
    // wreg's own list has objects.
    let names = entries.map(|entry| entry["name"].as_str().or(entry.as_str()).expect("a name").to_owned());
    (names.collect(), next)
}

/// **T03** `_catalog?n=2147483647` → at most 1,000 names, and a link to the rest.
#[tokio::test]
async fn a_page_of_the_catalog_is_bounded_and_leads_to_the_next() {
    let registry = TestRegistry::start().await;
    fill(&registry).await;
    for target in [
        "/v2/_catalog",
        "/v2/_catalog?n=2147483647",
        "/v2/_catalog?n=9223372036854775807",
    ] {
        let (first, next) = page(&registry, target).await;
        assert_eq!(first.len(), 1000, "{target}");
        let (second, end) = page(&registry, &next.expect("a next page")).await;
        let expected: Vec<_> = (1000..2100).map(|i| format!("many/r{i}")).collect();
        assert_eq!([first, second].concat(), expected, "{target}");
        assert_eq!(end, None);
    }
    let (none, next) = page(&registry, "/v2/_catalog?n=0").await;
    assert_eq!((none.len(), next), (0, None));
    let (two, _) = page(&registry, "/v2/_catalog?n=2&last=many/r1500x").await;
    assert_eq!(two, ["many/r1501", "many/r1502"]);
}

/// **T03** `_catalog` without credentials → 401, with the catalog's own scope.
#[tokio::test]
async fn nobody_lists_the_catalog_without_credentials() {
    let registry = TestRegistry::start().await;
    for target in ["/v2/_catalog", "/v2/_catalog?n=1", "/api/v1/repositories"] {
        let answer = registry.anonymous("GET", target).send().await.expect("an answer");
        challenged(&registry, answer, ",scope=\"registry:catalog:*\"").await;
    }
}

/// What somebody with these scopes sees, page by page; no page but the last is shorter than it should be.
async fn sees(registry: &TestRegistry, token: &str, list: &str, n: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut target = Some(format!("{list}?n={n}"));
    while let Some(next) = target {
        let (names, link) = page_for(registry, token, &next).await;
        assert!(names.len() == n || link.is_none(), "{next}: {names:?}");
        assert!(!names.is_empty() || all.is_empty(), "{next} is empty");
        all.extend(names);
        target = link;
    }
    all
}

/// R26: who lists sees what is public and what they may pull, in full pages.
#[tokio::test]
async fn the_catalog_shows_what_the_caller_may_pull() {
    let registry = TestRegistry::start().await;
    fill(&registry).await;
    for name in [
        "acme",
        "acme-labs/x",
        "acme/a",
        "acme/b",
        "acme/team/c",
        "acme0",
        "many/r1001x",
        "zoo",
    ] {
        registry
            .set(name, &serde_json::json!({ "visibility": "private" }))
            .await;
    }
    for name in ["acme/b", "many/r1500", "open", "zoo/open"] {
        registry.set(name, &serde_json::json!({ "visibility": "public" })).await;
    }
    let public = ["acme/b", "many/r1500", "open", "zoo/open"];
    let below = ["acme/a", "acme/b", "acme/team/c", "many/r1500", "open", "zoo/open"];
    let several = ["acme", "acme/b", "acme/team/c", "many/r1500", "open", "zoo", "zoo/open"];
    for (number, (scopes, expected)) in [
        (&["acme/*:pull"][..], &below[..]),
        (&["acme/*:pull", "acme/team/*:pull", "acme/a:pull", "open:pull"], &below),
        (
            &["acme:pull", "zoo:pull,push", "acme/team/*:pull", "absent:pull"],
            &several,
        ),
        (&["acme/*:push", "*:delete,repo:admin,server:admin"], &public),
        (&["zoo/open:pull"], &public),
    ]
    .into_iter()
    .enumerate()
    {
        let token = registry.personal_token(&format!("t{number}"), scopes).await;
        for list in ["/v2/_catalog", "/api/v1/repositories"] {
            for n in [1, 2, 3, 1000] {
                assert_eq!(
                    sees(&registry, &token, list, n).await,
                    expected,
                    "{scopes:?} {list} {n}"
                );
            }
        }
        // A registry token for the catalog shows the same, and one for something else nothing.
        let grant = async |scope: &str| {
            let request = registry
                .anonymous("GET", &format!("/token?scope={scope}"))
                .bearer_auth(&token);
            let answer: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
            answer["token"].as_str().expect("a token").to_owned()
        };
        let catalog = grant("registry:catalog:*").await;
        assert_eq!(sees(&registry, &catalog, "/v2/_catalog", 2).await, expected);
        let other = grant("repository:acme/a:pull").await;
        let answer = registry
            .anonymous("GET", "/v2/_catalog")
            .bearer_auth(&other)
            .send()
            .await;
        let parameters = ",scope=\"registry:catalog:*\",error=\"insufficient_scope\"";
        challenged(&registry, answer.expect("an answer"), parameters).await;
    }
    let everything = registry.personal_token("everything", &["*:pull"]).await;
    assert_eq!(sees(&registry, &everything, "/v2/_catalog", 1000).await.len(), 1110);
    let many = registry.personal_token("many", &["many/*:pull"]).await;
    assert_eq!(sees(&registry, &many, "/v2/_catalog", 100).await.len(), 1104);
    // The bounds of a range are not among it.
    let (after, _) = page_for(&registry, &many, "/v2/_catalog?n=2&last=many/r1001").await;
    assert_eq!(after, ["many/r1001x", "many/r1002"]);
}
