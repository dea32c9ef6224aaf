//! A thousand connections and more: as many as descriptors allow, and what happens when there are none left. The server is a process
//! with its own database, so the run on PostgreSQL would only repeat it.

use std::{path::PathBuf, thread};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use wreg_harness::{RegistryProcess, private_memory, raw::Connection};
use wreg_oci::Digest;

use crate::process::{Client, until};

/// Descriptors that a test leaves to the others of its process.
const SPARE: u64 = 1000;

/// Lets this process, and the servers that it starts, open as many files as the system allows it; gives how many connections a
/// test can have, at most `wanted`.
pub(crate) fn connections(wanted: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the soft limit can be raised to the hard one");
    let free = maximum.unwrap_or(u64::MAX).saturating_sub(SPARE);
    usize::try_from(free).unwrap_or(usize::MAX).min(wanted)
}

fn is_live(connection: &mut Connection) -> bool {
    let asked = connection.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
    asked.is_ok() && connection.read_response().is_ok_and(|answer| answer.status == 200)
}

/// **H07** 10,000 connections that are kept open between requests → all are served, at 20 KiB of private memory each at most.
#[test]
fn ten_thousand_idle_connections_are_held_cheaply() {
    if wreg_harness::database().is_some() {
        return;
    }
    let count = connections(10_000);
    if count < 1000 {
        wreg_harness::note_not_run(&format!(
            "there are descriptors for {count} connections only (ulimit -Hn)"
        ));
        return;
    }
    // A line of the log for each request would cost more than the request.
    let server = RegistryProcess::builder().env("WREG_LOG", "warn").start();
    let address = server.address();
    let open = |count: usize| {
        let one = |_| {
            let mut connection = Connection::open(address);
            assert!(is_live(&mut connection));
            connection
        };
        thread::scope(|scope| {
            let threads = [0, 1, 2, 3].map(|_| scope.spawn(|| (0..count / 4).map(one).collect::<Vec<_>>()));
            threads
                .map(|thread| thread.join().expect("each is served"))
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        })
    };
    // What the first ones cost is the allocator's and the runtime's, not theirs.
    let mut held = open(count / 20);
    let (before, first) = (private_memory(server.pid()), held.len());
    held.extend(open(count - first));
    let each = (private_memory(server.pid()) - before) / (held.len() - first) as u64;
    assert!(each <= 20 * 1024, "{each} bytes for each of {count} connections");
    assert!(held.iter_mut().step_by(97).all(is_live));
    assert!(is_live(&mut Connection::open(server.address())));
    drop(held);
    assert!(server.terminate().success());
}

fn open_files(pid: u32) -> u64 {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    folder.read_dir().expect("the process runs").count() as u64
}

/// **S12** No descriptor is left for another connection → those who connect wait, those who are connected are served (503 for what needs a descriptor), and all is as before once there are some.
#[test]
fn a_server_without_descriptors_lets_new_connections_wait() {
    if wreg_harness::database().is_some() {
        return;
    }
    connections(1000);
    let server = RegistryProcess::builder().env("WREG_SMALL_BLOB_BYTES", "0").start();
    let pull = format!("/v2/a/b/blobs/{}", Digest::sha256("layer"));
    let push = |content: &str| format!("/v2/a/b/blobs/uploads/?digest={}", Digest::sha256(content));
    // A body that is refused ends its connection: one for each.
    let [mut kept, mut pulling, mut pushing] = [(); 3].map(|()| Client::of(&server));
    for client in [&mut kept, &mut pulling, &mut pushing] {
        client.must(201, "POST", &push("layer"), b"layer");
    }
    let pid = Pid::from_raw(i32::try_from(server.pid()).expect("a process id")).expect("not zero");
    let low = Rlimit {
        current: Some(open_files(server.pid()) + 8),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(Some(pid), Resource::Nofile, low).expect("the server's limit can be lowered");
    let waiting: Vec<_> = (0..64).map(|_| Connection::open(server.address())).collect();
    until(|| {
        kept.must(200, "GET", "/livez", b"");
        server.stderr().contains("cannot accept connections")
    });
    let answer = pulling.must(503, "GET", &pull, b"");
    assert_eq!(answer.header("retry-after"), Some("5"));
    pushing.must(503, "POST", &push("other"), b"other");

    drop(waiting);
    let mut new = Client::of(&server);
    assert_eq!(new.must(200, "GET", &pull, b"").text(), "layer");
    kept.must(201, "POST", &push("other"), b"other");
    assert!(server.terminate().success());
}
