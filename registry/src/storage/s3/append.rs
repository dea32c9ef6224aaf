//! Taking in the bytes of an upload: whole parts go into the multipart upload as they fill, and the rest is the new tail.
//!
//! One buffer is filled and sent in turn. Without bytes to put into it none is taken, and a client that lets it wait while others
//! need one has it taken away.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::{
    super::{AppendError, BoxError, ByteStream, Error, Position, StopCause, Then, UploadId},
    Inner,
    buffers::Buffer,
    failure::{Cause, Failure},
    names,
    state::{Multipart, State, Tail},
    tail,
};

/// How long a client may keep a large buffer waiting while there are no more of them.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an append left.
pub(super) struct Appended {
    pub(super) position: Position,
    /// The bytes beyond the whole parts, if they were left to the commit.
    pub(super) rest: Option<Buffer>,
}

/// Why an append ends early.
enum Stop {
    Gone,
    Cause(StopCause),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Cause::Absent | Cause::Parts => Self::Gone,
            Cause::OutOfRange | Cause::Other => Self::Cause(failure.error.into()),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Cause(error.into())
    }
}

/// See `HeldUpload::append`.
pub(super) async fn append(
    inner: &Inner,
    upload: UploadId,
    at: &Position,
    mut body: ByteStream,
    then: Then,
) -> Result<Appended, AppendError> {
    let stopped = |cause| AppendError::Stopped {
        durable: at.clone(),
        cause,
    };
    let state = State::of(upload, at).map_err(|error| stopped(error.into()))?;
    if state.size() != at.offset {
        return Err(AppendError::Lost { durable: state.size() });
    }
    let first = match next(&mut body).await {
        Ok(Some(piece)) => piece,
        Ok(None) => {
            return Ok(Appended {
                position: at.clone(),
                rest: None,
            });
        }
        Err(error) => return Err(stopped(StopCause::Body(error))),
    };
    let mut writer = Writer {
        inner,
        upload,
        old: state.old_tail,
        at_tail: state.tail.clone(),
        multipart: state.multipart,
        tail: state.tail,
        buffer: None,
    };
    let broken = match writer.take_in(first, &mut body).await {
        Ok(()) => None,
        Err(Stop::Gone) => return Err(AppendError::Gone),
        Err(Stop::Cause(StopCause::Body(error))) => Some(error),
        Err(Stop::Cause(cause)) => return Err(stopped(cause)),
    };
    if broken.is_none() && then == Then::Commit {
        return Ok(writer.leave());
    }
    match (writer.save().await, broken) {
        (Ok(position), None) => Ok(Appended { position, rest: None }),
        (Ok(durable), Some(error)) => Err(AppendError::Stopped {
            durable,
            cause: StopCause::Body(error),
        }),
        (Err(Stop::Gone), _) => Err(AppendError::Gone),
        (Err(Stop::Cause(cause)), _) => Err(stopped(cause)),
    }
}

/// The next bytes of the body.
async fn next(body: &mut ByteStream) -> Result<Option<Bytes>, BoxError> {
    loop {
        match body.next().await.transpose()? {
            Some(piece) if piece.is_empty() => {}
            piece => return Ok(piece),
        }
    }
}

struct Writer<'a> {
    inner: &'a Inner,
    upload: UploadId,
    /// A tail that no position needs any more.
    old: Option<String>,
    /// The tail that this append began with; who fails goes on from it.
    at_tail: Option<Tail>,
    multipart: Option<Multipart>,
    /// Bytes that are stored and come before what follows, but not in the buffer.
    tail: Option<Tail>,
    buffer: Option<Buffer>,
}

impl Writer<'_> {
    /// Takes in the body to its end.
    async fn take_in(&mut self, mut piece: Bytes, body: &mut ByteStream) -> Result<(), Stop> {
        let mut until = Instant::now() + PATIENCE;
        loop {
            while !piece.is_empty() {
                let mut buffer = if let Some(buffer) = self.buffer.take() {
                    buffer
                } else {
                    let buffer = self.take_buffer(piece.len()).await?;
                    until = Instant::now() + PATIENCE;
                    buffer
                };
                buffer.fill(&mut piece).await;
                if buffer.is_full() {
                    self.send_part(&mut buffer).await?;
                } else {
                    self.buffer = Some(buffer);
                }
            }
            let next = loop {
                match timeout_at(until, next(body)).await {
                    Ok(next) => break next,
                    Err(_) if self.inner.buffers.is_short() && self.buffer.is_some() => {
                        self.store_tail().await?;
                        break next(body).await;
                    }
                    Err(_) => until = Instant::now() + PATIENCE,
                }
            };
            match next.map_err(|error| Stop::Cause(StopCause::Body(error)))? {
                Some(next) => piece = next,
                None => return Ok(()),
            }
        }
    }

    /// A buffer that begins with the tail.
    async fn take_buffer(&mut self, more: usize) -> Result<Buffer, Stop> {
        let Some(stored) = self.tail.take() else {
            return Ok(self.inner.buffers.take(more).await);
        };
        let bucket = &self.inner.bucket;
        let buffer = tail::load(bucket, &self.inner.buffers, &stored).await?;
        if self.at_tail.as_ref() != Some(&stored) {
            // It was stored for a moment only, to lend its memory to others.
            bucket.delete(&stored.name).await?;
        }
        buffer.ok_or(Stop::Gone)
    }

    /// Stores a whole part. The memory goes back to the pool: the client decides when more is needed.
    async fn send_part(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        let (bucket, name) = (&self.inner.bucket, names::data(self.upload));
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            None => self.multipart.insert(Multipart {
                id: bucket.create_multipart(&name).await?,
                parts: Vec::new(),
            }),
        };
        let number = multipart.next_number();
        let sent = buffer.lend(async |bytes| bucket.upload_part(&name, &multipart.id, number, bytes).await);
        multipart.parts.push(sent.await?);
        Ok(())
    }

    /// The bytes of the whole parts.
    fn parts_size(&self) -> u64 {
        let parts = self.multipart.as_ref().map_or(0, |multipart| multipart.parts.len());
        (parts * super::PART) as u64
    }

    /// Puts what the buffer holds into an object, and gives the buffer back.
    async fn store_tail(&mut self) -> Result<(), Stop> {
        if let Some(mut buffer) = self.buffer.take() {
            let before = self.parts_size();
            self.tail = Some(tail::save(&self.inner.bucket, self.upload, before, &mut buffer).await?);
        }
        Ok(())
    }

    /// Makes everything durable, and removes the tail that nobody needs any more.
    async fn save(mut self) -> Result<Position, Stop> {
        let old = self.old.take();
        if let Some(name) = &old
            && let Err(error) = self.inner.bucket.delete(name).await
        {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "an old tail is left for the end of its upload"
            );
        }
        self.store_tail().await?;
        let state = State {
            multipart: self.multipart,
            tail: self.tail,
            old_tail: self.at_tail.map(|tail| tail.name),
        };
        Ok(state.position())
    }

    /// Leaves the bytes beyond the whole parts in memory.
    fn leave(self) -> Appended {
        let offset = self.parts_size()
            + self.tail.as_ref().map_or(0, |tail| tail.size)
            + self.buffer.as_ref().map_or(0, |buffer| buffer.len() as u64);
        let state = State {
            multipart: self.multipart,
            tail: self.tail,
            old_tail: self.at_tail.map(|tail| tail.name),
        };
        Appended {
            position: Position {
                offset,
                durable: self.buffer.is_none(),
                ..state.position()
            },
            rest: self.buffer,
        }
    }
}
