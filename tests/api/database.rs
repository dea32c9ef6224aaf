//! Databases that are contended for, damaged, lost, or from another time.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use wreg_harness::RegistryProcess;
use wreg_oci::{Digest, MediaType};
use wreg_registry::Faults;

use crate::{
    bucket::on_files,
    flows::is_stored,
    process::{self, Client, until},
    registry::{Options, TestDatabase, TestRegistry},
};

/// The size of a page of SQLite, in bytes.
const PAGE: usize = 4096;

/// **P05** 50 clients write at once → every write is taken, and all of it can be read.
#[tokio::test]
async fn fifty_writers_at_once_are_all_served() {
    let registry = TestRegistry::start().await;
    let pushes = (0..50).map(async |writer| {
        let repository = format!("acme/{}", writer % 5);
        let layer = format!("layer of {writer}");
        // Tags that are one's own, and one that ten of them move.
        let manifest = registry.image(&repository, layer.as_bytes()).await;
        for tag in [format!("1.0.{writer}"), "latest".to_owned()] {
            let answer = registry.put_manifest(&repository, &tag, &manifest).await;
            assert_eq!(answer.status(), StatusCode::CREATED);
        }
        Digest::sha256(manifest.to_string())
    });
    let digests = join_all(pushes).await;
    for (writer, digest) in digests.iter().enumerate() {
        let repository = format!("acme/{}", writer % 5);
        for selector in [format!("1.0.{writer}"), digest.to_string()] {
            let found = registry
                .send("GET", &format!("/v2/{repository}/manifests/{selector}"))
                .await;
            let bytes = found.bytes().await.expect("a body");
            assert_eq!(Digest::sha256(bytes), *digest);
        }
        let layer = format!("layer of {writer}");
        is_stored(&registry, &repository, layer.as_bytes(), &Digest::sha256(&layer)).await;
    }
    assert_eq!(registry.count("SELECT COUNT(*) FROM tags").await, 55);
}

/// A registry that held an image, ended.
async fn ended() -> (Arc<TempDir>, TestDatabase) {
    let registry = TestRegistry::with(Options::failing(Faults::NONE)).await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    registry.stop().await
}

/// Starts on what another registry left, or says why not.
async fn start_on(data: &Arc<TempDir>, database: Option<&TestDatabase>) -> Result<TestRegistry, String> {
    let options = Options {
        data: Some(Arc::clone(data)),
        database: database.cloned(),
        ..Options::default()
    };
    TestRegistry::try_with(options).await.map_err(|error| error.to_string())
}

/// Starts on what another registry left, finds its image, and ends.
async fn holds_the_image(data: &Arc<TempDir>, database: &TestDatabase) {
    let registry = start_on(data, Some(database)).await.expect("it starts");
    let found = registry.send("GET", "/v2/acme/hello/manifests/1.0.0").await;
    assert_eq!(found.status(), StatusCode::OK);
    is_stored(&registry, "acme/hello", b"layer", &Digest::sha256("layer")).await;
    registry.stop().await;
}

fn content(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).expect("it is there");
    file.read_to_end(&mut bytes).expect("it can be read");
    bytes
}

fn write_at(path: &Path, offset: usize, bytes: &[u8]) {
    let mut file = File::options().write(true).open(path).expect("it is there");
    file.seek(SeekFrom::Start(offset as u64)).expect("it can be sought");
    file.write_all(bytes).expect("there is room");
}

/// The database's files in a data folder.
fn database_files(data: &TempDir) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(data.path()).expect("a folder");
    let paths = paths.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.to_string_lossy().contains("wreg.db"))
        .collect()
}

#[tokio::test]
async fn a_server_that_ended_well_leaves_its_database_in_one_file() {
    if wreg_harness::database().is_some() {
        return;
    }
    let (data, _) = ended().await;
    assert_eq!(database_files(&data), [data.path().join("wreg.db")]);
}

/// **P07** Blobs, and a database that is not there, empty, or has never known them → the server refuses to start, and makes no new one in the old one's place.
#[tokio::test]
async fn blobs_without_their_database_are_refused() {
    if !on_files() {
        return;
    }
    let (data, database) = ended().await;
    let file = data.path().join("wreg.db");
    if let TestDatabase::Sqlite = database {
        let aside = data.path().join("aside");
        std::fs::rename(&file, &aside).expect("it is there");
        let refusal = start_on(&data, None).await.err().expect("it is refused");
        assert!(refusal.contains("holds blobs, and a new"), "{refusal}");
        assert_eq!(database_files(&data), Vec::<PathBuf>::new());

        File::create(&file).expect("there is room");
        let refusal = start_on(&data, None).await.err().expect("it is refused");
        assert!(refusal.contains("holds blobs"), "{refusal}");
        assert_eq!(content(&file), b"");

        std::fs::rename(aside, &file).expect("it is there");
    } else {
        let refusal = start_on(&data, None).await.err().expect("it is refused");
        assert!(refusal.contains("knows of none"), "{refusal}");
    }
    holds_the_image(&data, &database).await;
}

