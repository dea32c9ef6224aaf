//! Small blobs that are asked for again and again, in memory: a bucket takes milliseconds for each, and asks money.
//!
//! What a key names never changes, so that nothing here grows old. Whether somebody may have a blob, and whether it is there, has been
//! found out before.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use quick_cache::{Weighter, sync::Cache};

use super::super::{BlobKey, BoxError, ByteStream, WHOLE};

/// What all of them may weigh, in bytes.
const ALL: u64 = 16 << 20;
/// What one weighs besides its bytes: about what its key takes.
const OVERHEAD: u64 = 512;
/// How many there is room for from the start.
const AT_FIRST: usize = 64;

/// Blobs in memory, each from its first byte on.
pub(super) struct Hot(Option<Cache<BlobKey, Bytes, ByLength>>);

#[derive(Clone)]
struct ByLength;

impl Weighter<BlobKey, Bytes> for ByLength {
    fn weight(&self, _: &BlobKey, bytes: &Bytes) -> u64 {
        OVERHEAD + bytes.len() as u64
    }
}

impl Hot {
    /// Keeps some, or none at all.
    pub(super) fn new(keeps: bool) -> Self {
        Self(keeps.then(|| Cache::with_weighter(AT_FIRST, ALL, ByLength)))
    }

    /// The bytes `range` of a blob, if they are here.
    pub(super) fn get(&self, key: &BlobKey, range: &Range<u64>) -> Option<Bytes> {
        let bytes = self.0.as_ref()?.get(key)?;
        let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
        (range.start <= range.end && range.end <= bytes.len()).then(|| bytes.slice(range))
    }

    /// Keeps a blob of at most [`WHOLE`] bytes, or as many of its first.
    pub(super) fn put(&self, key: &BlobKey, bytes: Bytes) {
        if let Some(cache) = self.0.as_ref().filter(|_| bytes.len() <= WHOLE) {
            cache.insert(key.clone(), bytes);
        }
    }

    /// Lets go of a blob that is being removed.
    pub(super) fn forget(&self, key: &BlobKey) {
        if let Some(cache) = &self.0 {
            cache.remove(key);
        }
    }

    /// Whether the bytes `range` are worth keeping when they are read.
    pub(super) fn wants(&self, range: &Range<u64>) -> bool {
        self.0.is_some() && range.start == 0 && (1..=WHOLE as u64).contains(&range.end)
    }

    /// Reads all of a stream of that many bytes, and keeps them. Where it breaks off nobody has been told anything yet: it is an error
    /// like any other, and no stream that breaks off.
    pub(super) async fn keep(&self, key: &BlobKey, length: u64, mut read: ByteStream) -> Result<ByteStream, BoxError> {
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(WHOLE).min(WHOLE));
        while let Some(piece) = read.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        let bytes = bytes.freeze();
        if bytes.len() as u64 == length {
            self.put(key, bytes.clone());
        }
        Ok(stream::iter([Ok(bytes)]).boxed())
    }
}

#[cfg(test)]
mod tests {
    use wreg_oci::Digest;

    use super::{super::super::UploadId, *};

    fn key() -> BlobKey {
        BlobKey::new(Digest::sha256("hello"), UploadId::random())
    }

    async fn read(hot: &Hot, key: &BlobKey, pieces: Vec<Result<Bytes, BoxError>>) -> Option<Vec<Bytes>> {
        let read = hot.keep(key, 5, stream::iter(pieces).boxed()).await.ok()?;
        read.try_collect().await.ok()
    }

    #[tokio::test]
    async fn what_was_read_whole_is_kept_and_nothing_else() {
        let (hot, whole, broken) = (Hot::new(true), key(), key());
        let told = read(&hot, &whole, vec![Ok("he".into()), Ok("llo".into())]).await;
        assert_eq!(told, Some(vec!["hello".into()]));
        assert_eq!(hot.get(&whole, &(1..5)), Some("ello".into()));
        assert_eq!(hot.get(&whole, &(1..6)), None);
        let told = read(&hot, &broken, vec![Ok("he".into()), Err("it broke off".into())]).await;
        assert_eq!(told, None);
        assert_eq!(hot.get(&broken, &(0..2)), None);
        hot.forget(&whole);
        assert_eq!(hot.get(&whole, &(0..5)), None);
    }

    #[test]
    fn only_what_is_small_is_kept() {
        let (hot, key) = (Hot::new(true), key());
        let most = WHOLE as u64;
        assert!(hot.wants(&(0..most)) && !hot.wants(&(0..most + 1)) && !hot.wants(&(1..2)) && !hot.wants(&(0..0)));
        hot.put(&key, vec![0; WHOLE + 1].into());
        assert_eq!(hot.get(&key, &(0..1)), None);
        hot.put(&key, vec![7; WHOLE].into());
        assert_eq!(hot.get(&key, &(0..1)), Some([7][..].into()));
        assert!(!Hot::new(false).wants(&(0..1)));
    }

    #[test]
    fn all_of_them_have_a_limit() {
        let hot = Hot::new(true);
        let keys: Vec<_> = (0..100).map(|_| key()).collect();
        for key in &keys {
            hot.put(key, vec![0; WHOLE].into());
        }
        let kept = keys.iter().filter(|key| hot.get(key, &(0..1)).is_some()).count() as u64;
        assert!(kept > 0 && kept * WHOLE as u64 <= ALL, "{kept}");
    }
}
