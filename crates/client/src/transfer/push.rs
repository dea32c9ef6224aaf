//! A blob into a repository, by the cheapest way that there is: it is there, it is elsewhere at the registry, or it is sent.

use http::{Method, StatusCode};
use wreg_oci::{Descriptor, Endpoint, RepositoryName};

use super::{
    source::BlobSource,
    upload::{Session, Upload},
};
use crate::{Error, Progress, auth::Scope, http::Connection};

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushedBlob {
    /// It was there.
    Existed,
    /// The registry took it over from another repository.
    Mounted,
    /// It was sent.
    Uploaded,
}

/// Sees to it that `repository` holds the blob.
pub(crate) async fn push(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    source: BlobSource<'_>,
    mount_from: Option<&RepositoryName>,
    progress: &dyn Progress,
) -> Result<PushedBlob, Error> {
    source.check(descriptor).await?;
    let session = match search(connection, repository, descriptor, mount_from).await? {
        Search::Found(found) => return Ok(found),
        Search::Opened(session) => Some(session),
        Search::Missing => None,
    };
    progress.start(&descriptor.digest, descriptor.size);
    let upload = Upload::new(connection, repository, descriptor, &source, progress);
    upload.run(session).await?;
    progress.finish(&descriptor.digest);
    Ok(PushedBlob::Uploaded)
}

/// The ways that need no content: how the blob came to be in `repository`, or `None` if it has to be sent.
pub(crate) async fn find(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    mount_from: Option<&RepositoryName>,
) -> Result<Option<PushedBlob>, Error> {
    match search(connection, repository, descriptor, mount_from).await? {
        Search::Found(found) => Ok(Some(found)),
        Search::Opened(session) => {
            session
                .cancel(connection, repository, &super::what(repository, descriptor))
                .await;
            Ok(None)
        }
        Search::Missing => Ok(None),
    }
}

enum Search {
    Found(PushedBlob),
    /// The registry does not mount it, and has opened an upload instead.
    Opened(Session),
    Missing,
}

async fn search(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    mount_from: Option<&RepositoryName>,
) -> Result<Search, Error> {
    if exists(connection, repository, descriptor).await? {
        return Ok(Search::Found(PushedBlob::Existed));
    }
    match mount_from.filter(|from| *from != repository) {
        Some(from) => mount(connection, repository, descriptor, from).await,
        None => Ok(Search::Missing),
    }
}

/// end-2, `HEAD`: whether the repository holds the blob.
pub(super) async fn exists(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
) -> Result<bool, Error> {
    let endpoint = Endpoint::GetBlob(repository.clone(), descriptor.digest.clone());
    let what = super::what(repository, descriptor);
    let mut call = connection.call(&endpoint, &what, Scope::push(repository));
    call.method = Method::HEAD;
    match connection.ask(&call, &[StatusCode::OK]).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// end-11. A refusal is none of the push's business: the blob can still be sent.
async fn mount(
    connection: &Connection,
    repository: &RepositoryName,
    descriptor: &Descriptor,
    from: &RepositoryName,
) -> Result<Search, Error> {
    let endpoint = Endpoint::MountBlob(repository.clone(), descriptor.digest.clone(), Some(from.clone()));
    let what = super::what(repository, descriptor);
    let call = connection.call(&endpoint, &what, Scope::mount(repository, from));
    match connection
        .ask(&call, &[StatusCode::CREATED, StatusCode::ACCEPTED])
        .await
    {
        Ok(response) if response.status() == StatusCode::CREATED => Ok(Search::Found(PushedBlob::Mounted)),
        Ok(response) => Ok(Search::Opened(Session::opened(connection, &what, &response)?)),
        Err(Error::Unauthorized { .. }) => Ok(Search::Missing),
        Err(error) if error.is_no() => Ok(Search::Missing),
        Err(error) => Err(error),
    }
}
