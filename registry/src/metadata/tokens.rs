//! Personal tokens, known by the SHA-256 of their secret.

use sqlx::FromRow;

use super::{
    Metadata, Operation, Result, Tx,
    events::{self, Event, Kind},
    on_db,
};
use crate::clock::Millis;

/// A token that may still be used.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TokenRecord {
    /// What names it in events and in upload sessions. Not a secret.
    pub id: String,
}

impl Metadata {
    /// The token whose secret has this hash (64 hexadecimal characters), unless it has expired at `now`.
    pub async fn find_token(&self, hash: &str, now: Millis) -> Result<Option<TokenRecord>> {
        Ok(
            on_db!(&*self.db, db => sqlx::query_as("SELECT id FROM tokens WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)")
            .bind(hash)
            .bind(now)
            .fetch_optional(db)
            .await)?,
        )
    }

    /// Whether the token with this id may still be used at `now`.
    pub async fn token_is_valid(&self, id: &str, now: Millis) -> Result<bool> {
        let row: Option<TokenRecord> = on_db!(&*self.db, db => sqlx::query_as("SELECT id FROM tokens WHERE id = $1 AND (expires_at IS NULL OR expires_at > $2)")
            .bind(id)
            .bind(now)
            .fetch_optional(db)
            .await)?;
        Ok(row.is_some())
    }
}

/// Makes the administrator's token known. Another one under the same id takes the place of the first.
pub(crate) struct CreateAdminToken {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) now: Millis,
}

impl Operation for CreateAdminToken {
    /// Whether it was not known before.
    type Output = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let made = on_db!(tx, db => sqlx::query(
            "INSERT INTO tokens (id, name, hash, scope, created_at, expires_at) VALUES ($1, 'admin', $2, 'admin', $3, NULL)
             ON CONFLICT (id) DO UPDATE SET hash = excluded.hash WHERE tokens.hash <> excluded.hash",
        )
        .bind(&self.id)
        .bind(&self.hash)
        .bind(self.now)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if made {
            let event = Event {
                at: self.now,
                actor: "server",
                kind: Kind::TokenCreated,
                repository: None,
                subject: &self.id,
                old: None,
                new: Some("admin"),
            };
            events::append(tx, event).await?;
        }
        Ok(made)
    }
}

impl Metadata {
    /// Makes the administrator's token known by its hash; another one under the same id takes the place of the first.
    /// Says whether it was not known before.
    pub async fn put_admin_token(&self, id: &str, hash: &str, now: Millis) -> Result<bool> {
        self.write(CreateAdminToken {
            id: id.to_owned(),
            hash: hash.to_owned(),
            now,
        })
        .await
    }
}
