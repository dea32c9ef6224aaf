//! HTTP/1.1 by hand: for requests that no client would send, and answers that no client would show.

use std::{
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// How long one read or write may take. A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);
const MAX_BODY: u64 = 256 * 1024 * 1024;
const MAX_LINE: u64 = 1024 * 1024;

/// A TCP connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// One response, its body read to the end.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects. Panics if nobody listens there.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("connecting to {address}: {error}"));
        // What a test sends in pieces shall arrive in pieces.
        stream.set_nodelay(true).expect("a connected socket takes its options");
        let connection = Self {
            stream: BufReader::new(stream),
        };
        connection.set_patience(PATIENCE);
        connection
    }

    /// How long a read or write may take from now on (not zero).
    pub fn set_patience(&self, patience: Duration) {
        let stream = self.stream.get_ref();
        let set = stream
            .set_read_timeout(Some(patience))
            .and_then(|()| stream.set_write_timeout(Some(patience)));
        set.expect("a duration above zero is a valid timeout");
    }

    /// Sends bytes as they are. An error if the server has closed its side.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent, while still reading.
    pub fn finish_sending(&self) -> io::Result<()> {
        self.stream.get_ref().shutdown(Shutdown::Write)
    }

    /// Reads a response to anything but HEAD. `UnexpectedEof` if the server closed before it was complete, `WouldBlock` or
    /// `TimedOut` if the server was silent for too long, `InvalidData` if it is not HTTP.
    pub fn read_response(&mut self) -> io::Result<Response> {
        let mut response = self.read_head()?;
        response.body = match response.status {
            100..=199 | 204 | 304 => Vec::new(),
            _ if response
                .header("transfer-encoding")
                .is_some_and(|coding| coding == "chunked") =>
            {
                self.read_chunks()?
            }
            _ => match response.header("content-length") {
                Some(length) => self.read_exactly(length.parse().map_err(|_| invalid("Content-Length"))?)?,
                None => self.read_to_end()?,
            },
        };
        Ok(response)
    }

    /// Reads the status line and the header fields only: for HEAD, and for looking at a body while it comes.
    pub fn read_head(&mut self) -> io::Result<Response> {
        let line = self.read_line()?;
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| invalid("the status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                return Ok(Response {
                    status,
                    headers,
                    body: Vec::new(),
                });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header field"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads so many bytes of a body.
    pub fn read_exactly(&mut self, length: u64) -> io::Result<Vec<u8>> {
        if length > MAX_BODY {
            return Err(invalid("a body over 256 MiB"));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.stream).take(length).read_to_end(&mut bytes)?;
        if read as u64 == length {
            Ok(bytes)
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }

    /// Whether the server closes the connection without sending anything more. `false` if it stays open until the patience is
    /// over, or sends something.
    pub fn is_closed_by_peer(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
            ),
        }
    }

    fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(MAX_BODY).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let line = self.read_line()?;
            let digits = line.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(digits.trim(), 16).map_err(|_| invalid("a chunk size"))?;
            if size == 0 {
                while !self.read_line()?.is_empty() {}
                return Ok(bytes);
            }
            if size + bytes.len() as u64 > MAX_BODY {
                return Err(invalid("a body over 256 MiB"));
            }
            bytes.extend(self.read_exactly(size)?);
            if !self.read_line()?.is_empty() {
                return Err(invalid("the end of a chunk"));
            }
        }
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        String::from_utf8(line.to_vec()).map_err(|_| invalid("a line that is not UTF-8"))
    }
}

impl Response {
    /// The first header field of that name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The body as text, its beginning only: for the message of a failed test.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, body } = self;
        let body = String::from_utf8_lossy(&body[..body.len().min(2000)]);
        f.debug_struct("Response")
            .field("status", status)
            .field("headers", headers)
            .field("body", &body)
            .finish()
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("not HTTP/1.1: {what}"))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A server that says one thing to the first who connects, and closes.
    fn saying(answer: &'static str) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        thread::spawn(move || {
            listener
                .accept()
                .and_then(|(mut stream, _)| stream.write_all(answer.as_bytes()))
        });
        Connection::open(address)
    }

    #[test]
    fn two_responses_follow_each_other_and_then_the_peer_closes() -> io::Result<()> {
        let mut connection = saying(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhiHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
        );
        let first = connection.read_response()?;
        assert_eq!(
            (first.status, first.header("X-a"), first.text().as_str()),
            (200, Some("b"), "hi")
        );
        let second = connection.read_response()?;
        assert_eq!((second.status, second.text().as_str()), (404, "abcd"));
        assert!(connection.is_closed_by_peer());
        Ok(())
    }

    #[test]
    fn a_body_that_is_cut_off_is_an_error() {
        let mut connection = saying("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi");
        let kind = connection.read_response().map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn a_head_is_read_without_a_body() -> io::Result<()> {
        let mut connection = saying("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
        assert_eq!(connection.read_head()?.header("content-length"), Some("20"));
        Ok(())
    }
}
