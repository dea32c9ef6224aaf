//! What it costs to know all about a component: `WREG_FIXTURES=~/.cache/wreg/fixtures cargo bench -p wreg-component`, after
//! `cargo xtask fixtures`.

use std::num::NonZeroUsize;

use divan::{Bencher, counter::BytesCount};
use wreg_component::{analyse, inspect, outline, validate};
use wreg_harness::fixtures;

fn main() {
    divan::main();
}

const FILES: [&str; 3] = ["javascript.wasm", "python.wasm", "esbuild.wasm"];

fn each<T>(bencher: Bencher<'_, '_>, file: &str, ask: impl Fn(&[u8]) -> T + Sync) {
    let Some(path) = fixtures::path(file) else { return };
    #[expect(clippy::disallowed_methods, reason = "a file of known size")]
    let bytes = std::fs::read(path).expect("it can be read");
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| ask(&bytes));
}

#[divan::bench(args = FILES)]
fn validate_alone(bencher: Bencher<'_, '_>, file: &str) {
    each(bencher, file, validate);
}

#[divan::bench(args = FILES)]
fn outline_alone(bencher: Bencher<'_, '_>, file: &str) {
    each(bencher, file, outline);
}

#[divan::bench(args = FILES)]
fn inspect_on_all_processors(bencher: Bencher<'_, '_>, file: &str) {
    each(bencher, file, inspect);
}

#[divan::bench(args = FILES, consts = [1, 2])]
fn analyse_on_threads<const THREADS: usize>(bencher: Bencher<'_, '_>, file: &str) {
    let threads = NonZeroUsize::new(THREADS).expect("some");
    each(bencher, file, |bytes| analyse(bytes, threads));
}
