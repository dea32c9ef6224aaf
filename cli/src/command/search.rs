//! `wreg search`.

use super::Verdict;
use crate::{
    context::Context,
    error::CliError,
    output::{FoundShown, SearchResults},
};

/// Find components by words, and by what they import and export
///
/// Words are looked for in names, descriptions, exports and the documentation of WIT packages; each must be the beginning of a word. Of each
/// repository the highest version that is not yanked is shown. An interface is written `wasi:http/incoming-handler`, with a requirement
/// `wasi:http/incoming-handler@^0.2`, a whole package `wasi:http`. This is wreg's own interface: other registries do not have it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Output:
  one component a line: reference, kind, size, description; the best match first

Examples:
  wreg search proxy
  wreg search --exports wasi:http/incoming-handler@^0.2
  wreg search --exports wasi:cli/run --imports-only wasi:cli,wasi:io,wasi:clocks
  wreg search --imports acme:log/sink --registry localhost:5000")]
pub(crate) struct Args {
    /// Words to look for
    words: Vec<String>,
    /// The registry, host or host:port [default: `WREG_REGISTRY`]
    #[arg(long, value_name = "HOST")]
    registry: Option<String>,
    /// Only what exports this interface, or one of this package; may be repeated
    #[arg(long, value_name = "INTERFACE")]
    exports: Vec<String>,
    /// Only what imports this interface, or one of this package; may be repeated
    #[arg(long, value_name = "INTERFACE")]
    imports: Vec<String>,
    /// Only what is made for this world
    #[arg(long, value_name = "WORLD")]
    world: Vec<String>,
    /// Only what imports nothing but these interfaces and packages; '' for what imports nothing
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    imports_only: Option<Vec<String>>,
    /// Only what was made from this language, as its producers section has it
    #[arg(long)]
    language: Option<String>,
    /// Only what has this in its licence expression
    #[arg(long)]
    license: Option<String>,
    /// Only this kind
    #[arg(long, value_parser = ["module", "component", "wit-package"])]
    kind: Option<String>,
    /// Only what has at most so many bytes
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,
    /// How many to show, at most 100
    #[arg(long, short, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    n: u8,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Verdict, CliError> {
    let host = context.host(args.registry.as_deref())?;
    let registry = context.client(std::slice::from_ref(&host))?.registry(&host)?;
    let found = registry.search(&args.parameters(), usize::from(args.n)).await?;
    let is_empty = found.is_empty();
    context.printer.result(&SearchResults {
        registry: host.to_string(),
        components: found.iter().map(|found| FoundShown::new(&host, found)).collect(),
    })?;
    if is_empty {
        context.printer.note("nothing was found that fits all of this");
        return Ok(Verdict::No);
    }
    Ok(Verdict::Yes)
}

impl Args {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = vec![("n", self.n.to_string())];
        if !self.words.is_empty() {
            parameters.push(("q", self.words.join(" ")));
        }
        for (name, values) in [
            ("exports", &self.exports),
            ("imports", &self.imports),
            ("world", &self.world),
        ] {
            parameters.extend(values.iter().map(|value| (name, value.clone())));
        }
        let imports_only = self.imports_only.as_ref().map(|names| names.join(","));
        let max_size = self.max_size.map(|size| size.to_string());
        for (name, value) in [
            ("imports_only", imports_only),
            ("language", self.language.clone()),
            ("license", self.license.clone()),
            ("kind", self.kind.clone()),
            ("max_size", max_size),
        ] {
            parameters.extend(value.map(|value| (name, value)));
        }
        parameters
    }
}
