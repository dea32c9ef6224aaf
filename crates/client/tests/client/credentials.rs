//! Where secrets are found, where they are kept, and whose they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;
use wreg_client::{CredentialSources, Credentials, Error, Secret, StoredIn};
use wreg_oci::Host;

use crate::setup::{name, read};

fn host(text: &str) -> Host {
    text.parse().expect("a host")
}

fn auth(user: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("{user}:password")))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn sources(folder: &TempDir) -> CredentialSources {
    CredentialSources {
        docker_config: Some(folder.path().join("docker")),
        registry_auth_file: Some(folder.path().join("auth.json")),
        xdg_runtime_dir: Some(folder.path().join("run")),
        home: Some(folder.path().join("home")),
        ..CredentialSources::default()
    }
}

async fn user(credentials: &Credentials, at: &str) -> Option<String> {
    let found = credentials.for_host(&host(at), Some(&name())).await.expect("readable");
    found.map(|secret| secret.user)
}

#[tokio::test]
async fn the_first_source_that_knows_the_host_wins() {
    let folder = TempDir::new().expect("a folder");
    let entries = |hosts: &[&str], user: &str| {
        let entries: Vec<String> = hosts.iter().map(|host| format!("\"{host}\":{}", auth(user))).collect();
        format!(r#"{{"auths":{{{}}}}}"#, entries.join(","))
    };
    let in_folder = |path: &str| folder.path().join(path);
    write(&in_folder("docker/config.json"), &entries(&["a.example"], "docker"));
    write(&in_folder("auth.json"), &entries(&["a.example", "b.example"], "file"));
    write(
        &in_folder("run/containers/auth.json"),
        &entries(&["b.example", "c.example"], "run"),
    );
    write(
        &in_folder("home/.config/containers/auth.json"),
        &entries(&["c.example", "d.example"], "home"),
    );
    let credentials = Credentials::new(sources(&folder));
    for (host, expected) in [
        ("a.example", Some("docker")),
        ("b.example", Some("file")),
        ("c.example", Some("run")),
        ("d.example", Some("home")),
        ("e.example", None),
        ("a.example:5000", None),
    ] {
        assert_eq!(user(&credentials, host).await.as_deref(), expected, "{host}");
    }
    let credentials = credentials.with(host("a.example"), Secret::new("given", "x"));
    assert_eq!(user(&credentials, "a.example").await.as_deref(), Some("given"));
}

/// **K01** A token in the environment → it is for one host, and no other registry gets it.
#[tokio::test]
async fn the_token_is_for_its_host_alone() {
    let sources = CredentialSources {
        token: Some((host("a.example:5000"), "hunter2".to_owned())),
        ..CredentialSources::default()
    };
    assert!(!format!("{sources:?}").contains("hunter2"));
    let credentials = Credentials::new(sources);
    let found = credentials
        .for_host(&host("a.example:5000"), None)
        .await
        .expect("readable");
    assert_eq!(found.expect("a secret").password, "hunter2");
    for other in ["a.example", "b.example:5000", "a.example:5001"] {
        assert_eq!(
            credentials.for_host(&host(other), None).await.expect("readable"),
            None,
            "{other}"
        );
    }
    assert!(!format!("{credentials:?}").contains("hunter2"));
}

#[tokio::test]
async fn every_form_of_an_entry_is_understood() {
    let folder = TempDir::new().expect("a folder");
    write(
        &folder.path().join("docker/config.json"),
        &format!(
            r#"{{"auths":{{"https://a.example/v1/":{},"b.example":{{"username":"b","password":"x"}},"c.example":{{}},"d.example/a/b":{},"d.example/a":{},"d.example":{}}}}}"#,
            auth("a"),
            auth("finest"),
            auth("fine"),
            auth("whole")
        ),
    );
    let credentials = Credentials::new(sources(&folder));
    for (host, expected) in [
        ("a.example", Some("a")),
        ("b.example", Some("b")),
        ("c.example", None),
        ("d.example", Some("finest")),
    ] {
        assert_eq!(user(&credentials, host).await.as_deref(), expected, "{host}");
    }
    let of = async |name: &str| {
        let name = name.parse().expect("a name");
        let found = credentials
            .for_host(&host("d.example"), Some(&name))
            .await
            .expect("readable");
        found.expect("a secret").user
    };
    assert_eq!(
        [of("a/c").await, of("ab").await, of("a").await, of("a/b/c").await],
        ["fine", "whole", "fine", "finest"]
    );
}

#[tokio::test]
async fn what_cannot_be_used_is_explained_and_does_not_hide_the_rest() {
    let folder = TempDir::new().expect("a folder");
    let docker = folder.path().join("docker/config.json");
    write(&docker, r#"{"auths":{"a.example":{"identitytoken":"hunter2"}}}"#);
    let credentials = Credentials::new(sources(&folder));
    let error = credentials
        .for_host(&host("a.example"), None)
        .await
        .expect_err("an identity token");
    assert!(error.to_string().contains("identity token"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(
        error.hint().as_deref(),
        Some("log in with a personal token: `wreg login a.example`")
    );

    write(&docker, "{ \"auths\": hunter2");
    let error = credentials
        .for_host(&host("a.example"), None)
        .await
        .expect_err("no JSON");
    assert!(error.to_string().starts_with(&docker.display().to_string()), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    write(
        &folder.path().join("auth.json"),
        &format!(r#"{{"auths":{{"a.example":{}}}}}"#, auth("other")),
    );
    assert_eq!(user(&credentials, "a.example").await.as_deref(), Some("other"));
    let error = credentials
        .store(&host("a.example"), &Secret::new("u", "p"))
        .await
        .expect_err("it would be overwritten");
    assert!(matches!(error, Error::Credentials { .. }), "{error}");
}

#[tokio::test]
async fn a_login_is_kept_for_its_owner_alone_and_forgotten_again() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("docker/config.json");
    let credentials = Credentials::new(sources(&folder));
    let stored = credentials
        .store(&host("a.example:5000"), &Secret::new("ada", "pass:word"))
        .await
        .expect("stored");
    assert_eq!(stored, StoredIn::File(path.clone()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).expect("the file").permissions().mode() & 0o777,
            0o600
        );
    }
    let found = credentials
        .for_host(&host("a.example:5000"), None)
        .await
        .expect("readable");
    assert_eq!(found, Some(Secret::new("ada", "pass:word")));
    assert_eq!(
        credentials.erase(&host("a.example:5000")).await.expect("erased"),
        [StoredIn::File(path)]
    );
    assert_eq!(
        credentials
            .for_host(&host("a.example:5000"), None)
            .await
            .expect("readable"),
        None
    );
    assert_eq!(credentials.erase(&host("a.example:5000")).await.expect("nothing"), []);
    assert_eq!(crate::setup::files(folder.path()), ["docker/config.json"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_linked_configuration_stays_linked() {
    let folder = TempDir::new().expect("a folder");
    let (link, real) = (
        folder.path().join("docker/config.json"),
        folder.path().join("dotfiles/config.json"),
    );
    write(&real, "{\"detachKeys\": \"ctrl-e\"}");
    fs::create_dir_all(folder.path().join("docker")).expect("made");
    std::os::unix::fs::symlink(&real, &link).expect("linked");
    Credentials::new(sources(&folder))
        .store(&host("a.example"), &Secret::new("u", "p"))
        .await
        .expect("stored");
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    let text = String::from_utf8(read(&real)).expect("text");
    assert!(
        text.contains("\"detachKeys\": \"ctrl-e\"") && text.contains("\"a.example\""),
        "{text}"
    );
}

#[tokio::test]
async fn without_a_place_to_keep_it_a_login_says_so() {
    let error = Credentials::none()
        .store(&host("a.example"), &Secret::new("u", "p"))
        .await
        .expect_err("nowhere");
    assert_eq!(error.hint().as_deref(), Some("set HOME or DOCKER_CONFIG"));
}

/// A helper keeps `<folder>/kept-<host>`, as docker's helpers keep keychains.
#[cfg(unix)]
fn install_helper(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = folder.join("bin");
    let path = bin.join("docker-credential-test");
    let script = r#"#!/bin/sh
cd "$(dirname "$0")/.." || exit 9
case "$1" in
store) cat > kept ;;
get) host=$(cat); [ -f kept ] && grep -q "\"ServerURL\":\"$host\"" kept && exec cat kept
     echo "credentials not found in native keychain"; exit 1 ;;
erase) cat > /dev/null; [ -f kept ] || { echo "credentials not found in native keychain"; exit 1; }; rm kept ;;
esac
"#;
    write(&path, script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    write(
        &bin.join("docker-credential-broken"),
        "#!/bin/sh\ncat > /dev/null\necho 'cannot autolaunch D-Bus without X11' >&2\nexit 1\n",
    );
    fs::set_permissions(bin.join("docker-credential-broken"), fs::Permissions::from_mode(0o755))
        .expect("made executable");
    bin
}

/// Helpers are found on the search path, which only a process of its own can change: this test runs the next one in it.
#[cfg(unix)]
#[test]
fn helpers_keep_find_and_forget() {
    let folder = TempDir::new().expect("a folder");
    let path = format!("{}:/usr/bin:/bin", install_helper(folder.path()).display());
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    command.args([
        "--exact",
        "credentials::with_helpers_on_the_path",
        "--ignored",
        "--nocapture",
    ]);
    let output = command
        .env("PATH", path)
        .env("TMPDIR", folder.path())
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "run by helpers_keep_find_and_forget, with helpers on the search path"]
async fn with_helpers_on_the_path() {
    let folder = TempDir::new().expect("a folder");
    let config = folder.path().join("docker/config.json");
    write(
        &config,
        &format!(
            r#"{{"credHelpers":{{"a.example":"test","b.example":"broken","c.example":"../test"}},"auths":{{"a.example":{}}}}}"#,
            auth("old")
        ),
    );
    let credentials = Credentials::new(sources(&folder));
    let at = host("a.example");
    assert_eq!(credentials.for_host(&at, None).await.expect("readable"), None);
    let secret = Secret::new("ada", "hunter2");
    assert_eq!(
        credentials.store(&at, &secret).await.expect("stored"),
        StoredIn::Helper("test".to_owned())
    );
    let text = String::from_utf8(read(&config)).expect("text");
    assert!(!text.contains("hunter2") && !text.contains("\"auth\""), "{text}");
    assert_eq!(
        credentials.for_host(&at, None).await.expect("readable"),
        Some(secret.clone())
    );
    assert_eq!(
        credentials.erase(&at).await.expect("erased"),
        [StoredIn::Helper("test".to_owned())]
    );
    assert_eq!(credentials.erase(&at).await.expect("nothing"), []);

    for failed in [
        credentials.store(&host("b.example"), &secret).await.err(),
        credentials.for_host(&host("b.example"), None).await.err(),
    ] {
        let error = failed.expect("a broken helper");
        assert_eq!(
            error.to_string(),
            "docker-credential-broken: cannot autolaunch D-Bus without X11"
        );
        let hint = error.hint().expect("a way around it");
        assert!(
            hint.contains("WREG_TOKEN") && hint.contains(r#""credHelpers": {"b.example": ""}"#),
            "{hint}"
        );
    }
    assert!(
        credentials.store(&host("c.example"), &secret).await.is_err(),
        "a helper outside the search path"
    );
}
