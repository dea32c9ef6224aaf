//! Facts that are asked for on every read, kept in memory where one process owns the database.
//!
//! Exact: nobody is told what a commit has made untrue. Each repository has an epoch (a few share one), which is odd while a commit
//! that touches it is under way. A fact counts only under the even epoch in which its reading began, so it is void from before the
//! commit until it has been read anew after it, and no reader sees first the new and then the old state. What an operation touches it
//! says itself ([`Operation::touched`](super::Operation::touched)), and one that does not say it does not compile.
//!
//! Only what is there is kept: that something is absent is asked anew each time, so nobody fills the memory by asking for what is not.

use std::{
    borrow::Borrow,
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::{Equivalent, Weighter, sync::Cache};
use wreg_api::{Token, Version};
use wreg_oci::{Digest, RepositoryName, TagOrDigest};

use super::{
    Result,
    blobs::{BlobRecord, Place},
    manifests::ManifestRecord,
    repositories::Settings,
};

/// Repositories are told apart by so many epochs.
const EPOCHS: usize = 1024;
/// What all manifests in memory may weigh, in bytes.
const MANIFESTS: u64 = 16 << 20;
/// What a fact weighs besides its content, in bytes: about what it takes in memory with its key.
const OVERHEAD: u64 = 512;
/// What all other facts of one kind may weigh, in bytes.
const OTHERS: u64 = 4 << 20;
/// How many entries there is room for from the start.
const AT_FIRST: usize = 256;

/// What an operation changes of that which is kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched<'a> {
    /// Nothing.
    Nothing,
    /// Settings, manifests, tags or blobs of one repository. That a blob's lease grows longer elsewhere too may go unnoticed there.
    Repository(&'a str),
    /// Tokens.
    Tokens,
    /// Anything.
    Everything,
}

/// The facts.
pub(super) struct Facts {
    epochs: Epochs,
    pub(super) settings: Kept<RepositoryName, Settings>,
    pub(super) manifests: Kept<Within<RepositoryName, TagOrDigest>, Arc<ManifestRecord>>,
    pub(super) versions: Kept<RepositoryName, Arc<Vec<Version>>>,
    pub(super) blobs: Kept<Within<RepositoryName, Digest>, Arc<BlobRecord>>,
    /// By the hash of the secret.
    pub(super) tokens: Kept<String, Arc<Token>>,
    pub(super) tokens_by_id: Kept<String, Arc<Token>>,
}

impl Facts {
    pub(super) fn new() -> Self {
        Self {
            epochs: Epochs::new(),
            settings: Kept::new(OTHERS),
            manifests: Kept::new(MANIFESTS),
            versions: Kept::new(OTHERS),
            blobs: Kept::new(OTHERS),
            tokens: Kept::new(OTHERS),
            tokens_by_id: Kept::new(OTHERS),
        }
    }

    /// The epoch of a repository.
    pub(super) fn of(&self, repository: &RepositoryName) -> &Epoch {
        self.epochs.of(repository.as_str())
    }

    /// The epoch of all tokens.
    pub(super) fn of_tokens(&self) -> &Epoch {
        &self.epochs.tokens
    }

    /// To be called before a commit, with all that it touches. Until what this returns is dropped, after the commit or after it
    /// failed, those facts are read from the database. Only one commit may be under way at a time.
    pub(super) fn commit<'t>(self: &Arc<Self>, touched: impl Iterator<Item = Touched<'t>>) -> Commit {
        let mut all = Vec::new();
        for touched in touched {
            match touched {
                Touched::Nothing => {}
                Touched::Repository(name) => all.push(self.epochs.index(name)),
                Touched::Tokens => all.push(TOKENS),
                Touched::Everything => all.extend(0..=TOKENS),
            }
        }
        all.sort_unstable();
        all.dedup();
        for index in &all {
            self.epochs.at(*index).turn();
        }
        Commit {
            facts: Arc::clone(self),
            touched: all,
        }
    }
}

/// A commit that is under way.
pub(super) struct Commit {
    facts: Arc<Facts>,
    touched: Vec<usize>,
}

