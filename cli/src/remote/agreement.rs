//! Whether manifest, config and bytes of a Wasm artifact say the same.

use wreg_component::{Inspection, Invalid, contradictions};
use wreg_oci::Descriptor;

use super::Config;

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
    match config {
        Config::Wasm(config) => {
            let inspection = bytes.and_then(|bytes| bytes.as_ref().ok());
            found.extend(contradictions(config, &layer.digest, inspection));
        }
        Config::Unreadable(why) => found.push(why.clone()),
        Config::Other => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use wreg_component::inspect;
    use wreg_oci::{
        Digest, MediaType,
        wasm::{Os, WasmComponent, WasmConfig},
    };

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
