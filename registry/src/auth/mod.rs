//! Who is asking, and may they: the one place where requests are authorised.
//!
//! A request is authenticated once ([`Auth::identify`]) and then asks a [`Gate`] for a [`Permit`]. Permits can be made nowhere else
//! (`permit.rs`), and what a handler does in the domain takes one, so a handler that forgets to ask does not compile.
//!
//! The table of answers, also to those who may not, is [`Gate::permit`]'s.

pub(crate) mod administrator;
pub mod exchange;
mod gate;
mod identity;
pub mod permit;
pub mod scope;
pub mod secret;
mod token;

use std::sync::Arc;

pub use self::{
    gate::{Gate, Refusal},
    identity::{Actor, Identity, InvalidCredentials},
    permit::Permit,
    token::{Grant, InvalidKey, TokenKey},
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
    key: Arc<TokenKey>,
    clock: Clock,
    /// Whether anonymous may do everything but administer, as `--dev` says.
    open: bool,
}

impl Auth {
    /// `key` signs registry tokens. `open` lets anonymous push, pull and delete everywhere: for loopback only.
    pub fn new(metadata: Metadata, key: TokenKey, clock: Clock, open: bool) -> Self {
        Self {
            metadata,
            key: Arc::new(key),
            clock,
            open,
        }
    }
}
