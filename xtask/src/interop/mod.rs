//! `cargo xtask interop`: the clients that people already have, each installed by its ordinary package client and run against the
//! server as its users run it. What was seen is written to `docs/reference/clients.md`; who notices that a registry lies, to
//! `docs/reference/verifiers.md`.

mod authority;
mod client;
mod clients;
mod page;
mod sandbox;
mod verifiers;
mod versions;

use std::{env, fs, process};

use anyhow::{Context, Result, ensure};

pub(crate) use self::versions::CRANE;
use self::{
    authority::Authority,
    client::{Client, Installed},
    clients::CLIENTS,
    page::Row,
    sandbox::Sandbox,
};
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
    /// Write nothing; fail if a page is not what it would be.
    #[arg(long)]
    check: bool,
    /// Only these clients, by name, or `verifiers`; the page of clients stays as it is.
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

/// What the verifiers are called among the clients.
const VERIFIERS: &str = "verifiers";

/// Runs every client, also after one has failed, and the verifiers, and writes or compares the pages.
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
        let outcome = run_in(runner, arguments, &Sandbox::new(folder.clone(), fixtures));
        drop(fs::remove_dir_all(folder));
        outcome
    })
}

fn run_in(runner: &mut Runner, arguments: &Arguments, sandbox: &Sandbox) -> Result<()> {
    let only = &arguments.only;
    let is_chosen = |name: &str| only.is_empty() || only.iter().any(|chosen| chosen == name);
    let chosen: Vec<&Client> = CLIENTS.iter().filter(|client| is_chosen(client.name)).collect();
    ensure!(
        !chosen.is_empty() || is_chosen(VERIFIERS),
        "no client is called {}",
        only.join(" or ")
    );
    let installed = install(runner, sandbox)?;
    let rows = run_clients(runner, &chosen, &installed, sandbox)?;
    let seen = is_chosen(VERIFIERS)
        .then(|| verifiers::run(runner, sandbox))
        .transpose()?;
    println!("\n{}", page::table(&rows));
    let mut wrong: Vec<_> = rows.iter().flat_map(Row::unexplained).collect();
    let mut published = Vec::new();
    if let Some(seen) = &seen {
        println!("\n{}", verifiers::table(seen));
        wrong.extend(seen.wrong());
        published.push(publish(runner, "verifiers.md", &verifiers::page(seen), arguments.check));
    }
    if only.is_empty() {
        published.push(publish(runner, "clients.md", &page::page(&rows), arguments.check));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    published.into_iter().collect()
}

/// Brings all clients, since one may make what another needs.
fn install(runner: &mut Runner, sandbox: &Sandbox) -> Result<Vec<(&'static str, Installed)>> {
    let mut installed = Vec::new();
    for client in CLIENTS {
        let it = runner.part(&format!("install {}", client.name), |runner| client.install.run(runner))?;
        sandbox.offer(client.name, &it.program)?;
        installed.push((client.name, it));
    }
    sandbox.offer("wreg", &runner.target().join("debug/wreg"))?;
    sandbox.offer_script("analysis", ANALYSIS)?;
    Ok(installed)
}

fn run_clients(
    runner: &mut Runner,
    chosen: &[&'static Client],
    installed: &[(&str, Installed)],
    sandbox: &Sandbox,
) -> Result<Vec<Row>> {
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

fn publish(runner: &Runner, page: &str, text: &str, check: bool) -> Result<()> {
    let file = runner.root.join("docs/reference").join(page);
    let fresh = fs::read_to_string(&file).is_ok_and(|written| written == text);
    if check {
        ensure!(fresh, "docs/reference/{page} is not fresh; run cargo xtask interop");
        println!("fresh: {}", file.display());
    } else {
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        println!("{}: {}", if fresh { "unchanged" } else { "written" }, file.display());
    }
    Ok(())
}
