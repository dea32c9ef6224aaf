//! Advisories as JSON.
//!
//! Source: OSV schema 1.7. Of the ecosystems it is `crates.io` that is read, and ranges of versions, not of commits.

use serde::Deserialize;

use super::{
    About, Advisory, InvalidAdvisory, list, short, title,
    versions::{Event, Range, Versions, version},
};

#[derive(Deserialize)]
struct Osv {
    id: String,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    severity: Option<Vec<Severity>>,
    #[serde(default)]
    affected: Option<Vec<Affected>>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Severity {
    score: String,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    severity: Option<Vec<Severity>>,
    #[serde(default)]
    ranges: Option<Vec<Events>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Events {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Happens>,
}

#[derive(Deserialize)]
struct Happens {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

/// What databases add: GitHub says how severe it is in a word, RustSec what it is. Anything else may stand there in any form.
#[derive(Deserialize)]
struct Specific {
    #[serde(default)]
    severity: Option<serde_json::Value>,
    #[serde(default)]
    informational: Option<serde_json::Value>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Option<Advisory>, InvalidAdvisory> {
    let osv: Osv = serde_json::from_slice(bytes).map_err(InvalidAdvisory::Json)?;
    if osv.withdrawn.is_some() {
        return Ok(None);
    }
    let mut affected = osv.affected.unwrap_or_default();
    affected.retain(|affected| {
        affected
            .package
            .as_ref()
            .is_some_and(|package| package.ecosystem == "crates.io")
    });
    if affected.is_empty() {
        return Ok(None);
    }
    let score = |severities: &Option<Vec<Severity>>| Some(short(&severities.as_ref()?.first()?.score));
    let word = |value: &Option<serde_json::Value>| value.as_ref()?.as_str().map(short);
    let of_one = |word: &dyn Fn(&Affected) -> Option<String>| affected.iter().find_map(word);
    let severity = score(&osv.severity)
        .or_else(|| of_one(&|affected| score(&affected.severity)))
        .or_else(|| word(&osv.database_specific.as_ref()?.severity));
    let informational = of_one(&|affected| word(&affected.database_specific.as_ref()?.informational));
    Ok(Some(Advisory {
        id: short(&osv.id),
        aliases: list(osv.aliases.unwrap_or_default()),
        title: title(&osv.summary.or(osv.details).unwrap_or_default()),
        severity,
        informational,
        about: affected.into_iter().filter_map(about).collect::<Result<_, _>>()?,
    }))
}

fn about(affected: Affected) -> Option<Result<About, InvalidAdvisory>> {
    let package = affected.package?.name;
    let versions = versions(
        affected.ranges.unwrap_or_default(),
        &affected.versions.unwrap_or_default(),
    );
    Some(versions.map(|(versions, fixed)| About {
        package,
        versions,
        fixed: list(fixed),
    }))
}

/// Which versions are affected, and which put an end to it.
fn versions(ranges: Vec<Events>, exact: &[String]) -> Result<(Versions, Vec<String>), InvalidAdvisory> {
    let mut fixed = Vec::new();
    let mut read = Vec::new();
    for range in ranges.into_iter().filter(|range| range.kind != "GIT") {
        let (mut events, mut limits) = (Vec::new(), Vec::new());
        for happens in range.events {
            for (at, event) in [
                (happens.introduced, Event::Introduced),
                (happens.last_affected, Event::LastAffected),
            ] {
                if let Some(at) = at {
                    events.push((version(&at)?, event));
                }
            }
            if let Some(at) = happens.fixed {
                events.push((version(&at)?, Event::Fixed));
                fixed.push(at);
            }
            if let Some(at) = happens.limit.filter(|limit| limit != "*") {
                limits.push(version(&at)?);
            }
        }
        read.push(Range::new(events, limits));
    }
    let exact = exact.iter().map(|text| version(text)).collect::<Result<_, _>>()?;
    Ok((Versions::Listed { ranges: read, exact }, fixed))
}
