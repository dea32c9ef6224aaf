//! A registry that sends half of a blob and then nothing more, for what happens when somebody loses patience.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use wreg_oci::{Digest, wasm::WasmArtifact};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A registry with one artifact. Its layer is 32 MiB, far more than the buffers of a connection hold.
pub(crate) struct Stalling {
    /// The artifact by its digest.
    pub(crate) reference: String,
    /// The layer.
    pub(crate) bytes: Vec<u8>,
    events: Receiver<Event>,
}

/// What happened to the layer.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    /// Half of it was sent, and nothing more comes.
    Stalled,
    /// It was asked for from this byte on, and sent.
    Sent(usize),
}

struct Content {
    manifest: Vec<u8>,
    config: Vec<u8>,
    layer: Vec<u8>,
}

impl Stalling {
    pub(crate) fn start() -> Self {
        let bytes = large_module();
        let packed = WasmArtifact {
            title: "large.wasm".to_owned(),
            ..WasmArtifact::default()
        }
        .pack(Digest::sha256(&bytes), bytes.len() as u64);
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let content = Content {
            manifest: packed.manifest,
            config: packed.config,
            layer: bytes.clone(),
        };
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever is cut off has been told enough.
                let _ = stream.and_then(|stream| content.answer(&stream, &sender));
            }
        });
        Self {
            reference: format!("{address}/acme/large@{}", packed.manifest_descriptor.digest),
            bytes,
            events,
        }
    }

    /// Waits until half of the layer was sent and nothing more comes.
    pub(crate) fn wait_for_stall(&self) {
        assert_eq!(self.events.recv_timeout(PATIENCE), Ok(Event::Stalled));
    }

    /// The byte from which the layer was asked for after that.
    pub(crate) fn resumed_at(&self) -> usize {
        match self.events.recv_timeout(PATIENCE) {
            Ok(Event::Sent(from)) => from,
            other => panic!("{other:?}"),
        }
    }
}

impl Content {
    fn answer(&self, mut stream: &TcpStream, events: &Sender<Event>) -> std::io::Result<()> {
        let lines: Vec<String> = BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect();
        let target = lines
            .first()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap_or_default();
        let header = |name: &str| {
            lines
                .iter()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned))
        };
        let from = header("range: bytes=").and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
        let head = |status: &str, length: usize, more: &str| {
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
        };
        if target.contains("/manifests/") {
            let media_type = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
            stream.write_all(head("200 OK", self.manifest.len(), media_type).as_bytes())?;
            return stream.write_all(&self.manifest);
        }
        if target.ends_with(Digest::sha256(&self.config).as_str()) {
            stream.write_all(head("200 OK", self.config.len(), "").as_bytes())?;
            return stream.write_all(&self.config);
        }
        let length = self.layer.len();
        if let Some(from) = from {
            let range = format!("Content-Range: bytes {from}-{}/{length}\r\n", length - 1);
            stream.write_all(head("206 Partial Content", length - from, &range).as_bytes())?;
            stream.write_all(&self.layer[from..])?;
            let _ = events.send(Event::Sent(from));
            return Ok(());
        }
        stream.write_all(head("200 OK", length, "").as_bytes())?;
        stream.write_all(&self.layer[..length / 2])?;
        let _ = events.send(Event::Stalled);
        // The end of the client is what this waits for.
        stream.set_read_timeout(Some(PATIENCE))?;
        std::io::copy(&mut &*stream, &mut std::io::sink()).map(drop)
    }
}

/// A core module that is nothing but a custom section.
fn large_module() -> Vec<u8> {
    let data = vec![b'x'; 32 << 20];
    let mut size = data.len() + 2;
    let mut module = b"\0asm\x01\0\0\0\0".to_vec();
    while size > 0x7f {
        module.push(0x80 | u8::try_from(size & 0x7f).expect("seven bits"));
        size >>= 7;
    }
    module.push(u8::try_from(size).expect("seven bits"));
    module.extend(*b"\x01x");
    module.extend(data);
    module
}
