//! An HTTP server of a few lines, which can do what servers should not: cut connections, never end, answer nonsense.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    /// Announces so many bytes, sends these, and closes the connection.
    Cut(u64, Vec<u8>),
    /// Announces so many bytes, sends these, and then nothing, for ever.
    Stalled(u64, Vec<u8>),
    /// Zeros in chunks, for ever.
    Endless,
    /// No answer at all: the connection is closed.
    None,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(Vec::new()),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(bytes.into());
        self
    }

    pub(crate) fn with(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Closes the connection instead of answering.
    pub(crate) fn hang_up() -> Self {
        Self::new(0).with(Body::None)
    }
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;
/// How many bytes of a request's body to read before the connection is closed; `None` reads it all.
type Intake = dyn Fn(&Request) -> Option<usize> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
    /// The bytes of bodies that were sent.
    pub(crate) sent: Arc<AtomicU64>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(answer, |_| None).await
    }

    /// A cut request is recorded and answered with the part of the body that came; nobody hears the answer.
    pub(crate) async fn start_with(
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        intake: impl Fn(&Request) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            requests: Arc::default(),
            sent: Arc::default(),
        };
        let (serving, answer, intake): (_, Arc<Answer>, Arc<Intake>) =
            (server.clone(), Arc::new(answer), Arc::new(intake));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, answer, intake) = (serving.clone(), Arc::clone(&answer), Arc::clone(&intake));
                // What is written is on its way: the other end waits for it.
                stream.set_nodelay(true).expect("a socket");
                tokio::spawn(async move { serving.serve(stream, &*answer, &*intake).await });
            }
        });
        server
    }

    pub(crate) fn host(&self) -> wreg_oci::Host {
        self.address.to_string().parse().expect("a host")
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("requests")
            .iter()
            .map(Request::line)
            .collect()
    }

    /// How many requests began like this: `GET /token`.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// The values of a header in all requests that had it.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let requests = self.requests.lock().expect("requests");
        requests
            .iter()
            .filter_map(|request| request.header(name).map(str::to_owned))
            .collect()
    }

    async fn serve(&self, stream: TcpStream, answer: &Answer, intake: &Intake) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut request = read_head(&mut stream).await?;
            let announced = request
                .header("content-length")
                .map_or(0, |length| length.parse().expect("a length"));
            let cut = intake(&request).filter(|cut| *cut < announced);
            request.body = vec![0; cut.unwrap_or(announced)];
            stream.read_exact(&mut request.body).await.ok()?;
            self.requests.lock().expect("requests").push(request.clone());
            let reply = answer(&request);
            if cut.is_some() {
                return None;
            }
            self.reply(&mut stream, &request, reply).await?;
        }
    }

    async fn reply(&self, stream: &mut BufReader<TcpStream>, request: &Request, reply: Reply) -> Option<()> {
        let (length, bytes) = match &reply.body {
            Body::None => return None,
            Body::Endless => (None, Vec::new()),
            Body::Whole(bytes) => (Some(bytes.len() as u64), bytes.clone()),
            Body::Cut(announced, bytes) | Body::Stalled(announced, bytes) => (Some(*announced), bytes.clone()),
        };
        let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
        for (name, value) in &reply.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let has_length = reply
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        match length {
            Some(length) if !has_length && reply.status != 204 => {
                let _ = write!(head, "content-length: {length}\r\n");
            }
            Some(_) => {}
            None => head.push_str("transfer-encoding: chunked\r\n"),
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        if request.method == "HEAD" {
            return Some(());
        }
        stream.write_all(&bytes).await.ok()?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        stream.flush().await.ok()?;
        match reply.body {
            Body::Whole(_) => Some(()),
            Body::Stalled(..) => {
                // Until the client goes away.
                let _ = stream.read_u8().await;
                None
            }
            Body::Endless => loop {
                let zeros = vec![0; 64 * 1024];
                stream
                    .write_all(format!("{:x}\r\n", zeros.len()).as_bytes())
                    .await
                    .ok()?;
                stream.write_all(&zeros).await.ok()?;
                stream.write_all(b"\r\n").await.ok()?;
                self.sent.fetch_add(zeros.len() as u64, Ordering::Relaxed);
            },
            Body::Cut(..) | Body::None => None,
        }
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    Some(Request {
        method,
        target,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: Vec::new(),
    })
}
