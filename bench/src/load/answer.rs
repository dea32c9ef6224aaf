//! Reading answers: as little of HTTP/1.1 as tells when one is complete.

use memchr::memchr;

/// The longest head that is waited for.
const MAX_HEAD: usize = 64 * 1024;

/// One answer, as it comes.
#[derive(Debug, Default)]
pub(super) struct Answer {
    state: State,
    /// A head of which the end has not come yet.
    partial: Vec<u8>,
    /// Whether it answers HEAD, and has no body whatever its length says.
    to_head: bool,
    pub(super) status: u16,
    /// Where it points, of an upload.
    pub(super) location: Option<String>,
    /// Bytes of the body that have come.
    pub(super) length: u64,
    /// Whether the server closes the connection after it.
    pub(super) closes: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    /// So many bytes of the body are due.
    Body(u64),
    Chunks(Chunks),
    Complete,
}

/// Where in a chunked body the next byte lies.
#[derive(Debug)]
enum Chunks {
    Size(u64),
    Extension(u64),
    Data(u64),
    /// After the last chunk, with so many bytes of the present line seen.
    Trailer(usize),
}

impl Answer {
    /// Makes it ready for the next one.
    pub(super) fn expect(&mut self, to_head: bool) {
        self.state = State::Head;
        self.partial.clear();
        self.to_head = to_head;
        self.location = None;
        self.length = 0;
    }

    /// How much of the body can be thrown away without a look, at least.
    pub(super) fn due(&self) -> u64 {
        match self.state {
            State::Body(left) => left,
            _ => 0,
        }
    }

