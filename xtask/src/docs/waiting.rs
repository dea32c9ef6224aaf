//! What of the catalogue of faults no test shows yet, each with the reason, for `faults.md`.

use std::{collections::BTreeSet, fmt::Write};

use anyhow::{Result, ensure};

/// Every row of the catalogue: a letter and its numbers. A row is shown by a test or waits for a reason; there is no third.
const CATALOGUE: [(char, &[u8]); 19] = [
    ('H', &[1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 20]),
    ('N', &[1, 2, 3, 4, 6]),
    ('D', &[1, 2, 3, 4, 5, 6, 8]),
    ('R', &[1, 2, 3, 5, 6]),
    ('U', &[1, 2, 3, 5, 6, 7, 9, 10, 12, 13, 14, 15, 16, 18, 19, 20, 21]),
    ('M', &[1, 2, 3, 4, 6, 7, 9, 10, 12, 13, 14, 15, 17, 18, 19, 21]),
    ('F', &[1, 2, 3, 7, 8]),
    ('T', &[1, 3, 5]),
    ('A', &[1, 2, 4, 5, 6, 8, 10, 11, 12, 14, 15]),
    ('J', &[1, 2, 4, 5, 6, 8, 9, 10, 12, 13]),
    ('W', &[1, 2, 5, 6, 7, 8, 10, 11]),
    ('S', &[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 15, 16, 17, 18]),
    ('O', &[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ('P', &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11]),
    ('C', &[1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 15]),
    ('L', &[1, 2, 3, 4, 7, 8, 9]),
    ('K', &[1, 3, 4, 7]),
    ('X', &[1, 3, 5, 6]),
    ('G', &[2, 3, 4, 5, 7]),
];

/// A row, or a part of one, that waits. A whole one is left off the page once a test shows it.
struct Waits {
    id: &'static str,
    case: &'static str,
    reason: &'static str,
    part: bool,
}

const fn whole(id: &'static str, case: &'static str, reason: &'static str) -> Waits {
    Waits {
        id,
        case,
        reason,
        part: false,
    }
}

const fn part(id: &'static str, case: &'static str, reason: &'static str) -> Waits {
    Waits {
        id,
        case,
        reason,
        part: true,
    }
}

const NO_PAGES: &str = "There is no web interface yet.";
const NO_PEOPLE: &str = "There are no accounts of people yet, and tokens are too long to be guessed.";
const NO_PUBLISHERS: &str = "Identity tokens of other services are not taken yet.";
const NO_MIRROR: &str = "wreg does not fetch from other registries by itself yet.";
const NO_QUOTA: &str = "There are no quotas yet.";
const NO_TEST: &str = "No test brings it about yet.";
const ONE_VERSION: &str = "There is one released format of data so far.";

const WAITING: &[Waits] = &[
    part("U14", "Bytes beyond a quota", NO_QUOTA),
    part("M13", "A `urls` entry is never a link on a page", NO_PAGES),
    part("M15", "Annotations shown to people are escaped and cut off", NO_PAGES),
    whole(
        "F08",
        "A signature that somebody made up is shown as there, never as good",
        NO_PAGES,
    ),
    whole("A05", "Many wrong passwords, or a flood of pushes", NO_PEOPLE),
    whole("A12", "A thousand logins each second", NO_PEOPLE),
    whole(
        "A15",
        "Every change, and every refusal of one, has one row in an audit",
        "Changes are recorded as events; refusals are only logged so far.",
    ),
    whole("J05", "A token of one kind in the place of another", NO_TEST),
    whole(
        "J06",
        "The key that signs tokens changes in the middle of a push",
        NO_TEST,
    ),
    whole("J08", "One identity token exchanged twice", NO_PUBLISHERS),
    whole(
        "J09",
        "An issuer that looks alike, redirects, or sends keys without an end",
        NO_PUBLISHERS,
    ),
    whole(
        "J10",
        "A source repository that was renamed, registered anew, or forked",
        NO_PUBLISHERS,
    ),
    whole("J12", "The issuer of identity tokens does not answer", NO_PUBLISHERS),
    whole("J13", "The clock of the issuer is wrong", NO_PUBLISHERS),
    whole(
        "W06",
        "A configuration that contradicts its component",
        "The server does not look into components yet.",
    ),
    whole(
        "W10",
        "A component that claims another package's name",
        "The server does not look into components yet.",
    ),
    whole(
        "W11",
        "200 large components at once",
        "The server does not look into components yet.",
    ),
    whole(
        "S03",
        "A reserve of disk space is reached",
        "There is no reserve: a disk that is full is answered as such.",
    ),
    whole(
        "S07",
        "The process is killed at each step of every kind of change",
        "It is shown for pushes, and step by step for those of blobs alone.",
    ),
    whole(
        "S08",
        "The power goes, and what was not flushed is lost or torn",
        "It needs a file system that loses writes on demand.",
    ),
    whole(
        "S18",
        "A backup whose database and blobs are of different times",
        NO_TEST,
    ),
    whole("O01", "The object store is overloaded", NO_TEST),
    whole(
        "O02",
        "The object store did what it was asked for, and its answer was lost",
        NO_TEST,
    ),
    whole("O04", "A read from the object store ends early", NO_TEST),
    whole("O05", "A redirect to the object store", NO_TEST),
    whole(
        "O06",
        "A list of the object store is cut off or lacks something",
        NO_TEST,
    ),
    whole(
        "O07",
        "An object that is gone, forbidden, or cannot be reached now",
        NO_TEST,
    ),
    whole("O08", "Uploads to the object store that nobody ended", NO_TEST),
    whole(
        "O09",
        "Credentials of the object store expire, or its bucket is gone",
        NO_TEST,
    ),
    whole("O10", "The most parts that an object can have", NO_TEST),
    whole("O12", "An object store without conditional writes", NO_TEST),
    whole("P01", "PostgreSQL starts anew in the middle of a transaction", NO_TEST),
    whole("P02", "The connection is lost after a commit was sent", NO_TEST),
    whole("P03", "Every connection to the database is in use", NO_TEST),
    whole("P04", "PostgreSQL wants a transaction again", NO_TEST),
    whole("P06", "A reader that takes long while SQLite's log grows", NO_TEST),
    whole("P10", "The database is down", NO_TEST),
    part(
        "C10",
        "Ten thousand of them",
        "It takes twenty minutes: `cargo xtask soak --gc`, which fails if a client sees an error.",
    ),
    whole("C11", "Fifty uploads race for the rest of a quota", NO_QUOTA),
    whole("L07", "200 uploads at once, small and large", NO_TEST),
    whole(
        "L08",
        "A backup while pushes go on",
        "There is no backup command yet; SQLite's file and PostgreSQL have their own.",
    ),
    whole("L09", "A step back to the version before", ONE_VERSION),
    whole("X01", "Script in every text that people can push", NO_PAGES),
    whole(
        "X03",
        "Another site frames the pages, or asks with a browser's credentials",
        NO_PAGES,
    ),
    whole("X05", "A link back that leads away", NO_PAGES),
    whole("X06", "Another site makes a browser post", NO_PAGES),
    whole("G02", "Another registry redirects to where it must not", NO_MIRROR),
    whole(
        "G03",
        "Another registry sends other bytes than the digest names",
        NO_MIRROR,
    ),
    whole("G04", "Another registry names a token service elsewhere", NO_MIRROR),
    whole("G05", "Another registry does not answer", NO_MIRROR),
    whole("G07", "A thousand pulls of what has to be fetched first", NO_MIRROR),
];

/// The section of the page, of what waits beside the rows that are `shown`. An error if a row of the catalogue is neither.
pub(super) fn section(shown: &BTreeSet<&str>) -> Result<String> {
    let known: BTreeSet<&str> = WAITING.iter().map(|waits| waits.id).collect();
    let rows = CATALOGUE.iter().flat_map(|(letter, numbers)| {
        let id = move |number: &u8| format!("{letter}{number:02}");
        numbers.iter().map(id)
    });
    let forgotten: Vec<String> = rows
        .filter(|id| !shown.contains(id.as_str()) && !known.contains(id.as_str()))
        .collect();
    ensure!(
        forgotten.is_empty(),
        "no test shows {}, and xtask/src/docs/waiting.rs does not say why",
        forgotten.join(", ")
    );
    let mut section =
        String::from("\n## What waits\n\nNo test shows these yet.\n\n| id | case | why |\n|---|---|---|\n");
    for Waits { id, case, reason, part } in WAITING {
        if *part || !shown.contains(id) {
            let id = if *part {
                format!("{id}, in part")
            } else {
                (*id).to_owned()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(section, "| {id} | {case} | {reason} |");
        }
    }
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_shown_or_waits_or_is_an_error() -> Result<()> {
        let ids: Vec<String> = CATALOGUE
            .iter()
            .flat_map(|(letter, numbers)| numbers.iter().map(move |number| format!("{letter}{number:02}")))
            .collect();
        let all: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let page = section(&all)?;
        assert!(page.contains("| U14, in part |") && !page.contains("| F08 |"), "{page}");

        let mut some = all.clone();
        some.remove("F08");
        assert!(section(&some)?.contains("| F08 |"));
        some.remove("H01");
        assert!(section(&some).is_err_and(|error| error.to_string().contains("H01")));
        Ok(())
    }

    #[test]
    fn what_waits_is_in_the_catalogue_and_in_its_order() {
        let place = |waits: &Waits| {
            let (letter, number) = waits.id.split_at(1);
            let letter = letter.chars().next()?;
            let at = CATALOGUE.iter().position(|(known, _)| *known == letter)?;
            let number: u8 = number.parse().ok()?;
            CATALOGUE[at].1.contains(&number).then_some((at, number))
        };
        let places: Vec<_> = WAITING.iter().map(place).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }
}
