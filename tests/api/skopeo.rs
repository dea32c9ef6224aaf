//! skopeo, a client that we did not write, against the server as a process. What it pushes from one layout on disk it pulls into
//! another, byte for byte.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tempfile::TempDir;
use wreg_harness::{RegistryProcess, fixtures::wat, note_not_run, raw::Connection};
use wreg_oci::{Digest, MediaType};

/// The program, with a server to talk to and a folder of its own.
struct Skopeo {
    server: RegistryProcess,
    folder: TempDir,
}

impl Skopeo {
    /// `None` if it is not installed, which is said out loud.
    fn start() -> Option<Self> {
        if Command::new("skopeo").arg("--version").output().is_err() {
            note_not_run("it needs skopeo: run cargo xtask setup");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Self {
            server: RegistryProcess::start(),
            folder,
        })
    }

    /// One that is logged in as the administrator.
    fn logged_in() -> Option<Self> {
        let skopeo = Self::start()?;
        let (registry, token) = (skopeo.server.address().to_string(), skopeo.server.admin_token());
        skopeo
            .fed(
                &[
                    "login",
                    "--tls-verify=false",
                    "--username",
                    "admin",
                    "--password-stdin",
                    &registry,
                ],
                &token,
            )
            .expect("a login");
        Some(skopeo)
    }

    /// Runs it; gives its standard output, or its standard error if it failed.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.fed(arguments, "")
    }

    fn fed(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new("skopeo");
        command
            .arg("--insecure-policy")
            .args(arguments)
            .current_dir(self.folder.path());
        // What this machine's user has logged in to is not its business.
        command
            .env("HOME", self.folder.path())
            .env("REGISTRY_AUTH_FILE", self.folder.path().join("auth.json"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(input.as_bytes())
            .expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        if output.status.success() {
            Ok(text(output.stdout))
        } else {
            Err(text(output.stderr))
        }
    }

    fn copy(&self, from: &str, to: &str) -> Result<String, String> {
        self.run(&[
            "copy",
            "--all",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to,
        ])
    }

    /// An image of the server, as skopeo writes it.
    fn image(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.server.address())
    }

    fn json(&self, command: &str, name: &str) -> Value {
        let output = self
            .run(&[command, "--tls-verify=false", &self.image(name)])
            .expect(command);
        serde_json::from_str(&output).expect("JSON")
    }

    /// As `wreg repository set --visibility public` does.
    fn make_public(&self, repository: &str) {
        let token = BASE64.encode(format!("admin:{}", self.server.admin_token()));
        let body = r#"{"visibility":"public"}"#;
        let mut connection = Connection::open(self.server.address());
        let request = format!(
            "PATCH /api/v1/repository?repository={repository} HTTP/1.1\r\nHost: registry\r\nAuthorization: Basic {token}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.send(request).expect("it listens");
        assert_eq!(connection.read_response().expect("an answer").status, 200);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

/// An OCI image layout, made by hand (image specification, "Image Layout").
struct Layout<'a> {
    folder: &'a Path,
    index: Vec<Value>,
}

impl<'a> Layout<'a> {
    fn new(folder: &'a Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).expect("a folder");
        Self {
            folder,
            index: Vec::new(),
        }
    }

    /// Adds content, and gives its descriptor.
    fn add(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::sha256(content);
        let file = self
            .folder
            .join("blobs/sha256")
            .join(digest.as_str().trim_start_matches("sha256:"));
        fs::write(file, content).expect("a file");
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    /// Adds a manifest, and gives its descriptor. Indented, which no server would do by itself.
    fn add_manifest(&self, manifest: &Value) -> Value {
        let media_type = manifest["mediaType"].as_str().expect("it has a type");
        self.add(media_type, &serde_json::to_vec_pretty(manifest).expect("JSON"))
    }

    fn add_image(&self, config_type: &str, config: &Value, layer_type: &str, layer: &[u8]) -> Value {
        let config = self.add(config_type, config.to_string().as_bytes());
        let layer = self.add(layer_type, layer);
        self.add_manifest(&json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": config,
            "layers": [layer],
            "annotations": { "org.opencontainers.image.title": "hello.wasm" },
        }))
    }

    fn tag(&mut self, descriptor: &Value, tag: &str) {
        let mut descriptor = descriptor.clone();
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        self.index.push(descriptor);
    }

    fn write(self) {
        let index = json!({ "schemaVersion": 2, "manifests": self.index });
        fs::write(self.folder.join("index.json"), index.to_string()).expect("a file");
        fs::write(self.folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    }
}

/// The files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let mut content = Vec::new();
            let mut file = File::open(entry.path()).expect("a file");
            file.read_to_end(&mut content).expect("its content");
            (entry.file_name().into_string().expect("text"), content)
        })
        .collect()
}

/// A gzip file (RFC 1952) that holds an empty tar archive, not compressed: skopeo looks inside.
fn empty_archive() -> Vec<u8> {
    const LENGTH: u16 = 1024;
    let (content, mut file) = ([0; LENGTH as usize], vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1]);
    file.extend(LENGTH.to_le_bytes());
    file.extend((!LENGTH).to_le_bytes());
    file.extend(content);
    file.extend(crc32fast::hash(&content).to_le_bytes());
    file.extend(u32::from(LENGTH).to_le_bytes());
    file
}

