//! Configuration: defaults, then a TOML file, then `WREG_*` variables, then flags; parsed once into a valid [`Config`].
//!
//! The only reader of the environment. What is wrong is refused at start, with the place and the reason; nothing falls back to
//! something weaker.

mod blobs;
mod networks;
mod reference;
mod source;
mod witnesses;

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU64,
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;
use wreg_api::{ComponentPolicy, ImmutableTags, MissingReferences, Signing, Visibility};

pub use self::{
    blobs::{Blobs, S3Settings},
    reference::config_reference,
    source::Flags,
};
use self::{networks::Networks, witnesses::Witnesses};
use crate::{
    domain::{Limits, collection::Terms, repositories::Settings},
    witness::WitnessSettings,
};

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where secrets are and, by default, blobs and the database.
    pub data_dir: PathBuf,
    /// Where the registry's facts are.
    pub database: Database,
    /// Whether the data folder's administrator's token takes the place of the one that a shared database knows.
    pub reset_admin_token: bool,
    /// Where the bytes of blobs are.
    pub blobs: Blobs,
    /// Whether everything is open to everybody. Loopback only.
    pub dev: bool,
    /// Scheme and host that clients reach the server by, without a slash at the end.
    pub public_url: Option<String>,
    /// The server's certificate and key; without them it speaks plain http.
    pub tls: Option<CertificateFiles>,
    /// Networks of the proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where metrics are served, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// How long it still takes requests after it was told to end.
    pub shutdown_delay: Duration,
    /// How logs are written.
    pub log_format: LogFormat,
    /// What is logged: a level, or `target=level` pairs.
    pub log: String,
    settings: Partial,
}

/// Where certificate and key are, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, then those that lead to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Where the registry's facts are.
#[derive(Debug, Clone)]
pub enum Database {
    /// In the data folder.
    Sqlite,
    /// On a PostgreSQL server. The URL may hold a password.
    Postgres(SecretText),
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What one source says; all of it optional. The names are those of the file, of the variables (`WREG_` and upper case) and, with
/// dashes, of the flags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partial {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    database: Option<SecretText>,
    dev: Option<bool>,
    public_url: Option<PublicUrl>,
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_in_front: Option<bool>,
    trusted_proxies: Option<Networks>,
    metrics_listen: Option<SocketAddr>,
    metrics_beyond_loopback: Option<bool>,
    shutdown_delay_seconds: Option<u64>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    signing: Option<Signing>,
    signing_keys_dir: Option<PathBuf>,
    witnesses: Option<Witnesses>,
    witness_interval_seconds: Option<NonZeroU64>,
    default_visibility: Option<Visibility>,
    default_immutable_tags: Option<ImmutableTags>,
    default_missing_references: Option<MissingReferences>,
    default_deletable: Option<bool>,
    max_blob_size: Option<u64>,
    small_blob_bytes: Option<u16>,
    upload_ttl_seconds: Option<u64>,
    max_open_uploads: Option<u64>,
    max_failed_logins: Option<usize>,
    blob_lease_seconds: Option<NonZeroU64>,
    undelete_seconds: Option<u64>,
    collection_interval_seconds: Option<u64>,
    s3_bucket: Option<String>,
    s3_endpoint: Option<String>,
    s3_region: Option<String>,
    s3_prefix: Option<String>,
    s3_access_key_id: Option<String>,
    s3_secret_access_key: Option<SecretText>,
    s3_path_style: Option<bool>,
    s3_redirect: Option<bool>,
    s3_memory: Option<u64>,
    mapped_bytes: Option<u64>,
    advisories: Option<PathBuf>,
}

impl Partial {
    /// Bytes of the largest blob.
    fn max_blob_size(&self) -> u64 {
        self.max_blob_size.unwrap_or(10 * 1024 * 1024 * 1024)
    }
}

/// `http://` or `https://` and a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct PublicUrl(String);

