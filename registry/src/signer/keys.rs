//! The keys in the folder, and which of them signs.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::rand;
use wreg_oci::Digest;
use wreg_trust::{
    anchors::{Announcement, KeyState},
    log::{
        Checkpoint, Hash, NoteKey, SignedNote,
        note::{Kind, Malformed},
    },
    signature::{PublicKey, SigningKey, key::InvalidKey},
};

use super::{FileSigner, Signer};
use crate::{
    auth::secret::{self, SecretFileError},
    clock::Clock,
    metadata::{
        self, Metadata,
        attestation_keys::{ActivateAttestationKey, AttestationKey, PutAttestationKey},
        events::SERVER,
        log::FoundLog,
    },
};

/// The file of the key that signs the log.
const LOG_KEY: &str = "log.key";

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A file holds something else.
    #[error("{path}: {reason}", path = .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: InvalidKey,
    },
    /// The file of the log's key holds something else.
    #[error("{path}: {reason}", path = .path.display())]
    LogKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// Rows could not be read or written.
    #[error("the keys of the registry could not be looked up")]
    Metadata(#[from] metadata::Error),
    /// There is no active key here.
    #[error("this server has not the key that signs: it is in the folder of the keys of another server, or lost")]
    Elsewhere,
    /// A key cannot be announced while another one is.
    #[error("there is a next key already: activate it")]
    NextIsThere,
    /// There is no next key.
    #[error("there is no next key: announce one first")]
    NoNext,
    /// A task ended before its time.
    #[error("the key could not be made")]
    Lost,
}

/// The keys as this server has them.
pub(crate) struct SigningKeys {
    folder: PathBuf,
    metadata: Metadata,
    clock: Clock,
    /// The private keys that have been read.
    files: RwLock<Vec<Arc<dyn Signer>>>,
    log: Option<NoteKey>,
}

impl SigningKeys {
    /// Reads the keys of a folder, or makes them where the registry has none. `origin` is the name of a log that is founded now. Blocks
    /// for a few files; for the start.
    pub(crate) async fn open(
        folder: &Path,
        metadata: Metadata,
        clock: Clock,
        origin: &str,
    ) -> Result<Self, SignerError> {
        secret::ensure_folder(folder)?;
        let log = log_key(folder, &metadata, &clock, origin).await?;
        let keys = Self {
            folder: folder.to_owned(),
            metadata,
            clock,
            files: RwLock::default(),
            log,
        };
        if keys.metadata.list_attestation_keys().await?.is_empty() {
            let (public_key, _) = keys.make().await?;
            let first = keys.record(&public_key, KeyState::Active, None);
            keys.metadata.write(first).await?;
        }
        if keys.log.is_none() || keys.active().await?.is_none() {
            tracing::warn!(
                folder = %folder.display(),
                "this server signs nothing and writes no log: the keys for that are in the folder of another server. Give both the same `signing_keys_dir` to have both do it"
            );
        }
        Ok(keys)
    }

    /// All keys, the newest first.
    pub(crate) async fn list(&self) -> Result<Vec<AttestationKey>, metadata::Error> {
        self.metadata.list_attestation_keys().await
    }

    /// The key that signs the log, if this server has it.
    pub(crate) fn log(&self) -> Option<&NoteKey> {
        self.log.as_ref()
    }

    /// The key that signs now, if this server has it.
    pub(crate) async fn active(&self) -> Result<Option<Arc<dyn Signer>>, SignerError> {
        let keys = self.metadata.list_attestation_keys().await?;
        let Some(active) = keys.into_iter().find(|key| key.state == KeyState::Active) else {
            return Ok(None);
        };
        self.find(&active.id).await
    }

    /// Makes the next key, which the active one announces.
    pub(crate) async fn announce(&self, actor: &str) -> Result<(), SignerError> {
        let active = self.active().await?.ok_or(SignerError::Elsewhere)?;
        if self.list().await?.iter().any(|key| key.state == KeyState::Next) {
            return Err(SignerError::NextIsThere);
        }
        let (public_key, _) = self.make().await?;
        let announcement = Announcement::of(&public_key);
        let signature = active.sign(&announcement.message()).await?;
        let envelope = serde_json::to_string(&announcement.signed(&signature)).unwrap_or_default();
        let mut next = self.record(&public_key, KeyState::Next, Some(envelope));
        actor.clone_into(&mut next.actor);
        if !self.metadata.write(next).await? {
            return Err(SignerError::NextIsThere);
        }
        Ok(())
    }

