//! Namespaces, the first parts of repository names, and what they ask of what is pushed and pulled.

use serde::{Deserialize, Serialize};
use wreg_oci::name::Namespace as Name;

use crate::words::words;

/// A namespace with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Namespace {
    /// Its name.
    pub name: Name,
    /// What happens to WebAssembly that is not valid, or not what its config, its repository or its tag says. A repository may say
    /// otherwise for itself.
    pub components: Policy,
    /// Of which artifacts a tag that is a version is written once.
    pub versions: Versions,
    /// What happens to a new version of a component that breaks more than its number says.
    pub compatibility: Policy,
    /// What the registry vouches for of what is pushed there.
    pub signing: NamespaceSigning,
    /// What happens when a manifest is pulled that none of the signers has signed: nothing, a warning, a refusal. Whoever may push to the
    /// repository can read it all the same.
    pub pull: Policy,
    /// Whose signatures count for that: public keys of ECDSA over P-256 (SPKI in PEM), and the word `registry` for the registry's own, those
    /// that are retired included. At most 20.
    pub signers: Vec<String>,
    /// The number of its repositories.
    pub repositories: u64,
}

/// All namespaces that somebody may see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamespaceList {
    /// Ordered by name.
    pub namespaces: Vec<Namespace>,
}

/// The settings to change; what is left out stays. Unknown members are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NamespaceSettings {
    /// See [`Namespace::components`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Policy>,
    /// See [`Namespace::versions`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// See [`Namespace::compatibility`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<Policy>,
    /// See [`Namespace::signing`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<NamespaceSigning>,
    /// See [`Namespace::pull`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Policy>,
    /// See [`Namespace::signers`]. They take the place of those before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signers: Option<Vec<String>>,
}

words! {
    /// What happens to what is not as it should be.
    Policy {
        /// Nothing.
        Off = "off",
        /// It is taken, and the pusher is told.
        Warn = "warn",
        /// It is refused.
        Enforce = "enforce",
    }
}

words! {
    /// Of which artifacts a tag that is a full semantic version is written once.
    Versions {
        /// Of none: they move like any other.
        Free = "free",
        /// Of WebAssembly.
        Wasm = "wasm",
        /// Of every kind.
        All = "all",
    }
}

words! {
    /// What a registry vouches for: it signs what is published, and says what it was found to be.
    Signing {
        /// Nothing.
        Off = "off",
        /// WebAssembly.
        Wasm = "wasm",
        /// Artifacts of every kind.
        All = "all",
    }
}

words! {
    /// The same for a namespace.
    NamespaceSigning {
        /// What the registry's configuration says.
        Inherit = "inherit",
        /// Nothing.
        Off = "off",
        /// WebAssembly.
        Wasm = "wasm",
        /// Artifacts of every kind.
        All = "all",
    }
}

impl NamespaceSigning {
    /// What the namespace says itself.
    pub fn own(self) -> Option<Signing> {
        match self {
            Self::Inherit => None,
            Self::Off => Some(Signing::Off),
            Self::Wasm => Some(Signing::Wasm),
            Self::All => Some(Signing::All),
        }
    }
}
