//! What clients do meanwhile: they push images, move a tag to each, and pull what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use wreg_oci::{Digest, MediaType};

use super::Logs;
use crate::flows::bytes;

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long layers are: below the size of a part, and above.
const SIZES: [usize; 6] = [100, 300_000, 9 << 20, 1000, 2_000_000, 100_000];

/// What has been acknowledged.
#[derive(Debug, Default, Clone)]
pub(super) struct Acknowledged {
    pub(super) blobs: BTreeSet<Digest>,
    pub(super) manifests: BTreeSet<Digest>,
    pub(super) tags: BTreeMap<String, Digest>,
}

/// An answer, whole.
pub(super) struct Answer {
    status: u16,
    location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Clients at work.
pub(super) struct Load {
    servers: Vec<SocketAddr>,
    turn: AtomicUsize,
    /// The server that may go away, and whether it has. It is asked no more then.
    doomed: Option<SocketAddr>,
    is_gone: AtomicBool,
    token: String,
    logs: Logs,
    client: Client,
    /// What layers are made of.
    content: Vec<u8>,
    acknowledged: Mutex<Acknowledged>,
    /// How many images were pushed, and how many pulled.
    done: watch::Sender<(usize, usize)>,
    stop: AtomicBool,
}

impl Load {
    /// For these servers, each request being for the next of them. One of them may go away. What fails is told with what is in `logs`.
    pub(super) fn new(servers: Vec<SocketAddr>, doomed: Option<SocketAddr>, token: &str, logs: Logs) -> Arc<Self> {
        Arc::new(Self {
            servers,
            turn: AtomicUsize::new(0),
            doomed,
            is_gone: AtomicBool::new(false),
            token: token.to_owned(),
            logs,
            client: Client::new(),
            content: bytes(SIZES.into_iter().max().unwrap_or_default()),
            acknowledged: Mutex::default(),
            done: watch::Sender::default(),
            stop: AtomicBool::new(false),
        })
    }

    /// Begins: so many push, and as many pull. They end with the set, so that none of them finds the servers of a failed test gone.
    pub(super) fn begin(self: &Arc<Self>, count: usize) -> JoinSet<()> {
        let mut workers = JoinSet::new();
        for number in 0..count {
            workers.spawn(Arc::clone(self).push(number));
            workers.spawn(Arc::clone(self).pull());
        }
        workers
    }

    /// Waits until so many more images were pushed and pulled.
    pub(super) async fn goes_on(&self, count: usize) {
        let (pushed, pulled) = *self.done.borrow();
        let mut done = self.done.subscribe();
        let enough = done.wait_for(|done| done.0 >= pushed + count && done.1 >= pulled + count);
        let enough = timeout(PATIENCE, enough).await.is_ok();
        assert!(enough, "clients do not get on\n{}", self.logs);
    }

