//! One registry: its operations, each of them a few requests.

mod attached;
mod check;
mod collection;
mod components;
mod keys;
mod lists;
mod manifests;
mod open;
mod packages;
mod settings;
mod signatures;
mod tokens;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::StatusCode;
use wreg_oci::{Descriptor, Endpoint, Host, RepositoryName};

pub(crate) use self::signatures::passing_over;
pub use self::{
    check::Check,
    manifests::FetchedManifest,
    packages::PackageMetadata,
    signatures::{FoundSignature, Proven, Signer, Trusted},
};
use crate::{
    BlobSource, Credentials, Error, Progress, PulledBlob, PushedBlob, Secret, Store, auth::Scope, http::Connection,
    transfer,
};

/// One registry. Cheap to clone; clones share connections and tokens.
///
/// Every operation can be dropped at any time: what it was reading or writing is closed, a partial file stays in the store to
/// be taken up again, and no file appears under its name.
#[derive(Debug, Clone)]
pub struct Registry {
    connection: Arc<Connection>,
    store: Option<Store>,
}

impl Registry {
    pub(crate) fn new(connection: Connection, store: Option<Store>) -> Self {
        Self {
            connection: Arc::new(connection),
            store,
        }
    }

    /// Its address.
    pub fn host(&self) -> &Host {
        &self.connection.host
    }

    /// end-1: whether `secret` is good here; [`Error::CredentialsRefused`] if it is not. The credentials of the client's options
    /// are left alone. A registry that asks nobody for credentials takes these too.
    pub async fn check_login(&self, secret: &Secret) -> Result<(), Error> {
        let credentials = Credentials::none().with(self.host().clone(), secret.clone());
        let connection = self.connection.with_credentials(credentials);
        let call = connection.call(&Endpoint::Ping, "a login", Scope::login());
        connection.ask(&call, &[StatusCode::OK]).await?;
        Ok(())
    }

    /// end-2, end-4 to end-6, end-11: sees to it that the repository holds a blob. It is not sent if it is there, or if the
    /// registry takes it over from `mount_from`. Large ones go in chunks of 16 MiB, and go on where a connection broke; memory
    /// does not depend on the size.
    pub async fn push_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        source: BlobSource<'_>,
        mount_from: Option<&RepositoryName>,
        progress: &dyn Progress,
    ) -> Result<PushedBlob, Error> {
        transfer::push(&self.connection, repository, descriptor, source, mount_from, progress).await
    }

    /// end-2, end-11: whether the repository holds a blob, or the registry takes it over from `mount_from`, without any content
    /// being at hand; `None` if it would have to be sent.
    pub async fn find_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        mount_from: Option<&RepositoryName>,
    ) -> Result<Option<PushedBlob>, Error> {
        transfer::find(&self.connection, repository, descriptor, mount_from).await
    }

    /// end-2: a blob into the file `target`, which appears whole and verified, in place of what has that name, or not at all.
    /// With a store it goes there first: an interrupted pull is taken up again, and the next one costs no transfer.
    pub async fn pull_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        target: &Path,
        progress: &dyn Progress,
    ) -> Result<PulledBlob, Error> {
        transfer::pull(
            &self.connection,
            self.store.as_ref(),
            repository,
            descriptor,
            target,
            progress,
        )
        .await
    }

    /// end-2: a blob into the store: its file there, which must not be changed. [`Error::Options`] without a store.
    pub async fn pull_to_store(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, PulledBlob), Error> {
        let store = self
            .store
            .as_ref()
            .ok_or_else(|| Error::Options("the client has no local store".to_owned()))?;
        transfer::pull_to_store(&self.connection, store, repository, descriptor, progress).await
    }

    /// end-2: a small blob, a config say, into memory; [`Error::TooLarge`] if it has more than `max` bytes. From the store if it
    /// is there, and kept there.
    pub async fn blob_bytes(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        max: u64,
    ) -> Result<Bytes, Error> {
        transfer::bytes(&self.connection, self.store.as_ref(), repository, descriptor, max).await
    }

    /// end-2 with `Range`: the bytes of a blob from `range.start` up to, not including, `range.end`, at most 64 MiB; what lies
    /// beyond the blob is left out. A part cannot be verified: who relies on it trusts the registry.
    pub async fn blob_range(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        range: Range<u64>,
    ) -> Result<Bytes, Error> {
        transfer::range(&self.connection, self.store.as_ref(), repository, descriptor, range).await
    }
}
