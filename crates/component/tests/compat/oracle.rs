//! The oracle: the subtype check of the component model, as wit-component's `semver_check` asks wasmparser for it.
//!
//! It says yes or no and no more, and takes every version for every other.

use semver::Version;
use wit_component::semver_check;
use wit_parser::{PackageId, Resolve, Span, WorldId};
use wreg_component::{Level, compare};

use super::{Row, components, members, resources, whole, worlds};

/// Reads a text, and gives its packages versions that occur in no other: the check needs both sides in one resolve.
fn read(text: &str, side: u64) -> (Resolve, PackageId) {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    let main = resolve
        .push_str("sample.wit", text)
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    resolve.package_names.clear();
    for (number, (id, package)) in resolve.packages.iter_mut().enumerate() {
        let number = u64::try_from(number).expect("few packages");
        package.name.version = Some(Version::new(1, number, side));
        resolve.package_names.insert(package.name.clone(), id);
    }
    (resolve, main)
}

/// Whether whatever fits the world `fits` of the one text fits the world of that name in the other text, too.
fn fits(text: &str, other: &str, world: &str) -> bool {
    let (mut resolve, main) = read(text, 1);
    let (other, other_main) = read(other, 2);
    let find = |resolve: &Resolve, package: PackageId| -> Option<WorldId> {
        resolve.packages[package].worlds.get(world).copied()
    };
    let one = find(&resolve, main).expect("the world is there");
    let another = find(&other, other_main).expect("the world is there");
    let moved = resolve
        .merge(other)
        .expect("packages of different versions go together");
    let another = moved.map_world(another, Span::default()).expect("the world was moved");
    semver_check(resolve, one, another).is_ok()
}

/// Asserts that the newer side of each row breaks where the oracle says so, and only there.
#[track_caller]
pub(super) fn agrees(rows: &[Row]) {
    for row in rows {
        let (old, new) = (whole(row.old), whole(row.new));
        let level = compare(&old, &new).expect("the row can be compared").level;
        let expected = if row.old.starts_with("world root") {
            // The newer component may stand in for the older one.
            fits(&new, &old, "root")
        } else {
            // What was made for the older world fits the newer one.
            fits(&old, &new, "app")
        };
        assert_eq!(level != Level::Major, expected, "--- {}\n+++ {}", row.old, row.new);
    }
}

/// Every older side of a table beside every newer one: more than 600 pairs. (All tables together, 3,300 pairs, agree too, and take
/// too long to be asked each time.)
#[test]
fn one_component_may_stand_in_for_another_where_its_type_is_a_subtype() {
    for table in [
        components::ITEMS,
        components::INTERFACES,
        members::FUNCTIONS,
        members::TYPES,
        resources::RESOURCES,
        worlds::VERSIONS,
    ] {
        for old in table {
            let crossed = table.iter().map(|new| Row { old: old.old, ..*new });
            agrees(&crossed.collect::<Vec<_>>());
        }
    }
}
