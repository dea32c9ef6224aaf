//! A temporary S3 server: made for one run of the tests, gone after it.
//!
//! As with PostgreSQL, a small shell script keeps the server and waits on its standard input, which this program holds open: however
//! this program ends, the script ends the server and removes its data.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

use crate::{cargo_tools::CargoTool, postgres::random, runner::Runner};

/// An S3 server in one program.
pub(crate) const GARAGE: CargoTool = CargoTool {
    name: "garage",
    version: "2.5.0",
};

/// The bucket that it makes at its start.
const BUCKET: &str = "wreg";

/// Starts the server and waits until the runner is gone. Killed: the data are thrown away anyway.
const KEEPER: &str = r#"
trap '' HUP INT TERM
cd "$1"
"$2" -c garage.toml server --single-node --default-bucket 2>&1 &
read -r _
kill -KILL $!
wait $! 2>/dev/null
rm -rf "$1"
"#;

/// How often other ports are tried, should another program take them before the server does.
const ATTEMPTS: usize = 3;

/// A running server. Dropping it stops it.
pub(crate) struct Garage {
    url: String,
    folder: PathBuf,
    keeper: Child,
    input: Option<ChildStdin>,
}

impl Garage {
    /// Starts it on free ports, with its data in a temporary folder.
    pub(crate) fn start(runner: &Runner) -> Result<Self> {
        Self::start_in(runner, &std::env::temp_dir())
    }

    /// Starts it on free ports, with its data in a folder there.
    pub(crate) fn start_in(runner: &Runner, parent: &Path) -> Result<Self> {
        let program = GARAGE.install(runner)?;
        let mut attempt = 1;
        loop {
            match Self::try_start(&program, parent) {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    fn try_start(program: &Path, parent: &Path) -> Result<Self> {
        let folder = parent.join(format!("wreg-garage-{}", random()?));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        let ports = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [s3, rpc] = [ports[0].local_addr()?, ports[1].local_addr()?];
        drop(ports);
        // Both are off by default: it would acknowledge what a power cut takes away.
        let settings = format!(
            "metadata_dir = \"{folder}/meta\"\ndata_dir = \"{folder}/data\"\ndb_engine = \"sqlite\"\nmetadata_fsync = true\ndata_fsync = true\n\
             replication_factor = 1\nrpc_bind_addr = \"{rpc}\"\nrpc_public_addr = \"{rpc}\"\nrpc_secret = \"{}{}\"\n\
             [s3_api]\ns3_region = \"garage\"\napi_bind_addr = \"{s3}\"\n",
            random()?,
            random()?,
            folder = folder.display(),
        );
        fs::write(folder.join("garage.toml"), settings)?;
        let (key, secret) = (format!("GK{}", &random()?[..24]), random()? + &random()?);
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, "keeper"]).args([&*folder, program]);
        keeper
            .env("RUST_LOG", "garage=info,garage_api_common=info")
            .env("GARAGE_DEFAULT_ACCESS_KEY", &key)
            .env("GARAGE_DEFAULT_SECRET_KEY", &secret)
            .env("GARAGE_DEFAULT_BUCKET", BUCKET);
        // A group of its own: an interrupt at the terminal must not end the keeper before it has cleaned up.
        let mut keeper = keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let server = Self {
            url: format!("http://{key}:{secret}@{s3}/{BUCKET}"),
            folder,
            input: keeper.stdin.take(),
            keeper,
        };
        server.wait_for(&s3.to_string())
    }

    /// Reads its log until it says that it listens, and then on, so that it never waits for a reader.
    fn wait_for(mut self, address: &str) -> Result<Self> {
        let log = self.keeper.stdout.take().context("standard output is piped")?;
        let (mut lines, mut said) = (BufReader::new(log).lines(), String::new());
        for line in &mut lines {
            let line = line?;
            if line.contains("S3 API server listening") {
                thread::spawn(move || lines.for_each(drop));
                println!("Garage on {address}, data in {}", self.folder.display());
                return Ok(self);
            }
            said += &line;
            said.push('\n');
            if line.contains("Error") || line.contains("panicked") {
                break;
            }
        }
        bail!("Garage did not start on {address}:\n{said}");
    }

    /// What the tests read: `http://KEY:SECRET@HOST:PORT/BUCKET`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The parts of that.
    pub(crate) fn place(&self) -> Result<Place> {
        let (credentials, place) = self.url["http://".len()..].split_once('@').context("credentials")?;
        let (key, secret) = credentials.split_once(':').context("a secret")?;
        let (address, bucket) = place.split_once('/').context("a bucket")?;
        let [key, secret, address, bucket] = [key, secret, address, bucket].map(str::to_owned);
        Ok(Place {
            key,
            secret,
            address,
            bucket,
        })
    }
}

/// A bucket, and who may use it.
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) address: String,
    pub(crate) bucket: String,
}

impl Place {
    /// The settings of wreg for it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 6] {
        [
            ("WREG_S3_BUCKET", self.bucket.clone()),
            ("WREG_S3_ENDPOINT", format!("http://{}", self.address)),
            ("WREG_S3_REGION", "garage".to_owned()),
            ("WREG_S3_ACCESS_KEY_ID", self.key.clone()),
            ("WREG_S3_SECRET_ACCESS_KEY", self.secret.clone()),
            ("WREG_S3_PATH_STYLE", "true".to_owned()),
        ]
    }
}

impl Drop for Garage {
    fn drop(&mut self) {
        drop(self.input.take());
        let ended = self.keeper.wait();
        if ended.is_err() || self.folder.exists() {
            println!("Garage did not stop cleanly: look at {}", self.folder.display());
        } else {
            println!("Garage stopped, its data removed");
        }
    }
}
