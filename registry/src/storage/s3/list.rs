//! Listings, page by page. A page that says that there is more, and not how to get it, is an error: what a listing lacks, somebody may
//! take for gone.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::{primitives::DateTime, types::Object};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use super::{
    super::{
        BlobKey, Error, ErrorKind, Listed, Listing, Operation, UploadId,
        key::{BLOBS, UPLOADS},
    },
    bucket::Bucket,
    names,
};

/// An object in a listing.
pub(super) struct Entry {
    /// Its name under the prefix of the store.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

/// A multipart upload that is neither completed nor aborted.
pub(super) struct Open {
    pub(super) name: String,
    pub(super) id: String,
    begun: SystemTime,
}

/// Where a listing goes on; `None` at its end.
type Next<T> = Option<T>;

/// The objects whose names begin with `prefix`, in the order of their names.
pub(super) fn objects(bucket: Bucket, prefix: String) -> impl Stream<Item = Result<Entry, Error>> + Send {
    pages(move |token: Option<String>| {
        let (bucket, prefix) = (bucket.clone(), prefix.clone());
        async move {
            let page = bucket.list(&prefix, token).await?;
            let next = next(&prefix, page.is_truncated, page.next_continuation_token)?;
            let entries = page.contents.unwrap_or_default();
            let entries = entries.into_iter().map(|object| entry(&bucket, &prefix, &object));
            Ok((entries.collect::<Result<_, Error>>()?, next))
        }
    })
}

/// The open multipart uploads of objects whose names begin with `prefix`.
pub(super) fn multiparts(bucket: Bucket, prefix: String) -> impl Stream<Item = Result<Open, Error>> + Send {
    pages(move |after: Option<(String, String)>| {
        let (bucket, prefix) = (bucket.clone(), prefix.clone());
        async move {
            let page = bucket.list_multiparts(&prefix, after).await?;
            let after = page.next_key_marker.zip(page.next_upload_id_marker);
            let next = next(&prefix, page.is_truncated, after)?;
            let mut open = VecDeque::new();
            for upload in page.uploads.unwrap_or_default() {
                let name = upload.key.as_deref().and_then(|key| bucket.relative(key));
                let (name, id) = name.zip(upload.upload_id).ok_or_else(|| incomplete(&prefix))?;
                open.push_back(Open {
                    name: name.to_owned(),
                    id,
                    begun: time(upload.initiated.as_ref()),
                });
            }
            Ok((open, next))
        }
    })
}

/// Every upload: what is stored of it as objects, and what in a multipart upload.
pub(super) fn uploads(bucket: Bucket) -> Listing<UploadId> {
    let folder = format!("{UPLOADS}/");
    let tails = objects(bucket.clone(), folder.clone()).map_ok(move |Entry { name, size, modified }| {
        let id = name
            .strip_prefix(&folder)
            .and_then(|rest| rest.split('/').next()?.parse().ok());
        known(id, name, size, modified)
    });
    let parts = multiparts(bucket, names::DATA.to_owned()).map_ok(|Open { name, begun, .. }| {
        let id = name.strip_prefix(names::DATA).and_then(|id| id.parse().ok());
        known(id, name, 0, begun)
    });
    tails.chain(parts).boxed()
}

/// Every blob, by its name. One whose bytes are elsewhere costs a look there; its size is 0 if they are not.
pub(super) fn blobs(bucket: Bucket) -> Listing<BlobKey> {
    let entries = objects(bucket.clone(), format!("{BLOBS}/"));
    let blobs = entries.and_then(
        move |Entry {
                  name,
                  mut size,
                  modified,
              }| {
            let bucket = bucket.clone();
            async move {
                let key: Option<BlobKey> = name.parse().ok();
                if let Some(key) = &key
                    && names::points_elsewhere(key, size)
                {
                    size = bucket.size(&names::data(key.generation())).await?.unwrap_or(0);
                }
                Ok(known(key, name, size, modified))
            }
        },
    );
    blobs.boxed()
}

fn known<K>(key: Option<K>, name: String, size: u64, modified: SystemTime) -> Listed<K> {
    match key {
        Some(key) => Listed::Object { key, size, modified },
        None => Listed::Unknown(name),
    }
}

/// All entries of all pages, one page in memory at a time. After an error nothing more comes.
fn pages<T, N, F, P>(page: F) -> impl Stream<Item = Result<T, Error>> + Send
where
    T: Send,
    N: Send,
    F: Fn(Option<N>) -> P + Send,
    P: Future<Output = Result<(VecDeque<T>, Next<N>), Error>> + Send,
{
    let begin = (page, Some(None), VecDeque::new());
    stream::try_unfold(begin, |(page, mut next, mut entries)| async {
        loop {
            if let Some(entry) = entries.pop_front() {
                return Ok(Some((entry, (page, next, entries))));
            }
            let Some(at) = next else { return Ok(None) };
            let (more, after) = page(at).await?;
            (entries, next) = (more, after.map(Some));
        }
    })
}

fn next<N>(prefix: &str, truncated: Option<bool>, token: Option<N>) -> Result<Next<N>, Error> {
    match (truncated.unwrap_or(false), token) {
        (true, None) => Err(incomplete(prefix)),
        (true, token) => Ok(token),
        (false, _) => Ok(None),
    }
}

fn incomplete(prefix: &str) -> Error {
    let why = "the object storage sent a part of the list, and not where it goes on";
    Error::of_kind(Operation::List, prefix, ErrorKind::Broken, why)
}

fn entry(bucket: &Bucket, prefix: &str, object: &Object) -> Result<Entry, Error> {
    let name = object.key.as_deref().and_then(|key| bucket.relative(key));
    let size = object.size.and_then(|size| u64::try_from(size).ok());
    let (name, size) = name.zip(size).ok_or_else(|| incomplete(prefix))?;
    Ok(Entry {
        name: name.to_owned(),
        size,
        modified: time(object.last_modified.as_ref()),
    })
}

/// A time that the server does not give lies in the far future: nobody may take the object for old.
fn time(time: Option<&DateTime>) -> SystemTime {
    const FAR: Duration = Duration::from_secs(250_000_000_000);
    let given = time.and_then(|time| SystemTime::try_from(*time).ok());
    given.unwrap_or(SystemTime::UNIX_EPOCH + FAR)
}
