//! The public halves of the keys that sign registry tokens.

use sqlx::FromRow;

use super::{
    Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    on_db,
};
use crate::clock::Millis;

/// A key as every server knows it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KeyRecord {
    /// What tokens name it by.
    pub id: String,
    /// Ed25519, in Base64 for URLs.
    pub public_key: String,
    /// When its server made it.
    pub created_at: Millis,
    /// From when on nothing is signed with it.
    pub retired_at: Option<Millis>,
}

impl Metadata {
    /// The key with this id.
    pub async fn find_key(&self, id: &str) -> Result<Option<KeyRecord>> {
        const STATEMENT: &str = "SELECT id, public_key, created_at, retired_at FROM signing_keys WHERE id = $1";
        Ok(on_db!(&*self.db, db => sqlx::query_as(STATEMENT).bind(id).fetch_optional(db).await)?)
    }

    /// At most `limit` keys that were made after `since`, newest first.
    pub async fn list_keys(&self, since: Millis, limit: i64) -> Result<Vec<KeyRecord>> {
        const STATEMENT: &str = "SELECT id, public_key, created_at, retired_at FROM signing_keys
            WHERE created_at > $1 ORDER BY created_at DESC, id LIMIT $2 + 0";
        Ok(on_db!(&*self.db, db => sqlx::query_as(STATEMENT).bind(since).bind(limit).fetch_all(db).await)?)
    }
}

/// Publishes a key, so that every server accepts what it signs.
pub(crate) struct PublishKey {
    pub(crate) id: String,
    pub(crate) public_key: String,
    /// Whether all others are retired with it.
    pub(crate) retire_others: bool,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for PublishKey {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        if self.retire_others {
            let retired: Vec<(String,)> = on_db!(tx, db => sqlx::query_as("UPDATE signing_keys SET retired_at = $1 WHERE retired_at IS NULL AND id <> $2 RETURNING id")
                .bind(self.now)
                .bind(&self.id)
                .fetch_all(db)
                .await)?;
            for (id,) in &retired {
                self.note(tx, Kind::KeyRetired, id).await?;
            }
        }
        let new = on_db!(tx, db => sqlx::query(
            "INSERT INTO signing_keys (id, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&self.id)
        .bind(&self.public_key)
        .bind(self.now)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if new {
            self.note(tx, Kind::KeyCreated, &self.id).await?;
        }
        Ok(())
    }
}

impl PublishKey {
    async fn note(&self, tx: &mut Tx<'_>, kind: Kind, id: &str) -> Result<()> {
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind,
            repository: None,
            subject: id,
            old: None,
            new: None,
        };
        events::append(tx, event).await
    }
}
