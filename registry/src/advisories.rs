//! The folder with advisories: read at start, and read again when something in it changes.
//!
//! What is wrong at start keeps the server from starting. Later the advisories that were read before are kept.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wreg_component::advisories::{Advisory, Form, MAX_ADVISORY};
use wreg_oci::Digest;

use crate::domain::Registry;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_mins(1);
/// How deep folders are looked into.
const MAX_DEPTH: usize = 16;
/// How many files there may be.
const MAX_FILES: usize = 200_000;
/// How many advisories are kept, of those about packages of crates.io. There are a few thousand.
const MAX_ADVISORIES: usize = 50_000;

/// Why the advisories cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoriesError {
    /// The folder cannot be read.
    #[error("the advisories in {folder} cannot be read: {source}", folder = .folder.display())]
    Read {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is more in it than a database of advisories has.
    #[error("there are more advisories in {folder} than are read: at most {MAX_FILES} files, and {MAX_ADVISORIES} about packages of crates.io", folder = .folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
    },
}

/// A folder that is followed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Followed(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    registry: Registry,
    /// What the folder held when it was last read.
    seen: Mutex<Option<Digest>>,
}

impl Followed {
    /// Reads the folder.
    pub(crate) async fn open(folder: PathBuf, registry: Registry) -> Result<Self, AdvisoriesError> {
        let followed = Self(Arc::new(Inner {
            folder: folder.clone(),
            registry,
            seen: Mutex::default(),
        }));
        let reading = followed.clone();
        let read = tokio::task::spawn_blocking(move || reading.reload()).await;
        read.unwrap_or_else(|error| {
            let source = io::Error::other(error);
            Err(AdvisoriesError::Read { folder, source })
        })?;
        Ok(followed)
    }

    /// Looks at the folder, and reads it if something has changed: whether it has. It waits for files.
    pub(crate) fn reload(&self) -> Result<bool, AdvisoriesError> {
        let Inner { folder, registry, seen } = &*self.0;
        let failed = |source| AdvisoriesError::Read {
            folder: folder.clone(),
            source,
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, fingerprint) = list(folder).map_err(failed)?;
        if seen.as_ref() == Some(&fingerprint) {
            return Ok(false);
        }
        let too_many = || AdvisoriesError::TooMany { folder: folder.clone() };
        if files.len() > MAX_FILES {
            return Err(too_many());
        }
        let (mut advisories, mut unread) = (Vec::new(), Vec::new());
        for (path, form) in &files {
            match read(path, *form) {
                Ok(advisory) => advisories.extend(advisory),
                Err(why) => unread.push((path, why)),
            }
            if advisories.len() > MAX_ADVISORIES {
                return Err(too_many());
            }
        }
        if let Some((path, why)) = unread.first() {
            tracing::warn!(files = unread.len(), first = %path.display(), why, "files with advisories are passed over");
        }
        tracing::info!(advisories = advisories.len(), folder = %folder.display(), "advisories are read");
        registry.replace_advisories(advisories);
        *seen = Some(fingerprint);
        Ok(true)
    }

    /// Keeps the advisories as the folder has them, for as long as it is polled.
    pub(crate) async fn follow(self) {
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        loop {
            ticks.tick().await;
            let followed = self.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || followed.reload()).await {
                tracing::error!(%error, "the advisories that were read before are kept");
            }
        }
    }
}

/// The files that may be advisories, and a digest that changes with them. A folder that cannot be read is an error: what is in it would be
/// missed.
fn list(top: &Path) -> io::Result<(Vec<(PathBuf, Form)>, Digest)> {
    let mut files = Vec::new();
    let mut lines = Vec::new();
    let mut folders = vec![(top.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                if depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
                continue;
            }
            let Some(form) = form(top, &path) else {
                continue;
            };
            // Of what a symbolic link points to.
            let Ok(metadata) = path.metadata() else {
                continue;
            };
            if metadata.is_file() && files.len() <= MAX_FILES {
                let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
                lines.push(format!(
                    "{} {} {seconds}.{nanos} {}",
                    path.display(),
                    metadata.len(),
                    metadata.ino()
                ));
                files.push((path, form));
            }
        }
    }
    lines.sort_unstable();
    files.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok((files, Digest::sha256(lines.join("\n"))))
}

fn form(top: &Path, path: &Path) -> Option<Form> {
    let parts = path.strip_prefix(top).ok()?.iter();
    let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
    Form::of(&parts.join("/"))
}

/// Reads a file, no more of it than an advisory may have. The error says why it is none.
fn read(path: &Path, form: Form) -> Result<Option<Advisory>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_ADVISORY as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Advisory::parse(form, &bytes).map_err(|error| error.to_string())
}
