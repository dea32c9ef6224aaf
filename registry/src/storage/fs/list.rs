//! Walking the store's folders, a bounded number of entries ahead of whoever reads the listing.

use std::{fs::DirEntry, io, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    super::{
        BlobKey, Error, Listed, Listing, Operation, UploadId,
        key::{BLOBS, UPLOADS},
    },
    disk::Disk,
    probe, stopping,
};

/// How many entries wait for the reader at most.
const AHEAD: usize = 256;

/// Every upload.
pub(super) fn uploads(disk: Arc<Disk>) -> Listing<UploadId> {
    let parse = |name: &str| name.strip_prefix(UPLOADS)?.strip_prefix('/')?.parse().ok();
    listing(move |found| {
        Walk {
            disk: &disk,
            parse,
            found,
        }
        .folder(UPLOADS, 0)
        .map(drop)
    })
}

/// Every blob.
pub(super) fn blobs(disk: Arc<Disk>) -> Listing<BlobKey> {
    let parse = |name: &str| name.parse().ok();
    listing(move |found| {
        Walk {
            disk: &disk,
            parse,
            found,
        }
        .folder(BLOBS, 2)
        .map(drop)
    })
}

/// Takes one entry; false when nobody wants more.
type Found<'a, K> = &'a dyn Fn(Listed<K>) -> bool;

/// Streams what `walk` finds, and then its error, if any. The end of the walk is the end of the listing, and not merely the end of
/// the channel: a walk that panicked must not look like a complete one.
fn listing<K: Send + 'static>(walk: impl FnOnce(Found<'_, K>) -> Result<(), Error> + Send + 'static) -> Listing<K> {
    let started = async {
        let (sender, found) = mpsc::channel(AHEAD);
        let walk = spawn_blocking(move || walk(&|entry| sender.blocking_send(entry).is_ok()));
        let entries = stream::unfold(found, |mut found| async {
            found.recv().await.map(|entry| (Ok(entry), found))
        });
        entries.chain(stream::once(walk).filter_map(|ended| async {
            match ended {
                Ok(outcome) => outcome.err().map(Err),
                Err(ended) => Some(Err(stopping(ended))),
            }
        }))
    };
    stream::once(started).flatten().boxed()
}

struct Walk<'a, K, P> {
    disk: &'a Disk,
    parse: P,
    found: Found<'a, K>,
}

impl<K, P: Fn(&str) -> Option<K>> Walk<'_, K, P> {
    /// The objects that lie `depth` folders below `folder`; false when nobody wants more.
    fn folder(&self, folder: &str, depth: u8) -> Result<bool, Error> {
        for entry in self.disk.entries(folder)? {
            let entry = self.disk.step(Operation::List, folder, |_| entry)?;
            let file_name = entry.file_name();
            // A name that is no UTF-8 is none of ours either way.
            let file_name = file_name.to_string_lossy();
            if file_name.starts_with(probe::PREFIX) {
                continue;
            }
            let name = format!("{folder}/{file_name}");
            let wanted = match self.disk.step(Operation::Inspect, &name, |_| entry.file_type()) {
                Ok(kind) if kind.is_dir() && depth > 0 => self.folder(&name, depth - 1)?,
                Ok(kind) if kind.is_file() && depth == 0 => self.file(name, &entry)?,
                Ok(_) => (self.found)(Listed::Unknown(name)),
                Err(error) if error.is_absence() => true,
                Err(error) => return Err(error),
            };
            if !wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn file(&self, name: String, entry: &DirEntry) -> Result<bool, Error> {
        let Some(key) = (self.parse)(&name) else {
            return Ok((self.found)(Listed::Unknown(name)));
        };
        let inspect = || -> io::Result<_> {
            let metadata = entry.metadata()?;
            Ok((metadata.len(), metadata.modified()?))
        };
        match self.disk.step(Operation::Inspect, &name, |_| inspect()) {
            Ok((size, modified)) => Ok((self.found)(Listed::Object { key, size, modified })),
            // Committed, aborted or deleted since the folder was read.
            Err(error) if error.is_absence() => Ok(true),
            Err(error) => Err(error),
        }
    }
}
