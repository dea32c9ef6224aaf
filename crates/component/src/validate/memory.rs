//! A file that is in memory: read once, and its functions validated on several threads.

use std::num::NonZeroUsize;

use wasmparser::WasmFeatures;

use super::{
    MAX_PENDING,
    body::Bodies,
    gate::{Gate, Passed},
};
use crate::{
    features::{ACCEPTED, Feature, WASMTIME_48},
    invalid::Invalid,
};

/// How many functions wait at most before they are validated, so that a file of nothing but functions takes no more memory than
/// another.
const MAX_WAITING: usize = 1 << 16;

/// Validates a file, and says which features it needs that wasmtime 48 does not run unless told to.
///
/// A file that needs none passes without them, so that one pass answers both.
pub(crate) fn check(bytes: &[u8], threads: NonZeroUsize) -> Result<(Passed, Vec<Feature>), Invalid> {
    if let Ok(passed) = pass(bytes, WASMTIME_48, Bodies::Later, threads) {
        return Ok((passed, Vec::new()));
    }
    let passed = pass(bytes, ACCEPTED, Bodies::Later, threads)?;
    Ok((passed, surplus(bytes, threads)))
}

/// The features that `valid`, a file that passed, needs and wasmtime 48 does not run unless told to; empty for most files.
///
/// A feature is needed if the file is refused without it. The answer costs one more validation, and for the few files that
/// do need one, a shallow one for each feature in question.
pub fn beyond_wasmtime_48(valid: &[u8]) -> Vec<Feature> {
    let threads = NonZeroUsize::MIN;
    if pass(valid, WASMTIME_48, Bodies::Later, threads).is_ok() {
        return Vec::new();
    }
    surplus(valid, threads)
}

fn surplus(valid: &[u8], threads: NonZeroUsize) -> Vec<Feature> {
    let is_needed = |feature: &Feature| {
        let others = ACCEPTED.difference(feature.flag());
        pass(valid, others, Bodies::for_feature(*feature), threads).is_err()
    };
    Feature::each_of(ACCEPTED.difference(WASMTIME_48))
        .filter(is_needed)
        .collect()
}

/// What [`validate`](super::validate) answers for `features` instead of [`ACCEPTED`], with what the validator learnt.
pub(crate) fn pass(
    bytes: &[u8],
    features: WasmFeatures,
    bodies: Bodies,
    threads: NonZeroUsize,
) -> Result<Passed, Invalid> {
    let mut gate = Gate::new(features, bodies);
    let outcome = read(&mut gate, bytes, threads);
    // What is wrong in a function comes first: it stands before all that was read after it.
    gate.waiting().validate(bytes, threads)?;
    outcome
}

fn read(gate: &mut Gate, bytes: &[u8], threads: NonZeroUsize) -> Result<Passed, Invalid> {
    let mut rest = bytes;
    loop {
        if let Some(passed) = gate.passed() {
            return Ok(passed);
        }
        rest = &rest[gate.step_to_the_end(rest)?..];
        let waiting = gate.waiting();
        if waiting.count() >= MAX_WAITING || waiting.size() >= MAX_PENDING as u64 {
            waiting.validate(bytes, threads)?;
        }
    }
}
