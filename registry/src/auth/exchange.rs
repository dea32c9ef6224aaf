//! Exchanging credentials for a registry token.
//!
//! Source: CNCF distribution, "Token Authentication Specification". What is granted is what was asked for and is allowed, never an
//! error for too much.

use std::net::IpAddr;

use super::{
    Auth, Grant,
    identity::{Identity, InvalidCredentials},
    keys::KeysError,
    scope::{Access, Scope},
};

impl Auth {
    /// A registry token for what `identity` may of `scopes`.
    pub async fn exchange(&self, identity: &Identity, scopes: &[Scope]) -> Result<Grant, KeysError> {
        let gate = self.gate(identity);
        let mut access = Vec::new();
        for scope in scopes {
            match scope {
                Scope::Repository(name, wanted) => {
                    let granted = gate.granted(name, wanted).await?;
                    if !granted.is_empty() {
                        access.push(Access::repository(name, &granted));
                    }
                }
                Scope::Catalog => access.extend(gate.catalog().is_ok().then(Access::catalog)),
                Scope::Server => access.extend(gate.server().is_ok().then(Access::server)),
            }
        }
        self.keys.sign(identity.actor(), access).await
    }

    /// Whose personal token this is, as the form of the token endpoint sends it.
    pub async fn identify_password(
        &self,
        user: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Identity, InvalidCredentials> {
        self.identify_personal(password, user, from).await
    }
}

/// The scope of an answer, as the specification writes it.
pub fn scope_text(access: &[Access]) -> String {
    let one = |access: &Access| format!("{}:{}:{}", access.kind, access.name, access.actions.join(","));
    access.iter().map(one).collect::<Vec<_>>().join(" ")
}