impl TryFrom<String> for PublicUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, &'static str> {
        let bare = url.strip_suffix('/').unwrap_or(&url);
        let host = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://"));
        match host.map(str::parse::<wreg_oci::Host>) {
            Some(Ok(_)) => Ok(Self(bare.to_owned())),
            _ => Err("write https://host or https://host:port, without a path"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that cannot be. The reason names line and column.
    #[error("{path}: {reason}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What and where.
        reason: toml::de::Error,
    },
    /// A variable says something that cannot be.
    #[error("{name}: {reason}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// `dev` opens everything, so it is for this machine alone.
    #[error("dev opens the registry to everybody, so it needs a loopback address: {0} is none")]
    DevBeyondLoopback(SocketAddr),
    /// Tokens would cross the network in plain text.
    #[error(
        "{0} can be reached from other machines, and this server speaks plain http, which would show tokens to everybody on the way: set tls_certificate and tls_key, listen on a loopback address, or set tls_in_front = true if a proxy on this machine or network ends TLS"
    )]
    PlainHttpBeyondLoopback(SocketAddr),
    /// Metrics are for whoever runs the server.
    #[error(
        "metrics_listen {0} can be reached from other machines, and metrics are shown to everybody who asks: use a loopback address, or set metrics_beyond_loopback = true where the network keeps others out"
    )]
    MetricsBeyondLoopback(SocketAddr),
    /// TLS takes a certificate and a key.
    #[error("tls_certificate and tls_key belong together: {0} is missing")]
    HalfOfTls(&'static str),
    /// The database is no PostgreSQL URL.
    #[error("database must begin with postgres:// (leave it out for SQLite in the data folder)")]
    Database,
    /// The settings of object storage do not fit together.
    #[error("{0}")]
    Blobs(&'static str),
}

impl Config {
    /// Reads file, environment and flags.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let reset_admin_token = flags.reset_admin_token;
        Ok(Self {
            reset_admin_token,
            ..Self::from_partial(source::load(flags)?)?
        })
    }

    /// A configuration for a data folder, with defaults in everything else and any free port of loopback.
    pub fn for_data_dir(data_dir: impl Into<PathBuf>) -> Self {
        let settings = Partial {
            data_dir: Some(data_dir.into()),
            ..Partial::default()
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen,
            ..Self::valid(settings, Database::Sqlite)
        }
    }

    /// The same from the text of a file, for a data folder.
    pub fn parse(data_dir: impl Into<PathBuf>, text: &str) -> Result<Self, ConfigError> {
        let path = PathBuf::from("configuration");
        let partial: Partial = toml::from_str(text).map_err(|reason| ConfigError::File { path, reason })?;
        let listen = partial.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Self::from_partial(Partial {
            data_dir: Some(data_dir.into()),
            listen: Some(listen),
            ..partial
        })
    }

    fn from_partial(partial: Partial) -> Result<Self, ConfigError> {
        let database = match &partial.database {
            None => Database::Sqlite,
            Some(url) if url.expose().starts_with("postgres://") || url.expose().starts_with("postgresql://") => {
                Database::Postgres(url.clone())
            }
            Some(_) => return Err(ConfigError::Database),
        };
        let tls = match (&partial.tls_certificate, &partial.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(CertificateFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            (None, Some(_)) => return Err(ConfigError::HalfOfTls("tls_certificate")),
            (Some(_), None) => return Err(ConfigError::HalfOfTls("tls_key")),
        };
        let tls_in_front = partial.tls_in_front.unwrap_or(false);
        let blobs = Blobs::of(&partial)?;
        let config = Self {
            blobs,
            tls,
            ..Self::valid(partial, database)
        };
        let exposed = config.metrics_listen.filter(|address| !is_loopback(address.ip()));
        if let Some(address) = exposed.filter(|_| config.settings.metrics_beyond_loopback != Some(true)) {
            return Err(ConfigError::MetricsBeyondLoopback(address));
        }
        let loopback = is_loopback(config.listen.ip());
        if config.dev && !loopback {
            return Err(ConfigError::DevBeyondLoopback(config.listen));
        }
        if !loopback && config.tls.is_none() && !tls_in_front {
            return Err(ConfigError::PlainHttpBeyondLoopback(config.listen));
        }
        Ok(config)
    }

    fn valid(partial: Partial, database: Database) -> Self {
        let dev = partial.dev.unwrap_or(false);
        Self {
            listen: partial.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000))),
            data_dir: partial.data_dir.clone().unwrap_or_else(|| PathBuf::from("data")),
            database,
            reset_admin_token: false,
            blobs: Blobs::Files,
            dev,
            public_url: partial.public_url.as_ref().map(|url| url.0.clone()),
            tls: None,
            metrics_listen: partial.metrics_listen,
            trusted_proxies: partial.trusted_proxies.clone().unwrap_or_default().into_inner(),
            shutdown_delay: Duration::from_secs(partial.shutdown_delay_seconds.unwrap_or(0)),
            log_format: partial.log_format.unwrap_or(LogFormat::Text),
            log: partial.log.clone().unwrap_or_else(|| "info".to_owned()),
            settings: partial,
        }
    }

    /// Failed logins that are taken from one address with one user name in 15 minutes; any number if 0.
    pub(crate) fn failed_logins(&self) -> usize {
        self.cap(self.settings.max_failed_logins, 5).unwrap_or(0)
    }

    /// A cap on what one client may do: `beyond_loopback` unless something else is said, and none on loopback, where it would only be in
    /// the way.
    fn cap<T>(&self, said: Option<T>, beyond_loopback: T) -> Option<T> {
        said.or_else(|| (!is_loopback(self.listen.ip())).then_some(beyond_loopback))
    }

    /// What is signed where a namespace says nothing.
    pub(crate) fn signing(&self) -> Signing {
        self.settings.signing.unwrap_or(Signing::Wasm)
    }

    /// Where the keys are that sign artifacts and the log.
    pub(crate) fn signing_keys_dir(&self) -> PathBuf {
        let said = self.settings.signing_keys_dir.clone();
        said.unwrap_or_else(|| self.data_dir.join("signing-keys"))
    }

    /// Who signs the log too.
    pub(crate) fn witnesses(&self) -> Vec<WitnessSettings> {
        self.settings.witnesses.clone().unwrap_or_default().into_inner()
    }

    /// How long what they have signed is good.
    pub(crate) fn witness_interval(&self) -> Duration {
        Duration::from_secs(self.settings.witness_interval_seconds.map_or(300, NonZeroU64::get))
    }

    /// The host that clients know the registry by, if that is known.
    pub(crate) fn public_host(&self) -> Option<&str> {
        let url = self.public_url.as_deref()?;
        url.split_once("://").map(|(_, host)| host)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            blob: self.settings.max_blob_size(),
            small_blob: self.settings.small_blob_bytes.unwrap_or(4096).into(),
            upload_ttl: Duration::from_secs(self.settings.upload_ttl_seconds.unwrap_or(24 * 60 * 60)),
            open_uploads: self.cap(self.settings.max_open_uploads, 100).filter(|most| *most > 0),
        }
    }

    /// Bytes of files that may be mapped into memory at a time.
    pub(crate) fn mapped_bytes(&self) -> u64 {
        self.settings.mapped_bytes.unwrap_or(1 << 30)
    }

    /// The folder with advisories, if there is one.
    pub(crate) fn advisories(&self) -> Option<PathBuf> {
        self.settings.advisories.clone()
    }

    pub(crate) fn terms(&self) -> Terms {
        let lease = self.settings.blob_lease_seconds.map_or(24 * 60 * 60, NonZeroU64::get);
        Terms {
            blob_lease: Duration::from_secs(lease),
            undelete: Duration::from_secs(self.settings.undelete_seconds.unwrap_or(7 * 24 * 60 * 60)),
            interval: Duration::from_secs(self.settings.collection_interval_seconds.unwrap_or(60 * 60)),
        }
    }

    pub(crate) fn repository_defaults(&self) -> Settings {
        let visibility = if self.dev {
            Visibility::Public
        } else {
            Visibility::Private
        };
        Settings {
            visibility: self.settings.default_visibility.unwrap_or(visibility),
            immutable_tags: self.settings.default_immutable_tags.unwrap_or(ImmutableTags::None),
            missing_references: self
                .settings
                .default_missing_references
                .unwrap_or(MissingReferences::Reject),
            deletable: self.settings.default_deletable.unwrap_or(true),
            components: ComponentPolicy::Inherit,
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests;
