//! The result of `wreg admin fsck`, which is told while it goes on: a line for each finding, and one at the end.

use std::fmt;

use serde::Serialize;
use wreg_api::{Checked, Finding};

use super::text::{count, one_line};

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
}

/// The end of a check.
#[derive(Debug, Serialize)]
pub(crate) struct CheckDone {
    pub(crate) registry: String,
    pub(crate) checked: Checked,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            kind,
            subject,
            detail,
            repaired,
        } = &self.finding;
        let repaired = if *repaired { " (repaired)" } else { "" };
        writeln!(f, "{kind}: {}: {}{repaired}", one_line(subject), one_line(detail))
    }
}

impl fmt::Display for CheckDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked {
            blobs,
            objects,
            manifests,
            findings,
            repaired,
        } = self.checked;
        writeln!(
            f,
            "{}, {} in the store, {}: {}, {repaired} repaired",
            count(blobs, "blob"),
            count(objects, "object"),
            count(manifests, "manifest"),
            count(findings, "finding"),
        )
    }
}

#[cfg(test)]
mod tests {
    use wreg_api::FindingKind;

    use super::*;

    #[test]
    fn what_a_registry_found_cannot_pretend_to_be_two_lines() {
        let found = Found {
            finding: Finding {
                kind: FindingKind::ObjectUnknown,
                subject: "a\nb".to_owned(),
                detail: "not put there by wreg\n0 findings".to_owned(),
                repaired: false,
            },
        };
        assert_eq!(
            found.to_string(),
            "object-unknown: a b: not put there by wreg 0 findings\n"
        );
    }
}
