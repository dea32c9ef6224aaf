//! The administrator's own token: in a file of the data folder, and by its hash in the database.

use std::{fs, path::Path};

use super::secret::{self, SecretFileError};
use crate::{clock::Millis, metadata, metadata::Metadata};

/// The administrator's token in the data folder.
pub(crate) const FILE: &str = "admin-token";

/// What counts where folder and database do not have the same token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precedence {
    /// The folder: its token takes the place of the database's, and where it has none a new one is made. So it is where the database
    /// is the folder's own, and where the operator asks for it.
    Folder,
    /// The database: several servers share it, each with a folder of its own, and none that starts may take the administrator's token
    /// away from the others.
    Database,
}

/// Why the administrator's token cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdministratorError {
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The file holds something else.
    #[error("no token")]
    NoToken,
    #[error(transparent)]
    Metadata(#[from] metadata::Error),
}

/// Sees to it that there is an administrator's token. Says whether it was made now, and lies in the folder for somebody to read.
pub(crate) async fn ensure(
    folder: &Path,
    metadata: &Metadata,
    precedence: Precedence,
    now: Millis,
) -> Result<bool, AdministratorError> {
    let path = folder.join(FILE);
    let known = metadata.find_administrator().await?;
    if precedence == Precedence::Database && known.is_some() && !path.exists() {
        return Ok(false);
    }
    let generated = || Ok(format!("{}\n", secret::generate()?).into_bytes());
    let (token, made) = secret::load_or_create(&path, generated)?;
    let hash = str::from_utf8(&token)
        .ok()
        .and_then(|token| secret::hash(token.trim_end()));
    let hash = hash.ok_or(AdministratorError::NoToken)?;
    if known.as_deref() == Some(&hash) {
        return Ok(made);
    }
    let is_ours = metadata
        .put_administrator(&hash, precedence == Precedence::Folder, now)
        .await?;
    if is_ours {
        return Ok(made);
    }
    if made {
        // Another server was quicker; nobody has seen ours.
        fs::remove_file(&path).map_err(|source| SecretFileError::Io { path, source })?;
    } else {
        tracing::warn!(
            file = %path.display(),
            "the administrator's token in this file is not the one that counts; start once with --reset-admin-token to make it count"
        );
    }
    Ok(false)
}
