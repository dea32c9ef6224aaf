//! Scopes of token requests and the access that tokens carry.
//!
//! Source: CNCF distribution, "Token Scope Documentation": `type:name:action[,action]`, several separated by spaces.

use serde::{Deserialize, Serialize};

use super::permit::Right;
use wreg_oci::RepositoryName;

/// The most scopes that one token request can name. What comes after is not granted.
const MAX_SCOPES: usize = 100;

/// What a token may be used for: some actions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// `repository`, or `registry` for what belongs to no repository.
    #[serde(rename = "type")]
    pub kind: String,
    /// The repository's name; `catalog` or `server`.
    pub name: String,
    /// `pull`, `push`, `delete`, `*`.
    pub actions: Vec<String>,
}

impl Access {
    /// Access to a repository.
    pub fn repository(name: &RepositoryName, rights: &[Right]) -> Self {
        let actions = rights.iter().map(|right| right.as_str().to_owned()).collect();
        Self {
            kind: "repository".to_owned(),
            name: name.to_string(),
            actions,
        }
    }

    /// Access to the list of all repositories.
    pub fn catalog() -> Self {
        Self::registry("catalog")
    }

    /// Access to what administers the server. wreg's own: other registries know `registry:catalog:*` alone.
    pub fn server() -> Self {
        Self::registry("server")
    }

    fn registry(name: &str) -> Self {
        Self {
            kind: "registry".to_owned(),
            name: name.to_owned(),
            actions: vec!["*".to_owned()],
        }
    }

    /// Whether it includes `right` on `repository`.
    pub fn includes(&self, repository: &RepositoryName, right: Right) -> bool {
        let allows = |action: &String| action == right.as_str() || action == "*";
        self.kind == "repository" && self.name == repository.as_str() && self.actions.iter().any(allows)
    }

    /// Whether it includes the list of all repositories.
    pub fn includes_catalog(&self) -> bool {
        *self == Self::catalog()
    }

    /// Whether it includes what administers the server.
    pub fn includes_server(&self) -> bool {
        *self == Self::server()
    }
}

/// What a token request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Rights on a repository; `*` asks for all of them.
    Repository(RepositoryName, Vec<Right>),
    /// The list of all repositories.
    Catalog,
    /// What administers the server.
    Server,
}

impl Scope {
    /// Reads the values of all `scope` parameters. What is not understood is not granted, and no error: clients ask for more than a
    /// registry knows.
    pub fn parse_all<'a>(parameters: impl Iterator<Item = &'a str>) -> Vec<Self> {
        parameters
            .flat_map(str::split_ascii_whitespace)
            .take(MAX_SCOPES)
            .filter_map(Self::parse)
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        match kind {
            "registry" if name == "catalog" && actions == "*" => Some(Self::Catalog),
            "registry" if name == "server" && actions == "*" => Some(Self::Server),
            "repository" => {
                let rights = actions.split(',').flat_map(rights).copied().collect();
                Some(Self::Repository(name.parse().ok()?, rights))
            }
            _ => None,
        }
    }
}

fn rights(action: &str) -> &'static [Right] {
    match action {
        "pull" => &[Right::Pull],
        "push" => &[Right::Push],
        "delete" => &[Right::Delete],
        "*" => &[Right::Pull, Right::Push, Right::Delete, Right::Administer],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_come_repeated_and_joined() {
        let scopes = Scope::parse_all(
            [
                "repository:a/b:pull,push repository:c:*",
                "registry:catalog:*",
                "registry:server:*",
            ]
            .into_iter(),
        );
        let name = |text: &str| text.parse().expect("a name");
        assert_eq!(
            scopes,
            [
                Scope::Repository(name("a/b"), vec![Right::Pull, Right::Push]),
                Scope::Repository(
                    name("c"),
                    vec![Right::Pull, Right::Push, Right::Delete, Right::Administer]
                ),
                Scope::Catalog,
                Scope::Server,
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in [
            "",
            "x",
            "repository",
            "repository:a",
            "repository:A:pull",
            "plugin:a:pull",
            "registry:x:*",
            "registry:catalog:pull",
        ] {
            assert_eq!(Scope::parse_all([text].into_iter()), [], "{text}");
        }
        let many = "repository:a:pull ".repeat(1000);
        assert_eq!(Scope::parse_all([many.as_str()].into_iter()).len(), MAX_SCOPES);
    }
}
