//! The components and packages that the tests look at.

use wit_parser::Resolve;

/// The binary of a text in WAT.
pub(crate) fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the sample is well-formed WAT")
}

/// The binary of a WIT package.
pub(crate) fn wit_package(text: &str) -> Vec<u8> {
    wit_package_after(&[], text)
}

/// The binary of a WIT package that refers to those before it.
pub(crate) fn wit_package_after(before: &[&str], text: &str) -> Vec<u8> {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    let mut push = |text| {
        resolve
            .push_str("sample.wit", text)
            .expect("the sample is well-formed WIT")
    };
    before.iter().copied().for_each(|text| {
        push(text);
    });
    let package = push(text);
    wit_component::encode(&resolve, package).expect("the sample can be encoded")
}

/// A core module with an import, an export, a memory, data and a few instructions.
pub(crate) fn module() -> Vec<u8> {
    wat(r#"(module $adder
        (import "env" "log" (func $log (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "hello")
        (func (export "add") (param i32 i32) (result i32)
            local.get 0
            local.get 1
            i32.add))"#)
}

/// A component with nested modules, imported and exported interfaces, resources and documentation of its own.
pub(crate) fn component() -> Vec<u8> {
    wat(r#"(component $greeter
        (import "wasi:clocks/wall-clock@0.2.6" (instance (export "now" (func (result u64)))))
        (import "acme:log/sink@1.2.0" (instance $sink
            (export "line" (type (sub resource)))
            (export "write" (func (param "text" string)))))
        (core module $code
            (memory (export "memory") 1)
            (data (i32.const 0) "some data that stands here")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
            (func (export "greet") (param i32 i32) (result i32) i32.const 0))
        (core instance $code (instantiate $code))
        (func $greet (param "name" string) (result string)
            (canon lift (core func $code "greet") (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
        (instance $greeting (export "greet" (func $greet)))
        (export "acme:hello/greeting@0.3.1" (instance $greeting))
        (export "greet" (func $greet)))"#)
}

/// The text of a WIT package, as the printer writes it.
pub(crate) const WIT: &str = r"package acme:hello@0.3.1;

/// What greets.
interface greeting {
  /// How polite to be.
  enum tone {
    formal,
    warm,
  }

  /// Greets by name.
  greet: func(name: string, tone: tone) -> string;
}

/// Everything that a greeter needs.
world greeter {
  export greeting;
}
world listener {
  import greeting;
}
";

/// A custom section, whole.
pub(crate) fn custom_section(name: &str, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(1 + name.len() + data.len()).expect("the sample is small");
    let mut section = vec![0];
    section.extend(leb(size));
    section.push(u8::try_from(name.len()).expect("the sample's name is short"));
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(data);
    section
}

/// A number as WebAssembly writes it.
pub(crate) fn leb(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [byte, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(byte & 0x7f);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// A section with any identifier, around `content`.
pub(crate) fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut section = vec![id];
    section.extend(leb(u32::try_from(content.len()).expect("the sample is small")));
    section.extend_from_slice(content);
    section
}
