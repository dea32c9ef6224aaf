//! The server's API, asked over real connections. Each test has a registry of its own, on SQLite, or on PostgreSQL where the task
//! runner says so; the files are named by what they ask about.

mod architecture;
mod auth;
mod blobs;
mod bodies;
mod catalog;
mod database;
mod deletion;
mod dev;
mod digests;
mod disk;
mod events;
mod flows;
mod forged_tokens;
mod full_disk;
mod http;
mod manifest_rules;
mod manifests;
mod names;
mod panics;
mod ranges;
mod referrers;
mod registry;
mod repositories;
mod resume;
mod routes;
mod sessions;
mod small_disk;
mod sweep;
mod tags;
mod tokens;
mod uploads;
mod visibility;
mod wasm;
mod wire;
