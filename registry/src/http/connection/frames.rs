//! The frames of an HTTP/2 connection as they pass (RFC 9113, section 4.1): where one ends and the next begins, and what it is.

/// What a client sends first (section 3.4), in bytes.
const PREFACE: u32 = 24;
const HEAD: usize = 9;

/// The head of a frame, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Follows the frames in one direction. It keeps nine bytes, whatever comes.
#[derive(Debug)]
pub(super) struct Frames {
    head: [u8; HEAD],
    filled: usize,
    /// Of the payload under way, how many bytes are to come.
    left: u32,
    frame: Option<Frame>,
}

impl Frames {
    /// From the beginning of what a client sends.
    pub(super) fn of_client() -> Self {
        Self {
            left: PREFACE,
            ..Self::of_server()
        }
    }

    /// From the beginning of what a server sends.
    pub(super) fn of_server() -> Self {
        Self {
            head: [0; HEAD],
            filled: 0,
            left: 0,
            frame: None,
        }
    }

    /// True if the last frame is whole.
    pub(super) fn is_between(&self) -> bool {
        self.filled == 0 && self.left == 0
    }

    /// Takes note of bytes. `begins` and `ends` are called for each frame whose head, and whose last byte, is among them.
    pub(super) fn follow(&mut self, mut bytes: &[u8], mut begins: impl FnMut(Frame), mut ends: impl FnMut(Frame)) {
        loop {
            let payload = bytes.len().min(self.left as usize);
            bytes = &bytes[payload..];
            self.left -= u32::try_from(payload).unwrap_or(self.left);
            if self.left > 0 {
                return;
            }
            if let Some(frame) = self.frame.take() {
                ends(frame);
            }
            let head = bytes.len().min(HEAD - self.filled);
            self.head[self.filled..self.filled + head].copy_from_slice(&bytes[..head]);
            self.filled += head;
            bytes = &bytes[head..];
            if self.filled < HEAD {
                return;
            }
            self.filled = 0;
            let [a, b, c, kind, flags, stream @ ..] = self.head;
            self.left = u32::from_be_bytes([0, a, b, c]);
            let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
            let frame = Frame { kind, flags, stream };
            begins(frame);
            self.frame = Some(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let [_, length @ ..] = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    #[test]
    fn frames_are_told_apart_however_they_are_cut() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let bytes = [
            preface,
            frame(4, 0, 0, b""),
            frame(1, 5, 1, b"headers"),
            frame(0, 1, 0x8000_0003, &[9; 300]),
        ]
        .concat();
        for size in [1, 2, 7, 9, 10, 33, bytes.len()] {
            let (mut begun, mut ended) = (Vec::new(), Vec::new());
            let mut frames = Frames::of_client();
            for piece in bytes.chunks(size) {
                frames.follow(piece, |frame| begun.push(frame), |frame| ended.push(frame));
            }
            let kinds: Vec<_> = begun
                .iter()
                .map(|frame| (frame.kind, frame.flags, frame.stream))
                .collect();
            assert_eq!(kinds, [(4, 0, 0), (1, 5, 1), (0, 1, 3)], "{size}");
            assert_eq!(begun, ended, "{size}");
            assert!(frames.is_between());
            frames.follow(&[0], |_| (), |_| ());
            assert!(!frames.is_between());
        }
    }
}
