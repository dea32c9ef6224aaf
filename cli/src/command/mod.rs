//! The verbs, one file each, and how a verb is run.

mod add;
mod admin;
mod audit;
mod check;
mod completions;
mod copy;
mod delete;
mod diff;
mod fetch;
mod inspect;
mod key;
mod lock;
mod log;
mod login;
mod logout;
mod namespace;
mod pull;
mod push;
mod reference;
mod repository;
mod sbom;
mod search;
mod show;
mod sign;
mod size;
mod tags;
mod token;
mod trust;
mod undelete;
mod validate;
mod verify;
mod version;
mod versions;
mod wit;
mod witness;
mod yank;

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use tokio::runtime::Runtime;

use crate::{args::Cli, config::Config, context::Context, error::CliError, output};

/// How long a thread that still reads or writes may take after the command has ended: it has nothing to lose.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Login(login::Args),
    Logout(logout::Args),
    Push(push::Args),
    Pull(pull::Args),
    Validate(validate::Args),
    Inspect(inspect::Args),
    Add(add::Args),
    Lock(lock::Args),
    Fetch(fetch::Args),
    Show(show::Args),
    Search(search::Args),
    Versions(versions::Args),
    Size(size::Args),
    Sbom(sbom::Args),
    Audit(audit::Args),
    Wit(wit::Args),
    Diff(diff::Args),
    Check(check::Args),
    Tags(tags::Args),
    Yank(yank::Yank),
    Deprecate(yank::Deprecate),
    Sign(sign::Sign),
    Attest(sign::Attest),
    Verify(verify::Args),
    Key(key::Args),
    Trust(trust::Args),
    Log(log::Args),
    Witness(witness::Args),
    Delete(delete::Args),
    Undelete(undelete::Args),
    Copy(copy::Args),
    Repository(repository::Args),
    Namespace(namespace::Args),
    Token(token::Args),
    Admin(admin::Args),
    Completions(completions::Args),
    Version(version::Args),
    #[command(hide = true)]
    Reference(reference::Args),
}

/// The answer of a command that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Exit code 0.
    Yes,
    /// Exit code 1.
    No,
    /// A part of the question could not be answered: exit code 2.
    Unknown,
}

/// Runs a parsed command line to its end, or until a signal comes.
pub(crate) fn run(cli: Cli) -> ExitCode {
    output::log(&cli.global);
    let mut context = Context::new(cli.global, Config::from_environment());
    let outcome = Runtime::new()
        .map_err(|error| CliError::failed("cannot start").because(error))
        .and_then(|runtime| {
            // A signal is how a witness is ended, and not how it is broken off.
            let is_broken_off = !matches!(cli.command, Command::Witness(_));
            let outcome = runtime.block_on(async {
                // Dropping the command's future is what removes its temporary files.
                tokio::select! {
                    signal = interrupted(), if is_broken_off => Err(signal),
                    outcome = cli.command.run(&mut context) => outcome,
                }
            });
            runtime.shutdown_timeout(PATIENCE);
            outcome
        });
    match outcome {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Ok(Verdict::Unknown) => ExitCode::from(2),
        Err(error) => {
            context.printer.error(&error);
            error.kind().exit_code().into()
        }
    }
}

impl Command {
    async fn run(self, context: &mut Context) -> Result<Verdict, CliError> {
        match self {
            Self::Login(args) => login::run(args, context).await,
            Self::Logout(args) => logout::run(args, context).await,
            Self::Push(args) => push::run(args, context).await,
            Self::Pull(args) => pull::run(args, context).await,
            Self::Validate(args) => validate::run(args, context).await,
            Self::Inspect(args) => inspect::run(args, context).await,
            Self::Add(args) => add::run(args, context).await,
            Self::Lock(args) => lock::run(args, context).await,
            Self::Fetch(args) => fetch::run(args, context).await,
            Self::Show(args) => show::run(args, context).await,
            Self::Search(args) => search::run(args, context).await,
            Self::Versions(args) => versions::run(args, context).await,
            Self::Size(args) => size::run(args, context).await,
            Self::Sbom(args) => sbom::run(args, context).await,
            Self::Audit(args) => audit::run(args, context).await,
            Self::Wit(args) => wit::run(args, context).await,
            Self::Diff(args) => diff::run(args, context).await,
            Self::Check(args) => check::run(args, context).await,
            Self::Tags(args) => tags::run(args, context).await,
            Self::Yank(args) => yank::yank(args, context).await,
            Self::Deprecate(args) => yank::deprecate(args, context).await,
            Self::Sign(args) => sign::sign(args, context).await,
            Self::Attest(args) => sign::attest(args, context).await,
            Self::Verify(args) => verify::run(args, context).await,
            Self::Key(args) => key::run(args, context).await,
            Self::Trust(args) => trust::run(args, context).await,
            Self::Log(args) => log::run(args, context).await,
            Self::Witness(args) => witness::run(args, context).await,
            Self::Delete(args) => delete::run(args, context).await,
            Self::Undelete(args) => undelete::run(args, context).await,
            Self::Copy(args) => copy::run(args, context).await,
            Self::Repository(args) => repository::run(args, context).await,
            Self::Namespace(args) => namespace::run(args, context).await,
            Self::Token(args) => token::run(args, context).await,
            Self::Admin(args) => admin::run(args, context).await,
            Self::Completions(args) => completions::run(&args),
            Self::Version(args) => version::run(&args, context),
            Self::Reference(args) => reference::run(&args),
        }
    }
}

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
async fn interrupted() -> CliError {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let [Ok(mut interrupt), Ok(mut terminate)] = kinds.map(signal) else {
        // Without a handler of ours the system ends the process.
        return std::future::pending().await;
    };
    tracing::debug!("from here on SIGINT and SIGTERM end the command in good order");
    let kind = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    };
    CliError::interrupted(u8::try_from(kind.as_raw_value()).unwrap_or_default())
}

/// Waits for ctrl-c.
#[cfg(not(unix))]
async fn interrupted() -> CliError {
    match tokio::signal::ctrl_c().await {
        Ok(()) => CliError::interrupted(2),
        Err(_) => std::future::pending().await,
    }
}
