//! Whether manifest, config and bytes of a Wasm artifact say the same.
//!
//! Runtimes and indexes decide by the config, which whoever pushes writes as they like. So wherever the bytes are at hand, what
//! the config says is compared with what they are.

use std::collections::BTreeSet;

use wreg_component::{Inspection, Invalid, Kind};
use wreg_oci::{
    Descriptor,
    wasm::{Os, WasmComponent, WasmConfig},
};

use super::Config;

/// How many names a sentence lists.
const MAX_NAMES: usize = 5;

/// What contradicts what, in sentences; empty if nothing does. `bytes` is what was found in the layer, if it was read.
pub(crate) fn mismatches(
    layer: &Descriptor,
    config: &Config,
    bytes: Option<&Result<Inspection, Invalid>>,
) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(Err(invalid)) = bytes {
        found.push(format!("the bytes are not valid WebAssembly: {invalid}"));
    }
    let config = match config {
        Config::Wasm(config) => config,
        Config::Unreadable(why) => {
            found.push(why.clone());
            return found;
        }
        Config::Other => return found,
    };
    if config.architecture != "wasm" {
        found.push(format!(
            "the config says architecture {:?}, not \"wasm\"",
            config.architecture
        ));
    }
    if config.layer_digests != [layer.digest.clone()] {
        found.push("the config's layerDigests are not the digest of the layer".to_owned());
    }
    match (config.os, &config.component) {
        (Os::Wasip2, None) => found.push("the config says os wasip2 and does not say what the component is".to_owned()),
        (Os::Wasip1, Some(_)) => {
            found.push("the config says os wasip1, a core module, and describes a component".to_owned());
        }
        _ => {}
    }
    if let Some(Ok(inspection)) = bytes {
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
    // A WIT package has no interface of its own, and tools differ in what they write there.
    if let (Some(WasmComponent { exports, imports, .. }), Kind::Component, false) =
        (&config.component, inspection.kind, inspection.shortened)
    {
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

#[cfg(test)]
mod tests {
    use wreg_component::inspect;
    use wreg_oci::{Digest, MediaType};

    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn config(os: Os, component: Option<WasmComponent>, of: &[u8]) -> Config {
        Config::Wasm(WasmConfig {
            created: None,
            author: None,
            architecture: "wasm".to_owned(),
            os,
            layer_digests: vec![Digest::sha256(of)],
            component,
        })
    }

    fn found(config: &Config, bytes: &[u8]) -> Vec<String> {
        mismatches(&Descriptor::of(MediaType::WASM, bytes), config, Some(&inspect(bytes)))
    }

    #[test]
    fn a_config_that_tells_the_truth_is_not_contradicted() {
        assert!(found(&config(Os::Wasip1, None, MODULE), MODULE).is_empty());
        assert!(
            found(
                &config(Os::Wasip2, Some(WasmComponent::default()), COMPONENT),
                COMPONENT
            )
            .is_empty()
        );
        assert!(found(&Config::Other, MODULE).is_empty());
    }

    /// **W02** A core module whose config calls it a component, and the reverse → each is named as a mismatch.
    #[test]
    fn a_module_that_is_called_a_component_is_named() {
        let component = Some(WasmComponent::default());
        assert!(found(&config(Os::Wasip2, component, MODULE), MODULE)[0].contains("the bytes are a core module"));
        assert!(found(&config(Os::Wasip1, None, COMPONENT), COMPONENT)[0].contains("the bytes are a component"));
    }

    #[test]
    fn names_that_are_not_there_are_named() {
        let exports = (0..7).map(|number| format!("acme:a/b{number}@1.0.0")).collect();
        let component = WasmComponent {
            exports,
            ..WasmComponent::default()
        };
        let found = found(&config(Os::Wasip2, Some(component), COMPONENT), COMPONENT);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("acme:a/b4@1.0.0 and 2 more"), "{}", found[0]);
    }

    #[test]
    fn another_layer_than_the_config_names_is_named() {
        assert_eq!(found(&config(Os::Wasip1, None, COMPONENT), MODULE).len(), 1);
    }

    #[test]
    fn bytes_that_are_no_wasm_are_named() {
        assert!(found(&Config::Other, b"\0asm")[0].starts_with("the bytes are not valid WebAssembly"));
    }
}
