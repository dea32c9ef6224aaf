//! The memory for parts on their way: one pool for all uploads.
//!
//! An upload of a few bytes takes a small buffer; when it outgrows that, it waits for one of a part's size and gives the small one back.
//! It holds one at a time, and who has a large one waits for no other, so nobody waits for ever.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::PART;

/// The size of a small buffer, in bytes.
const SMALL: usize = 128 << 10;
/// How many small buffers there are for each large one.
const SMALL_FOR_EACH: usize = 4;

/// The pool.
pub(super) struct Buffers {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// Large ones that nobody uses.
    idle: Mutex<Vec<BytesMut>>,
}

/// One buffer, of the size of a part at most.
pub(super) struct Buffer {
    pool: Arc<Buffers>,
    bytes: BytesMut,
    /// `None` for a moment only: between a small and a large one.
    permit: Option<OwnedSemaphorePermit>,
    large: bool,
}

impl Buffers {
    /// A pool of `memory` bytes, with room for one part at least.
    pub(super) fn new(memory: u64) -> Arc<Self> {
        let one = (PART + SMALL * SMALL_FOR_EACH) as u64;
        let count = usize::try_from(memory / one).unwrap_or(usize::MAX).clamp(1, 1 << 16);
        Arc::new(Self {
            small: Arc::new(Semaphore::new(count * SMALL_FOR_EACH)),
            large: Arc::new(Semaphore::new(count)),
            idle: Mutex::default(),
        })
    }

    /// A buffer for `size` bytes, empty. Waits until there is one.
    pub(super) async fn take(self: &Arc<Self>, size: usize) -> Buffer {
        let large = size > SMALL;
        let permits = if large { &self.large } else { &self.small };
        let permit = Arc::clone(permits).acquire_owned().await.ok();
        Buffer {
            bytes: if large { self.idle() } else { BytesMut::new() },
            pool: Arc::clone(self),
            permit,
            large,
        }
    }

    /// Whether others wait for a large buffer, or would have to.
    pub(super) fn is_short(&self) -> bool {
        self.large.available_permits() == 0
    }

    fn idle(&self) -> BytesMut {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }
}

impl Buffer {
    /// Takes in as much of `piece` as fits, which is all of it unless the buffer is then full. Waits for memory.
    pub(super) async fn fill(&mut self, piece: &mut Bytes) {
        let taken = piece.len().min(PART - self.bytes.len());
        let needed = self.bytes.len() + taken;
        if needed > SMALL && !self.large {
            let mut larger = self.pool.take(PART).await;
            larger.reserve(needed);
            larger.bytes.extend_from_slice(&self.bytes);
            *self = larger;
        }
        self.reserve(needed);
        self.bytes.extend_from_slice(&piece.split_to(taken));
    }

    /// Grows by doubling up to exactly its size, so that a buffer that is half full has not twice the memory.
    fn reserve(&mut self, needed: usize) {
        if needed > self.bytes.capacity() {
            let capacity = needed.next_power_of_two().min(PART);
            self.bytes.reserve(capacity - self.bytes.len());
        }
    }

    /// True if no more fits.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() == PART
    }

    /// Bytes that it holds.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Lends the bytes to `send`, and takes the memory back empty.
    pub(super) async fn lend<T>(&mut self, send: impl AsyncFnOnce(Bytes) -> T) -> T {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        let outcome = send(bytes.clone()).await;
        // Where the connection has not let go of it yet, there is another one: of all that were lent, one at a time is late.
        self.bytes = bytes.try_into_mut().unwrap_or_default();
        self.bytes.clear();
        outcome
    }

    /// The same, and keeps the bytes.
    pub(super) async fn keep<T>(&mut self, send: impl AsyncFnOnce(Bytes) -> T) -> T {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        let outcome = send(bytes.clone()).await;
        self.bytes = bytes.try_into_mut().unwrap_or_else(|bytes| BytesMut::from(&*bytes));
        outcome
    }

    /// The bytes.
    pub(super) fn peek(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The memory goes back before the permit does.
        if self.large && self.permit.is_some() {
            self.bytes.clear();
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}