/// **P07** A page of the database is damaged, its head is, or its end is missing → the server refuses to start, and writes nothing over it; with the page put back it starts and has everything.
#[tokio::test]
async fn a_damaged_database_is_refused_and_left_alone() {
    let (data, database) = ended().await;
    if let TestDatabase::Postgres(_) = database {
        return;
    }
    // Without pages that nothing is in: what they hold means nothing.
    database.execute(data.path(), "VACUUM").await;
    let file = data.path().join("wreg.db");
    let whole = content(&file);
    let pages = whole.len() / PAGE;
    assert!(pages > 20);
    let refused = async |damage: &str| {
        let before = content(&file);
        let refusal = start_on(&data, None).await.err().unwrap_or_default();
        assert!(refusal.contains("damaged"), "{damage}: {refusal}");
        assert!(content(&file) == before, "{damage}: it was written to");
    };
    for page in (0..pages).step_by(3).chain([pages - 1]) {
        write_at(&file, page * PAGE, &[0xa5; PAGE]);
        refused(&format!("page {page}")).await;
        write_at(&file, page * PAGE, &whole[page * PAGE..(page + 1) * PAGE]);
    }
    let cut = File::options().write(true).open(&file).expect("it is there");
    cut.set_len((whole.len() / 2) as u64).expect("it is ours");
    refused("half of it").await;
    write_at(&file, 0, &whole);
    holds_the_image(&data, &database).await;
}

/// **P07** A page of a database is damaged that is too large to be looked through before the start → soon after it, the server says so and ends.
#[test]
fn damage_in_a_large_database_ends_the_server() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let server = process::start(data.path());
    let mut client = Client::of(&server);
    push_config(&mut client);
    for number in 0..5 {
        push_manifest(&mut client, number, 4_000_000);
    }
    assert!(server.terminate().success());
    let file = data.path().join("wreg.db");
    let length = content(&file).len();
    assert!(length > 16 << 20);
    // The pages of one manifest follow each other.
    write_at(&file, length / 2 / PAGE * PAGE, &[0xa5; 4 * PAGE]);
    let mut server = process::start(data.path());
    assert!(!server.wait().success());
    assert!(
        server.stderr().contains("the database is damaged"),
        "{}",
        server.stderr()
    );
}

/// Pushes what the manifests of [`push_manifest`] are made of.
fn push_config(client: &mut Client) {
    let blob = format!("/v2/acme/hello/blobs/uploads/?digest={}", Digest::sha256("{}"));
    client.must(201, "POST", &blob, b"{}");
}

/// Pushes a manifest of at least that many bytes.
fn push_manifest(client: &mut Client, number: usize, length: usize) {
    let text = format!("{number} {}", "x".repeat(length));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MediaType::IMAGE_MANIFEST, "config": { "mediaType": "a/b", "digest": Digest::sha256("{}"), "size": 2 },
        "layers": [], "annotations": { "text": text },
    });
    let target = format!("/v2/acme/hello/manifests/{number}");
    client.must(201, "PUT", &target, manifest.to_string().as_bytes());
}

/// **P09** The database has been used by a newer version, or holds another history of changes → the server refuses to start and says which; without that row it starts and has everything.
#[tokio::test]
async fn a_database_of_another_version_is_refused() {
    let (data, database) = ended().await;
    for (change, undo, message) in [
        (
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
            "DELETE FROM _sqlx_migrations WHERE version = 9999",
            "newer version of wreg-registry (migration 9999)",
        ),
        (
            "UPDATE _sqlx_migrations SET version = -1 WHERE version = 1",
            "UPDATE _sqlx_migrations SET version = 1 WHERE version = -1",
            "newer version of wreg-registry (migration -1)",
        ),
        (
            "UPDATE _sqlx_migrations SET success = NOT success",
            "UPDATE _sqlx_migrations SET success = NOT success",
            "cannot be brought up to date",
        ),
    ] {
        database.execute(data.path(), change).await;
        let refusal = start_on(&data, Some(&database)).await.err().expect("it is refused");
        assert!(refusal.contains(message), "{refusal}");
        database.execute(data.path(), undo).await;
        holds_the_image(&data, &database).await;
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let registry = TestRegistry::start().await;
    let refusal = start_on(&registry.data, Some(&registry.database)).await.err();
    let refusal = refusal.expect("it is refused");
    assert!(refusal.contains("another server uses the data folder"), "{refusal}");
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let stopped = registry.stop().await;
    holds_the_image(&stopped.0, &stopped.1).await;
}

/// **P06** A reader of the database does not end while much is written → everything is taken, the log says once that SQLite's own grows; it is short again after the reader has ended.
#[tokio::test]
async fn a_reader_that_does_not_end_is_told_of() {
    let server = RegistryProcess::start();
    let mut client = Client::of(&server);
    push_config(&mut client);

    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(server.data_dir().join("wreg.db"))
        .read_only(true);
    let mut reader = options.connect().await.expect("the database opens");
    let begin = sqlx::raw_sql("BEGIN; SELECT COUNT(*) FROM manifests")
        .execute(&mut reader)
        .await;
    begin.expect("it can be read");
    let told = || server.stderr().matches("write-ahead log is long").count();
    for number in 0..20 {
        push_manifest(&mut client, number, 4_000_000);
    }
    let mut number = 20;
    until(|| {
        push_manifest(&mut client, number, 10);
        number += 1;
        told() == 1
    });
    reader.close().await.expect("it closes");
    let log = server.data_dir().join("wreg.db-wal");
    until(|| {
        push_manifest(&mut client, number, 10);
        number += 1;
        File::open(&log).and_then(|log| log.metadata()).expect("the log").len() <= 16 << 20
    });
    assert_eq!(told(), 1);
}
