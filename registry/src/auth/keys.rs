//! The keys of registry tokens, for several servers that share a database.
//!
//! Each server signs with a key of its own, whose private half never leaves its data folder. The public half is a row in the database
//! before anything is signed with it, and every server accepts what any row's key signed.
//!
//! Rotating retires the keys of all servers at once. The server that is asked makes a new one; every other looks at the row of its key
//! before it signs, and makes a new one when it finds that it may not. So from the moment that a rotation is committed nothing is signed
//! with an old key, without a server having to be told. What was signed before is accepted until it would have expired by itself.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use quick_cache::sync::Cache;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};
use wreg_api::{Key, KeyState};
use wreg_oci::Digest;

use super::{
    Grant, InvalidKey,
    identity::Actor,
    permit::ServerPermit,
    scope::Access,
    secret::{self, SecretFileError},
    token::{self, Claims, LEEWAY, LIFETIME, PublicKey, TokenKey},
};
use crate::{
    clock::{Clock, Millis},
    metadata::{
        self, Metadata,
        keys::{KeyRecord, PublishKey},
    },
};

/// The private key in the data folder: PKCS#8.
const FILE: &str = "token-key.p8";
/// How long a key signs before its server takes a new one unasked: 30 days. So keys of servers that are gone end too.
const SIGNS_FOR: Millis = 30 * 24 * 60 * 60 * 1000;
/// How long what a key signed is accepted after it was retired: as long as a token lives, on clocks that may be apart.
const OVERLAP: Millis = (LIFETIME + LEEWAY) * 1000;
/// How old what is known of keys may be.
const KNOWN_FOR: Millis = 60 * 1000;
/// The shortest time between two looks for keys that nobody knows: tokens can name any.
const BETWEEN_LOADS: Duration = Duration::from_millis(100);
/// The most keys that are accepted at a time, the newest ones.
const MAX_KEYS: i64 = 1000;
/// The most keys of a list.
const MAX_LISTED: i64 = 100;
/// The most tokens whose signature is remembered; one of them can have 16 KiB, and has some hundred bytes.
const MAX_VERIFIED: usize = 1024;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The file holds something else.
    #[error("{path} holds no key for registry tokens ({reason}): remove it, and a new key is made at the next start", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: InvalidKey,
    },
    /// Rows could not be read or written.
    #[error("the keys of registry tokens could not be looked up")]
    Metadata(#[from] metadata::Error),
    /// A task ended before its time.
    #[error("the key could not be replaced")]
    Lost,
}

/// The keys as this server knows them.
pub(super) struct Keys {
    folder: PathBuf,
    metadata: Metadata,
    clock: Clock,
    own: RwLock<Arc<TokenKey>>,
    /// Held while this server's key is replaced.
    replacing: Mutex<()>,
    known: RwLock<Known>,
    /// What tokens say whose signature was found good, by the SHA-256 of the token. A signature once good stays so; all else that makes
    /// a token valid is looked at each time.
    verified: Cache<Digest, (String, Arc<Claims>)>,
    /// When rows were last read. Held meanwhile, so that many who miss the same key read them once.
    loaded: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, (Arc<PublicKey>, KeyRecord)>,
    at: Option<Millis>,
}

