//! Reading a range of an object. Where the connection breaks off, it goes on from there, or the stream ends with an error.

use std::ops::Range;

use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::{
    super::{BlobKey, BoxError, ByteStream, Error, ErrorKind, Operation},
    PART,
    bucket::Bucket,
    failure::Cause,
    names,
};

/// How often a read goes on without having got a byte in between.
const ATTEMPTS: u8 = 3;
/// The largest piece that is handed on, in bytes.
const PIECE: usize = 128 << 10;

/// The bytes `range` of a blob.
pub(super) async fn blob(bucket: &Bucket, key: BlobKey, range: Range<u64>) -> Result<Option<ByteStream>, Error> {
    if !range.is_empty() {
        // Which of the two names has the bytes is seldom in doubt; the other one is asked where it was the wrong one.
        let (own, data) = (key.object(), names::data(key.generation()));
        let names = if range.end > PART as u64 {
            [data, own]
        } else {
            [own, data]
        };
        for name in names {
            match Reader::open(bucket, name, range.clone()).await {
                Ok(reader) => return Ok(Some(reader.stream())),
                Err(failure) if matches!(failure.cause, Cause::Absent | Cause::OutOfRange) => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }
    match names::find(bucket, &key).await? {
        Some(found) if found.size < range.end => {
            let why = "it is shorter than the range asked for";
            Err(Error::of_kind(Operation::Read, found.name, ErrorKind::Broken, why))
        }
        Some(_) if range.is_empty() => Ok(Some(stream::empty().boxed())),
        Some(found) => object(bucket, &found.name, range).await,
        None => bucket.confirm().await.map(|()| None),
    }
}

/// The bytes `range` of an object, at least one.
pub(super) async fn object(bucket: &Bucket, name: &str, range: Range<u64>) -> Result<Option<ByteStream>, Error> {
    match Reader::open(bucket, name.to_owned(), range).await {
        Ok(reader) => Ok(Some(reader.stream())),
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure.error),
    }
}

/// What remains to be read of an object.
struct Reader {
    bucket: Bucket,
    name: String,
    range: Range<u64>,
    body: Body,
    /// Bytes that came and are not handed on yet.
    rest: Bytes,
    attempts: u8,
}

impl Reader {
    async fn open(bucket: &Bucket, name: String, range: Range<u64>) -> Result<Self, super::failure::Failure> {
        let body = bucket.get(&name, &range).await?;
        Ok(Self {
            bucket: bucket.clone(),
            name,
            range,
            body,
            rest: Bytes::new(),
            attempts: ATTEMPTS,
        })
    }

    fn stream(self) -> ByteStream {
        stream::try_unfold(self, |mut reader| async {
            Ok::<_, BoxError>(reader.next().await?.map(|piece| (piece, reader)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        while self.rest.is_empty() {
            if self.range.is_empty() {
                return Ok(None);
            }
            match self.body.next().await {
                Some(Ok(bytes)) => {
                    self.range.start += bytes.len() as u64;
                    self.rest = bytes;
                    self.attempts = ATTEMPTS;
                }
                broken => self.go_on(broken.and_then(Result::err)).await?,
            }
        }
        let piece = self.rest.len().min(PIECE);
        Ok(Some(self.rest.split_to(piece)))
    }

    /// Asks again for what did not come.
    async fn go_on(&mut self, why: Option<aws_sdk_s3::primitives::ByteStreamError>) -> Result<(), BoxError> {
        let why: BoxError = why.map_or_else(|| "it ended early".into(), Into::into);
        self.attempts = match self.attempts.checked_sub(1) {
            Some(left) => left,
            None => return Err(Error::of_kind(Operation::Read, &*self.name, ErrorKind::Transient, why).into()),
        };
        tracing::debug!(error = &*why, object = %self.name, at = self.range.start, "a read from the object storage broke off and goes on");
        self.body = self.bucket.get(&self.name, &self.range).await.map_err(Error::from)?;
        Ok(())
    }
}
