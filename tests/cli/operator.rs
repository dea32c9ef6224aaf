//! A registry whose operator rewrites its history, with all that an operator has: the database, the store, and the keys.
//!
//! The server is stopped, rows and files are changed, and it starts again: what it publishes then is signed with its own keys, and is
//! what an honest server would have published, had that been its history. In each test somebody new says so, who believes all of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;
use wreg_harness::{
    RegistryProcess,
    fixtures::wat,
    liar::{Liar, Lie},
    raw::Connection,
    sqlite,
};
use wreg_oci::{Digest, MediaType};
use wreg_trust::log::{NoteKey, SignedNote, Verifier};

use crate::{
    witness::{Witness, checkpoint, keeper, log_of, registry},
    wreg::{Run, User, read},
};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);
/// The tags of a repository beside, so that the log has a tile that is full.
const BESIDE: usize = 260;

/// A registry with a history, and who has seen it.
struct History {
    folder: TempDir,
    server: Option<RegistryProcess>,
    /// Where clients find it, whichever process it is.
    front: Liar,
    witness: Witness,
    /// Who runs the witness, and who checks its signatures.
    keeper: (User, Verifier),
    /// What acme/hello:1.0.0 is, what acme/hello:latest was, and what it is now.
    digests: [Digest; 3],
}

impl History {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        // The witness is told which log, and the server which witness.
        let server = RegistryProcess::builder()
            .env("WREG_SIGNING", "wasm")
            .data_dir(&data)
            .start();
        let log = log_of(&server);
        assert!(server.terminate().success());
        let keeper = keeper();
        let witness = Witness::start(&keeper.0, "127.0.0.1:0", &[&log]);
        let server = registry(witness.address, &keeper.1, &[]).data_dir(&data).start();
        let [one, old] = [("1.0.0", "one"), ("latest", "old")].map(|(tag, text)| push(&server, tag, text));
        tag_beside(&server);
        let new = push(&server, "latest", "new");
        Self {
            front: Liar::before(server.address()),
            folder,
            server: Some(server),
            witness,
            keeper,
            digests: [one, old, new],
        }
    }

    fn server(&self) -> &RegistryProcess {
        self.server.as_ref().expect("it runs")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn host(&self) -> String {
        self.front.address().to_string()
    }

    /// Somebody who has not been here before, and has the keys.
    fn somebody(&self) -> User {
        let user = User::of(self.server());
        user.run(&["trust", "init", &self.host()]).yes();
        user
    }

    /// Somebody who has pulled a tag, which was verified.
    fn who_has_pulled(&self, tag: &str) -> User {
        let user = self.somebody();
        self.pull(&user, tag).yes();
        user
    }

    /// Somebody who has watched the log, and found nothing.
    fn who_has_watched(&self) -> User {
        let user = self.somebody();
        self.watch(&user).yes();
        user
    }

    /// Somebody new who believes no log that the witness has not signed within an hour.
    fn who_asks_the_witness(&self) -> User {
        let user = self.somebody();
        let rule = format!(
            "[[rule]]\nscope = \"{}\"\nwitnesses = [\"{}\"]\nwitness-max-age = \"1h\"\n[[rule.require]]\ntype = \"publish\"\nkeys = [\"registry\"]\n",
            self.host(),
            self.keeper.1
        );
        user.file("trust.toml", rule);
        user.with("WREG_TRUST_POLICY", "trust.toml")
    }

    /// Pulls a tag, from the registry and not from the user's store.
    fn pull(&self, user: &User, tag: &str) -> Run {
        if user.store().exists() {
            fs::remove_dir_all(user.store()).expect("it is a folder");
        }
        user.run(&["pull", &format!("{}/acme/hello:{tag}", self.host())])
    }

    fn watch(&self, user: &User) -> Run {
        user.run(&["log", "verify", &self.host()])
    }

    /// What the registry shows differs from its log, and a monitor says so.
    fn differs(&self, monitor: &User, says: &str) {
        let watched = self.watch(monitor);
        assert_eq!(watched.code, 1, "{watched:?}");
        assert!(watched.text().contains(says), "{watched:?}");
    }

    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            assert!(server.terminate().success());
        }
    }

    /// Starts it again on a folder.
    fn start(&mut self, data: &Path) {
        let server = registry(self.witness.address, &self.keeper.1, &[])
            .data_dir(data)
            .start();
        self.front.move_before(server.address());
        self.server = Some(server);
    }

    /// Changes the database while the server is down.
    fn change(&mut self, statements: &str) {
        self.stop();
        sqlite::change(&self.data().join("wreg.db"), statements);
        let data = self.data();
        self.start(&data);
    }

    /// Changes the database, and has the log made anew of its entries, every tile and checkpoint of it, and signed by the key of the log.
    fn rewrite(&mut self, statements: &str) {
        let before = checkpoint(self.server(), |_| true).text().to_owned();
        self.stop();
        fs::remove_dir_all(self.data().join("log")).expect("the tiles are there");
        self.change(&format!("{statements}; UPDATE log SET size = 0, frontier = '[]'"));
        checkpoint(self.server(), |note| note.text() != before);
    }

    /// Waits until the witness has been asked, and has not signed.
    fn witness_refuses(&self) {
        let end = Instant::now() + PATIENCE;
        while !self
            .server()
            .stderr()
            .contains("a witness has not signed the checkpoint")
        {
            assert!(Instant::now() < end, "the witness was not asked, or has signed");
            std::thread::yield_now();
        }
        let note = checkpoint(self.server(), |_| true);
        assert_eq!(self.keeper.1.verify(&note), None, "{note}");
    }
}

