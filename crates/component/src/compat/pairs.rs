//! Which import or export of one world is which of another.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use semver::Version;
use wit_parser::{IndexMap, WorldItem, WorldKey};

use super::{comparer::Role, items::function_item, read::Side};

/// An import or export.
pub(super) struct Entry<'a> {
    /// Whether it is known by its interface, and not by a name of its own.
    pub(super) is_interface: bool,
    /// Its name, with the version of its interface.
    pub(super) full_name: String,
    /// The same for every version on its track.
    pub(super) track: String,
    /// The same without a version.
    pub(super) path: String,
    pub(super) version: Option<Version>,
    pub(super) item: &'a WorldItem,
}

impl<'a> Entry<'a> {
    pub(super) fn all_of(side: &'a Side, items: &'a IndexMap<WorldKey, WorldItem>) -> Vec<Self> {
        let mut entries: Vec<_> = items.iter().map(|(key, item)| Self::of(side, key, item)).collect();
        entries.sort_by(|one, other| one.version.cmp(&other.version));
        entries
    }

    fn of(side: &'a Side, key: &WorldKey, item: &'a WorldItem) -> Self {
        let version = match item {
            WorldItem::Interface { id, .. } => side.foreign(*id).and_then(|package| package.version.clone()),
            _ => None,
        };
        let (full_name, track) = match key {
            WorldKey::Interface(id) => (side.full_name(*id), side.track(*id)),
            WorldKey::Name(name) => (name.clone(), name.clone()),
        };
        Self {
            is_interface: matches!(key, WorldKey::Interface(_)),
            path: full_name.split('@').next().unwrap_or_default().to_owned(),
            full_name,
            track,
            version,
            item,
        }
    }

    /// What people call it.
    pub(super) fn shown(&self) -> String {
        if self.full_name.starts_with('[') {
            function_item(&self.full_name)
        } else {
            self.full_name.clone()
        }
    }

    pub(super) fn noun(&self) -> &'static str {
        match self.item {
            WorldItem::Interface { .. } => "an interface",
            WorldItem::Function(_) => "a function",
            WorldItem::Type { .. } => "a type",
        }
    }
}

/// Two imports or exports that are the same one.
pub(super) struct Pair<'a> {
    pub(super) old: Entry<'a>,
    pub(super) new: Entry<'a>,
    /// Whether they are on the same track.
    pub(super) fits: bool,
}

/// The imports of two worlds, or their exports.
pub(super) struct Direction<'a> {
    /// `import` or `export`.
    pub(super) word: &'static str,
    pub(super) role: Role,
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) went: Vec<Entry<'a>>,
    pub(super) came: Vec<Entry<'a>>,
}

/// Takes out of both lists what has the same key, in the order of the lists.
fn take_pairs<'a, K: Eq + Hash>(
    old: &mut Vec<Entry<'a>>,
    new: &mut Vec<Entry<'a>>,
    key: impl Fn(&Entry<'a>) -> K,
) -> Vec<(Entry<'a>, Entry<'a>)> {
    let mut places: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (at, entry) in new.iter().enumerate() {
        places.entry(key(entry)).or_default().push_back(at);
    }
    let mut free: Vec<_> = new.drain(..).map(Some).collect();
    let mut pairs = Vec::new();
    for entry in std::mem::take(old) {
        let place = places.get_mut(&key(&entry)).and_then(VecDeque::pop_front);
        match place.and_then(|at| free[at].take()) {
            Some(other) => pairs.push((entry, other)),
            None => old.push(entry),
        }
    }
    new.extend(free.into_iter().flatten());
    pairs
}

impl<'a> Direction<'a> {
    pub(super) fn new(word: &'static str, role: Role, mut went: Vec<Entry<'a>>, mut came: Vec<Entry<'a>>) -> Self {
        let mut pairs = Vec::new();
        let mut take = |key: for<'e> fn(&'e Entry<'a>) -> &'e str, fits| {
            let key = |entry: &Entry<'a>| (entry.is_interface, key(entry).to_owned());
            let found = take_pairs(&mut went, &mut came, key);
            pairs.extend(found.into_iter().map(|(old, new)| Pair { old, new, fits }));
        };
        take(|entry| &entry.full_name, true);
        take(|entry| &entry.track, true);
        take(|entry| &entry.path, false);
        Self {
            word,
            role,
            pairs,
            went,
            came,
        }
    }
}
