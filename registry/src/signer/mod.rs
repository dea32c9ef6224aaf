//! The registry's own keys: those that sign artifacts (ECDSA over P-256), and the one that signs the log (Ed25519).
//!
//! Their private halves are files of one folder, which is in the data folder or, where several servers are to sign, one that those share.
//! The public halves are rows in the database. A server that has not the private half of the key that signs now signs nothing, and says
//! so at its start; it serves all the same, and others sign.

mod keys;

use futures_util::future::BoxFuture;
use wreg_trust::signature::{PublicKey, Signature, SigningKey};

pub(crate) use self::keys::{SignerError, SigningKeys};

/// Something that signs with one key: a file's, or later one that never leaves the machine that it is in.
pub(crate) trait Signer: Send + Sync {
    /// Who checks its signatures.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message: ECDSA over P-256 with SHA-256, where the same message has the same signature (RFC 6979).
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignerError>>;
}

/// A key that was read from a file.
pub(crate) struct FileSigner {
    key: SigningKey,
    public_key: PublicKey,
}

impl FileSigner {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self {
            public_key: key.public_key(),
            key,
        }
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignerError>> {
        Box::pin(async move { Ok(self.key.sign(message)) })
    }
}
