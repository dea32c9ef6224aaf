//! Where a pulled file goes.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use wreg_oci::RepositoryName;

use crate::{
    error::CliError,
    files::{folder_of, new_file},
    output::write_content,
};

/// The longest file name that is taken from an artifact, in bytes, `.wasm` included.
const MAX_NAME: usize = 200;

/// Where a file is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// stdout.
    Stdout,
    /// A file that appears whole, or not at all; what had the name before is replaced.
    File(PathBuf),
    /// Something that is there and is no file: a pipe, a device. It is written into.
    Special(PathBuf),
}

impl Destination {
    /// Refuses, before anything is fetched, what cannot be written to.
    pub(crate) fn check(output: Option<&Path>, json: bool) -> Result<(), CliError> {
        if output.is_some_and(is_dash) {
            if json {
                return Err(CliError::usage(
                    "-o - and --format json both write to stdout: choose one",
                ));
            }
            if io::stdout().is_terminal() {
                return Err(CliError::usage("stdout is a terminal, which cannot show WebAssembly")
                    .hint("pipe it into another command, or write a file with -o FILE"));
            }
        }
        Ok(())
    }

    /// Where `output` says; without it, the file that the artifact's `title` names, else that the repository names.
    pub(crate) fn choose(
        output: Option<&Path>,
        title: Option<&str>,
        repository: &RepositoryName,
    ) -> Result<Self, CliError> {
        let name = || safe_name(title.unwrap_or_default(), repository);
        let Some(output) = output else {
            return Ok(Self::File(name().into()));
        };
        if is_dash(output) {
            return Ok(Self::Stdout);
        }
        match fs::metadata(output) {
            Ok(there) if there.is_dir() => Ok(Self::File(output.join(name()))),
            Ok(there) if there.is_file() => Ok(Self::File(output.to_owned())),
            Ok(_) => Ok(Self::Special(output.to_owned())),
            Err(_) if folder_of(output).is_dir() => Ok(Self::File(output.to_owned())),
            Err(error) => Err(CliError::failed(format!("cannot write {}", output.display())).because(error)),
        }
    }

    /// Writes all that is in the file `from`. Dropping the future before it is done leaves what was there.
    pub(crate) async fn write(&self, from: &Path) -> Result<(), CliError> {
        let cannot = |error: io::Error| CliError::failed(format!("cannot write {self}")).because(error);
        match self {
            Self::Stdout => {
                let from = File::open(from).map_err(cannot)?;
                let written = tokio::task::spawn_blocking(move || write_content(from)).await;
                written.map_err(|error| cannot(io::Error::other(error)))?
            }
            Self::File(path) => {
                // It stays in this future, so that it goes away when the future does, whatever the copying thread is at.
                let temporary = new_file(folder_of(path)).map_err(cannot)?;
                let into = temporary.reopen();
                copy(from, move || into).await.map_err(cannot)?;
                temporary.persist(path).map_err(|error| cannot(error.error))?;
                Ok(())
            }
            Self::Special(path) => {
                let path = path.clone();
                // Opening a pipe waits for its reader.
                copy(from, move || OpenOptions::new().write(true).open(path))
                    .await
                    .map_err(cannot)
            }
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) | Self::Special(path) => path.display().fmt(f),
        }
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

async fn copy(from: &Path, into: impl FnOnce() -> io::Result<File> + Send + 'static) -> io::Result<()> {
    let from = from.to_owned();
    let copy = tokio::task::spawn_blocking(move || io::copy(&mut File::open(from)?, &mut into()?).map(drop));
    copy.await.map_err(io::Error::other)?
}

/// A name for a file in the current folder. Whoever made the artifact chose the title, so it must not name another folder, hide the
/// file, look like an option, or replace anything but a `.wasm` file.
fn safe_name(title: &str, repository: &RepositoryName) -> String {
    let base = title.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | ' ');
    let stem = base.strip_suffix(".wasm").unwrap_or(base);
    let shown: String = stem.chars().map(|c| if is_fine(c) { c } else { '_' }).collect();
    let shown = shown.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' ']);
    let name = &shown[..shown.floor_char_boundary(MAX_NAME - ".wasm".len())];
    let name = if name.is_empty() {
        repository.last_component()
    } else {
        name
    };
    format!("{name}.wasm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_in_the_current_folder() {
        let repository = "acme/hello".parse().expect("a name");
        for (title, name) in [
            ("hello.wasm", "hello.wasm"),
            ("", "hello.wasm"),
            ("..", "hello.wasm"),
            (".wasm", "hello.wasm"),
            ("../../etc/passwd", "passwd.wasm"),
            ("C:\\x\\y.wasm", "y.wasm"),
            (".bashrc", "bashrc.wasm"),
            ("-rf", "rf.wasm"),
            ("a\n\u{1b}b:c.wasm", "a__b_c.wasm"),
            ("grüße.wasm", "grüße.wasm"),
        ] {
            assert_eq!(safe_name(title, &repository), name, "{title:?}");
        }
        assert_eq!(safe_name(&"ä".repeat(300), &repository).len(), MAX_NAME - 1);
    }

    #[test]
    fn a_folder_gets_the_file_and_a_device_is_written_into() {
        let repository = "acme/hello".parse().expect("a name");
        let folder = tempfile::tempdir().expect("a folder");
        let choose = |path: &Path| Destination::choose(Some(path), None, &repository);
        assert_eq!(
            choose(folder.path()).expect("there"),
            Destination::File(folder.path().join("hello.wasm"))
        );
        assert_eq!(
            choose(Path::new("/dev/null")).expect("there"),
            Destination::Special("/dev/null".into())
        );
        assert_eq!(choose(Path::new("-")).expect("stdout"), Destination::Stdout);
        assert!(choose(&folder.path().join("none/x.wasm")).is_err());
    }
}
