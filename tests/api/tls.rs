//! TLS: what is served over it, certificates that are replaced, handshakes that go wrong, and what keeps the server from starting.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use reqwest::StatusCode;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wreg_harness::{
    RegistryProcess,
    certificates::{Certificates, set_mode},
};
use wreg_registry::{Reload, http::connection::ConnectionLimits};

use crate::registry::{Options, TestDatabase, TestRegistry, header};

async fn start(certificates: &Certificates) -> TestRegistry {
    TestRegistry::with(Options {
        certificates: Some(certificates.folder().to_owned()),
        ..Options::default()
    })
    .await
}

/// A TLS connection that trusts the authority alone.
struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    fn connect(certificates: &Certificates, address: SocketAddr) -> Self {
        let config = ClientConfig::builder_with_protocol_versions(&[&TLS13, &TLS12]);
        Self::with(config, certificates, address)
    }

    fn with(
        config: rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>,
        certificates: &Certificates,
        address: SocketAddr,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(certificates.authority()).expect("a certificate");
        roots.add(authority).expect("an authority");
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::IpAddress(address.ip().into());
        let connection = ClientConnection::new(Arc::new(config), name).expect("a valid configuration");
        let socket = TcpStream::connect(address).expect("the server listens");
        Self(StreamOwned::new(connection, socket))
    }

    /// Whether a request on this connection is answered with success.
    fn is_served(&mut self) -> bool {
        let sent = self.0.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
        let mut answer = [0; 15];
        sent.and_then(|()| self.0.read_exact(&mut answer)).is_ok() && answer.starts_with(b"HTTP/1.1 200 OK") && {
            // The rest is in the same piece: it is short.
            let mut rest = [0; 1024];
            self.0.read(&mut rest).is_ok()
        }
    }

    /// The certificate that the server showed.
    fn shown(&self) -> Vec<u8> {
        let shown = self.0.conn.peer_certificates().and_then(<[_]>::first);
        shown.expect("the handshake is done").to_vec()
    }
}

/// A new connection: the certificate that it is shown.
fn shown(certificates: &Certificates, registry: &TestRegistry) -> Vec<u8> {
    let mut client = Client::connect(certificates, registry.address);
    assert!(client.is_served());
    client.shown()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_over_tls_as_it_does_without() {
    let certificates = Certificates::new();
    let registry = start(&certificates).await;
    let content = vec![7; 3 << 20];
    let digest = registry.push_blob("acme/hello", &content).await;
    registry.push_image("acme/hello", "1.0", b"layer").await;
    let answer = registry.send("GET", &format!("/v2/acme/hello/blobs/{digest}")).await;
    assert_eq!(answer.bytes().await.expect("a body"), content);
    let answer = registry.anonymous("GET", "/v2/").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let realm = format!("Bearer realm=\"https://{}/token\"", registry.address);
    assert!(header(&answer, "www-authenticate").starts_with(&realm), "{answer:?}");
    for version in [&TLS12, &TLS13] {
        let config = ClientConfig::builder_with_protocol_versions(&[version]);
        assert!(Client::with(config, &certificates, registry.address).is_served());
    }
    assert!(registry.app.reload_certificate() == Reload::Unchanged);
}

/// **L04** Certificate and key are replaced by swapping a symbolic link → new connections get the new one, without a restart and without disturbing the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_replaced_is_used_for_new_connections() {
    let certificates = Certificates::new();
    let registry = start(&certificates).await;
    let mut kept = Client::connect(&certificates, registry.address);
    assert!(kept.is_served());
    let first = kept.shown();
    let second = certificates.renew();
    // The server looks by itself every few seconds, and may just have done so.
    assert_ne!(registry.app.reload_certificate(), Reload::Kept);
    assert_eq!(shown(&certificates, &registry), second);
    assert_ne!(first, second);
    assert!(kept.is_served());
    assert_eq!(registry.app.certificate_failures(), 0);
}

/// **L04** The new files are no certificate, no pair, not there, or readable by others → the old certificate stays, and the failure is counted once for each change; the next sound one is used.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_used_keeps_the_old_one() {
    let certificates = Certificates::new();
    let registry = start(&certificates).await;
    let first = shown(&certificates, &registry);
    let read = |path| {
        std::fs::File::open(path)
            .and_then(std::io::read_to_string)
            .expect("a file")
    };
    let (certificate, key) = (read(certificates.certificate()), read(certificates.key()));
    let other = Certificates::new();
    let breaks: [(&str, &dyn Fn()); 5] = [
        ("garbage", &|| {
            certificates.replace("garbage", &key);
        }),
        ("readable by others", &|| {
            certificates.replace_with_mode(&certificate, &key, 0o644);
        }),
        ("half a key", &|| {
            certificates.replace(&certificate, &key[..key.len() / 2]);
        }),
        ("no pair", &|| {
            certificates.replace(&certificate, &read(other.key()));
        }),
        ("gone", &|| {
            std::fs::remove_file(certificates.folder().join("current")).expect("it was there");
        }),
    ];
    for (failures, (what, break_it)) in (1..).zip(breaks) {
        break_it();
        for _ in 0..2 {
            assert_ne!(registry.app.reload_certificate(), Reload::Changed, "{what}");
            assert_eq!(registry.app.certificate_failures(), failures, "{what}");
        }
        assert_eq!(shown(&certificates, &registry), first, "{what}");
    }
    let renewed = certificates.renew();
    registry.app.reload_certificate();
    assert_eq!(shown(&certificates, &registry), renewed);
}

