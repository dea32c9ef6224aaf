//! A certificate authority for tests, made in the process, and folders with what servers and clients take from it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// The names that certificates are for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// An authority and a folder with `ca.pem`, its own certificate, `tls.crt` and `tls.key`, a server's. The latter two are symbolic links
/// through `current`, as a mounted secret of Kubernetes has them.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// An authority, and a first certificate for this machine.
    pub fn new() -> Self {
        let mut params = params(&[], "wreg test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority can be made");
        let certificates = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            authority,
        };
        fs::write(certificates.authority(), certificates.authority.pem()).expect("a file can be written");
        for name in ["tls.crt", "tls.key"] {
            let link = certificates.folder().join(name);
            symlink(Path::new("current").join(name), link).expect("a link can be made");
        }
        certificates.renew();
        certificates
    }

    /// The folder of all the files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("ca.pem")
    }

    /// The server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder().join("tls.crt")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.folder().join("tls.key")
    }

    /// Puts a new certificate and key in the place of the last, both at once; gives the certificate as DER.
    pub fn renew(&self) -> Vec<u8> {
        let key = key();
        let certificate = params(&NAMES, "wreg test server").signed_by(&key, &self.authority);
        let certificate = certificate.expect("a certificate can be made");
        self.replace(&certificate.pem(), &key.serialize_pem());
        certificate.der().to_vec()
    }

    /// Puts any text in the place of certificate and key, by swapping the link of their folder.
    pub fn replace(&self, certificate: &str, key: &str) {
        self.replace_with_mode(certificate, key, 0o600);
    }

    /// The same, with permission bits for the key.
    pub fn replace_with_mode(&self, certificate: &str, key: &str, mode: u32) {
        let folder = tempfile::tempdir_in(self.folder())
            .expect("a folder can be made")
            .keep();
        fs::write(folder.join("tls.crt"), certificate).expect("a file can be written");
        fs::write(folder.join("tls.key"), key).expect("a file can be written");
        set_mode(&folder.join("tls.key"), mode);
        let (next, current) = (self.folder().join("next"), self.folder().join("current"));
        symlink(&folder, &next).expect("a link can be made");
        fs::rename(next, current).expect("a link can be replaced");
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets the permission bits of a file; of the target, if it is a link.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode of an own file can be set");
}

fn key() -> KeyPair {
    KeyPair::generate().expect("there are random bytes")
}

fn params(names: &[&str], name: &str) -> CertificateParams {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("the names are valid");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
