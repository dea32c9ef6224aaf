//! What the tests need again and again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use wreg_client::{Client, ClientOptions, Credentials, Progress, Registry, Retries, Secret, Store};
use wreg_oci::{Descriptor, Digest, MediaType, RepositoryName, TagOrDigest};

use crate::server::{Reply, Request, Server};

pub(crate) fn name() -> RepositoryName {
    "a/b".parse().expect("a name")
}

pub(crate) fn tag(text: &str) -> TagOrDigest {
    TagOrDigest::Tag(text.parse().expect("a tag"))
}

pub(crate) fn secret() -> Secret {
    Secret::new("ada", "hunter2")
}

pub(crate) fn basic() -> String {
    format!("Basic {}", STANDARD.encode("ada:hunter2"))
}

pub(crate) fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::WASM, bytes)
}

/// `size` bytes in which no two chunks are alike.
pub(crate) fn content(size: usize) -> Vec<u8> {
    let pattern: Vec<u8> = (0..65_521_u32)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    let mut bytes = pattern.repeat(size.div_ceil(pattern.len()));
    bytes.truncate(size);
    bytes
}

/// Retries that wait for nothing and remember how long they would have.
pub(crate) fn patient() -> (Retries, Arc<Mutex<Vec<Duration>>>) {
    let pauses: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let seen = Arc::clone(&pauses);
    let retries = Retries {
        attempts: 4,
        sleep: Arc::new(move |pause| {
            seen.lock().expect("pauses").push(pause);
            Box::pin(std::future::ready(()))
        }),
        ..Retries::default()
    };
    (retries, pauses)
}

pub(crate) fn client(options: ClientOptions) -> Client {
    Client::with_retries(options, patient().0).expect("a client")
}

/// The registry of `server` for somebody without credentials and without a store.
pub(crate) fn anonymous(server: &Server) -> Registry {
    client(ClientOptions::default())
        .registry(&server.host())
        .expect("a registry")
}

/// The same with credentials.
pub(crate) fn known(server: &Server) -> Registry {
    let options = ClientOptions {
        credentials: Credentials::none().with(server.host(), secret()),
        ..ClientOptions::default()
    };
    client(options).registry(&server.host()).expect("a registry")
}

/// The same with a store.
pub(crate) fn storing(server: &Server, folder: &TempDir) -> Registry {
    let options = ClientOptions {
        store: Some(Store::open(folder.path().join("store")).expect("a store")),
        ..ClientOptions::default()
    };
    client(options).registry(&server.host()).expect("a registry")
}

/// Token authentication in front of `inner`: the realm gives `jwt-<n>` for the right password, `anonymous` for none.
pub(crate) fn guarded(
    address: impl Fn() -> String + Send + Sync + 'static,
    inner: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let given = Mutex::new(0);
    move |request| {
        if request.target.starts_with("/token") {
            let mut given = given.lock().expect("a number");
            *given += 1;
            return match request.header("authorization") {
                Some(header) if header == basic() => {
                    Reply::new(200).body(format!(r#"{{"token":"jwt-{given}","expires_in":300}}"#))
                }
                Some(_) => Reply::new(401).body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"unknown token"}]}"#),
                None => Reply::new(200).body(r#"{"token":"anonymous","expires_in":300}"#),
            };
        }
        match request.header("authorization") {
            Some(header) if header.starts_with("Bearer jwt-") => inner(request),
            _ => challenge(&address()),
        }
    }
}

/// A 401 that names a realm at `address`.
pub(crate) fn challenge(address: &str) -> Reply {
    let value = format!("Bearer realm=\"http://{address}/token\",service=\"test\",scope=\"repository:a/b:pull\"");
    Reply::new(401).header("www-authenticate", value)
}

/// A cell for the address of a server that its answers have to name.
#[derive(Clone, Default)]
pub(crate) struct Address(Arc<Mutex<String>>);

impl Address {
    pub(crate) fn set(&self, server: &Server) {
        *self.0.lock().expect("an address") = server.address.to_string();
    }

    pub(crate) fn get(&self) -> String {
        self.0.lock().expect("an address").clone()
    }
}

/// A registry behind token authentication.
pub(crate) async fn start_guarded(inner: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    let address = Address::default();
    let own = address.clone();
    let server = Server::start(guarded(move || own.get(), inner)).await;
    address.set(&server);
    server
}

/// Remembers what it was told.
#[derive(Default)]
pub(crate) struct Told(Mutex<(u64, u64, u64)>);

impl Told {
    /// The announced total, the sum of what moved, and how often it was done.
    pub(crate) fn sums(&self) -> (u64, u64, u64) {
        *self.0.lock().expect("sums")
    }
}

impl Progress for Told {
    fn start(&self, _digest: &Digest, total: u64) {
        self.0.lock().expect("sums").0 += total;
    }

    fn advance(&self, _digest: &Digest, bytes: u64) {
        self.0.lock().expect("sums").1 += bytes;
    }

    fn finish(&self, _digest: &Digest) {
        self.0.lock().expect("sums").2 += 1;
    }
}

/// The names in a folder and below it, in order.
pub(crate) fn files(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            names.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

/// The bytes of a file.
pub(crate) fn read(path: impl AsRef<std::path::Path>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).expect("the file");
    std::io::Read::read_to_end(&mut file, &mut bytes).expect("its bytes");
    bytes
}
