//! What the figures were measured on, and what is done so that it is the same for all.

use std::{fs, path::Path, process::Command, thread};

use anyhow::{Result, bail};

use crate::process;

/// Processors, kernel, and the file system of a folder. An error where that is in memory, which syncs nothing.
pub(super) fn describe(folder: &Path) -> Result<Vec<String>> {
    let cores = thread::available_parallelism()?;
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("of unknown model", |model| model.trim_start_matches([' ', '\t', ':']));
    let kernel = process::read(Command::new("uname").args(["-s", "-r"]))?;
    let file_system = process::read(Command::new("df").arg("--output=fstype").arg(folder))?;
    let file_system = file_system.lines().next_back().unwrap_or_default().trim();
    if file_system == "tmpfs" || file_system == "ramfs" {
        bail!("{} is in memory: give another --folder", folder.display());
    }
    Ok(vec![
        format!("{cores} cores, {model}; the load is on the same cores"),
        kernel.trim().to_owned(),
        format!("data on {file_system}"),
    ])
}

/// Makes the subfolders of a folder start far from each other on ext4, so that none looks through the inodes of the one before. Other
/// file systems know nothing of it, and need it not.
pub(super) fn spread(folder: &Path) {
    drop(Command::new("chattr").arg("+T").arg(folder).output());
}
