//! Signatures of artifacts, in the forms that sigstore's tools read and write.
//!
//! - [`key`]: ECDSA over P-256 with SHA-256.
//! - [`statement`]: what is said of an artifact. [`dsse`]: how it is signed. [`bundle`]: how both travel, and [`artifact`]: as what, beside the one
//!   that they are about.
//! - [`keyless`]: signatures of an identity, which a certificate and a log vouch for, checked with a trust root that is a file.
//! - [`predicate`]: the kinds of statements that are known, and what each must have.
//! - [`simple`]: the older form, which stands under the tag `sha256-….sig`.
//!
//! Source: sigstore protobuf-specs, `sigstore_bundle.proto`; in-toto attestation framework, Statement v1; secure-systems-lab/dsse,
//! protocol.md; cosign, `specs/SIGNATURE_SPEC.md`.

pub mod artifact;
pub mod bundle;
pub mod dsse;
pub mod key;
pub mod keyless;
pub mod predicate;
pub mod simple;
pub mod statement;

pub use bundle::{Bundle, Unproven};
pub use dsse::Envelope;
pub use key::{PublicKey, Signature, SigningKey};
pub use keyless::{Identity, InvalidTrustRoot, TrustRoot, Untrusted};
pub use simple::SimpleSigning;
pub use statement::{Statement, Subject};
