//! What every command has at hand: the printer, the environment, and clients made as the global flags say.

use wreg_client::{Client, ClientOptions, CredentialSources, Credentials, Store};
use wreg_oci::{Host, Reference, RepositoryName, reference::InvalidReference, tag::InvalidTag};

use crate::{args::Global, config::Config, error::CliError, output::Printer, remote::Wanted};

pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) config: Config,
    global: Global,
}

impl Context {
    pub(crate) fn new(global: Global, config: Config) -> Self {
        Self {
            printer: Printer::new(&global, config.no_color),
            config,
            global,
        }
    }

    /// A reference as typed; where it names no host, `WREG_REGISTRY` is meant.
    pub(crate) fn reference(&self, text: &str) -> Result<Reference, CliError> {
        Reference::parse(text, self.default_host()?.as_ref()).map_err(|invalid| not_a_reference(text, invalid))
    }

    /// What is to be fetched: a reference, or `host/repository@^1.2`, the highest version that a requirement allows.
    pub(crate) fn wanted(&self, text: &str) -> Result<Wanted, CliError> {
        let requirement = text.rsplit_once('@').filter(|(_, after)| !after.contains(':'));
        let Some((before, requirement)) = requirement else {
            return self.reference(text).map(Wanted::Reference);
        };
        let parsed = requirement.parse().map_err(|error: semver::Error| {
            CliError::usage(format!(
                "{requirement:?} is neither a digest nor a requirement of versions"
            ))
            .because(error)
            .hint("write a digest (sha256:…) or a requirement, such as ^1.2, ~1.2.3, >=1.2, <2 or *")
        })?;
        let (host, repository) = self.repository(before)?;
        Ok(Wanted::Version {
            host,
            repository,
            requirement: parsed,
        })
    }

    /// `host/repository`, without tag and digest.
    pub(crate) fn repository(&self, text: &str) -> Result<(Host, RepositoryName), CliError> {
        let reference = self.reference(text)?;
        if reference.tag.is_some() || reference.digest.is_some() {
            return Err(
                CliError::usage(format!("{text} names a tag or digest, and a repository is wanted"))
                    .hint(format!("write {}/{}", reference.host, reference.repository)),
            );
        }
        Ok((reference.host, reference.repository))
    }

    /// A registry as typed, else `WREG_REGISTRY`.
    pub(crate) fn host(&self, text: Option<&str>) -> Result<Host, CliError> {
        match text {
            Some(text) => text
                .trim_end_matches('/')
                .parse()
                .map_err(|invalid| not_a_reference(text, invalid)),
            None => self.default_host()?.ok_or_else(|| {
                CliError::usage("no registry is named").hint("name one, such as localhost:5000, or set WREG_REGISTRY")
            }),
        }
    }

    /// A client for a command that names the registries `named`, and fetches nothing worth keeping.
    pub(crate) fn client(&self, named: &[Host]) -> Result<Client, CliError> {
        self.make_client(named, None)
    }

    /// A client with the local store. Where there is no place for one, nothing is kept.
    pub(crate) fn client_with_store(&self, named: &[Host]) -> Result<Client, CliError> {
        let opened = self.config.store.as_ref().map(Store::open);
        let store = match opened {
            Some(Ok(store)) => Some(store),
            Some(Err(error)) => {
                self.printer
                    .warning(format!("nothing is kept in the local store: {error}"));
                None
            }
            None => None,
        };
        self.make_client(named, store)
    }

    fn make_client(&self, named: &[Host], store: Option<Store>) -> Result<Client, CliError> {
        Ok(Client::new(ClientOptions {
            plain_http: self.global.plain_http,
            ca_files: self.global.ca_file.clone(),
            credentials: self.credentials(named)?,
            store,
            user_agent: concat!("wreg/", env!("CARGO_PKG_VERSION")).to_owned(),
        })?)
    }

    /// `WREG_TOKEN`, if it is for `host`: if `WREG_REGISTRY` names no other.
    pub(crate) fn token_for(&self, host: &Host) -> Result<Option<&str>, CliError> {
        let is_for_it = self.default_host()?.is_none_or(|default| default == *host);
        Ok(self.config.token.as_deref().filter(|_| is_for_it))
    }

    /// The credentials of this user, for a command that names the registries `named`.
    ///
    /// `WREG_TOKEN` is for the registry that `WREG_REGISTRY` names; where that is not set, for the only one that is named.
    pub(crate) fn credentials(&self, named: &[Host]) -> Result<Credentials, CliError> {
        let only = named.first().filter(|first| named.iter().all(|host| host == *first));
        let token = match (&self.config.token, self.default_host()?.as_ref().or(only)) {
            (Some(token), Some(host)) => Some((host.clone(), token.clone())),
            (Some(_), None) if !named.is_empty() => {
                self.printer
                    .warning("WREG_TOKEN is not used: it could be meant for either registry");
                self.printer
                    .hint("set WREG_REGISTRY to the one that it is for, or use `wreg login`");
                None
            }
            _ => None,
        };
        Ok(Credentials::new(CredentialSources {
            token,
            ..self.config.credentials.clone()
        }))
    }

    fn default_host(&self) -> Result<Option<Host>, CliError> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|invalid| CliError::usage(format!("WREG_REGISTRY is {text:?}")).because(invalid))
        };
        self.config.registry.as_ref().map(parse).transpose()
    }
}

fn not_a_reference(text: &str, invalid: InvalidReference) -> CliError {
    let error = CliError::usage(format!("{text:?} is not a reference to an artifact")).because(invalid);
    if let Some((scheme, rest)) = text.split_once("://") {
        return error.hint(format!("leave out {scheme}://, and write {rest}"));
    }
    match invalid {
        InvalidReference::NoHost => error.hint("or set WREG_REGISTRY to the registry that you mean"),
        InvalidReference::Tag(InvalidTag { .. }) if text.contains('+') => {
            error.hint("a tag cannot hold +; the custom is to write _ in its place: 1.0.0_build5")
        }
        _ => error,
    }
}
