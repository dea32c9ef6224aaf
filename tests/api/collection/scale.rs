//! How much work a pass is.

use wreg_registry::domain::collection::Progress;

use super::{Collecting, DAY};

/// The number of steps of a pass, each of which looks at 1000 rows at most.
async fn count_steps(collecting: &Collecting) -> usize {
    let mut collection = collecting.begin().await;
    let mut steps = 1;
    while collection.step().await.expect("a step") == Progress::More {
        steps += 1;
    }
    collection.finish().await.expect("an answer");
    steps
}

const BLOBS: &str = "INSERT INTO blobs (digest, size, location, state, leased_until, created_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
    SELECT 'sha256:' || CAST(1000000 + i AS TEXT), 1, 'location ' || CAST(i AS TEXT), 'live', 0, 0 FROM n";
const LINKS: &str = "INSERT INTO repository_blobs (repository, digest, created_at)
    SELECT 'acme/hello', digest, 0 FROM blobs WHERE location LIKE 'location%'";
/// A tower of indexes: each lists two, and both of these list the same two below. 40 storeys are 2⁴⁰ ways down.
const MANIFESTS: &str = "INSERT INTO manifests (repository, digest, media_type, artifact_type, subject, annotations, content, created_at)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 79)
    SELECT 'acme/hello', 'index ' || CAST(i AS TEXT), 'x', NULL, NULL, '{}', content, 0 FROM n, (SELECT content FROM manifests LIMIT 1) AS one";
const EDGES: &str = "INSERT INTO manifest_references (repository, manifest, kind, digest)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 77)
    SELECT 'acme/hello', 'index ' || CAST(i AS TEXT), 'manifest', 'index ' || CAST(i - i % 2 + 2 + j AS TEXT) FROM n, (SELECT 0 AS j UNION ALL SELECT 1) AS two";
const LEAVES: &str = "INSERT INTO manifest_references (repository, manifest, kind, digest)
    SELECT 'acme/hello', 'index 78', 'blob', digest FROM blobs WHERE location LIKE 'location%5'";

/// **C12** Thousands of blobs under a tower of indexes with 2⁴⁰ ways through it → each row is looked at once and paths are not walked; a step looks at 1000 rows at most, and a transaction takes 128.
#[tokio::test]
async fn the_work_grows_with_the_rows_and_not_with_the_paths() {
    let collecting = Collecting::start().await;
    collecting.registry.push_image("acme/hello", "1.0.0", b"layer").await;
    collecting.pass(DAY).await;
    let few = count_steps(&collecting).await;
    for (statement, rows) in [
        (BLOBS, 8000),
        (LINKS, 8000),
        (MANIFESTS, 80),
        (EDGES, 156),
        (LEAVES, 800),
    ] {
        assert_eq!(collecting.registry.execute(statement).await, rows);
    }
    // Eight windows of links and eight of blobs more, and then seven times fewer.
    assert_eq!(count_steps(&collecting).await, few + 16);
    let left = "SELECT COUNT(*) FROM blobs WHERE location LIKE 'location%'";
    assert_eq!(collecting.registry.count(left).await, 800);
    assert!(collecting.has("acme/hello", b"layer").await);
}
