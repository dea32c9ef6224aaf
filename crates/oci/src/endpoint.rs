//! The distribution API's grammar of URLs, for both ends: the server parses it, clients build it.
//!
//! Source: OCI distribution specification, "Endpoints", end-1 to end-14, and the catalog of Docker's registry API. Repository
//! names hold slashes, so a path is read from its right end. Escapes are decoded once and within one path segment: an encoded
//! slash never becomes a separator.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    digest::{Algorithm, Digest, InvalidDigest},
    media_type::{InvalidMediaType, MediaType},
    name::{InvalidRepositoryName, RepositoryName},
    page::{InvalidPage, Page},
    tag::{InvalidTag, Tag},
    tag_or_digest::{InvalidTagOrDigest, TagOrDigest},
};

/// The most `tag` parameters in one manifest push.
pub const MAX_TAGS: usize = 10;

/// One operation of the API: at once the route, the subject of authorisation, and the record for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// end-1: `GET /v2/`.
    Ping,
    /// end-2: `GET` and `HEAD /v2/<name>/blobs/<digest>`.
    GetBlob(RepositoryName, Digest),
    /// end-3: `GET` and `HEAD /v2/<name>/manifests/<tag or digest>`.
    GetManifest(RepositoryName, TagOrDigest),
    /// end-4a and end-4c: `POST /v2/<name>/blobs/uploads/[?digest-algorithm=]`.
    StartUpload(RepositoryName, Option<Algorithm>),
    /// end-4b: `POST /v2/<name>/blobs/uploads/?digest=`, the blob as body.
    PushBlob(RepositoryName, Digest),
    /// end-11: `POST /v2/<name>/blobs/uploads/?mount=[&from=]`.
    MountBlob(RepositoryName, Digest, Option<RepositoryName>),
    /// end-5: `PATCH` of an upload.
    AppendUpload(RepositoryName, UploadSession),
    /// end-6: `PUT` of an upload with `?digest=`.
    CompleteUpload(RepositoryName, UploadSession, Digest),
    /// end-13: `GET` of an upload.
    GetUpload(RepositoryName, UploadSession),
    /// end-14: `DELETE` of an upload.
    CancelUpload(RepositoryName, UploadSession),
    /// end-7a and end-7b: `PUT /v2/<name>/manifests/<tag or digest>[?tag=]`.
    PutManifest(RepositoryName, TagOrDigest, Vec<Tag>),
    /// end-9: `DELETE /v2/<name>/manifests/<tag or digest>`.
    DeleteManifest(RepositoryName, TagOrDigest),
    /// end-10: `DELETE /v2/<name>/blobs/<digest>`.
    DeleteBlob(RepositoryName, Digest),
    /// end-8: `GET /v2/<name>/tags/list[?n=&last=]`.
    ListTags(RepositoryName, Page),
    /// end-12: `GET /v2/<name>/referrers/<digest>[?artifactType=][&last=]`. The digest after `last` is wreg's own: with it begins the
    /// page that a `Link` leads to.
    ListReferrers(RepositoryName, Digest, Option<MediaType>, Option<Digest>),
    /// `GET /v2/_catalog[?n=&last=]`.
    ListRepositories(Page),
}

/// The last part of an upload's URL: made by the server, opaque to clients, and not yet known to be anything.
pub type UploadSession = String;

