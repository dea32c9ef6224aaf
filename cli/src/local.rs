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
    let local = |bytes: Bytes| {
        inspect(&bytes).map(|inspection| Local {
            digest: Digest::sha256(&bytes),
            bytes,
            inspection,
        })
    };
    look(path, local).await
}

/// What a file is that was pulled, and whose digest is known: it was validated before it was pushed, so that the bodies of its functions
/// are not looked at again. The inner error says that the bytes are no WebAssembly all the same.
pub(crate) async fn outline(path: &Path) -> Result<Result<Inspection, Invalid>, CliError> {
    look(path, |bytes: Bytes| wreg_component::outline(&bytes)).await
}

async fn look<T: Send + 'static>(
    path: &Path,
    look: impl FnOnce(Bytes) -> Result<T, Invalid> + Send + 'static,
) -> Result<Result<T, Invalid>, CliError> {
    let owned = path.to_owned();
    let cannot = || CliError::failed(format!("cannot read {}", name(path)));
    let read = move || read_blocking(&owned).map(|read| read.map(|bytes| bytes.and_then(look)));
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(Some(read))) => Ok(read),
        Ok(Ok(None)) => Err(CliError::no(format!("{} is larger than 1 GiB", name(path)))),
        Ok(Err(error)) => Err(cannot().because(error)),
        Err(error) => Err(cannot().because(error)),
    }
}

/// `None` if there are too many bytes.
fn read_blocking(path: &PathBuf) -> io::Result<Option<Result<Bytes, Invalid>>> {
    if path.as_os_str() == "-" {
        read_from(io::stdin().lock(), 0)
    } else {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        read_from(file, length)
    }
}

fn read_from(file: impl Read, length: u64) -> io::Result<Option<Result<Bytes, Invalid>>> {
    let mut file = file.take(MAX_SIZE + 1);
    let length = usize::try_from(length.min(MAX_SIZE)).unwrap_or_default();
    // A byte more, so that the end is found without growing.
    let mut bytes = Vec::with_capacity(length + 1);
    (&mut file).take(PIECE as u64).read_to_end(&mut bytes)?;
    // A film that was named by mistake is refused by its beginning.
    if let Err(invalid) = Validator::new().push(&bytes) {
        return Ok(Some(Err(invalid)));
    }
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Ok(None);
    }
    Ok(Some(Ok(bytes.into())))
}
