//! `cargo xtask api`: schemathesis asks a server what the description of wreg's own API allows, and what it does not, and compares the
//! answers with it.

use std::{env, fs, path::Path, process::Command};

use anyhow::Result;

use crate::{
    fixtures, process,
    runner::Runner,
    server::Server,
    setup::{self, Wants},
};

/// What is pushed first: so that there is something to be answered.
const CONTENT: [(&str, &str); 4] = [
    ("rust.wasm", "acme/hello:1.0.0"),
    ("rust.wasm", "acme/hello:latest"),
    ("rust-module.wasm", "acme/module:1.0.0"),
    ("rust.wasm", DELETED),
];
/// What is deleted then, so that there is something to be brought back.
const DELETED: &str = "acme/gone:1.0.0";

/// Starts a server with some content and has it asked.
pub(crate) fn run(runner: &mut Runner) -> Result<()> {
    let wants = Wants {
        postgres: false,
        fixtures: true,
    };
    setup::run(runner, wants)?;
    runner.part("own API", |runner| {
        let fixtures = fixtures::make(runner)?;
        runner.part("build the server", |runner| runner.build_programs())?;
        let folder = env::temp_dir().join(format!("wreg-api-{}", std::process::id()));
        let outcome = ask(runner, &fixtures, &folder);
        drop(fs::remove_dir_all(folder));
        outcome
    })
}

fn ask(runner: &mut Runner, fixtures: &Path, folder: &Path) -> Result<()> {
    let server = Server::start(runner, folder, &[], &[])?;
    let (address, token) = (server.address(), server.admin_token()?);
    let wreg = |verb| {
        let mut wreg = Command::new(runner.built("wreg"));
        wreg.arg(verb).env("WREG_TOKEN", &token);
        wreg
    };
    for (file, reference) in CONTENT {
        let mut push = wreg("push");
        process::run_quietly(push.arg(fixtures.join(file)).arg(format!("{address}/{reference}")))?;
    }
    process::run_quietly(wreg("delete").arg(format!("{address}/{DELETED}")))?;
    let settings = folder.join("schemathesis.toml");
    fs::write(&settings, include_str!("schemathesis.toml"))?;
    runner.part("schemathesis", |runner| {
        let mut schemathesis = Command::new(setup::python_program(runner, "schemathesis"));
        schemathesis
            // Where it would leave what it has found.
            .current_dir(folder)
            .arg("--config-file")
            .arg(&settings)
            .arg("run")
            .arg(format!("http://{address}/api/v1/openapi.json"))
            .env("WREG_TOKEN", &token);
        process::run(&mut schemathesis)
    })
}