impl Drop for Commit {
    fn drop(&mut self) {
        for index in &self.touched {
            self.facts.epochs.at(*index).turn();
        }
    }
}

/// The index of the tokens' epoch, after those of repositories.
const TOKENS: usize = EPOCHS;

struct Epochs {
    repositories: Box<[Epoch]>,
    tokens: Epoch,
    hasher: RandomState,
}

impl Epochs {
    fn new() -> Self {
        Self {
            repositories: (0..EPOCHS).map(|_| Epoch::default()).collect(),
            tokens: Epoch::default(),
            hasher: RandomState::new(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    fn index(&self, repository: &str) -> usize {
        self.hasher.hash_one(repository) as usize % EPOCHS
    }

    fn of(&self, repository: &str) -> &Epoch {
        self.at(self.index(repository))
    }

    fn at(&self, index: usize) -> &Epoch {
        self.repositories.get(index).unwrap_or(&self.tokens)
    }
}

/// Odd while a commit is under way.
#[derive(Default)]
pub(super) struct Epoch(AtomicU64);

impl Epoch {
    fn turn(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The epoch now, unless a commit is under way.
    fn quiet(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|epoch| epoch.is_multiple_of(2))
    }
}

/// What a kept fact weighs beside [`OVERHEAD`], in bytes.
pub(super) trait Weight {
    fn weight(&self) -> u64 {
        0
    }
}

impl Weight for Settings {}
impl Weight for Arc<Token> {}
impl Weight for Arc<Vec<Version>> {
    fn weight(&self) -> u64 {
        // About what one takes with its texts.
        512 * self.len() as u64
    }
}
impl Weight for Arc<BlobRecord> {
    fn weight(&self) -> u64 {
        match &self.place {
            Place::Row(content) => content.len() as u64,
            Place::Store(_) => 0,
        }
    }
}
impl Weight for Arc<ManifestRecord> {
    fn weight(&self) -> u64 {
        self.content.len() as u64
    }
}

#[derive(Clone)]
struct ByWeight;

impl<K, V: Weight> Weighter<K, (u64, V)> for ByWeight {
    fn weight(&self, _: &K, (_, fact): &(u64, V)) -> u64 {
        OVERHEAD + fact.weight()
    }
}

/// Facts of one kind.
pub(super) struct Kept<K, V>(Cache<K, (u64, V), ByWeight>);

impl<K: Hash + Eq, V: Weight + Clone> Kept<K, V> {
    fn new(weight: u64) -> Self {
        Self(Cache::with_weighter(AT_FIRST, weight, ByWeight))
    }

    /// The fact as it is kept, or else as `read` reads it from the database. `key` makes the key to keep it by.
    ///
    /// What reads is made only where it is needed, and in a box: it is large, and would be moved around with every request.
    pub(super) async fn get_or_read<Q: Hash + Equivalent<K> + ?Sized, R: Future<Output = Result<Option<V>>>>(
        &self,
        epoch: &Epoch,
        asked: &Q,
        key: impl FnOnce() -> K,
        read: impl FnOnce() -> R,
    ) -> Result<Option<V>> {
        let quiet = epoch.quiet();
        if let (Some(now), Some((then, fact))) = (quiet, self.0.get(asked))
            && now == then
        {
            return Ok(Some(fact));
        }
        let fact = Box::pin(read()).await?;
        if let (Some(epoch), Some(fact)) = (quiet, &fact) {
            self.0.insert(key(), (epoch, fact.clone()));
        }
        Ok(fact)
    }
}

/// Something within a repository. A borrowed one finds what is kept by an owned one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Within<R, T>(pub(super) R, pub(super) T);

impl<R: Borrow<RepositoryName>, T: Hash> Hash for Within<R, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.borrow().hash(state);
        self.1.hash(state);
    }
}

impl<T: Eq> Equivalent<Within<RepositoryName, T>> for Within<&RepositoryName, &T> {
    fn equivalent(&self, key: &Within<RepositoryName, T>) -> bool {
        *self.0 == key.0 && *self.1 == key.1
    }
}

#[cfg(test)]
mod tests;
