//! Who is measured: wreg, and those it is compared with, each in the fastest configuration that its documents know.

use std::{
    env, fs,
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::kept::Kept;
use crate::{
    garage::Place,
    go_tools::GoTool,
    process,
    runner::Runner,
    server::free_address,
    setup::{self, Wants},
};

/// The reference registry.
const DISTRIBUTION: GoTool = GoTool {
    package: "github.com/distribution/distribution/v3/cmd/registry",
    version: "v3.1.2",
    program: "registry",
    unlisted: false,
};

/// A server under load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Peer {
    Wreg,
    /// wreg again, read without a token.
    Anonymous,
    Distribution,
    /// The same bytes as files: the limit for reads.
    Nginx,
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wreg => "wreg",
            Self::Anonymous => "wreg, anonymous",
            Self::Distribution => "distribution",
            Self::Nginx => "nginx",
        }
    }
}

/// Where registries keep what they are given.
pub(super) enum Backend {
    /// In files, and wreg in SQLite.
    Files,
    /// In a bucket, and wreg in that database.
    Bucket { database: String, place: Place },
    /// In files, wreg alone, open to everybody, in SQLite unless there is a database.
    Open { database: Option<String> },
}

/// The programs.
pub(super) struct Programs {
    pub(super) wreg: PathBuf,
    /// The command `wreg`.
    pub(super) command: PathBuf,
    pub(super) bench: PathBuf,
    /// Not for a smoke test.
    distribution: Option<PathBuf>,
    nginx: PathBuf,
}

impl Programs {
    /// Those in a folder, and nginx.
    pub(super) fn in_folder(runner: &mut Runner, folder: &Path) -> Result<Self> {
        let wants = Wants {
            postgres: false,
            fixtures: false,
        };
        setup::run(runner, wants)?;
        // Not on every user's path.
        let nginx = process::find_program("nginx").unwrap_or_else(|| PathBuf::from("/usr/sbin/nginx"));
        Ok(Self {
            wreg: folder.join("wreg-registry"),
            command: folder.join("wreg"),
            bench: folder.join("wreg-bench"),
            distribution: None,
            nginx,
        })
    }

    /// Brings the other registry too.
    pub(super) fn with_peers(mut self, runner: &mut Runner) -> Result<Self> {
        self.distribution = Some(DISTRIBUTION.install(runner)?);
        Ok(self)
    }

    /// What is told of them beside the figures.
    pub(super) fn versions(&self) -> Result<Vec<String>> {
        let wreg = process::read(Command::new(&self.wreg).arg("--version"))?;
        // nginx says so on standard error.
        let nginx = Command::new(&self.nginx).arg("-v").output()?;
        let nginx = String::from_utf8_lossy(&nginx.stderr).replace("nginx version: ", "");
        let distribution = format!(
            "distribution {} (`go install {}`)",
            DISTRIBUTION.version, DISTRIBUTION.package
        );
        Ok(vec![wreg.trim().to_owned(), distribution, nginx.trim().to_owned()])
    }
}

/// A server that runs.
pub(super) struct Running {
    kept: Kept,
    /// `user:password`, where it asks for them.
    pub(super) credentials: Option<String>,
    /// The root of a server of files.
    pub(super) root: Option<PathBuf>,
}

impl Running {
    /// Starts one on a data folder, which may be new.
    pub(super) fn start(programs: &Programs, peer: Peer, data: &Path, backend: &Backend) -> Result<Self> {
        fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        let (address, log) = (free_address()?, data.join("log"));
        let command = match peer {
            Peer::Wreg | Peer::Anonymous => wreg(programs, address, data, backend),
            Peer::Distribution => distribution(programs, address, data, backend)?,
            Peer::Nginx => nginx(programs, address, data)?,
        };
        let kept = Kept::start(&command, address, &log)?;
        let credentials = match peer {
            Peer::Wreg | Peer::Anonymous => {
                let token = fs::read_to_string(data.join("wreg/admin-token"))?;
                Some(format!("admin:{}", token.trim()))
            }
            _ => None,
        };
        Ok(Self {
            kept,
            credentials,
            root: (peer == Peer::Nginx).then(|| data.join("root")),
        })
    }

    pub(super) fn address(&self) -> String {
        self.kept.address.to_string()
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.kept.pids()
    }

