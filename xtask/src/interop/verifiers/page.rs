//! The page: the table, and how each verifier is asked.

use std::fmt::Write as _;

use super::{
    BUNDLES, PUBLISH, Seen,
    lies::{LIES, TRUTH},
    verifier::{Tool, Verifier},
    verifiers,
};
use crate::interop::client::Installed;

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask interop`, from what it saw. -->
# Verifiers

Who notices that one bit is another. A component was pushed to a registry that signs, and asked for through a proxy that tells one of the lies below.
Where a digest follows from the bit, everything that names the digest is told accordingly, so that it is for keys to notice, not for digests.

✓ is a refusal, for the reason that is given below. \"accepts\" says that the verifier does not look there, or that something else is enough for it;
the truth every one must accept. [What can be trusted](../explanation/trust.md) says what this is good for.

";

const COMMANDS: &str = "
- The hint that a bundle gives of its key is in no signature, and whoever has been given the key does not go by it: a bit of it is not noticed.
- A lie about one form is accepted by those that go by the other. `wreg` goes by the registry's statement, which only a bundle holds. cosign goes by
  bundles if there is one that it can read, else by the older form: where the bundles are of another version, that is what it accepts.
- A digest in a manifest is compared by who fetches what it names. cosign fetches no content unless it saves it, and a library no more than it is given.

## How each is asked

`$REGISTRY` is the proxy's host and port, `$TOKEN` a token of the registry behind it, and `$ARTIFACT` version 1.0.0 of one of the repositories.
This publishes, and keeps what a verifier has before the first lie:

```sh
";

/// The table alone.
pub(in crate::interop) fn table(seen: &Seen) -> String {
    let names: Vec<_> = verifiers().map(|verifier| verifier.name).collect();
    let mut lines = vec![
        format!("| lie | {} |\n", names.join(" | ")),
        format!("|{}\n", "---|".repeat(names.len() + 1)),
    ];
    for (lie, row) in LIES.iter().zip(&seen.refusals) {
        let name = match lie.name {
            TRUTH => format!("{TRUTH}, {}", lie.about),
            name => name.to_owned(),
        };
        let cells = row.iter().map(|said| if said.is_some() { "✓" } else { "accepts" });
        let cells: Vec<_> = cells.collect();
        lines.push(format!("| {name} | {} |\n", cells.join(" | ")));
    }
    lines.concat()
}

/// What each lie is.
fn lies() -> String {
    let told = LIES.iter().filter(|lie| lie.name != TRUTH);
    let lines = told.map(|lie| format!("- {}: {}\n", lie.name, lie.about));
    lines.collect()
}

/// The whole page.
pub(in crate::interop) fn page(seen: &Seen) -> String {
    let mut text = format!("{INTRODUCTION}{}\n{}{COMMANDS}{PUBLISH}```\n", table(seen), lies());
    let _ = write!(text, "\n`bundles` is:\n\n```sh\n{BUNDLES}```\n");
    for (tool, installed) in &seen.tools {
        text.push_str(&section(tool, installed.as_ref()));
    }
    text
}

/// One tool: where it comes from, the lines for readers to copy, and what it says when it refuses.
fn section(tool: &Tool, installed: Option<&Installed>) -> String {
    let heading = match installed {
        Some(Installed { version, command, .. }) => format!("{} {version}\n\n`{command}`. ", tool.name),
        None => format!("{}\n\n", tool.name),
    };
    let mut text = format!("\n### {heading}{}\n", tool.about);
    for Verifier { name, run, refuses } in tool.verifiers {
        let _ = write!(text, "\n{name}:\n\n```sh\n{run}\n```\n\n");
        let same = |(_, one): &_, (_, other): &_| one == other;
        for refused in refuses.chunk_by(same) {
            let lies: Vec<_> = refused.iter().map(|(lie, _)| *lie).collect();
            let words = refused.first().map_or("", |(_, words)| words);
            let _ = writeln!(text, "- {}: `{words}`", lies.join(", "));
        }
    }
    text
}