/// Publishes a component that says `text`, and waits until it is signed.
fn push(server: &RegistryProcess, tag: &str, text: &str) -> Digest {
    let user = User::of(server);
    let file = user.file("hello.wasm", wat::component_with(text));
    let reference = format!("{}/acme/hello:{tag}", server.address());
    let pushed = user.run(&["push", &file, &reference, "--format", "json"]).yes().json();
    assert_eq!(pushed["signed"], true, "{pushed}");
    serde_json::from_value(pushed["digest"].clone()).expect("a digest")
}

/// Tags something that is no component, ten tags at a time.
fn tag_beside(server: &RegistryProcess) {
    let (address, token) = (server.address(), server.admin_token());
    let mut connection = Connection::open(address);
    let mut send = |method: &str, target: &str, body: &str| {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            MediaType::IMAGE_MANIFEST,
            body.len()
        );
        connection.send(head + body).expect("it takes requests");
        let answer = connection.read_response().expect("it answers");
        assert_eq!(answer.status, 201, "{target}: {}", answer.text());
    };
    let empty = Digest::sha256("{}");
    send("POST", &format!("/v2/acme/beside/blobs/uploads/?digest={empty}"), "{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_MANIFEST,
        "config": { "mediaType": MediaType::EMPTY, "digest": empty, "size": 2 },
        "layers": [],
    })
    .to_string();
    let target = format!("/v2/acme/beside/manifests/{}", Digest::sha256(&manifest));
    for round in 0..BESIDE / 10 {
        let tags: Vec<_> = (0..10).map(|tag| format!("tag=t{round}-{tag}")).collect();
        send("PUT", &format!("{target}?{}", tags.join("&")), &manifest);
    }
}

/// The statement that moves a tag of acme/hello.
fn move_tag(tag: &str, to: &Digest) -> String {
    format!("UPDATE tags SET digest = '{to}' WHERE repository = 'acme/hello' AND name = '{tag}'")
}

#[test]
fn a_digest_that_is_replaced_behind_the_logs_back() {
    let mut there = History::new();
    let (reader, monitor) = (there.who_has_pulled("1.0.0"), there.who_has_watched());
    there.change(&move_tag("1.0.0", &there.digests[1]));
    there
        .pull(&reader, "1.0.0")
        .no()
        .saying("it was published under the tag latest");
    there
        .pull(&there.somebody(), "1.0.0")
        .no()
        .saying("it was published under the tag latest");
    there.differs(&monitor, "acme/hello:1.0.0 is");
}

#[test]
fn a_tag_that_is_put_back_behind_the_logs_back() {
    let mut there = History::new();
    let (reader, monitor) = (there.who_has_pulled("latest"), there.who_has_watched());
    there.change(&move_tag("latest", &there.digests[1]));
    there
        .pull(&reader, "latest")
        .no()
        .saying("the tag latest was rolled back");
    there.differs(&monitor, "acme/hello:latest is");
    // It was so once.
    there.pull(&there.somebody(), "latest").yes();
    // A monitor needs no memory for this.
    there.differs(&there.somebody(), "acme/hello:latest is");
}

/// Who has pulled and who has watched notice, and who is new if they ask the witness; anybody else believes it, as they would any history.
fn is_noticed(there: &History, [reader, monitor]: [&User; 2], tag: &str) {
    there.pull(reader, tag).no().saying("the log was rewritten");
    there.watch(monitor).no().saying("the log was rewritten");
    there.witness_refuses();
    there
        .pull(&there.who_asks_the_witness(), tag)
        .no()
        .saying("none of the witnesses that are trusted has signed");
    there.pull(&there.somebody(), tag).yes();
    there.watch(&there.somebody()).yes();
}

