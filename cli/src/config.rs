//! What the environment says. The only reader of it.

use std::{env, ffi::OsString, path::PathBuf};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use wreg_client::CredentialSources;

use crate::error::CliError;

/// The environment, read once. A variable that is set to nothing counts as not set.
#[derive(Default)]
pub(crate) struct Config {
    /// `WREG_REGISTRY`: the registry of references that name no host.
    pub(crate) registry: Option<String>,
    /// Whether `NO_COLOR` is set.
    pub(crate) no_color: bool,
    /// The folder of the local store: `wreg` in `XDG_CACHE_HOME`, else in `~/.cache`; none where there is no home.
    pub(crate) store: Option<PathBuf>,
    /// The configuration of wkg: `WKG_CONFIG_FILE`, else `wasm-pkg/config.toml` in `XDG_CONFIG_HOME`, else in `~/.config`.
    pub(crate) wkg: Option<PathBuf>,
    /// `WREG_TRUST_POLICY`: the rules for what is pulled; else `wreg/trust.toml` in `XDG_CONFIG_HOME`, else in `~/.config`.
    pub(crate) trust_policy: Option<PathBuf>,
    /// What was learned of registries: `wreg/trust` in `XDG_STATE_HOME`, else in `~/.local/state`.
    pub(crate) trust_state: Option<PathBuf>,
    /// `WREG_TOKEN`, a secret.
    pub(crate) token: Option<String>,
    /// Where credentials are kept. The token is not among them, since it does not say which registry it is for.
    pub(crate) credentials: CredentialSources,
    source_date_epoch: Option<String>,
}

impl Config {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the config module, the only reader of the environment"
    )]
    pub(crate) fn from_environment() -> Self {
        let home = env::home_dir().filter(|home| home.is_absolute());
        Self::read(home, |name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn read(home: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name| variable(name).map(|value| value.to_string_lossy().trim().to_owned());
        let path = |name| variable(name).map(PathBuf::from);
        // The XDG specification has relative paths ignored.
        let folder = |name| path(name).filter(|path| path.is_absolute());
        let cache = folder("XDG_CACHE_HOME").or_else(|| Some(home.as_ref()?.join(".cache")));
        let configuration = folder("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let state = folder("XDG_STATE_HOME").or_else(|| Some(home.as_ref()?.join(".local/state")));
        Self {
            trust_policy: path("WREG_TRUST_POLICY").or_else(|| Some(configuration.clone()?.join("wreg/trust.toml"))),
            trust_state: state.map(|state| state.join("wreg/trust")),
            registry: text("WREG_REGISTRY"),
            no_color: variable("NO_COLOR").is_some(),
            store: cache.map(|cache| cache.join("wreg")),
            wkg: path("WKG_CONFIG_FILE").or_else(|| Some(configuration?.join("wasm-pkg/config.toml"))),
            token: text("WREG_TOKEN"),
            credentials: CredentialSources {
                token: None,
                docker_config: path("DOCKER_CONFIG"),
                registry_auth_file: path("REGISTRY_AUTH_FILE"),
                xdg_runtime_dir: folder("XDG_RUNTIME_DIR"),
                xdg_config_home: folder("XDG_CONFIG_HOME"),
                home,
            },
            source_date_epoch: text("SOURCE_DATE_EPOCH"),
        }
    }

    /// The time to write into artifacts, RFC 3339 in UTC, if `SOURCE_DATE_EPOCH` says one.
    ///
    /// Source: reproducible-builds.org, "`SOURCE_DATE_EPOCH` specification": a decimal number of seconds since 1970; what
    /// is anything else is an error.
    pub(crate) fn created(&self) -> Result<Option<String>, CliError> {
        let Some(text) = &self.source_date_epoch else {
            return Ok(None);
        };
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = text.parse().ok().filter(|_| is_decimal);
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        match time.and_then(|time| time.format(&Rfc3339).ok()) {
            Some(time) => Ok(Some(time)),
            None => Err(CliError::usage(format!("SOURCE_DATE_EPOCH is {text:?}, not a time"))
                .hint("it is a number of seconds since 1970-01-01T00:00:00Z, such as 1767225600, or not set")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &'static [(&'static str, &'static str)]) -> Config {
        Config::read(Some("/home/ada".into()), |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(*value))
        })
    }

    #[test]
    fn the_store_is_in_the_cache_folder() {
        assert_eq!(config(&[]).store, Some("/home/ada/.cache/wreg".into()));
        assert_eq!(config(&[("XDG_CACHE_HOME", "/c")]).store, Some("/c/wreg".into()));
        assert_eq!(
            config(&[("XDG_CACHE_HOME", "relative")]).store,
            Some("/home/ada/.cache/wreg".into())
        );
    }

    #[test]
    fn the_configuration_of_wkg_is_where_wkg_looks() {
        for (variables, path) in [
            (&[] as &[_], "/home/ada/.config/wasm-pkg/config.toml"),
            (&[("XDG_CONFIG_HOME", "/x")], "/x/wasm-pkg/config.toml"),
            (
                &[("WKG_CONFIG_FILE", "own.toml"), ("XDG_CONFIG_HOME", "/x")],
                "own.toml",
            ),
        ] {
            assert_eq!(config(variables).wkg, Some(path.into()));
        }
    }

    #[test]
    fn the_time_of_an_artifact_comes_from_the_environment_or_not_at_all() {
        assert_eq!(config(&[]).created().expect("nothing to read"), None);
        let created = config(&[("SOURCE_DATE_EPOCH", "1767225600")])
            .created()
            .expect("a time");
        assert_eq!(created.as_deref(), Some("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_time_that_is_no_time_is_refused() {
        for text in [
            "yesterday",
            "-1",
            "+1",
            "1.5",
            "99999999999999999999",
            "999999999999999",
        ] {
            let config = Config {
                source_date_epoch: Some(text.to_owned()),
                ..Config::default()
            };
            assert!(config.created().is_err(), "{text}");
        }
    }
}
