//! The proxy that lies, as a process: `tests/harness/examples/lying_proxy`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// A running proxy. It ends when it is dropped.
pub(super) struct Proxy {
    child: Child,
    tells: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
    address: String,
}

impl Proxy {
    /// Puts one in front of a registry, which need not be there yet. It begins with the truth.
    pub(super) fn start(program: &Path, registry: SocketAddr) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(registry.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut proxy = Self {
            tells: child.stdin.take(),
            says: BufReader::new(child.stdout.take().context("standard output is piped")?),
            child,
            address: String::new(),
        };
        proxy.address = proxy.read()?;
        Ok(proxy)
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// From now on it lies like this about what is published there.
    pub(super) fn tell(&mut self, lie: &str, repository: &str, tag: &str) -> Result<()> {
        let tells = self.tells.as_mut().context("standard input is piped")?;
        writeln!(tells, "{lie} {repository} {tag}")?;
        let said = self.read()?;
        ensure!(said == lie, "the proxy cannot tell the lie {lie}");
        Ok(())
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.tells.take());
        drop(self.child.wait());
    }
}
