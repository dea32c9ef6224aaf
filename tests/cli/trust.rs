//! `wreg trust`, `wreg log`, and what `wreg pull` and `wreg verify` catch.

use std::net::SocketAddr;

use serde_json::{Value, json};
use wreg_harness::{
    RegistryProcess,
    fixtures::wat,
    liar::{Liar, Lie},
    raw::Connection,
};
use wreg_oci::{Attachment, Descriptor, Digest, MediaType};
use wreg_trust::signature::{Bundle, SigningKey, Statement, statement};

use crate::{registry::Raw, wreg::User};

/// A registry that signs.
fn signing() -> RegistryProcess {
    RegistryProcess::builder().env("WREG_SIGNING", "wasm").start()
}

/// What somebody has published at a registry: as seen at `address`.
struct Published {
    registry: RegistryProcess,
    liar: Liar,
    user: User,
}

impl Published {
    /// Version 1.0.0 of acme/hello, and `latest` of another component after it.
    fn new() -> Self {
        let registry = signing();
        let liar = Liar::before(registry.address());
        let user = User::of(&registry);
        let published = Self { registry, liar, user };
        for (file, tag, bytes) in [
            ("one.wasm", "1.0.0", wat::component()),
            ("old.wasm", "latest", wat::component_with("old")),
            ("new.wasm", "latest", wat::component_with("new")),
        ] {
            let file = published.user.file(file, bytes);
            published.push(&file, tag);
        }
        published
    }

    fn push(&self, file: &str, tag: &str) -> Digest {
        let reference = at(self.registry.address(), tag);
        let pushed = self
            .user
            .run(&["push", file, &reference, "--format", "json"])
            .yes()
            .json();
        assert_eq!(pushed["signed"], true, "{pushed}");
        serde_json::from_value(pushed["digest"].clone()).expect("a digest")
    }

    /// Somebody else, who has the registry's keys pinned, and nothing in the store.
    fn reader(&self) -> User {
        self.liar.tell(|_| Lie::None);
        let reader = User::of(&self.registry);
        let host = self.liar.address().to_string();
        reader.run(&["trust", "init", &host]).yes().saying("are pinned");
        reader
    }

    /// The reference that readers use.
    fn at(&self, tag: &str) -> String {
        at(self.liar.address(), tag)
    }
}

/// What the registry answers to everybody.
fn get(registry: &RegistryProcess, target: &str) -> Vec<u8> {
    let mut connection = Connection::open(registry.address());
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        registry.address()
    );
    connection.send(head).expect("the server takes requests");
    let answer = connection.read_response().expect("the server answers");
    assert_eq!(answer.status, 200, "{target}");
    answer.body
}

fn at(address: SocketAddr, tag: &str) -> String {
    format!("{address}/acme/hello:{tag}")
}

#[test]
fn what_is_pushed_is_signed_and_what_is_pulled_is_verified_by_default() {
    let there = Published::new();
    let user = User::of(&there.registry);
    let reference = there.at("1.0.0");
    // The first use pins the keys, and says so.
    let pulled = user
        .run(&["pull", &reference, "--format", "json"])
        .yes()
        .saying("are pinned");
    let verified = pulled.json()["verified"].as_array().map(Vec::len);
    assert_eq!(verified, Some(2));
    // The second does not.
    let again = user.run(&["pull", &reference]).yes();
    assert!(!again.stderr.contains("pinned"), "{again:?}");
    let said = user.run(&["verify", &reference]).yes().text();
    assert!(
        said.contains("urn:wreg:publish:v1 signed by the key") && said.contains("of the log"),
        "{said}"
    );
    let host = there.liar.address().to_string();
    let shown = user.run(&["trust", "show", &host]).yes().text();
    assert!(shown.contains("  key  ") && shown.contains("entries seen"), "{shown}");
    user.run(&["trust", "init", &host])
        .yes()
        .saying("are those that are pinned");
    let shown = user.run(&["log", "show", &reference]).yes().text();
    assert!(shown.contains("1.0.0 by token:"), "{shown}");
    let watched = user.run(&["log", "verify", &host, "--format", "json"]).yes().json();
    assert!(
        watched["own"].as_u64() >= Some(4) && watched["before"] == 0,
        "{watched}"
    );
    let watched = user.run(&["log", "verify", &host, "--format", "json"]).yes().json();
    assert_eq!((&watched["before"], &watched["own"]), (&watched["size"], &0.into()));
    // The key of cosign.
    let pem = user.run(&["key", "show", &host]).yes().text();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"), "{pem}");
    user.run(&["trust", "forget", &host]).yes();
    user.run(&["trust", "show", &host]).no().saying("wreg trust init");
}

