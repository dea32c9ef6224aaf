//! `wreg undelete`.

use wreg_oci::TagOrDigest;

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::{DeletedShown, DeletedThings, Undeletion},
};

/// Bring back what was deleted
///
/// A manifest comes back with what it is made of, with what was deleted because it was (signatures, say), and with the tags that pointed
/// to it and have not been given to another one since. A tag comes back by itself if its manifest is still there. The registry keeps what
/// was deleted for a week, unless it is configured otherwise. This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  the manifest as a reference; with --list what can be brought back, one a line

Examples:
  wreg undelete localhost:5000/acme/hello:1.0.0
  wreg undelete localhost:5000/acme/hello@sha256:…
  wreg undelete --list localhost:5000/acme/hello")]
pub(crate) struct Args {
    /// What to bring back: host/repository:tag or host/repository@digest; with --list host/repository
    reference: String,
    /// List what can be brought back, and until when
    #[arg(long)]
    list: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    if args.list {
        return list(&args.reference, context).await;
    }
    let reference = context.reference(&args.reference)?;
    let what = match (&reference.tag, &reference.digest) {
        (Some(tag), None) => TagOrDigest::Tag(tag.clone()),
        (None, Some(digest)) => TagOrDigest::Digest(digest.clone()),
        _ => {
            return Err(
                CliError::usage(format!("{reference} does not name either a tag or a digest")).hint(format!(
                    "`wreg undelete --list {}/{}` lists what can be brought back",
                    reference.host, reference.repository
                )),
            );
        }
    };
    let registry = context
        .client(std::slice::from_ref(&reference.host))?
        .registry(&reference.host)?;
    let undeleted = registry.undelete(&reference.repository, &what).await?;
    context.printer.result(&Undeletion::new(&reference, undeleted))?;
    Ok(Verdict::Yes)
}

async fn list(text: &str, context: &mut Context) -> Result<Verdict, CliError> {
    let (host, name) = context.repository(text)?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let mut deleted = Vec::new();
    let mut last = None;
    loop {
        let page = registry.deleted(&name, last.as_deref()).await?;
        deleted.extend(page.deleted.iter().map(DeletedShown::new));
        last = page.next;
        if last.is_none() {
            break;
        }
    }
    context.printer.result(&DeletedThings {
        repository: format!("{host}/{name}"),
        deleted,
    })?;
    Ok(Verdict::Yes)
}
