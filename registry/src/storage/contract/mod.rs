//! The contract of [`BlobStore`] as named clauses that every backend passes: `contract_suite!(make)`, where `make().await` gives a
//! guard that keeps an empty store alive and the store itself, or nothing where this run has none.

pub(super) mod appends;
pub(super) mod blobs;
pub(super) mod commits;
pub(super) mod holding;
pub(super) mod large;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use tokio::sync::mpsc;
use wreg_oci::digest::Digest;

use super::{
    AppendError, BlobKey, BlobStore, BoxError, ByteStream, CommitError, HeldUpload, Listed, Listing, Position, Then,
    UploadId,
};

pub(super) type Store = Arc<dyn BlobStore>;

/// One test for each clause.
macro_rules! contract_suite {
    ($make:path) => {
        $crate::storage::contract::contract_suite! { $make:
            blobs {
                absence_is_an_answer
                what_was_committed_is_read_back
                every_range_of_a_blob_can_be_read
                a_range_beyond_the_end_is_an_error_and_no_short_read
                a_small_blob_is_stored_in_one_go
                removing_an_old_generation_leaves_the_new_one
                listings_are_complete
                a_probe_leaves_nothing_behind
                a_file_of_the_log_is_kept_and_replaced
            }
            appends {
                appends_at_the_durable_offset_join_up
                pieces_of_any_size_make_the_same_blob
                twenty_thousand_pieces_of_one_byte_make_a_blob
                an_empty_body_moves_nothing
                an_append_beyond_the_end_is_refused
                bytes_that_were_not_acknowledged_are_cut_off_by_an_append
                a_body_that_breaks_off_leaves_what_arrived
                an_upload_can_be_read_before_its_commit
                a_dropped_append_leaves_an_upload_that_goes_on
            }
            holding {
                an_upload_has_one_holder_at_a_time
                an_upload_that_is_held_is_free_again_when_the_value_is_dropped
                a_late_writer_does_not_reach_the_blob
                after_its_commit_a_holder_holds_nothing
                an_aborted_upload_is_gone_and_its_writer_fails
            }
            commits {
                an_upload_without_bytes_becomes_an_empty_blob
                bytes_that_were_not_acknowledged_are_cut_off_by_a_commit
                a_commit_of_more_than_arrived_is_refused_and_the_upload_goes_on
                a_repeated_commit_is_ok
                a_dropped_commit_can_be_repeated
            }
            large {
                chunks_of_odd_lengths_make_a_large_blob
                a_large_upload_that_was_read_becomes_a_blob
                a_large_upload_that_was_read_and_is_not_what_it_should_be_leaves_nothing
            }
        }
    };
    ($make:path: $($group:ident { $($clause:ident)+ })+) => {
        $($(
            #[tokio::test]
            async fn $clause() {
                let Some((_guard, store)) = $make().await else { return };
                $crate::storage::contract::$group::$clause(store).await;
            }
        )+)+
    };
}
pub(super) use contract_suite;

/// A body of these pieces.
pub(super) fn body<I>(pieces: I) -> ByteStream
where
    I: IntoIterator<IntoIter: Send + 'static, Item: Into<Bytes>>,
{
    stream::iter(pieces.into_iter().map(|piece| Ok(piece.into()))).boxed()
}

/// A body that is fed by the test, and ends when the sender is dropped.
pub(super) fn open_body() -> (mpsc::Sender<Result<Bytes, BoxError>>, ByteStream) {
    let (sender, pieces) = mpsc::channel(1);
    (
        sender,
        stream::unfold(pieces, |mut pieces| async {
            pieces.recv().await.map(|piece| (piece, pieces))
        })
        .boxed(),
    )
}

/// The calls of [`HeldUpload`] for a store that needs no more than the offset.
pub(super) trait ByOffset {
    /// See [`HeldUpload::append`].
    fn append_at(&mut self, offset: u64, body: ByteStream) -> BoxFuture<'_, Result<u64, AppendError>>;
    /// See [`HeldUpload::commit`].
    fn commit_at(&mut self, digest: &Digest, size: u64) -> BoxFuture<'_, Result<BlobKey, CommitError>>;
}

impl ByOffset for dyn HeldUpload {
    fn append_at(&mut self, offset: u64, body: ByteStream) -> BoxFuture<'_, Result<u64, AppendError>> {
        async move {
            let position = self.append(&Position::plain(offset), body, Then::Note).await?;
            Ok(position.offset)
        }
        .boxed()
    }

    fn commit_at(&mut self, digest: &Digest, size: u64) -> BoxFuture<'_, Result<BlobKey, CommitError>> {
        let digest = digest.clone();
        async move { self.commit(&digest, &Position::plain(size)).await }.boxed()
    }
}

/// Drives `running` until it has taken `piece` in from its open body: by then it holds the upload.
async fn feed(
    running: &mut BoxFuture<'_, Result<Position, AppendError>>,
    pieces: &mpsc::Sender<Result<Bytes, BoxError>>,
    piece: &'static str,
) {
    let feeding = async {
        pieces.send(Ok(piece.into())).await.expect("the body is read");
        pieces.reserve().await.map(drop).expect("the body is read");
    };
    tokio::select! {
        ended = running => panic!("{ended:?}"),
        () = feeding => {}
    }
}

/// Every byte of a stream, or its error.
pub(super) async fn collect(stream: ByteStream) -> Result<Vec<u8>, BoxError> {
    stream
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
}

/// `length` bytes that differ from their neighbours.
pub(super) fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at * 31 % 251).expect("below 251"))
        .collect()
}

/// Uploads `content` in one piece and commits it.
pub(super) async fn put(store: &Store, content: &[u8]) -> BlobKey {
    let mut held = hold(store, UploadId::random()).await;
    let end = held
        .append(&Position::START, body([content.to_vec()]), Then::Commit)
        .await
        .expect("the append succeeds");
    held.commit(&Digest::sha256(content), &end)
        .await
        .expect("the commit succeeds")
}

/// All of a blob.
pub(super) async fn get(store: &Store, key: &BlobKey) -> Option<Vec<u8>> {
    let size = store.size(key).await.expect("the store answers")?;
    let stream = store
        .read(key, 0..size)
        .await
        .expect("the store answers")
        .expect("it has a size, so it is there");
    Some(collect(stream).await.expect("every byte comes"))
}

/// The keys of a listing that must hold nothing unknown.
pub(super) async fn keys<K: Ord + std::fmt::Debug>(listing: Listing<K>) -> BTreeSet<K> {
    let known = listing.map(|entry| match entry.expect("the listing is complete") {
        Listed::Object { key, .. } => key,
        Listed::Unknown(name) => panic!("{name} is unknown"),
    });
    known.collect().await
}

/// Holds an upload that nobody else holds.
pub(super) async fn hold(store: &Store, upload: UploadId) -> Box<dyn HeldUpload> {
    store
        .hold(upload)
        .await
        .expect("the store answers")
        .expect("the upload is free")
}

/// Holds an upload as soon as the last step of a dropped call lets go of it.
pub(super) async fn hold_when_free(store: &Store, upload: UploadId) -> Box<dyn HeldUpload> {
    loop {
        if let Some(held) = store.hold(upload).await.expect("the store answers") {
            return held;
        }
        tokio::task::yield_now().await;
    }
}

/// Polls `future` so often, and drops it. What it left running may still be at work.
async fn drop_after<T>(polls: u8, mut future: BoxFuture<'_, T>) {
    for _ in 0..polls {
        if (&mut future).now_or_never().is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}
