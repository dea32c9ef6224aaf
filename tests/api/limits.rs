//! What the server's process may use: private memory that does not grow with what passes through, and descriptors that run out.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use wreg_harness::{RegistryProcess, peak_private_memory, private_memory};
use wreg_oci::{Algorithm, Digest, Hasher};

use crate::{
    flows::bytes,
    process::{Client, start},
};

const MIB: usize = 1 << 20;
/// Blobs that pass at the same time, and the size of each.
const AT_ONCE: usize = 8;
const SIZE: usize = 64 * MIB;
/// What each of them may take.
const EACH: u64 = MIB as u64;
/// What they may take together, however many they are: threads for the files' work, and what the allocator keeps for later.
const ALLOWANCE: u64 = 4 * MIB as u64;

/// Does `work` on as many connections as there are blobs, and gives the most memory that was seen meanwhile.
fn at_once(server: &RegistryProcess, work: impl Fn(&mut Client, usize, &dyn Fn()) + Sync) -> u64 {
    let most = AtomicU64::new(0);
    let pid = server.pid();
    let look = || {
        most.fetch_max(private_memory(pid), Ordering::SeqCst);
    };
    thread::scope(|scope| {
        for index in 0..AT_ONCE {
            let (mut client, work, look) = (Client::of(server), &work, &look);
            scope.spawn(move || work(&mut client, index, look));
        }
    });
    most.into_inner()
}

/// Eight blobs of 64 MiB pushed at once, and pulled at once → the server's private memory grows by less than 1 MiB for each, and
/// 4 MiB for all.
#[test]
fn memory_does_not_grow_with_what_passes_through() {
    if wreg_harness::database().is_some() {
        return;
    }
    // In memory where the system offers it: what the device can do is not the question.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a temporary folder");
    let server = start(&folder.path().join("data"));
    let block = bytes(MIB);
    let mut hasher = Hasher::new(Algorithm::Sha256);
    (0..SIZE / MIB).for_each(|_| hasher.update(&block));
    let digest = hasher.finish();

    let push = |client: &mut Client, target: &str, blocks: usize, look: &dyn Fn()| {
        let framing = format!("Content-Length: {}", blocks * MIB);
        client.begin("POST", target, &framing).expect("it reads");
        for _ in 0..blocks {
            client.connection.send(&block).expect("it reads");
            look();
        }
        let answer = client.connection.read_response().expect("an answer");
        assert_eq!(answer.status, 201, "{}", answer.text());
    };
    // Once in small, so that threads and connections are there.
    let small = Digest::sha256(&block);
    at_once(&server, |client, index, look| {
        push(
            client,
            &format!("/v2/acme/{index}/blobs/uploads/?digest={small}"),
            1,
            look,
        );
        client.must(200, "GET", &format!("/v2/acme/{index}/blobs/{small}"), b"");
    });
    let before = private_memory(server.pid());
    let most = before + AT_ONCE as u64 * EACH + ALLOWANCE;

    let pushing = at_once(&server, |client, index, look| {
        let target = format!("/v2/acme/{index}/blobs/uploads/?digest={digest}");
        push(client, &target, SIZE / MIB, look);
    });
    assert!(
        pushing < most,
        "{before} bytes before, {pushing} while blobs were pushed"
    );

    let pulling = at_once(&server, |client, index, look| {
        let target = format!("/v2/acme/{index}/blobs/{digest}");
        client.begin("GET", &target, "Content-Length: 0").expect("it reads");
        assert_eq!(client.connection.read_head().expect("an answer").status, 200);
        for _ in 0..SIZE / MIB {
            assert!(client.connection.read_exactly(MIB as u64).expect("more") == block);
            look();
        }
    });
    assert!(
        pulling < most,
        "{before} bytes before, {pulling} while blobs were pulled"
    );
}

/// Pushes that many different blobs of that many MiB at once, and gives the most memory that the server had meanwhile. `half_way` is
/// called in each when half of it is sent.
fn push_at_once(server: &RegistryProcess, count: usize, blocks: usize, half_way: impl Fn() + Sync) -> u64 {
    let block = bytes(MIB);
    peak_private_memory(server.pid(), || {
        thread::scope(|scope| {
            for index in 0..count {
                let (mut client, block, half_way) = (Client::of(server), &block, &half_way);
                scope.spawn(move || {
                    let first = index.to_be_bytes();
                    let mut hasher = Hasher::new(Algorithm::Sha256);
                    hasher.update(&first);
                    (0..blocks).for_each(|_| hasher.update(block));
                    let target = format!("/v2/acme/many/blobs/uploads/?digest={}", hasher.finish());
                    let framing = format!("Content-Length: {}", first.len() + blocks * MIB);
                    client.begin("POST", &target, &framing).expect("it reads");
                    client.connection.send(first).expect("it reads");
                    for sent in 0..blocks {
                        if sent == blocks / 2 {
                            half_way();
                        }
                        client.connection.send(block).expect("it reads");
                    }
                    let answer = client.connection.read_response().expect("an answer");
                    assert_eq!(answer.status, 201, "{}", answer.text());
                });
            }
        });
    })
}

/// **L07** 200 uploads at once, small and large → all are taken, in private memory that does not depend on their size: under 256 MiB on
/// files, under 512 MiB on object storage.
#[test]
fn two_hundred_uploads_at_once_share_what_memory_there_is() {
    const COUNT: usize = 200;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = || RegistryProcess::builder().data_dir(folder.path().join("data"));
    if let Some(storage) = wreg_harness::object_storage() {
        // Larger than one part, so that each needs its share of the buffers more than once.
        let variables = storage.variables("api/at-once/");
        let server = variables
            .into_iter()
            .fold(start(), |server, (name, value)| server.env(name, value))
            .start();
        let peak = push_at_once(&server, COUNT, 9, || {});
        assert!(peak < 512 << 20, "{peak} bytes");
        return;
    }
    let server = start().start();
    // All are half way before one goes on, so that they really are at once.
    let together = Barrier::new(COUNT);
    let half_way = || {
        together.wait();
    };
    let push = |blocks| push_at_once(&server, COUNT, blocks, half_way);
    let (small, large) = (push(8), push(16));
    assert!(small.max(large) < 256 << 20, "{small} bytes, then {large}");
    assert!(large < small + small / 4, "{small} bytes, then {large}");
}

/// **S12** The process really has no descriptor left → 503 for what needs one, nothing is lost, and it works again when there are some.
#[test]
fn a_process_without_descriptors_answers_and_recovers() {
    if wreg_harness::database().is_some() {
        return;
    }
    let server = RegistryProcess::start();
    let mut client = Client::of(&server);
    let content = bytes(100_000);
    let digest = Digest::sha256(&content);
    let push = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
    client.must(201, "POST", &push, &content);
    // Served before, because connections need descriptors too; and one each, because a refused body ends its connection.
    let connected = |_| {
        let mut client = Client::of(&server);
        client.must(200, "GET", "/livez", b"");
        client
    };
    let clients: Vec<_> = (0..3).map(connected).collect();
    let pid = Pid::from_raw(server.pid().try_into().expect("a process id"));
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    let usual = prlimit(pid, Resource::Nofile, none).expect("it is ours");
    for mut client in clients {
        client.must(503, "GET", &format!("/v2/acme/hello/blobs/{digest}"), b"");
        client.must(503, "POST", &push, &content);
    }
    prlimit(pid, Resource::Nofile, usual).expect("it is ours");
    client.must(201, "POST", &push, &content);
    let found = client.must(200, "GET", &format!("/v2/acme/hello/blobs/{digest}"), b"");
    assert!(found.body == content);
}
