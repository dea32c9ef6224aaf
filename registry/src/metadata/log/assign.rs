//! Giving events their places in the log.

use std::{collections::HashMap, sync::LazyLock};

use sqlx::FromRow;
use wreg_api::Signing;
use wreg_oci::{Digest, RepositoryName, Tag};
use wreg_trust::{attachment::signature_tag, log::Frontier};

use super::{
    super::{
        Operation, Result, Touched, Tx,
        group::{Group, Rows},
        jobs::{self, Claim, When},
        on_db, parse,
        publications::{self, Publishable},
        unsigned,
    },
    JOB, LogEntry, TagEntry,
    event::EventRow,
    gaps::{Numbers, Waiting},
    read_frontier,
};
use crate::clock::Millis;

/// How many events are looked at in one go.
const EVENTS: i64 = 512;

/// Of how many publications of a batch all that it takes to sign them is looked up at once: an analysis can be long.
const AT_HAND: usize = 64;

static ENTRIES: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "INSERT INTO log_entries (place, event, repository, tag, entry) VALUES {rows}",
        "(?, ?, ?, ?, ?)",
        0,
    )
});

/// Takes the job of the log, gives places to events that have none, and asks for what is to be signed. `None` if somebody else has the
/// job.
pub(crate) struct AssignPlaces {
    pub(crate) owner: String,
    pub(crate) now: Millis,
    pub(crate) until: Millis,
    /// What is signed where a namespace says nothing.
    pub(crate) signing: Signing,
    /// Random text that new salts are made from.
    pub(crate) seed: String,
}

/// What is to be published.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The job, which the publication ends.
    pub(crate) claim: Claim,
    /// How far the log is published.
    pub(crate) frontier: Frontier,
    /// What comes after that.
    pub(crate) entries: Vec<LogEntry>,
    /// What is to be signed of these once they are published; the caller has those jobs.
    pub(crate) to_sign: Vec<ToSign>,
}

/// A publication that is to be signed.
#[derive(Debug)]
pub(crate) struct ToSign {
    pub(crate) claim: Claim,
    pub(crate) entry: TagEntry,
    /// What was published, if it has been looked up.
    pub(crate) found: Option<Publishable>,
}

#[derive(FromRow)]
struct Head {
    size: i64,
    frontier: String,
    #[sqlx(flatten)]
    waiting: Waiting,
}

impl Operation for AssignPlaces {
    type Output = Option<Batch>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Option<Batch>> {
        let Some(claim) = jobs::claim(tx, JOB, &self.owner, When::Due, self.now, self.until).await? else {
            return Ok(None);
        };
        let head: Head = on_db!(tx, db => sqlx::query_as("SELECT size, frontier, next_event, waits_from, waits_to FROM log").fetch_one(db).await)?;
        let size = unsigned(head.size, "log", "size")?;
        let waiting: Vec<(i64, String)> = on_db!(tx, db => sqlx::query_as("SELECT place, entry FROM log_entries WHERE place >= $1 ORDER BY place")
            .bind(head.size)
            .fetch_all(db)
            .await)?;
        let mut batch = Batch {
            claim,
            frontier: read_frontier(size, &head.frontier)?,
            entries: waiting
                .into_iter()
                .map(|(place, entry)| {
                    let place = unsigned(place, "log_entries", "place")?;
                    Ok(LogEntry { place, entry })
                })
                .collect::<Result<_>>()?,
            to_sign: Vec::new(),
        };
        // What was left behind by a death is published by itself first.
        if batch.entries.is_empty() {
            self.take_up(tx, &head, &mut batch).await?;
        }
        Ok(Some(batch))
    }
}

