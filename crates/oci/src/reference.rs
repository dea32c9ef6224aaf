//! References as people type them: `host[:port]/repository[:tag][@digest]`.
//!
//! The grammar is the one that container tools share: the part before the first `/` is a host when it holds a `.` or a `:`
//! or is `localhost`; otherwise there is no host and a default must be given.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{
    digest::{Digest, InvalidDigest},
    name::{InvalidRepositoryName, RepositoryName},
    tag::{InvalidTag, Tag},
    tag_or_digest::TagOrDigest,
};

/// A registry's address without scheme: `host`, `host:port`, `[::1]:5000`. At most 259 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Box<str>);

impl Host {
    /// `host[:port]`, as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the port and without the brackets of an IPv6 address.
    pub fn name(&self) -> &str {
        let text = &*self.0;
        match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => text.split_once(':').map_or(text, |(name, _)| name),
        }
    }

    /// Whether it names this machine: `localhost`, `127.0.0.0/8` or `::1`. Only there is plain http the default.
    pub fn is_loopback(&self) -> bool {
        self.name() == "localhost" || self.name().parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => {
                address
                    .parse::<std::net::Ipv6Addr>()
                    .map_err(|_| InvalidReference::Host)?;
                (
                    "v6",
                    rest.strip_prefix(':').or(if rest.is_empty() { Some("") } else { None }),
                )
            }
            None => text
                .split_once(':')
                .map_or((text, Some("")), |(name, port)| (name, Some(port))),
        };
        let is_label = |label: &str| {
            let bytes = label.as_bytes();
            !bytes.is_empty()
                && bytes.len() <= 63
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_')
                && bytes[0] != b'-'
                && bytes[bytes.len() - 1] != b'-'
        };
        let has_port = text.ends_with(|c: char| c.is_ascii_digit()) || !text.ends_with(':');
        let port_fits = port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0));
        if name.len() <= 253 && name.split('.').all(is_label) && port_fits && has_port {
            Ok(Self(text.into()))
        } else {
            Err(InvalidReference::Host)
        }
    }
}

/// Where an artifact is: a registry, a repository there, and a tag or a digest or both. With both, the digest decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The registry's address.
    pub host: Host,
    /// The repository at that registry.
    pub repository: RepositoryName,
    /// The tag, if one was typed.
    pub tag: Option<Tag>,
    /// The digest, if one was typed.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Parses `text`; where it names no host, `default_host` is meant.
    pub fn parse(text: &str, default_host: Option<&Host>) -> Result<Self, InvalidReference> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host.parse()?, rest),
            _ => (default_host.cloned().ok_or(InvalidReference::NoHost)?, rest),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.parse()?)),
            None => (rest, None),
        };
        Ok(Self {
            host,
            repository: repository.parse()?,
            tag,
            digest,
        })
    }

    /// What to ask the registry for: the digest, else the tag, else `latest`.
    pub fn tag_or_digest(&self) -> TagOrDigest {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.clone().into(),
            (None, Some(tag)) => tag.clone().into(),
            (None, None) => Tag::latest().into(),
        }
    }

    /// The same repository at `digest`, without a tag.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        Self::parse(text, None)
    }
}

/// Why a text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// It begins with no host and there is no default.
    #[error("the reference names no registry: write host/repository:tag, for example localhost:5000/acme/hello:1.0.0")]
    NoHost,
    /// The part before the first `/` looks like a host and is not one.
    #[error("the registry must be written host or host:port, without a scheme")]
    Host,
    /// The repository is outside the grammar.
    #[error(transparent)]
    Repository(#[from] InvalidRepositoryName),
    /// The tag is outside the grammar.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
    /// The digest is outside the grammar.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn what_people_type_is_understood() {
        let host: Host = "reg.example".parse().expect("a host");
        for (text, full) in [
            (
                "localhost:5000/acme/hello:1.0.0",
                "localhost:5000/acme/hello:1.0.0".to_owned(),
            ),
            ("localhost/hello", "localhost/hello".to_owned()),
            ("[::1]:5000/hello", "[::1]:5000/hello".to_owned()),
            ("acme/hello", "reg.example/acme/hello".to_owned()),
            (
                &format!("acme/hello:1@{DIGEST}"),
                format!("reg.example/acme/hello:1@{DIGEST}"),
            ),
            ("127.0.0.1:5000/a/b/c@sha256:0", String::new()),
            ("http://localhost:5000/hello", String::new()),
            ("localhost:/hello", String::new()),
            ("localhost:99999/hello", String::new()),
            ("[::1/hello", String::new()),
            ("reg.example/Hello", String::new()),
            ("reg.example/hello:", String::new()),
        ] {
            let parsed = Reference::parse(text, Some(&host)).map(|reference| reference.to_string());
            assert_eq!(parsed.unwrap_or_default(), full, "{text}");
        }
        assert_eq!("acme/hello".parse::<Reference>(), Err(InvalidReference::NoHost));
    }

    #[test]
    fn the_digest_decides_then_the_tag_then_latest() {
        let of = |text: &str| {
            text.parse::<Reference>()
                .expect("a reference")
                .tag_or_digest()
                .to_string()
        };
        assert_eq!(of(&format!("localhost/hello:1@{DIGEST}")), DIGEST);
        assert_eq!(of("localhost/hello:1"), "1");
        assert_eq!(of("localhost/hello"), "latest");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, loopback) in [
            ("localhost:1", true),
            ("127.9.9.9", true),
            ("[::1]:5", true),
            ("10.0.0.1", false),
            ("a.example", false),
        ] {
            assert_eq!(host.parse::<Host>().expect("a host").is_loopback(), loopback, "{host}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(text in "(localhost|[a-z]{1,5}\\.example)(:[1-9][0-9]{0,3})?(/[a-z0-9]{1,5}){1,3}(:[a-z0-9][a-z.]{0,5})?") {
            let reference: Reference = text.parse().expect("generated from the grammar");
            prop_assert_eq!(reference.to_string(), text);
        }
    }
}
