//! Personal tokens, known by the SHA-256 of their secret.

use std::sync::Arc;

use sqlx::FromRow;
use wreg_api::{Token, TokenScopes};

use super::{
    Error, Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    facts::{Epoch, Kept},
    on_db, parse, text,
};
use crate::clock::Millis;

/// The administrator's token in the database.
pub(crate) const ADMINISTRATOR: &str = "admin";

#[derive(FromRow)]
struct TokenRow {
    id: String,
    name: String,
    scope: String,
    owner: Option<String>,
    created_at: Millis,
    expires_at: Option<Millis>,
    last_used_at: Option<Millis>,
}

impl TryFrom<TokenRow> for Token {
    type Error = Error;

    fn try_from(row: TokenRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            name: parse(&row.name, "tokens", "name")?,
            scopes: parse(&row.scope, "tokens", "scope")?,
            owner: row.owner,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
    }
}

impl Metadata {
    /// The token whose secret has this hash (64 hexadecimal characters), unless it has expired at `now`.
    pub async fn find_token(&self, hash: &str, now: Millis) -> Result<Option<Arc<Token>>> {
        const STATEMENT: &str =
            "SELECT id, name, scope, owner, created_at, expires_at, last_used_at FROM tokens WHERE hash = $1";
        let kept = self.facts.as_ref().map(|facts| (&facts.tokens, facts.of_tokens()));
        self.find_one(STATEMENT, hash, kept, now).await
    }

    /// The token with this id, unless it has expired at `now`.
    pub async fn find_token_by_id(&self, id: &str, now: Millis) -> Result<Option<Arc<Token>>> {
        const STATEMENT: &str =
            "SELECT id, name, scope, owner, created_at, expires_at, last_used_at FROM tokens WHERE id = $1";
        let kept = self
            .facts
            .as_ref()
            .map(|facts| (&facts.tokens_by_id, facts.of_tokens()));
        self.find_one(STATEMENT, text(id), kept, now).await
    }

    async fn find_one(
        &self,
        statement: &'static str,
        by: &str,
        kept: Option<(&Kept<String, Arc<Token>>, &Epoch)>,
        now: Millis,
    ) -> Result<Option<Arc<Token>>> {
        let read = || async {
            let row: Option<TokenRow> =
                on_db!(&*self.db, db => sqlx::query_as(statement).bind(by).fetch_optional(db).await)?;
            row.map(|row| row.try_into().map(Arc::new)).transpose()
        };
        let found = match kept {
            Some((kept, epoch)) => kept.get_or_read(epoch, by, || by.to_owned(), read).await?,
            None => Box::pin(read()).await?,
        };
        Ok(found.filter(|token| token.expires_at.is_none_or(|end| end > now)))
    }

    /// At most `limit` tokens by name, those after `after`; the expired too.
    pub async fn list_tokens(&self, after: &str, limit: usize) -> Result<Vec<Token>> {
        const STATEMENT: &str = "SELECT id, name, scope, owner, created_at, expires_at, last_used_at FROM tokens
            WHERE name > $1 ORDER BY name LIMIT $2 + 0";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<TokenRow> =
            on_db!(&*self.db, db => sqlx::query_as(STATEMENT).bind(text(after)).bind(limit).fetch_all(db).await)?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// The hash of the administrator's token, if there is one yet.
    pub async fn find_administrator(&self) -> Result<Option<String>> {
        let row: Option<(String,)> = on_db!(&*self.db, db => sqlx::query_as("SELECT hash FROM tokens WHERE id = $1")
            .bind(ADMINISTRATOR)
            .fetch_optional(db)
            .await)?;
        Ok(row.map(|(hash,)| hash))
    }

    /// Makes the administrator's token known by its hash. Where there is one already it stays, unless `replace` says otherwise.
    /// Says whether it was not known before.
    pub async fn put_administrator(&self, hash: &str, replace: bool, now: Millis) -> Result<bool> {
        self.write(PutAdministrator {
            hash: hash.to_owned(),
            replace,
            now,
        })
        .await
    }
}

/// Notes that a token was used at `at`, unless a use as late is noted already.
pub(crate) struct TouchToken {
    pub(crate) id: String,
    pub(crate) at: Millis,
}

impl Operation for TouchToken {
    type Output = ();

    fn touched(&self) -> Touched<'_> {
        Touched::Tokens
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<()> {
        on_db!(tx, db => sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)")
            .bind(&self.id)
            .bind(self.at)
            .execute(db)
            .await
            .map(drop))?;
        Ok(())
    }
}

struct PutAdministrator {
    hash: String,
    replace: bool,
    now: Millis,
}

