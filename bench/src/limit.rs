//! What the machine can do at most: content hashed, written, and synced as a registry must before it may acknowledge it, with nothing else.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use wreg_oci::Digest;

use crate::load::Size;

/// What to write, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder on the disk in question
    #[arg(long)]
    folder: PathBuf,
    /// Bytes of each file
    #[arg(long, default_value = "100KiB")]
    size: Size,
    /// How many write at once
    #[arg(long, default_value_t = 16)]
    threads: usize,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// Writes for that long, and gives files and megabytes a second, as the load does.
#[expect(clippy::cast_precision_loss, reason = "figures with one decimal")]
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let Arguments {
        folder, size, threads, ..
    } = arguments;
    let place = tempfile::tempdir_in(folder)?;
    let (count, began) = (AtomicUsize::new(0), Instant::now());
    let until = began + Duration::from_secs_f64(arguments.seconds);
    thread::scope(|scope| {
        let write = || -> io::Result<()> {
            let mut content = vec![7; size.0];
            while Instant::now() < until {
                let number = count.fetch_add(1, Ordering::Relaxed);
                content[..8].copy_from_slice(&number.to_le_bytes());
                write_one(place.path(), number, &content)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..*threads).map(|_| scope.spawn(write)).collect();
        let mut ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ended.try_for_each(|ended| {
            ended
                .map_err(|_| anyhow!("a thread panicked"))?
                .map_err(anyhow::Error::from)
        })
    })?;
    let each_second = count.into_inner() as f64 / began.elapsed().as_secs_f64();
    let megabytes = each_second * size.0 as f64 / 1e6;
    Ok(format!(
        "{{\"name\":\"write, fsync, rename, fsync of the folder, SHA-256, {size}\",\"per_second\":{each_second:.1},\"mb_per_second\":{megabytes:.1}}}"
    ))
}

fn write_one(folder: &Path, number: usize, content: &[u8]) -> io::Result<()> {
    let (unfinished, digest) = (folder.join(format!("upload-{number}")), Digest::sha256(content));
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(digest.encoded()))?;
    File::open(folder)?.sync_all()
}
