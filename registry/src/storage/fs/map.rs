//! Files of committed blobs, mapped into memory: what the page cache holds goes to the socket without a copy in this process.
//!
//! A mapping has a price, and this is how it is met:
//!
//! - **A page that is not in memory blocks the thread that touches it.** So bytes are handed out only where the kernel says that their
//!   pages are there ([`Mapped::is_resident`]); others are first read, off the runtime's threads ([`Mapped::read_ahead`]). A page that
//!   is evicted in between costs one short wait.
//! - **A device that fails under a mapping, or a file that shrinks, is a signal that ends the process**, not an error. Reading ahead
//!   gives an error instead. Committed files are read-only, and the data folder is locked against other servers.
//! - **Mappings take address space and, above all, their number is limited.** They share a cap, and each counts for [`LEAST`] bytes at
//!   least; the oldest go first, once nobody sends of them.
#![expect(
    unsafe_code,
    reason = "mapping a file, and asking which pages are in memory, have no safe interface; each block says why it is sound"
)]

use std::{fs::File, io, ops::Range, sync::Arc};

use bytes::Bytes;
use memmap2::{Advice, Mmap};
use quick_cache::{Weighter, sync::Cache};

use super::super::BlobKey;

/// What a mapping counts for at the least, in bytes: with the usual cap this keeps their number far below the kernel's limit.
const LEAST: u64 = 64 * 1024;
/// A file that would take more than this share of the cap is not mapped.
const LARGEST_SHARE: u64 = 4;
/// How many mappings there is room for from the start.
const AT_FIRST: usize = 64;

/// The mappings that are kept.
pub(super) struct Maps {
    kept: Cache<BlobKey, Mapped, ByLength>,
    cap: u64,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<BlobKey, Mapped> for ByLength {
    fn weight(&self, _: &BlobKey, mapped: &Mapped) -> u64 {
        LEAST.max(mapped.bytes.len() as u64)
    }
}

impl Maps {
    /// Mappings of `cap` bytes in all; none at all for 0.
    pub(super) fn new(cap: u64) -> Self {
        Self {
            kept: Cache::with_weighter(AT_FIRST, cap, ByLength),
            cap,
        }
    }

    /// The mapping of a blob, if it is kept.
    pub(super) fn get(&self, key: &BlobKey) -> Option<Mapped> {
        self.kept.get(key)
    }

    /// Maps the file of a committed blob, and keeps the mapping; `None` where the file is empty or too large for it, or the system
    /// does not map it.
    pub(super) fn map(&self, key: &BlobKey, file: &File, size: u64) -> Option<Mapped> {
        if size == 0 || size > self.cap / LARGEST_SHARE {
            return None;
        }
        let mapped = Mapped::new(file, usize::try_from(size).ok()?).ok()?;
        self.kept.insert(key.clone(), mapped.clone());
        Some(mapped)
    }

    /// Lets go of the mapping of a blob whose file is being removed, so that its space becomes free.
    pub(super) fn forget(&self, key: &BlobKey) {
        self.kept.remove(key);
    }
}

/// A mapped file. Clones are the same mapping, which ends with the last of them and of the bytes that were handed out.
#[derive(Clone)]
pub(super) struct Mapped {
    map: Arc<Mmap>,
    bytes: Bytes,
}

struct Owner(Arc<Mmap>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Mapped {
    fn new(file: &File, size: usize) -> io::Result<Self> {
        // SAFETY: the bytes under a shared mapping must not change while they are borrowed. The file is a committed blob: it is
        // read-only, nobody writes to it after its commit, and the data folder is locked for this process. Removing its name leaves the
        // mapping whole.
        let map = unsafe { memmap2::MmapOptions::new().len(size).map(file) };
        let map = Arc::new(map?);
        Ok(Self {
            bytes: Bytes::from_owner(Owner(Arc::clone(&map))),
            map,
        })
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The bytes `range`, which lie within.
    pub(super) fn slice(&self, range: Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    /// Whether all pages of `range` are in memory now, as far as the system tells.
    pub(super) fn is_resident(&self, range: Range<usize>) -> bool {
        let page = page_size();
        let first = range.start - range.start % page;
        let Some(bytes) = self.map.get(first..range.end) else {
            return false;
        };
        let mut pages = [0_u8; MOST_PAGES];
        let Some(pages) = pages.get_mut(..bytes.len().div_ceil(page)) else {
            return false;
        };
        // SAFETY: the address lies on a border of pages, since mappings begin on one; the whole range is within the mapping, which
        // `self` keeps; and `pages` has room for one byte a page.
        let told = unsafe { libc::mincore(bytes.as_ptr().cast_mut().cast(), bytes.len(), pages.as_mut_ptr().cast()) };
        told == 0 && pages.iter().all(|page| page & 1 == 1)
    }

    /// Reads the pages of `range` into memory, and blocks meanwhile.
    pub(super) fn read_ahead(&self, range: Range<usize>) -> io::Result<()> {
        self.map.advise_range(Advice::PopulateRead, range.start, range.len())
    }
}

/// The most pages that are asked for at a time: those of a piece, and one that it begins in the middle of.
const MOST_PAGES: usize = super::read::MAPPED_PIECE / 4096 + 1;

fn page_size() -> usize {
    rustix::param::page_size()
}
