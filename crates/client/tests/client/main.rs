//! The client against a small registry in the same process that can be told to misbehave.

mod auth;
mod blobs;
mod check;
mod credentials;
mod lists;
mod manifests;
mod memory;
mod origins;
mod packages;
mod peer;
mod resume;
mod server;
mod setup;
mod uploads;
