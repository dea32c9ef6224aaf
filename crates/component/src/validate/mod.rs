//! The gate: full validation of a module or component, as its bytes arrive.
//!
//! Everything else in wreg that reads a component reads it after this. The gate is wasmparser of a generation that bounds
//! the number of nested modules and components; older ones take seconds on a small file of thousands of nested components.

mod body;
mod gate;
mod large;
mod memory;
mod waiting;
mod weight;

use serde::{Deserialize, Serialize};

use crate::{features::ACCEPTED, invalid::Invalid};
pub(crate) use body::Bodies;
pub(crate) use gate::Passed;
pub use memory::beyond_wasmtime_48;
pub(crate) use memory::{check, pass};

use gate::{Gate, Step};

/// The most bytes of the file that a [`Validator`] holds at a time: 16 MiB.
///
/// It is reached only by one function body, or by one section that is neither code, data nor custom. (The specification's
/// own bound on a function body, 7 654 321 bytes, is lower.) Code is held a function at a time, data a segment's offset
/// expression at a time, and large custom sections not at all. What the validator learns of types, functions and so on comes
/// on top. It is a few megabytes for an ordinary file of any size; what a hostile one can drive it to is bounded as well, at a
/// few hundred megabytes, by refusing what no compiler writes ([`Reason::TooLarge`](crate::Reason::TooLarge)).
pub const MAX_PENDING: usize = 16 << 20;

/// What a valid file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
    /// A WIT package in binary form: a component that exports nothing but types of components.
    WitPackage,
}

/// A file that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valid {
    /// What it is.
    pub kind: Kind,
    /// Its size, in bytes.
    pub size: u64,
}

/// Validates a file whose bytes arrive in pieces, of any size, and are not kept: see [`MAX_PENDING`].
///
/// Dropping it half way has no effect on anything else.
pub struct Validator {
    gate: Gate,
    /// Bytes that the gate has seen but cannot take yet.
    pending: Vec<u8>,
    /// How many bytes `pending` must have before the gate is asked again.
    wanted: usize,
    failed: Option<Invalid>,
}

impl Validator {
    /// A validator that has seen nothing, for [`ACCEPTED`].
    pub fn new() -> Self {
        Self {
            gate: Gate::new(ACCEPTED, Bodies::Validate),
            pending: Vec::new(),
            wanted: 0,
            failed: None,
        }
    }

    /// Takes the next bytes. After the first error every further call gives the same error.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        self.take(bytes)
            .inspect_err(|invalid| self.failed = Some(invalid.clone()))
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), Invalid> {
        loop {
            if self.pending.is_empty() {
                if bytes.is_empty() {
                    return Ok(());
                }
                match self.gate.step(bytes, false)? {
                    Step::Took(count) => bytes = &bytes[count..],
                    Step::Wants(count) => {
                        self.want(count)?;
                        self.pending.extend_from_slice(bytes);
                        return Ok(());
                    }
                }
            } else {
                let missing = self.wanted.saturating_sub(self.pending.len());
                let (now, later) = bytes.split_at(missing.min(bytes.len()));
                self.pending.extend_from_slice(now);
                bytes = later;
                if self.pending.len() < self.wanted {
                    return Ok(());
                }
                match self.gate.step(&self.pending, false)? {
                    Step::Took(count) => drop(self.pending.drain(..count)),
                    Step::Wants(count) => self.want(count)?,
                }
            }
        }
    }

    fn want(&mut self, count: usize) -> Result<(), Invalid> {
        if count > MAX_PENDING {
            return Err(Invalid::too_much(self.gate.taken(), count));
        }
        self.wanted = count;
        Ok(())
    }

    /// How many bytes of the file it holds now; never more than [`MAX_PENDING`].
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Says that no more bytes come.
    pub fn finish(mut self) -> Result<Valid, Invalid> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let mut rest = self.pending.as_slice();
        loop {
            if let Some(Passed { kind, size, .. }) = self.gate.passed() {
                return Ok(Valid { kind, size });
            }
            rest = &rest[self.gate.step_to_the_end(rest)?..];
        }
    }
}

impl Default for Validator {
    fn default() -> Self {
        Self::new()
    }
}

/// Validates a file that is in memory. It copies none of it but what [`Validator`] would hold.
pub fn validate(bytes: &[u8]) -> Result<Valid, Invalid> {
    let mut validator = Validator::new();
    validator.push(bytes)?;
    validator.finish()
}
