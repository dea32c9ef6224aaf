//! What may be done: a set of actions, written as words separated by commas.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// `pull`: read blobs, manifests, tags, referrers and settings.
    Pull,
    /// `tag:create`: write blobs and manifests, and give manifests tags that are not there yet.
    CreateTag,
    /// `tag:update`: write blobs and manifests, and move tags that are there to other manifests.
    UpdateTag,
    /// `delete`: take tags, manifests and blobs away.
    Delete,
    /// `repo:admin`: change the settings of a repository.
    AdministerRepository,
    /// `server:admin`: tokens, keys, collection, checks.
    AdministerServer,
}

impl Action {
    /// Every action, in the order in which they are written.
    pub const ALL: [Self; 6] = [
        Self::Pull,
        Self::CreateTag,
        Self::UpdateTag,
        Self::Delete,
        Self::AdministerRepository,
        Self::AdministerServer,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::CreateTag => "tag:create",
            Self::UpdateTag => "tag:update",
            Self::Delete => "delete",
            Self::AdministerRepository => "repo:admin",
            Self::AdministerServer => "server:admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The ordinary word for `tag:create` and `tag:update` together.
const PUSH: &str = "push";

/// A set of actions; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actions(u8);

impl Actions {
    /// All of them.
    pub const ALL: Self = Self((1 << Action::ALL.len()) - 1);
    /// `push`: creating and updating tags.
    pub const PUSH: Self = Self(Action::CreateTag.bit() | Action::UpdateTag.bit());

    /// Whether `action` is among them.
    pub fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// Those that are among them, in the order of [`Action::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }
}

impl From<Action> for Actions {
    fn from(action: Action) -> Self {
        Self(action.bit())
    }
}

/// Those of both.
impl std::ops::BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// In the order of [`Action::ALL`], with `push` for its two.
impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let push = self.contains(Action::CreateTag) && self.contains(Action::UpdateTag);
        let words = self.iter().filter_map(|action| match action {
            Action::CreateTag if push => Some(PUSH),
            Action::UpdateTag if push => None,
            other => Some(other.as_str()),
        });
        for (i, word) in words.enumerate() {
            write!(f, "{}{word}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Actions {
    type Err = InvalidActions;

    fn from_str(text: &str) -> Result<Self, InvalidActions> {
        let mut set = 0;
        for word in text.split(',') {
            let named = Action::ALL.into_iter().find(|action| action.as_str() == word);
            set |= match named {
                Some(action) => action.bit(),
                None if word == PUSH => Self::PUSH.0,
                None => return Err(InvalidActions(word.chars().take(MAX_SHOWN).collect())),
            };
        }
        Ok(Self(set))
    }
}

impl TryFrom<String> for Actions {
    type Error = InvalidActions;

    fn try_from(text: String) -> Result<Self, InvalidActions> {
        text.parse()
    }
}

impl From<Actions> for String {
    fn from(actions: Actions) -> Self {
        actions.to_string()
    }
}

/// How much of a wrong word its error repeats, in characters.
const MAX_SHOWN: usize = 40;

/// A word that is no action; its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no action: there are pull, push (tag:create and tag:update), delete, repo:admin and server:admin, separated by commas"
)]
pub struct InvalidActions(pub String);