/// Why a request is none of the endpoints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// The path is none of the API's.
    #[error("there is nothing at this path")]
    Path,
    /// The path is one, and the method is not among those listed.
    #[error("this method is not allowed here: {0} are")]
    Method(&'static str),
    /// The name is outside the grammar.
    #[error(transparent)]
    Name(#[from] InvalidRepositoryName),
    /// The digest in the path or in the query is missing or outside the grammar.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// The tag to be written is outside the grammar.
    #[error(transparent)]
    TagToWrite(InvalidTag),
    /// The tag to be read or deleted is outside the grammar, so no manifest can have it.
    #[error("no manifest can have this tag: {0}")]
    TagToRead(InvalidTag),
    /// More than [`MAX_TAGS`] `tag` parameters.
    #[error("at most {MAX_TAGS} tags can be given with one manifest")]
    TooManyTags,
    /// `n` is no number of entries.
    #[error(transparent)]
    Page(#[from] InvalidPage),
    /// `artifactType` is no media type.
    #[error("artifactType: {0}")]
    ArtifactType(#[from] InvalidMediaType),
}

impl Endpoint {
    /// Parses a request: its method, its path as it came (still escaped, beginning with `/v2`) and its query without `?`.
    /// `HEAD` is read as `GET`.
    pub fn parse(method: &str, path: &str, query: Option<&str>) -> Result<Self, InvalidEndpoint> {
        let path = path.strip_prefix("/v2").ok_or(InvalidEndpoint::Path)?;
        let query = Query(query.unwrap_or_default());
        let segments: Vec<&str> = match path.strip_prefix('/') {
            None if path.is_empty() => Vec::new(),
            None => return Err(InvalidEndpoint::Path),
            Some("") => Vec::new(),
            Some(rest) => rest.split('/').collect(),
        };
        let method = if method == "HEAD" { "GET" } else { method };
        match *segments {
            [] => allow(method, &["GET"], "GET, HEAD").map(|_| Self::Ping),
            ["_catalog"] => {
                allow(method, &["GET"], "GET, HEAD")?;
                Ok(Self::ListRepositories(query.page()?))
            }
            [ref name @ .., "tags", "list"] => {
                allow(method, &["GET"], "GET, HEAD")?;
                Ok(Self::ListTags(repository(name)?, query.page()?))
            }
            [ref name @ .., "blobs", "uploads", ""] | [ref name @ .., "blobs", "uploads"] => {
                allow(method, &["POST"], "POST")?;
                start_upload(repository(name)?, query)
            }
            [ref name @ .., "blobs", "uploads", session] => {
                let method = allow(
                    method,
                    &["GET", "PATCH", "PUT", "DELETE"],
                    "GET, HEAD, PATCH, PUT, DELETE",
                )?;
                upload(method, repository(name)?, decode(session).unwrap_or_default(), query)
            }
            [ref name @ .., "blobs", digest] => {
                let method = allow(method, &["GET", "DELETE"], "GET, HEAD, DELETE")?;
                let (name, digest) = (repository(name)?, decode(digest).ok_or(InvalidDigest::Format)?.parse()?);
                Ok(if method == "GET" {
                    Self::GetBlob(name, digest)
                } else {
                    Self::DeleteBlob(name, digest)
                })
            }
            [ref name @ .., "manifests", selector] => {
                let method = allow(method, &["GET", "PUT", "DELETE"], "GET, HEAD, PUT, DELETE")?;
                manifest(method, repository(name)?, &decode(selector).unwrap_or_default(), query)
            }
            [ref name @ .., "referrers", digest] => {
                allow(method, &["GET"], "GET, HEAD")?;
                let artifact_type = query.get("artifactType").map(|text| text.parse()).transpose();
                let digest = decode(digest).ok_or(InvalidDigest::Format)?.parse()?;
                let last = query.get("last").map(|text| text.parse()).transpose()?;
                Ok(Self::ListReferrers(repository(name)?, digest, artifact_type?, last))
            }
            _ => Err(InvalidEndpoint::Path),
        }
    }

    /// The repository that it is about; none for [`Endpoint::Ping`] and [`Endpoint::ListRepositories`].
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Ping | Self::ListRepositories(_) => None,
            Self::GetBlob(name, ..)
            | Self::GetManifest(name, ..)
            | Self::StartUpload(name, ..)
            | Self::PushBlob(name, ..)
            | Self::MountBlob(name, ..)
            | Self::AppendUpload(name, ..)
            | Self::CompleteUpload(name, ..)
            | Self::GetUpload(name, ..)
            | Self::CancelUpload(name, ..)
            | Self::PutManifest(name, ..)
            | Self::DeleteManifest(name, ..)
            | Self::DeleteBlob(name, ..)
            | Self::ListTags(name, ..)
            | Self::ListReferrers(name, ..) => Some(name),
        }
    }

    /// The request's method; `GET` where `HEAD` would do as well.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Ping
            | Self::GetBlob(..)
            | Self::GetManifest(..)
            | Self::GetUpload(..)
            | Self::ListTags(..)
            | Self::ListReferrers(..)
            | Self::ListRepositories(_) => "GET",
            Self::StartUpload(..) | Self::PushBlob(..) | Self::MountBlob(..) => "POST",
            Self::AppendUpload(..) => "PATCH",
            Self::CompleteUpload(..) | Self::PutManifest(..) => "PUT",
            Self::CancelUpload(..) | Self::DeleteManifest(..) | Self::DeleteBlob(..) => "DELETE",
        }
    }
}

