//! What came of it: a line of JSON for programs, or a row for people.

use super::engine::Outcome;

/// The figures of one run.
pub(super) struct Report<'a> {
    pub(super) name: &'a str,
    pub(super) connections: usize,
    pub(super) outcome: &'a Outcome,
}

impl Report<'_> {
    #[expect(clippy::cast_precision_loss, reason = "figures with one decimal")]
    fn figures(&self) -> [(&'static str, f64); 15] {
        let Outcome {
            operations,
            moved,
            errors,
            latencies,
            took,
            cpu,
            own_cpu,
            before,
            peak,
            ..
        } = self.outcome;
        let seconds = took.as_secs_f64().max(1e-9);
        let count = (*operations as f64).max(1.0);
        [
            ("operations", *operations as f64),
            ("seconds", took.as_secs_f64()),
            ("per_second", *operations as f64 / seconds),
            ("mb_per_second", *moved as f64 / 1e6 / seconds),
            ("p50", latencies.micros_at(0.5)),
            ("p99", latencies.micros_at(0.99)),
            ("p999", latencies.micros_at(0.999)),
            ("errors", *errors as f64),
            ("cpu_us_per_operation", cpu.as_secs_f64() * 1e6 / count),
            ("own_cpu_us_per_operation", own_cpu.as_secs_f64() * 1e6 / count),
            ("anon_mib", before.anon),
            ("anon_peak_mib", peak.anon),
            ("file_mib", before.file),
            ("file_peak_mib", peak.file),
            ("connections", self.connections as f64),
        ]
    }

    /// One line.
    pub(super) fn json(&self) -> String {
        let figures = self.figures().map(|(name, value)| format!("\"{name}\":{value:.1}"));
        format!("{{\"name\":\"{}\",{}}}", self.name, figures.join(","))
    }

    /// A row, and what went wrong.
    pub(super) fn text(&self) -> String {
        let figures = self.figures();
        let value = |wanted| {
            figures
                .iter()
                .find(|(name, _)| *name == wanted)
                .map_or(0.0, |(_, value)| *value)
        };
        let mut text = format!(
            "{}, {} connections: {:.0}/s, {:.0} MB/s; p50 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs; {} errors; \
             processor {:.1} µs each (load {:.1} µs); private memory {:.1} MiB, peak {:.1} MiB; files {:.1} MiB",
            self.name,
            self.connections,
            value("per_second"),
            value("mb_per_second"),
            value("p50"),
            value("p99"),
            value("p999"),
            value("errors"),
            value("cpu_us_per_operation"),
            value("own_cpu_us_per_operation"),
            value("anon_mib"),
            value("anon_peak_mib"),
            value("file_peak_mib"),
        );
        for told in &self.outcome.told {
            text += "\nWRONG: ";
            text += told;
        }
        text
    }
}
