//! Many uploads at once: private memory of the server, and the rate.

use std::{iter, thread, time::Instant};

use wreg_harness::RegistryProcess;
use wreg_oci::{Algorithm, Hasher};

use crate::{client::Client, memory, print_row};

const PIECE: usize = 1024 * 1024;

/// On files; and on object storage, if the environment names a bucket.
pub(crate) fn measure() {
    few_and_large();
    for size in [16, 64] {
        let registry = RegistryProcess::start();
        many(&registry, size, "files");
    }
    let Some(storage) = wreg_harness::object_storage_for_units() else {
        return;
    };
    for size in [16, 64] {
        let prefix = format!("bench/{size}/");
        let start = storage.variables(&prefix).into_iter();
        let start = start.fold(RegistryProcess::builder(), |start, (name, value)| {
            start.env(name, value)
        });
        many(&start.start(), size, "S3");
    }
}

/// Eight uploads of 1 GiB.
fn few_and_large() {
    let blobs: Vec<Blob> = (0..8).map(|number| Blob::new(number, 1024)).collect();
    let registry = RegistryProcess::start();
    let before = memory::private_mib(registry.pid());
    let (peak, rate) = push_all(&registry, &blobs);
    print_row(
        "private memory, eight uploads of 1 GiB at once, peak",
        vec![peak],
        "MiB",
    );
    print_row("the same, above idle", vec![peak - before], "MiB");
    print_row("the same, rate of all together, durable", vec![rate], "MiB/s");
}

/// 200 uploads of `size` MiB.
fn many(registry: &RegistryProcess, size: usize, store: &str) {
    let blobs: Vec<Blob> = (0..200).map(|number| Blob::new(number, size)).collect();
    let (peak, rate) = push_all(registry, &blobs);
    print_row(
        &format!("private memory, 200 uploads of {size} MiB at once, {store}, peak"),
        vec![peak],
        "MiB",
    );
    print_row("the same, rate of all together, durable", vec![rate], "MiB/s");
}

/// One piece of bytes, again and again.
struct Blob {
    piece: Vec<u8>,
    pieces: usize,
    digest: String,
}

impl Blob {
    /// Digests are computed before the clock starts.
    fn new(number: u8, pieces: usize) -> Self {
        let piece = vec![number; PIECE];
        let mut hasher = Hasher::new(Algorithm::Sha256);
        (0..pieces).for_each(|_| hasher.update(&piece));
        let digest = hasher.finish().to_string();
        Self { piece, pieces, digest }
    }

    fn push(&self, client: &mut Client) {
        let target = format!("/v2/bench/blobs/uploads/?digest={}", self.digest);
        let pieces = iter::repeat_n(self.piece.as_slice(), self.pieces);
        let answer = client.request("POST", &target, PIECE * self.pieces, pieces);
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

/// The most private memory in MiB, and the rate in MiB/s.
#[expect(clippy::cast_precision_loss, reason = "a figure with one decimal")]
fn push_all(registry: &RegistryProcess, blobs: &[Blob]) -> (f64, f64) {
    let began = Instant::now();
    let peak = memory::peak_mib(registry.pid(), || {
        thread::scope(|scope| {
            for blob in blobs {
                let mut client = Client::of(registry);
                scope.spawn(move || blob.push(&mut client));
            }
        });
    });
    let size: usize = blobs.iter().map(|blob| blob.pieces).sum();
    (peak, size as f64 / began.elapsed().as_secs_f64())
}