    /// Makes the next key the one that signs.
    pub(crate) async fn activate(&self, actor: &str) -> Result<(), SignerError> {
        let keys = self.list().await?;
        let next = keys.iter().find(|key| key.state == KeyState::Next);
        let next = next.ok_or(SignerError::NoNext)?;
        self.find(&next.id).await?.ok_or(SignerError::Elsewhere)?;
        let operation = ActivateAttestationKey {
            actor: actor.to_owned(),
            now: self.clock.now(),
        };
        let done = self.metadata.write(operation).await?;
        done.then_some(()).ok_or(SignerError::NoNext)
    }

    fn record(&self, key: &PublicKey, state: KeyState, announcement: Option<String>) -> PutAttestationKey {
        let now = self.clock.now();
        PutAttestationKey {
            key: AttestationKey {
                id: key.hint(),
                public_key: key.to_string(),
                state,
                announcement,
                created_at: now,
            },
            actor: SERVER.to_owned(),
            now,
        }
    }

    /// The private key that bundles name by `id`, if it is in the folder.
    async fn find(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, SignerError> {
        let known = |keys: &[Arc<dyn Signer>]| keys.iter().find(|key| key.public_key().hint() == id).cloned();
        if let Some(found) = known(&self.files.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(Some(found));
        }
        let path = self.path(id);
        let read = tokio::task::spawn_blocking(move || {
            let Some(pem) = secret::load(&path)? else {
                return Ok(None);
            };
            read_key(path, &pem).map(Some)
        });
        let Some(key) = read.await.map_err(|_| SignerError::Lost)?? else {
            return Ok(None);
        };
        let signer: Arc<dyn Signer> = Arc::new(FileSigner::new(key));
        if signer.public_key().hint() != id {
            return Ok(None);
        }
        self.files
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&signer));
        Ok(Some(signer))
    }

    /// A new key, durable in the folder.
    async fn make(&self) -> Result<(PublicKey, PathBuf), SignerError> {
        let key = SigningKey::generate();
        let public_key = key.public_key();
        let path = self.path(&public_key.hint());
        let made = tokio::task::spawn_blocking(move || {
            let pem = key.to_pem().map_err(|reason| SignerError::Key {
                path: path.clone(),
                reason,
            })?;
            secret::replace(&path, pem.as_bytes())?;
            Ok::<_, SignerError>(path)
        });
        let path = made.await.map_err(|_| SignerError::Lost)??;
        Ok((public_key, path))
    }

    /// Names of files are not to hold what base64 does.
    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{}.pem", &Digest::sha256(id).encoded()[..16]))
    }
}

fn read_key(path: PathBuf, pem: &[u8]) -> Result<SigningKey, SignerError> {
    let text = std::str::from_utf8(pem).map_err(|_| InvalidKey::Private);
    let key = text.and_then(SigningKey::from_pem);
    key.map_err(|reason| SignerError::Key { path, reason })
}

/// The key of the registry's log, if this server has it. Where there is no log yet, both are made.
async fn log_key(
    folder: &Path,
    metadata: &Metadata,
    clock: &Clock,
    origin: &str,
) -> Result<Option<NoteKey>, SignerError> {
    let path = folder.join(LOG_KEY);
    let founded = metadata.find_log().await?;
    let text = match &founded {
        Some(_) => secret::load(&path)?,
        None => Some(secret::load_or_create(&path, || new_log_key(origin))?.0),
    };
    let Some(text) = text else { return Ok(None) };
    let text = std::str::from_utf8(&text).map_err(|_| Malformed::Key);
    let key = text.and_then(NoteKey::from_text);
    let key = key.map_err(|reason| SignerError::LogKey { path, reason })?;
    let log = match founded {
        Some(log) => log,
        None => metadata.write(found(&key, clock)).await?,
    };
    Ok((log.key == key.verifier().to_string()).then_some(key))
}

fn new_log_key(origin: &str) -> io::Result<Vec<u8>> {
    let mut seed = [0; 32];
    rand::fill(&mut seed).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let key = NoteKey::new(origin, Kind::Plain, &seed).map_err(io::Error::other)?;
    Ok(format!("{}\n", key.to_text()).into_bytes())
}

/// An empty log.
fn found(key: &NoteKey, clock: &Clock) -> FoundLog {
    let origin = key.verifier().name().to_owned();
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size: 0,
        root: Hash::empty(),
        extensions: Vec::new(),
    };
    let text = checkpoint.to_string();
    let signature = key.sign(&text, 0);
    FoundLog {
        origin,
        key: key.verifier().to_string(),
        checkpoint: SignedNote::new(text, signature).to_string(),
        now: clock.now(),
    }
}
