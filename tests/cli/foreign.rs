//! A registry of somebody else's: the distribution API, and to every other path the same page, which many answer with.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use wreg_oci::{Digest, wasm::WasmArtifact};

/// One package under all of its tags, which are read-only and for everybody.
pub(crate) struct Foreign {
    pub(crate) address: SocketAddr,
}

struct Content {
    tags: String,
    manifest: Vec<u8>,
    layer: Vec<u8>,
}

impl Foreign {
    pub(crate) fn start(tags: &[&str], layer: &[u8]) -> Self {
        let packed = WasmArtifact::default().pack(Digest::sha256(layer), layer.len() as u64);
        let content = Content {
            tags: serde_json::json!({ "name": "any", "tags": tags }).to_string(),
            manifest: packed.manifest,
            layer: layer.to_owned(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever goes away has been told enough.
                let _ = stream.and_then(|stream| content.answer(&stream));
            }
        });
        Self { address }
    }
}

impl Content {
    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let (content_type, body) = if target.ends_with("/tags/list") {
            ("application/json", self.tags.as_bytes())
        } else if target.contains("/manifests/") {
            ("application/vnd.oci.image.manifest.v1+json", self.manifest.as_slice())
        } else if target.contains("/blobs/") {
            ("application/octet-stream", self.layer.as_slice())
        } else {
            ("text/html", b"<!doctype html>".as_slice())
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )?;
        stream.write_all(body)
    }
}
