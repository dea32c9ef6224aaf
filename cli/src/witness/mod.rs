//! A witness of other people's logs: it signs a checkpoint if the log goes on from the one that it signed last, and remembers that.
//!
//! ```text
//! server.rs   requests and answers      memory.rs   what was signed last, one file a log
//! ```
//!
//! Source: C2SP tlog-witness.

mod memory;
mod server;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::mpsc::Sender;
use wreg_trust::log::{
    AddCheckpoint, Checkpoint, NoteKey, SignedNote, Verifier,
    note::NoteSignature,
    witness::{Decision, Known, SIZE_TYPE, decide, hex},
};

use self::memory::{Memory, Signed};
pub(crate) use self::{memory::MemoryError, server::serve};

const TEXT: &str = "text/plain; charset=utf-8";

/// What whoever runs the witness is told.
#[derive(Debug)]
pub(crate) enum News {
    /// Something that it did.
    Did(String),
    /// Something that somebody should look at.
    Alarm(String),
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: &'static str,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            media_type: TEXT,
            body: format!("{text}\n"),
        }
    }
}

/// One who signs.
pub(crate) struct Witness {
    key: NoteKey,
    logs: Vec<Watched>,
    memory: Memory,
    news: Sender<News>,
}

/// A log that is watched.
struct Watched {
    origin: String,
    keys: Vec<Verifier>,
    last: Mutex<Option<Signed>>,
}

/// How far a log is watched.
#[derive(Debug, serde::Serialize)]
pub(crate) struct WatchedLog {
    pub(crate) origin: String,
    /// What the checkpoint covers that was signed last; 0 if there was none.
    pub(crate) size: u64,
}

impl Witness {
    /// Reads what was signed before, in a folder that no other witness uses meanwhile.
    pub(crate) fn open(
        key: NoteKey,
        logs: Vec<Verifier>,
        folder: &Path,
        news: Sender<News>,
    ) -> Result<Self, MemoryError> {
        let memory = Memory::open(folder)?;
        let mut watched: Vec<Watched> = Vec::new();
        for log in logs {
            match watched.iter_mut().find(|watched| watched.origin == log.name()) {
                Some(watched) => watched.keys.push(log),
                None => watched.push(Watched {
                    origin: log.name().to_owned(),
                    last: memory.find(log.name())?.into(),
                    keys: vec![log],
                }),
            }
        }
        Ok(Self {
            key,
            logs: watched,
            memory,
            news,
        })
    }

    pub(crate) fn key(&self) -> &Verifier {
        self.key.verifier()
    }

    pub(crate) fn logs(&self) -> Vec<WatchedLog> {
        let shown = |watched: &Watched| WatchedLog {
            origin: watched.origin.clone(),
            size: watched.known().size,
        };
        self.logs.iter().map(shown).collect()
    }

    /// The checkpoint that was signed last of the log whose origin has this hash.
    fn find(&self, hash: &str) -> Option<String> {
        let watched = self.logs.iter().find(|watched| hex(&watched.origin) == hash)?;
        watched.last().as_ref().map(|signed| signed.note.clone())
    }

    /// Answers a request, at a time in seconds since 1970. Blocks for a file that is flushed.
    fn add(&self, request: &str, time: u64) -> Answer {
        let Ok(request) = request.parse::<AddCheckpoint>() else {
            return Answer::text(400, "it is no request to add a checkpoint");
        };
        let Ok(Checkpoint { origin, .. }) = request.checkpoint.text().parse() else {
            return Answer::text(400, "it is no checkpoint");
        };
        let Some(watched) = self.logs.iter().find(|watched| watched.origin == origin) else {
            return Answer::text(404, "that log is not watched here");
        };
        // For as long as it takes, so that nobody gets in between.
        let mut last = watched.last();
        let known = last.as_ref().map_or_else(Known::nothing, |signed| signed.known);
        let decision = decide(&request, known, &watched.keys);
        let status = decision.status();
        match decision {
            Decision::Sign(known) => {
                let text = request.checkpoint.text();
                let signature = self.key.sign(text, time);
                let line = format!("{signature}\n");
                let note = watched.beside(signature, &request.checkpoint).to_string();
                if let Err(error) = self.memory.keep(&origin, &note) {
                    self.tell(News::Alarm(format!(
                        "nothing is signed: the memory cannot be written: {error}"
                    )));
                    return Answer::text(500, "what is signed cannot be remembered");
                }
                self.tell(News::Did(format!("signed {origin} over {} changes", known.size)));
                *last = Some(Signed { known, note });
                Answer {
                    status,
                    media_type: TEXT,
                    body: line,
                }
            }
            Decision::Conflict(size) => Answer {
                status,
                media_type: SIZE_TYPE,
                body: format!("{size}\n"),
            },
            Decision::Malformed => {
                Answer::text(status, "the tree is smaller than the one that it is said to go on from")
            }
            Decision::Unsigned => Answer::text(status, "no key of the log that is known here has signed it"),
            Decision::UnknownOrigin => Answer::text(status, "that log is not watched here"),
            Decision::NotProven => {
                self.tell(News::Alarm(format!(
                    "{origin} over {} changes is not proven to go on from what was signed last, over {}",
                    size_of(&request.checkpoint),
                    known.size
                )));
                Answer::text(status, "it is not proven that it goes on from what was signed last")
            }
            Decision::Fork => {
                let kept = self.memory.keep_evidence(&origin, &request.checkpoint.to_string());
                let kept = kept.map_or_else(
                    |error| format!("which could not be kept: {error}"),
                    |path| format!("which is kept in {}", path.display()),
                );
                self.tell(News::Alarm(format!(
                    "{origin} has signed two trees of {} changes: the one that was signed here, and another, {kept}",
                    known.size
                )));
                Answer::text(status, "another tree of this size was signed before")
            }
        }
    }

    fn tell(&self, news: News) {
        // Who does not listen is not waited for.
        let _ = self.news.try_send(news);
    }
}

/// The time that a witness gives with its signatures, in seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what time it is is a part of what a witness says"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn size_of(note: &SignedNote) -> u64 {
    note.text()
        .parse::<Checkpoint>()
        .map_or(0, |checkpoint| checkpoint.size)
}

impl Watched {
    fn last(&self) -> MutexGuard<'_, Option<Signed>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A checkpoint with the log's signatures and the witness's: those of others say nothing here.
    fn beside(&self, own: NoteSignature, checkpoint: &SignedNote) -> SignedNote {
        let mut note = SignedNote::new(checkpoint.text().to_owned(), own.clone());
        for signature in checkpoint.signatures() {
            if self.keys.iter().any(|key| key.is_named(signature)) {
                note.add(signature.clone());
            }
        }
        // Its own comes last, as it does in the log.
        note.add(own);
        note
    }

    fn known(&self) -> Known {
        self.last().as_ref().map_or_else(Known::nothing, |signed| signed.known)
    }
}
