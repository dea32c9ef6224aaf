//! Files of a person's own folders: read whole and within bounds, and replaced whole or not at all.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::error::CliError;

/// What the names of temporary files begin with: a leading dot hides them, and no tool takes them for what they become.
pub(crate) const TEMPORARY: &str = ".wreg-";

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A temporary file with the permissions of an ordinary one. It goes away when dropped.
pub(crate) fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Puts a file with this content in place of what has the name; a symbolic link is replaced, and what it points to is not touched.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = new_file(folder_of(path))?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The text of a file of at most `max` bytes; `None` if there is no such file.
pub(crate) fn read_text(path: &Path, max: u64) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(max.saturating_add(1)).read_to_string(&mut text)?;
    if text.len() as u64 > max {
        return Err(io::Error::other(format!("it is larger than {max} bytes")));
    }
    Ok(Some(text))
}

/// The same of a file that somebody has named, so that it is to be there.
pub(crate) fn read_named(path: &Path, max: u64) -> Result<String, CliError> {
    let text = read_text(path, max)
        .map_err(|error| CliError::failed(format!("cannot read {}", path.display())).because(error))?;
    text.ok_or_else(|| CliError::failed(format!("there is no file {}", path.display())))
}
