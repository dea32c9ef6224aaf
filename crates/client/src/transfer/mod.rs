//! Moving blobs: streamed, so that memory does not depend on their size, verified while they move, and taken up again where a
//! connection broke.

mod part;
mod partial;
mod pull;
mod push;
mod source;
mod upload;

pub(crate) use part::{bytes, range};
pub use pull::PulledBlob;
pub(crate) use pull::{pull, pull_to_store};
pub use push::PushedBlob;
pub(crate) use push::{find, push};
pub use source::BlobSource;
use wreg_oci::{Descriptor, RepositoryName};

/// A blob in the words of errors.
fn what(repository: &RepositoryName, descriptor: &Descriptor) -> String {
    format!("blob {} of {repository}", descriptor.digest)
}