impl Operation for PutAdministrator {
    /// Whether it was not known before.
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Tokens
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        const INSERT: &str =
            "INSERT INTO tokens (id, name, hash, scope, created_at, expires_at) VALUES ($1, $1, $2, $3, $4, NULL)";
        let conflict = if self.replace {
            "ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at WHERE tokens.hash <> excluded.hash"
        } else {
            "ON CONFLICT (id) DO NOTHING"
        };
        let scopes = TokenScopes::everything().to_string();
        let made = on_db!(tx, db => sqlx::query(sqlx::AssertSqlSafe(format!("{INSERT} {conflict}")))
            .bind(ADMINISTRATOR)
            .bind(&self.hash)
            .bind(&scopes)
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
                subject: ADMINISTRATOR,
                old: None,
                new: Some(&scopes),
            };
            events::append(tx, event).await?;
        }
        Ok(made)
    }
}

/// Makes a token known by the hash of its secret.
pub(crate) struct CreateToken {
    pub(crate) token: Token,
    pub(crate) hash: String,
    /// Who makes it, with the token that is its owner.
    pub(crate) actor: String,
}

/// What became of a new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    Done,
    /// One that is still good has its name.
    NameTaken,
    /// The token that it was to be made with has ended meanwhile.
    OwnerGone,
}

impl Operation for CreateToken {
    type Output = Created;

    fn touched(&self) -> Touched<'_> {
        Touched::Tokens
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Created> {
        let Token { owner, created_at, .. } = &self.token;
        if let Some(owner) = owner
            && !lock(tx, owner).await?
        {
            return Ok(Created::OwnerGone);
        }
        // An expired token keeps its name from nobody.
        let expired: Option<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT id FROM tokens WHERE name = $1 AND expires_at <= $2")
            .bind(self.token.name.as_str())
            .bind(created_at)
            .fetch_optional(db)
            .await)?;
        if let Some((expired,)) = expired {
            end(tx, &expired, &self.actor, *created_at).await?;
        }
        let scopes = self.token.scopes.to_string();
        let made = on_db!(tx, db => sqlx::query(
            "INSERT INTO tokens (id, name, hash, scope, owner, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&self.token.id)
        .bind(self.token.name.as_str())
        .bind(&self.hash)
        .bind(&scopes)
        .bind(owner)
        .bind(created_at)
        .bind(self.token.expires_at)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if !made {
            return Ok(Created::NameTaken);
        }
        let event = Event {
            at: *created_at,
            actor: &self.actor,
            kind: Kind::TokenCreated,
            repository: None,
            subject: &self.token.id,
            old: None,
            new: Some(&scopes),
        };
        events::append(tx, event).await?;
        Ok(Created::Done)
    }
}

/// Ends a token, and with it those that were made with it.
pub(crate) struct RevokeToken {
    pub(crate) id: String,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl Operation for RevokeToken {
    /// Those that have ended by it, in the order of their names; none if there is no such token.
    type Output = Vec<Token>;

    fn touched(&self) -> Touched<'_> {
        Touched::Tokens
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Token>> {
        let id = text(&self.id);
        if lock(tx, id).await? {
            end(tx, id, &self.actor, self.now).await
        } else {
            Ok(Vec::new())
        }
    }
}

/// Keeps a token from ending, and from having new ones made with it, until the end of the transaction. Says whether it is there.
async fn lock(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(
        on_db!(tx, db => sqlx::query("UPDATE tokens SET created_at = created_at WHERE id = $1").bind(id).execute(db).await.map(|done| done.rows_affected() == 1))?,
    )
}

async fn end(tx: &mut Tx<'_>, id: &str, actor: &str, now: Millis) -> Result<Vec<Token>> {
    let rows: Vec<TokenRow> = on_db!(tx, db => sqlx::query_as(
        "WITH RECURSIVE ended (id) AS (SELECT id FROM tokens WHERE id = $1 UNION SELECT t.id FROM tokens t JOIN ended e ON t.owner = e.id)
         DELETE FROM tokens WHERE id IN (SELECT id FROM ended)
         RETURNING id, name, scope, owner, created_at, expires_at, last_used_at",
    )
    .bind(id)
    .fetch_all(db)
    .await)?;
    let mut tokens = rows.into_iter().map(Token::try_from).collect::<Result<Vec<_>>>()?;
    tokens.sort_by(|a, b| a.name.cmp(&b.name));
    for token in &tokens {
        let scopes = token.scopes.to_string();
        let event = Event {
            at: now,
            actor,
            kind: Kind::TokenRevoked,
            repository: None,
            subject: &token.id,
            old: Some(&scopes),
            new: None,
        };
        events::append(tx, event).await?;
    }
    Ok(tokens)
}
