//! What an artifact says of the component in it.

pub(crate) mod annotations;

use wreg_component::{Inspection, Kind, Package};
use wreg_oci::wasm::WasmComponent;

use crate::error::CliError;

/// The interface of a component for its config; a core module has none. A WIT package exports, in the config, its worlds and
/// interfaces by their qualified names.
///
/// Fails where the config would not say all of it: the inspection lists and shows only so much, and a config must not lie.
pub(crate) fn component(inspection: &Inspection) -> Result<Option<WasmComponent>, CliError> {
    let component = match (inspection.kind, &inspection.package) {
        (Kind::Module, _) => return Ok(None),
        (Kind::WitPackage, Some(package)) => WasmComponent {
            exports: qualified(package),
            ..WasmComponent::default()
        },
        (Kind::WitPackage | Kind::Component, _) => WasmComponent {
            exports: owned(inspection.export_names()),
            imports: owned(inspection.import_names()),
            target: inspection.world.clone(),
        },
    };
    let is_altered = |name: &&String| name.ends_with('…') || name.contains(char::REPLACEMENT_CHARACTER);
    if inspection.shortened {
        return Err(CliError::no(
            "the component has more imports or exports than its config can name",
        ));
    }
    if let Some(name) = component.exports.iter().chain(&component.imports).find(is_altered) {
        return Err(CliError::no(format!(
            "the component has a name that its config cannot say as it is: {name}"
        )));
    }
    Ok(Some(component))
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
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
        assert_eq!(component(&module).expect("nothing to say"), None);
    }
}
