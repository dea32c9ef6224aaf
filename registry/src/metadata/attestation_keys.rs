//! The public halves of the keys that sign artifacts, and how far each is.

use sqlx::FromRow;
use wreg_trust::anchors::KeyState;

use super::{
    Error, Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    jobs, on_db,
};
use crate::clock::Millis;

/// The most keys that are ever told.
const MAX_KEYS: i64 = 100;

/// A key as every server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationKey {
    /// What bundles name it by.
    pub id: String,
    /// SPKI in PEM.
    pub public_key: String,
    /// How far it is.
    pub state: KeyState,
    /// That another key announces it: an envelope as JSON.
    pub announcement: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

#[derive(FromRow)]
struct KeyRow {
    id: String,
    public_key: String,
    state: String,
    announcement: Option<String>,
    created_at: Millis,
}

const STATES: [(KeyState, &str); 3] = [
    (KeyState::Next, "next"),
    (KeyState::Active, "active"),
    (KeyState::Retired, "retired"),
];

fn word(state: KeyState) -> &'static str {
    STATES
        .iter()
        .find(|(own, _)| *own == state)
        .map_or("retired", |(_, word)| word)
}

impl TryFrom<KeyRow> for AttestationKey {
    type Error = Error;

    fn try_from(row: KeyRow) -> Result<Self> {
        let state = STATES.iter().find(|(_, word)| *word == row.state);
        Ok(Self {
            id: row.id,
            public_key: row.public_key,
            state: state.map(|(state, _)| *state).ok_or(Error::Corrupt {
                table: "attestation_keys",
                column: "state",
            })?,
            announcement: row.announcement,
            created_at: row.created_at,
        })
    }
}

const LIST: &str = "SELECT id, public_key, state, announcement, created_at FROM attestation_keys ORDER BY created_at DESC, id LIMIT $1 + 0";

impl Metadata {
    /// All keys, the newest first.
    pub async fn list_attestation_keys(&self) -> Result<Vec<AttestationKey>> {
        let rows: Vec<KeyRow> = on_db!(&*self.db, db => sqlx::query_as(LIST).bind(MAX_KEYS).fetch_all(db).await)?;
        rows.into_iter().map(AttestationKey::try_from).collect()
    }
}

/// Puts a key beside those that there are: the first one, which is active at once, or the next one. Does nothing where there is one in
/// that place already; says whether it did.
pub(crate) struct PutAttestationKey {
    pub(crate) key: AttestationKey,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for PutAttestationKey {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let key = &self.key;
        // The row of the job is what several servers that start together wait for.
        jobs::wait_for(tx, super::log::JOB, self.now).await?;
        let done = on_db!(tx, db => sqlx::query(
            "INSERT INTO attestation_keys (id, public_key, state, announcement, created_at, changed_at)
             SELECT $1, $2, $3, $4, $5, $5 FROM (SELECT COUNT(*) AS rows FROM attestation_keys WHERE state = $3 OR $3 = 'active') AS there
             WHERE there.rows = 0",
        )
        .bind(&key.id)
        .bind(&key.public_key)
        .bind(word(key.state))
        .bind(&key.announcement)
        .bind(key.created_at)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if done {
            note(tx, &key.id, key.state, &self.actor, self.now).await?;
        }
        Ok(done)
    }
}

/// Makes the next key the active one, and retires the one before it. Says whether there was one.
pub(crate) struct ActivateAttestationKey {
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for ActivateAttestationKey {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        jobs::wait_for(tx, super::log::JOB, self.now).await?;
        let next: Option<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT id FROM attestation_keys WHERE state = 'next'").fetch_optional(db).await)?;
        let Some((next,)) = next else { return Ok(false) };
        let before: Vec<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT id FROM attestation_keys WHERE state = 'active'").fetch_all(db).await)?;
        let retired = before.into_iter().map(|(id,)| (id, KeyState::Retired));
        for (id, state) in retired.chain([(next, KeyState::Active)]) {
            on_db!(tx, db => sqlx::query("UPDATE attestation_keys SET state = $2, changed_at = $3 WHERE id = $1")
                .bind(&id)
                .bind(word(state))
                .bind(self.now)
                .execute(db)
                .await
                .map(drop))?;
            note(tx, &id, state, &self.actor, self.now).await?;
        }
        Ok(true)
    }
}

async fn note(tx: &mut Tx<'_>, id: &str, state: KeyState, actor: &str, now: Millis) -> Result<()> {
    let event = Event {
        at: now,
        actor,
        kind: Kind::AttestationKey,
        repository: None,
        subject: id,
        old: None,
        new: Some(word(state)),
    };
    events::append(tx, event).await
}
