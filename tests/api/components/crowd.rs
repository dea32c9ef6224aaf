//! Many large components at once, against a server that is a process of its own.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use wreg_harness::{RegistryProcess, fixtures::wat};
use wreg_oci::{Digest, MediaType};

/// How many, and of how many bytes each.
const COUNT: usize = 200;
const SIZE: usize = 3 << 20;
/// What the server and the processes that it runs may have of private memory together, in bytes.
const MOST: u64 = 512 << 20;

/// The private memory of a process and of those that it has started, in bytes.
#[expect(clippy::disallowed_methods, reason = "files of the kernel, in a test")]
fn memory(server: u32) -> u64 {
    let mut all = 0;
    for entry in fs::read_dir("/proc").expect("Linux").filter_map(Result::ok) {
        // One that has ended meanwhile has none.
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        };
        let own = [field("Pid:"), field("PPid:")].contains(&Some(u64::from(server)));
        all += field("RssAnon:").filter(|_| own).unwrap_or_default() * 1024;
    }
    all
}

/// Says so when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// **W11** 200 large components at once → every push 201, memory within its bound, and each is analysed in the end.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_large_components_are_taken_and_looked_into_within_bounds() {
    let server = RegistryProcess::start();
    let (client, token, pid) = (reqwest::Client::new(), server.admin_token(), server.pid());
    let (peak, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let ask = async |method: &str, target: String, media_type: &str, body: Vec<u8>| {
        let request = client.request(method.parse().expect("a method"), format!("{}{target}", server.url()));
        let request = request
            .basic_auth("admin", Some(&token))
            .header("content-type", media_type);
        request.body(body).send().await.expect("an answer")
    };
    let push = async |number: usize| {
        // With a custom section whose length takes four bytes (LEB128).
        let section = [&[1, b'x'][..], &vec![b'x'; SIZE - 2]].concat();
        let length = [
            0x80 | (SIZE & 0x7f),
            0x80 | (SIZE >> 7 & 0x7f),
            0x80 | (SIZE >> 14 & 0x7f),
            SIZE >> 21,
        ];
        let length = length.map(|bits| u8::try_from(bits).expect("eight bits"));
        let layer = [&wat::component_with(&number.to_string())[..], &[0], &length, &section].concat();
        let (digest, size) = (Digest::sha256(&layer), layer.len());
        let config = Digest::sha256("{}");
        for (digest, content) in [(&digest, layer), (&config, b"{}".to_vec())] {
            let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
            let answer = ask("POST", target, "application/octet-stream", content).await;
            assert_eq!(answer.status(), 201);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "artifactType": "application/wasm",
            "config": { "mediaType": MediaType::EMPTY, "digest": config, "size": 2 },
            "layers": [{ "mediaType": MediaType::WASM, "digest": digest, "size": size }],
        });
        let target = format!("/v2/acme/hello/manifests/t{number}");
        let media_type = MediaType::IMAGE_MANIFEST;
        let answer = ask("PUT", target, media_type.as_str(), manifest.to_string().into_bytes()).await;
        assert_eq!(answer.status(), 201);
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(memory(pid), Ordering::Relaxed);
                thread::park_timeout(Duration::from_millis(10));
            }
        });
        let pushing = async {
            stream::iter(0..COUNT)
                .map(&push)
                .buffer_unordered(COUNT)
                .collect::<Vec<()>>()
                .await;
            for number in 0..COUNT {
                let target = format!("/api/v1/component?repository=acme/hello&reference=t{number}");
                loop {
                    let answer = ask("GET", target.clone(), "text/plain", Vec::new()).await;
                    let shown: serde_json::Value = answer.json().await.expect("JSON");
                    if shown["state"] != "pending" {
                        assert_eq!(shown["state"], "analysed", "{number}");
                        break;
                    }
                }
            }
        };
        // Whatever becomes of it: the scope ends when the thread does.
        let _done = Done(&done);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(pushing));
    });
    let peak = peak.into_inner();
    assert!((1..MOST).contains(&peak), "{peak} bytes");
}
