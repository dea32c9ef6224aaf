//! Progress bars: one for each blob on its way.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use wreg_client::Progress;
use wreg_oci::Digest;

/// Blobs smaller than this, in bytes, are there before a bar could be read.
const WORTH_A_BAR: u64 = 256 * 1024;

const TEMPLATE: &str = "{msg} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";

/// Bars on stderr; each goes away when its blob is done.
pub(super) struct Bars {
    verb: &'static str,
    all: MultiProgress,
    by_digest: Mutex<HashMap<Digest, ProgressBar>>,
}

impl Bars {
    /// Bars that say what happens to the blobs: `pushing`, `pulling`.
    pub(super) fn new(verb: &'static str) -> Self {
        Self {
            verb,
            all: MultiProgress::new(),
            by_digest: Mutex::default(),
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut HashMap<Digest, ProgressBar>) -> T) -> T {
        action(&mut self.by_digest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Bars {
    fn start(&self, digest: &Digest, total: u64) {
        if total < WORTH_A_BAR {
            return;
        }
        let bar = self.all.add(ProgressBar::new(total));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        let short: String = digest.encoded().chars().take(12).collect();
        bar.set_message(format!("{} {short}", self.verb));
        self.with(|bars| bars.insert(digest.clone(), bar));
    }

    fn advance(&self, digest: &Digest, bytes: u64) {
        self.with(|bars| {
            if let Some(bar) = bars.get(digest) {
                bar.inc(bytes);
            }
        });
    }

    fn finish(&self, digest: &Digest) {
        if let Some(bar) = self.with(|bars| bars.remove(digest)) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.with(|bars| bars.drain().for_each(|(_, bar)| bar.finish_and_clear()));
    }
}
