//! A line of the result: what was measured, of whom, and whether a goal was reached.

use super::{
    load::{Figures, median},
    peers::Peer,
};

/// The turns of one server at one row.
pub(super) struct Turns {
    pub(super) peer: Peer,
    /// In the order of the rounds.
    pub(super) turns: Vec<Figures>,
}

/// One row, measured.
pub(super) struct Line {
    pub(super) stack: &'static str,
    pub(super) id: &'static str,
    pub(super) work: String,
    /// What the values are.
    pub(super) unit: &'static str,
    /// Who, and the median.
    pub(super) values: Vec<(String, f64)>,
    pub(super) verdicts: Vec<Verdict>,
    /// All figures of each, where it was a load.
    pub(super) figures: Vec<(&'static str, Figures)>,
}

/// A goal, or only a comparison.
pub(super) struct Verdict {
    pub(super) goal: String,
    pub(super) measured: String,
    /// `None` where nothing was to be reached.
    pub(super) reached: Option<bool>,
}

impl Verdict {
    /// wreg's rate against another's, pair by pair of turns that followed each other: the median, and between which they lay.
    pub(super) fn of_ratio(wreg: &Turns, other: &Turns, figure: &str, goal: Option<f64>) -> Self {
        let pairs = wreg.turns.iter().zip(&other.turns);
        let mut ratios: Vec<f64> = pairs
            .filter(|(_, other)| other.get(figure) > 0.0)
            .map(|(wreg, other)| wreg.get(figure) / other.get(figure))
            .collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = median(ratios.iter().copied());
        let (least, most) = (ratios.first().unwrap_or(&0.0), ratios.last().unwrap_or(&0.0));
        let name = other.peer.name();
        Self {
            goal: goal.map_or_else(|| format!("beside {name}"), |goal| format!("≥ {goal}× {name}")),
            measured: format!("{} ({}–{})", times(ratio), times(*least), times(*most)),
            reached: goal.map(|goal| ratio >= goal),
        }
    }

    /// A value that must not be larger than that.
    pub(super) fn at_most(value: f64, limit: f64, unit: &str, goal: String) -> Self {
        Self {
            goal,
            measured: format!("{}{}{unit}", number(value), if unit == "×" { "" } else { " " }),
            reached: Some(value <= limit),
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        }
    }
}

fn times(ratio: f64) -> String {
    format!("{}×", number(ratio))
}

/// With as many digits as say something.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let Some(start) = text.len().checked_sub(3).filter(|start| *start > 0 && digits == 0) else {
        return text;
    };
    let thousands = &text[..start];
    let thousands = match thousands.len().checked_sub(3).filter(|start| *start > 0) {
        Some(start) => format!("{},{}", &thousands[..start], &thousands[start..]),
        None => thousands.to_owned(),
    };
    format!("{thousands},{}", &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(peer: Peer, values: [f64; 3]) -> Turns {
        Turns {
            peer,
            turns: values
                .map(|value| Figures(vec![("per_second".to_owned(), value)]))
                .into(),
        }
    }

    #[test]
    fn a_ratio_is_that_of_neighbours() {
        let (wreg, nginx) = (
            turns(Peer::Wreg, [10.0, 30.0, 20.0]),
            turns(Peer::Nginx, [10.0, 10.0, 10.0]),
        );
        let verdict = Verdict::of_ratio(&wreg, &nginx, "per_second", Some(2.0));
        assert_eq!(verdict.goal, "≥ 2× nginx");
        assert_eq!(verdict.measured, "2.00× (1.00×–3.00×)");
        assert_eq!(verdict.reached, Some(true));
        assert_eq!(
            Verdict::of_ratio(&nginx, &wreg, "per_second", Some(1.0)).word(),
            "**no**"
        );
    }

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        for (value, text) in [
            (0.123, "0.12"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1234.0, "1,234"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
