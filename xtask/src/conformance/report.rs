//! What the suite printed and wrote, and whether that is a pass.

use std::{fmt, fs, path::Path};

use anyhow::{Context, Result, ensure};

/// What the suite prints above its counts.
const VERDICT: &str = "OCI Conformance Result: ";

/// How many cases ended how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Totals {
    passed: u32,
    all: u32,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} cases passed", self.passed, self.all)
    }
}

/// Reads the report in `folder`: an error unless every one of `cases` cases passed, with everything switched on.
pub(super) fn read(folder: &Path, cases: u32) -> Result<Totals> {
    let text = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).with_context(|| format!("the suite left no {}", file.display()))
    };
    let output = text("output.txt")?;
    let totals = judge(&output, cases).with_context(|| {
        let wrong = not_passed(&output).collect::<Vec<_>>().join("\n");
        format!("{wrong}\nThe report is in {}", folder.display())
    })?;
    let results = text("results/results.yaml")?;
    let off: Vec<&str> = results.lines().filter(|line| line.ends_with(": false")).collect();
    ensure!(off.is_empty(), "the suite had something switched off: {off:?}");
    println!("{totals}; the report is in {}", folder.display());
    Ok(totals)
}

/// Reads the counts under the verdict, such as `Pass....: 12`.
fn judge(output: &str, cases: u32) -> Result<Totals> {
    let (_, rest) = output
        .split_once(VERDICT)
        .context("the suite came to no result: it did not run")?;
    let mut lines = rest.lines();
    let verdict = lines.next().unwrap_or_default();
    let counts: Vec<(&str, u32)> = lines
        .map_while(|line| {
            let (name, count) = line.trim().split_once(':')?;
            Some((name.trim_end_matches('.'), count.trim().parse().ok()?))
        })
        .collect();
    let count = |wanted: &str| counts.iter().find(|(name, _)| *name == wanted).map(|(_, count)| *count);
    let totals = Totals {
        passed: count("Pass").context("the suite printed no count of what passed")?,
        all: count("Total").context("the suite printed no total")?,
    };
    ensure!(
        verdict == "Pass" && totals.passed == totals.all,
        "not every case passed: {verdict}, {counts:?}"
    );
    ensure!(
        totals.all == cases,
        "the suite has {cases} cases, and {} ran: was something left out?",
        totals.all
    );
    Ok(totals)
}

/// The lines of cases that did anything but pass, each with the reason under it.
fn not_passed(output: &str) -> impl Iterator<Item = &str> {
    let cases = output.split("\nConfiguration:").next().unwrap_or_default();
    cases
        .lines()
        .skip(1)
        .filter(|line| !line.ends_with(": Pass") && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(verdict: &str, skipped: u32, passed: u32) -> String {
        let total = skipped + passed;
        format!(
            "Test results\n\n{VERDICT}{verdict}\n  Disabled......: 0\n  Skip..........: {skipped}\n  Pass..........: {passed}\n  FAIL..: 0\n  Total...: {total}\n\nAPI conformance:\n  Ping...: Pass\n"
        )
    }

    #[test]
    fn every_case_has_to_pass_and_none_may_be_missing() {
        assert_eq!(
            judge(&printed("Pass", 0, 7), 7).expect("a pass"),
            Totals { passed: 7, all: 7 }
        );
        for (wrong, cases) in [
            (printed("Pass", 2, 5), 7),
            (printed("FAIL", 0, 7), 7),
            (printed("Pass", 0, 6), 7),
            ("failed to load config: unsupported config version x\n".to_owned(), 7),
        ] {
            assert!(judge(&wrong, cases).is_err(), "{wrong}");
        }
    }
}
