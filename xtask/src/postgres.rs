//! A temporary PostgreSQL server: made for one run of the tests, gone after it.
//!
//! A small shell script keeps the server and waits on its standard input, which this program holds open. However this
//! program ends (done, failed, interrupted, killed), the input closes, and the script stops the server and removes its data.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::process;

/// Starts the server, says so, and waits until the runner is gone. `immediate`: the data are thrown away anyway.
const KEEPER: &str = r#"
trap '' HUP INT TERM
cd "$1"
"$2/pg_ctl" -D data -l log -w -t 60 start >/dev/null && echo ready
read -r _
"$2/pg_ctl" -D data -m immediate -w stop >/dev/null
rm -rf "$1"
"#;

/// One listener on loopback is all there is.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
";

/// Whether what was committed outlives a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As by default.
    Kept,
    /// No: faster, for tests.
    Off,
}

const NOT_DURABLE: &str = "
fsync = off
synchronous_commit = off
full_page_writes = off
";

/// A running server. Dropping it stops it.
pub(crate) struct Postgres {
    url: String,
    folder: PathBuf,
    keeper: Child,
    input: Option<ChildStdin>,
}

impl Postgres {
    /// Makes a cluster in a temporary folder and starts it on a free port.
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        let programs = find_programs().context("PostgreSQL is not installed: run `cargo xtask setup`")?;
        let folder = std::env::temp_dir().join(format!("wreg-postgres-{}", random()?));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        Self::start_in(&folder, &programs, durability).inspect_err(|_| drop(fs::remove_dir_all(&folder)))
    }

    fn start_in(folder: &Path, programs: &Path, durability: Durability) -> Result<Self> {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        let (password, user) = (random()?, unprivileged_user(folder)?);
        let password_file = folder.join("password");
        fs::write(&password_file, &password)?;
        if let Some((uid, gid)) = user {
            chown(folder, Some(uid), Some(gid))?;
            chown(&password_file, Some(uid), Some(gid))?;
        }
        let as_user = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(folder).env("LC_ALL", "C");
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };

        let mut initdb = as_user(&programs.join("initdb"));
        initdb.args([
            "-D",
            "data",
            "-U",
            "wreg",
            "-A",
            "scram-sha-256",
            "--pwfile",
            "password",
            "-E",
            "UTF8",
            "--no-sync",
        ]);
        process::read(initdb.args(collation(programs)?))?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut settings = fs::OpenOptions::new()
            .append(true)
            .open(folder.join("data/postgresql.conf"))?;
        let durability = if durability == Durability::Off { NOT_DURABLE } else { "" };
        writeln!(settings, "{SETTINGS}{durability}port = {port}")?;

        // A group of its own: an interrupt at the terminal must not end the keeper before it has cleaned up.
        let mut keeper = as_user(Path::new("/bin/sh"))
            .args(["-c", KEEPER, "keeper"])
            .args([folder, programs])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let input = keeper.stdin.take();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().context("standard output is piped")?).read_line(&mut said)?;
        let url = format!("postgres://wreg:{password}@127.0.0.1:{port}/postgres");
        let server = Self {
            url,
            folder: folder.to_owned(),
            keeper,
            input,
        };
        if said.trim() != "ready" {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("PostgreSQL did not start on port {port}:\n{log}");
        }
        println!(
            "PostgreSQL ({}) on 127.0.0.1:{port}, data in {}",
            programs.display(),
            folder.display()
        );
        Ok(server)
    }

    /// What a client connects to: `postgres://…`, with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.input.take());
        let ended = self.keeper.wait();
        if ended.is_ok_and(|status| status.success()) && !self.folder.exists() {
            println!("PostgreSQL stopped, its data removed");
        } else {
            println!("PostgreSQL did not stop cleanly: look at {}", self.folder.display());
        }
    }
}

/// The folder of `initdb` and `pg_ctl`: on `PATH`, else where Debian keeps the newest version.
pub(crate) fn find_programs() -> Option<PathBuf> {
    let on_path = process::find_program("initdb").and_then(|file| Some(file.parent()?.to_owned()));
    let debian = || Some(process::newest_version(Path::new("/usr/lib/postgresql"))?.join("bin"));
    on_path
        .or_else(debian)
        .filter(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

/// A collation that does not sort by bytes, so that a query which needs byte order and does not ask for it fails its test.
fn collation(programs: &Path) -> Result<&'static [&'static str]> {
    let says = process::read(Command::new(programs.join("initdb")).arg("--help"))?;
    let known = says.contains("--icu-locale");
    Ok(if known {
        &["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    } else {
        &["--locale=C"]
    })
}

/// PostgreSQL refuses to run as root: whom to run it as, if we are root. A folder that we made tells who we are.
fn unprivileged_user(own_folder: &Path) -> Result<Option<(u32, u32)>> {
    if own_folder.metadata()?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let mut fields = users
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?
            .split(':')
            .skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Ok(Some(
        ids("postgres")
            .or_else(|| ids("nobody"))
            .context("no user `postgres` or `nobody` to run PostgreSQL as")?,
    ))
}

/// 32 hexadecimal digits.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}
