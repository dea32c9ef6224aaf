//! Who notices what: verifiers, run against a registry through a proxy that changes one bit. What was seen is written to
//! `docs/reference/verifiers.md`.

mod lies;
mod page;
mod proxy;
mod tools;
mod verifier;

use std::{path::Path, process::Command, thread};

use anyhow::{Result, bail};

pub(super) use self::page::{page, table};
use self::{
    lies::{LIES, Lie},
    proxy::Proxy,
    tools::TOOLS,
    verifier::{Tool, Verifier},
};
use super::{client::Installed, sandbox::Sandbox};
use crate::{
    process,
    runner::Runner,
    server::{Server, free_address},
};

/// The digest of an artifact, and the bundles beside it as files.
const BUNDLES: &str = include_str!("bundles.sh");

/// Publishes what is lied about, and keeps what a verifier is given before the first lie.
const PUBLISH: &str = include_str!("publish.sh");

/// What was seen.
pub(super) struct Seen {
    /// The tools that were run; `None` is what was built here.
    tools: Vec<(&'static Tool, Option<Installed>)>,
    /// For each lie, what each verifier said if it refused.
    refusals: Vec<Vec<Option<String>>>,
}

/// Runs every verifier on every lie. Other clients are on the sandbox's path already.
pub(super) fn run(runner: &mut Runner, sandbox: &Sandbox) -> Result<Seen> {
    runner.part("verifiers", |runner| {
        let tools = install(runner, sandbox)?;
        let build = ["build", "--quiet", "--workspace", "--example", "lying_proxy"];
        process::run(runner.cargo().args(build))?;
        let registry = free_address()?;
        let mut proxy = Proxy::start(&runner.built("examples").join("lying_proxy"), registry)?;
        // Its own name is the proxy's, for the signatures that hold it.
        let (listen, url) = (registry.to_string(), format!("http://{}", proxy.address()));
        let settings = [
            ("WREG_LISTEN", &*listen),
            ("WREG_PUBLIC_URL", &*url),
            ("WREG_DEFAULT_VISIBILITY", "public"),
        ];
        let server = Server::start(runner, &sandbox.folder("signing"), &[], &settings)?;
        let address = proxy.address().to_owned();
        let template = sandbox.place("verifiers")?;
        sandbox.give(&template, "rust.wasm", "hello.wasm")?;
        runner.part("publish", |_| {
            let token = server.admin_token()?;
            match sandbox.shell(&template, PUBLISH, &[("REGISTRY", &address), ("TOKEN", &token)])? {
                Ok(()) => Ok(()),
                Err(said) => bail!("publishing: {said}"),
            }
        })?;
        let mut refusals = Vec::new();
        for lie in LIES {
            proxy.tell(lie.name, lie.repository, "1.0.0")?;
            let row = runner.part(&format!("{}: {}", lie.name, lie.about), |_| {
                ask_all(sandbox, &template, lie, &address)
            });
            refusals.push(row?);
        }
        Ok(Seen { tools, refusals })
    })
}

fn install(runner: &mut Runner, sandbox: &Sandbox) -> Result<Vec<(&'static Tool, Option<Installed>)>> {
    sandbox.offer_script("bundles", BUNDLES)?;
    let mut tools = Vec::new();
    for tool in TOOLS {
        let Some(install) = &tool.install else {
            tools.push((tool, None));
            continue;
        };
        let installed = runner.part(&format!("install {}", tool.name), |runner| install.run(runner))?;
        if let Some(program) = tool.program {
            sandbox.offer(program, &installed.program)?;
        }
        tools.push((tool, Some(installed)));
    }
    Ok(tools)
}

/// One row: what each verifier says, if it refuses.
fn ask_all(sandbox: &Sandbox, template: &Path, lie: &Lie, registry: &str) -> Result<Vec<Option<String>>> {
    thread::scope(|scope| {
        let asked: Vec<_> = verifiers()
            .enumerate()
            .map(|(at, verifier)| scope.spawn(move || ask(sandbox, template, lie, registry, at, verifier)))
            .collect();
        let mut answers = Vec::new();
        for (verifier, asked) in verifiers().zip(asked) {
            let Ok(answer) = asked.join() else {
                bail!("{} could not be run", verifier.name)
            };
            let answer = answer?;
            if let Some(wrong) = verifier.wrong(lie, answer.as_deref()) {
                println!("WRONG   {wrong}");
            }
            answers.push(answer);
        }
        Ok(answers)
    })
}

/// Runs a verifier in a folder and home of its own, which hold nothing but what was there before the first lie.
fn ask(
    sandbox: &Sandbox,
    template: &Path,
    lie: &Lie,
    registry: &str,
    at: usize,
    verifier: &Verifier,
) -> Result<Option<String>> {
    let folder = sandbox.folder(&format!("{}-{}-{at}", lie.repository.replace('/', "-"), lie.name));
    process::read(Command::new("cp").arg("-r").arg(template).arg(&folder))?;
    let artifact = format!("{registry}/{}:1.0.0", lie.repository);
    let said = sandbox.shell(&folder, verifier.run, &[("ARTIFACT", &artifact)])?;
    Ok(said.err())
}

/// All columns.
fn verifiers() -> impl Iterator<Item = &'static Verifier> {
    TOOLS.iter().flat_map(|tool| tool.verifiers)
}

impl Seen {
    /// What is not as it is known to be.
    pub(super) fn wrong(&self) -> Vec<String> {
        let rows = LIES.iter().zip(&self.refusals);
        let cells = rows.flat_map(|(lie, row)| {
            row.iter()
                .zip(verifiers())
                .map(move |(said, verifier)| (lie, verifier, said))
        });
        cells
            .filter_map(|(lie, verifier, said)| verifier.wrong(lie, said.as_deref()))
            .collect()
    }
}
