//! The feature sets: what wreg accepts, what wasmtime 48 runs, and how a single feature is called.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use wasmparser::WasmFeatures;

/// What the gate accepts: WebAssembly 3.0 and the component model with everything that components for WASI 0.3 use.
///
/// It is wider than what any one runtime runs by default. A registry stores components for more than one runtime, and
/// [`beyond_wasmtime_48`](crate::beyond_wasmtime_48) says what the surplus is.
pub const ACCEPTED: WasmFeatures = WASMTIME_48
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_IMPLEMENTS)
    .union(WasmFeatures::CM_THREADING);

/// What wasmtime 48 runs when nobody configures it: WebAssembly 3.0, the component model, and its basic async.
///
/// Source: wasmtime 48.0.8, `src/config.rs`, `Config::features`. It starts from nothing, adds `WASM3`, then
/// `COMPONENT_MODEL` and `CM_ASYNC` where the cargo features `component-model` and `component-model-async` are on, as they
/// are by default. (The default cargo features `gc` and `threads` keep those parts of `WASM3`.)
pub const WASMTIME_48: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC);

/// One feature of WebAssembly or of the component model, by the name that wasmtime's `-W` option gives it:
/// `component-model-error-context`, `wide-arithmetic`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Feature(WasmFeatures);

impl Feature {
    /// The first named feature in `set`, which is how wasmparser reports the one that it misses.
    pub(crate) fn first_of(set: WasmFeatures) -> Option<Self> {
        Self::each_of(set).next()
    }

    /// Every named feature in `set`.
    pub(crate) fn each_of(set: WasmFeatures) -> impl Iterator<Item = Self> {
        set.iter_names().map(|(_, flag)| Self(flag))
    }

    /// This feature alone, as a set.
    pub(crate) fn flag(self) -> WasmFeatures {
        self.0
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = self.0.iter_names().next().map_or("unknown", |(name, _)| name);
        let name = flag.to_ascii_lowercase().replace('_', "-");
        match name.strip_prefix("cm-") {
            Some(rest) => write!(f, "component-model-{rest}"),
            None => f.write_str(&name),
        }
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feature({self})")
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::each_of(WasmFeatures::all())
            .find(|feature| feature.to_string() == name)
            .ok_or_else(|| de::Error::custom("no feature of this name is known"))
    }
}
