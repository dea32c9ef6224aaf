//! One connection: a request goes out, an answer comes in, and the next request is in place of the last.

use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use rustix::net::{RecvFlags, recv};

use super::{
    answer::Answer,
    work::{Next, Request, Work},
};

/// How often one connection reads in a row, so that the others get their turn.
const READS_IN_A_ROW: usize = 8;

/// Where bodies go, of all connections of a thread.
pub(super) struct Scrap {
    bytes: Vec<u8>,
    /// Whether the kernel throws bodies away, and does not copy them here first as a client's would be.
    discard: bool,
}

impl Scrap {
    pub(super) fn new(discard: bool) -> Self {
        // Of the larger one, only addresses are used.
        let size = if discard { 16 * 1024 * 1024 } else { 256 * 1024 };
        Self {
            bytes: vec![0; size],
            discard,
        }
    }
}

pub(super) struct Connection<'a> {
    stream: TcpStream,
    request: Request<'a>,
    /// Bytes of it that have gone out.
    sent: usize,
    answer: Answer,
    number: usize,
    began: Instant,
    /// Bytes of bodies of the operation so far.
    moved: u64,
    pub(super) is_busy: bool,
}

/// What came of a turn.
pub(super) enum Turn {
    /// Not all of the request has gone out, or not all of the answer is here.
    Waits { to_send: bool },
    /// The operation is complete: it began then and moved so many bytes of bodies. The server may close the connection.
    Done { began: Instant, moved: u64, closes: bool },
    /// It is not: this is why.
    Wrong(String),
}

impl<'a> Connection<'a> {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            stream: connect(address)?,
            request: Request::default(),
            sent: 0,
            answer: Answer::default(),
            number: 0,
            began: Instant::now(),
            moved: 0,
            is_busy: false,
        })
    }

    /// Another one in its place.
    pub(super) fn reopen(&mut self, address: SocketAddr) -> io::Result<()> {
        self.stream = connect(address)?;
        self.is_busy = false;
        Ok(())
    }

    /// Begins that operation; `None` if there is none.
    pub(super) fn begin(&mut self, work: &'a dyn Work, number: usize, now: Instant) -> Option<Turn> {
        self.is_busy = work.begin(number, &mut self.request);
        (self.number, self.began, self.moved) = (number, now, 0);
        self.is_busy.then(|| self.start())
    }

    /// The server is ready for more, or has sent something.
    pub(super) fn turn(&mut self, work: &'a dyn Work, has_come: bool, scrap: &mut Scrap) -> Turn {
        let outcome = if has_come {
            self.receive(work, scrap)
        } else {
            self.send()
        };
        outcome.unwrap_or_else(|error| self.wrong(&error.to_string()))
    }

    fn start(&mut self) -> Turn {
        self.sent = 0;
        self.answer.expect(self.request.is_head);
        let sent = self.send();
        sent.unwrap_or_else(|error| self.wrong(&error.to_string()))
    }

    fn send(&mut self) -> io::Result<Turn> {
        while self.sent < self.request.len() {
            let parts = self.request.rest(self.sent).map(IoSlice::new);
            match self.stream.write_vectored(&parts) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waits { to_send: true }),
                Err(error) => return Err(error),
            }
        }
        Ok(Turn::Waits { to_send: false })
    }

    fn receive(&mut self, work: &'a dyn Work, scrap: &mut Scrap) -> io::Result<Turn> {
        for _ in 0..READS_IN_A_ROW {
            let due = usize::try_from(self.answer.due()).unwrap_or(usize::MAX);
            let discard = scrap.discard && due > 0;
            let read = if discard {
                let most = due.min(scrap.bytes.len());
                let read = recv(&self.stream, &mut scrap.bytes[..most], RecvFlags::TRUNC);
                read.map(|(_, length)| length).map_err(io::Error::from)
            } else {
                self.stream.read(&mut scrap.bytes)
            };
            let length = match read {
                Ok(0) => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the server closed the connection",
                    ));
                }
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            let complete = if discard {
                self.answer.thrown_away(length as u64)
            } else {
                self.answer.take(&scrap.bytes[..length]).map_err(io::Error::other)?
            };
            if complete {
                return Ok(self.answered(work));
            }
        }
        Ok(Turn::Waits { to_send: false })
    }

    fn answered(&mut self, work: &'a dyn Work) -> Turn {
        let closes = self.answer.closes;
        self.moved += self.answer.length + self.request.shared.len() as u64;
        if self.sent < self.request.len() {
            return self.wrong(&format!("{} before all of the request was sent", self.answer.status));
        }
        match work.answered(self.number, &self.answer, &mut self.request) {
            Next::Send if closes => self.wrong("the server closes the connection in the middle of an operation"),
            Next::Send => self.start(),
            Next::Done => {
                self.is_busy = false;
                Turn::Done {
                    began: self.began,
                    moved: self.moved,
                    closes,
                }
            }
            Next::Wrong => self.wrong(&format!("{}, with {} bytes", self.answer.status, self.answer.length)),
        }
    }

    fn wrong(&mut self, why: &str) -> Turn {
        self.is_busy = false;
        Turn::Wrong(format!("{}: {why}", self.request.line()))
    }
}

impl AsFd for Connection<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
