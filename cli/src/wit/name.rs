//! The names of WIT packages.

use std::{fmt, str::FromStr};

use semver::Version;
use wreg_oci::RepositoryName;

/// The longest name of a package that is taken, in bytes: a file name with its version must fit on every system.
const MAX_LEN: usize = 128;

/// A package: `namespace:name`, both in kebab case as wkg has it: words of small letters and digits, each beginning with a letter,
/// with one hyphen between them. So neither can leave a folder or hide a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackageName {
    namespace: String,
    name: String,
}

/// A package at a version: `namespace:name@version`. Text may leave the version out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackageId {
    pub(crate) package: PackageName,
    pub(crate) version: Option<Version>,
}

/// A text that is no name of a package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidName;

impl PackageName {
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The repository that holds it: its namespace and name after `prefix`, which is taken as it is.
    pub(crate) fn repository(&self, prefix: &str) -> Option<RepositoryName> {
        format!("{prefix}{}/{}", self.namespace, self.name).parse().ok()
    }

    /// The same at a version.
    pub(crate) fn at(&self, version: &Version) -> PackageId {
        PackageId {
            package: self.clone(),
            version: Some(version.clone()),
        }
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let is_label = |label: &str| label.split('-').all(is_word);
        match text.split_once(':') {
            Some((namespace, name)) if text.len() <= MAX_LEN && is_label(namespace) && is_label(name) => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(InvalidName),
        }
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)
    }
}

impl PackageId {
    /// The name of its folder, as wkg has it: the text with hyphens for `:` and `@`. Two packages can have the same.
    pub(crate) fn folder(&self) -> String {
        self.to_string().replace([':', '@'], "-")
    }
}

impl FromStr for PackageId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (package, version) = match text.split_once('@') {
            Some((package, version)) if version.len() <= MAX_LEN => {
                (package, Some(Version::parse(version).map_err(|_| InvalidName)?))
            }
            Some(_) => return Err(InvalidName),
            None => (text, None),
        };
        Ok(Self {
            package: package.parse()?,
            version,
        })
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.package),
            None => self.package.fmt(f),
        }
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a package is called namespace:name, each of small letters, digits and single hyphens, at most 128 bytes",
        )
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_two_labels_and_cannot_name_another_folder() {
        for text in ["acme:hello", "a:b", "wasi:http", "a-b2:c3-d"] {
            assert_eq!(text.parse::<PackageName>().expect(text).to_string(), text);
        }
        for text in [
            "acme",
            "acme:",
            ":hello",
            "Acme:hello",
            "acme:Hello",
            "acme:he_llo",
            "acme:-a",
            "acme:a-",
            "acme:a--b",
            "acme:1a",
            "acme:a-1",
            "acme:hello/x",
            "acme:..",
            "../a:b",
            "acme:a:b",
            "acme:a b",
            "acme:grüße",
            "",
        ] {
            assert_eq!(text.parse::<PackageName>(), Err(InvalidName), "{text:?}");
        }
        assert!(format!("a:{}", "b".repeat(MAX_LEN)).parse::<PackageName>().is_err());
    }

    #[test]
    fn a_package_at_a_version_has_a_folder() {
        for (text, folder) in [
            ("acme:hello@1.0.0", "acme-hello-1.0.0"),
            ("acme:hello", "acme-hello"),
            ("wasi:http@0.3.0-rc.1+build.5", "wasi-http-0.3.0-rc.1+build.5"),
        ] {
            let id: PackageId = text.parse().expect(text);
            assert_eq!((id.to_string().as_str(), id.folder().as_str()), (text, folder));
        }
        for text in [
            "acme:hello@",
            "acme:hello@1",
            "acme:hello@1.0.0/../x",
            "acme:hello@^1.0.0",
        ] {
            assert!(text.parse::<PackageId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_repository_follows_the_prefix() {
        let name: PackageName = "acme:hello".parse().expect("a name");
        let repository = |prefix| name.repository(prefix).map(|name| name.to_string());
        assert_eq!(repository("").as_deref(), Some("acme/hello"));
        assert_eq!(repository("web/assembly/").as_deref(), Some("web/assembly/acme/hello"));
        assert_eq!(repository("../"), None);
    }
}
