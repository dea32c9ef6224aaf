//! WebAssembly on this machine: read, hashed, validated and inspected in one go.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use wreg_component::{Inspection, Invalid, Validator, inspect};
use wreg_oci::Digest;

use crate::error::CliError;

/// The largest file that is read, in bytes: 1 GiB, which is also the most that a module may have by wasmparser's limits.
pub(crate) const MAX_SIZE: u64 = 1 << 30;

/// How much is read at a time, in bytes.
const PIECE: usize = 256 * 1024;

/// A valid WebAssembly file.
pub(crate) struct Local {
    pub(crate) bytes: Bytes,
    /// sha256.
    pub(crate) digest: Digest,
    pub(crate) inspection: Inspection,
}

/// A file as people call it.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads the file at `path`, or stdin where it is `-`, at most 1 GiB of it. The inner error says that the bytes are not valid.
pub(crate) async fn read(path: &Path) -> Result<Result<Local, Invalid>, CliError> {
    let owned = path.to_owned();
    let cannot = || CliError::failed(format!("cannot read {}", name(path)));
    match tokio::task::spawn_blocking(move || read_blocking(&owned)).await {
        Ok(Ok(Some(read))) => Ok(read),
        Ok(Ok(None)) => Err(CliError::no(format!("{} is larger than 1 GiB", name(path)))),
        Ok(Err(error)) => Err(cannot().because(error)),
        Err(error) => Err(cannot().because(error)),
    }
}

/// `None` if there are too many bytes.
fn read_blocking(path: &PathBuf) -> io::Result<Option<Result<Local, Invalid>>> {
    if path.as_os_str() == "-" {
        read_from(io::stdin().lock())
    } else {
        read_from(File::open(path)?)
    }
}

fn read_from(file: impl Read) -> io::Result<Option<Result<Local, Invalid>>> {
    let mut file = file.take(MAX_SIZE + 1);
    let mut bytes = Vec::new();
    (&mut file).take(PIECE as u64).read_to_end(&mut bytes)?;
    // A film that was named by mistake is refused by its beginning.
    if let Err(invalid) = Validator::new().push(&bytes) {
        return Ok(Some(Err(invalid)));
    }
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Ok(None);
    }
    let bytes = Bytes::from(bytes);
    Ok(Some(inspect(&bytes).map(|inspection| Local {
        digest: Digest::sha256(&bytes),
        bytes,
        inspection,
    })))
}
