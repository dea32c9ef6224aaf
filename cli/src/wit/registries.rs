//! Which registry a package is of: what `WREG_REGISTRY` says, and the configuration of wkg.
//!
//! Source: wasm-pkg-common 0.16.1, `config`: `~/.config/wasm-pkg/config.toml`, or the file that `WKG_CONFIG_FILE` names. The first that
//! applies counts: the entry of the package, that of its namespace, the default, and what every wkg knows of two namespaces.

use std::collections::BTreeMap;

use serde::Deserialize;
use wreg_client::PackageMetadata;

use super::name::PackageName;
use crate::{config::Config, error::CliError, files::read_text};

/// The most bytes of wkg's configuration.
const MAX_BYTES: u64 = 1 << 20;

/// Where packages of these namespaces are unless somebody says otherwise.
const WELL_KNOWN: [(&str, &str); 2] = [("wasi", "wasi.dev"), ("ba", "bytecodealliance.org")];

/// Which registry each package is of.
#[derive(Debug, Default)]
pub(crate) struct Registries {
    default: Option<String>,
    text: Text,
}

/// The registry of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// What it is called, in a lock too. It is its address, unless `metadata` is there.
    pub(crate) name: String,
    /// Where it really is, if the configuration says it; otherwise the registry is asked.
    pub(crate) metadata: Option<PackageMetadata>,
}

/// What is read of wkg's configuration. Credentials are kept elsewhere, where other clients find them too.
#[derive(Debug, Default, Deserialize)]
struct Text {
    default_registry: Option<String>,
    #[serde(default)]
    namespace_registries: BTreeMap<String, Entry>,
    #[serde(default)]
    package_registry_overrides: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Entry {
    Name(String),
    Custom {
        registry: String,
        metadata: PackageMetadata,
    },
}

impl Registries {
    /// Reads wkg's configuration, if there is one.
    pub(crate) fn read(config: &Config) -> Result<Self, CliError> {
        let mut registries = Self {
            default: config.registry.clone(),
            text: Text::default(),
        };
        if let Some(path) = &config.wkg {
            let cannot = || CliError::failed(format!("cannot read the configuration of wkg, {}", path.display()));
            let text = read_text(path, MAX_BYTES).map_err(|error| cannot().because(error))?;
            registries.text = toml::from_str(&text.unwrap_or_default()).map_err(|error| cannot().because(error))?;
        }
        Ok(registries)
    }

    /// The registry of `package`, if any is configured.
    pub(crate) fn of(&self, package: &PackageName) -> Option<Mapping> {
        let entry = self
            .text
            .package_registry_overrides
            .get(&package.to_string())
            .or_else(|| self.text.namespace_registries.get(package.namespace()));
        let default = || self.default.as_ref().or(self.text.default_registry.as_ref()).cloned();
        let well_known = || {
            let found = WELL_KNOWN
                .iter()
                .find(|(namespace, _)| *namespace == package.namespace());
            found.map(|(_, registry)| (*registry).to_owned())
        };
        match entry {
            Some(Entry::Name(name)) => Some(name.clone().into()),
            Some(Entry::Custom { registry, metadata }) => Some(Mapping {
                name: registry.clone(),
                metadata: Some(metadata.clone()),
            }),
            None => default().or_else(well_known).map(Mapping::from),
        }
    }
}

impl From<String> for Mapping {
    fn from(name: String) -> Self {
        Self { name, metadata: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registries(default: Option<&str>, text: &str) -> Registries {
        Registries {
            default: default.map(str::to_owned),
            text: toml::from_str(text).expect("a configuration"),
        }
    }

    fn name(registries: &Registries, package: &str) -> Option<String> {
        registries
            .of(&package.parse().expect("a name"))
            .map(|mapping| mapping.name)
    }

    const TEXT: &str = "default_registry = \"default.example\"
[namespace_registries]
acme = \"acme.example\"
test = { registry = \"key.example\", metadata = { preferredProtocol = \"oci\", oci = { registry = \"ghcr.example\", namespacePrefix = \"web/\" } } }
[package_registry_overrides]
\"acme:hello\" = \"hello.example:5000\"
[registry.\"acme.example\".oci]
auth = { username = \"ada\", password = \"secret\" }
";

    #[test]
    fn the_nearest_entry_counts() {
        let wkg = registries(None, TEXT);
        for (package, registry) in [
            ("acme:hello", "hello.example:5000"),
            ("acme:other", "acme.example"),
            ("test:it", "key.example"),
            ("wasi:http", "default.example"),
        ] {
            assert_eq!(name(&wkg, package).as_deref(), Some(registry), "{package}");
        }
        let both = registries(Some("localhost:5000"), TEXT);
        assert_eq!(name(&both, "acme:other").as_deref(), Some("acme.example"));
        assert_eq!(name(&both, "wasi:http").as_deref(), Some("localhost:5000"));
        let nothing = registries(None, "");
        assert_eq!(name(&nothing, "wasi:http").as_deref(), Some("wasi.dev"));
        assert_eq!(name(&nothing, "acme:hello"), None);
    }

    #[test]
    fn an_entry_may_say_where_the_registry_is() {
        let mapping = registries(None, TEXT)
            .of(&"test:it".parse().expect("a name"))
            .expect("configured");
        let metadata = mapping.metadata.expect("it is said");
        assert_eq!(metadata.oci_registry(), Some("ghcr.example"));
        assert_eq!(metadata.oci_namespace_prefix(), Some("web/"));
    }
}