/// The path and query: what [`Endpoint::parse`] reads.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("/v2/"),
            Self::GetBlob(name, digest) | Self::DeleteBlob(name, digest) => write!(f, "/v2/{name}/blobs/{digest}"),
            Self::GetManifest(name, selector) | Self::DeleteManifest(name, selector) => {
                write!(f, "/v2/{name}/manifests/{selector}")
            }
            Self::StartUpload(name, None) => write!(f, "/v2/{name}/blobs/uploads/"),
            Self::StartUpload(name, Some(algorithm)) => {
                write!(f, "/v2/{name}/blobs/uploads/?digest-algorithm={algorithm}")
            }
            Self::PushBlob(name, digest) => write!(f, "/v2/{name}/blobs/uploads/?digest={digest}"),
            Self::MountBlob(name, digest, None) => write!(f, "/v2/{name}/blobs/uploads/?mount={digest}"),
            Self::MountBlob(name, digest, Some(from)) => {
                write!(f, "/v2/{name}/blobs/uploads/?mount={digest}&from={from}")
            }
            Self::AppendUpload(name, session) | Self::GetUpload(name, session) | Self::CancelUpload(name, session) => {
                write!(f, "/v2/{name}/blobs/uploads/{}", encode(session))
            }
            Self::CompleteUpload(name, session, digest) => {
                write!(f, "/v2/{name}/blobs/uploads/{}?digest={digest}", encode(session))
            }
            Self::PutManifest(name, selector, tags) => {
                write!(f, "/v2/{name}/manifests/{selector}")?;
                tags.iter()
                    .enumerate()
                    .try_for_each(|(i, tag)| write!(f, "{}tag={tag}", if i == 0 { '?' } else { '&' }))
            }
            Self::ListTags(name, page) => write!(f, "/v2/{name}/tags/list{}", PageQuery(page)),
            Self::ListReferrers(name, digest, artifact_type, last) => {
                let artifact_type = artifact_type.as_ref();
                let artifact_type = artifact_type.map(|given| format!("artifactType={}", encode(given.as_str())));
                let last = last.as_ref().map(|last| format!("last={last}"));
                write!(f, "/v2/{name}/referrers/{digest}{}", query_of([artifact_type, last]))
            }
            Self::ListRepositories(page) => write!(f, "/v2/_catalog{}", PageQuery(page)),
        }
    }
}

struct PageQuery<'a>(&'a Page);

impl fmt::Display for PageQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.n.map(|n| format!("n={n}"));
        let last = self.0.last.as_deref().map(|last| format!("last={}", encode(last)));
        f.write_str(&query_of([n, last]))
    }
}

/// The parameters that there are, with the question mark before the first.
fn query_of(parameters: [Option<String>; 2]) -> String {
    let given: Vec<String> = parameters.into_iter().flatten().collect();
    if given.is_empty() {
        String::new()
    } else {
        format!("?{}", given.join("&"))
    }
}

fn allow<'a>(method: &'a str, methods: &[&str], header: &'static str) -> Result<&'a str, InvalidEndpoint> {
    if methods.contains(&method) {
        Ok(method)
    } else {
        Err(InvalidEndpoint::Method(header))
    }
}

