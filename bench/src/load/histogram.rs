//! How long operations took: counts in buckets that are a hundredth wide, so that millions take no more room than one.

use std::time::Duration;

/// Buckets between a power of two and the next.
const STEPS: u32 = 128;
const STEP_BITS: u32 = STEPS.ilog2();

/// Times, of which the largest error is 1/128 of each.
#[derive(Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; bucket_of(u64::MAX) + 1],
            total: 0,
        }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket_of(nanos)] += 1;
        self.total += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// The time in microseconds that this share of all took no longer than; 0 if there are none.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count, and a time with one decimal"
    )]
    pub(super) fn micros_at(&self, share: f64) -> f64 {
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return end_of(bucket) as f64 / 1000.0;
            }
        }
        0.0
    }
}

/// Small numbers have a bucket each; of larger ones, the first bits decide.
fn bucket_of(nanos: u64) -> usize {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEP_BITS + 1);
    let bucket = u64::from(shift * STEPS) + (nanos >> shift);
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

/// The largest number of a bucket.
fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let steps = u64::from(STEPS);
    let shift = (bucket / steps).saturating_sub(1);
    let first = bucket - shift * steps;
    (((u128::from(first) + 1) << shift) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_at_most_a_hundredth_wide() {
        let mut last = 0;
        for bit in 0..64 {
            for offset in [0_u64, 1, 77, 12_345] {
                let number = (1_u64 << bit).saturating_add(offset);
                let end = end_of(bucket_of(number));
                assert!(end >= number, "{number} is beyond the end of its bucket, {end}");
                assert!(end - number <= number / 100, "{number} is in a bucket up to {end}");
            }
            assert!(bucket_of(1 << bit) >= last);
            last = bucket_of(1 << bit);
        }
        assert_eq!(end_of(bucket_of(u64::MAX)), u64::MAX);
    }

    #[test]
    fn percentiles_are_those_of_all_that_were_recorded() {
        let (mut one, mut two) = (Histogram::default(), Histogram::default());
        for micros in 1..=1000 {
            let half = if micros % 2 == 0 { &mut one } else { &mut two };
            half.record(Duration::from_micros(micros));
        }
        one.add(&two);
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = one.micros_at(share);
            assert!((found - micros).abs() <= micros / 100.0, "{share}: {found}");
        }
        assert!(Histogram::default().micros_at(0.5).abs() < f64::EPSILON);
    }
}
