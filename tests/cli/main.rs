//! The command `wreg` as its users run it: the real binary, its exit code, what it writes, and the real server.

mod add;
mod audit;
mod check;
mod completions;
mod copy;
mod delete;
mod diff;
mod fetch;
mod foreign;
mod fsck;
mod inspect;
mod inspect_file;
mod interfaces;
mod keys;
mod lock;
mod login;
mod manners;
mod nginx;
mod operator;
mod project;
mod pull;
mod push;
mod readme;
mod reference;
mod registry;
mod repository;
mod sbom;
mod sign;
#[expect(
    dead_code,
    reason = "it is what the tests of wreg-trust use, and they use more of it"
)]
#[path = "../../crates/trust/tests/keyless/instance.rs"]
mod sigstore;
mod size;
mod skopeo;
mod stalling;
mod tls;
mod token;
mod trust;
mod undelete;
mod understood;
mod validate;
mod wit;
mod witness;
mod wreg;