fn repository(segments: &[&str]) -> Result<RepositoryName, InvalidEndpoint> {
    if segments.is_empty() {
        return Err(InvalidEndpoint::Path);
    }
    let decoded = segments
        .iter()
        .map(|segment| decode(segment))
        .collect::<Option<Vec<_>>>()
        .ok_or(InvalidRepositoryName)?;
    // An escaped slash would add a component that the path does not have.
    if decoded.iter().any(|segment| segment.contains('/')) {
        return Err(InvalidRepositoryName.into());
    }
    Ok(decoded.join("/").parse()?)
}

fn start_upload(name: RepositoryName, query: Query<'_>) -> Result<Endpoint, InvalidEndpoint> {
    if let Some(digest) = query.get("mount") {
        let digest = digest.parse()?;
        // A failed mount is an ordinary upload and no error, and from what is no name nothing can be mounted.
        return Ok(match query.get("from").map(|from| from.parse()).transpose() {
            Ok(from) => Endpoint::MountBlob(name, digest, from),
            Err(InvalidRepositoryName) => Endpoint::StartUpload(name, None),
        });
    }
    if let Some(digest) = query.get("digest") {
        return Ok(Endpoint::PushBlob(name, digest.parse()?));
    }
    let algorithm = query
        .get("digest-algorithm")
        .map(|algorithm| algorithm.parse())
        .transpose()?;
    Ok(Endpoint::StartUpload(name, algorithm))
}

fn upload(
    method: &str,
    name: RepositoryName,
    session: UploadSession,
    query: Query<'_>,
) -> Result<Endpoint, InvalidEndpoint> {
    Ok(match method {
        "PATCH" => Endpoint::AppendUpload(name, session),
        "PUT" => Endpoint::CompleteUpload(
            name,
            session,
            query.get("digest").ok_or(InvalidDigest::Format)?.parse()?,
        ),
        "DELETE" => Endpoint::CancelUpload(name, session),
        _ => Endpoint::GetUpload(name, session),
    })
}

fn manifest(method: &str, name: RepositoryName, selector: &str, query: Query<'_>) -> Result<Endpoint, InvalidEndpoint> {
    let writes = method == "PUT";
    let selector = selector.parse().map_err(|error| match error {
        InvalidTagOrDigest::Digest(error) => InvalidEndpoint::Digest(error),
        InvalidTagOrDigest::Tag(error) if writes => InvalidEndpoint::TagToWrite(error),
        InvalidTagOrDigest::Tag(error) => InvalidEndpoint::TagToRead(error),
    })?;
    if !writes {
        return Ok(if method == "GET" {
            Endpoint::GetManifest(name, selector)
        } else {
            Endpoint::DeleteManifest(name, selector)
        });
    }
    let tags: Vec<Tag> = query
        .all("tag")
        .map(|tag| tag.parse())
        .collect::<Result<_, _>>()
        .map_err(InvalidEndpoint::TagToWrite)?;
    if tags.len() > MAX_TAGS {
        return Err(InvalidEndpoint::TooManyTags);
    }
    Ok(Endpoint::PutManifest(name, selector, tags))
}

/// A query string. `+` stands for itself, as in `artifactType=application/vnd.example+json`: no parameter of the API can hold
/// the space that forms would read there.
#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl Query<'_> {
    fn all(self, name: &str) -> impl Iterator<Item = String> {
        self.0.split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == name {
                Some(decode(value).unwrap_or_default())
            } else {
                None
            }
        })
    }

    fn get(self, name: &str) -> Option<String> {
        self.all(name).next()
    }

    fn page(self) -> Result<Page, InvalidPage> {
        let n = self.get("n").map(|n| Page::parse_n(&n)).transpose()?;
        Ok(Page {
            n,
            last: self.get("last").filter(|last| !last.is_empty()),
        })
    }
}

/// Decodes escapes once; `None` if the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Escapes what has a meaning in a URL.
fn encode(text: &str) -> impl fmt::Display {
    const PLAIN: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    utf8_percent_encode(text, &PLAIN)
}

#[cfg(test)]
mod tests;
