//! The server that was built, as a process on a free port of loopback, with a temporary folder for its data.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::runner::Runner;

/// A running server. Dropping it ends it and removes its data.
pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    address: String,
}

impl Server {
    /// Starts it with these arguments and variables; settings that this process has do not reach it. Its log goes to `server.log`
    /// in `folder` and stays there; its data are beside that, until it ends.
    pub(crate) fn start(
        runner: &Runner,
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let (data, log) = (folder.join("data"), folder.join("server.log"));
        let mut command = Command::new(runner.built("wreg-registry"));
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"WREG_")) {
            command.env_remove(name);
        }
        command
            .env("WREG_LISTEN", "127.0.0.1:0")
            .arg("--data-dir")
            .arg(&data)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?);
        let mut child = command.spawn().context("starting wreg-registry")?;
        let mut greeting = String::new();
        let stdout = child.stdout.take().context("standard output is piped")?;
        BufReader::new(stdout).read_line(&mut greeting)?;
        let mut server = Self {
            child,
            data,
            address: String::new(),
        };
        match greeting.trim().split_once("://") {
            Some(("listening on http" | "listening on https", address)) => address.clone_into(&mut server.address),
            _ => bail!(
                "wreg-registry did not start: {}",
                fs::read_to_string(log).unwrap_or_default()
            ),
        }
        println!("wreg-registry on {}", server.address);
        Ok(server)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The administrator's token.
    pub(crate) fn admin_token(&self) -> Result<String> {
        let file = self.data.join("admin-token");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Ok(text.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.data));
    }
}

/// An address on loopback that nobody uses.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
