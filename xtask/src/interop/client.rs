//! What a client of registries is to this task: how it is had, and what is done with it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    cargo_tools::CargoTool,
    go_tools::{GoLibrary, GoTool},
    process,
    runner::Runner,
    setup,
};

/// A client, with what a person would do with it.
pub(super) struct Client {
    pub(super) name: &'static str,
    /// What it is, in a few words.
    pub(super) about: &'static str,
    pub(super) install: Install,
    /// Shell lines that make what the steps need, with any client; not shown to readers.
    pub(super) prepare: &'static str,
    /// In order, in one folder: later ones use what earlier ones left.
    pub(super) steps: &'static [Step],
}

/// Where a client comes from.
pub(super) enum Install {
    /// `go install`.
    Go(GoTool),
    /// `cargo install`.
    Cargo(CargoTool),
    /// A package of Debian, which says the version.
    Debian(&'static str),
    /// A library, at the version of the lock file, by an example program of a package here.
    Library { name: &'static str, example: &'static str },
    /// A library of Go, by a program of ours.
    GoLibrary(GoLibrary),
    /// A library of npm, by a script of ours, with what it needs besides.
    Npm {
        name: &'static str,
        version: &'static str,
        besides: &'static str,
        script: &'static str,
    },
}

/// Something a client does: shell lines, all of which must succeed.
///
/// They stand on the page as they are. `$REGISTRY` is a server that speaks TLS and `$TOKEN` its administrator's token, `$LOCAL` and
/// `$LOCAL_TOKEN` the same of one on loopback that does not; `hello.wasm` and `large.wasm` are real components.
pub(super) struct Step {
    pub(super) does: Does,
    pub(super) run: &'static str,
}

/// What is shown by a step. All but the last have a column of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Login,
    Push,
    Pull,
    Copy,
    List,
    Delete,
    /// Login, push and pull with no TLS, by the flag that the client has for it.
    PlainHttp,
    /// What this client is for besides.
    Also(&'static str),
}

impl Does {
    /// What every client should be able to do, in the order of the columns.
    pub(super) const COLUMNS: [Self; 7] = [
        Self::Login,
        Self::Push,
        Self::Pull,
        Self::Copy,
        Self::List,
        Self::Delete,
        Self::PlainHttp,
    ];

    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Copy => "copy",
            Self::List => "list",
            Self::Delete => "delete",
            Self::PlainHttp => "plain http",
            Self::Also(what) => what,
        }
    }
}

/// A client that is there.
pub(super) struct Installed {
    pub(super) program: PathBuf,
    pub(super) version: String,
    /// The command that brings it.
    pub(super) command: String,
}

impl Install {
    /// Brings the client, if it is not there yet.
    pub(super) fn run(&self, runner: &mut Runner) -> Result<Installed> {
        match self {
            Self::Go(tool) => Ok(Installed {
                program: tool.install(runner)?,
                version: tool.version.trim_start_matches('v').to_owned(),
                command: format!("go install {}@{}", tool.package, tool.version),
            }),
            Self::Cargo(tool) => Ok(Installed {
                program: tool.install_unoptimised(runner)?,
                version: tool.version.to_owned(),
                command: format!("cargo install --locked {}@{}", tool.name, tool.version),
            }),
            Self::Library { name, example } => {
                // Of the whole workspace, so that what it shares with the tests is not compiled again with other features.
                process::run(
                    runner
                        .cargo()
                        .args(["build", "--quiet", "--workspace", "--example", example]),
                )?;
                let version = locked_version(&runner.root, name)?;
                Ok(Installed {
                    program: runner.built("examples").join(example),
                    command: format!("cargo add {name}@{version}"),
                    version,
                })
            }
            Self::GoLibrary(library) => Ok(Installed {
                program: library.build(runner)?,
                version: library.version.trim_start_matches('v').to_owned(),
                command: format!("go get {}@{}", library.module, library.version),
            }),
            Self::Npm {
                name,
                version,
                besides,
                script,
            } => {
                let (folder, _lock) = runner.locked_folder("npm-clients")?;
                let folder = folder.join(name.replace('/', "-"));
                let package = format!("{name}@{version}");
                setup::install_npm(&folder, &[&package, besides])?;
                // An import is looked up from where its file lies.
                let program = folder.join("script.mjs");
                fs::write(&program, script)?;
                fs::set_permissions(&program, Permissions::from_mode(0o755))?;
                Ok(Installed {
                    program,
                    version: (*version).to_owned(),
                    command: format!("npm install {package}"),
                })
            }
            Self::Debian(package) => {
                setup::install_clients()?;
                let program = process::find_program(package).with_context(|| format!("{package} is not installed"))?;
                let says = process::read(std::process::Command::new(&program).arg("--version"))?;
                Ok(Installed {
                    program,
                    version: version_in(&says).to_owned(),
                    command: format!("apt-get install {package}"),
                })
            }
        }
    }
}

fn locked_version(root: &Path, package: &str) -> Result<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = "));
    Ok(version
        .with_context(|| format!("{package} is not in Cargo.lock"))?
        .trim_matches('"')
        .to_owned())
}

/// The first word that begins with a digit.
fn version_in(text: &str) -> &str {
    let mut words = text.split_whitespace();
    words
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or("of unknown version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say() {
        assert_eq!(version_in("skopeo version 1.9.3\n"), "1.9.3");
        assert_eq!(
            version_in("buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)"),
            "1.28.2"
        );
    }
}
