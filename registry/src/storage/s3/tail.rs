//! The bytes of an upload beyond its last whole part: an object of their own, because S3 takes no part that small.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use uuid::Uuid;

use super::{
    super::{Error, ErrorKind, Operation, UploadId},
    bucket::Bucket,
    buffers::{Buffer, Buffers},
    failure::Failure,
    names, read,
    state::Tail,
};

/// Stores what the buffer holds as the tail of an upload whose whole parts have `before` bytes. The buffer is empty then.
pub(super) async fn save(bucket: &Bucket, upload: UploadId, before: u64, buffer: &mut Buffer) -> Result<Tail, Failure> {
    let size = buffer.len() as u64;
    // A name of its own each time: another server that goes on from the same position makes another object.
    let name = format!("{}{}.{}", names::upload(upload), before + size, Uuid::new_v4());
    buffer.lend(async |bytes| bucket.put(&name, bytes).await).await?;
    Ok(Tail { name, size })
}

/// A buffer with a stored tail in it; `None` if it is not there any more.
pub(super) async fn load(bucket: &Bucket, buffers: &Arc<Buffers>, tail: &Tail) -> Result<Option<Buffer>, Error> {
    let size = usize::try_from(tail.size).unwrap_or(usize::MAX).min(super::PART);
    let mut buffer = buffers.take(size).await;
    let Some(mut bytes) = read::object(bucket, &tail.name, 0..tail.size).await? else {
        return Ok(None);
    };
    let broken = |why| Error::of_kind(Operation::Read, &tail.name, ErrorKind::Transient, why);
    while let Some(mut piece) = bytes.try_next().await.map_err(broken)? {
        buffer.fill(&mut piece).await;
    }
    Ok(Some(buffer))
}
