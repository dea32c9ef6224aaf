//! What is said of two interfaces: tables of WIT texts, and an oracle beside them.

mod bounds;
mod components;
mod members;
mod oracle;
mod packages;
mod resources;
mod worlds;

use std::{collections::BTreeSet, fmt::Write as _};

use wreg_component::{ChangeKind, Comparison, compare};

/// Two interfaces and what is to be said of them: the level, then a line for each change, `!` where it breaks.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
    pub(crate) says: &'static str,
}

/// What a comparison says, as rows have it.
pub(crate) fn said(comparison: &Comparison) -> String {
    let mut said = comparison.level.to_string();
    for change in &comparison.changes {
        let mark = if change.breaking { '!' } else { '*' };
        write!(said, "\n{mark} {change}").expect("a string takes everything");
    }
    said
}

/// A whole text; where `text` begins with `world root`, that of a component.
pub(crate) fn whole(text: &str) -> String {
    if text.trim_start().starts_with("world root") {
        format!("package root:component;\n{text}")
    } else {
        text.to_owned()
    }
}

fn trimmed(text: &str) -> String {
    let lines: Vec<_> = text.trim().lines().map(str::trim).collect();
    lines.join("\n")
}

/// Asserts what is said of each row, all that are wrong at once.
#[track_caller]
pub(crate) fn check(rows: &[Row]) {
    let mut wrong = String::new();
    for row in rows {
        let (old, new) = (whole(row.old), whole(row.new));
        let said = compare(&old, &new).map_or_else(|error| error.to_string(), |found| self::said(&found));
        if said != trimmed(row.says) {
            writeln!(wrong, "--- {}\n+++ {}\n{said}\n", row.old, row.new).expect("a string takes everything");
        }
        for same in [&old, &new] {
            let comparison = compare(same, same).unwrap_or_else(|error| panic!("{error}: {same}"));
            assert_eq!(self::said(&comparison), "same", "{same}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_kind_of_change_occurs_in_a_row() {
    let tables = [
        components::ITEMS,
        components::INTERFACES,
        members::FUNCTIONS,
        members::TYPES,
        resources::RESOURCES,
        worlds::VERSIONS,
        packages::INTERFACES,
        packages::WORLDS,
        packages::MORE,
    ];
    let comparisons = tables
        .into_iter()
        .flatten()
        .filter_map(|row| compare(&whole(row.old), &whole(row.new)).ok());
    let kinds: BTreeSet<_> = comparisons
        .flat_map(|comparison| comparison.changes)
        .map(|change| change.kind)
        .collect();
    // The last of them is as many as there are.
    let all = ChangeKind::DocsChanged as usize + 1;
    assert_eq!(kinds.len(), all, "only {kinds:?}");
}
