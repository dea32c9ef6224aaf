//! Programs of the system, by Debian's packages; elsewhere the exact command to run is said.

use std::{io::IsTerminal, path::Path, process::Command};

use anyhow::{Result, bail};

use super::Wants;
use crate::{postgres, process};

/// A thing that must be there, the package that brings it, and what for.
struct Need {
    package: &'static str,
    reason: &'static str,
    met: fn() -> bool,
}

const ALWAYS: &[Need] = &[
    Need {
        package: "skopeo",
        reason: "a client that we did not write, to push and pull with",
        met: || process::find_program("skopeo").is_some(),
    },
    Need {
        package: "nginx-light",
        reason: "a proxy in front of the server, as the how-to has it",
        // Not on every user's path.
        met: || process::find_program("nginx").is_some() || Path::new("/usr/sbin/nginx").is_file(),
    },
];

const CLIENTS: &[Need] = &[
    Need {
        package: "buildah",
        reason: "a client that people have",
        met: || process::find_program("buildah").is_some(),
    },
    Need {
        package: "podman",
        reason: "a client that people have",
        met: || process::find_program("podman").is_some(),
    },
    Need {
        package: "openssl",
        reason: "makes the authority that the clients trust",
        met: || process::find_program("openssl").is_some(),
    },
    Need {
        package: "curl",
        reason: "reads what is not an OCI client's business",
        met: || process::find_program("curl").is_some(),
    },
];

const POSTGRES: &[Need] = &[Need {
    package: "postgresql",
    reason: "the second database that the tests run on",
    met: || postgres::find_programs().is_some(),
}];

const FIXTURES: &[Need] = &[
    Need {
        package: "clang",
        reason: "builds the C component",
        met: || process::find_program("clang").is_some(),
    },
    Need {
        package: "lld",
        reason: "links WebAssembly",
        met: || process::find_program("wasm-ld").is_some(),
    },
    Need {
        package: "wasi-libc",
        reason: "the C library of the C and the Rust component",
        met: || Path::new("/usr/lib/wasm32-wasi/libc.a").is_file(),
    },
    Need {
        package: "libclang-rt-14-dev-wasm32",
        reason: "the compiler's own runtime for the C component",
        met: || Path::new("/usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi/libclang_rt.builtins-wasm32.a").is_file(),
    },
    Need {
        package: "python3-venv",
        reason: "an environment for componentize-py",
        met: has_python,
    },
    Need {
        package: "npm",
        reason: "componentize-js, and modules that npm packages ship",
        met: has_npm,
    },
];

/// Only where the Rust toolchain itself has no `wasm32-wasip1`: a Rust that can build it from source.
const RUST: &[Need] = &[
    Need {
        package: "rustc-web",
        reason: "builds the Rust component",
        met: || Path::new("/usr/bin/rustc").is_file(),
    },
    Need {
        package: "cargo-web",
        reason: "builds the Rust component",
        met: || Path::new("/usr/bin/cargo").is_file(),
    },
    Need {
        package: "rust-web-src",
        reason: "the standard library for wasm32-wasip1",
        met: has_rust_source,
    },
];

const CLIPPY: Need = Need {
    package: "rust-web-clippy",
    reason: "this Rust toolchain has no clippy",
    met: || Path::new("/usr/bin/cargo-clippy").is_file(),
};

const RUSTFMT: Need = Need {
    package: "rustfmt-web",
    reason: "this Rust toolchain has no rustfmt",
    met: || Path::new("/usr/bin/cargo-fmt").is_file(),
};

/// Installs what the tests lack.
pub(super) fn install(wants: Wants) -> Result<()> {
    let mut needs: Vec<&Need> = ALWAYS.iter().collect();
    if wants.postgres {
        needs.extend(POSTGRES);
    }
    if wants.fixtures {
        needs.extend(FIXTURES);
        if !has_rust_target() {
            needs.extend(RUST);
        }
    }
    meet(&needs)
}

/// Installs the clients of registries that Debian has.
pub(crate) fn install_clients() -> Result<()> {
    meet(&ALWAYS.iter().chain(CLIENTS).collect::<Vec<_>>())
}

/// Installs stand-ins for the `cargo clippy` or `cargo fmt` that the Rust toolchain lacks.
pub(crate) fn install_lint_tools(clippy: bool, rustfmt: bool) -> Result<()> {
    let rust = RUST.iter().take(2);
    let needs = rust.chain(clippy.then_some(&CLIPPY)).chain(rustfmt.then_some(&RUSTFMT));
    meet(&needs.collect::<Vec<_>>())
}

/// Whether the Rust toolchain can build for `wasm32-wasip1` as it is (`rustup target add wasm32-wasip1`).
pub(crate) fn has_rust_target() -> bool {
    let mut rustc = Command::new("rustc");
    let folder = process::read(rustc.args(["--print", "target-libdir", "--target", "wasm32-wasip1"]));
    folder.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn has_rust_source() -> bool {
    let sysroot = process::read(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]));
    sysroot.is_ok_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library/std/Cargo.toml")
            .is_file()
    })
}

fn has_python() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
}

fn has_npm() -> bool {
    process::find_program("npm").is_some() && process::find_program("node").is_some()
}

fn meet(needs: &[&Need]) -> Result<()> {
    let missing: Vec<_> = needs.iter().filter(|need| !(need.met)()).collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    for Need { package, reason, .. } in &missing {
        println!("missing: {package} ({reason})");
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!("apt-get install {}", packages.join(" "));
    let Some(apt_get) = find_apt_get() else {
        bail!(
            "cannot install packages here. On Debian run as root: {by_hand}; elsewhere install what these packages bring"
        );
    };
    process::run_quietly(apt_get().arg("update"))?;
    process::run_quietly(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&packages),
    )?;
    match missing.iter().find(|need| !(need.met)()) {
        Some(need) => bail!(
            "{} is installed, and what it should bring is still missing",
            need.package
        ),
        None => Ok(()),
    }
}

/// A maker of `apt-get` commands that may install: as root, or through sudo.
fn find_apt_get() -> Option<impl Fn() -> Command> {
    process::find_program("apt-get")?;
    let root = process::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    // With no terminal to ask for a password on, only a sudo that needs none will do.
    let sudo = || {
        process::succeeds(Command::new("sudo").args(["-n", "true"]))
            || (process::find_program("sudo").is_some() && std::io::stdin().is_terminal())
    };
    let program = if root { "env" } else { sudo().then_some("sudo")? };
    Some(move || {
        let mut command = Command::new(program);
        command.args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
        ]);
        command
    })
}