#[test]
fn a_registry_that_signs_nothing_is_used_as_before() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component());
    let reference = at(registry.address(), "1.0.0");
    user.run(&["push", &file, &reference]).yes();
    let pulled = user.run(&["pull", &reference]).yes();
    assert!(!pulled.stderr.contains("verif"), "{pulled:?}");
    user.run(&["verify", &reference])
        .unknown()
        .saying("nothing says who must have signed");
    user.run(&["trust", "init", &registry.address().to_string()])
        .no()
        .saying("signs nothing");
}

/// What is told instead of the truth, given what was asked.
type Tell = Box<dyn Fn(&str) -> Lie + Send + Sync>;

/// Another bit at that place of what has this in its name.
fn bit(of: &str, place: usize) -> Tell {
    let of = of.to_owned();
    Box::new(move |target| {
        if target.contains(&of) {
            Lie::Bit(place)
        } else {
            Lie::None
        }
    })
}

/// What is signed is bound to the digest, and "verified" is said of nothing else; each lie is told to somebody who has the keys.
/// **V37** A signature, statement or proof of another digest, repository or tag → not verified, and nothing is written.
#[test]
fn every_lie_about_an_artifact_is_caught_by_pull_and_verify() {
    let there = Published::new();
    let manifest = |tag: &str| format!("/v2/acme/hello/manifests/{tag}");
    let published = at(there.registry.address(), "1.0.0");
    let published = there
        .user
        .run(&["inspect", &published, "--format", "json"])
        .yes()
        .json();
    let blob = |part: &Value| format!("/blobs/{}", part["digest"].as_str().expect("a digest"));
    let (artifact, config) = (blob(&published["layers"][0]), blob(&published["config"]));
    // The name, what a reader asks for, and the lie. Which bit of what is content-addressed does not matter: one in each.
    let lies: Vec<(&str, &str, Tell)> = vec![
        ("a bit of the artifact", "1.0.0", bit(&artifact, 40)),
        ("a bit of its config", "1.0.0", bit(&config, 40)),
        (
            "a bit of all that is addressed by its content",
            "1.0.0",
            bit("/blobs/", 40),
        ),
        ("a bit of the manifest", "1.0.0", bit(&manifest("1.0.0"), 60)),
        (
            "another version in place of this one",
            "1.0.0",
            Box::new({
                let (manifest, other) = (manifest("1.0.0"), manifest("latest"));
                move |target| {
                    if target == manifest {
                        Lie::Of(other.clone())
                    } else {
                        Lie::None
                    }
                }
            }),
        ),
        (
            "no signatures",
            "1.0.0",
            Box::new(|target| {
                if target.contains("/referrers/") {
                    Lie::Body(
                        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
                            .to_vec(),
                    )
                } else if target.contains("/publication") {
                    Lie::Absent
                } else {
                    Lie::None
                }
            }),
        ),
        ("a bit of the checkpoint", "1.0.0", bit("/log/checkpoint", 20)),
        (
            "no log",
            "1.0.0",
            Box::new(|target| {
                if target.starts_with("/log/") {
                    Lie::Absent
                } else {
                    Lie::None
                }
            }),
        ),
        // The proof was made when the log was shorter: tiles show that it is the same.
        ("a bit of a tile", "1.0.0", bit("/log/tile/", 3)),
    ];
    for (name, tag, tell) in lies {
        let reader = there.reader();
        there.liar.tell(tell);
        let reference = there.at(tag);
        let pulled = reader.run(&["pull", &reference, "-o", "out.wasm"]);
        assert_ne!(pulled.code, 0, "{name}: {pulled:?}");
        assert!(!reader.names().contains(&"out.wasm".to_owned()), "{name}");
        let verified = reader.run(&["verify", &reference]);
        assert_ne!(verified.code, 0, "{name}: {verified:?}");
        // The same without the lie.
        there.liar.tell(|_| Lie::None);
        reader.run(&["pull", &reference, "-o", "out.wasm"]).yes();
    }
}

