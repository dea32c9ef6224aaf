//! Real components between `wreg` and skopeo, a client that we did not write, over the same server.

use std::{path::Path, process::Command};

use wreg_harness::{RegistryProcess, fixtures, note_not_run};
use wreg_oci::Digest;

use crate::wreg::{User, read};

/// Runs skopeo as somebody with a home of their own; panics with its words if it fails.
fn skopeo(registry: &RegistryProcess, home: &Path, arguments: &[&str]) {
    let credentials = format!("admin:{}", registry.admin_token());
    let [source, target] = arguments else {
        panic!("a copy has two ends")
    };
    let side = if source.starts_with("docker:") { "src" } else { "dest" };
    let output = Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--preserve-digests"])
        .args([
            format!("--{side}-tls-verify=false"),
            format!("--{side}-creds={credentials}"),
        ])
        .args([source, target])
        .env("HOME", home)
        .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
        .output()
        .expect("skopeo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_wreg_pushes_skopeo_pulls_and_the_other_way_round() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return note_not_run("it needs skopeo: run cargo xtask setup");
    }
    let registry = RegistryProcess::start();
    for name in [
        "python",
        "javascript",
        "esbuild",
        "sqlite",
        "rust",
        "c",
        "go",
        "go-module",
    ] {
        let Some(file) = fixtures::path(&format!("{name}.wasm")) else {
            return;
        };
        let bytes = read(&file);
        let (ours, theirs) = (
            format!("{}/wreg/{name}", registry.address()),
            format!("{}/skopeo/{name}", registry.address()),
        );
        let user = User::of(&registry);
        let pushed = user
            .run(&["push", &file.display().to_string(), &format!("{ours}:1.0.0")])
            .yes()
            .line();
        let (_, digest) = pushed.split_once('@').expect("a digest");

        let folder = user.work().join("pulled");
        skopeo(
            &registry,
            &user.work(),
            &[&format!("docker://{ours}:1.0.0"), &format!("dir:{}", folder.display())],
        );
        assert_eq!(
            Digest::sha256(read(&folder.join("manifest.json"))).to_string(),
            digest,
            "{name}"
        );
        assert!(
            read(&folder.join(Digest::sha256(&bytes).encoded())) == bytes,
            "{name}: skopeo pulled other bytes"
        );

        skopeo(
            &registry,
            &user.work(),
            &[
                &format!("dir:{}", folder.display()),
                &format!("docker://{theirs}:1.0.0"),
            ],
        );
        let other = User::of(&registry);
        let pulled = other
            .run(&["pull", &format!("{theirs}:1.0.0"), "-o", "pulled.wasm"])
            .yes()
            .line();
        assert_eq!(pulled, format!("{theirs}@{digest}"));
        assert!(other.read("pulled.wasm") == bytes, "{name}: wreg pulled other bytes");
    }
}
