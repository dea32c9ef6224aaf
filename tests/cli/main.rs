//! The command `wreg` as its users run it: the real binary, its exit code, what it writes, and the real server.

mod completions;
mod copy;
mod delete;
mod diff;
mod fsck;
mod inspect;
mod inspect_file;
mod interfaces;
mod keys;
mod login;
mod manners;
mod nginx;
mod pull;
mod push;
mod readme;
mod reference;
mod registry;
mod repository;
mod skopeo;
mod stalling;
mod tls;
mod token;
mod undelete;
mod understood;
mod validate;
mod wreg;
