//! Writing docker's `config.json`: one entry changes; the other members, their order and every byte of their values stay.
//!
//! The file belongs to several programs, and each knows members that the others do not.

use std::path::{Path, PathBuf};

use serde_json::value::to_raw_value;
use wreg_oci::Host;

use super::{file, members::Members, secret::Secret};
use crate::{Error, files};

/// Docker's configuration.
#[derive(Debug)]
pub(super) struct DockerConfig {
    path: PathBuf,
    members: Members,
}

impl DockerConfig {
    /// Reads it; an empty one if there is no file.
    pub(super) async fn read(path: &Path) -> Result<Self, Error> {
        let bytes = file::read(path).await?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let members = if text.trim().is_empty() {
            Ok(Members::default())
        } else {
            Members::parse(&text)
        };
        Ok(Self {
            path: path.to_owned(),
            members: members.map_err(|error| broken(path, &error))?,
        })
    }

    /// The helper that keeps the secret of `host`: the host's own, else the store for all. An empty name means the file.
    pub(super) fn helper(&self, host: &Host) -> Result<Option<String>, Error> {
        let own = self
            .members
            .object("credHelpers")
            .and_then(|helpers| helpers.text(host.as_str()));
        let name = match own {
            Ok(None) => self.members.text("credsStore"),
            own => own,
        };
        let name = name.map_err(|error| broken(&self.path, &error))?;
        Ok(name.filter(|name| !name.is_empty()))
    }

    /// Sets the entry of `host`, in place of all that are read for it.
    pub(super) fn store(&mut self, host: &Host, secret: &Secret) -> Result<(), Error> {
        self.change(|auths| {
            let is_other = |key: &str| key == host.as_str() || !is_for(key, host);
            auths.retain(is_other);
            let mut entry = Members::default();
            entry.set("auth", to_raw_value(&secret.encoded())?);
            auths.set(host.as_str(), entry.write(2)?);
            Ok(true)
        })?;
        Ok(())
    }

    /// Removes the entries of `host`; whether there were any.
    pub(super) fn erase(&mut self, host: &Host) -> Result<bool, Error> {
        self.change(|auths| Ok(auths.retain(|key| !is_for(key, host))))
    }

    /// Writes it back, readable by its owner alone.
    pub(super) async fn write(&self) -> Result<(), Error> {
        let text = self.members.write(0).map_err(|error| broken(&self.path, &error))?;
        // Where the file is a link, what it links to is the file.
        let path = tokio::fs::canonicalize(&self.path)
            .await
            .unwrap_or_else(|_| self.path.clone());
        files::replace_private(&path, format!("{}\n", text.get())).await
    }

    fn change(&mut self, edit: impl FnOnce(&mut Members) -> Result<bool, serde_json::Error>) -> Result<bool, Error> {
        let changed = || {
            let mut auths = self.members.object("auths")?;
            let is_changed = edit(&mut auths)?;
            if is_changed {
                self.members.set("auths", auths.write(1)?);
            }
            Ok(is_changed)
        };
        changed().map_err(|error| broken(&self.path, &error))
    }
}

/// Whether an entry's key is read for `host`: the host itself, or a URL of it, as docker once wrote them.
fn is_for(key: &str, host: &Host) -> bool {
    let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    match url {
        Some(rest) => rest.split('/').next() == Some(host.as_str()),
        None => key == host.as_str(),
    }
}

fn broken(path: &Path, error: &serde_json::Error) -> Error {
    Error::Credentials {
        place: path.display().to_string(),
        // Of the error only the place: its text could quote a secret.
        problem: format!(
            "it is not JSON of the expected form (line {}, column {})",
            error.line(),
            error.column()
        ),
        hint: Some("mend it, or move it away".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> DockerConfig {
        DockerConfig {
            path: PathBuf::from("config.json"),
            members: Members::parse(text).expect("an object"),
        }
    }

    fn host(text: &str) -> Host {
        text.parse().expect("a host")
    }

    fn text(config: &DockerConfig) -> String {
        config.members.write(0).expect("written").get().to_owned()
    }

    #[test]
    fn what_others_wrote_stays_as_it_is() {
        let before = "{\n\t\"zeta\": 1.50,\n\t\"auths\": {\n\t\t\"b.example\": { \"auth\":\"eDp5\", \"x\":[ ] }\n\t},\n\t\"HttpHeaders\": {\"a\":  \"b\"}\n}";
        let mut config = config(before);
        config
            .store(&host("a.example:5000"), &Secret::new("u", "p"))
            .expect("stored");
        let after = "{\n\t\"zeta\": 1.50,\n\t\"auths\": {\n\t\t\"b.example\": { \"auth\":\"eDp5\", \"x\":[ ] },\n\t\t\"a.example:5000\": {\n\t\t\t\"auth\": \"dTpw\"\n\t\t}\n\t},\n\t\"HttpHeaders\": {\"a\":  \"b\"}\n}";
        assert_eq!(text(&config), after);
        assert!(config.erase(&host("a.example:5000")).expect("erased"));
        assert_eq!(text(&config), before);
        assert!(!config.erase(&host("a.example:5000")).expect("nothing to erase"));
    }

    #[test]
    fn every_key_that_is_read_for_a_host_is_replaced() {
        let mut config =
            config(r#"{"auths":{"https://a.example/v1/":{"auth":"b2xk"},"a.example/part":{},"xa.example":{}}}"#);
        config
            .store(&host("a.example"), &Secret::new("u", "p"))
            .expect("stored");
        assert!(!text(&config).contains("b2xk"));
        assert!(text(&config).contains("\"a.example/part\"") && text(&config).contains("\"xa.example\""));
        assert!(config.erase(&host("a.example")).expect("erased"));
        assert!(!text(&config).contains("dTpw"));
    }

    #[test]
    fn a_hosts_own_helper_goes_before_the_store_and_an_empty_one_means_the_file() {
        let config = config(r#"{"credsStore":"desktop","credHelpers":{"a.example":"pass","b.example":""}}"#);
        assert_eq!(
            config.helper(&host("a.example")).expect("read").as_deref(),
            Some("pass")
        );
        assert_eq!(config.helper(&host("b.example")).expect("read"), None);
        assert_eq!(
            config.helper(&host("c.example")).expect("read").as_deref(),
            Some("desktop")
        );
    }
}
