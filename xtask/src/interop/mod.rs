//! `cargo xtask interop`: the clients that people already have, each installed by its ordinary package client and run against the
//! server as its users run it. What was seen is written to `docs/reference/clients.md`.

mod authority;
mod client;
mod clients;
mod page;
mod sandbox;
mod versions;

use std::{env, fs, process};

use anyhow::{Context, Result, ensure};

pub(crate) use self::versions::CRANE;
use self::{authority::Authority, client::Client, clients::CLIENTS, page::Row, sandbox::Sandbox};
use crate::{
    fixtures,
    runner::Runner,
    server::Server,
    setup::{self, Wants},
};

/// Loopback, and not by one of the names that some clients take for plain http whatever they are told.
const HOST: &str = "127.0.0.2:0";

/// `analysis REPOSITORY`: what the registry says of the component that is version 1.0.0 there. Without a repository, what it says of
/// `hello.wasm` when `wreg` has pushed it.
const ANALYSIS: &str = r#"#!/bin/sh -e
at=https://$REGISTRY token=$TOKEN
if [ $# = 0 ]; then
  at=http://$LOCAL token=$LOCAL_TOKEN
  WREG_REGISTRY=$LOCAL WREG_TOKEN=$LOCAL_TOKEN wreg push --quiet hello.wasm "$LOCAL/wreg/hello:1.0.0" > /dev/null
fi
curl --silent --show-error --fail --user "me:$token" "$at/api/v1/component?repository=${1-wreg/hello}&reference=1.0.0" |
  grep -o '"analysis":.*,"findings"'
"#;

/// Whether to write or to compare, and what to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the page is not what it would be.
    #[arg(long)]
    check: bool,
    /// Only these clients, by name; the page stays as it is.
    #[arg(long, value_delimiter = ',', value_name = "CLIENTS")]
    only: Vec<String>,
}

impl Arguments {
    /// Every client, and nothing written.
    pub(crate) const CHECK: Self = Self {
        check: true,
        only: Vec::new(),
    };
}

/// Runs every client, also after one has failed, and writes or compares the page.
pub(crate) fn run(runner: &mut Runner, arguments: &Arguments) -> Result<()> {
    let wants = Wants {
        postgres: false,
        fixtures: true,
    };
    setup::run(runner, wants)?;
    runner.part("interop", |runner| {
        let fixtures = fixtures::make(runner)?;
        runner.part("build the server", |runner| runner.build_programs())?;
        let folder = env::temp_dir().join(format!("wreg-interop-{}", process::id()));
        let rows = run_clients(runner, &arguments.only, &Sandbox::new(folder.clone(), fixtures));
        drop(fs::remove_dir_all(folder));
        let rows = rows?;
        println!("\n{}", page::table(&rows));
        let wrong: Vec<_> = rows.iter().flat_map(Row::unexplained).collect();
        let published = if arguments.only.is_empty() {
            publish(runner, &page::page(&rows), arguments.check)
        } else {
            Ok(())
        };
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        published
    })
}

fn run_clients(runner: &mut Runner, only: &[String], sandbox: &Sandbox) -> Result<Vec<Row>> {
    let chosen: Vec<&Client> = CLIENTS
        .iter()
        .filter(|client| only.is_empty() || only.iter().any(|name| name == client.name))
        .collect();
    ensure!(!chosen.is_empty(), "no client is called {}", only.join(" or "));
    // All of them, since one may make what another needs.
    let mut installed = Vec::new();
    for client in CLIENTS {
        let it = runner.part(&format!("install {}", client.name), |runner| client.install.run(runner))?;
        sandbox.offer(client.name, &it.program)?;
        installed.push((client.name, it));
    }
    sandbox.offer("wreg", &runner.target().join("debug/wreg"))?;
    sandbox.offer_script("analysis", ANALYSIS)?;
    let authority = Authority::make(&sandbox.folder("authority"))?;
    let [certificate, key] = [authority.certificate(), authority.key()];
    let over_tls = [
        ("WREG_LISTEN", HOST),
        ("WREG_TLS_CERTIFICATE", &certificate),
        ("WREG_TLS_KEY", &key),
    ];
    let over_tls = Server::start(runner, &sandbox.folder("server"), &[], &over_tls)?;
    let plain = Server::start(runner, &sandbox.folder("plain"), &[], &[])?;
    let (token, local_token, trusted) = (over_tls.admin_token()?, plain.admin_token()?, authority.trusted());
    let variables = [
        ("REGISTRY", over_tls.address()),
        ("TOKEN", &token),
        ("LOCAL", plain.address()),
        ("LOCAL_TOKEN", &local_token),
        ("SSL_CERT_FILE", &trusted),
    ];
    let mut rows = Vec::new();
    for client in chosen {
        let (_, installed) = installed
            .iter()
            .find(|(name, _)| *name == client.name)
            .context("it was installed")?;
        let mut row = Row::new(client, installed);
        let outcome = runner.part(client.name, |_| {
            row.results = sandbox.run(client, &variables)?;
            let wrong = row.unexplained();
            ensure!(wrong.is_empty(), "{}", wrong.join("; "));
            Ok(())
        });
        if row.results.is_empty() {
            outcome?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn publish(runner: &Runner, text: &str, check: bool) -> Result<()> {
    let file = runner.root.join("docs/reference/clients.md");
    let fresh = fs::read_to_string(&file).is_ok_and(|written| written == text);
    if check {
        ensure!(fresh, "docs/reference/clients.md is not fresh; run cargo xtask interop");
        println!("fresh: {}", file.display());
    } else {
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        println!("{}: {}", if fresh { "unchanged" } else { "written" }, file.display());
    }
    Ok(())
}