/// **H09** A handshake that stalls, garbage, or plain HTTP on the TLS port → dropped at the deadline or at once; the handshakes of others go on.
#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_go_wrong_are_dropped_and_others_are_served() {
    let certificates = Certificates::new();
    let registry = TestRegistry::with(Options {
        certificates: Some(certificates.folder().to_owned()),
        limits: ConnectionLimits {
            handshake: Duration::from_secs(1),
            header_read: Duration::from_hours(1),
            ..ConnectionLimits::default()
        },
        ..Options::default()
    })
    .await;
    let send = |bytes: &[u8]| {
        let mut socket = TcpStream::connect(registry.address).expect("the server listens");
        socket.write_all(bytes).expect("it reads");
        socket
    };
    // The beginning of a ClientHello, and nothing after it.
    let mut stalled: Vec<_> = (0..20).map(|_| send(&[22, 3, 1, 2, 0, 1])).collect();
    stalled.push(send(b""));
    let mut wrong = [send(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"), send(&[0xff; 1000])];
    let mut rest = Vec::new();
    for socket in &mut wrong {
        // An alert, or a reset where bytes were left unread.
        let _ = socket.read_to_end(&mut rest);
    }
    assert!(!rest.windows(4).any(|window| window == b"HTTP"), "{rest:?}");
    assert!(Client::connect(&certificates, registry.address).is_served());
    for socket in &mut stalled {
        let _ = socket.read_to_end(&mut rest);
    }
    assert!(Client::connect(&certificates, registry.address).is_served());
}

/// **L03** A certificate or key that is missing, is none, is no pair, or is readable by others, also behind a link; one without the other → the server does not start, says which file, and speaks plain http to nobody.
#[test]
fn without_a_sound_certificate_the_server_does_not_start() {
    let certificates = Certificates::new();
    let other = Certificates::new();
    let missing = certificates.folder().join("missing");
    let refusal = |certificate: &std::path::Path, key: &std::path::Path| {
        let builder = RegistryProcess::builder()
            .env("WREG_TLS_CERTIFICATE", certificate)
            .env("WREG_TLS_KEY", key);
        let refused = builder.try_start().expect_err("the server must not start");
        assert_eq!(refused.status.code(), Some(1), "{refused}");
        refused.stderr
    };
    let (certificate, key) = (certificates.certificate(), certificates.key());
    for (certificate, key, reasons) in [
        (&missing, &key, ["missing", "No such file"]),
        (&certificate, &missing, ["missing", "No such file"]),
        (&key, &key, ["tls.key", "no certificate"]),
        (
            &certificate,
            &certificates.authority(),
            ["ca.pem", "readable by others"],
        ),
        (&certificate, &other.key(), ["tls.crt", "no pair"]),
    ] {
        let said = refusal(certificate, key);
        assert!(
            reasons.iter().all(|reason| said.contains(reason)),
            "{reasons:?}: {said}"
        );
    }
    for mode in [0o640, 0o604, 0o660] {
        set_mode(&key, mode);
        let said = refusal(&certificate, &key);
        assert!(said.contains("tls.key") && said.contains("chmod 600"), "{said}");
    }
    let half = RegistryProcess::builder().env("WREG_TLS_CERTIFICATE", &certificate);
    let said = half.try_start().expect_err("the server must not start").stderr;
    assert!(said.contains("tls_key is missing"), "{said}");
}

/// A stand-in for PostgreSQL that takes TLS and nothing else; gives what a client sends over it.
async fn database(certificates: &Certificates) -> (SocketAddr, tokio::task::JoinHandle<Option<Vec<u8>>>) {
    let pem = |path| CertificateDer::from_pem_file(path).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(certificates.key()).expect("a key");
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config
        .with_single_cert(vec![pem(certificates.certificate())], key)
        .expect("a pair");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client comes");
        let mut request = [0; 8];
        socket.read_exact(&mut request).await.expect("a request");
        assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "TLS is asked for first");
        socket.write_all(b"S").await.expect("it reads");
        let mut stream = tokio_rustls::TlsAcceptor::from(Arc::new(config))
            .accept(socket)
            .await
            .ok()?;
        let mut message = vec![0; 1024];
        let length = stream.read(&mut message).await.ok()?;
        message.truncate(length);
        Some(message)
    });
    (address, serving)
}

#[tokio::test]
async fn a_database_is_reached_over_tls_that_is_verified() {
    for trusted in [true, false] {
        let (certificates, other) = (Certificates::new(), Certificates::new());
        let (address, serving) = database(&certificates).await;
        let authority = if trusted { &certificates } else { &other }.authority();
        let url = format!(
            "postgres://wreg:secret@{address}/wreg?sslmode=verify-full&sslrootcert={}",
            authority.display()
        );
        let refused = TestRegistry::try_with(Options {
            database: Some(TestDatabase::Postgres(url)),
            ..Options::default()
        });
        // The stand-in hangs up after the first message.
        assert!(refused.await.is_err());
        let sent = serving.await.expect("no panic");
        let name = sent.map(|sent| sent.windows(5).any(|window| window == b"wreg\0"));
        assert_eq!(name, trusted.then_some(true), "trusted: {trusted}");
    }
}