    /// Private memory after a request, in MB.
    pub(super) fn private_memory(&self) -> Result<f64> {
        let mut stream = TcpStream::connect(self.kept.address)?;
        write!(
            stream,
            "GET /v2/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address()
        )?;
        io::copy(&mut stream, &mut io::sink())?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.kept.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib: f64 = line.context("RssAnon")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}

/// As it is released: nothing is set that makes it faster. Everybody may read, so that reads need no token, as with the others.
fn wreg(programs: &Programs, address: SocketAddr, data: &Path, backend: &Backend) -> Command {
    let mut command = Command::new(&programs.wreg);
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"WREG_")) {
        command.env_remove(name);
    }
    command
        .arg("--data-dir")
        .arg(data.join("wreg"))
        .args(["--listen", &address.to_string()])
        .env("WREG_LOG", "warn")
        .env("WREG_DEFAULT_VISIBILITY", "public");
    if let Backend::Open { database } = backend {
        command.arg("--dev").env("WREG_DEFAULT_MISSING_REFERENCES", "accept");
        if let Some(database) = database {
            command.env("WREG_DATABASE", database);
        }
    }
    if let Backend::Bucket { database, place } = backend {
        command
            .env("WREG_DATABASE", database)
            .env("WREG_S3_PREFIX", "wreg/")
            .envs(place.settings());
    }
    command
}

/// With its cache of descriptors in memory, without logs, traces and checks of health; and it serves what is in the bucket itself, as
/// wreg does.
fn distribution(programs: &Programs, address: SocketAddr, data: &Path, backend: &Backend) -> Result<Command> {
    let storage = match backend {
        Backend::Files | Backend::Open { .. } => {
            format!("  filesystem:\n    rootdirectory: {}\n", data.join("files").display())
        }
        Backend::Bucket { place, .. } => format!(
            "  s3:\n    region: garage\n    regionendpoint: http://{}\n    bucket: {}\n    accesskey: {}\n    secretkey: {}\n    \
             forcepathstyle: true\n    secure: false\n    rootdirectory: /distribution\n  redirect:\n    disable: true\n",
            place.address, place.bucket, place.key, place.secret
        ),
    };
    let settings = format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n{storage}  cache:\n    blobdescriptor: inmemory\n  \
         maintenance:\n    uploadpurging:\n      enabled: false\nhttp:\n  addr: {address}\n"
    );
    let file = data.join("config.yml");
    fs::write(&file, settings)?;
    let mut command = Command::new(programs.distribution.as_ref().context("it is installed")?);
    command.arg("serve").arg(file).env("OTEL_TRACES_EXPORTER", "none");
    Ok(command)
}

/// Files by `sendfile`, their descriptors kept open, and no log.
fn nginx(programs: &Programs, address: SocketAddr, data: &Path) -> Result<Command> {
    let root = data.join("root");
    fs::create_dir_all(&root)?;
    // As root, workers would otherwise be somebody who may not read here.
    let is_root = process::read(Command::new("id").arg("-u"))?.trim() == "0";
    let user = if is_root { "user root;\n" } else { "" };
    let data = data.display();
    let settings = format!(
        "{user}daemon off;\nworker_processes auto;\npid {data}/pid;\nerror_log {data}/errors error;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  tcp_nodelay on;\n  keepalive_timeout 1h;\n  \
         keepalive_requests 1000000000;\n  open_file_cache max=10000 inactive=1h;\n  open_file_cache_valid 1h;\n  types {{ }}\n  \
         default_type application/vnd.oci.image.manifest.v1+json;\n  client_body_temp_path {data}/body;\n  proxy_temp_path {data}/proxy;\n  \
         fastcgi_temp_path {data}/fastcgi;\n  uwsgi_temp_path {data}/uwsgi;\n  scgi_temp_path {data}/scgi;\n  \
         server {{ listen {address} reuseport; root {root}; location = /v2/ {{ return 200; }} }}\n}}\n",
        root = root.display()
    );
    let file = root.with_file_name("nginx.conf");
    fs::write(&file, settings)?;
    let mut command = Command::new(&programs.nginx);
    command.arg("-c").arg(file).arg("-e").arg(root.with_file_name("errors"));
    Ok(command)
}
