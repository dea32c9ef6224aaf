//! The log of changes: what is in it, and that it is one that others can read.

use std::time::Duration;

use serde_json::json;
use sqlx::Connection as _;
use wreg_harness::fixtures::wat;
use wreg_registry::Clock;
use wreg_trust::log::{Checkpoint, Entry, Hash, SignedNote, Tile, TilePath, Tiles, entry::Op, tile};

use super::{keys_of, publication, publish, put, signing, signing_registry};
use crate::registry::{Options, TestDatabase, TestRegistry};

/// The checkpoint, signed by the log's key.
async fn checkpoint(registry: &TestRegistry) -> Checkpoint {
    let answer = registry
        .anonymous("GET", "/log/checkpoint")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let note: SignedNote = answer.text().await.expect("text").parse().expect("a note");
    let (_, log) = keys_of(registry).await;
    assert!(log.verify(&note).is_some());
    note.text().parse().expect("a checkpoint")
}

async fn tile_bytes(registry: &TestRegistry, tile: Tile) -> Vec<u8> {
    let answer = registry
        .anonymous("GET", &format!("/log/{tile}"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200, "{tile}");
    answer.bytes().await.expect("bytes").to_vec()
}

/// The root that the tiles give for a tree of `size` entries.
async fn root_of(registry: &TestRegistry, size: u64, there: u64) -> Hash {
    let path = TilePath::of_root(size, there);
    let mut tiles = Tiles::new();
    for tile in path.tiles() {
        tiles.insert(
            tile,
            tile::hashes(tile, &tile_bytes(registry, tile).await).expect("hashes"),
        );
    }
    path.hashes(&tiles).expect("all is there")[0]
}

/// Every entry.
async fn entries(registry: &TestRegistry, size: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for index in 0..size.div_ceil(256) {
        let tile = Tile::in_tree(tile::Row::Entries, index, size).expect("it is there");
        let bytes = tile_bytes(registry, tile).await;
        for entry in tile::entries(tile, &bytes).expect("entries") {
            entries.push(Entry::parse(entry).expect("an entry"));
        }
    }
    entries
}

#[tokio::test]
async fn changes_are_entries_in_their_order() {
    let registry = signing_registry().await;
    registry.set("acme/hello", &json!({ "visibility": "public" })).await;
    let layer = wat::component();
    let digest = publish(&registry, "acme/hello", "latest", &layer).await;
    let other = publish(&registry, "acme/hello", "latest", &wat::component_with("other")).await;
    let mark = format!("/api/v1/marks?repository=acme/hello&reference={other}");
    let answer = registry
        .send_body("POST", &mark, r#"{"action":"yank","reason":"it was too early"}"#)
        .await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("text"));
    let answer = registry.send("DELETE", "/v2/acme/hello/manifests/latest").await;
    assert_eq!(answer.status(), 202);
    publish(&registry, "acme/hello", "2.0.0", &layer).await;

    let head = checkpoint(&registry).await;
    let entries = entries(&registry, head.size).await;
    let said: Vec<_> = entries.iter().map(|entry| entry.op).collect();
    assert_eq!(
        said,
        [
            Op::Key,
            Op::Repository,
            Op::Repository,
            Op::TagPut,
            Op::TagPut,
            Op::Mark,
            Op::TagDelete,
            Op::TagPut
        ]
    );
    assert_eq!(entries[3].digest.as_ref(), Some(&digest));
    assert_eq!(entries[4].previous.as_ref(), Some(&digest));
    assert_eq!(entries[6].previous.as_ref(), Some(&other));
    assert!(
        entries[3..]
            .iter()
            .all(|entry| entry.repository.as_deref() == Some("acme/hello"))
    );
    assert!(entries.is_sorted_by_key(|entry| entry.event));
    assert_eq!(root_of(&registry, head.size, head.size).await, head.root);
}

#[tokio::test]
async fn a_log_of_more_than_two_tiles_is_served_whole_and_in_parts() {
    let registry = TestRegistry::with(Options::default()).await;
    let digest = registry.push_image("acme/image", "first", b"layer").await;
    let bytes = super::manifest(&registry, "acme/image", digest.as_str()).await;
    let mut roots = Vec::new();
    // Ten tags at a time.
    for round in 0..58 {
        let tags: Vec<_> = (0..10).map(|number| format!("&tag=t{round}-{number}")).collect();
        let answer = registry
            .request(
                "PUT",
                &format!(
                    "/v2/acme/image/manifests/{digest}?{}",
                    tags.concat().trim_start_matches('&')
                ),
            )
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .body(bytes.clone())
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 201);
        publication(&registry, "acme/image", &format!("t{round}-9")).await;
        let head = checkpoint(&registry).await;
        roots.push((head.size, head.root));
    }
    let (size, root) = *roots.last().expect("some");
    assert!(size > 580, "{size}");
    assert_eq!(root_of(&registry, size, size).await, root);
    // Every checkpoint before is the beginning of this one, by its tiles.
    for (before, root) in &roots {
        assert_eq!(root_of(&registry, *before, size).await, *root, "{before}");
    }
    assert_eq!(entries(&registry, size).await.len() as u64, size);
    // A part of a tile that has grown since is still there, and what never was is not.
    for (path, status) in [
        ("tile/0/000.p/7", 200),
        ("tile/entries/001.p/255", 200),
        ("tile/1/000.p/1", 200),
        ("tile/1/000.p/3", 404),
        ("tile/0/009", 404),
        ("tile/0/000.p/0", 404),
        ("tile/0/000.p/256", 404),
        ("tile/0/0", 404),
        ("tile/8/000", 404),
        ("anything", 404),
    ] {
        let answer = registry
            .anonymous("GET", &format!("/log/{path}"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_log_goes_on_after_a_restart() {
    let registry = signing_registry().await;
    publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    let before = checkpoint(&registry).await;
    let (data, database) = registry.stop().await;
    let registry = TestRegistry::with(Options {
        data: Some(data),
        database: Some(database),
        ..signing()
    })
    .await;
    publish(&registry, "acme/hello", "2.0.0", &wat::component()).await;
    let after = checkpoint(&registry).await;
    assert!(after.size > before.size);
    assert_eq!(root_of(&registry, before.size, after.size).await, before.root);
}

#[tokio::test]
async fn what_was_left_by_a_death_is_signed_by_the_next_server() {
    let registry = signing_registry().await;
    let digest = put(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    let (data, database) = registry.stop().await;
    let registry = TestRegistry::with(Options {
        data: Some(data),
        database: Some(database),
        ..signing()
    })
    .await;
    let state = publication(&registry, "acme/hello", "1.0.0").await;
    assert_eq!(
        (state["signed"].as_bool(), state["digest"].as_str()),
        (Some(true), Some(digest.as_str()))
    );
}

/// The store remembers what the database has forgotten.
#[tokio::test]
async fn a_database_that_was_put_back_logs_nothing_that_contradicts_what_was_published() {
    let clock = Clock::manual(1_795_000_000_000);
    let start = |data, database| {
        let surroundings = Options::at(&clock).surroundings;
        TestRegistry::with(Options {
            surroundings,
            data,
            database,
            ..signing()
        })
    };
    let registry = start(None, None).await;
    publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    // The checkpoint is kept in the store once a minute.
    clock.advance(Duration::from_mins(2));
    publish(&registry, "acme/hello", "2.0.0", &wat::component()).await;
    let before = checkpoint(&registry).await;
    let (data, database) = registry.stop().await;
    for statement in [
        "DELETE FROM log_entries",
        "UPDATE log SET size = 0, frontier = '[]', next_event = 0",
    ] {
        database.execute(data.path(), statement).await;
    }
    let registry = start(Some(data), Some(database)).await;
    put(&registry, "acme/hello", "3.0.0", &wat::component()).await;
    let refused = registry.app.registry().log_due("test").await;
    let refused = refused.expect_err("nothing is logged");
    let why = std::error::Error::source(&refused).expect("a reason").to_string();
    assert!(why.contains("it was put back from an older copy"), "{why}");
    // What was published stays as it was, and pulls and pushes go on.
    assert_eq!(checkpoint(&registry).await, before);
    let state = registry
        .send("GET", "/api/v1/publication?repository=acme/hello&reference=3.0.0")
        .await;
    let state: serde_json::Value = state.json().await.expect("JSON");
    assert_eq!((&state["done"], &state["signed"]), (&json!(false), &json!(true)));
}

/// A transaction that is undone leaves its number of an event unused on PostgreSQL.
#[tokio::test]
async fn a_number_that_nobody_used_holds_nothing_up() {
    let registry = signing_registry().await;
    if matches!(registry.database, TestDatabase::Postgres(_)) {
        registry
            .execute("SELECT nextval(pg_get_serial_sequence('events', 'sequence'))")
            .await;
    }
    publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    // It may still come, so that there is something to look after; but not again and again without a pause.
    let grew = registry.app.registry().log_due("test").await.expect("it can be looked");
    assert!(!grew);
    publish(&registry, "acme/hello", "2.0.0", &wat::component()).await;
}

/// On PostgreSQL an event takes its number before its transaction ends, whenever that is.
#[tokio::test]
async fn an_event_that_comes_late_is_logged_however_late_it_is() {
    let clock = Clock::manual(1_795_000_000_000);
    let registry = TestRegistry::with(Options {
        surroundings: Options::at(&clock).surroundings,
        ..signing()
    })
    .await;
    let TestDatabase::Postgres(url) = &registry.database else {
        return;
    };
    publish(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    let mut late = sqlx::PgConnection::connect(url).await.expect("it answers");
    let begun = sqlx::raw_sql(
        "BEGIN; INSERT INTO events (occurred_at, actor, kind, repository, subject, new_value)
         VALUES (1795000000000, 'token:late', 'settings-changed', 'acme/hello', 'acme/hello', '{}')",
    );
    begun.execute(&mut late).await.expect("it is begun");
    publish(&registry, "acme/hello", "2.0.0", &wat::component_with("two")).await;
    clock.advance(Duration::from_hours(1));
    publish(&registry, "acme/hello", "3.0.0", &wat::component_with("three")).await;
    let before = checkpoint(&registry).await;
    sqlx::raw_sql("COMMIT")
        .execute(&mut late)
        .await
        .expect("it is committed");
    let logged = async {
        loop {
            let now = checkpoint(&registry).await;
            if now.size > before.size {
                return entries(&registry, now.size).await;
            }
        }
    };
    let entries = tokio::time::timeout(super::PATIENCE, logged)
        .await
        .expect("it is logged");
    assert_eq!(entries.last().expect("entries").actor, "token:late");
    // Nothing is waited for any more.
    let settled = async {
        while registry
            .count("SELECT COUNT(*) FROM log WHERE waits_from IS NOT NULL")
            .await
            > 0
        {}
    };
    tokio::time::timeout(super::PATIENCE, settled)
        .await
        .expect("all has come");
}

/// Each statement of a transaction on PostgreSQL sees what has been committed by then.
#[tokio::test]
async fn nothing_is_passed_over_where_much_changes_at_once() {
    let registry = TestRegistry::start().await;
    let writers = (0..16).map(|writer| {
        let registry = &registry;
        async move {
            let repository = format!("acme/r{writer}");
            let manifest = registry.image(&repository, b"layer").await;
            for number in 0..25 {
                let answer = registry
                    .put_manifest(&repository, &format!("t{number}"), &manifest)
                    .await;
                assert_eq!(answer.status(), 201);
            }
        }
    });
    futures_util::future::join_all(writers).await;
    for writer in 0..16 {
        publication(&registry, &format!("acme/r{writer}"), "t24").await;
    }
    let head = checkpoint(&registry).await;
    let puts = entries(&registry, head.size).await;
    let puts = puts.iter().filter(|entry| entry.op == Op::TagPut).count();
    assert_eq!(puts, 16 * 25);
}
