//! Does this object storage do what the store relies on?

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use uuid::Uuid;

use super::{
    super::{Error, ErrorKind, Operation},
    bucket::Bucket,
    failure::{Cause, Failure},
    list, names, read,
};

/// How old an object of a probe is that nobody works with any more.
const ABANDONED: Duration = Duration::from_hours(1);

const BYTES: &[u8] = b"wreg";

/// See `BlobStore::probe`.
pub(super) async fn probe(bucket: &Bucket) -> Result<(), Error> {
    let folder = format!("{}{}/", names::PROBE, Uuid::new_v4());
    let (small, joined) = (format!("{folder}small"), format!("{folder}joined"));
    let outcome = go_through(bucket, &folder, &small, &joined).await;
    let removed = bucket.delete(&small).await.and(bucket.delete(&joined).await);
    outcome.and(removed)
}

/// See `BlobStore::ready`. Three requests, where the probe makes more than a dozen: far away or under load that would take seconds.
pub(super) async fn ready(bucket: &Bucket) -> Result<(), Error> {
    let small = format!("{}{}/small", names::PROBE, Uuid::new_v4());
    let outcome = match bucket.put(&small, Bytes::from_static(BYTES)).await {
        Ok(()) => same(bucket, &small, 1..3, &BYTES[1..3]).await,
        Err(failure) => Err(failure.error),
    };
    let removed = bucket.delete(&small).await;
    outcome.and(removed)
}

/// The life of a blob, in small.
async fn go_through(bucket: &Bucket, folder: &str, small: &str, joined: &str) -> Result<(), Error> {
    bucket.put(small, Bytes::from_static(BYTES)).await?;
    same(bucket, small, 1..3, &BYTES[1..3]).await?;

    let id = bucket.create_multipart(joined).await?;
    let completed = async {
        // Numbers with gaps between them, as uploads have.
        let part = bucket.upload_part(joined, &id, 2, Bytes::from_static(BYTES)).await?;
        let mut wrong = part.clone();
        wrong.etag = format!("\"{}\"", Uuid::new_v4().simple());
        match bucket.complete_multipart(joined, &id, &[wrong]).await {
            Err(failure) if failure.cause == Cause::Parts => {}
            Err(failure) => return Err(failure),
            Ok(()) => {
                return Err(lacks(
                    Operation::Join,
                    joined,
                    "it joins parts under other ETags than theirs, so a part that was overwritten would not be found out",
                ));
            }
        }
        bucket.complete_multipart(joined, &id, &[part]).await
    };
    if let Err(Failure { error, .. }) = completed.await {
        bucket.abort_multipart(joined, &id).await?;
        return Err(error);
    }
    same(bucket, joined, 0..4, BYTES).await?;

    find_and_tidy(bucket, folder).await?;
    bucket.delete(small).await?;
    match bucket.size(small).await? {
        None => bucket.confirm().await,
        Some(_) => Err(lacks(Operation::Unlink, small, "an object that was removed is still there").error),
    }
}

async fn same(bucket: &Bucket, name: &str, range: Range<u64>, expected: &[u8]) -> Result<(), Error> {
    let Some(bytes) = read::object(bucket, name, range).await? else {
        return Err(lacks(
            Operation::Read,
            name,
            "an object that was stored a moment ago is not there",
        )
        .error);
    };
    let read = bytes.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    match read.await {
        Ok(read) if read == expected => Ok(()),
        Ok(_) => Err(lacks(Operation::Read, name, "other bytes came back than were stored").error),
        Err(error) => Err(Error::of_kind(Operation::Read, name, ErrorKind::Transient, error)),
    }
}

fn lacks(operation: Operation, name: &str, why: &str) -> Failure {
    Failure {
        cause: Cause::Other,
        error: Error::of_kind(operation, name, ErrorKind::Broken, why),
    }
}

/// Finds both objects in a listing, and removes what probes left there that were cut short.
async fn find_and_tidy(bucket: &Bucket, folder: &str) -> Result<(), Error> {
    let listed: Vec<_> = list::objects(bucket.clone(), names::PROBE.to_owned())
        .try_collect()
        .await?;
    let (ours, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|entry| entry.name.starts_with(folder));
    let [one, other] = &*ours else {
        let why = "it does not list the objects that were stored a moment ago";
        return Err(lacks(Operation::List, folder, why).error);
    };
    let now = one.modified.max(other.modified);
    for entry in others {
        if now.duration_since(entry.modified).is_ok_and(|age| age > ABANDONED) {
            bucket.delete(&entry.name).await?;
        }
    }
    Ok(())
}
