//! One of three servers is killed.

use tokio::task::block_in_place;
use wreg_oci::Digest;

use super::Fleet;
use crate::{flows::bytes, process::Client};

const MIB: usize = 1 << 20;

/// **S06** SIGKILL of one of three servers while clients push images and in the middle of a chunk → whatever was acknowledged by any of them, the dead one too, is there byte for byte at both others, and tags are where they were put.
/// **U19** A server is killed in the middle of a chunk → the upload stands at another one where it was last acknowledged, goes on there, and the blob has the right bytes.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_the_server_that_did() {
    let Some(mut fleet) = Fleet::start(3).await else {
        return;
    };
    let servers = fleet.addresses();
    let load = fleet.load(servers.clone(), Some(servers[2]));
    let workers = load.begin(3);
    load.goes_on(8).await;

    let content = bytes(30 * MIB);
    let digest = Digest::sha256(&content);
    // Each is opened when it is needed: a server does not wait long for the first request of a connection.
    let connect = |index: usize| Client::at(servers[index], &fleet.token);
    let (session, acknowledged) = block_in_place(|| {
        let begun = connect(0).must(202, "POST", "/v2/acme/hello/blobs/uploads/", b"");
        let session = begun.header("location").expect("a session").to_owned();
        connect(1).must(202, "PATCH", &session, &content[..9 * MIB]);
        let mut doomed = connect(2);
        let answer = doomed.must(202, "PATCH", &session, &content[9 * MIB..10 * MIB]);
        assert_eq!(answer.header("range"), Some("0-10485759"));
        let framing = format!("Content-Length: {}", 20 * MIB);
        doomed.begin("PATCH", &session, &framing).expect("it reads");
        // More than sockets hold: it has taken some of it in, and cannot have all.
        let some = &content[10 * MIB..28 * MIB];
        doomed.connection.send(some).expect("it reads");
        fleet.servers.pop().expect("there are three").kill();
        assert!(doomed.connection.read_response().is_err());
        (session, 10 * MIB)
    });
    load.goes_on(8).await;

    block_in_place(|| {
        let answer = connect(0).must(204, "GET", &session, b"");
        let range = answer.header("range").expect("where it stands");
        let last: usize = range.strip_prefix("0-").expect("a range").parse().expect("a number");
        assert!(last + 1 >= acknowledged, "{range}");
        connect(1).must(202, "PATCH", &session, &content[last + 1..29 * MIB]);
        let closing = format!("{session}?digest={digest}");
        connect(0).must(201, "PUT", &closing, &content[29 * MIB..]);
    });
    let mut acknowledged = load.end(workers).await;
    acknowledged.blobs.insert(digest);
    for server in &servers[..2] {
        fleet.load(vec![*server], None).has(&acknowledged).await;
    }
}
