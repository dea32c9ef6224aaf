//! WIT text as a folder of files, in the layout that tools read it from.

use std::collections::HashSet;

use serde::Serialize;
use wit_parser::PackageName;

use super::{MAX_WIT_TEXT, check, print, write_apart};
use crate::invalid::Invalid;

/// One file of a `wit` folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderFile {
    /// Where it belongs in the folder: `world.wit` for the main package, `deps/acme-log-1.2.0/package.wit` for each other one. It has
    /// letters, digits, `-`, `+` and `.` in each part and leads nowhere else.
    pub path: String,
    /// One package.
    pub text: String,
}

/// The WIT text of a component or WIT package that is in memory, as the files of a folder that `wit-bindgen`, `wasm-tools` and others
/// read: the main package first, then every other package that it mentions. A component's main package is called `root:component`
/// and its world `root`.
///
/// # Errors
///
/// As [`wit`](crate::wit()), and [`Reason::NoWit`](crate::Reason::NoWit) where the files were longer than [`MAX_WIT_TEXT`] together.
pub fn wit_folder(bytes: &[u8]) -> Result<Vec<FolderFile>, Invalid> {
    check(bytes)?;
    write_apart(|| make(bytes))
}

fn make(bytes: &[u8]) -> Result<Vec<FolderFile>, String> {
    let decoded = wit_component::decode(bytes).map_err(|error| format!("{error:#}"))?;
    let (resolve, main) = (decoded.resolve(), decoded.package());
    let others = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != main);
    let mut files: Vec<FolderFile> = Vec::new();
    let mut left = MAX_WIT_TEXT;
    let mut folders = HashSet::new();
    for id in std::iter::once(main).chain(others) {
        let printed = print::print(resolve, id, &[], left)?;
        if printed.truncated {
            return Err("it is longer than 2 MiB".to_owned());
        }
        let text = printed.text;
        left -= text.len();
        let path = if id == main {
            "world.wit".to_owned()
        } else {
            format!("deps/{}/package.wit", folder(&resolve.packages[id].name, &mut folders))
        };
        files.push(FolderFile { path, text });
    }
    Ok(files)
}

/// A folder for a package, one that none of `taken` is, on file systems that do not tell upper case from lower case either.
fn folder(name: &PackageName, taken: &mut HashSet<String>) -> String {
    let version = name.version.as_ref().map(|version| format!("-{version}"));
    let plain = format!("{}-{}{}", name.namespace, name.name, version.unwrap_or_default());
    // `a-b:c` and `a:b-c` want the same one.
    let mut folder = plain.clone();
    let mut number = 2;
    while !taken.insert(folder.to_ascii_lowercase()) {
        folder = format!("{plain}.{number}");
        number += 1;
    }
    folder
}
