//! TLS: the server's certificate and key, read at start and read again whenever their files change.
//!
//! What is wrong at start keeps the server from starting. Later it keeps the certificate that works: a file that is being replaced may be
//! half there, and clients are better served by the old one than by none. Plain http is never what is fallen back to.

use std::{
    fmt, fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::time::Instant;
use wreg_oci::Digest;

use crate::config::CertificateFiles;

/// The largest file that is read, in bytes: whole chains have a tenth of it.
const MAX_FILE: u64 = 256 * 1024;
/// How often the files are looked at. They are small, and reading them tells every way in which they can be replaced.
const EVERY: Duration = Duration::from_secs(5);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the key.
    #[error("{path} is readable by others (mode {mode:o}): run `chmod 600 {path}`, and replace the key if they may have read it", path = .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no {what} in PEM", path = .path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that TLS does not take.
    #[error("{certificate} and {key} make no pair: {source}", certificate = .files.certificate.display(), key = .files.key.display())]
    Pair {
        /// The files.
        files: CertificateFiles,
        /// What is wrong.
        source: rustls::Error,
    },
}

/// The server's side of TLS. Cheap to clone; clones share the certificate.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Inner>);

struct Inner {
    files: CertificateFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// What the files held when they were last looked at.
    seen: Mutex<Option<Digest>>,
    failures: AtomicU64,
}

/// What came of looking at the files again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// They are as they were.
    Unchanged,
    /// New connections get the new certificate.
    Changed,
    /// They cannot be used: new connections get the old certificate.
    Kept,
}

impl Tls {
    /// Reads the files, and makes sure that they can be used.
    pub(crate) fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let contents = Contents::read(&files)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(contents.certified(&files, &provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|source| TlsError::Pair {
                files: files.clone(),
                source,
            })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(Inner {
            files,
            current,
            config: Arc::new(config),
            seen: Mutex::new(Some(contents.fingerprint())),
            failures: AtomicU64::new(0),
        })))
    }

    /// What connections are to be made with. It follows the files.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.config)
    }

    /// How often files that had changed could not be used.
    pub(crate) fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// When the certificate that new connections get ends, in seconds since 1970; 0 if it does not say.
    pub(crate) fn expires(&self) -> i64 {
        let current = self.0.current.0.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().map_or(0, expires)
    }

    /// Looks at the files, and takes what they hold if it is new and sound. What is wrong is logged once for each change.
    pub(crate) fn reload(&self) -> Reload {
        let Inner {
            files, current, config, ..
        } = &*self.0;
        let contents = Contents::read(files);
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = contents.as_ref().ok().map(Contents::fingerprint);
        if found == *seen {
            return if found.is_some() {
                Reload::Unchanged
            } else {
                Reload::Kept
            };
        }
        *seen = found;
        match contents.and_then(|contents| contents.certified(files, config.crypto_provider())) {
            Ok(certified) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                tracing::info!(certificate = %files.certificate.display(), "new connections get the new certificate");
                Reload::Changed
            }
            Err(error) => {
                self.0.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "the new certificate cannot be used, and the old one is kept");
                Reload::Kept
            }
        }
    }

    /// Keeps the certificate as its files are, for as long as it is polled.
    pub(crate) async fn follow_files(self) {
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        loop {
            ticks.tick().await;
            let tls = self.clone();
            // A network file system may take its time.
            let _ = tokio::task::spawn_blocking(move || tls.reload()).await;
        }
    }
}

/// The certificate that new connections get.
struct Current(RwLock<Arc<CertifiedKey>>);

/// When a certificate ends, in seconds since 1970; 0 if it does not say.
fn expires(certificate: &CertificateDer<'_>) -> i64 {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    parsed.map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp())
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// Both files.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Contents {
    fn read(files: &CertificateFiles) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&files.certificate, |_| Ok(()))?,
            key: read(&files.key, |file| refuse_exposed(&files.key, file))?,
        })
    }

    fn fingerprint(&self) -> Digest {
        // A PEM file that ends in the middle of a line is none, so there is one way to part the two.
        Digest::sha256([&self.certificate[..], b"\n", &self.key].concat())
    }

    fn certified(&self, files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let not_pem = |path: &Path, what| TlsError::NotPem {
            path: path.to_owned(),
            what,
        };
        let chain = CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| not_pem(&files.certificate, "certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| not_pem(&files.key, "private key"))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Pair {
            files: files.clone(),
            source,
        })
    }
}

fn read(path: &Path, check: impl FnOnce(&fs::File) -> Result<(), TlsError>) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(failed)?;
    check(&file)?;
    let mut contents = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut contents).map_err(failed)?;
    Ok(contents)
}

/// Looks at the open file, so that behind a symbolic link it is the target that counts. As with PostgreSQL, a key that root owns may be
/// readable by a group: that is how a server that is not root gets to read it, from a package of the system or a mounted secret.
fn refuse_exposed(path: &Path, file: &fs::File) -> Result<(), TlsError> {
    let metadata = file.metadata().map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let roots = metadata.uid() == 0 && !rustix::process::geteuid().is_root();
    let (mode, forbidden) = (metadata.mode() & 0o777, if roots { 0o037 } else { 0o077 });
    if mode & forbidden == 0 {
        Ok(())
    } else {
        Err(TlsError::Exposed {
            path: path.to_owned(),
            mode,
        })
    }
}
