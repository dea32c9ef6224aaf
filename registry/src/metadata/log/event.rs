//! Which entry of the log an event becomes, if any.

use sqlx::FromRow;
use wreg_api::{Signing, Visibility};
use wreg_oci::{RepositoryName, Tag};
use wreg_trust::log::{
    Entry,
    entry::{Op, hashed},
};

use super::super::{
    Result,
    events::{Kind, SERVER},
    parse,
};
use crate::clock::Millis;

/// The longest text that an entry holds, in bytes; of a longer one it holds the hash.
const MAX_TEXT: usize = 2048;

/// An event with what it takes to log it.
#[derive(FromRow)]
pub(super) struct EventRow {
    pub(super) sequence: i64,
    occurred_at: Millis,
    actor: String,
    kind: String,
    pub(super) repository: Option<String>,
    pub(super) subject: String,
    old_value: Option<String>,
    new_value: Option<String>,
    /// Of the repository as it is now.
    visibility: Option<String>,
    /// The layer of the manifest that the tag points to, if that is WebAssembly.
    layer: Option<String>,
}

impl EventRow {
    /// What it is called in the database, if the log has it.
    fn op(&self) -> Option<Op> {
        let ops = [
            (Kind::TagPut, Op::TagPut),
            (Kind::TagDeleted, Op::TagDelete),
            (Kind::ManifestMarked, Op::Mark),
            (Kind::ManifestDeleted, Op::Delete),
            (Kind::ManifestUndeleted, Op::Undelete),
            (Kind::RepositoryCreated, Op::Repository),
            (Kind::SettingsChanged, Op::Repository),
            (Kind::NamespaceChanged, Op::Namespace),
            (Kind::AttestationKey, Op::Key),
        ];
        let op = ops
            .iter()
            .find(|(kind, _)| kind.as_str() == self.kind)
            .map(|(_, op)| *op)?;
        // What the registry itself puts beside artifacts.
        let own = self.actor == SERVER && matches!(op, Op::TagPut | Op::TagDelete | Op::Delete);
        (!own).then_some(op)
    }

    /// Whose name is hashed where not everybody may know it.
    pub(super) fn named(&self) -> Option<&str> {
        match self.op()? {
            Op::Key => None,
            Op::Namespace => Some(&self.subject),
            _ => self.repository.as_deref(),
        }
    }

    /// Whether everybody may know the repository.
    pub(super) fn is_public(&self) -> Result<bool> {
        let visibility = self.visibility.as_deref();
        let visibility = visibility
            .map(|text| parse::<Visibility>(text, "repositories", "visibility"))
            .transpose()?;
        Ok(visibility == Some(Visibility::Public))
    }

    /// The namespace that says whether it is signed.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.repository.as_deref().and_then(|name| name.split('/').next())
    }

    /// The tag that it is about.
    pub(super) fn tag(&self) -> Result<Option<Tag>> {
        match self.op() {
            Some(Op::TagPut | Op::TagDelete) => parse(&self.subject, "events", "subject").map(Some),
            _ => Ok(None),
        }
    }

    /// Whether the registry vouches for it, where `signing` says for what it does.
    pub(super) fn is_signed(&self, signing: Signing) -> Result<bool> {
        if self.op() != Some(Op::TagPut) || self.tag()?.is_some_and(|tag| tag.is_attachment()) {
            return Ok(false);
        }
        Ok(match signing {
            Signing::Off => false,
            Signing::Wasm => self.layer.is_some(),
            Signing::All => true,
        })
    }

    /// The entry, if the log has one; names are hashed with `salt`, if it is given.
    pub(super) fn entry(&self, salt: Option<&str>) -> Result<Option<Entry>> {
        let Some(op) = self.op() else { return Ok(None) };
        let mut entry = Entry::new(op, self.sequence, &self.actor, self.occurred_at);
        let digest = |text: &Option<String>, column| {
            let text = text.as_deref();
            text.map(|text| parse(text, "events", column)).transpose()
        };
        if let Some(name) = self.named() {
            let name: RepositoryName = parse(name, "events", "repository")?;
            let shown = salt.map_or_else(|| name.to_string(), |salt| hashed(&name, salt));
            *(if op == Op::Namespace {
                &mut entry.namespace
            } else {
                &mut entry.repository
            }) = Some(shown);
        }
        match op {
            Op::TagPut | Op::TagDelete => {
                entry.tag = self.tag()?;
                entry.digest = digest(&self.new_value, "new_value")?;
                entry.previous = digest(&self.old_value, "old_value")?;
            }
            Op::Mark => {
                entry.digest = Some(parse(&self.subject, "events", "subject")?);
                (entry.old, entry.new) = (bounded(self.old_value.as_ref()), bounded(self.new_value.as_ref()));
            }
            Op::Delete | Op::Undelete => entry.digest = Some(parse(&self.subject, "events", "subject")?),
            Op::Repository | Op::Namespace => {
                (entry.old, entry.new) = (bounded(self.old_value.as_ref()), bounded(self.new_value.as_ref()));
            }
            Op::Key => {
                entry.key = Some(self.subject.clone());
                entry.new.clone_from(&self.new_value);
            }
        }
        Ok(Some(entry))
    }
}

fn bounded(text: Option<&String>) -> Option<String> {
    let text = text?;
    Some(if text.len() <= MAX_TEXT {
        text.clone()
    } else {
        wreg_oci::Digest::sha256(text).to_string()
    })
}
