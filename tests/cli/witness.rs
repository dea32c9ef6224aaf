//! `wreg witness`, beside a server that is configured with it.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use wreg_harness::{Builder, RegistryProcess, fixtures::wat, raw::Connection};
use wreg_oci::{Manifest, MediaType};
use wreg_trust::{
    anchors::{self, Anchors},
    attachment::proof_layers,
    log::{
        AddCheckpoint, Checkpoint, Frontier, Hash, NoteKey, Proof, SignedNote, Verifier,
        merkle::{Node, consistency, nodes, root},
        note::Kind,
        witness::{checkpoint_path, read_cosignatures},
    },
};

use crate::wreg::User;

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A witness that runs.
pub(crate) struct Witness {
    child: Child,
    pub(crate) address: SocketAddr,
    lines: BufReader<ChildStdout>,
}

impl Witness {
    /// Starts one in the user's folder with the key `witness.key`, and returns once it listens.
    pub(crate) fn start(user: &User, listen: &str, logs: &[&Verifier]) -> Self {
        let logs: Vec<String> = logs.iter().map(ToString::to_string).collect();
        let mut arguments = vec![
            "witness",
            "--listen",
            listen,
            "--key",
            "witness.key",
            "--state",
            "state",
        ];
        arguments.extend(logs.iter().flat_map(|log| ["--log", log]));
        let mut command = user.command(&arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        Self {
            child,
            address: address.unwrap_or_else(|| panic!("{line:?}")),
            lines,
        }
    }

    /// Ends it as a person would.
    fn terminate(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.code(), Some(0));
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it says more");
        line
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Already ended is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who has the key of a witness in `witness.key`: them, and who checks its signatures.
pub(crate) fn keeper() -> (User, Verifier) {
    let user = User::new();
    let said = user
        .run(&["key", "generate", "witness", "--witness", "witness.example"])
        .yes()
        .text();
    let key = String::from_utf8(user.read("witness.pub")).expect("text");
    assert_eq!(said, format!("witness.key\nwitness.pub\n{key}"));
    (user, key.parse().expect("a key"))
}

fn get(address: SocketAddr, target: &str) -> (u16, String) {
    ask(address, "GET", target, "")
}

fn ask(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut connection = Connection::open(address);
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    connection
        .send(head)
        .and_then(|()| connection.send(body.as_bytes()))
        .expect("it takes requests");
    let response = connection.read_response().expect("it answers");
    (response.status, response.text())
}

fn add(address: SocketAddr, request: &AddCheckpoint) -> (u16, String) {
    ask(address, "POST", "/add-checkpoint", &request.to_string())
}

pub(crate) fn log_of(registry: &RegistryProcess) -> Verifier {
    let (status, text) = get(registry.address(), anchors::PATH);
    assert_eq!(status, 200);
    let anchors: Anchors = serde_json::from_str(&text).expect("anchors");
    anchors.log.expect("a log").key.parse().expect("a key")
}

/// The published checkpoint once `is_wanted`.
pub(crate) fn checkpoint(registry: &RegistryProcess, is_wanted: impl Fn(&SignedNote) -> bool) -> SignedNote {
    let end = Instant::now() + PATIENCE;
    loop {
        let (status, text) = get(registry.address(), "/log/checkpoint");
        assert_eq!(status, 200);
        let note: SignedNote = text.parse().expect("a note");
        if is_wanted(&note) {
            return note;
        }
        assert!(Instant::now() < end, "{text}\n{}", registry.stderr());
    }
}

pub(crate) fn size_of(note: &SignedNote) -> u64 {
    note.text().parse::<Checkpoint>().expect("a checkpoint").size
}

/// A registry that signs, and has this witness.
pub(crate) fn registry(witness: SocketAddr, key: &Verifier, more: &[(&str, &str)]) -> Builder {
    let witnesses = format!(r#"[{{ url = "http://{witness}", key = "{key}" }}]"#);
    let builder = RegistryProcess::builder()
        .env("WREG_SIGNING", "wasm")
        .env("WREG_WITNESSES", witnesses);
    more.iter()
        .fold(builder, |builder, (name, value)| builder.env(name, value))
}

fn push(registry: &RegistryProcess, version: &str) {
    let user = User::of(registry);
    let file = user.file("hello.wasm", wat::component_with(version));
    let reference = format!("{}/acme/hello:{version}", registry.address());
    user.run(&["push", &file, &reference]).yes();
}

/// What the administrator gets.
fn authorised(registry: &RegistryProcess, target: &str) -> String {
    let (address, token) = (registry.address(), registry.admin_token());
    let mut connection = Connection::open(address);
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    connection.send(head).expect("it takes requests");
    let response = connection.read_response().expect("it answers");
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    response.text()
}

/// Waits until a version is signed; the proof beside it.
fn proven(registry: &RegistryProcess, version: &str) -> Proof {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let target = format!("/api/v1/publication?repository=acme/hello&reference={version}&wait=30");
    let end = Instant::now() + PATIENCE;
    let state = loop {
        let state = json(&authorised(registry, &target));
        if state["done"] == true {
            break state;
        }
        assert!(Instant::now() < end, "{state}\n{}", registry.stderr());
    };
    let digest = state["digest"].as_str().expect("a digest");
    let index = json(&authorised(registry, &format!("/v2/acme/hello/referrers/{digest}")));
    let manifests = index["manifests"].as_array().expect("a list");
    let proof = manifests.iter().find_map(|referrer| {
        let digest = referrer["digest"].as_str()?;
        let manifest = authorised(registry, &format!("/v2/acme/hello/manifests/{digest}"));
        let manifest = Manifest::parse(manifest.as_bytes(), &MediaType::IMAGE_MANIFEST).ok()?;
        let (_, proof) = proof_layers(&manifest)?;
        let blob = authorised(registry, &format!("/v2/acme/hello/blobs/{}", proof.digest));
        blob.parse::<Proof>().ok()
    });
    proof.unwrap_or_else(|| panic!("no proof among {index}"))
}

/// A log by hand, of `size` entries that say `what`.
struct Log {
    leaves: Vec<Hash>,
    key: NoteKey,
}

impl Log {
    fn of(size: u64, what: &str) -> Self {
        let leaf = |index| Hash::leaf(format!("{what} {index}").as_bytes());
        Self {
            leaves: (0..size).map(leaf).collect(),
            key: NoteKey::new("log.example/log", Kind::Plain, &[7; 32]).expect("a key"),
        }
    }

    fn hash(&self, node: Node) -> Hash {
        let mut tree = Frontier::default();
        let width = 1 << node.level;
        let start = usize::try_from(node.index * width).expect("it is small");
        let end = start + usize::try_from(width).expect("it is small");
        for leaf in &self.leaves[start..end] {
            tree.append(*leaf, |_, _| {});
        }
        tree.root()
    }

    /// From a tree of `old` entries to all.
    fn request(&self, old: u64) -> AddCheckpoint {
        let size = self.leaves.len() as u64;
        let of_run = |run| {
            root(
                nodes(run)
                    .into_iter()
                    .map(|node| self.hash(node))
                    .collect::<Vec<_>>()
                    .into_iter(),
            )
        };
        let text = Checkpoint {
            origin: self.key.verifier().name().to_owned(),
            size,
            root: of_run(0..size),
            extensions: Vec::new(),
        }
        .to_string();
        let signature = self.key.sign(&text, 0);
        AddCheckpoint {
            old,
            proof: consistency(old, size)
                .unwrap_or_default()
                .into_iter()
                .map(of_run)
                .collect(),
            checkpoint: SignedNote::new(text, signature),
        }
    }
}

#[test]
fn what_is_pushed_is_signed_by_the_witness_too() {
    let (user, key) = keeper();
    // The port is known before the log is: another one is watched at first.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let builder = RegistryProcess::builder().env("WREG_SIGNING", "wasm").data_dir(&data);
    let server = builder.start();
    let log = log_of(&server);
    assert!(server.terminate().success());

    let mut witness = Witness::start(&user, "127.0.0.1:0", &[&log]);
    assert_eq!(witness.line(), format!("key  {key}\n"));
    assert!(
        witness
            .line()
            .starts_with(&format!("log  {}, signed over 0", log.name()))
    );
    let server = registry(witness.address, &key, &[]).data_dir(&data).start();
    for version in ["1.0.0", "2.0.0"] {
        push(&server, version);
        // The proof beside what was published has been made with it.
        let proof = proven(&server, version);
        assert!(key.verify(&proof.checkpoint).is_some() && log.verify(&proof.checkpoint).is_some());
        let note = checkpoint(&server, |note| key.verify(note).is_some());
        assert!(log.verify(&note).is_some());
        // What the witness shows is what the log shows.
        let (status, text) = get(witness.address, &checkpoint_path(log.name()));
        let shown: SignedNote = text.parse().expect("a note");
        assert_eq!(status, 200);
        assert!(key.verify(&shown).is_some() && log.verify(&shown).is_some());
        assert!(size_of(&shown) >= size_of(&note));
    }
    assert!(server.terminate().success());
    witness.terminate();
}

#[test]
fn a_signature_is_made_anew_where_nothing_changes() {
    let (user, key) = keeper();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let server = RegistryProcess::builder().data_dir(&data).start();
    let log = log_of(&server);
    assert!(server.terminate().success());
    let witness = Witness::start(&user, "127.0.0.1:0", &[&log]);
    let more = [("WREG_WITNESS_INTERVAL_SECONDS", "1")];
    let server = registry(witness.address, &key, &more).data_dir(&data).start();
    let first = checkpoint(&server, |note| key.verify(note).is_some());
    let time = key.verify(&first);
    let later = checkpoint(&server, |note| key.verify(note) > time);
    assert_eq!(later.text(), first.text());
    assert_eq!(later.signatures().len(), 2);
}

#[test]
fn a_witness_that_is_down_holds_nothing_up_and_is_asked_again() {
    let (user, key) = keeper();
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let server = registry(address, &key, &[]).start();
    push(&server, "1.0.0");
    proven(&server, "1.0.0");
    let note = checkpoint(&server, |note| size_of(note) > 0);
    assert_eq!(note.signatures().len(), 1);
    assert!(
        server.stderr().contains("a witness has not signed"),
        "{}",
        server.stderr()
    );
    // It comes up, and signs what is there, with no further change.
    let log = log_of(&server);
    let witness = Witness::start(&user, &address.to_string(), &[&log]);
    checkpoint(&server, |note| key.verify(note).is_some());
    witness.terminate();
}

#[test]
fn a_witness_signs_no_other_log_and_remembers_what_it_has_signed() {
    let (user, key) = keeper();
    let (five, nine) = (Log::of(5, "entry"), Log::of(9, "entry"));
    let log = five.key.verifier().clone();
    let witness = Witness::start(&user, "127.0.0.1:0", &[&log]);
    let at = witness.address;
    assert_eq!(get(at, &checkpoint_path(log.name())).0, 404);
    let signed = |answer: (u16, String), of: &AddCheckpoint| {
        assert_eq!(answer.0, 200, "{}", answer.1);
        let mut note = of.checkpoint.clone();
        note.add(read_cosignatures(&answer.1).remove(0));
        assert!(key.verify(&note).is_some_and(|time| time > 1_700_000_000));
    };
    signed(add(at, &five.request(0)), &five.request(0));
    // The same again, and the size where it goes on from something else.
    signed(add(at, &five.request(5)), &five.request(5));
    assert_eq!(add(at, &nine.request(0)), (409, "5\n".to_owned()));
    assert_eq!(add(at, &nine.request(7)).0, 409);
    // The log, forked: as long, and longer.
    assert_eq!(add(at, &Log::of(5, "other").request(5)).0, 422);
    assert_eq!(add(at, &Log::of(9, "other").request(5)).0, 422);
    assert!(user.names().contains(&"state".to_owned()));
    let unproven = AddCheckpoint {
        proof: Vec::new(),
        ..nine.request(5)
    };
    assert_eq!(add(at, &unproven).0, 422);
    // Another one may not use the folder meanwhile.
    let text = log.to_string();
    let arguments = [
        "witness",
        "--key",
        "witness.key",
        "--state",
        "state",
        "--listen",
        "127.0.0.1:0",
        "--log",
        &text,
    ];
    user.run(&arguments).unknown().saying("another witness uses the folder");
    witness.terminate();

    let mut witness = Witness::start(&user, "127.0.0.1:0", &[&log]);
    let at = witness.address;
    assert_eq!(witness.line(), format!("key  {key}\n"));
    assert_eq!(witness.line(), format!("log  {}, signed over 5 changes\n", log.name()));
    assert_eq!(add(at, &nine.request(0)), (409, "5\n".to_owned()));
    assert_eq!(add(at, &Log::of(9, "other").request(5)).0, 422);
    signed(add(at, &nine.request(5)), &nine.request(5));
    // It does not go back.
    assert_eq!(add(at, &five.request(5)), (409, "9\n".to_owned()));
    let (status, shown) = get(at, &checkpoint_path(log.name()));
    let shown: SignedNote = shown.parse().expect("a note");
    assert_eq!((status, size_of(&shown)), (200, 9));
    // What is no request, and what is asked in another way.
    for (method, target, body, status) in [
        ("POST", "/add-checkpoint", "old 9\n", 400),
        ("POST", "/add-checkpoint", "", 400),
        ("GET", "/add-checkpoint", "", 405),
        ("PUT", "/x/checkpoint", "", 405),
        ("GET", "/x/checkpoint", "", 404),
        ("GET", "/", "", 404),
    ] {
        assert_eq!(ask(at, method, target, body).0, status, "{method} {target}");
    }
    assert_eq!(ask(at, "POST", "/add-checkpoint", &"a".repeat(65 << 10)).0, 413);
    witness.terminate();

    // A memory that cannot be read is none to go on from.
    let kept = user
        .work()
        .join("state")
        .read_dir()
        .expect("a folder")
        .find_map(|entry| {
            let path = entry.expect("an entry").path();
            path.extension()
                .is_some_and(|ending| ending == "checkpoint")
                .then_some(path)
        });
    std::fs::write(kept.expect("what was signed"), "nothing").expect("it can be written");
    user.run(&arguments).unknown().saying("holds no checkpoint");
}

#[test]
fn keys_of_witnesses_and_of_logs_are_not_taken_for_each_other() {
    let (user, key) = keeper();
    let mode = user
        .work()
        .join("witness.key")
        .metadata()
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    user.run(&["key", "generate", "witness", "--witness", "witness.example"])
        .unknown()
        .saying("no key is replaced");
    user.run(&["key", "generate", "other", "--witness", "a b"])
        .unknown()
        .saying("cannot be the name");
    user.run(&["key", "generate", "acme"]).yes();
    let log = Log::of(1, "entry").key.verifier().to_string();
    let run = |file: &str, log: &str| user.run(&["witness", "--key", file, "--state", "state", "--log", log]);
    run("acme.key", &log).unknown().saying("holds no key of a witness");
    run("witness.pub", &log).unknown().saying("holds no key of a witness");
    run("witness.key", &key.to_string())
        .unknown()
        .saying("one of a log is wanted");
    run("witness.key", "nonsense").unknown().saying("no key");
    // And the server tells them apart too.
    let refused = RegistryProcess::builder()
        .env("WREG_WITNESSES", format!("https://witness.example {log}"))
        .try_start()
        .expect_err("it is refused");
    assert!(refused.stderr.contains("WREG_WITNESSES"), "{refused}");
    assert!(refused.stderr.contains("the key of a log"), "{refused}");
}
