//! Function bodies: whether they are validated, and one of them, within bounds.
//!
//! A call of two bytes can leave a thousand values on the operand stack, so a body of a megabyte can make a validator keep
//! gigabytes of them. Nothing in the specification forbids that; no compiler writes it.

use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources, WasmFeatures};

use crate::{features::Feature, invalid::Invalid};

/// The most operands, and the most nested blocks, that the validator follows at a time in one function.
const MAX_STACK: u32 = 1_000_000;

/// Whether the instructions in function bodies are validated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    Validate,
    /// They wait, for [`Gate::waiting`](super::gate::Gate::waiting).
    Later,
    /// For asking what no instruction depends on.
    Skip,
}

impl Bodies {
    /// What it takes to find out whether a valid file needs `feature`.
    pub(super) fn for_feature(feature: Feature) -> Self {
        if feature.flag() == WasmFeatures::WIDE_ARITHMETIC {
            Self::Later
        } else {
            Self::Skip
        }
    }
}

pub(super) fn validate(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: &mut FuncValidatorAllocations,
) -> Result<(), Invalid> {
    let mut validator = function.into_validator(std::mem::take(allocations));
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    reader.set_features(*validator.features());
    while !reader.eof() {
        let at = reader.original_position();
        reader.visit_operator(&mut validator.visitor(at))??;
        if validator.operand_stack_height() > MAX_STACK || validator.control_stack_height() > MAX_STACK {
            let what = format!("the function at this place has more than {MAX_STACK} operands or blocks at a time");
            return Err(Invalid::too_large(at, &what));
        }
    }
    reader.finish_expression(&validator.visitor(reader.original_position()))?;
    *allocations = validator.into_allocations();
    Ok(())
}
