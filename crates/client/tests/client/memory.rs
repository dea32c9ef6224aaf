//! A registry in memory, as far as the tests need one: what it answers is right, so that a test says only what is wrong.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use wreg_oci::{Digest, Endpoint, Hasher, TagOrDigest, digest::Algorithm, range::ByteRange};

use crate::server::{Reply, Request};

#[derive(Default)]
pub(crate) struct State {
    pub(crate) blobs: HashMap<Digest, Vec<u8>>,
    pub(crate) manifests: HashMap<String, (String, Vec<u8>)>,
    pub(crate) uploads: HashMap<String, Vec<u8>>,
    started: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

impl Memory {
    pub(crate) fn with_blob(bytes: &[u8]) -> Self {
        let memory = Self::default();
        memory.state().blobs.insert(Digest::sha256(bytes), bytes.to_vec());
        memory
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("state")
    }

    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.target.as_str(), None),
        };
        let Ok(endpoint) = Endpoint::parse(&request.method, path, query) else {
            return Reply::new(400);
        };
        self.state().serve(&endpoint, request)
    }
}

impl State {
    fn serve(&mut self, endpoint: &Endpoint, request: &Request) -> Reply {
        match endpoint {
            Endpoint::Ping => Reply::new(200),
            Endpoint::GetBlob(_, digest) => match self.blobs.get(digest) {
                Some(bytes) => blob(request, digest, bytes),
                None => Reply::new(404),
            },
            Endpoint::GetManifest(_, at) => match self.manifests.get(&at.to_string()) {
                Some((media_type, bytes)) => Reply::new(200)
                    .header("content-type", media_type)
                    .header("docker-content-digest", stated(at, bytes))
                    .header("content-length", bytes.len().to_string())
                    .body(bytes.clone()),
                None => Reply::new(404),
            },
            Endpoint::PutManifest(_, at, _) => {
                let media_type = request.header("content-type").expect("a type").to_owned();
                let digest = stated(at, &request.body);
                for key in [at.to_string(), digest.clone()] {
                    self.manifests.insert(key, (media_type.clone(), request.body.clone()));
                }
                let reply = Reply::new(201).header("docker-content-digest", &digest);
                reply.header("location", format!("/v2/a/b/manifests/{digest}"))
            }
            Endpoint::DeleteManifest(_, at) => match self.manifests.remove(&at.to_string()) {
                Some(_) => Reply::new(202),
                None => Reply::new(404),
            },
            Endpoint::MountBlob(_, digest, _) if self.blobs.contains_key(digest) => {
                Reply::new(201).header("location", "/x")
            }
            Endpoint::StartUpload(..) | Endpoint::MountBlob(..) => self.start(),
            Endpoint::GetUpload(_, session) => match self.uploads.get(session) {
                Some(bytes) => place(204, session, bytes.len()),
                None => Reply::new(404),
            },
            Endpoint::AppendUpload(_, session) => match self.append(session, request) {
                Ok(length) => place(202, session, length),
                Err(reply) => reply,
            },
            Endpoint::CompleteUpload(_, session, digest) => match self.append(session, request) {
                Ok(_) => self.complete(session, digest),
                Err(reply) => reply,
            },
            Endpoint::CancelUpload(_, session) => match self.uploads.remove(session) {
                Some(_) => Reply::new(204),
                None => Reply::new(404),
            },
            _ => Reply::new(404),
        }
    }

    fn start(&mut self) -> Reply {
        self.started += 1;
        let session = format!("session-{}", self.started);
        self.uploads.insert(session.clone(), Vec::new());
        place(202, &session, 0)
    }

    fn append(&mut self, session: &str, request: &Request) -> Result<usize, Reply> {
        let bytes = self.uploads.get_mut(session).ok_or_else(|| Reply::new(404))?;
        let first = request
            .header("content-range")
            .and_then(|range| range.split('-').next()?.parse().ok());
        if first.is_some_and(|first: usize| first != bytes.len()) {
            return Err(place(416, session, bytes.len()));
        }
        bytes.extend_from_slice(&request.body);
        Ok(bytes.len())
    }

    fn complete(&mut self, session: &str, digest: &Digest) -> Reply {
        let bytes = self.uploads.remove(session).expect("an upload");
        if Digest::of(digest.algorithm(), &bytes) != *digest {
            return Reply::new(400).body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"other bytes"}]}"#);
        }
        self.blobs.insert(digest.clone(), bytes);
        Reply::new(201)
            .header("location", "/x")
            .header("docker-content-digest", digest.as_str())
    }
}

/// The answer to a request for a blob, or for a range of it.
pub(crate) fn blob(request: &Request, digest: &Digest, bytes: &[u8]) -> Reply {
    let reply = Reply::new(200).header("docker-content-digest", digest.as_str());
    match request.header("range").and_then(ByteRange::parse) {
        None => reply.header("content-length", bytes.len().to_string()).body(bytes),
        Some(range) => match range.of(bytes.len() as u64) {
            None => Reply::new(416),
            Some(range) => {
                let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
                let range = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
                Reply::new(206)
                    .header("content-range", content_range)
                    .body(&bytes[range])
            }
        },
    }
}

fn place(status: u16, session: &str, length: usize) -> Reply {
    let reply = Reply::new(status).header("location", format!("/v2/a/b/blobs/uploads/{session}"));
    reply.header("range", format!("0-{}", length.saturating_sub(1)))
}

fn stated(at: &TagOrDigest, bytes: &[u8]) -> String {
    let algorithm = match at {
        TagOrDigest::Tag(_) => Algorithm::Sha256,
        TagOrDigest::Digest(digest) => digest.algorithm(),
    };
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish().to_string()
}