/// **V38** Bundles of others, and what is no bundle, beside an artifact → passed over.
/// **V38** More bundles beside an artifact than are looked at, and the registry's after them → refused, and it says that there are more.
#[test]
fn what_others_put_beside_an_artifact_is_passed_over_as_far_as_it_is_looked_at() {
    let there = Published::new();
    let (reader, raw) = (there.reader(), Raw::new(&there.registry));
    let reference = there.at("1.0.0");
    let digest = there.push("one.wasm", "1.0.0");
    let subject = Descriptor::new(MediaType::IMAGE_MANIFEST, digest.clone(), 1);
    let foreign = Statement::new(&digest, statement::SIGNED, json!({}));
    let foreign = Bundle::sign(&foreign, &SigningKey::generate()).to_bytes();
    let of_others = [foreign, Vec::new(), vec![b'['; 100_000], b"{}".to_vec()];
    let first = raw.referrers("acme/hello", &digest).into_iter().min();
    let first = first.expect("the registry has signed");
    let attached = |document: Vec<u8>, number: usize| {
        let annotations = [("number".to_owned(), number.to_string())].into();
        let layers = vec![(MediaType::SIGSTORE_BUNDLE, document)];
        Attachment::about(&subject, &MediaType::SIGSTORE_BUNDLE, layers, &annotations)
    };
    // Before all that is the registry's: the order is that of the digests.
    let mut before = (0..).map(|number| attached(of_others[number % of_others.len()].clone(), number));
    let mut put = |count: usize| {
        let first = before.by_ref().filter(|attachment| attachment.digest() < first);
        first
            .take(count)
            .for_each(|attachment| raw.push_bundle("acme/hello", &attachment));
    };
    put(20);
    reader.run(&["pull", &reference, "-o", "out.wasm"]).yes();
    reader.run(&["verify", &reference]).yes();
    put(80);
    reader
        .run(&["pull", &reference, "-o", "new.wasm"])
        .no()
        .saying("there is more beside it than is looked at");
    assert!(!reader.names().contains(&"new.wasm".to_owned()));
}

#[test]
fn a_tag_that_is_rolled_back_is_noticed_by_who_has_seen_it_further() {
    let there = Published::new();
    let (new, old) = (there.at("latest"), there.push("old.wasm", "latest"));
    let newer = there.push("new.wasm", "latest");
    assert_ne!(old, newer);
    let reader = there.reader();
    reader.run(&["pull", &new]).yes();
    let target = format!("/v2/acme/hello/manifests/{old}");
    there.liar.tell(move |asked| {
        if asked == "/v2/acme/hello/manifests/latest" {
            Lie::Of(target.clone())
        } else {
            Lie::None
        }
    });
    reader.run(&["pull", &new]).no().saying("rolled back");
    // A monitor that has never pulled it sees that tag and log differ.
    let monitor = User::of(&there.registry);
    let watched = monitor.run(&["log", "verify", &there.liar.address().to_string()]);
    assert_eq!(watched.code, 1, "{watched:?}");
    assert!(watched.text().contains("acme/hello:latest is"), "{watched:?}");
    // Moved back for good it is an entry of its own.
    there.liar.tell(|_| Lie::None);
    there.push("old.wasm", "latest");
    reader.run(&["pull", &new]).yes();
}

#[test]
fn a_log_that_is_rewritten_or_shortened_is_noticed() {
    let there = Published::new();
    let reader = there.reader();
    let host = there.liar.address().to_string();
    // An early checkpoint, signed as any.
    let early = get(&there.registry, "/log/checkpoint");
    there.push("one.wasm", "1.1.0");
    reader.run(&["pull", &there.at("1.0.0")]).yes();
    there.liar.tell(move |asked| {
        if asked == "/log/checkpoint" {
            Lie::Body(early.clone())
        } else {
            Lie::None
        }
    });
    reader
        .run(&["pull", &there.at("1.0.0")])
        .no()
        .saying("the log was rolled back");
    reader
        .run(&["log", "verify", &host])
        .no()
        .saying("the log was rolled back");
    // Another registry in its place: its log has another key, and so have its signatures.
    let other = signing();
    let reader = there.reader();
    let checkpoint = get(&other, "/log/checkpoint");
    there.liar.tell(move |asked| {
        if asked == "/log/checkpoint" {
            Lie::Body(checkpoint.clone())
        } else {
            Lie::None
        }
    });
    for asked in [["pull", &there.at("1.0.0")].as_slice(), &["log", "verify", &host]] {
        reader.run(asked).no().saying("not signed by the log that is trusted");
    }
    // The log's own, with another bit.
    there.liar.tell(|asked| {
        if asked == "/log/checkpoint" {
            Lie::Bit(20)
        } else {
            Lie::None
        }
    });
    let refused = reader.run(&["log", "verify", &host]);
    assert_ne!(refused.code, 0, "{refused:?}");
    let anchors = get(&other, "/.well-known/wreg/trust.json");
    there.liar.tell(move |asked| {
        if asked.ends_with("/trust.json") {
            Lie::Body(anchors.clone())
        } else {
            Lie::None
        }
    });
    reader
        .run(&["trust", "init", &host])
        .no()
        .saying("is not the registry that it was");
}

