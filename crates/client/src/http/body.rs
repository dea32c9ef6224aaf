//! What a request sends: nothing, bytes, or a piece of a file that is read as it goes out.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

/// How much of a file is in memory at once, in bytes.
const BUFFER: usize = 128 * 1024;

/// The body of a request. It can be made anew as often as the request is.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// None: `Content-Length: 0`.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// `length` bytes of a file from `offset` on.
    File {
        /// The file.
        path: PathBuf,
        /// Where to begin, in bytes.
        offset: u64,
        /// How many bytes.
        length: u64,
    },
}

impl Body {
    /// The number of bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The body as it is sent. `sent` is told of every byte that is handed to the connection.
    pub(crate) fn stream(&self, sent: Arc<AtomicU64>) -> reqwest::Body {
        match self {
            Self::Empty => reqwest::Body::from(Bytes::new()),
            Self::Bytes(bytes) => {
                let pieces = pieces(bytes.clone()).map(move |piece| {
                    sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    Ok::<_, io::Error>(piece)
                });
                reqwest::Body::wrap_stream(stream::iter(pieces))
            }
            Self::File { path, offset, length } => reqwest::Body::wrap_stream(read(path, *offset, *length, sent)),
        }
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(BUFFER))))
}

fn read(path: &Path, offset: u64, length: u64, sent: Arc<AtomicU64>) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let start = Reading::Closed(path.to_owned(), offset);
    stream::try_unfold((start, length), move |(reading, left)| {
        let sent = Arc::clone(&sent);
        async move {
            if left == 0 {
                return Ok(None);
            }
            let mut file = reading.open().await?;
            let mut buffer = BytesMut::with_capacity(BUFFER);
            let most = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            let count = (&mut file).take(most as u64).read_buf(&mut buffer).await?;
            if count == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file became shorter while it was sent",
                ));
            }
            sent.fetch_add(count as u64, Ordering::Relaxed);
            Ok(Some((buffer.freeze(), (Reading::Open(file), left - count as u64))))
        }
    })
}

enum Reading {
    Closed(PathBuf, u64),
    Open(File),
}

impl Reading {
    async fn open(self) -> io::Result<File> {
        match self {
            Self::Open(file) => Ok(file),
            Self::Closed(path, offset) => {
                let mut file = File::open(path).await?;
                file.seek(io::SeekFrom::Start(offset)).await?;
                Ok(file)
            }
        }
    }
}
