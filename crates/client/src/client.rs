//! The client: what is the same for every registry.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::Certificate;
use wreg_oci::Host;

use crate::{
    Credentials, Error, Registry, Retries, Store, files,
    http::{Connection, Transport},
    origin::Origin,
};

/// The most bytes of a CA file that are read: the bundles of whole systems have a tenth of it.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// What a client is made from.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Speak plain http with every registry. Without it only loopback addresses are spoken to so, and they only where
    /// [`ClientOptions::ca_files`] is empty: whoever names a certificate authority means TLS.
    pub plain_http: bool,
    /// PEM files of certificate authorities to trust besides those of the system.
    pub ca_files: Vec<PathBuf>,
    /// Whose rights to use.
    pub credentials: Credentials,
    /// Where to keep what was pulled; with none, nothing is kept.
    pub store: Option<Store>,
    /// The `User-Agent` of every request.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            plain_http: false,
            ca_files: Vec::new(),
            credentials: Credentials::none(),
            store: None,
            user_agent: concat!("wreg-client/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ClientOptions {
    fn speaks_plain_http(&self, host: &Host) -> bool {
        self.plain_http || (host.is_loopback() && self.ca_files.is_empty())
    }
}

/// A client of registries. Cheap to clone; clones share connections and tokens.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ClientOptions,
    certificates: Vec<Certificate>,
    retries: Retries,
    registries: Mutex<BTreeMap<Host, Registry>>,
}

impl Client {
    /// A client. [`Error::File`] when a CA file cannot be read, [`Error::Options`] when one holds no certificate.
    pub fn new(options: ClientOptions) -> Result<Self, Error> {
        Self::with_retries(options, Retries::default())
    }

    /// A client that repeats as `retries` says.
    pub fn with_retries(options: ClientOptions, retries: Retries) -> Result<Self, Error> {
        let mut certificates = Vec::new();
        for path in &options.ca_files {
            certificates.extend(read_certificates(path)?);
        }
        Ok(Self(Arc::new(Inner {
            options,
            certificates,
            retries,
            registries: Mutex::default(),
        })))
    }

    /// The registry at `host`: for the same host always the same one, with its connections and tokens. Nothing is sent yet.
    pub fn registry(&self, host: &Host) -> Result<Registry, Error> {
        let mut registries = self.0.registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = registries.get(host) {
            return Ok(registry.clone());
        }
        let options = &self.0.options;
        let origin = Origin::new(host, options.speaks_plain_http(host))?;
        let (agent, certificates) = (options.user_agent.clone(), self.0.certificates.clone());
        let http = Transport::new(agent, certificates, host.is_loopback());
        http.client(&origin.at("/"))?;
        let retries = self.0.retries.clone();
        let connection = Connection::new(host.clone(), origin, options.credentials.clone(), http, retries);
        let registry = Registry::new(connection, options.store.clone());
        registries.insert(host.clone(), registry.clone());
        Ok(registry)
    }

    /// The local store.
    pub fn store(&self) -> Option<&Store> {
        self.0.options.store.as_ref()
    }

    /// Whose rights it uses.
    pub fn credentials(&self) -> &Credentials {
        &self.0.options.credentials
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let mut pem = Vec::new();
    let file = File::open(path).map_err(files::failed(path))?;
    file.take(MAX_CA_FILE)
        .read_to_end(&mut pem)
        .map_err(files::failed(path))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::Options(format!(
            "{} holds no certificate in PEM",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// **K07** A registry that is not on this machine, without plain http being asked for → TLS, whatever it offers.
    #[test]
    fn plain_http_is_for_this_machine_or_on_request() {
        let speaks = |options: &ClientOptions, host: &str| options.speaks_plain_http(&host.parse().expect("a host"));
        let usual = ClientOptions::default();
        for host in ["localhost:5000", "127.0.0.2", "[::1]:80"] {
            assert!(speaks(&usual, host), "{host}");
        }
        for host in ["reg.example", "10.0.0.1:5000", "localhost.example", "[::2]"] {
            assert!(!speaks(&usual, host), "{host}");
        }
        let with_ca = ClientOptions {
            ca_files: vec!["ca.pem".into()],
            ..ClientOptions::default()
        };
        assert!(!speaks(&with_ca, "localhost:5000"));
        let asked = ClientOptions {
            plain_http: true,
            ..with_ca
        };
        assert!(speaks(&asked, "reg.example"));
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let options = ClientOptions {
            ca_files: vec![file.path().to_owned()],
            ..ClientOptions::default()
        };
        assert!(matches!(Client::new(options), Err(Error::Options(_))));
        let options = ClientOptions {
            ca_files: vec![file.path().with_extension("missing")],
            ..ClientOptions::default()
        };
        assert!(matches!(Client::new(options), Err(Error::File { .. })));
    }
}
