//! Reading a range of a file, piece by piece. What is in memory comes from a mapping at once; the rest is read off the runtime's threads.

use std::{io, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    super::{BlobKey, BoxError, ByteStream, Error, Operation},
    disk::{Disk, OpenFile},
    map::{Mapped, Maps},
    off_runtime,
};

/// How much is read at once, in bytes, where it has to be copied. One piece is in memory at a time.
const PIECE: u64 = 128 * 1024;
/// How much of a mapped file is handed out at once, in bytes.
pub(super) const MAPPED_PIECE: usize = 1024 * 1024;

/// The bytes `range` of a blob, if they are in memory and few enough to be one piece.
pub(super) fn at_hand(disk: &Disk, maps: &Maps, key: &BlobKey, range: &Range<u64>) -> Option<Bytes> {
    if disk.has_faults() || range.end.saturating_sub(range.start) > MAPPED_PIECE as u64 {
        return None;
    }
    let mapped = maps.get(key).filter(|mapped| range.end <= mapped.len())?;
    // Nobody should have touched the file, and a look costs little.
    if !matches!(disk.size(&key.object()), Ok(Some(size)) if size == mapped.len()) {
        return None;
    }
    let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
    mapped.is_resident(range.clone()).then(|| mapped.slice(range))
}

/// The bytes `range` of a committed blob, from its mapping where it can be mapped; `None` if there is no such blob.
pub(super) async fn blob(
    disk: Arc<Disk>,
    maps: Arc<Maps>,
    key: BlobKey,
    range: Range<u64>,
) -> Result<Option<ByteStream>, Error> {
    open(disk, key.object(), range, move |file, size| {
        maps.get(&key).or_else(|| maps.map(&key, file.as_file(), size))
    })
    .await
}

/// The bytes `range` of the file `name`, which may still grow; `None` if there is no such file.
pub(super) async fn file(disk: Arc<Disk>, name: String, range: Range<u64>) -> Result<Option<ByteStream>, Error> {
    open(disk, name, range, |_, _| None).await
}

/// The first piece is read here, so that a broken file is an error before anything was promised, and a small one costs a single trip
/// off the runtime.
async fn open(
    disk: Arc<Disk>,
    name: String,
    range: Range<u64>,
    map: impl FnOnce(&OpenFile, u64) -> Option<Mapped> + Send + 'static,
) -> Result<Option<ByteStream>, Error> {
    let first = off_runtime(move || {
        let Some(file) = disk.open(&name)? else { return Ok(None) };
        let size = file.size()?;
        if size < range.end {
            let why = io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than the range asked for");
            return Err(Error::new(Operation::Read, name, why));
        }
        let mapped = map(&file, size);
        Reader { file, mapped, range }.read_piece().map(Some)
    });
    Ok(first.await?.map(|(bytes, reader)| {
        let first = stream::iter((!bytes.is_empty()).then_some(Ok(bytes)));
        let rest = stream::try_unfold(reader, |reader| async {
            if reader.range.is_empty() {
                return Ok(None);
            }
            if let Some(piece) = reader.resident_piece() {
                return Ok(Some((piece, reader.after_piece())));
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
    mapped: Option<Mapped>,
    range: Range<u64>,
}

impl Reader {
    /// The next piece, in bytes of the file.
    fn piece(&self) -> Range<u64> {
        let most = if self.mapped.is_some() {
            MAPPED_PIECE as u64
        } else {
            PIECE
        };
        let Range { start, end } = self.range;
        start..end.min(start.saturating_add(most))
    }

    /// The next piece, if it is in memory.
    fn resident_piece(&self) -> Option<Bytes> {
        let mapped = self.mapped.as_ref().filter(|_| !self.file.disk().has_faults())?;
        if !self.file.size().is_ok_and(|size| size == mapped.len()) {
            return None;
        }
        let piece = self.piece();
        let range = usize::try_from(piece.start).ok()?..usize::try_from(piece.end).ok()?;
        mapped.is_resident(range.clone()).then(|| mapped.slice(range))
    }

    /// The reader for what follows the next piece.
    fn after_piece(self) -> Self {
        let start = self.piece().end;
        Self {
            range: start..self.range.end,
            ..self
        }
    }

    /// The next piece, wherever it is, and the reader for what follows it. Blocks.
    fn read_piece(mut self) -> Result<(Bytes, Self), Error> {
        let piece = self.piece();
        let (Ok(start), Ok(end)) = (usize::try_from(piece.start), usize::try_from(piece.end)) else {
            self.mapped = None;
            return self.read_piece();
        };
        if let Some(mapped) = &self.mapped {
            let whole = self.file.size()? == mapped.len();
            if whole
                && self
                    .file
                    .step(Operation::Read, |_| mapped.read_ahead(start..end))
                    .is_ok()
            {
                return Ok((mapped.slice(start..end), self.after_piece()));
            }
            // Copied instead: that tells what is wrong, if anything is.
            self.mapped = None;
            return self.read_piece();
        }
        let mut bytes = vec![0; end - start];
        self.file.read_at(&mut bytes, piece.start)?;
        Ok((bytes.into(), self.after_piece()))
    }
}