    /// Ends it, and gives what was acknowledged.
    pub(super) async fn end(&self, mut workers: JoinSet<()>) -> Acknowledged {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                // It has said why.
                resume_unwind(error.into_panic());
            }
        }
        self.acknowledged.lock().expect("nobody panics").clone()
    }

    /// A request to the next server, which must succeed. `None` if that server has gone away and may.
    pub(super) async fn ask(&self, method: &str, target: &str, body: &[u8]) -> Option<Answer> {
        let server = self.next();
        let method = method.parse().expect("a method");
        let request = self.client.request(method, format!("http://{server}{target}"));
        let request = request.basic_auth("admin", Some(&self.token));
        // The type is looked at for manifests alone.
        let request = request.header("content-type", MediaType::IMAGE_MANIFEST.as_str());
        let answer = async {
            let answer = request.body(body.to_vec()).send().await?;
            let location = answer.headers().get("location").cloned();
            Ok::<_, reqwest::Error>(Answer {
                status: answer.status().as_u16(),
                location: location.map(|value| value.to_str().expect("text").to_owned()),
                body: answer.bytes().await?.into(),
            })
        };
        match answer.await {
            Ok(answer) => {
                let said = String::from_utf8_lossy(&answer.body[..answer.body.len().min(1000)]);
                assert!(
                    (200..300).contains(&answer.status),
                    "{server} {target}: {} {said}\n{}",
                    answer.status,
                    self.logs
                );
                Some(answer)
            }
            Err(error) => {
                assert_eq!(Some(server), self.doomed, "{target}: {error:?}\n{}", self.logs);
                self.is_gone.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    fn next(&self) -> SocketAddr {
        loop {
            let server = self.servers[self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len()];
            if Some(server) != self.doomed || !self.is_gone.load(Ordering::Relaxed) {
                return server;
            }
        }
    }

    async fn push(self: Arc<Self>, pusher: usize) {
        for number in 0.. {
            // Where the server went away half way, clients begin again, at another.
            while self.push_image(pusher, number).await.is_none() {}
            self.done.send_modify(|done| done.0 += 1);
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    async fn push_image(&self, pusher: usize, number: usize) -> Option<()> {
        let mut layer = format!("layer {number} of {pusher}").into_bytes();
        layer.extend_from_slice(&self.content[..SIZES[number % SIZES.len()]]);
        let digest = Digest::sha256(&layer);
        if number.is_multiple_of(2) {
            self.push_at_once(&layer, &digest).await?;
        } else {
            self.push_in_chunks(&layer, &digest).await?;
        }
        self.note(|acknowledged| acknowledged.blobs.insert(digest.clone()));
        let descriptor = json!({ "mediaType": "application/octet-stream", "digest": digest, "size": layer.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": descriptor,
            "layers": [descriptor],
        })
        .to_string();
        let digest = Digest::sha256(&manifest);
        // The second of them moves.
        for tag in [format!("{pusher}.{number}"), format!("latest.{pusher}")] {
            let target = format!("/v2/acme/hello/manifests/{tag}");
            self.ask("PUT", &target, manifest.as_bytes()).await?;
            self.note(|acknowledged| {
                acknowledged.manifests.insert(digest.clone());
                acknowledged.tags.insert(tag, digest.clone())
            });
        }
        Some(())
    }

    async fn push_at_once(&self, layer: &[u8], digest: &Digest) -> Option<()> {
        let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
        self.ask("POST", &target, layer).await.map(drop)
    }

    async fn push_in_chunks(&self, layer: &[u8], digest: &Digest) -> Option<()> {
        let begun = self.ask("POST", "/v2/acme/hello/blobs/uploads/", b"").await?;
        let session = begun.location.expect("a session");
        let (first, last) = layer.split_at(layer.len() / 2);
        self.ask("PATCH", &session, first).await?;
        let target = format!("{session}?digest={digest}");
        self.ask("PUT", &target, last).await.map(drop)
    }

    fn note<T>(&self, what: impl FnOnce(&mut Acknowledged) -> T) {
        what(&mut self.acknowledged.lock().expect("nobody panics"));
    }

    async fn pull(self: Arc<Self>) {
        while !self.stop.load(Ordering::Relaxed) {
            let mut done = self.done.subscribe();
            let first = done.wait_for(|done| done.0 > 0).await.map(drop);
            first.expect("it is ours");
            // One that moves, in the order of names, once there is any.
            let tag = self
                .acknowledged
                .lock()
                .expect("nobody panics")
                .tags
                .keys()
                .next_back()
                .cloned();
            let tag = tag.expect("an image was pushed");
            if self.pull_image(&tag).await.is_some() {
                self.done.send_modify(|done| done.1 += 1);
            }
        }
    }

    async fn pull_image(&self, tag: &str) -> Option<()> {
        let manifest = self.ask("GET", &format!("/v2/acme/hello/manifests/{tag}"), b"").await?;
        let manifest: Value = serde_json::from_slice(&manifest.body).expect("a manifest");
        let digest = manifest["layers"][0]["digest"].as_str().expect("a digest");
        let layer = self.ask("GET", &format!("/v2/acme/hello/blobs/{digest}"), b"").await?;
        assert_eq!(Digest::sha256(layer.body).as_str(), digest);
        Some(())
    }

    /// Asserts that all of it is there, byte for byte.
    pub(super) async fn has(&self, acknowledged: &Acknowledged) {
        let blobs = acknowledged
            .blobs
            .iter()
            .map(|digest| (format!("blobs/{digest}"), digest));
        let manifests = acknowledged.manifests.iter();
        let manifests = manifests.map(|digest| (format!("manifests/{digest}"), digest));
        let tags = acknowledged.tags.iter();
        let tags = tags.map(|(tag, digest)| (format!("manifests/{tag}"), digest));
        for (name, digest) in blobs.chain(manifests).chain(tags) {
            let found = self.ask("GET", &format!("/v2/acme/hello/{name}"), b"").await;
            let found = found.expect("this server is there");
            assert_eq!(Digest::sha256(found.body), *digest, "{name}");
        }
    }
}
