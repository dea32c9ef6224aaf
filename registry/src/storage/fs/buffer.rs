//! Memory for bytes on their way to a file, placed as the kernel wants it for writes past its page cache.

/// What place in memory, offset in the file and length of such a write are multiples of, in bytes: enough for every device in use.
pub(super) const BLOCK: usize = 4096;

/// Bytes whose first one lies at a multiple of [`BLOCK`].
#[derive(Default)]
pub(super) struct Buffer {
    /// `start` bytes that count for nothing, then the content. It never grows in place, which would move it.
    memory: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.memory.len() - self.start
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..]
    }

    pub(super) fn clear(&mut self) {
        self.memory.truncate(self.start);
    }

    /// Adds bytes. Room is made in powers of two.
    pub(super) fn extend(&mut self, more: &[u8]) {
        let needed = self.len() + more.len();
        if self.memory.capacity() - self.start < needed {
            let mut memory: Vec<u8> = Vec::with_capacity(needed.next_power_of_two() + BLOCK);
            let start = memory.as_ptr().align_offset(BLOCK).min(BLOCK);
            memory.resize(start, 0);
            memory.extend_from_slice(self.bytes());
            *self = Self { memory, start };
        }
        self.memory.extend_from_slice(more);
    }
}

/// Whether bytes may be written past the page cache at `offset`.
pub(super) fn is_aligned(bytes: &[u8], offset: u64) -> bool {
    !bytes.is_empty()
        && bytes.len().is_multiple_of(BLOCK)
        && offset.is_multiple_of(BLOCK as u64)
        && bytes.as_ptr().align_offset(BLOCK) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_aligned_while_it_grows() {
        let (mut buffer, mut expected) = (Buffer::default(), Vec::new());
        for length in [1, 4095, 5, 4091, 70_000, 2 * BLOCK] {
            let more = vec![u8::try_from(length % 251).expect("a byte"); length];
            buffer.extend(&more);
            expected.extend(more);
            assert_eq!(buffer.bytes(), expected);
            assert_eq!(buffer.len(), expected.len());
            assert_eq!(buffer.bytes().as_ptr().align_offset(BLOCK), 0);
        }
        buffer.clear();
        buffer.extend(&[7; BLOCK]);
        assert!(is_aligned(buffer.bytes(), BLOCK as u64));
        assert!(!is_aligned(buffer.bytes(), 1));
        assert!(!is_aligned(&buffer.bytes()[1..], 0));
        assert!(!is_aligned(&buffer.bytes()[..BLOCK - 1], 0));
    }
}
