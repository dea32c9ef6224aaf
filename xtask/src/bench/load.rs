//! One turn of the load against one server, and what it tells.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::peers::{Programs, Running};
use crate::process;

/// The figures of a turn, or medians of several, by name.
#[derive(Clone, Debug)]
pub(super) struct Figures(pub(super) Vec<(String, f64)>);

impl Figures {
    /// Reads a line of JSON that holds one object of numbers, and perhaps of words without quotes in them.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let inner = line.trim().strip_prefix('{').and_then(|line| line.strip_suffix('}'));
        let inner = inner.with_context(|| format!("not a line of figures: {line}"))?;
        let number = |field: &str| {
            let (name, value) = field.split_once("\":")?;
            Some((name.trim_start_matches('"').to_owned(), value.parse().ok()?))
        };
        Ok(Self(inner.split(',').filter_map(number).collect()))
    }

    pub(super) fn get(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(0.0, |(_, value)| *value)
    }

    /// The median of each.
    pub(super) fn medians(turns: &[Self]) -> Self {
        let names = turns.first().map(|turn| turn.0.iter().map(|(name, _)| name.clone()));
        let of = |name: String| {
            let median = median(turns.iter().map(|turn| turn.get(&name)));
            (name, median)
        };
        Self(names.into_iter().flatten().map(of).collect())
    }
}

/// The middle one; 0 of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Loads a server in that way. Any error that a client saw is an error here.
pub(super) fn run(programs: &Programs, server: &Running, arguments: &[&str]) -> Result<Figures> {
    let mut load = Command::new(&programs.bench);
    load.arg("load").args(arguments).args(["--address", &server.address()]);
    for pid in server.pids() {
        load.args(["--pid", &pid.to_string()]);
    }
    if let Some(root) = &server.root {
        load.arg("--folder").arg(root);
    }
    if let Some(credentials) = &server.credentials {
        load.env("WREG_BENCH_CREDENTIALS", credentials);
    }
    let figures = Figures::parse(&process::read(&mut load)?)?;
    ensure!(figures.get("errors") < 1.0, "clients saw errors: {figures:?}");
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_their_medians_taken() {
        let turns: Vec<_> = ["3", "1.5", "2"]
            .iter()
            .map(|value| Figures::parse(&format!("{{\"name\":\"a b\",\"p50\":{value},\"errors\":0.0}}\n")))
            .collect::<Result<_>>()
            .expect("they are figures");
        assert_eq!(turns[1].0, [("p50".to_owned(), 1.5), ("errors".to_owned(), 0.0)]);
        assert!((Figures::medians(&turns).get("p50") - 2.0).abs() < f64::EPSILON);
        assert!(Figures::parse("failed: no").is_err());
    }
}
