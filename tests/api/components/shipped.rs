//! What packages ship, pushed.

use std::path::Path;

use wreg_harness::fixtures;

use super::{push, shown};
use crate::registry::TestRegistry;

/// The reviewed table: `file | verdict | bytes | …`.
const TABLE: &str = include_str!("../../fixtures/shipped.txt");

/// The largest valid file that is pushed here, in bytes. The tests of `wreg-component` look at all.
const LARGEST: usize = 24 << 20;

#[tokio::test]
async fn what_packages_ship_is_taken_and_seen_as_the_table_says() {
    let Some(folder) = fixtures::packages() else { return };
    let registry = TestRegistry::start().await;
    let mut pushed = Vec::new();
    for line in TABLE.lines() {
        let mut columns = line.split(" | ");
        let (Some(name), Some(verdict), Some(size)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let is_file = Path::new(name).extension().is_some_and(|kind| kind == "wasm");
        let invalid = verdict.starts_with("invalid");
        if !is_file || !(invalid || size.parse::<usize>().expect("a number") <= LARGEST) {
            continue;
        }
        let tag = format!("t{}", pushed.len());
        #[expect(clippy::disallowed_methods, reason = "a file of known size")]
        let bytes = std::fs::read(folder.join(name)).expect("it can be read");
        assert_eq!(
            push(&registry, "acme/shipped", &tag, &bytes).await.status(),
            201,
            "{name}"
        );
        let (state, kind) = match verdict {
            "module" | "component" => ("analysed", Some(verdict)),
            "WIT package" => ("analysed", Some("wit-package")),
            _ => ("invalid", None),
        };
        pushed.push((name, tag, state, kind));
    }
    assert!(pushed.len() > 30, "{pushed:?}");
    for (name, tag, state, kind) in pushed {
        let shown = shown(&registry, "acme/shipped", &tag).await;
        assert_eq!(shown["state"], state, "{name}: {}", shown["findings"]);
        assert_eq!(shown["analysis"]["kind"].as_str(), kind, "{name}");
    }
}
