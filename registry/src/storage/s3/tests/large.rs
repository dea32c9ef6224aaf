//! Uploads of several parts, as the server sees them.

use aws_sdk_s3::Client;

use super::*;
use crate::storage::{
    Position, Then, UploadId,
    contract::{body, bytes, collect, get, keys},
};

const MIB: usize = 1 << 20;

/// The lengths of the parts that are there of an upload.
async fn parts(settings: &S3Settings, client: &Client, upload: UploadId) -> Vec<u64> {
    let name = format!("{}{}", settings.prefix, names::data(upload));
    let open = client.list_multipart_uploads().bucket(&settings.bucket).prefix(&name);
    let open = open.send().await.expect("a listing").uploads.unwrap_or_default();
    let [open] = &*open else {
        panic!("one multipart upload is open: {open:?}")
    };
    let parts = client.list_parts().bucket(&settings.bucket).key(name);
    let parts = parts.set_upload_id(open.upload_id.clone()).send().await;
    let parts = parts.expect("a listing").parts.unwrap_or_default().into_iter();
    parts
        .map(|part| part.size.and_then(|size| size.try_into().ok()).expect("a length"))
        .collect()
}

/// **U19** An upload of chunks of any length, each taken in by a server that has only what the one before it noted → the parts have one size, and the blob has the right bytes.
#[tokio::test]
async fn another_server_goes_on_in_the_middle_of_a_part() {
    let Some(settings) = settings() else { return };
    let client = client::connect(&settings).await;
    let content = bytes(20 * MIB + 6);
    let (upload, mut rest, mut noted) = (UploadId::random(), &*content, Position::START);
    for length in [1, 3 * MIB, 9 * MIB, 8 * MIB, 5] {
        let server: Store = Arc::new(S3Store::open(&settings, Faults::NONE).await);
        let (chunk, after) = rest.split_at(length);
        let mut held = contract::hold(&server, upload).await;
        let end = held.append(&noted, body([chunk.to_vec()]), Then::Note).await;
        noted = end.expect("the append succeeds");
        rest = after;
    }
    assert!(rest.is_empty());
    let sizes = parts(&settings, &client, upload).await;
    assert_eq!(sizes, [PART as u64; 2]);
    const { assert!(PART >= 5 * MIB, "S3 takes no smaller part but as the last one") };
    let server: Store = Arc::new(S3Store::open(&settings, Faults::NONE).await);
    let mut held = contract::hold(&server, upload).await;
    let key = held.commit(&wreg_oci::Digest::sha256(&content), &noted).await;
    let key = key.expect("the commit succeeds");
    assert!(get(&server, &key).await == Some(content));
    assert!(keys(server.list_uploads()).await.is_empty());
}

#[tokio::test]
async fn an_upload_that_is_read_before_its_commit_is_no_blob_for_any_server() {
    let Some(settings) = settings() else { return };
    let [one, other]: [Store; 2] = [
        Arc::new(S3Store::open(&settings, Faults::NONE).await),
        Arc::new(S3Store::open(&settings, Faults::NONE).await),
    ];
    let (upload, content) = (UploadId::random(), bytes(9 * MIB));
    let mut held = contract::hold(&one, upload).await;
    let end = held.append(&Position::START, body([content.clone()]), Then::Note).await;
    let end = end.expect("the append succeeds");
    let read = held.read(&end, 0..end.offset).await.expect("the store answers");
    assert!(collect(read.expect("it is there")).await.expect("every byte comes") == content);
    assert!(keys(other.list_blobs()).await.is_empty());
    assert_eq!(
        keys(other.list_uploads()).await.into_iter().collect::<Vec<_>>(),
        [upload]
    );
    other.abort(upload).await.expect("the abort succeeds");
    assert!(keys(other.list_uploads()).await.is_empty());
    let bucket = &S3Store::open(&settings, Faults::NONE).await.inner.bucket.clone();
    assert_eq!(
        bucket.size(&names::data(upload)).await.expect("the bucket answers"),
        None
    );
}
