//! What a registry tells everybody: nobody's credentials go along.

use bytes::Bytes;
use http::{Method, StatusCode};
use wreg_api::{LOG_SALT, LogSalt, PUBLICATION, Publication};
use wreg_oci::{RepositoryName, TagOrDigest};
use wreg_trust::{
    anchors::{self, Anchors},
    log::{Tile, tile::Row},
};

use super::Registry;
use crate::{
    Credentials, Error,
    http::{Access, Call, read_at_most},
};

/// The most bytes of a tile of hashes, of a bundle of entries, and of a checkpoint.
const MAX_TILE: u64 = 8192;
const MAX_ENTRIES: u64 = 17 << 20;
const MAX_CHECKPOINT: u64 = 1 << 20;

impl Registry {
    /// A file of the registry's own, asked for once. `None` where there is none.
    pub(super) async fn open_file(&self, path: &str, what: &str, max: u64) -> Result<Option<Bytes>, Error> {
        let connection = self.connection.with_credentials(Credentials::none());
        let url = connection.origin.at(path);
        let call = Call::new(Method::GET, url, what, Access::Personal(None));
        let asked = async {
            let response = connection.ask_once(&call, &[StatusCode::OK], &|_| ()).await?;
            let body = read_at_most(response, max).await;
            body.map_err(|failure| failure.at(self.host(), what))
        };
        match asked.await {
            Ok(body) => Ok(Some(body)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the registry says of itself to whoever is to trust it. `None` where it says nothing: it is another one than wreg.
    pub async fn anchors(&self) -> Result<Option<Anchors>, Error> {
        const WHAT: &str = "keys that it signs with";
        let file = self.open_file(anchors::PATH, WHAT, anchors::MAX_LEN as u64).await?;
        let read = |bytes: Bytes| {
            let anchors = serde_json::from_slice(&bytes);
            anchors.map_err(|error| self.connection.misunderstood(WHAT, error.to_string()))
        };
        file.map(read).transpose()
    }

    /// The signed checkpoint of the log that is served under `path`.
    pub async fn checkpoint(&self, path: &str) -> Result<Option<String>, Error> {
        const WHAT: &str = "checkpoint of its log";
        let file = self
            .open_file(&format!("{path}/checkpoint"), WHAT, MAX_CHECKPOINT)
            .await?;
        let read = |bytes: Bytes| {
            let text = String::from_utf8(bytes.into());
            text.map_err(|error| self.connection.misunderstood(WHAT, error.to_string()))
        };
        file.map(read).transpose()
    }

    /// A tile of that log, unchecked: what follows from it is what is checked.
    pub async fn tile(&self, path: &str, tile: Tile) -> Result<Option<Bytes>, Error> {
        let max = if tile.row == Row::Entries {
            MAX_ENTRIES
        } else {
            MAX_TILE
        };
        self.open_file(&format!("{path}/{tile}"), "part of its log", max).await
    }

    /// How far the registry is with logging and signing what a tag or digest selects; waits for it for up to `wait` seconds, 30 at most.
    pub async fn publication(
        &self,
        repository: &RepositoryName,
        at: &TagOrDigest,
        wait: u64,
    ) -> Result<Publication, Error> {
        let parameters = [("reference", at.to_string()), ("wait", wait.to_string())];
        let url = self.about(PUBLICATION, repository, &parameters);
        self.get(url, repository, &format!("publication of {repository}, {at}"))
            .await
    }

    /// What the name of a repository is hashed with in the registry's log, if it is.
    pub async fn log_salt(&self, repository: &RepositoryName) -> Result<LogSalt, Error> {
        let url = self.about(LOG_SALT, repository, &[]);
        self.get(url, repository, &format!("salt of {repository}")).await
    }
}