impl AssignPlaces {
    async fn take_up(&self, tx: &mut Tx<'_>, head: &Head, batch: &mut Batch) -> Result<()> {
        let numbers = Numbers::look(tx, head.waiting).await?;
        let events: Vec<EventRow> = on_db!(tx, db => sqlx::query_as(
            "SELECT e.sequence, e.occurred_at, e.actor, e.kind, e.repository, e.subject, e.old_value, e.new_value,
                r.visibility, c.layer
             FROM events e LEFT JOIN log_entries l ON l.event = e.sequence LEFT JOIN repositories r ON r.name = e.repository
             LEFT JOIN components c ON e.kind = 'tag-put' AND c.repository = e.repository AND c.manifest = e.new_value
             WHERE e.sequence >= $1 AND l.place IS NULL AND e.kind <> 'manifest-put' ORDER BY e.sequence LIMIT $2 + 0",
        )
        .bind(head.waiting.next_event)
        .bind(EVENTS)
        .fetch_all(db)
        .await)?;
        let last = events.last().filter(|_| i64::try_from(events.len()) == Ok(EVENTS));
        let end = last.map_or(i64::MAX, |last| last.sequence + 1);
        let waiting = numbers.settle(end);
        let mut known = Known::default();
        let mut entries = Vec::new();
        let mut place = head.size;
        for event in &events {
            let salt = known.salt(tx, event, &self.seed).await?;
            let Some(entry) = event.entry(salt.as_deref())? else {
                continue;
            };
            let digest = entry.digest.clone();
            let entry = String::from_utf8(entry.to_bytes()).unwrap_or_default();
            let tag = event.tag()?;
            entries.push(vec![
                place.into(),
                event.sequence.into(),
                event.repository.as_deref().into(),
                tag.as_ref().map(Tag::as_str).into(),
                entry.as_str().into(),
            ]);
            let at = unsigned(place, "log_entries", "place")?;
            if event.is_signed(known.signing(tx, event, self.signing).await?)?
                && let Some((repository, tag)) = event.repository.as_deref().zip(tag)
            {
                let entry = TagEntry {
                    place: at,
                    repository: parse(repository, "events", "repository")?,
                    tag,
                    entry: entry.clone(),
                    salt,
                };
                let found = match &digest {
                    Some(digest) if batch.to_sign.len() < AT_HAND => at_hand(tx, &entry, digest).await?,
                    _ => None,
                };
                let claim = jobs::signing_claim(at);
                batch.to_sign.push(ToSign { claim, entry, found });
            }
            batch.entries.push(LogEntry { place: at, entry });
            place += 1;
        }
        let mut group = Group::default();
        ENTRIES.add(&mut group, &[], &entries);
        let claims = batch.to_sign.iter().map(|to_sign| &to_sign.claim);
        jobs::ask_signing(&mut group, claims, &self.owner, self.now, self.until);
        if waiting != head.waiting {
            group.add(
                "UPDATE log SET next_event = $1, waits_from = $2, waits_to = $3",
                [
                    waiting.next_event.into(),
                    waiting.waits_from.into(),
                    waiting.waits_to.into(),
                ],
            );
        }
        group.send(tx).await?;
        Ok(())
    }
}

/// What it takes to sign an entry: here the pages are in memory, and any other connection would have to read them.
async fn at_hand(tx: &mut Tx<'_>, entry: &TagEntry, digest: &Digest) -> Result<Option<Publishable>> {
    let signatures = signature_tag(digest);
    publications::find(tx, (&entry.repository, digest, signatures.as_ref())).await
}

/// What has been looked up for one batch.
#[derive(Default)]
struct Known {
    salts: HashMap<String, Option<String>>,
    signing: HashMap<String, Signing>,
}

impl Known {
    /// What the name in the entry is hashed with; nothing where everybody may know it.
    async fn salt(&mut self, tx: &mut Tx<'_>, event: &EventRow, seed: &str) -> Result<Option<String>> {
        let Some(name) = event.named() else { return Ok(None) };
        if let Some(known) = self.salts.get(name) {
            return Ok(known.clone());
        }
        let is_public = match event.repository {
            Some(_) => event.is_public()?,
            None => has_public(tx, name).await?,
        };
        let salt = if is_public {
            None
        } else {
            let new = Digest::sha256(format!("{seed} {name}")).encoded().to_owned();
            let (salt,): (String,) = on_db!(tx, db => sqlx::query_as(
                "INSERT INTO log_salts (repository, salt) VALUES ($1, $2) ON CONFLICT (repository) DO UPDATE SET salt = log_salts.salt RETURNING salt",
            )
            .bind(name)
            .bind(new)
            .fetch_one(db)
            .await)?;
            Some(salt)
        };
        self.salts.insert(name.to_owned(), salt.clone());
        Ok(salt)
    }

    /// What the registry signs in the event's namespace.
    async fn signing(&mut self, tx: &mut Tx<'_>, event: &EventRow, default: Signing) -> Result<Signing> {
        let Some(namespace) = event.namespace() else {
            return Ok(Signing::Off);
        };
        if let Some(known) = self.signing.get(namespace) {
            return Ok(*known);
        }
        let row: Option<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT signing FROM namespaces WHERE name = $1")
            .bind(namespace)
            .fetch_optional(db)
            .await)?;
        let own = row
            .map(|(text,)| parse::<wreg_api::NamespaceSigning>(&text, "namespaces", "signing"))
            .transpose()?;
        let signing = own.and_then(wreg_api::NamespaceSigning::own).unwrap_or(default);
        self.signing.insert(namespace.to_owned(), signing);
        Ok(signing)
    }
}

/// Whether a namespace has a repository that everybody may know.
async fn has_public(tx: &mut Tx<'_>, namespace: &str) -> Result<bool> {
    let name: RepositoryName = parse(namespace, "events", "subject")?;
    // '0' is what follows '/' in the order of bytes.
    let found = on_db!(tx, db => sqlx::query(
        "SELECT 1 FROM repositories WHERE visibility = 'public' AND (name = $1 OR (name > $2 AND name < $3)) LIMIT 1",
    )
    .bind(name.as_str())
    .bind(format!("{name}/"))
    .bind(format!("{name}0"))
    .fetch_optional(db)
    .await
    .map(|row| row.is_some()))?;
    Ok(found)
}
