//! The events as others read them: the feed of changes, and the history of a tag.

use sqlx::FromRow;
use wreg_api::{Event, TagChange, Visibility};
use wreg_oci::{RepositoryName, Tag};

use super::{Dialect, Metadata, Result, on_db, parse, repositories::Visible};
use crate::clock::Millis;

/// How long a number may be missing before nobody waits for it any more, in milliseconds: the transaction that took it has failed.
const PATIENCE: Millis = 10_000;

/// How many steps of a tag's history are told.
const MAX_STEPS: i64 = 1000;

#[derive(FromRow)]
struct EventRow {
    sequence: i64,
    occurred_at: Millis,
    kind: String,
    repository: Option<String>,
    subject: String,
    old_value: Option<String>,
    new_value: Option<String>,
    visibility: Option<String>,
}

/// Some events, and the number of the last one that was looked at.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    pub(crate) last: i64,
}

impl Metadata {
    /// The highest number of an event; 0 before the first.
    pub(crate) async fn last_event(&self) -> Result<i64> {
        let (last,): (i64,) = on_db!(&*self.db, db => sqlx::query_as("SELECT COALESCE(MAX(sequence), 0) FROM events").fetch_one(db).await)?;
        Ok(last)
    }

    /// Looks at `limit` events after number `after`, and gives those of `visible` repositories.
    ///
    /// On PostgreSQL a number is taken before its transaction ends, so that one may come after a higher one. What is behind a number that
    /// is missing is told later, or once it has been missing for ten seconds.
    pub(crate) async fn list_events(&self, visible: &Visible, after: i64, limit: i64, now: Millis) -> Result<Page> {
        let rows: Vec<EventRow> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT e.sequence, e.occurred_at, e.kind, e.repository, e.subject, e.old_value, e.new_value, r.visibility
             FROM events e LEFT JOIN repositories r ON r.name = e.repository WHERE e.sequence > $1 ORDER BY e.sequence LIMIT $2 + 0",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(db)
        .await)?;
        let may_be_late = matches!(&*self.db, Dialect::Postgres(_));
        let (mut last, mut events) = (after, Vec::new());
        for row in rows {
            let is_next = row.sequence == last + 1;
            if may_be_late && !is_next && row.occurred_at > now - PATIENCE {
                break;
            }
            last = row.sequence;
            events.extend(row.event(visible)?);
        }
        Ok(Page { events, last })
    }

    /// Where a tag pointed and when it changed, the latest first.
    pub(crate) async fn tag_history(&self, repository: &RepositoryName, tag: &Tag) -> Result<Vec<TagChange>> {
        let rows: Vec<(Millis, Option<String>, Option<String>)> = on_db!(&*self.db, db => sqlx::query_as(
            "SELECT occurred_at, old_value, new_value FROM events
             WHERE repository = $1 AND subject = $2 AND kind IN ('tag-put', 'tag-deleted') ORDER BY sequence DESC LIMIT $3 + 0",
        )
        .bind(repository.as_str())
        .bind(tag.as_str())
        .bind(MAX_STEPS)
        .fetch_all(db)
        .await)?;
        let digest = |text: Option<String>, column| text.map(|text| parse(&text, "events", column)).transpose();
        rows.into_iter()
            .map(|(at, from, to)| {
                Ok(TagChange {
                    at,
                    from: digest(from, "old_value")?,
                    to: digest(to, "new_value")?,
                })
            })
            .collect()
    }
}

impl EventRow {
    /// As it is told, if it may be.
    fn event(self, visible: &Visible) -> Result<Option<Event>> {
        let (Some(repository), Some(visibility)) = (self.repository, self.visibility) else {
            return Ok(None);
        };
        let repository: RepositoryName = parse(&repository, "events", "repository")?;
        let is_public = parse::<Visibility>(&visibility, "repositories", "visibility")? == Visibility::Public;
        if !is_public && !visible.includes(&repository) {
            return Ok(None);
        }
        Ok(Some(Event {
            sequence: self.sequence,
            at: self.occurred_at,
            kind: self.kind,
            repository,
            subject: self.subject,
            old: self.old_value,
            new: self.new_value,
        }))
    }
}
