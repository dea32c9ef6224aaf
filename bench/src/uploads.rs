//! Eight uploads of 1 GiB at once: private memory of the server, and the rate.

use std::{thread, time::Instant};

use wreg_harness::RegistryProcess;
use wreg_oci::{Algorithm, Hasher};

use crate::{client::Client, memory, print_row};

const UPLOADS: u8 = 8;
const PIECE: usize = 1024 * 1024;
const PIECES: usize = 1024;

pub(crate) fn measure() {
    // Digests are computed before the clock starts.
    let pieces: Vec<Vec<u8>> = (0..UPLOADS).map(|number| vec![number; PIECE]).collect();
    let digests: Vec<String> = pieces.iter().map(|piece| digest(piece)).collect();
    let registry = RegistryProcess::start();
    let before = memory::private_mib(registry.pid());
    let began = Instant::now();
    let peak = memory::peak_mib(registry.pid(), || {
        thread::scope(|scope| {
            for (piece, digest) in pieces.iter().zip(&digests) {
                let mut client = Client::of(&registry);
                scope.spawn(move || push(&mut client, piece, digest));
            }
        });
    });
    let rate = f64::from(UPLOADS) * 1024.0 / began.elapsed().as_secs_f64();
    print_row(
        "private memory, eight uploads of 1 GiB at once, peak",
        vec![peak],
        "MiB",
    );
    print_row("the same, above idle", vec![peak - before], "MiB");
    print_row("the same, rate of all together, durable", vec![rate], "MiB/s");
}

fn digest(piece: &[u8]) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    (0..PIECES).for_each(|_| hasher.update(piece));
    hasher.finish().to_string()
}

fn push(client: &mut Client, piece: &[u8], digest: &str) {
    let target = format!("/v2/bench/blobs/uploads/?digest={digest}");
    let answer = client.request("POST", &target, PIECE * PIECES, std::iter::repeat_n(piece, PIECES));
    assert_eq!(answer.status, 201, "{answer:?}");
}