impl Keys {
    /// Takes the key of the data folder, or makes one, and publishes it.
    pub(super) async fn open(folder: &Path, metadata: Metadata, clock: Clock) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        let generate = || TokenKey::generate().map_err(std::io::Error::other);
        let (document, _) = secret::load_or_create(&path, generate)?;
        let own = TokenKey::from_pkcs8(&document).map_err(|reason| KeysError::Invalid { path, reason })?;
        let keys = Self {
            folder: folder.to_owned(),
            metadata,
            clock,
            own: RwLock::new(Arc::new(own)),
            replacing: Mutex::default(),
            known: RwLock::default(),
            verified: Cache::new(MAX_VERIFIED),
            loaded: Mutex::default(),
        };
        keys.signing().await?;
        Ok(keys)
    }

    /// A token for `actor`.
    pub(super) async fn sign(&self, actor: &Actor, access: Vec<Access>) -> Result<Grant, KeysError> {
        Ok(self.signing().await?.sign(actor, access, self.clock.now()))
    }

    /// What a token says, if it is valid.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Arc<Claims>>, metadata::Error> {
        let hash = Digest::sha256(token);
        if let Some((id, claims)) = self.verified.get(&hash) {
            let accepted = self.find(&id).await?.is_some() && claims.are_current(self.clock.now());
            return Ok(accepted.then_some(claims));
        }
        let Some(id) = token::key_id(token) else {
            return Ok(None);
        };
        let key = self.find(&id).await?;
        let claims = key.and_then(|key| key.verify(token, self.clock.now())).map(Arc::new);
        if let Some(claims) = &claims {
            self.verified.insert(hash, (id, Arc::clone(claims)));
        }
        Ok(claims)
    }

    /// Retires the keys of all servers, and takes a new one here.
    pub(super) async fn rotate(&self, permit: &ServerPermit) -> Result<(), KeysError> {
        let _replacing = self.replacing.lock().await;
        self.replace(&permit.actor().to_string(), true).await
    }

    /// The newest keys, ended ones too.
    pub(super) async fn list(&self) -> Result<Vec<Key>, metadata::Error> {
        let (records, now, own) = (
            self.metadata.list_keys(Millis::MIN, MAX_LISTED).await?,
            self.clock.now(),
            self.own(),
        );
        let shown = |record: KeyRecord| Key {
            state: state(&record, now),
            signing: record.id == own.public().id(),
            accepted_until: signs_until(&record).saturating_add(OVERLAP),
            created_at: record.created_at,
            retired_at: record.retired_at,
            id: record.id,
        };
        Ok(records.into_iter().map(shown).collect())
    }

    /// The key to sign with now: this server's, or a new one where that was retired or is too old.
    async fn signing(&self) -> Result<Arc<TokenKey>, KeysError> {
        if let Some(own) = self.usable().await? {
            return Ok(own);
        }
        let _replacing = self.replacing.lock().await;
        // Somebody else may have replaced it meanwhile.
        if let Some(own) = self.usable().await? {
            return Ok(own);
        }
        let own = self.own();
        if self.metadata.find_key(own.public().id()).await?.is_none() {
            // A first start, or a database from before it.
            self.publish(own.public(), "server", false).await?;
            return Ok(own);
        }
        self.replace("server", false).await?;
        Ok(self.own())
    }

    /// This server's key, if it may sign now.
    async fn usable(&self) -> Result<Option<Arc<TokenKey>>, metadata::Error> {
        let own = self.own();
        let record = self.metadata.find_key(own.public().id()).await?;
        Ok(record
            .is_some_and(|record| state(&record, self.clock.now()) == KeyState::Active)
            .then_some(own))
    }

    /// A new key: first durable in the data folder, then published, then signed with. Where it stops half way, the next start publishes
    /// what is in the folder. Only for who holds `replacing`.
    async fn replace(&self, actor: &str, retire_others: bool) -> Result<(), KeysError> {
        let path = self.folder.join(FILE);
        let made = tokio::task::spawn_blocking(move || {
            let generated = TokenKey::generate().and_then(|document| Ok((TokenKey::from_pkcs8(&document)?, document)));
            let (key, document) = generated.map_err(|reason| KeysError::Invalid {
                path: path.clone(),
                reason,
            })?;
            secret::replace(&path, &document)?;
            Ok::<_, KeysError>(key)
        });
        let key = made.await.map_err(|_| KeysError::Lost)??;
        self.publish(key.public(), actor, retire_others).await?;
        tracing::info!(kid = key.public().id(), "registry tokens are signed with a new key");
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        Ok(())
    }

    async fn publish(&self, key: &PublicKey, actor: &str, retire_others: bool) -> Result<(), metadata::Error> {
        let operation = PublishKey {
            id: key.id().to_owned(),
            public_key: key.to_text(),
            retire_others,
            actor: actor.to_owned(),
            now: self.clock.now(),
        };
        self.metadata.write(operation).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).at = None;
        Ok(())
    }

    fn own(&self) -> Arc<TokenKey> {
        Arc::clone(&self.own.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key with this id, if what it signed is accepted now.
    async fn find(&self, id: &str) -> Result<Option<Arc<PublicKey>>, metadata::Error> {
        let asked = Instant::now();
        if !self.knows(id) {
            self.load(asked).await?;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.keys.get(id);
        let accepted = found.filter(|(_, record)| state(record, self.clock.now()) != KeyState::Ended);
        Ok(accepted.map(|(key, _)| Arc::clone(key)))
    }

    fn knows(&self, id: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at: Millis| (0..KNOWN_FOR).contains(&(self.clock.now() - at));
        known.at.is_some_and(is_fresh) && known.keys.contains_key(id)
    }

    /// Reads the rows, unless that was done after `asked`.
    async fn load(&self, asked: Instant) -> Result<(), metadata::Error> {
        let mut loaded = self.loaded.lock().await;
        match *loaded {
            Some(at) if at > asked => return Ok(()),
            Some(at) => sleep_until(at + BETWEEN_LOADS).await,
            None => {}
        }
        let (started, now) = (Instant::now(), self.clock.now());
        let records = self.metadata.list_keys(now - SIGNS_FOR - OVERLAP, MAX_KEYS).await?;
        let keys = records.into_iter().filter_map(|record| {
            let key = PublicKey::from_text(&record.public_key).filter(|key| key.id() == record.id)?;
            Some((record.id.clone(), (Arc::new(key), record)))
        });
        let known = Known {
            keys: keys.collect(),
            at: Some(now),
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        *loaded = Some(started);
        Ok(())
    }
}

/// When it stops to sign at the latest.
fn signs_until(record: &KeyRecord) -> Millis {
    let by_age = record.created_at.saturating_add(SIGNS_FOR);
    record.retired_at.map_or(by_age, |retired| retired.min(by_age))
}

fn state(record: &KeyRecord, now: Millis) -> KeyState {
    let until = signs_until(record);
    if now < until {
        KeyState::Active
    } else if now < until.saturating_add(OVERLAP) {
        KeyState::Retired
    } else {
        KeyState::Ended
    }
}
