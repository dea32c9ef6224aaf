//! `wreg token`.

use std::time::Duration;

use clap::Subcommand;
use wreg_api::{Action, NewToken, TokenName, TokenScope, TokenScopes};

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::{TokenCreated, TokenShown, Tokens, TokensRevoked, time},
};

/// Make, list and revoke tokens
///
/// A token is what people and programs log in with. It may do what its scopes say and no more, and it ends by itself. For those
/// who administer the server. This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  wreg token create ci localhost:5000 --scope 'acme/*:pull,push' --expires 30d
  wreg token list localhost:5000
  wreg token revoke ci localhost:5000")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token, and write it to stdout
///
/// It is told this once: the registry keeps only what it can recognise it by. It can give no more than the token that you make it
/// with, and ends with that one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Scopes:
  REPOSITORIES:ACTIONS, in quotes because of the *; the token may do what any of them says

  acme/hello    this repository
  acme/*        every repository below acme
  *             every repository

  pull          read
  push          write: tag:create and tag:update together
  tag:create    write, and make tags that are not there yet, but move none
  tag:update    write, and move tags that are there, but make none
  delete        take tags, manifests and blobs away
  repo:admin    change the settings of repositories
  server:admin  tokens, keys and maintenance of the server; with * only

  Clients look before they push, so a token to push with needs pull too.

Output:
  the token, alone on one line; with --format json an object with its id, scopes, end and secret

Examples:
  wreg token create ci localhost:5000 --scope 'acme/*:pull,push' --expires 30d
  wreg token create deploy --scope acme/hello:pull --scope acme/config:pull
  WREG_TOKEN=$(wreg token create release --scope 'acme/*:pull,tag:create' --expires 1h) ./release.sh")]
struct Create {
    /// What the token is known by: letters, digits, ., _ and -
    name: TokenName,
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
    /// What it may do: REPOSITORIES:ACTIONS; can be repeated
    #[arg(long, required = true, value_name = "SCOPE")]
    scope: Vec<TokenScope>,
    /// When it ends: a number and s, m, h, d or w, at most 365d [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<Duration>,
}

/// List the tokens, without their secrets
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one token a line: name, end, last use (to the hour), scopes

Examples:
  wreg token list localhost:5000")]
struct List {
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

/// End a token, from the next request on
///
/// The tokens that were made with it end too.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the names of the tokens that ended, one a line

Examples:
  wreg token revoke ci localhost:5000")]
struct Revoke {
    /// The token's name or id
    token: String,
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    registry: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    match args.verb {
        Verb::Create(args) => create(args, context).await?,
        Verb::List(args) => {
            let host = context.host(args.registry.as_deref())?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let tokens = registry.tokens().await?;
            context.printer.result(&Tokens {
                registry: host.to_string(),
                tokens: tokens.iter().map(TokenShown::new).collect(),
            })?;
        }
        Verb::Revoke(args) => {
            let host = context.host(args.registry.as_deref())?;
            let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
            let tokens = registry.tokens().await?;
            let meant = |token: &&wreg_api::Token| token.id == args.token || token.name.as_str() == args.token;
            let token = tokens.iter().find(meant).ok_or_else(|| {
                CliError::no(format!("{host} has no token {}", args.token))
                    .hint(format!("list them with `wreg token list {host}`"))
            })?;
            let ended = registry.revoke_token(&token.id).await?;
            context.printer.result(&TokensRevoked {
                registry: host.to_string(),
                revoked: ended.iter().map(TokenShown::new).collect(),
            })?;
        }
    }
    Ok(Verdict::Yes)
}

async fn create(args: Create, context: &Context) -> Result<(), CliError> {
    let host = context.host(args.registry.as_deref())?;
    let scopes = TokenScopes::try_from(args.scope);
    let new = NewToken {
        name: args.name,
        scopes: scopes.map_err(|invalid| CliError::usage("these cannot be the scopes of a token").because(invalid))?,
        expires_in: args.expires.map(|lifetime| lifetime.as_secs()),
    };
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let created = registry.create_token(&new).await?;
    let printer = &context.printer;
    let end = created.token.expires_at.map_or_else(|| "never".to_owned(), time);
    printer.status(format!("token {} for {host}: {}; ends {end}", new.name, new.scopes));
    if new.scopes.iter().any(writes_blindly) {
        printer.warning("clients look before they push, and this token cannot pull: few can use it");
    }
    printer.hint("it is told this once; its holder uses it with `wreg login`, as WREG_TOKEN, or as the password of any OCI client");
    printer.result(&TokenCreated {
        registry: host.to_string(),
        token: TokenShown::new(&created.token),
        secret: created.secret,
    })
}

fn writes_blindly(scope: &TokenScope) -> bool {
    let actions = scope.actions();
    let writes = actions.contains(Action::CreateTag) || actions.contains(Action::UpdateTag);
    writes && !actions.contains(Action::Pull)
}

/// `30d`: a number and a unit.
fn lifetime(text: &str) -> Result<Duration, String> {
    let unit = |unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        'w' => Some(7 * 24 * 60 * 60),
        _ => None,
    };
    let seconds = text.char_indices().last().and_then(|(at, last)| {
        let number: u64 = text[..at].parse().ok()?;
        number.checked_mul(unit(last)?)
    });
    match seconds {
        Some(seconds) if (1..=wreg_api::token::MAX_LIFETIME).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("a token lives for 1s to 365d".to_owned()),
        None => Err("write a number and s, m, h, d or w, such as 30d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_a_unit_and_a_limit() {
        for (text, seconds) in [
            ("1s", 1),
            ("90m", 5400),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
        ] {
            assert_eq!(lifetime(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "d",
            "30",
            "30 d",
            "-1d",
            "1.5d",
            "0d",
            "366d",
            "1\u{e4}",
            "99999999999999999999w",
            "18446744073709551615w",
        ] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
