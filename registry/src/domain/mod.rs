//! The rules of a registry. No HTTP, no SQL, no files: what may be stored, when it counts as stored, and what is wrong otherwise.
//!
//! Every operation on a repository takes a [`crate::auth::Permit`], so what has not been authorised cannot be asked for.
//! What must not stop half way because a client goes away runs in a task of its own; dropping the future then leaves it running.

mod advisories;
pub mod blobs;
pub mod check;
pub mod collection;
pub mod components;
pub mod deletions;
pub mod error;
pub mod events;
pub mod gate;
mod ingest;
mod jobs;
pub mod log;
pub mod manifests;
pub mod namespaces;
pub mod publications;
pub mod referrers;
pub mod repositories;
pub mod search;
mod signed;
pub mod signing_keys;
mod sweep;
pub mod tags;
pub mod tokens;
pub mod uploads;
pub mod versions;
mod whole;

use std::{sync::Arc, time::Duration};

pub use self::error::Error;
use tokio::sync::watch;
use wreg_api::Signing;

use self::{advisories::Advisories, collection::Terms, components::Analyses, gate::PullGate, log::Log};
use crate::{
    analyser::Analyser,
    clock::{Clock, Millis, millis},
    metadata::{Metadata, repositories::Settings},
    signer::SigningKeys,
    storage::BlobStore,
    witness::Witnesses,
};

/// Bytes in pieces, as they come and go. After an `Err` nothing more comes; an end without one means that all came.
pub type ByteStream = futures_util::stream::BoxStream<'static, Result<bytes::Bytes, BoxError>>;

/// Any error, as streams carry it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest blob, in bytes.
    pub blob: u64,
    /// Blobs up to this size, in bytes, are kept in the database.
    pub small_blob: usize,
    /// How long an upload may rest before it is thrown away.
    pub upload_ttl: Duration,
    /// The most uploads that one identity may have open; `None` for any number.
    pub open_uploads: Option<u64>,
}

/// What the registry vouches for, and as whom.
#[derive(Clone)]
pub(crate) struct Vouching {
    pub(crate) keys: Arc<SigningKeys>,
    /// What is signed where a namespace says nothing.
    pub(crate) signing: Signing,
    /// The host that clients know the registry by, if that is known.
    pub(crate) host: Option<Arc<str>>,
    /// Who signs its log too.
    pub(crate) witnesses: Arc<Witnesses>,
}

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    metadata: Metadata,
    storage: Arc<dyn BlobStore>,
    clock: Clock,
    limits: Limits,
    terms: Terms,
    defaults: Settings,
    analyses: Arc<Analyses>,
    advisories: Arc<Advisories>,
    gate: Arc<PullGate>,
    /// The number of the last event, as far as it is known here.
    news: Arc<watch::Sender<i64>>,
    keys: Arc<SigningKeys>,
    signing: Signing,
    host: Option<Arc<str>>,
    log: Arc<Log>,
    witnesses: Arc<Witnesses>,
    /// How much this server has signed.
    signed: Arc<watch::Sender<u64>>,
}

impl Registry {
    /// `defaults` are the settings of repositories that come to be by a push.
    #[expect(clippy::too_many_arguments, reason = "each is another part, and it is called once")]
    pub(crate) fn new(
        metadata: Metadata,
        storage: Arc<dyn BlobStore>,
        clock: Clock,
        limits: Limits,
        terms: Terms,
        defaults: Settings,
        analyser: Analyser,
        Vouching {
            keys,
            signing,
            host,
            witnesses,
        }: Vouching,
    ) -> Self {
        Self {
            metadata,
            storage,
            clock,
            limits,
            terms,
            defaults,
            analyses: Analyses::new(analyser),
            advisories: Arc::default(),
            gate: Arc::default(),
            news: Arc::default(),
            keys,
            signing,
            host,
            log: Arc::default(),
            witnesses,
            signed: Arc::default(),
        }
    }

    /// Whether database and store work now, as readiness asks: the store is written to.
    pub async fn probe(&self) -> Result<()> {
        self.metadata.ping().await?;
        self.storage.ready().await?;
        Ok(())
    }

    /// When an upload that begins or goes on now is thrown away.
    fn upload_end(&self) -> Millis {
        self.clock.now().saturating_add(millis(self.limits.upload_ttl))
    }
}
