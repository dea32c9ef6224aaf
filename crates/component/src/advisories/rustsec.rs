//! Advisories as Markdown with TOML in front.
//!
//! Source: RustSec advisory-db, README.md, "Advisory Format": what is neither patched nor unaffected is affected.

use serde::Deserialize;

use super::{
    About, Advisory, InvalidAdvisory, list, short, title,
    versions::{Versions, requirement},
};

#[derive(Deserialize)]
struct Front {
    advisory: Head,
    #[serde(default)]
    versions: Patched,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    package: String,
    #[serde(default)]
    collection: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    cvss: Option<String>,
    #[serde(default)]
    informational: Option<String>,
    #[serde(default)]
    withdrawn: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
struct Patched {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Option<Advisory>, InvalidAdvisory> {
    let (front, text) = split(bytes).ok_or(InvalidAdvisory::NoToml)?;
    let Front {
        advisory,
        versions: Patched { patched, unaffected },
    } = toml::from_str(front).map_err(InvalidAdvisory::Toml)?;
    let is_of_packages = advisory.collection.is_none_or(|collection| collection == "crates");
    if advisory.withdrawn.is_some() || !is_of_packages {
        return Ok(None);
    }
    let except = patched.iter().chain(&unaffected).map(|text| requirement(text));
    let heading = text.lines().find_map(|line| line.strip_prefix("# "));
    Ok(Some(Advisory {
        id: short(&advisory.id),
        aliases: list(advisory.aliases),
        title: title(advisory.title.as_deref().or(heading).unwrap_or_default()),
        severity: advisory.cvss.as_deref().map(short),
        informational: advisory.informational.as_deref().map(short),
        about: vec![About {
            package: advisory.package,
            versions: Versions::Except(except.collect::<Result<_, _>>()?),
            fixed: list(patched),
        }],
    }))
}

/// The TOML in front, and the rest.
fn split(bytes: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let (front, rest) = text.strip_prefix("```toml")?.split_once("\n```")?;
    Some((front, rest))
}
