//! Media types: `application/wasm`.
//!
//! Source: RFC 6838 section 4.2 for the grammar; the constants are of the OCI image specification, the CNCF Wasm OCI artifact
//! layout, and Docker's image manifest version 2.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A media type without parameters. Types that wreg has never heard of are as good as those it knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$"))
)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An image manifest: config and layers.
    pub const IMAGE_MANIFEST: Self = Self(Cow::Borrowed("application/vnd.oci.image.manifest.v1+json"));
    /// An index: a list of manifests.
    pub const IMAGE_INDEX: Self = Self(Cow::Borrowed("application/vnd.oci.image.index.v1+json"));
    /// Docker's image manifest.
    pub const DOCKER_MANIFEST: Self = Self(Cow::Borrowed("application/vnd.docker.distribution.manifest.v2+json"));
    /// Docker's index.
    pub const DOCKER_MANIFEST_LIST: Self = Self(Cow::Borrowed(
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ));
    /// The two bytes `{}`.
    pub const EMPTY: Self = Self(Cow::Borrowed("application/vnd.oci.empty.v1+json"));
    /// A WebAssembly module or component.
    pub const WASM: Self = Self(Cow::Borrowed("application/wasm"));
    /// The config of a Wasm artifact.
    pub const WASM_CONFIG: Self = Self(Cow::Borrowed("application/vnd.wasm.config.v0+json"));
    /// A sigstore bundle: a signed statement, with what it takes to check it.
    pub const SIGSTORE_BUNDLE: Self = Self(Cow::Borrowed("application/vnd.dev.sigstore.bundle.v0.3+json"));
    /// What cosign signs in its older form.
    pub const SIMPLE_SIGNING: Self = Self(Cow::Borrowed("application/vnd.dev.cosign.simplesigning.v1+json"));

    /// The config of an image.
    pub const IMAGE_CONFIG: Self = Self(Cow::Borrowed("application/vnd.oci.image.config.v1+json"));
    /// A proof that an entry is in a log, as text (C2SP tlog-proof); and an artifact of the entry and its proof.
    pub const LOG_PROOF: Self = Self(Cow::Borrowed("application/vnd.wreg.log-proof.v1"));
    /// An entry of a registry's log.
    pub const LOG_ENTRY: Self = Self(Cow::Borrowed("application/vnd.wreg.log-entry.v1+json"));
    /// A CycloneDX document: what something is made from.
    pub const CYCLONEDX: Self = Self(Cow::Borrowed("application/vnd.cyclonedx+json"));

    /// `type/subtype`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names a list of manifests.
    pub fn is_index(&self) -> bool {
        *self == Self::IMAGE_INDEX || *self == Self::DOCKER_MANIFEST_LIST
    }

    /// Whether it names an image manifest.
    pub fn is_image(&self) -> bool {
        *self == Self::IMAGE_MANIFEST || *self == Self::DOCKER_MANIFEST
    }

    /// Whether layers of this type need not be in the registry: the types that the image specification calls
    /// non-distributable, and Docker's foreign layers.
    pub fn is_non_distributable(&self) -> bool {
        self.0.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.0.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MediaType {
    type Err = InvalidMediaType;

    fn from_str(text: &str) -> Result<Self, InvalidMediaType> {
        let is_restricted = |name: &str| {
            let bytes = name.as_bytes();
            (1..=127).contains(&bytes.len())
                && bytes[0].is_ascii_alphanumeric()
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(b))
        };
        match text.split_once('/') {
            Some((kind, subtype)) if is_restricted(kind) && is_restricted(subtype) => {
                Ok(Self(Cow::Owned(text.to_owned())))
            }
            _ => Err(InvalidMediaType),
        }
    }
}

impl TryFrom<String> for MediaType {
    type Error = InvalidMediaType;

    fn try_from(text: String) -> Result<Self, InvalidMediaType> {
        text.parse()
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0.into_owned()
    }
}

/// A text that is not a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a media type is written type/subtype, each of at most 127 letters, digits and any of ! # $ & - ^ _ . +")]
pub struct InvalidMediaType;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_outside_the_grammar_are_refused() {
        for text in [
            "",
            "wasm",
            "/wasm",
            "application/",
            "a/b/c",
            "a/b; q=1",
            "a/b c",
            ".a/b",
            "a/\u{e4}",
            "application/wasm\n",
        ] {
            assert_eq!(text.parse::<MediaType>(), Err(InvalidMediaType), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(text in "[a-z0-9][a-zA-Z0-9!#$&^_.+-]{0,20}/[a-z0-9][a-zA-Z0-9!#$&^_.+-]{0,20}") {
            let media_type: MediaType = text.parse().expect("generated from the grammar");
            prop_assert_eq!(media_type.to_string(), text);
        }
    }
}
