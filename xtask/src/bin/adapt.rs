//! `adapt MODULE COMPONENT`: makes a component from a command built for wasip1.

#![expect(clippy::disallowed_methods, reason = "a module of ours, small enough to hold")]

use std::{env, fs};

use anyhow::{Context, Result, bail};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [module, component] = arguments.as_slice() else {
        bail!("usage: adapt MODULE COMPONENT");
    };
    let module = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        )?
        .encode()?;
    fs::write(component, bytes).with_context(|| format!("writing {}", component.display()))
}
