//! `wreg login`.

use std::io::{self, IsTerminal as _, Read as _};

use wreg_client::{Secret, StoredIn};

use super::Verdict;
use crate::{context::Context, error::CliError, output::LoggedIn};

/// The longest token, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// Keep a token for a registry
///
/// The token is asked for without being shown, or read from stdin with --token-stdin, or taken from `WREG_TOKEN`. It is tried at
/// the registry, and kept only if it is good there: where docker keeps its credentials, so that docker, podman, oras and wkg find
/// it too, or with the credential helper that docker's configuration names.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg login localhost:5000
  wreg login registry.example --token-stdin < token-file
  WREG_TOKEN=… wreg login registry.example")]
pub(crate) struct Args {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
    /// Read the token from the first line of stdin
    #[arg(long)]
    token_stdin: bool,
    /// The user name that goes with the token; registries with personal tokens, such as wreg's, take any
    #[arg(long, short, default_value = "token")]
    user: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let registry = context.client(&[])?.registry(&host)?;
    let given = context.token_for(&host)?.map(str::to_owned);
    let user = args.user;
    let read = tokio::task::spawn_blocking(move || read_token(args.token_stdin, given, &user));
    let secret = read
        .await
        .map_err(|error| CliError::failed("cannot read the token").because(error))??;
    registry.check_login(&secret).await?;
    let stored_in = place(&context.credentials(&[])?.store(&host, &secret).await?);
    context.printer.status(format!("the token is kept in {stored_in}"));
    context.printer.result(&LoggedIn {
        registry: host.to_string(),
        stored_in,
    })?;
    Ok(Verdict::Yes)
}

/// A place where credentials are kept, for people.
pub(super) fn place(stored_in: &StoredIn) -> String {
    match stored_in {
        StoredIn::File(path) => path.display().to_string(),
        StoredIn::Helper(name) => format!("the credential helper {name}"),
    }
}

fn read_token(from_stdin: bool, given: Option<String>, user: &str) -> Result<Secret, CliError> {
    let cannot = |error| CliError::failed("cannot read the token").because(error);
    let token = if from_stdin {
        let mut text = String::new();
        io::stdin()
            .lock()
            .take(MAX_TOKEN)
            .read_to_string(&mut text)
            .map_err(cannot)?;
        text.lines().next().unwrap_or_default().trim().to_owned()
    } else if let Some(token) = given {
        token
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password("Token (not shown): ")
            .map_err(cannot)?
            .trim()
            .to_owned()
    } else {
        return Err(CliError::usage("no token is given, and stdin is no terminal to ask on")
            .hint("pipe the token to `wreg login --token-stdin`, or set WREG_TOKEN"));
    };
    if token.is_empty() {
        return Err(CliError::usage("the token is empty"));
    }
    Ok(Secret::new(user, token))
}
