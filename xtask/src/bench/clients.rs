//! A component pulled by commands, as whole processes: wreg's, which verifies it, against crane and skopeo.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use super::{
    line::{Line, Verdict},
    load::median,
    peers::{Backend, Peer, Programs, Running},
};
use crate::{fixtures, interop, process, runner::Runner};

/// How often each pulls.
const RUNS: usize = 11;

/// Pulls a component of 12 MB from one server, in turn. Nothing is there before.
pub(super) fn measure(runner: &mut Runner, programs: &Programs, folder: &Path) -> Result<Line> {
    let component = fixtures::make(runner)?.join("javascript.wasm");
    let crane = interop::CRANE.install(runner)?;
    let skopeo = process::find_program("skopeo").context("skopeo is installed")?;
    let folder = folder.join("clients");
    let server = Running::start(programs, Peer::Wreg, &folder.join("server"), &Backend::Files)?;
    let reference = format!("{}/bench/component:1.0.0", server.address());
    let token = server
        .credentials
        .as_deref()
        .and_then(|credentials| credentials.split_once(':'));
    let (_, token) = token.context("a token")?;
    let mut push = alone(&programs.command, &folder);
    push.args(["push".as_ref(), component.as_os_str(), reference.as_ref()])
        .env("WREG_TOKEN", token);
    process::read(&mut push)?;

    let remote = format!("docker://{reference}");
    let commands: [(&str, &PathBuf, &[&str]); 3] = [
        (
            "wreg",
            &programs.command,
            &["pull", &reference, "-o", "out/component.wasm"],
        ),
        (
            "crane",
            &crane,
            &["pull", "--insecure", "--format=oci", &reference, "out"],
        ),
        (
            "skopeo",
            &skopeo,
            &["copy", "--src-tls-verify=false", &remote, "dir:out"],
        ),
    ];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..RUNS {
        for ((_, program, arguments), times) in commands.iter().zip(&mut times) {
            let home = folder.join("home");
            drop(fs::remove_dir_all(&home));
            fs::create_dir_all(home.join("out"))?;
            let mut pull = alone(program, &home);
            pull.args(*arguments).stdin(Stdio::null());
            let began = Instant::now();
            let output = pull.output()?;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            ensure!(
                output.status.success(),
                "{}: {}",
                program.display(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    drop(server);
    fs::remove_dir_all(&folder)?;
    let medians = times.map(|times| median(times.into_iter()));
    let verdict = |at: usize| {
        let ratio = medians[0] / medians[at];
        Verdict::at_most(ratio, 1.0, "×", format!("≤ 1× {}", commands[at].0))
    };
    Ok(Line {
        stack: "sqlite-files",
        id: "clients",
        work: "pull of a 12 MB component, whole process, nothing kept locally".to_owned(),
        unit: "ms",
        values: commands
            .iter()
            .zip(medians)
            .map(|((name, ..), took)| ((*name).to_owned(), took))
            .collect(),
        verdicts: vec![verdict(1), verdict(2)],
        figures: Vec::new(),
    })
}

/// A command with a home of its own.
fn alone(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TMPDIR", home);
    command
}
