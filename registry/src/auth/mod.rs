//! Who is asking, and may they: the one place where requests are authorised.
//!
//! A request is authenticated once ([`Auth::identify`]) and then asks a [`Gate`] for a [`Permit`]. Permits can be made nowhere else
//! (`permit.rs`), and what a handler does in the domain takes one, so a handler that forgets to ask does not compile.
//!
//! The table of answers, also to those who may not, is [`Gate::permit`]'s.

pub(crate) mod administrator;
pub mod exchange;
mod failures;
mod gate;
mod identity;
pub mod keys;
pub mod permit;
pub mod scope;
pub mod secret;
mod token;

use std::{path::Path, sync::Arc};

use wreg_api::Key;

use self::{
    failures::Failures,
    keys::{Keys, KeysError},
    permit::ServerPermit,
};
pub use self::{
    gate::{Gate, Refusal},
    identity::{Actor, Identity, InvalidCredentials},
    permit::Permit,
    token::{Grant, InvalidKey},
};
/// Rights or credentials could not be looked up.
pub use crate::metadata::Error as Unchecked;
use crate::{clock::Clock, metadata::Metadata};

/// The `service` of challenges and the audience of registry tokens: one constant, whatever name the server is reached by.
pub const SERVICE: &str = "wreg";

/// What authentication and authorisation need. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    metadata: Metadata,
    keys: Arc<Keys>,
    failures: Arc<Failures>,
    clock: Clock,
    /// Whether anonymous may do everything but administer, as `--dev` says.
    open: bool,
}

impl Auth {
    /// `folder` is where this server keeps its key for registry tokens. `open` lets anonymous push, pull and delete everywhere: for
    /// loopback only. `failed_logins` are taken from one address with one user name in 15 minutes; any number if 0.
    pub async fn open(
        folder: &Path,
        metadata: Metadata,
        clock: Clock,
        open: bool,
        failed_logins: usize,
    ) -> Result<Self, KeysError> {
        Ok(Self {
            keys: Arc::new(Keys::open(folder, metadata.clone(), clock.clone()).await?),
            failures: Arc::new(Failures::new(failed_logins, clock.clone())),
            metadata,
            clock,
            open,
        })
    }

    /// The newest keys for registry tokens, of all servers.
    pub async fn list_keys(&self, _permit: &ServerPermit) -> Result<Vec<Key>, Unchecked> {
        self.keys.list().await
    }

    /// Retires the keys for registry tokens of all servers. What they signed is accepted for as long as a token lives.
    pub async fn rotate_keys(&self, permit: &ServerPermit) -> Result<(), KeysError> {
        self.keys.rotate(permit).await
    }
}
