//! Whether the config of a Wasm artifact says what its bytes are.
//!
//! Runtimes and indexes decide by the config, which whoever pushes writes as they like. So wherever the bytes are at hand, what
//! the config says is compared with what they are.

use std::collections::BTreeSet;

use wreg_oci::{
    Digest,
    wasm::{Os, WasmComponent, WasmConfig},
};

use crate::{inspect::Inspection, validate::Kind};

/// How many names a sentence lists.
const MAX_NAMES: usize = 5;

/// What in a config contradicts the layer, in sentences; empty if nothing does. `bytes` is what was found in the layer, if it was read
/// and is valid.
pub fn contradictions(config: &WasmConfig, layer: &Digest, bytes: Option<&Inspection>) -> Vec<String> {
    let mut found = Vec::new();
    if config.architecture != "wasm" {
        found.push(format!(
            "the config says architecture {:?}, not \"wasm\"",
            config.architecture
        ));
    }
    if config.layer_digests != [layer.clone()] {
        found.push("the config's layerDigests are not the digest of the layer".to_owned());
    }
    match (config.os, &config.component) {
        (Os::Wasip2, None) => found.push("the config says os wasip2 and does not say what the component is".to_owned()),
        (Os::Wasip1, Some(_)) => {
            found.push("the config says os wasip1, a core module, and describes a component".to_owned());
        }
        _ => {}
    }
    if let Some(inspection) = bytes {
        compare(config, inspection, &mut found);
    }
    found
}

fn compare(config: &WasmConfig, inspection: &Inspection, found: &mut Vec<String>) {
    match (config.os, inspection.kind) {
        (Os::Wasip1, Kind::Component | Kind::WitPackage) => {
            found.push("the config says os wasip1, a core module, and the bytes are a component".to_owned());
        }
        (Os::Wasip2, Kind::Module) => {
            found.push("the config says os wasip2, a component, and the bytes are a core module".to_owned());
        }
        _ => {}
    }
    let Some(component) = &config.component else {
        return;
    };
    if let (Some(target), Some(world)) = (&component.target, &inspection.world)
        && target != world
    {
        found.push(format!(
            "the config says that it targets {target}, and the bytes say {world}"
        ));
    }
    // A WIT package has no interface of its own, and tools differ in what they write there.
    if inspection.kind == Kind::Component && !inspection.shortened {
        let WasmComponent { exports, imports, .. } = component;
        compare_names("exports", exports, inspection.export_names(), found);
        compare_names("imports", imports, inspection.import_names(), found);
    }
}

fn compare_names(verb: &str, config: &[String], bytes: Vec<&str>, found: &mut Vec<String>) {
    let config: BTreeSet<_> = config.iter().map(String::as_str).collect();
    let bytes: BTreeSet<_> = bytes.into_iter().collect();
    if let Some(names) = list(config.difference(&bytes)) {
        found.push(format!(
            "the config says that the component {verb} what it does not: {names}"
        ));
    }
    if let Some(names) = list(bytes.difference(&config)) {
        found.push(format!("the component {verb} what the config does not say: {names}"));
    }
}

fn list<'a>(names: impl Iterator<Item = &'a &'a str>) -> Option<String> {
    let names: Vec<_> = names.copied().collect();
    let (shown, rest) = names.split_at(names.len().min(MAX_NAMES));
    let more = if rest.is_empty() {
        String::new()
    } else {
        format!(" and {} more", rest.len())
    };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}
