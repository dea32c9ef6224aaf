//! Several servers on one database and one bucket, with nothing else between them.

use reqwest::{Response, StatusCode};
use wreg_oci::Digest;

use crate::{
    bucket::on_files,
    flows::bytes,
    registry::{Options, TestRegistry, header},
};

/// What they have in common; each has a data folder of its own.
struct Servers {
    /// The first ends last.
    all: Vec<TestRegistry>,
    token: String,
    turn: usize,
}

impl Servers {
    /// `may_leave_uploads`: what the loser of a race has stored stays for the sweep.
    async fn start(count: usize, may_leave_uploads: bool) -> Self {
        let first = TestRegistry::with(Options {
            may_leave_uploads,
            ..Options::default()
        });
        let first = first.await;
        let (database, token) = (first.database.clone(), first.token.clone());
        let mut all = vec![first];
        while all.len() < count {
            let options = Options {
                database: Some(database.clone()),
                // The first, which ends last, looks after it.
                may_leave_uploads: true,
                ..Options::default()
            };
            all.push(TestRegistry::with(options).await);
        }
        Self { all, token, turn: 0 }
    }

    /// A request to the next server in turn.
    async fn send(&mut self, method: &str, target: &str, body: Vec<u8>) -> Response {
        self.turn += 1;
        let server = &self.all[self.turn % self.all.len()];
        // A Location leads to the server that gave it; as behind a balancer, only its path counts.
        let path = target.find("/v2/").map_or(target, |at| &target[at..]);
        let request = server.anonymous(method, path).basic_auth("admin", Some(&self.token));
        request.body(body).send().await.expect("an answer")
    }
}

/// **U19** Each chunk of an upload comes to another of three servers, one of which then goes away → every chunk goes on at the durable offset, and the blob has the right bytes.
#[tokio::test]
async fn an_upload_goes_on_at_any_server() {
    if on_files() {
        return;
    }
    let mut servers = Servers::start(3, false).await;
    let content = bytes(20 << 20);
    let digest = Digest::sha256(&content);
    let begun = servers.send("POST", "/v2/acme/hello/blobs/uploads/", Vec::new()).await;
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let mut location = header(&begun, "location");
    for (number, chunk) in content.chunks(3 << 20).enumerate() {
        if number == 3 {
            let gone = servers.all.pop().expect("there are three");
            gone.stop().await;
        }
        let answer = servers.send("PATCH", &location, chunk.to_vec()).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "chunk {number}");
        location = header(&answer, "location");
    }
    let separator = if location.contains('?') { '&' } else { '?' };
    let closing = format!("{location}{separator}digest={digest}");
    let closed = servers.send("PUT", &closing, Vec::new()).await;
    assert_eq!(closed.status(), StatusCode::CREATED);
    for _ in 0..2 {
        let read = servers
            .send("GET", &format!("/v2/acme/hello/blobs/{digest}"), Vec::new())
            .await;
        assert!(read.bytes().await.expect("a body") == content);
    }
}

/// **U05** Two chunks for the same offset of one upload, at two servers at once → exactly one is taken in, the other is refused, and the blob is made of the one.
#[tokio::test]
async fn of_two_chunks_at_two_servers_one_counts() {
    if on_files() {
        return;
    }
    let mut servers = Servers::start(2, true).await;
    for round in 0..5_u8 {
        let begun = servers.send("POST", "/v2/acme/hello/blobs/uploads/", Vec::new()).await;
        let location = header(&begun, "location");
        let path = location[location.find("/v2/").expect("a path")..].to_owned();
        let chunks = [vec![round; 9 << 20], vec![round + 100; 9 << 20]];
        let send = |server: usize| {
            let request = servers.all[server].anonymous("PATCH", &path);
            let request = request.basic_auth("admin", Some(&servers.token));
            // It says where it belongs, so it is no good anywhere else.
            let request = request.header("content-range", format!("0-{}", (9 << 20) - 1));
            request.body(chunks[server].clone()).send()
        };
        let (one, other) = tokio::join!(send(0), send(1));
        let answers = [one.expect("an answer").status(), other.expect("an answer").status()];
        let taken: Vec<_> = (0..2).filter(|at| answers[*at] == StatusCode::ACCEPTED).collect();
        assert!(
            taken.len() == 1 && answers.iter().any(StatusCode::is_client_error),
            "{answers:?}"
        );
        let content = &chunks[taken[0]];
        let digest = Digest::sha256(content);
        let separator = if path.contains('?') { '&' } else { '?' };
        let closed = servers
            .send("PUT", &format!("{path}{separator}digest={digest}"), Vec::new())
            .await;
        assert_eq!(closed.status(), StatusCode::CREATED);
        let target = format!("/v2/acme/hello/blobs/{digest}");
        let read = servers.send("GET", &target, Vec::new()).await;
        assert!(read.bytes().await.expect("a body") == *content);
    }
}

/// A tag that moves at one server has moved at all of them.
#[tokio::test]
async fn a_tag_moves_at_every_server() {
    if on_files() {
        return;
    }
    let mut servers = Servers::start(3, false).await;
    let mut moved = Vec::new();
    for server in 0..3 {
        // They know the first one's token alone.
        servers.all[server].token.clone_from(&servers.token);
        let content = [u8::try_from(server).expect("it is small")];
        moved.push(servers.all[server].push_image("acme/hello", "latest", &content).await);
        for _ in 0..3 {
            let seen = servers
                .send("HEAD", "/v2/acme/hello/manifests/latest", Vec::new())
                .await;
            assert_eq!(header(&seen, "docker-content-digest"), moved[server].to_string());
        }
    }
    moved.sort_unstable();
    moved.dedup();
    assert_eq!(moved.len(), 3);
}
