//! Disks that really are full, under the store and under the database.

use reqwest::StatusCode;
use serde_json::{Value, json};
use wreg_oci::{Digest, MediaType};

use crate::{
    bucket::on_files,
    flows::{bytes, is_stored, patch, put, where_it_stands},
    registry::{Options, TestDatabase, TestRegistry, refused},
    small_disk::SmallDisk,
};

async fn start(disk: &SmallDisk, database: Option<TestDatabase>) -> TestRegistry {
    TestRegistry::with(Options {
        data: Some(disk.data()),
        database,
        ..Options::default()
    })
    .await
}

/// **S01** A real disk runs full in the middle of a chunk → 507; the upload stands at what found room, reads go on, and once there is room it ends well without a restart.
#[tokio::test]
async fn an_upload_survives_a_disk_that_runs_full() {
    if !on_files() {
        return;
    }
    let Some(disk) = SmallDisk::mount(6 << 20) else { return };
    let registry = start(&disk, None).await;
    let stored = registry.push_blob("acme/hello", b"stored before").await;
    // More than there is room for, in chunks that are read to their end before they fail.
    let content = bytes(7 << 20);
    let digest = Digest::sha256(&content);
    let session = registry.start_upload("acme/hello").await;
    let mut at = 0;
    let refusal = loop {
        let end = content.len().min(at + 300_000);
        let answer = patch(&registry, &session, None, &content[at..end]).await;
        if answer.status() != StatusCode::ACCEPTED {
            break answer;
        }
        at = end;
    };
    refused(refusal, 507, "UNSUPPORTED").await;
    let reached = where_it_stands(&registry, &session).await;
    assert!((at..at + 300_000).contains(&reached), "{reached} after {at}");
    is_stored(&registry, "acme/hello", b"stored before", &stored).await;
    assert_eq!(registry.send("DELETE", &session).await.status(), StatusCode::NO_CONTENT);

    let content = &content[..2 << 20];
    let digest_of_less = Digest::sha256(content);
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, &content[..1000]).await.status(), 202);
    disk.fill();
    let answer = patch(&registry, &session, None, &content[1000..500_000]).await;
    refused(answer, 507, "UNSUPPORTED").await;
    // The last page of the file may have had some room, and the database too.
    let at = where_it_stands(&registry, &session).await;
    assert!((1000..500_000).contains(&at), "{at}");
    disk.free();
    let answer = put(&registry, &session, &digest_of_less, content[at..].to_vec()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    is_stored(&registry, "acme/hello", content, &digest_of_less).await;
    refused(
        registry.send("GET", &format!("/v2/acme/hello/blobs/{digest}")).await,
        404,
        "BLOB_UNKNOWN",
    )
    .await;
}

/// A manifest of about `size` bytes, made of no blobs.
fn manifest(size: usize, number: usize) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_INDEX,
        "manifests": [],
        "annotations": { "number": number.to_string(), "padding": "x".repeat(size) },
    })
}

/// **S02** SQLite finds no room in a commit → 507, and the write has not taken place; what was acknowledged is there, reads go on, it works again once there is room, and the database is whole.
#[tokio::test]
async fn a_database_without_room_acknowledges_nothing() {
    if wreg_harness::database().is_some() {
        return;
    }
    let Some(disk) = SmallDisk::mount(8 << 20) else { return };
    let registry = start(&disk, None).await;
    let get = async |registry: &TestRegistry, number: usize| {
        let found = registry
            .send("GET", &format!("/v2/acme/hello/manifests/{number}"))
            .await;
        let status = found.status();
        (status, found.text().await.expect("a body"))
    };
    for number in 0..3 {
        let answer = registry
            .put_manifest("acme/hello", &number.to_string(), &manifest(100_000, number))
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
    }
    disk.fill();
    let mut acknowledged = vec![0, 1, 2];
    let mut without_room = Vec::new();
    for number in 3..21 {
        // The log has room of its own for some of the small ones.
        let size = if number % 3 == 0 { 2_000_000 } else { 500 * number };
        let answer = registry
            .put_manifest("acme/hello", &number.to_string(), &manifest(size, number))
            .await;
        if answer.status() == StatusCode::CREATED {
            acknowledged.push(number);
        } else {
            refused(answer, 507, "UNSUPPORTED").await;
            without_room.push(number);
            let (status, _) = get(&registry, number).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{number}");
        }
        assert_eq!(get(&registry, 0).await.0, StatusCode::OK, "reads go on");
    }
    assert!(without_room.len() >= 6, "the large ones had no room: {without_room:?}");
    disk.free();
    for number in &without_room {
        let answer = registry
            .put_manifest("acme/hello", &number.to_string(), &manifest(100 * number, *number))
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED, "there is room again");
    }
    let (_, database) = registry.stop().await;
    let registry = start(&disk, Some(database)).await;
    for number in 0..21 {
        let (status, text) = get(&registry, number).await;
        assert_eq!(status, StatusCode::OK, "{number}");
        assert!(text.contains(&format!("\"number\":\"{number}\"")));
    }
    assert_eq!(integrity(&registry).await, "ok");
}

/// What SQLite says of its own database.
async fn integrity(registry: &TestRegistry) -> String {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(registry.data.path().join("wreg.db"));
    let pool = sqlx::SqlitePool::connect_with(options)
        .await
        .expect("the database opens");
    let (verdict,): (String,) = sqlx::query_as("PRAGMA integrity_check")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    pool.close().await;
    verdict
}
