//! The table of events: one row for each change, with who, what, and the value before and after.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{PgPool, SqlitePool, sqlite::SqliteConnectOptions};

use crate::registry::{TestDatabase, TestRegistry};

/// Kind, subject, old and new value, in order.
type Event = (String, String, Option<String>, Option<String>);

const STATEMENT: &str = "SELECT kind, subject, old_value, new_value FROM events WHERE repository = 'acme/hello' AND actor = 'token:admin' ORDER BY sequence";

async fn events(registry: &TestRegistry) -> Vec<Event> {
    match &registry.database {
        TestDatabase::Sqlite => {
            let options = SqliteConnectOptions::new()
                .filename(registry.data.path().join("wreg.db"))
                .read_only(true);
            let pool = SqlitePool::connect_with(options).await.expect("the file opens");
            sqlx::query_as(STATEMENT).fetch_all(&pool).await.expect("rows")
        }
        TestDatabase::Postgres(url) => {
            let pool = PgPool::connect(url).await.expect("the database answers");
            sqlx::query_as(STATEMENT).fetch_all(&pool).await.expect("rows")
        }
    }
}

fn event(kind: &str, subject: &str, old: Option<&str>, new: Option<&str>) -> Event {
    (
        kind.to_owned(),
        subject.to_owned(),
        old.map(str::to_owned),
        new.map(str::to_owned),
    )
}

/// **M18** The same manifest pushed many times at once under the same tag → 201 each time, one event.
#[tokio::test]
async fn a_manifest_that_is_pushed_many_times_at_once_makes_one_event() {
    let registry = TestRegistry::start().await;
    let image = registry.image("acme/hello", b"layer").await;
    let pushes = (0..16).map(|_| registry.put_manifest("acme/hello", "1.0.0", &image));
    for answer in join_all(pushes).await {
        assert_eq!(answer.status(), 201);
    }
    let kinds: Vec<_> = events(&registry).await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["repository-created", "manifest-put", "tag-put"]);
    assert_eq!(registry.count("SELECT COUNT(*) FROM manifests").await, 1);
    assert_eq!(registry.count("SELECT COUNT(*) FROM manifest_references").await, 2);
}

#[tokio::test]
async fn each_change_is_told_with_the_value_before_and_after() {
    let registry = TestRegistry::start().await;
    let one = registry.push_image("acme/hello", "latest", b"one").await;
    let two = registry.push_image("acme/hello", "latest", b"two").await;
    registry.push_image("acme/hello", "latest", b"two").await;
    registry.push_image("acme/hello", "other", b"two").await;
    for selector in ["other", two.as_str()] {
        let answer = registry
            .send("DELETE", &format!("/v2/acme/hello/manifests/{selector}"))
            .await;
        assert_eq!(answer.status(), 202);
    }
    let layer = wreg_oci::Digest::sha256("two");
    let answer = registry.send("DELETE", &format!("/v2/acme/hello/blobs/{layer}")).await;
    assert_eq!(answer.status(), 202);
    for _ in 0..2 {
        registry.set("acme/hello", &json!({ "visibility": "public" })).await;
    }
    let (one, two, image) = (one.as_str(), two.as_str(), "application/vnd.oci.image.manifest.v1+json");
    let settings = |visibility| {
        format!(
            "visibility={visibility} immutable_tags=none missing_references=reject deletable=true components=inherit"
        )
    };
    assert_eq!(
        events(&registry).await,
        [
            event("repository-created", "acme/hello", None, Some("private")),
            event("manifest-put", one, None, Some(image)),
            event("tag-put", "latest", None, Some(one)),
            event("manifest-put", two, None, Some(image)),
            event("tag-put", "latest", Some(one), Some(two)),
            event("tag-put", "other", None, Some(two)),
            event("tag-deleted", "other", Some(two), None),
            event("tag-deleted", "latest", Some(two), None),
            event("manifest-deleted", two, None, None),
            event("blob-deleted", layer.as_str(), None, None),
            event(
                "settings-changed",
                "acme/hello",
                Some(&settings("private")),
                Some(&settings("public"))
            ),
        ]
    );
}
