//! Components and WIT packages, made from WIT text.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, PackageId, Resolve};

fn read(text: &str) -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("sample.wit", text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    (resolve, package)
}

/// A component for the only world in `text`, whose functions do nothing.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let (resolve, package) = read(text);
    let world = resolve.select_world(&[package], None).expect("there is one world");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("the module takes it");
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.module(&module).expect("it is a module");
    encoder.encode().expect("it becomes a component")
}

/// The WIT package that `text` is.
pub(crate) fn package(text: &str) -> Vec<u8> {
    let (resolve, package) = read(text);
    wit_component::encode(&resolve, package).expect("it can be encoded")
}

/// A component or module with one more custom section, of at most 100 bytes.
pub(crate) fn with_section(wasm: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).ok().filter(|length| *length <= 100);
    let content = [&[length(name.as_bytes()).expect("a short name")], name.as_bytes(), data].concat();
    [wasm, &[0, length(&content).expect("short data")], &content].concat()
}

/// A component that greets, in the version `version` of the interface, which has `functions`.
pub(crate) fn greeter(version: &str, functions: &str) -> Vec<u8> {
    component(&format!(
        "package acme:hello@{version}; interface greet {{ {functions} }} world hello {{ export greet; }}"
    ))
}
