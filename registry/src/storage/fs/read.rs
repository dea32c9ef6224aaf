//! Reading a range of a file, piece by piece, off the runtime's threads.

use std::{io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    super::{BoxError, ByteStream, Error, Operation},
    disk::{Disk, OpenFile},
    off_runtime,
};

/// How much is read at once, in bytes. One piece is in memory at a time.
const PIECE: u64 = 128 * 1024;

/// The bytes `range` of the file `name`; `None` if there is no such file. The first piece is read here, so that a broken file is an
/// error before anything was promised, and a small one costs a single trip off the runtime.
pub(super) async fn read(disk: Arc<Disk>, name: String, range: Range<u64>) -> Result<Option<ByteStream>, Error> {
    let first = off_runtime(move || {
        let Some(file) = disk.open(&name)? else { return Ok(None) };
        if file.size()? < range.end {
            let why = io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than the range asked for");
            return Err(Error::new(Operation::Read, name, why));
        }
        Reader { file, range }.read_piece().map(Some)
    });
    Ok(first.await?.map(|(bytes, reader)| {
        let first = stream::iter((!bytes.is_empty()).then_some(Ok(bytes)));
        let rest = stream::try_unfold(reader, |reader| async {
            if reader.range.is_empty() {
                return Ok(None);
            }
            off_runtime(move || reader.read_piece())
                .await
                .map(Some)
                .map_err(BoxError::from)
        });
        first.chain(rest).boxed()
    }))
}

/// An open file and what remains to be read of it.
struct Reader {
    file: OpenFile,
    range: Range<u64>,
}

impl Reader {
    /// The next piece, and the reader for what follows it.
    fn read_piece(self) -> Result<(Bytes, Self), Error> {
        let Range { start, end } = self.range;
        let length = end.saturating_sub(start).min(PIECE);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_at(&mut piece, start)?;
        Ok((
            piece.into(),
            Self {
                file: self.file,
                range: start + length..end,
            },
        ))
    }
}
