//! Where secrets are kept, and for which host each of them is meant.
//!
//! Looked up in this order, the first that knows the host wins: what [`Credentials::with`] was given; the token of
//! [`CredentialSources::token`]; docker's `config.json`; the file of `REGISTRY_AUTH_FILE`; podman's files. Within a file
//! it is docker's order: the helper for the host, the entry of the host, the store for all hosts. Kept they are where docker,
//! podman, oras and wkg look: in docker's `config.json`, or with the helper that it names.

mod docker_config;
mod file;
mod helper;
mod members;
mod secret;

use std::path::PathBuf;

use wreg_oci::{Host, RepositoryName};

pub use self::secret::Secret;
use self::{docker_config::DockerConfig, helper::Helper};
use crate::Error;

/// Where to look for credentials: values of the environment, read by the caller. `Debug` leaves the token out.
#[derive(Clone, Default)]
pub struct CredentialSources {
    /// A personal token and the one host that it is for: `WREG_TOKEN`, with `WREG_REGISTRY` or else the host that the command
    /// names. A token without a host would be sent to whichever registry comes along.
    pub token: Option<(Host, String)>,
    /// `DOCKER_CONFIG`: the folder of docker's `config.json`. Without it, `.docker` in [`CredentialSources::home`].
    pub docker_config: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: podman's file, wherever it is.
    pub registry_auth_file: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where podman keeps credentials until the next boot.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`. Without it, `.config` in [`CredentialSources::home`].
    pub xdg_config_home: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
}

impl std::fmt::Debug for CredentialSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialSources")
            .field("token", &self.token.as_ref().map(|(host, _)| host))
            .field("docker_config", &self.docker_config)
            .field("registry_auth_file", &self.registry_auth_file)
            .field("xdg_runtime_dir", &self.xdg_runtime_dir)
            .field("xdg_config_home", &self.xdg_config_home)
            .field("home", &self.home)
            .finish()
    }
}

/// Looks secrets up and keeps them.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    given: Vec<(Host, Secret)>,
    docker_config: Option<PathBuf>,
    /// Files that are read and never written, in the order of looking.
    others: Vec<PathBuf>,
}

/// Where a secret was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredIn {
    /// In this file, which only its owner can read.
    File(PathBuf),
    /// With this helper program.
    Helper(String),
}

impl Credentials {
    /// None: everything is asked for anonymously, and nothing can be kept.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that `sources` lead to. Nothing is read before it is needed, and then anew each time.
    pub fn new(sources: CredentialSources) -> Self {
        let docker = sources
            .docker_config
            .or_else(|| Some(sources.home.as_ref()?.join(".docker")));
        let config_home = sources.xdg_config_home.or_else(|| Some(sources.home?.join(".config")));
        let podman = |folder: PathBuf| folder.join("containers").join("auth.json");
        let others = [
            sources.registry_auth_file,
            sources.xdg_runtime_dir.map(podman),
            config_home.map(podman),
        ];
        Self {
            given: sources
                .token
                .map(|(host, token)| (host, Secret::token(token)))
                .into_iter()
                .collect(),
            docker_config: docker.map(|folder| folder.join("config.json")),
            others: others.into_iter().flatten().collect(),
        }
    }

    /// The same, with `secret` for `host` before all others.
    #[must_use]
    pub fn with(mut self, host: Host, secret: Secret) -> Self {
        self.given.insert(0, (host, secret));
        self
    }

    /// The secret for `host`, and for `repository` there where a file has finer keys. `None` where nothing knows the host; an
    /// error where a file or a helper fails and no other source knows it.
    pub async fn for_host(&self, host: &Host, repository: Option<&RepositoryName>) -> Result<Option<Secret>, Error> {
        if let Some((_, secret)) = self.given.iter().find(|(given, _)| given == host) {
            return Ok(Some(secret.clone()));
        }
        let mut trouble = None;
        for path in self.docker_config.iter().chain(&self.others) {
            match file::find(path, host, repository).await {
                Ok(Some(secret)) => return Ok(Some(secret)),
                Ok(None) => {}
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    /// Keeps `secret` for `host`: with the helper that docker's configuration names for it, else in that configuration.
    pub async fn store(&self, host: &Host, secret: &Secret) -> Result<StoredIn, Error> {
        let path = self.docker_config()?;
        let mut config = DockerConfig::read(path).await?;
        let Some(name) = config.helper(host)? else {
            config.store(host, secret)?;
            config.write().await?;
            return Ok(StoredIn::File(path.clone()));
        };
        Helper::new(&name, host)?.store(secret).await?;
        // An entry in the file would be found before what the helper keeps.
        if config.erase(host)? {
            config.write().await?;
        }
        Ok(StoredIn::Helper(name))
    }

    /// Forgets the secret for `host` where [`Credentials::store`] keeps it; from where it was removed.
    pub async fn erase(&self, host: &Host) -> Result<Vec<StoredIn>, Error> {
        let path = self.docker_config()?;
        let mut config = DockerConfig::read(path).await?;
        let mut removed = Vec::new();
        // The file first: it is in our hands, and a helper may fail.
        if config.erase(host)? {
            config.write().await?;
            removed.push(StoredIn::File(path.clone()));
        }
        if let Some(name) = config.helper(host)?
            && Helper::new(&name, host)?.erase().await?
        {
            removed.push(StoredIn::Helper(name));
        }
        Ok(removed)
    }

    fn docker_config(&self) -> Result<&PathBuf, Error> {
        self.docker_config.as_ref().ok_or_else(|| Error::Credentials {
            place: "credentials".to_owned(),
            problem: "there is no place to keep them".to_owned(),
            hint: Some("set HOME or DOCKER_CONFIG".to_owned()),
        })
    }
}
