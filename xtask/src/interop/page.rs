//! The page: what each client was seen to do, and the lines that did it.

use super::client::{Client, Does, Installed};

/// What is red for a reason that was looked into: the client, what it does, and why it is not the server.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "cosign",
        "copy",
        "`cosign copy` looks for the tags of cosign 2 only and leaves bundles behind; it is deprecated in favour of `oras cp --recursive` \
         (sigstore/cosign#4681), after which the copy verifies.",
    ),
    (
        "cosign",
        "load",
        "`cosign load` of 3.1.3 pushes the manifest of a bundle before the bundle (sigstore/cosign#5030). A repository with \
         `missing_references = accept` takes that.",
    ),
];

/// A client and what it did.
pub(super) struct Row {
    client: &'static Client,
    version: String,
    command: String,
    /// One for each of the client's steps; what it said if it failed.
    pub(super) results: Vec<Result<(), String>>,
}

impl Row {
    /// A client that has not run yet.
    pub(super) fn new(client: &'static Client, installed: &Installed) -> Self {
        Self {
            client,
            version: installed.version.clone(),
            command: installed.command.clone(),
            results: Vec::new(),
        }
    }

    /// Failures without an explanation, and explanations of what works.
    pub(super) fn unexplained(&self) -> Vec<String> {
        let words = self.client.steps.iter().map(|step| step.does);
        let mut wrong = Vec::new();
        for does in words {
            let text = match (self.works(does), self.reason(does)) {
                (Some(false), None) => "does not work",
                (Some(true), Some(_)) => "works, and page.rs explains why it does not",
                _ => continue,
            };
            wrong.push(format!("{}: {} {text}", self.client.name, does.word()));
        }
        wrong.dedup();
        wrong
    }

    /// Whether all steps for it succeeded; `None` if there are none.
    fn works(&self, does: Does) -> Option<bool> {
        let steps = self.client.steps.iter().zip(&self.results);
        let results: Vec<_> = steps
            .filter(|(step, _)| step.does == does)
            .map(|(_, result)| result.is_ok())
            .collect();
        (!results.is_empty()).then(|| results.iter().all(|ok| *ok))
    }

    fn reason(&self, does: Does) -> Option<usize> {
        EXPLAINED
            .iter()
            .position(|(client, what, _)| *client == self.client.name && *what == does.word())
    }

    fn mark(&self, does: Does) -> String {
        match (self.works(does), self.reason(does)) {
            (None, _) => "–".to_owned(),
            (Some(true), _) => "✓".to_owned(),
            (Some(false), None) => "✗".to_owned(),
            (Some(false), Some(reason)) => format!("✗ [{}]", reason + 1),
        }
    }

    fn also(&self) -> String {
        let mut others: Vec<_> = self.client.steps.iter().map(|step| step.does).collect();
        others.retain(|does| matches!(does, Does::Also(_)));
        others.dedup();
        let marked = others
            .iter()
            .map(|does| format!("{} {}", does.word(), self.mark(*does)));
        marked.collect::<Vec<_>>().join(", ")
    }
}

/// The table alone.
pub(super) fn table(rows: &[Row]) -> String {
    let words = Does::COLUMNS.map(Does::word);
    let line = |row: &Row| {
        let marks = Does::COLUMNS.map(|does| row.mark(does)).join(" | ");
        format!("| {} | {} | {marks} | {} |\n", row.client.name, row.version, row.also())
    };
    let mut lines = vec![
        format!("| client | version | {} | besides |\n", words.join(" | ")),
        format!("|{}\n", "---|".repeat(words.len() + 3)),
    ];
    lines.extend(rows.iter().map(line));
    lines.concat()
}

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask interop`, from what it saw. -->
# Clients

What other clients of OCI registries do with wreg. Each was installed as its users install it and ran the lines below against one
server; a ✓ means that all of them succeeded, `cmp` and `test` among them, and – that the client has no command for it, or none that
differs from what is shown. Over TLS with an authority that the machine trusts (here by `SSL_CERT_FILE`) none of them needs a flag.

";

const COMMANDS: &str = "
## The commands

`$REGISTRY` is the server's host and port and `$TOKEN` a token, for which any user name will do; `$LOCAL` is `127.0.0.1` and a port where
a second server speaks plain http. `hello.wasm` and `large.wasm` are components of 88 kB and 18 MB. `analysis`
followed by a repository prints what the registry has found in version 1.0.0 there (`/api/v1/component`), and alone what it finds in
`hello.wasm` when `wreg` has pushed it: a component is the same to it whoever brings it.
";

/// The whole page.
pub(super) fn page(rows: &[Row]) -> String {
    let reason = |(at, (_, _, reason)): (usize, &(&str, &str, &str))| format!("\n[{}] {reason}\n", at + 1);
    let mut parts = vec![INTRODUCTION.to_owned(), table(rows)];
    parts.extend(EXPLAINED.iter().enumerate().map(reason));
    parts.push(COMMANDS.to_owned());
    parts.extend(rows.iter().map(section));
    parts.concat()
}

/// What one client did, for readers to copy.
fn section(row: &Row) -> String {
    let Client { name, about, steps, .. } = row.client;
    let lines = steps.iter().enumerate().map(|(at, step)| {
        let goes_on = at > 0 && steps[at - 1].does == step.does;
        let heading = format!("# {} {}\n", step.does.word(), row.mark(step.does));
        format!("{}{}\n", if goes_on { "" } else { &heading }, step.run)
    });
    let (version, command, lines) = (&row.version, &row.command, lines.collect::<String>());
    format!("\n### {name} {version}\n\n{about}: `{command}`\n\n```sh\n{lines}```\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::clients::CLIENTS;

    /// cosign, with failures in the steps of these words.
    fn cosign(failed: &[&str]) -> Row {
        let client = CLIENTS
            .iter()
            .find(|client| client.name == "cosign")
            .expect("it is there");
        let result = |word| {
            if failed.contains(&word) {
                Err("no".to_owned())
            } else {
                Ok(())
            }
        };
        Row {
            client,
            version: "1".to_owned(),
            command: "install it".to_owned(),
            results: client.steps.iter().map(|step| result(step.does.word())).collect(),
        }
    }

    #[test]
    fn a_red_cell_is_wrong_unless_it_is_explained_and_an_explanation_is_wrong_once_it_works() {
        assert_eq!(cosign(&["copy", "load"]).unexplained(), Vec::<String>::new());
        assert_eq!(
            cosign(&["copy", "load", "sign"]).unexplained(),
            ["cosign: sign does not work"]
        );
        let fixed = cosign(&["copy"]).unexplained();
        assert_eq!(fixed, ["cosign: load works, and page.rs explains why it does not"]);
    }

    #[test]
    fn the_page_says_what_failed_and_why() {
        let page = page(&[cosign(&["copy", "load", "login"])]);
        for part in [
            "| cosign | 1 | ✗ | – | – | ✗ [1] |",
            "sign ✓",
            "load ✗ [2]",
            "\n[2] `cosign load`",
            "# login ✗\n",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }
}
