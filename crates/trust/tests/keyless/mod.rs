//! Keyless signatures: of the public instance of Sigstore, and of one that is made here, beside another implementation.

mod changed;
mod instance;
mod made;
mod oracle;
mod real;
