//! The table of events: a row for every change that somebody may want to know of, written in the transaction of the change.
//!
//! Tag history, the audit log and feeds are readers of this one table.

use super::{Result, Tx, group::Group};
use crate::clock::Millis;
use wreg_oci::RepositoryName;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    RepositoryCreated,
    SettingsChanged,
    NamespaceChanged,
    ManifestPut,
    ManifestDeleted,
    ManifestUndeleted,
    ManifestMarked,
    TagPut,
    TagDeleted,
    BlobDeleted,
    TokenCreated,
    TokenRevoked,
    KeyCreated,
    KeyRetired,
    AttestationKey,
}

/// The actor of what a server does by itself.
pub(crate) const SERVER: &str = "server";

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RepositoryCreated => "repository-created",
            Self::SettingsChanged => "settings-changed",
            Self::NamespaceChanged => "namespace-changed",
            Self::ManifestPut => "manifest-put",
            Self::ManifestDeleted => "manifest-deleted",
            Self::ManifestUndeleted => "manifest-undeleted",
            Self::ManifestMarked => "manifest-marked",
            Self::TagPut => "tag-put",
            Self::TagDeleted => "tag-deleted",
            Self::BlobDeleted => "blob-deleted",
            Self::TokenCreated => "token-created",
            Self::TokenRevoked => "token-revoked",
            Self::KeyCreated => "key-created",
            Self::KeyRetired => "key-retired",
            Self::AttestationKey => "attestation-key",
        }
    }
}

/// One change. `subject` is what changed (a tag, a digest, a setting's owner); the values are those before and after.
pub(crate) struct Event<'a> {
    pub(crate) at: Millis,
    pub(crate) actor: &'a str,
    pub(crate) kind: Kind,
    pub(crate) repository: Option<&'a RepositoryName>,
    pub(crate) subject: &'a str,
    pub(crate) old: Option<&'a str>,
    pub(crate) new: Option<&'a str>,
}

/// Adds a row in the transaction of the change itself.
pub(super) async fn append(tx: &mut Tx<'_>, event: Event<'_>) -> Result<()> {
    let mut group = Group::default();
    add(&mut group, &event);
    group.send(tx).await?;
    Ok(())
}

/// The same, together with other statements.
pub(super) fn add(group: &mut Group, event: &Event<'_>) {
    group.add(
        "INSERT INTO events (occurred_at, actor, kind, repository, subject, old_value, new_value) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            event.at.into(),
            event.actor.into(),
            event.kind.as_str().into(),
            event.repository.map(RepositoryName::as_str).into(),
            event.subject.into(),
            event.old.into(),
            event.new.into(),
        ],
    );
}
