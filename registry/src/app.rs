//! The composition root: everything that a request needs, put together once at start.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

#[cfg(feature = "s3")]
use crate::storage::S3Store;
use crate::{
    advisories::{AdvisoriesError, Followed},
    analyser::Analyser,
    auth::{
        Auth,
        administrator::{self, AdministratorError, Precedence},
        keys::KeysError,
        secret::SecretFileError,
    },
    clock::Clock,
    config::{Blobs, Config, Database},
    domain::{Registry, Vouching, error::with_sources},
    http::RequestIds,
    metadata::{Metadata, MigrateError},
    metrics::{DatabaseLoad, Metrics, Observed},
    signer::{SignerError, SigningKeys},
    storage::{BlobStore, DataDir, DataDirError, Faults, FsStore},
    tls::{Reload, Tls, TlsError},
    witness::{WitnessError, Witnesses},
};

/// SQLite's file in the data folder.
const DATABASE_FILE: &str = "wreg.db";

/// The server's parts. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) registry: Registry,
    pub(crate) auth: Auth,
    /// Scheme and host that clients reach this server by, if configured; without a slash at the end.
    pub(crate) public_url: Option<Arc<str>>,
    /// Whose forwarding headers are believed.
    pub(crate) trusted_proxies: Arc<[ipnet::IpNet]>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) tls: Option<Tls>,
    pub(crate) advisories: Option<Followed>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) ids: Arc<RequestIds>,
    panics: Arc<AtomicU64>,
    metadata: Metadata,
    first_start: bool,
    /// Keeps other servers off the folder for as long as this one runs.
    _data_dir: Arc<DataDir>,
}

/// What a test may put in the place of the real thing.
#[derive(Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: Clock,
    /// What goes wrong with the disk.
    pub faults: Faults,
    /// How long database and store may take to show that they work.
    pub probe_patience: Duration,
    /// The program that analyses WebAssembly: this server's own.
    pub analyser: PathBuf,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            faults: Faults::NONE,
            // Far object storage takes a few seconds when it is well.
            probe_patience: Duration::from_secs(10),
            analyser: own_program(),
        }
    }
}

