//! What a file is made from, as a CycloneDX document: a software bill of materials.
//!
//! The same bytes give the same document: there is no time in it unless one is given, nothing random, and not the version of wreg.
//!
//! Source: CycloneDX 1.6, JSON schema `bom-1.6.schema.json`.

mod model;
mod purl;

use std::collections::{BTreeMap, BTreeSet};

use wreg_oci::Digest;

use self::model::{
    Component, Composition, Contact, Document, Hash, License, LicenseChoice, Lifecycle, Link, Metadata, Property,
    Tools, url, version,
};
use crate::{
    analysis::{DependencyKind, DependencyList},
    inspect::Inspection,
    validate::Kind,
};

/// Writes the document about the file with that digest, as JSON on lines. `created` is RFC 3339.
///
/// Where the file has no list of packages, or not all of one can be read, the document says that it is not complete, or cannot know.
pub fn sbom(inspection: &Inspection, list: &DependencyList, digest: &Digest, created: Option<&str>) -> Vec<u8> {
    let mut document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: Metadata {
            timestamp: created,
            lifecycles: [Lifecycle { phase: "post-build" }],
            tools: Tools {
                components: [Component::new("application", "wreg")],
            },
            component: whole(inspection, list, digest),
        },
        components: parts(list),
        compositions: [Composition {
            aggregate: if list.incomplete { "incomplete" } else { "unknown" },
            assemblies: [digest.to_string()],
        }],
    };
    // A document with other content gets another number, and the same content the same one.
    document.serial_number = Some(serial_number(&Digest::sha256(document.to_bytes())));
    document.to_bytes()
}

/// A UUID of version 8, whose bits are for the application to choose: here they are those of a digest.
///
/// Source: RFC 9562, section 5.8.
fn serial_number(digest: &Digest) -> String {
    let hex = digest.encoded();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}

/// The file itself.
fn whole<'a>(inspection: &'a Inspection, list: &'a DependencyList, digest: &Digest) -> Component<'a> {
    let metadata = &inspection.metadata;
    let program = match &*list.programs {
        [program] => Some(program),
        _ => None,
    };
    let (kind, noun) = match inspection.kind {
        Kind::Module => ("application", "module"),
        Kind::Component => ("application", "component"),
        Kind::WitPackage => ("library", "WIT package"),
    };
    let package = inspection.package.as_ref().map(|package| &*package.name);
    let name = metadata.name.as_deref().filter(|name| !name.is_empty());
    let name = name.or(package).or(program.map(|program| &*program.name));
    let stated = metadata.version.as_deref().or(program.map(|program| &*program.version));
    let producers = inspection.producers.iter().map(|producer| Property {
        name: format!("wreg:producer:{}", producer.field),
        value: format!("{} {}", producer.name, producer.version).trim_end().to_owned(),
    });
    let link = |kind, text: &'a Option<String>| {
        let url = url(text.as_deref()?)?;
        Some(Link { url, kind })
    };
    Component {
        bom_ref: Some(digest.to_string()),
        version: stated.map(version),
        description: metadata.description.as_deref(),
        authors: metadata.authors.iter().map(|name| Contact { name }).collect(),
        hashes: vec![Hash {
            alg: "SHA-256",
            content: digest.encoded().to_owned(),
        }],
        licenses: metadata
            .licenses
            .iter()
            .map(|name| LicenseChoice {
                license: License { name },
            })
            .collect(),
        external_references: [link("vcs", &metadata.source), link("website", &metadata.homepage)]
            .into_iter()
            .flatten()
            .collect(),
        properties: producers.collect(),
        ..Component::new(kind, name.unwrap_or(noun))
    }
}

/// The packages. One that stands there for several reasons is one.
fn parts(list: &DependencyList) -> Vec<Component<'_>> {
    let mut needed: BTreeMap<_, BTreeSet<DependencyKind>> = BTreeMap::new();
    for package in list.programs.iter().chain(&list.dependencies) {
        let key = (&package.name, &package.version, &package.source);
        needed.entry(key).or_default().insert(package.kind);
    }
    let programs: BTreeSet<_> = list
        .programs
        .iter()
        .map(|package| (&package.name, &package.version, &package.source))
        .collect();
    let part = |(key, kinds): (_, BTreeSet<DependencyKind>)| {
        let (name, stated, source): (&String, &String, &String) = key;
        let kind = if programs.contains(&key) {
            "application"
        } else {
            "library"
        };
        let purl = purl::of(name, stated, source);
        let other = (purl.is_none()).then(|| Property {
            name: "wreg:source".to_owned(),
            value: source.clone(),
        });
        Component {
            bom_ref: Some(purl.clone().unwrap_or_else(|| purl::unnamed(name, stated, source))),
            version: Some(version(stated)),
            scope: Some(if kinds.contains(&DependencyKind::Runtime) {
                "required"
            } else {
                "excluded"
            }),
            purl,
            properties: other.into_iter().collect(),
            ..Component::new(kind, name)
        }
    };
    needed.into_iter().map(part).collect()
}
