//! How far a transfer is, for whoever wants to show it.

use wreg_oci::Digest;

/// Told about the blobs that are being moved. Several may be on their way at once, so every call names the digest.
///
/// The calls come from the tasks that move bytes: they must not block.
pub trait Progress: Send + Sync {
    /// A blob of `total` bytes is about to be moved.
    fn start(&self, digest: &Digest, total: u64);

    /// `bytes` more of it are done. The sum may exceed the total where a transfer had to begin again.
    fn advance(&self, digest: &Digest, bytes: u64);

    /// It is done. Not called when the transfer failed.
    fn finish(&self, digest: &Digest);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _digest: &Digest, _total: u64) {}

    fn advance(&self, _digest: &Digest, _bytes: u64) {}

    fn finish(&self, _digest: &Digest) {}
}
