//! What an artifact says of the component in it.

pub(crate) mod annotations;

use wreg_component::{Inspection, Kind, Package};
use wreg_oci::wasm::WasmComponent;

/// The interface of a component for its config; a core module has none. A WIT package exports, in the config, its worlds and
/// interfaces by their qualified names.
pub(crate) fn component(inspection: &Inspection) -> Option<WasmComponent> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    match (inspection.kind, &inspection.package) {
        (Kind::Module, _) => None,
        (Kind::WitPackage, Some(package)) => Some(WasmComponent {
            exports: qualified(package),
            ..WasmComponent::default()
        }),
        (Kind::WitPackage | Kind::Component, _) => Some(WasmComponent {
            exports: owned(inspection.export_names()),
            imports: owned(inspection.import_names()),
            target: inspection.world.clone(),
        }),
    }
}

fn qualified(package: &Package) -> Vec<String> {
    let (name, version) = match package.name.split_once('@') {
        Some((name, version)) => (name, format!("@{version}")),
        None => (package.name.as_str(), String::new()),
    };
    package
        .worlds
        .iter()
        .chain(&package.interfaces)
        .map(|item| format!("{name}/{item}{version}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wit_package_exports_its_worlds_and_interfaces() {
        let package = Package {
            name: "acme:hello@1.0.0".to_owned(),
            worlds: vec!["hello".to_owned()],
            interfaces: vec!["greet".to_owned()],
        };
        assert_eq!(
            qualified(&package),
            ["acme:hello/hello@1.0.0", "acme:hello/greet@1.0.0"]
        );
    }

    #[test]
    fn a_core_module_has_no_interface() {
        let module = wreg_component::inspect(b"\0asm\x01\0\0\0").expect("the empty module");
        assert_eq!(component(&module), None);
    }
}
