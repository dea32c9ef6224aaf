//! Descriptors: a media type, a digest and a size that point to content.
//!
//! Source: OCI image specification, "OCI Content Descriptors".

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    digest::Digest,
    manifest::{InvalidManifest, Location, object},
    media_type::MediaType,
};

/// Annotations: free text by name, in the order of the names.
pub type Annotations = BTreeMap<String, String>;

/// The most bytes that a descriptor may carry in `data`.
pub const MAX_DATA: usize = 1024 * 1024;

/// Points to content. Serialising writes the members in the specification's order and leaves out what is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The type of the content.
    pub media_type: MediaType,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes, at most 2⁶³ − 1.
    pub size: u64,
    /// Other places to fetch the content from. wreg stores them and fetches from none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Annotations of the content.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// The type of the artifact, when the content is a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
}

impl Descriptor {
    /// A descriptor with nothing but the three members that every one has.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            annotations: Annotations::new(),
            artifact_type: None,
        }
    }

    /// Describes `bytes` by their sha256 digest.
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), bytes.len() as u64)
    }

    /// Whether a registry may hold a manifest that names this content without holding the content.
    pub fn may_be_elsewhere(&self) -> bool {
        self.media_type.is_non_distributable() || !self.urls.is_empty()
    }

    pub(crate) fn parse(value: &Value, at: Location) -> Result<Self, InvalidManifest> {
        const NAMES: [&str; 8] = [
            "mediaType",
            "digest",
            "size",
            "urls",
            "annotations",
            "artifactType",
            "data",
            "platform",
        ];
        let members = object(value, at, &NAMES)?;
        let descriptor = Self {
            media_type: media_type(members, "mediaType", at)?.ok_or_else(|| at.missing("mediaType"))?,
            digest: text(members, "digest", at)?
                .ok_or_else(|| at.missing("digest"))?
                .parse()
                .map_err(|error| InvalidManifest::Digest(at, error))?,
            size: size(members, at)?,
            urls: urls(members, at)?,
            annotations: annotations(members, at)?,
            artifact_type: media_type(members, "artifactType", at)?,
        };
        if let Some(data) = text(members, "data", at)? {
            descriptor.check_data(data, at)?;
        }
        Ok(descriptor)
    }

    /// `data` repeats the content: it must be the content.
    fn check_data(&self, data: &str, at: Location) -> Result<(), InvalidManifest> {
        let wrong = InvalidManifest::Data(at);
        if data.len() > MAX_DATA.div_ceil(3) * 4 {
            return Err(wrong);
        }
        let bytes = BASE64.decode(data).map_err(|_| wrong.clone())?;
        let matches = bytes.len() as u64 == self.size && Digest::of(self.digest.algorithm(), &bytes) == self.digest;
        if matches && bytes.len() <= MAX_DATA {
            Ok(())
        } else {
            Err(wrong)
        }
    }
}

pub(crate) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
    at: Location,
) -> Result<Option<&'a str>, InvalidManifest> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(at.wrong(name, "a string")),
    }
}

pub(crate) fn media_type(
    members: &Map<String, Value>,
    name: &'static str,
    at: Location,
) -> Result<Option<MediaType>, InvalidManifest> {
    match text(members, name, at)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| at.wrong(name, "a media type")),
    }
}

pub(crate) fn annotations(members: &Map<String, Value>, at: Location) -> Result<Annotations, InvalidManifest> {
    let wrong = || at.wrong("annotations", "an object of strings");
    let named = match members.get("annotations") {
        None | Some(Value::Null) => return Ok(Annotations::new()),
        Some(Value::Object(named)) => named,
        Some(_) => return Err(wrong()),
    };
    named
        .iter()
        .map(|(name, value)| Ok((name.clone(), value.as_str().ok_or_else(wrong)?.to_owned())))
        .collect()
}

fn size(members: &Map<String, Value>, at: Location) -> Result<u64, InvalidManifest> {
    let value = members.get("size").ok_or_else(|| at.missing("size"))?;
    value
        .as_i64()
        .and_then(|size| u64::try_from(size).ok())
        .ok_or_else(|| at.wrong("size", "a number of bytes from 0 to 2^63 - 1"))
}

fn urls(members: &Map<String, Value>, at: Location) -> Result<Vec<String>, InvalidManifest> {
    let wrong = || at.wrong("urls", "an array of strings");
    let urls = match members.get("urls") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(urls)) => urls,
        Some(_) => return Err(wrong()),
    };
    urls.iter()
        .map(|url| url.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect()
}