    /// Says that so many bytes of those were.
    pub(super) fn thrown_away(&mut self, bytes: u64) -> bool {
        self.length += bytes;
        if let State::Body(left) = &mut self.state {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.state = State::Complete;
            }
        }
        self.is_complete()
    }

    /// Takes what has come; whether the answer is complete with it. Nothing may follow, since nothing was asked for.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<bool, &'static str> {
        if matches!(self.state, State::Head) {
            let Some(length) = self.take_head(bytes)? else {
                return Ok(false);
            };
            bytes = &bytes[length..];
        }
        while !bytes.is_empty() {
            let used = match &mut self.state {
                State::Head => return Err("two heads"),
                State::Complete => return Err("more bytes than the answer has"),
                State::Body(left) => {
                    let used = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    self.thrown_away(used as u64);
                    used
                }
                State::Chunks(_) => self.read_chunks(bytes)?,
            };
            bytes = &bytes[used..];
        }
        Ok(self.is_complete())
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete)
    }

    /// Takes the head, if its end is in what has come: how many bytes of that belong to it.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, &'static str> {
        if self.partial.is_empty()
            && let Some(length) = self.read_head(bytes)?
        {
            return Ok(Some(length));
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        let whole = std::mem::take(&mut self.partial);
        let length = self.read_head(&whole)?;
        self.partial = whole;
        Ok(length.map(|length| length - before))
    }

    /// Reads the head, if all of it is there; how long it is.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, &'static str> {
        let Some(mut at) = memchr(b'\n', bytes).map(|end| end + 1) else {
            return too_long(bytes);
        };
        let status = bytes.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.status = status.ok_or("no status line of HTTP/1.1")?;
        let (mut length, mut chunked) = (None, false);
        self.closes = false;
        loop {
            let Some(end) = memchr(b'\n', &bytes[at..]) else {
                return too_long(bytes);
            };
            let line = bytes[at..at + end].trim_ascii_end();
            at += end + 1;
            if line.is_empty() {
                break;
            }
            // Few names matter, and their lengths tell most of the others apart.
            if let Some(value) = value_of(line, b"content-length") {
                let digits = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                length = Some(digits.ok_or("a length that is no number")?);
            } else if let Some(value) = value_of(line, b"transfer-encoding") {
                chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if let Some(value) = value_of(line, b"location") {
                self.location = Some(String::from_utf8_lossy(value).into_owned());
            } else if let Some(value) = value_of(line, b"connection") {
                self.closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        self.state = match length {
            _ if self.to_head || matches!(self.status, 204 | 304) => State::Complete,
            _ if chunked => State::Chunks(Chunks::Size(0)),
            Some(0) => State::Complete,
            Some(length) => State::Body(length),
            None => return Err("an answer that does not say how long it is"),
        };
        Ok(Some(at))
    }

    /// Reads one part of a chunked body; how many bytes of it.
    fn read_chunks(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let State::Chunks(chunks) = &mut self.state else {
            return Ok(0);
        };
        let byte = bytes[0];
        let next = match *chunks {
            Chunks::Data(left) => {
                // The line break after the data is part of what is left, and not of the body.
                let used = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - used as u64;
                self.length += used as u64;
                *chunks = if left == 0 {
                    self.length -= 2;
                    Chunks::Size(0)
                } else {
                    Chunks::Data(left)
                };
                return Ok(used);
            }
            Chunks::Size(size) | Chunks::Extension(size) if byte == b'\n' => match size {
                0 => Chunks::Trailer(0),
                size => Chunks::Data(size + 2),
            },
            Chunks::Size(size) if matches!(byte, b';' | b'\r') => Chunks::Extension(size),
            Chunks::Size(size) => {
                let digit = char::from(byte).to_digit(16).ok_or("a chunk whose size is no number")?;
                let size = size.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                Chunks::Size(size.ok_or("a chunk of impossible size")?)
            }
            Chunks::Extension(size) => Chunks::Extension(size),
            Chunks::Trailer(0) if byte == b'\n' => {
                self.state = State::Complete;
                return Ok(1);
            }
            Chunks::Trailer(_) if byte == b'\n' => Chunks::Trailer(0),
            Chunks::Trailer(length) => Chunks::Trailer(length + usize::from(byte != b'\r')),
        };
        *chunks = next;
        Ok(1)
    }
}

fn too_long(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    if bytes.len() > MAX_HEAD {
        Err("a head that does not end")
    } else {
        Ok(None)
    }
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    let value = value.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 202 Accepted\r\nLocation: /next?a=b\r\nTransfer-Encoding: chunked\r\n\r\n\
                             5\r\nhello\r\n1A;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-T: 1\r\n\r\n";

    /// What comes of an answer that arrives in pieces of that size.
    fn read(bytes: &[u8], piece: usize, to_head: bool) -> Result<Answer, &'static str> {
        let mut answer = Answer::default();
        answer.expect(to_head);
        let mut complete = false;
        for piece in bytes.chunks(piece) {
            assert!(!complete, "it was complete before its end");
            complete = answer.take(piece)?;
        }
        assert_eq!(complete, answer.is_complete());
        Ok(answer)
    }

    #[test]
    fn answers_are_the_same_however_they_are_cut() {
        for piece in 1..=FIXED.len() {
            let answer = read(FIXED, piece, false).expect("it is right");
            assert_eq!((answer.status, answer.length, answer.is_complete()), (200, 5, true));
        }
        for piece in 1..=CHUNKED.len() {
            let answer = read(CHUNKED, piece, false).expect("it is right");
            assert_eq!((answer.status, answer.length, answer.is_complete()), (202, 31, true));
            assert_eq!(answer.location.as_deref(), Some("/next?a=b"));
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_not_complete() {
        for bytes in [FIXED, CHUNKED] {
            for length in 1..bytes.len() {
                let answer = read(&bytes[..length], length, false).expect("it is right so far");
                assert!(!answer.is_complete(), "after {length} bytes");
            }
        }
    }

    #[test]
    fn a_body_can_be_thrown_away_without_a_look() {
        let mut answer = Answer::default();
        answer.expect(false);
        assert_eq!(answer.take(&FIXED[..FIXED.len() - 4]), Ok(false));
        assert_eq!(answer.due(), 4);
        assert!(!answer.thrown_away(3));
        assert!(answer.thrown_away(1));
        assert_eq!(answer.length, 5);
    }

    #[test]
    fn answers_without_a_body_end_with_their_head() {
        let head = &FIXED[..FIXED.len() - 5];
        assert!(read(head, 7, true).expect("it is right").is_complete());
        let created = b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let answer = read(created, 7, false).expect("it is right");
        assert!(answer.is_complete() && answer.closes);
    }

    #[test]
    fn what_is_not_an_answer_is_refused() {
        for bytes in [
            &b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        ] {
            assert!(read(bytes, 1000, false).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
