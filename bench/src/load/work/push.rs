//! Pushes: blobs of which no two are the same and, for whole artifacts, a manifest by a new tag.
//!
//! Digests are known before the clock starts; while it runs, nothing is done but to put them into requests.

use wreg_oci::Digest;

use super::{Answer, Next, Request, Work};
use crate::load::{
    payload::{self, IMAGE, Payload},
    registry::{Registry, target_of},
};

// The requests of a push. A blob that is taken with the request that opens its upload needs no second one.
const OPEN_CONFIG: usize = 0;
const PUT_CONFIG: usize = 1;
const OPEN_LAYER: usize = 2;
const PUT_LAYER: usize = 3;
const PUT_MANIFEST: usize = 4;

/// What is pushed, and how.
#[derive(Clone, Copy)]
pub(in crate::load) struct How {
    /// A config and a manifest too, not a blob alone.
    pub(in crate::load) artifact: bool,
    /// Whether a blob is sent with the request that opens its upload.
    pub(in crate::load) single: bool,
}

/// Pushes to one repository.
pub(in crate::load) struct Push<'a> {
    registry: &'a Registry,
    payload: &'a Payload,
    how: How,
    /// Host and credentials.
    common: String,
    /// The digests of config and layer of each.
    digests: Vec<[Digest; 2]>,
}

impl<'a> Push<'a> {
    /// Prepares that many.
    pub(in crate::load) fn prepare(registry: &'a Registry, payload: &'a Payload, how: How, count: usize) -> Self {
        let digests = (0..count).map(|number| {
            let nonce = payload::nonce(registry.run, number);
            [Digest::sha256(payload::config(nonce)), payload.digest(nonce)]
        });
        Self {
            registry,
            payload,
            how,
            common: registry.fields_of_writes(),
            digests: digests.collect(),
        }
    }

    /// Writes the request of that step; to where the answer before it points, if that is needed.
    fn write<'b>(
        &'b self,
        number: usize,
        step: usize,
        location: Option<&str>,
        request: &mut Request<'b>,
    ) -> Option<()> {
        request.clear(step);
        let (repository, common) = (self.registry.repository.as_bytes(), self.common.as_bytes());
        if step == PUT_MANIFEST {
            self.write_manifest(number, request);
            return Some(());
        }
        let is_layer = step >= OPEN_LAYER;
        let digest = self.digests[number][usize::from(is_layer)].as_str().as_bytes();
        let mut with_body = true;
        if matches!(step, OPEN_CONFIG | OPEN_LAYER) {
            with_body = self.how.single;
            request.push(&[b"POST /v2/", repository, b"/blobs/uploads/"]);
            if with_body {
                request.push(&[b"?digest=", digest]);
            }
        } else {
            let target = target_of(location?);
            let joint: &[u8] = if target.contains('?') { b"&digest=" } else { b"?digest=" };
            request.push(&[b"PUT ", target.as_bytes(), joint, digest]);
        }
        request.push(&[b" HTTP/1.1\r\n", common]);
        if !with_body {
            request.push(&[b"Content-Length: 0\r\n\r\n"]);
            return Some(());
        }
        let size = if is_layer {
            self.payload.size()
        } else {
            payload::config_size()
        };
        let fields = format!("Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n");
        request.push(&[fields.as_bytes()]);
        let nonce = payload::nonce(self.registry.run, number);
        if is_layer {
            (request.shared, request.nonce) = (self.payload.shared(), Some(nonce));
        } else {
            request.push(&[payload::config(nonce).as_bytes()]);
        }
        Some(())
    }

    fn write_manifest(&self, number: usize, request: &mut Request<'_>) {
        let [config, layer] = &self.digests[number];
        let manifest = payload::manifest(config, layer, self.payload.size());
        let (repository, common, run) = (self.registry.repository, &self.common, self.registry.run);
        let head = format!(
            "PUT /v2/{repository}/manifests/p{run:016x}-{number} HTTP/1.1\r\n{common}Content-Type: {IMAGE}\r\nContent-Length: {}\r\n\r\n",
            manifest.len()
        );
        request.push(&[head.as_bytes(), manifest.as_bytes()]);
    }
}

impl Work for Push<'_> {
    fn begin<'a>(&'a self, number: usize, request: &mut Request<'a>) -> bool {
        let first = if self.how.artifact { OPEN_CONFIG } else { OPEN_LAYER };
        number < self.digests.len() && self.write(number, first, None, request).is_some()
    }

    fn answered<'a>(&'a self, number: usize, answer: &Answer, request: &mut Request<'a>) -> Next {
        let next = match (request.step, answer.status) {
            (step @ (OPEN_CONFIG | OPEN_LAYER), 202) => step + 1,
            (OPEN_CONFIG | PUT_CONFIG, 201) => OPEN_LAYER,
            (OPEN_LAYER | PUT_LAYER, 201) if self.how.artifact => PUT_MANIFEST,
            (OPEN_LAYER | PUT_LAYER | PUT_MANIFEST, 201) => return Next::Done,
            _ => return Next::Wrong,
        };
        match self.write(number, next, answer.location.as_deref(), request) {
            Some(()) => Next::Send,
            None => Next::Wrong,
        }
    }
}
