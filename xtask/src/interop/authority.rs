//! A certificate for the server, from an authority that the clients trust.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::process;

/// The names that the certificate is for. Clients of today look at no other field.
const NAMES: &str = "subjectAltName=IP:127.0.0.2\nextendedKeyUsage=serverAuth\n";

/// Its files.
pub(super) struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes all of it in a new folder, for two days.
    pub(super) fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        fs::write(folder.join("names"), NAMES)?;
        let openssl = |arguments: &str| {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(folder).args(arguments.split(' '));
            process::read(&mut openssl).map(drop)
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"
        ))?;
        openssl(&format!(
            "req {key} -keyout server.key -out server.csr -subj /CN=server"
        ))?;
        openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile names -out server.pem")?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The authority's certificate, for clients.
    pub(super) fn trusted(&self) -> String {
        self.file("ca.pem")
    }

    /// The server's certificate.
    pub(super) fn certificate(&self) -> String {
        self.file("server.pem")
    }

    /// The server's key.
    pub(super) fn key(&self) -> String {
        self.file("server.key")
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}