/// The program that this process runs. On Linux by a name that stays when the file is replaced meanwhile.
fn own_program() -> PathBuf {
    let stays = PathBuf::from("/proc/self/exe");
    if stays.exists() {
        return stays;
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("wreg-registry"))
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The advisories cannot be read.
    #[error(transparent)]
    Advisories(#[from] AdvisoriesError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There are blobs and no database that knows them.
    #[error(
        "{store} holds blobs, and {database} knows of none: is it the right one? A new database beside old blobs would lose them. Put the database back from a backup, or choose an empty place for blobs"
    )]
    BlobsWithoutDatabase {
        /// The store in words.
        store: String,
        /// The database in words.
        database: String,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] MigrateError),
    /// A secret file cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The store does not work.
    #[error("the store of the blobs does not work")]
    Storage(#[source] crate::domain::BoxError),
    /// The keys that sign artifacts and the log cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The witnesses of the log cannot be asked.
    #[error("the witnesses of the log cannot be asked")]
    Witnesses(#[source] crate::domain::BoxError),
    /// There is no key for registry tokens.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The file with the administrator's token holds something else.
    #[error("{path} holds no token: remove it, and a new one is made at the next start", path = .path.display())]
    AdminToken {
        /// The file.
        path: PathBuf,
    },
}

impl App {
    /// Puts the server together, making data folder, database and secrets where this is the first start.
    pub async fn open(config: &Config, surroundings: Surroundings) -> Result<Self, StartError> {
        let Surroundings {
            clock,
            faults,
            probe_patience,
            analyser,
        } = surroundings;
        let tls = config.tls.clone().map(Tls::load).transpose()?;
        let data_dir = DataDir::lock(&config.data_dir)?;
        let store = open_store(config, &data_dir, faults).await?;
        let metadata = open_metadata(config, &*store).await?;
        store.probe().await.map_err(|error| StartError::Storage(error.into()))?;
        let first_start = administrator(config, &metadata, &clock).await?;
        let auth = Auth::open(
            &config.data_dir,
            metadata.clone(),
            clock.clone(),
            config.dev,
            config.failed_logins(),
        )
        .await?;
        let vouching = vouching(config, &metadata, &clock).await?;
        let registry = Registry::new(
            metadata.clone(),
            store,
            clock,
            config.limits(),
            config.terms(),
            config.repository_defaults(),
            Analyser::new(analyser),
            vouching,
        );
        let advisories = match config.advisories() {
            Some(folder) => Some(Followed::open(folder, registry.clone()).await?),
            None => None,
        };
        Ok(Self {
            registry,
            auth,
            public_url: config.public_url.as_deref().map(Into::into),
            trusted_proxies: config.trusted_proxies.as_slice().into(),
            readiness: Arc::new(Readiness::new(probe_patience)),
            tls,
            advisories,
            metrics: Arc::default(),
            ids: Arc::new(RequestIds::new()),
            panics: Arc::default(),
            metadata,
            first_start,
            _data_dir: Arc::new(data_dir),
        })
    }

    /// Whether the administrator's token was made by this start.
    pub fn is_first_start(&self) -> bool {
        self.first_start
    }

    /// The registry, past authorisation's gate: its operations ask for permits all the same.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Authentication and authorisation.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Looks at the files of the certificate at once, as the server does every few seconds. [`Reload::Unchanged`] without TLS.
    pub fn reload_certificate(&self) -> Reload {
        self.tls.as_ref().map_or(Reload::Unchanged, Tls::reload)
    }

    /// Looks at the folder with advisories at once, as the server does every minute: whether something in it had changed. It waits for files.
    pub fn reload_advisories(&self) -> Result<bool, AdvisoriesError> {
        self.advisories.as_ref().map_or(Ok(false), Followed::reload)
    }

    /// How often a changed certificate could not be used.
    pub fn certificate_failures(&self) -> u64 {
        self.tls.as_ref().map_or(0, Tls::failures)
    }

    /// How many requests have ended in a panic.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Looks through a large database, which the start did not wait for. Comes back only if it is damaged.
    pub(crate) async fn find_damage(&self) -> MigrateError {
        match self.metadata.check_rest().await {
            Err(error @ MigrateError::Damaged(_)) => error,
            // What could not be found out, requests find out.
            _ => std::future::pending().await,
        }
    }

    /// What is to be told with the counters.
    pub(crate) async fn observe(&self) -> Observed {
        let (connections, idle, waiting) = self.metadata.load();
        Observed {
            ready: self.readiness.check(&self.registry).await.is_ok(),
            open_uploads: self.metadata.count_all_uploads().await.ok(),
            panics: self.panics(),
            certificate_failures: self.certificate_failures(),
            certificate_expiry: self.tls.as_ref().map(Tls::expires),
            database: DatabaseLoad {
                connections,
                idle,
                writes_waiting: waiting,
            },
        }
    }

    pub(crate) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on this server is not ready: it is about to end, and requests should go elsewhere.
    pub(crate) fn leave(&self) {
        self.readiness.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether it is about to end, for connections to look at.
    pub(crate) fn leaving(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.readiness.leaving)
    }

    /// Closes the database, after the last request.
    pub(crate) async fn close(&self) {
        self.metadata.close().await;
    }
}

/// What the registry vouches for. A log that is founded now is called after the host, or else by a name that no other has.
async fn vouching(config: &Config, metadata: &Metadata, clock: &Clock) -> Result<Vouching, StartError> {
    let host = config.public_host();
    let origin = match host {
        Some(host) => format!("{host}/log"),
        None => format!("wreg-{}/log", uuid::Uuid::new_v4().simple()),
    };
    let keys = SigningKeys::open(&config.signing_keys_dir(), metadata.clone(), clock.clone(), &origin).await?;
    let witnesses = Witnesses::new(config.witnesses(), config.witness_interval());
    let witnesses = witnesses.map_err(|error: WitnessError| StartError::Witnesses(error.into()))?;
    Ok(Vouching {
        keys: Arc::new(keys),
        signing: config.signing(),
        host: host.map(Into::into),
        witnesses: Arc::new(witnesses),
    })
}

async fn open_store(config: &Config, data: &DataDir, faults: Faults) -> Result<Arc<dyn BlobStore>, StartError> {
    match &config.blobs {
        Blobs::Files => {
            let store = FsStore::open(data, config.mapped_bytes(), faults)
                .map_err(|error| StartError::Storage(error.into()))?;
            Ok(Arc::new(store))
        }
        #[cfg(feature = "s3")]
        Blobs::S3(settings) => Ok(Arc::new(S3Store::open(settings, faults).await)),
        #[cfg(not(feature = "s3"))]
        Blobs::S3(_) => Err(StartError::Storage("it was compiled without object storage".into())),
    }
}

async fn open_metadata(config: &Config, store: &dyn BlobStore) -> Result<Metadata, StartError> {
    let orphaned = |database: String| StartError::BlobsWithoutDatabase {
        store: match &config.blobs {
            Blobs::Files => config.data_dir.display().to_string(),
            Blobs::S3(settings) => format!("the bucket {}", settings.bucket),
        },
        database,
    };
    match &config.database {
        Database::Sqlite => {
            let file = config.data_dir.join(DATABASE_FILE);
            // An empty file is what SQLite makes a new database of.
            let made_anew = tokio::fs::metadata(&file).await.map_or(true, |found| found.len() == 0);
            if made_anew && holds_blobs(store).await? {
                return Err(orphaned(format!("a new {}", file.display())));
            }
            let metadata = Metadata::open_sqlite(&file).await?;
            if holds_blobs(store).await? && metadata.is_unused().await.map_err(MigrateError::from)? {
                return Err(orphaned(file.display().to_string()));
            }
            Ok(metadata)
        }
        Database::Postgres(url) => {
            let metadata = Metadata::connect_postgres(url.expose()).await?;
            if holds_blobs(store).await? && metadata.is_unused().await.map_err(MigrateError::from)? {
                return Err(orphaned("the PostgreSQL database".to_owned()));
            }
            Ok(metadata)
        }
    }
}

async fn holds_blobs(store: &dyn BlobStore) -> Result<bool, StartError> {
    let first = store.list_blobs().next().await;
    first
        .transpose()
        .map(|first| first.is_some())
        .map_err(|error| StartError::Storage(error.into()))
}

async fn administrator(config: &Config, metadata: &Metadata, clock: &Clock) -> Result<bool, StartError> {
    let precedence = match config.database {
        Database::Postgres(_) if !config.reset_admin_token => Precedence::Database,
        Database::Sqlite | Database::Postgres(_) => Precedence::Folder,
    };
    let ensured = administrator::ensure(&config.data_dir, metadata, precedence, clock.now()).await;
    ensured.map_err(|error| match error {
        AdministratorError::File(error) => StartError::Secret(error),
        AdministratorError::NoToken => StartError::AdminToken {
            path: config.data_dir.join(administrator::FILE),
        },
        AdministratorError::Metadata(error) => MigrateError::from(error).into(),
    })
}

/// Whether requests should come here.
pub(crate) struct Readiness {
    leaving: Arc<AtomicBool>,
    patience: Duration,
    probes: Mutex<Probes>,
}

/// What was last found out, and what is being found out.
#[derive(Default)]
struct Probes {
    last: Option<(Instant, Result<(), String>)>,
    /// The one that is under way: a disk that hangs is not asked again and again.
    current: Option<JoinHandle<Result<(), String>>>,
}

impl Readiness {
    /// How long an answer counts. Each check writes to the disk, and anybody may ask.
    const LIFETIME: Duration = Duration::from_secs(1);

    fn new(patience: Duration) -> Self {
        Self {
            leaving: Arc::default(),
            patience,
            probes: Mutex::default(),
        }
    }

    /// `Err` says in words what does not work. It comes in time, whatever hangs.
    pub(crate) async fn check(&self, registry: &Registry) -> Result<(), String> {
        if self.leaving.load(Ordering::Relaxed) {
            return Err("the server is shutting down".to_owned());
        }
        let mut probes = self.probes.lock().await;
        let Probes { last, current } = &mut *probes;
        match last {
            Some((at, answer)) if at.elapsed() < Self::LIFETIME => answer.clone(),
            _ => {
                let probe = current.get_or_insert_with(|| tokio::spawn(probe(registry.clone(), self.patience)));
                let answer = match timeout(self.patience, probe).await {
                    Err(_) => Err(too_slow(self.patience)),
                    Ok(ended) => {
                        *current = None;
                        ended.unwrap_or_else(|error| Err(with_sources(&error)))
                    }
                };
                *last = Some((Instant::now(), answer.clone()));
                answer
            }
        }
    }
}

async fn probe(registry: Registry, patience: Duration) -> Result<(), String> {
    let began = Instant::now();
    registry.probe().await.map_err(|error| with_sources(&error))?;
    // Nobody may have waited for it: it says nothing about now, and that it took so long is not well either.
    if began.elapsed() < patience {
        Ok(())
    } else {
        Err(too_slow(patience))
    }
}

fn too_slow(patience: Duration) -> String {
    format!("the database or the store takes longer than {patience:?} for a small write")
}