#[test]
fn a_digest_that_is_replaced_in_the_log_too() {
    let mut there = History::new();
    let seen = [there.who_has_pulled("1.0.0"), there.who_has_watched()];
    let [one, old, _] = &there.digests;
    let replaced = format!(
        "{}; UPDATE log_entries SET entry = replace(entry, '{one}', '{old}') WHERE repository = 'acme/hello' AND tag = '1.0.0';
         INSERT INTO jobs (name, run_at, attempts, fence, leased_until)
         SELECT 'sign:' || place, 0, 0, 0, 0 FROM log_entries WHERE repository = 'acme/hello' AND tag = '1.0.0'",
        move_tag("1.0.0", old)
    );
    there.rewrite(&replaced);
    // The registry signs its new history, and it grows.
    push(there.server(), "2.0.0", "two");
    is_noticed(&there, seen.each_ref(), "1.0.0");
}

#[test]
fn an_entry_that_is_dropped() {
    let mut there = History::new();
    let seen = [there.who_has_pulled("latest"), there.who_has_watched()];
    let [_, old, new] = &there.digests;
    // `latest` has never been moved.
    let dropped = format!(
        "{}; DELETE FROM log_entries WHERE repository = 'acme/hello' AND tag = 'latest' AND entry LIKE '%\"digest\":\"{new}\"%'",
        move_tag("latest", old)
    );
    there.rewrite(&dropped);
    there.pull(&seen[0], "latest").no().saying("the log was rolled back");
    for tag in ["2.0.0", "2.1.0"] {
        push(there.server(), tag, tag);
    }
    is_noticed(&there, seen.each_ref(), "latest");
}

#[test]
fn a_log_that_is_forked() {
    let mut there = History::new();
    there.stop();
    let other = there.folder.path().join("other");
    copy(&there.data(), &other);
    // Everybody here sees one of them.
    let data = there.data();
    there.start(&data);
    push(there.server(), "next", "what is told here");
    let seen = [there.who_has_pulled("next"), there.who_has_watched()];
    // And then the other, which is longer.
    there.stop();
    there.start(&other);
    for text in ["what is told there", "and more"] {
        push(there.server(), "next", text);
    }
    is_noticed(&there, seen.each_ref(), "next");
}

#[test]
fn a_bit_of_the_tiles() {
    let mut there = History::new();
    let (reader, monitor) = (there.somebody(), there.somebody());
    there.stop();
    for tile in ["tile/0/000", "tile/entries/000"] {
        let file = there.data().join("log").join(tile);
        let mut bytes = read(&file);
        // In the entry, or hash, of 1.0.0 or before: what is on the way to it.
        bytes[40] ^= 1;
        fs::remove_file(&file)
            .and_then(|()| fs::write(&file, bytes))
            .expect("it is written");
    }
    let data = there.data();
    there.start(&data);
    there.pull(&reader, "1.0.0").no().saying("the log was rewritten");
    there.watch(&monitor).no().saying("the log was rewritten");
}

#[test]
fn a_log_that_is_frozen() {
    let there = History::new();
    let careful = there.who_asks_the_witness();
    there.pull(&careful, "latest").yes();
    let (other, monitor) = (there.who_has_pulled("latest"), there.who_has_watched());
    // What the log showed two hours ago, with what the witness signed then.
    let note = checkpoint(there.server(), |note| there.keeper.1.verify(note).is_some());
    let signed_at = there.keeper.1.verify(&note).expect("it is signed");
    let key = String::from_utf8(there.keeper.0.read("witness.key")).expect("text");
    let key = NoteKey::from_text(&key).expect("a key");
    let old = note
        .signatures()
        .iter()
        .find(|signature| !key.verifier().is_named(signature));
    let mut frozen = SignedNote::new(note.text().to_owned(), old.expect("the log's own").clone());
    frozen.add(key.sign(note.text(), signed_at - 7_200));
    there.front.tell(move |target| {
        if target == "/log/checkpoint" {
            Lie::Body(frozen.to_string().into_bytes())
        } else {
            Lie::None
        }
    });
    there.pull(&careful, "latest").no().saying("the log may be frozen");
    // Who asks no witness cannot tell.
    there.pull(&other, "latest").yes();
    there.watch(&monitor).yes();
    there.front.tell(|_| Lie::None);
    there.pull(&careful, "latest").yes();
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in from.read_dir().expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).expect("a file can be copied");
        }
    }
}