#[test]
fn a_key_that_the_one_before_it_announces_is_accepted() {
    let there = Published::new();
    let reader = there.reader();
    let admin = ["admin", "signing-keys"];
    let host = there.registry.address().to_string();
    let run = |verb: &str| there.user.run(&[&admin[..], &[verb, &host]].concat());
    run("activate").no().saying("announce one first");
    let keys = run("announce").yes().text();
    assert!(keys.contains("next") && keys.contains("active"), "{keys}");
    run("announce").no().saying("activate it");
    let keys = run("activate").yes().text();
    assert!(keys.contains("active") && keys.contains("retired"), "{keys}");
    there.push("one.wasm", "2.0.0");
    reader.run(&["pull", &there.at("2.0.0")]).yes().saying("has announced");
    // What the old one signed stays good.
    reader.run(&["pull", &there.at("1.0.0")]).yes();
}

#[test]
fn rules_ask_for_keys_of_ones_own() {
    let there = Published::new();
    let reader = there.reader();
    reader.run(&["key", "generate", "acme"]).yes();
    let rule = format!(
        "[[rule]]\nscope = \"{}/acme\"\n[[rule.require]]\ntype = \"signature\"\nkeys = [\"acme.pub\"]\n[[rule.require]]\ntype = \"publish\"\nkeys = [\"registry\"]\n",
        there.liar.address()
    );
    reader.file("trust.toml", &rule);
    let reader = reader.with("WREG_TRUST_POLICY", "trust.toml");
    let reference = there.at("1.0.0");
    reader
        .run(&["pull", &reference])
        .no()
        .saying("a statement https://sigstore.dev/cosign/sign/v1 is not proven");
    reader
        .run(&["pull", &reference, "--no-verify"])
        .yes()
        .saying("--no-verify");
    reader.file("trust.toml", rule.replacen("scope", "on-failure = \"warn\"\nscope", 1));
    reader.run(&["pull", &reference]).yes().saying("warning");
    reader.file("trust.toml", &rule);
    reader.run(&["sign", &reference, "--key", "acme.key"]).yes();
    reader.run(&["pull", &reference]).yes();
    reader.file("trust.toml", "[[rule]]\nscope = \"nowhere/*\"\n");
    reader
        .run(&["pull", &reference])
        .unknown()
        .saying("trust.toml cannot be used");
}

#[test]
fn what_was_copied_with_its_proofs_is_verified_where_the_registry_is_not() {
    let there = Published::new();
    let inside = RegistryProcess::start();
    let copier = User::of(&there.registry).with("WREG_REGISTRY", there.registry.address().to_string());
    copier
        .run_with_input(
            &["login", &inside.address().to_string(), "--token-stdin"],
            inside.admin_token().as_bytes(),
        )
        .yes();
    let destination = at(inside.address(), "1.0.0");
    copier
        .run(&[
            "copy",
            &at(there.registry.address(), "1.0.0"),
            &destination,
            "--referrers",
        ])
        .yes();
    let host = there.registry.address().to_string();
    let keys = copier.run(&["key", "show", &host, "--format", "json"]).yes().json();
    let pem = keys["keys"][0]["key"].as_str().expect("a key").to_owned();
    let log = keys["log"].as_str().expect("a log").to_owned();
    // From here on there is only what was copied.
    drop(there);
    let reader = User::of(&inside);
    reader.file("origin.pub", pem);
    let rule = |log: &str| {
        format!(
            "[[rule]]\nscope = \"{}\"\nlog = \"proof\"\nlog-key = \"{log}\"\n[[rule.require]]\ntype = \"publish\"\nkeys = [\"origin.pub\"]\n",
            inside.address()
        )
    };
    reader.file("trust.toml", rule(&log));
    let reader = reader.with("WREG_TRUST_POLICY", "trust.toml");
    let pulled = reader.run(&["pull", &destination, "--format", "json"]).yes().json();
    assert_eq!(pulled["verified"].as_array().map(Vec::len), Some(2));
}
