//! Taking in the bytes of an upload.
//!
//! The body is gathered into buffers of [`BUFFER`] bytes. While one is written on a blocking thread the next one fills, so at most
//! two are alive; small bodies get small buffers. One flush at the end makes all of it durable.
//!
//! The page cache keeps the first [`CACHED`] bytes of an upload for whoever pulls it next. What follows goes past it: a copy into the
//! cache can cost more than all else that is done with a byte here, and pushes out what others read.

use std::io;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::{
    super::{AppendError, BoxError, ByteStream, Error, Operation, Position, StopCause, key::UPLOADS},
    buffer::{Buffer, is_aligned},
    disk::Disk,
    held::Locked,
    stopping,
};

/// How much is written at once, in bytes; a power of two.
const BUFFER: usize = 256 * 1024;
/// How much of an upload is left in the page cache, in bytes.
const CACHED: u64 = 1 << 20;

/// See `HeldUpload::append`. The upload comes back with the outcome; the outer error means that no more work is taken on.
pub(super) async fn append(
    locked: Locked,
    offset: u64,
    body: ByteStream,
) -> Result<(Locked, Result<u64, AppendError>), Error> {
    let mut source = Source {
        body,
        rest: Bytes::new(),
    };
    let mut filling = Buffer::default();
    let disk = locked.file.shared_disk();
    let writer = Writer {
        locked,
        start: offset,
        end: offset,
    };
    let mut turn = Turn::Over(Written {
        writer,
        buffer: Buffer::default(),
        outcome: Ok(()),
    });
    let last = loop {
        let filled = source.fill(&mut filling).await;
        let Written {
            writer,
            buffer,
            outcome,
        } = turn.wait().await.map_err(stopping)?;
        match (outcome, filled) {
            (Err(error), _) => break in_turn(&disk, move || writer.finish(&[], Some(error.into()))).await,
            (Ok(()), Filled::Full) => {
                let full = std::mem::replace(&mut filling, buffer);
                turn = Turn::Running(in_turn(&disk, move || writer.write_buffer(full)).await);
            }
            (Ok(()), Filled::End) => break in_turn(&disk, move || writer.finish(filling.bytes(), None)).await,
            (Ok(()), Filled::Broken(error)) => {
                break in_turn(&disk, move || {
                    writer.finish(filling.bytes(), Some(StopCause::Body(error)))
                })
                .await;
            }
        }
    };
    last.await.map_err(stopping)
}

/// Begins `work` off the runtime as soon as it is its turn. Until then nothing more of the body is taken in.
async fn in_turn<T: Send + 'static>(disk: &Disk, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let turn = disk.turn_to_write().await;
    spawn_blocking(move || {
        let outcome = work();
        drop(turn);
        outcome
    })
}

/// The body, with what did not fit into the last buffer.
struct Source {
    body: ByteStream,
    rest: Bytes,
}

/// Why a buffer is filled no further.
enum Filled {
    Full,
    End,
    Broken(BoxError),
}

impl Source {
    /// Gathers bytes until `buffer` holds [`BUFFER`] of them or no more come.
    async fn fill(&mut self, buffer: &mut Buffer) -> Filled {
        loop {
            let piece = self.rest.len().min(BUFFER - buffer.len());
            buffer.extend(&self.rest[..piece]);
            self.rest.advance(piece);
            if buffer.len() == BUFFER {
                return Filled::Full;
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.rest = chunk,
                Some(Err(error)) => return Filled::Broken(error),
                None => return Filled::End,
            }
        }
    }
}

/// The write of one buffer.
enum Turn {
    Running(JoinHandle<Written>),
    Over(Written),
}

/// The writer and the buffer, back from their turn.
struct Written {
    writer: Writer,
    buffer: Buffer,
    outcome: Result<(), Error>,
}

impl Turn {
    async fn wait(self) -> Result<Written, JoinError> {
        match self {
            Self::Running(turn) => turn.await,
            Self::Over(written) => Ok(written),
        }
    }
}

/// The upload and how far this append got.
struct Writer {
    locked: Locked,
    /// What was durable before.
    start: u64,
    /// Where the next byte goes.
    end: u64,
}

impl Writer {
    /// Writes the buffer, and hands it back empty.
    fn write_buffer(mut self, mut buffer: Buffer) -> Written {
        let outcome = self.write(buffer.bytes());
        buffer.clear();
        Written {
            writer: self,
            buffer,
            outcome,
        }
    }

    /// Writes `bytes`; `end` counts what did get written when it fails half way.
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let Locked { file, size } = &mut self.locked;
        if bytes.is_empty() {
            return Ok(());
        }
        // An aborted upload has no name any more: without this look its writer would go on filling the disk to the end of the body.
        if !file.is_in_place()? {
            return Err(Error::new(
                Operation::Write,
                "an upload that is gone",
                io::ErrorKind::NotFound.into(),
            ));
        }
        if *size > self.end {
            file.truncate(self.end)?;
            *size = self.end;
        }
        while !bytes.is_empty() {
            let past_cache = self.end >= CACHED && is_aligned(bytes, self.end);
            let written = file.write_at(bytes, self.end, past_cache)?;
            bytes = &bytes[written..];
            self.end += written as u64;
            *size = self.end;
        }
        Ok(())
    }

    /// Writes the last `bytes` and makes everything durable. `cause` is why the body ends early, if it does.
    fn finish(mut self, bytes: &[u8], cause: Option<StopCause>) -> (Locked, Result<u64, AppendError>) {
        let cause = self.write(bytes).err().map(StopCause::Storage).or(cause);
        let outcome = match self.make_durable() {
            Ok(true) => match cause {
                None => Ok(self.end),
                Some(cause) => Err(AppendError::Stopped {
                    durable: Position::plain(self.end),
                    cause,
                }),
            },
            Ok(false) => Err(AppendError::Lost { durable: 0 }),
            Err(error) => Err(AppendError::Stopped {
                durable: Position::plain(self.start),
                cause: error.into(),
            }),
        };
        (self.locked, outcome)
    }

    /// Flushes what this append wrote; false if the upload was aborted in the meantime.
    fn make_durable(&mut self) -> Result<bool, Error> {
        let Locked { file, size } = &mut self.locked;
        if !file.is_in_place()? {
            return Ok(false);
        }
        if self.end == self.start {
            return Ok(true);
        }
        // The first bytes need the file's name as well: whichever call made the file may have been dropped before it got so far.
        let flushed = file.sync().and_then(|()| {
            if self.start == 0 {
                file.disk().sync_dir(UPLOADS)
            } else {
                Ok(())
            }
        });
        if flushed.is_err() && file.truncate(self.start).is_ok() {
            // What the device holds of the new bytes is unknown: they have to come again.
            *size = self.start;
        }
        flushed.map(|()| true)
    }
}