/// A component, a conventional image, and an index of both, each tagged.
fn write_layout(folder: &Path) {
    let mut layout = Layout::new(folder);
    let component = wat::component();
    let config = json!({ "architecture": "wasm", "os": "wasip2", "layerDigests": [Digest::sha256(&component)] });
    let component = layout.add_image(
        MediaType::WASM_CONFIG.as_str(),
        &config,
        MediaType::WASM.as_str(),
        &component,
    );
    layout.tag(&component, "1.0.0");
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": { "by": "hand" } },
        "rootfs": { "type": "layers", "diff_ids": [Digest::sha256([0; 1024])] },
    });
    let image = layout.add_image(
        "application/vnd.oci.image.config.v1+json",
        &config,
        "application/vnd.oci.image.layer.v1.tar+gzip",
        &empty_archive(),
    );
    layout.tag(&image, "image");
    let with_platform = |descriptor: &Value, architecture: &str, os: &str| {
        let mut descriptor = descriptor.clone();
        descriptor["platform"] = json!({ "architecture": architecture, "os": os });
        descriptor
    };
    let index = layout.add_manifest(&json!({
        "schemaVersion": 2,
        "mediaType": MediaType::IMAGE_INDEX,
        "manifests": [with_platform(&component, "wasm", "wasip2"), with_platform(&image, "amd64", "linux")],
    }));
    layout.tag(&index, "both");
    layout.write();
}

#[test]
fn what_skopeo_pushes_it_pulls_byte_for_byte() {
    let Some(skopeo) = Skopeo::logged_in() else { return };
    write_layout(&skopeo.path("layout"));
    for tag in ["1.0.0", "image", "both"] {
        // From disk to the server, from there to another repository, to a folder, to a third repository, and back to disk.
        let steps = [
            format!("oci:layout:{tag}"),
            skopeo.image(&format!("acme/hello:{tag}")),
            skopeo.image(&format!("acme/nested/copy:{tag}")),
            format!("dir:folder-{tag}"),
            skopeo.image(&format!("third:{tag}")),
            format!("oci:back:{tag}"),
        ];
        for step in steps.windows(2) {
            skopeo
                .copy(&step[0], &step[1])
                .unwrap_or_else(|error| panic!("{step:?}: {error}"));
        }
    }
    let (pushed, pulled) = (
        files(&skopeo.path("layout/blobs/sha256")),
        files(&skopeo.path("back/blobs/sha256")),
    );
    assert_eq!(pushed.len(), 7);
    assert!(pushed == pulled, "{:?} became {:?}", pushed.keys(), pulled.keys());
    assert_eq!(
        skopeo.json("list-tags", "acme/hello")["Tags"],
        json!(["1.0.0", "both", "image"])
    );
    let inspected = skopeo.json("inspect", "acme/hello:image");
    assert_eq!(inspected["RepoTags"], json!(["1.0.0", "both", "image"]));
    assert_eq!(inspected["Layers"], json!([Digest::sha256(empty_archive())]));
    assert_eq!(inspected["Labels"], json!({ "by": "hand" }));
    let raw = skopeo
        .run(&[
            "inspect",
            "--raw",
            "--tls-verify=false",
            &skopeo.image("acme/hello:image"),
        ])
        .expect("a manifest");
    assert_eq!(inspected["Digest"], json!(Digest::sha256(raw)));
}

#[test]
fn what_skopeo_deletes_is_gone() {
    let Some(skopeo) = Skopeo::logged_in() else { return };
    write_layout(&skopeo.path("layout"));
    for tag in ["1.0.0", "latest"] {
        skopeo
            .copy("oci:layout:1.0.0", &skopeo.image(&format!("acme/hello:{tag}")))
            .expect("a copy");
    }
    skopeo
        .copy("oci:layout:image", &skopeo.image("acme/hello:image"))
        .expect("a copy");
    // It looks up the digest and deletes that, with every tag.
    skopeo
        .run(&["delete", "--tls-verify=false", &skopeo.image("acme/hello:1.0.0")])
        .expect("a deletion");
    assert_eq!(skopeo.json("list-tags", "acme/hello")["Tags"], json!(["image"]));
    for tag in ["1.0.0", "latest"] {
        let error = skopeo
            .copy(&skopeo.image(&format!("acme/hello:{tag}")), "oci:back")
            .expect_err("it is gone");
        assert!(error.contains("manifest unknown"), "{error}");
    }
}

#[test]
fn without_the_right_credentials_skopeo_pushes_nothing_and_pulls_what_is_public() {
    let Some(skopeo) = Skopeo::start() else { return };
    write_layout(&skopeo.path("layout"));
    let image = skopeo.image("acme/hello:1.0.0");
    let push = |credentials: &str| {
        skopeo.run(&[
            "copy",
            "--dest-tls-verify=false",
            credentials,
            "oci:layout:1.0.0",
            &image,
        ])
    };
    for wrong in ["--dest-no-creds", "--dest-creds=admin:wrong"] {
        push(wrong).expect_err("it may not");
    }
    push(&format!("--dest-creds=anyone:{}", skopeo.server.admin_token())).expect("a copy");
    skopeo.copy(&image, "oci:private").expect_err("it may not");
    skopeo.make_public("acme/hello");
    skopeo.copy(&image, "oci:public").expect("a copy");
    let pulled = files(&skopeo.path("public/blobs/sha256"));
    assert!(pulled.values().any(|content| *content == wat::component()));
}
