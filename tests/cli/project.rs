//! A WIT project of a user, and the packages that it refers to in a registry.

use std::{fs, path::PathBuf};

use wreg_harness::{RegistryProcess, fixtures::wit};

use crate::wreg::{User, names};

pub(crate) const TYPES: &str = "package acme:types@1.0.0;

interface names {
  type name = string;
}
";

pub(crate) const GREET: &str = "package acme:greet@1.0.0;

/// Greets.
interface greeting {
  use acme:types/names@1.0.0.{name};

  greet: func(name: name) -> string;
}
";

pub(crate) const WORLD: &str = "package acme:app;

world app {
  import acme:greet/greeting@1.0.0;
}
";

/// Somebody whose default registry this is, with a project that refers to `acme:greet`.
pub(crate) fn user_of(registry: &RegistryProcess) -> User {
    let user = User::of(registry).with("WREG_REGISTRY", registry.address().to_string());
    user.file("wit/world.wit", WORLD);
    user
}

/// The same, and the registry has `acme:types` and `acme:greet`, which refers to it, both in version 1.0.0.
pub(crate) fn with_packages(registry: &RegistryProcess) -> User {
    let user = user_of(registry);
    push(registry, "acme/types:1.0.0", &wit::package(&[], TYPES));
    push(registry, "acme/greet:1.0.0", &wit::package(&[TYPES], GREET));
    user
}

/// Pushes a binary, as somebody else; the digest of its content.
pub(crate) fn push(registry: &RegistryProcess, reference: &str, bytes: &[u8]) -> String {
    let publisher = User::of(registry);
    let file = publisher.file("package.wasm", bytes);
    let reference = format!("{}/{reference}", registry.address());
    let json = publisher
        .run(&["push", &file, &reference, "--format", "json"])
        .yes()
        .json();
    json["layer"]["digest"].as_str().expect("a digest").to_owned()
}

/// Has the registry take other content for a version that it has, as other registries do.
pub(crate) fn let_versions_change(registry: &RegistryProcess) {
    let namespace = format!("{}/acme", registry.address());
    let free = ["namespace", "set", &namespace, "--versions", "free"];
    User::of(registry).run(&free).yes();
}

/// Pushes `acme:types` in another version, with another type in it.
pub(crate) fn push_types(registry: &RegistryProcess, version: &str) -> String {
    let text = TYPES
        .replace("1.0.0", version)
        .replace("type name = string;", "type name = string;\n  type other = u8;");
    let tag = version.replace('+', "_");
    push(registry, &format!("acme/types:{tag}"), &wit::package(&[], &text))
}

/// The user's `wit/deps`.
pub(crate) fn deps(user: &User) -> PathBuf {
    user.work().join("wit/deps")
}

/// The text of a file in the folder that the user works in.
pub(crate) fn text(user: &User, name: &str) -> String {
    String::from_utf8(user.read(name)).expect("text")
}

/// Damages every file of the user's local store, or empties it.
pub(crate) fn damage_store(user: &User, is_to_be_empty: bool) {
    let folder = user.store().join("sha256");
    let files = names(&folder);
    assert!(!files.is_empty(), "there is something to damage");
    for name in files {
        let path = folder.join(name);
        let mut bytes = crate::wreg::read(&path);
        fs::remove_file(&path).expect("it is there");
        if !is_to_be_empty {
            bytes[8] ^= 1;
            fs::write(&path, bytes).expect("the store is ours");
        }
    }
}
