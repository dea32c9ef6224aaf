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
    let answer = registry.send("GET", target).await;
    assert_eq!(answer.status(), 200, "{target}");
    let next = next_page(&answer);
    let mut body: serde_json::Value = answer.json().await.expect("JSON");
    let names = serde_json::from_value(body["repositories"].take()).expect("names");
    (names, next)
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
