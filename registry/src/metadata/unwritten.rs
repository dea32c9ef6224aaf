//! Upload sessions that nothing was acknowledged in yet: in memory, where one process owns the database.
//!
//! Most uploads are opened, filled and closed within milliseconds. A session without bytes promises nothing, so that a restart may
//! forget it: its client is told that there is none, and begins again. With the first bytes that are acknowledged it becomes a row.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use wreg_oci::{Algorithm, RepositoryName};

use crate::clock::Millis;

/// The most sessions that are kept in memory, at some hundred bytes each. Further ones are rows from the start.
const MOST: usize = 4096;

/// A session without bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) repository: RepositoryName,
    pub(super) actor: String,
    pub(super) algorithm: Algorithm,
    pub(super) expires_at: Millis,
    /// Somebody has begun to write, so that the store may have something of it.
    pub(super) begun: bool,
}

/// What became of a wish for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    /// It is here.
    Here,
    /// Its actor has as many as may be.
    TooMany,
    /// It has to be a row.
    NoRoom,
}

/// Those of this process.
#[derive(Default)]
pub(super) struct Unwritten(Mutex<HashMap<String, Session>>);

impl Unwritten {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session, unless its actor has `limit` of them here, or there is no room.
    pub(super) fn open(&self, id: &str, session: Session, limit: u64, now: Millis) -> Opened {
        let mut sessions = self.sessions();
        if limit < u64::MAX && count(&sessions, Some(&session.actor), now) >= limit {
            return Opened::TooMany;
        }
        if sessions.len() >= MOST {
            sessions.retain(|_, session| session.expires_at > now);
        }
        if sessions.len() >= MOST {
            return Opened::NoRoom;
        }
        sessions.insert(id.to_owned(), session);
        Opened::Here
    }

    /// Notes that somebody writes to the session, if it is here.
    pub(super) fn begin(&self, id: &str) {
        if let Some(session) = self.sessions().get_mut(id) {
            session.begun = true;
        }
    }

    /// The session, if it is here.
    pub(super) fn find(&self, id: &str) -> Option<Session> {
        self.sessions().get(id).cloned()
    }

    /// Takes the session away, if it is here: it ends, or is a row now.
    pub(super) fn take(&self, id: &str) -> Option<Session> {
        self.sessions().remove(id)
    }

    /// Puts back what [`Self::take`] took.
    pub(super) fn put_back(&self, id: &str, session: Session) {
        self.sessions().insert(id.to_owned(), session);
    }

    /// How many there are that have not expired at `now`; of one actor, if one is named.
    pub(super) fn count(&self, actor: Option<&str>, now: Millis) -> u64 {
        count(&self.sessions(), actor, now)
    }

    /// Forgets those that have expired at `now`. Says how many.
    pub(super) fn forget_expired(&self, now: Millis) -> usize {
        let mut sessions = self.sessions();
        let before = sessions.len();
        sessions.retain(|_, session| session.expires_at > now);
        before - sessions.len()
    }
}

fn count(sessions: &HashMap<String, Session>, actor: Option<&str>, now: Millis) -> u64 {
    let counts = |session: &&Session| session.expires_at > now && actor.is_none_or(|actor| actor == session.actor);
    sessions.values().filter(counts).count() as u64
}
