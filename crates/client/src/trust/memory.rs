//! What is known of a registry from one use to the next: a file in JSON.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::AsyncReadExt as _;
use wreg_oci::{Host, RepositoryName, Tag};
use wreg_trust::{
    anchors::{Anchors, KeyState},
    log::Verifier,
    signature::PublicKey,
};

use crate::{Error, files};

/// The most tags whose place in the log is kept for a registry.
const MAX_TAGS: usize = 20_000;
/// The most bytes of a file.
const MAX_LEN: u64 = 256 << 20;
/// The most checkpoints that are known to belong to the log.
const MAX_CHECKPOINTS: usize = 256;

/// What is known of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// What it said of itself at the first use, and what that has announced since.
    #[serde(default)]
    pub pins: Option<Pins>,
    /// The longest checkpoint of its log that was seen, signed.
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// Roots of trees that were shown to be the beginning of that one, by their size.
    #[serde(default)]
    pub beginnings: BTreeMap<u64, String>,
    /// The last place in the log of tags that were used, by `repository:tag`.
    #[serde(default)]
    pub tags: BTreeMap<String, u64>,
}

/// What was pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// Keys that sign artifacts, as PEM.
    pub keys: Vec<String>,
    /// The log.
    pub log: Option<PinnedLog>,
}

/// A log that was pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedLog {
    /// Who checks its checkpoints, as `name+<hash>+<key>`.
    pub key: String,
    /// Where it is served: a path of the registry.
    pub path: String,
}

impl Pins {
    /// What a registry says now.
    pub fn of(anchors: &Anchors) -> Self {
        let keys = anchors.keys.iter().filter(|key| key.state != KeyState::Next);
        let mut pins = Self {
            keys: keys.map(|key| key.key.to_string()).collect(),
            log: anchors.log.as_ref().map(|log| PinnedLog {
                key: log.key.clone(),
                path: log.path.clone(),
            }),
        };
        pins.extend(anchors);
        pins
    }

    /// The keys.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.keys.iter().filter_map(|pem| pem.parse().ok()).collect()
    }

    /// Who checks the log.
    pub fn verifier(&self) -> Option<Verifier> {
        self.log.as_ref()?.key.parse().ok()
    }

    /// Takes up the keys that one of these has announced. Gives the new ones.
    pub fn extend(&mut self, anchors: &Anchors) -> Vec<PublicKey> {
        let known = self.public_keys();
        let new = anchors.extend(&known).split_off(known.len());
        self.keys.extend(new.iter().map(ToString::to_string));
        new
    }
}

impl Memory {
    /// The last place of a tag.
    pub fn place_of(&self, repository: &RepositoryName, tag: &Tag) -> Option<u64> {
        self.tags.get(&format!("{repository}:{tag}")).copied()
    }

    /// Notes the last place of a tag.
    pub fn note_place(&mut self, repository: &RepositoryName, tag: &Tag, place: u64) {
        if self.tags.len() >= MAX_TAGS {
            self.tags.pop_first();
        }
        self.tags.insert(format!("{repository}:{tag}"), place);
    }

    /// Notes that a tree is the beginning of the log.
    pub fn note_beginning(&mut self, size: u64, root: String) {
        if self.beginnings.len() >= MAX_CHECKPOINTS {
            self.beginnings.pop_first();
        }
        self.beginnings.insert(size, root);
    }
}

const KIND: &str = "json";

fn path(folder: &Path, host: &Host, kind: &str) -> PathBuf {
    folder.join(format!("{}.{kind}", host.to_string().replace([':', '[', ']'], "_")))
}

/// Reads what is known of a registry. What cannot be read is an error: it may be what protects from a lie.
pub(super) async fn load(folder: &Path, host: &Host) -> Result<Memory, Error> {
    load_json(folder, host, KIND).await
}

/// The same of another kind.
pub(super) async fn load_json<T: Default + DeserializeOwned>(
    folder: &Path,
    host: &Host,
    kind: &str,
) -> Result<T, Error> {
    let path = path(folder, host, kind);
    match read(&path).await {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            let why =
                format!("it does not hold what is known of a registry ({error}); once it is removed, that begins anew");
            files::failed(&path)(std::io::Error::other(why))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(files::failed(&path)(error)),
    }
}

async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(MAX_LEN).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Keeps it. What another process has learned meanwhile stays, where it is more.
pub(super) async fn store(folder: &Path, host: &Host, memory: &Memory) -> Result<(), Error> {
    let there = load(folder, host).await?;
    if there == *memory {
        return Ok(());
    }
    let mut memory = memory.clone();
    for (tag, place) in there.tags {
        let own = memory.tags.entry(tag).or_insert(place);
        *own = place.max(*own);
    }
    store_json(folder, host, KIND, &memory).await
}

/// The same of another kind.
pub(super) async fn store_json(folder: &Path, host: &Host, kind: &str, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value).unwrap_or_default();
    files::replace_private(&path(folder, host, kind), text).await
}

/// Forgets it.
pub(super) async fn remove(folder: &Path, host: &Host) -> Result<bool, Error> {
    let path = path(folder, host, KIND);
    match tokio::fs::remove_file(&path).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(files::failed(&path)(error)),
    }
}
