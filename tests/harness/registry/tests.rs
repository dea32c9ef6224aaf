//! The harness against stand-ins for the server: shell scripts that say what it would say.

use std::process::Command;

use super::{builder::address_in, *};

/// A server whose program is that script. `$2` is the data folder.
fn server(folder: &TempDir, script: &str) -> Builder {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "server"]);
    RegistryProcess::builder()
        .command(shell)
        .data_dir(folder.path().join("data"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[test]
fn the_address_is_found_in_text_and_in_json() {
    let address = SocketAddr::from(([127, 0, 0, 1], 41234));
    let expected = Some(("http", address));
    assert_eq!(address_in("listening on http://127.0.0.1:41234\n"), expected);
    assert_eq!(
        address_in("listening on https://127.0.0.1:41234\n"),
        Some(("https", address))
    );
    assert_eq!(
        address_in(r#"{"level":"INFO","message":"listening on http://127.0.0.1:41234"}"#),
        expected
    );
    assert_eq!(
        address_in("listening on http://[::1]:80, ready").map(|(_, address)| address.port()),
        Some(80)
    );
    assert_eq!(address_in("opened the database"), None);
}

#[test]
fn a_server_is_known_by_what_it_says_and_ends_when_asked() {
    let folder = folder();
    let script = "mkdir $2; mkfifo $2/fifo; echo secret > $2/admin-token; trap 'echo drained; exit 3' TERM; echo opening; \
                  echo 'listening on http://127.0.0.1:5'; read -r _ < $2/fifo";
    let server = server(&folder, script).start();
    assert_eq!(server.url(), "http://127.0.0.1:5");
    assert_eq!(server.admin_token(), "secret");
    assert_eq!(server.data_dir(), folder.path().join("data"));
    assert_eq!(server.terminate().code(), Some(3));
}

#[test]
fn a_server_that_refuses_to_start_is_told_apart_from_one_that_runs() {
    let folder = folder();
    let refused = server(&folder, "echo 'the data folder is in use' >&2; exit 2").try_start();
    let refused = refused.expect_err("the script ends at once");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(refused.stderr, "the data folder is in use\n");
}

#[test]
#[should_panic(expected = "left uploads behind")]
fn an_upload_that_is_left_behind_is_a_failure() {
    let folder = folder();
    let script = "mkdir -p $2/uploads; echo > $2/uploads/1; echo 'listening on http://127.0.0.1:5'; exec sleep 60";
    server(&folder, script).start();
}
