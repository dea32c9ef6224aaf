//! Where configuration comes from, and which source wins: a flag, then a variable, then the file.

use std::{env, fs, io::Read as _, net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{ConfigError, Partial};

/// The largest configuration file, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// What can be given on the command line. Everything else stands in the file or in variables.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Read this TOML file [variable: `WREG_CONFIG`]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep blobs, secrets and the database here [default: data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Listen here; port 0 takes a free one [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// For trying things out on this machine: everything is public, anybody may push, only loopback is allowed
    #[arg(long)]
    pub dev: bool,
    /// Let this folder's `admin-token`, or a new one if there is none, take the place of the administrator's token that a shared
    /// database knows
    #[arg(long)]
    pub reset_admin_token: bool,
}

pub(super) fn load(flags: Flags) -> Result<Partial, ConfigError> {
    let file = flags
        .config
        .clone()
        .or_else(|| variable("WREG_CONFIG").map(PathBuf::from));
    let file = file.map(read).transpose()?.unwrap_or_default();
    let environment = from_environment()?;
    let flags = Partial {
        listen: flags.listen,
        data_dir: flags.data_dir,
        dev: flags.dev.then_some(true),
        ..Partial::default()
    };
    Ok(flags.or(environment).or(file))
}

fn read(path: PathBuf) -> Result<Partial, ConfigError> {
    let mut text = String::new();
    let read = fs::File::open(&path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
    match read {
        Ok(_) => toml::from_str(&text).map_err(|reason| ConfigError::File { path, reason }),
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

#[expect(clippy::disallowed_methods, reason = "this module is the reader of the environment")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Every setting can be given as a variable. Its text is read as it would stand in the file, with or without quotes.
fn from_environment() -> Result<Partial, ConfigError> {
    let mut all = Partial::default();
    for key in super::reference::KEYS {
        let name = format!("WREG_{}", key.name.to_uppercase());
        if let Some(text) = variable(&name) {
            all = parse_variable(key.name, &text)
                .map_err(|reason| ConfigError::Variable { name, reason })?
                .or(all);
        }
    }
    Ok(all)
}

pub(super) fn parse_variable(key: &str, text: &str) -> Result<Partial, String> {
    let quoted = toml::Value::String(text.to_owned());
    toml::from_str(&format!("{key} = {text}"))
        .or_else(|_| toml::from_str(&format!("{key} = {quoted}")))
        .map_err(|error: toml::de::Error| error.message().to_owned())
}

impl Partial {
    /// What this says, and where it says nothing what `other` says.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            data_dir: self.data_dir.or(other.data_dir),
            database: self.database.or(other.database),
            dev: self.dev.or(other.dev),
            public_url: self.public_url.or(other.public_url),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            advisories: self.advisories.or(other.advisories),
            tls_in_front: self.tls_in_front.or(other.tls_in_front),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            metrics_listen: self.metrics_listen.or(other.metrics_listen),
            metrics_beyond_loopback: self.metrics_beyond_loopback.or(other.metrics_beyond_loopback),
            shutdown_delay_seconds: self.shutdown_delay_seconds.or(other.shutdown_delay_seconds),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
            signing: self.signing.or(other.signing),
            signing_keys_dir: self.signing_keys_dir.or(other.signing_keys_dir),
            witnesses: self.witnesses.or(other.witnesses),
            witness_interval_seconds: self.witness_interval_seconds.or(other.witness_interval_seconds),
            default_visibility: self.default_visibility.or(other.default_visibility),
            default_immutable_tags: self.default_immutable_tags.or(other.default_immutable_tags),
            default_missing_references: self.default_missing_references.or(other.default_missing_references),
            default_deletable: self.default_deletable.or(other.default_deletable),
            max_blob_size: self.max_blob_size.or(other.max_blob_size),
            small_blob_bytes: self.small_blob_bytes.or(other.small_blob_bytes),
            upload_ttl_seconds: self.upload_ttl_seconds.or(other.upload_ttl_seconds),
            max_open_uploads: self.max_open_uploads.or(other.max_open_uploads),
            max_failed_logins: self.max_failed_logins.or(other.max_failed_logins),
            blob_lease_seconds: self.blob_lease_seconds.or(other.blob_lease_seconds),
            undelete_seconds: self.undelete_seconds.or(other.undelete_seconds),
            collection_interval_seconds: self.collection_interval_seconds.or(other.collection_interval_seconds),
            s3_bucket: self.s3_bucket.or(other.s3_bucket),
            s3_endpoint: self.s3_endpoint.or(other.s3_endpoint),
            s3_region: self.s3_region.or(other.s3_region),
            s3_prefix: self.s3_prefix.or(other.s3_prefix),
            s3_access_key_id: self.s3_access_key_id.or(other.s3_access_key_id),
            s3_secret_access_key: self.s3_secret_access_key.or(other.s3_secret_access_key),
            s3_path_style: self.s3_path_style.or(other.s3_path_style),
            s3_redirect: self.s3_redirect.or(other.s3_redirect),
            s3_memory: self.s3_memory.or(other.s3_memory),
            mapped_bytes: self.mapped_bytes.or(other.mapped_bytes),
        }
    }
}
