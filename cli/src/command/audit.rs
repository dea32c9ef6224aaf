//! `wreg audit`.

use std::path::{Path, PathBuf};

use wreg_component::Dependency;
use wreg_oci::Digest;

use super::{
    Verdict,
    sbom::{self, NO_LIST},
};
use crate::{
    audit::{Compared, Database, read_lock},
    context::Context,
    error::CliError,
    given::Named,
    output::Audited,
};

/// Compare the packages that a component was made from with a database of advisories
///
/// The packages are those that the component lists itself, as `wreg sbom` shows them; or those of a Cargo.lock. The database is a folder:
/// a clone of RustSec's (github.com/rustsec/advisory-db), or JSON files of the OSV schema. Nothing is fetched from anywhere but the
/// component. Packages that are not of crates.io are counted, and not compared.
///
/// A component without a list tells nothing, and that is no answer: the exit code is 2. A wkg.lock locks WIT packages, which are interfaces
/// without code and have no advisories: audit what was built.
///
/// What exists here is a file, and a lock file if its name ends with .lock; everything else is a reference.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  each advisory with its package, its version, and the versions where it is fixed; then what was compared

Exit codes:
  0  no advisory is about a package
  1  one is
  2  could not tell: no list of packages, no advisories in the folder, no such artifact; or nothing was found, and the list or an advisory
     that may be about a package could not be read

Examples:
  wreg audit hello.wasm --db advisory-db
  wreg audit localhost:5000/acme/hello:1.0.0 --db advisory-db --ignore RUSTSEC-2021-0001 --ignore unmaintained
  wreg audit Cargo.lock --db advisory-db --format json | jq -r '.findings[].id'")]
pub(crate) struct Args {
    /// A file, - for stdin, host/repository:tag, @digest or @^1.2, or a Cargo.lock
    #[arg(value_name = "REFERENCE|FILE|LOCK")]
    what: String,
    /// The folder with the advisories
    #[arg(long, value_name = "FOLDER")]
    db: PathBuf,
    /// Pass over an advisory with this id or alias, or of this kind: unmaintained, unsound, notice; can be repeated
    #[arg(long, value_name = "ID|KIND")]
    ignore: Vec<String>,
}

/// What is compared.
struct Audit {
    name: String,
    digest: Option<Digest>,
    packages: Vec<Dependency>,
    incomplete: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    // 1 is for advisories. What is not there, or is not valid, has none.
    let audit = Audit::read(&args.what, context).await.map_err(CliError::unanswered)?;
    let database = Database {
        folder: args.db,
        ignore: args.ignore,
    };
    let folder = database.folder.display().to_string();
    let packages = audit.packages.clone();
    let compared = tokio::task::spawn_blocking(move || database.compare(&packages)).await;
    let compared = compared.map_err(|error| CliError::failed("cannot read the advisories").because(error))??;
    warn(&compared, context);
    if compared.advisories == 0 {
        return Err(CliError::failed(format!("there are no advisories in {folder}")).hint(
            "it is a clone of https://github.com/rustsec/advisory-db, or a folder with JSON files of the OSV schema",
        ));
    }
    let verdict = if !compared.findings.is_empty() {
        Verdict::No
    } else if audit.incomplete || compared.unread_matters || !compared.unclear.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Yes
    };
    let here = audit
        .packages
        .iter()
        .filter(|package| package.is_of_crates_io())
        .count();
    context.printer.result(&Audited {
        name: audit.name,
        digest: audit.digest,
        packages: here as u64,
        elsewhere: (audit.packages.len() - here) as u64,
        incomplete: audit.incomplete,
        compared,
    })?;
    if verdict == Verdict::Unknown {
        context
            .printer
            .warning("nothing was found, but not everything could be compared");
    }
    Ok(verdict)
}

impl Audit {
    async fn read(what: &str, context: &Context) -> Result<Self, CliError> {
        let path = Path::new(what);
        if path.extension().is_some_and(|extension| extension == "lock") {
            return Ok(Self {
                name: what.to_owned(),
                digest: None,
                packages: read_lock(path)?,
                incomplete: false,
            });
        }
        let named = Named::parse(what, context)?;
        let [given] = Named::read_all([&named], context).await?;
        let list = sbom::list(&given.local).await?;
        let name = given.name;
        if list.lists == 0 {
            let why = if list.incomplete {
                format!("the list of the packages that {name} was made from is malformed")
            } else {
                format!("{name} has no list of the packages that it was made from")
            };
            return Err(CliError::failed(why).hint(NO_LIST));
        }
        if list.incomplete {
            context.printer.warning(format!(
                "not all of the packages of {name} are compared: a list is malformed, or longer than what is read"
            ));
        }
        Ok(Self {
            name,
            digest: Some(given.local.digest),
            // A program can be of crates.io too.
            packages: [list.dependencies, list.programs].concat(),
            incomplete: list.incomplete,
        })
    }
}

fn warn(compared: &Compared, context: &Context) {
    for unread in &compared.unread {
        context
            .printer
            .warning(format!("{} is passed over: {}", unread.file, unread.why));
    }
    let more = compared.unread_count.saturating_sub(compared.unread.len() as u64);
    if more > 0 {
        context.printer.warning(format!("{more} more files are passed over"));
    }
}
