//! The two sides while they are compared: what may be relied on in a place, and how a change there is told.

use wit_parser::{Docs, Stability};

use super::{
    change::{Change, ChangeKind as Kind},
    read::Side,
    report::Report,
    same::Types,
    words::{Detail, Words},
};
use crate::text::{MAX_NAME, printable};

/// What somebody may rely on in a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is there for others: what goes breaks them, and more may come.
    Offered,
    /// Others must have it: what comes breaks them, and less may be asked.
    Asked,
    /// Both.
    Agreed,
}

/// Where something is compared.
#[derive(Clone)]
pub(super) struct Place {
    /// As [`Change::at`] says it.
    pub(super) at: String,
    pub(super) role: Role,
    /// Whether the older side says that nobody may rely on it.
    pub(super) unstable: bool,
    /// Whether all but what came is told elsewhere.
    pub(super) only_added: bool,
}

/// The two sides, and what was found so far.
pub(super) struct Comparer<'a> {
    pub(super) old: &'a Side,
    pub(super) new: &'a Side,
    pub(super) types: Types<'a>,
    pub(super) report: Report,
}

impl Place {
    pub(super) fn new(at: String, role: Role) -> Self {
        Self {
            at,
            role,
            unstable: false,
            only_added: false,
        }
    }

    /// The place of what nobody may rely on if `stability` says so.
    pub(super) fn unstable_if(&self, stability: &Stability) -> Self {
        Self {
            unstable: self.unstable || matches!(stability, Stability::Unstable { .. }),
            ..self.clone()
        }
    }
}

impl<'a> Comparer<'a> {
    pub(super) fn docs(&mut self, place: &Place, item: Option<&String>, old: &Docs, new: &Docs) {
        if contents(Some(old)) != contents(Some(new)) {
            self.add(place, Kind::DocsChanged, item.cloned(), None, None);
        }
    }

    /// Tells whether somebody may rely on it more or less than before; the place for what else is to be told of it.
    pub(super) fn stability(
        &mut self,
        place: &Place,
        item: Option<&String>,
        old: &Stability,
        new: &Stability,
    ) -> Place {
        let mark = |stability: &Stability| match stability {
            Stability::Unstable { .. } => Some("unstable"),
            Stability::Stable {
                deprecated: Some(_), ..
            } => Some("deprecated"),
            _ => None,
        };
        let (before, after) = (mark(old), mark(new));
        let place = place.unstable_if(old);
        if before != after {
            let [before, after] = [before, after].map(|mark| mark.map(str::to_owned));
            self.add(&place, Kind::StabilityChanged, item.cloned(), before, after);
        }
        place
    }

    /// Writes two things that differ, in as much detail as it takes to see it.
    pub(super) fn write_both(&self, old: impl Fn(&mut Words<'a>), new: impl Fn(&mut Words<'a>)) -> (String, String) {
        let worlds = self.types.exports.unzip();
        let mut texts = (String::new(), String::new());
        for detail in [Detail::Name, Detail::Home, Detail::Direction, Detail::Definition] {
            let mut before = Words::new(self.old, detail, worlds.0);
            let mut after = Words::new(self.new, detail, worlds.1);
            old(&mut before);
            new(&mut after);
            texts = (before.finish(), after.finish());
            if texts.0 != texts.1 {
                break;
            }
        }
        texts
    }

    pub(super) fn add(
        &mut self,
        place: &Place,
        kind: Kind,
        item: Option<String>,
        before: Option<String>,
        after: Option<String>,
    ) {
        let breaking = match kind {
            Kind::DocsChanged => false,
            Kind::StabilityChanged => after.as_deref() == Some("unstable"),
            kind if kind.is_addition() => place.role != Role::Offered,
            kind if kind.is_removal() => place.role != Role::Asked,
            _ => true,
        };
        let breaking = breaking && !place.unstable;
        if place.only_added && !(breaking && kind.is_addition()) {
            return;
        }
        self.tell(place, kind, breaking, item, before, after);
    }

    pub(super) fn tell(
        &mut self,
        place: &Place,
        kind: Kind,
        breaking: bool,
        item: Option<String>,
        before: Option<String>,
        after: Option<String>,
    ) {
        self.report.add(Change {
            kind,
            breaking,
            at: printable(&place.at, MAX_NAME),
            item: item.map(|item| printable(&item, MAX_NAME)),
            before,
            after,
        });
    }
}

/// What documentation says, without the space around it.
pub(super) fn contents(docs: Option<&Docs>) -> &str {
    docs.and_then(|docs| docs.contents.as_deref())
        .unwrap_or_default()
        .trim()
}
