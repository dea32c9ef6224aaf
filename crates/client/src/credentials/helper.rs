//! Helper programs, `docker-credential-<name>`, that keep secrets in a keychain.
//!
//! Source: docker/docker-credential-helpers: the verb is the argument, what it is about comes on standard input.

use std::process::Stdio;

use serde::Serialize;
use tokio::{io::AsyncWriteExt as _, process::Command};
use wreg_oci::Host;

use super::secret::Secret;
use crate::{Error, http::answer::printable};

/// A helper, asked about one host.
pub(super) struct Helper<'a> {
    program: String,
    host: &'a Host,
}

/// What `store` reads.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Kept<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

impl<'a> Helper<'a> {
    /// The helper that a configuration calls `name`. A name that would lead out of the search path is refused.
    pub(super) fn new(name: &str, host: &'a Host) -> Result<Self, Error> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !name.is_empty() && name.chars().all(is_name) {
            Ok(Self {
                program: format!("docker-credential-{name}"),
                host,
            })
        } else {
            Err(failed(
                "the credential helper",
                "its name in the configuration is no name of a program",
                host,
            ))
        }
    }

    /// Keeps `secret`.
    pub(super) async fn store(&self, secret: &Secret) -> Result<(), Error> {
        let kept = Kept {
            server_url: self.host.as_str(),
            username: &secret.user,
            secret: &secret.password,
        };
        let input = serde_json::to_vec(&kept).unwrap_or_default();
        self.run("store", &input)
            .await
            .map_err(|words| failed(&self.program, &printable(&words), self.host))
    }

    /// Forgets the secret; whether there was one.
    pub(super) async fn erase(&self) -> Result<bool, Error> {
        match self.run("erase", self.host.as_str().as_bytes()).await {
            Ok(()) => Ok(true),
            Err(words) if knows_nothing(&words) => Ok(false),
            Err(words) => Err(failed(&self.program, &printable(&words), self.host)),
        }
    }

    /// Runs it to its end; its own words if it fails.
    async fn run(&self, verb: &str, input: &[u8]) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that ends without reading says why itself.
            let _ = stdin.write_all(input).await;
        }
        let output = child.wait_with_output().await.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let words = if output.stdout.is_empty() {
            output.stderr
        } else {
            output.stdout
        };
        Err(String::from_utf8_lossy(&words).into_owned())
    }
}

/// Whether a helper's words mean that it has nothing for the host: they are part of the protocol.
pub(super) fn knows_nothing(words: &str) -> bool {
    words.trim() == "credentials not found in native keychain"
}

/// The error of a helper, with the ways around it: on machines without a desktop most helpers fail.
pub(super) fn failed(helper: &str, words: &str, host: &Host) -> Error {
    Error::Credentials {
        place: helper.to_owned(),
        problem: words.to_owned(),
        hint: Some(format!(
            "set WREG_TOKEN, or have the secret kept in a file: \"credHelpers\": {{\"{host}\": \"\"}} in docker's config.json"
        )),
    }
}
