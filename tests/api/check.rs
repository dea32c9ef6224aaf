//! The check of the store against the database.

use std::path::Path;

use reqwest::StatusCode;
use wreg_api::{CheckLine, Finding, FindingKind};
use wreg_oci::Digest;
use wreg_registry::Faults;

use crate::{
    bucket::on_files,
    registry::{Options, TestRegistry},
};

/// Checks over the API. Gives what it found, and how many findings it counted.
pub(crate) async fn check(registry: &TestRegistry, query: &str) -> (Vec<Finding>, u64) {
    let answer = registry.send("POST", &format!("/api/v1/admin/fsck?{query}")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let text = answer.text().await.expect("lines");
    let mut lines: Vec<CheckLine> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect();
    let Some(CheckLine::Checked(checked)) = lines.pop() else {
        panic!("it ends: {text}");
    };
    let findings = lines.into_iter().map(|line| match line {
        CheckLine::Finding(finding) => finding,
        other => panic!("{other:?}"),
    });
    (findings.collect(), checked.findings)
}

pub(crate) fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

fn overwrite(path: &Path, content: &[u8]) {
    std::fs::remove_file(path).expect("it is there");
    let mut file = std::fs::File::create_new(path).expect("it is gone");
    std::io::Write::write_all(&mut file, content).expect("there is room");
}

#[tokio::test]
async fn a_registry_that_is_well_has_no_findings() {
    let registry = TestRegistry::start().await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    for query in ["", "deep=true", "deep=true&repair=true"] {
        assert_eq!(check(&registry, query).await, (Vec::new(), 0), "{query}");
    }
    let anonymous = registry.anonymous("POST", "/api/v1/admin/fsck").send().await;
    assert_eq!(anonymous.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

/// **S18** The database is newer than the store, or the store newer than the database, as after a restore → the check lists what is missing and what nobody knows, and deletes nothing.
/// **S10** A row whose file is gone or shorter → found by the check, and made good where the store has the same bytes elsewhere.
#[tokio::test]
async fn what_is_missing_and_what_nobody_knows_is_listed() {
    if !on_files() {
        return;
    }
    let registry = TestRegistry::with(Options::failing(Faults::NONE)).await;
    registry.push_image("acme/hello", "1.0.0", b"layer").await;
    let digest = Digest::sha256("layer");
    let is_layer = |path: &std::path::PathBuf| path.to_string_lossy().contains(digest.encoded());
    let path = registry.blob_files().into_iter().find(is_layer).expect("its file");

    // The same length and other bytes: only a deep check reads them.
    overwrite(&path, b"LAYER");
    assert_eq!(check(&registry, "").await.1, 0);
    assert_eq!(
        kinds(&check(&registry, "deep=true").await.0),
        [FindingKind::ContentDiffers]
    );

    // Another generation of the blob, as an older database would not know it.
    overwrite(&path, b"layer");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let other = path.with_file_name(format!("{}.67e55044-10b1-426f-9247-bb680e5fe0c8", digest.encoded()));
    assert_ne!(other.file_name().expect("a name").to_string_lossy(), name);
    std::fs::rename(&path, &other).expect("it moves");
    let file = std::fs::File::options().write(true).open(&other).expect("it is there");
    let written = file.metadata().and_then(|of| of.modified()).expect("it has a time");
    let old = written - std::time::Duration::from_hours(48);
    file.set_modified(old).expect("it is ours");
    let (findings, _) = check(&registry, "").await;
    assert_eq!(kinds(&findings), [FindingKind::BlobMissing, FindingKind::BytesUnknown]);
    assert!(other.exists(), "nothing is deleted");
    let (findings, _) = check(&registry, "repair=true").await;
    assert_eq!(kinds(&findings), [FindingKind::BlobMissing]);
    assert!(findings[0].repaired);
    assert_eq!(check(&registry, "deep=true").await.1, 0);
    let answer = registry.send("GET", &format!("/v2/acme/hello/blobs/{digest}")).await;
    assert_eq!(answer.bytes().await.expect("bytes"), &b"layer"[..]);
}
