//! What is published under a tag, and what stands beside it, as the registry tells it to everybody.

use std::{error::Error, net::SocketAddr};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wreg_harness::raw::Connection;

/// A tag of a repository.
pub(crate) struct Published<'a> {
    registry: SocketAddr,
    repository: &'a str,
    tag: &'a str,
}

impl<'a> Published<'a> {
    /// That tag.
    pub(crate) fn at(registry: SocketAddr, repository: &'a str, tag: &'a str) -> Self {
        Self {
            registry,
            repository,
            tag,
        }
    }

    /// Any answer of the registry.
    pub(crate) fn get(&self, target: &str) -> Result<String, Box<dyn Error>> {
        let mut connection = Connection::open(self.registry);
        connection.send(format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.registry
        ))?;
        let answer = connection.read_response()?;
        if answer.status != 200 {
            return Err(format!("{target}: {answer:?}").into());
        }
        Ok(answer.text())
    }

    /// The manifest.
    pub(crate) fn manifest(&self) -> Result<String, Box<dyn Error>> {
        self.read("manifests", self.tag)
    }

    /// The manifest of signatures of cosign's older form.
    pub(crate) fn tagged(&self) -> Result<String, Box<dyn Error>> {
        self.read("manifests", &format!("sha256-{}.sig", hex(&self.manifest()?)))
    }

    /// The contents of a manifest.
    pub(crate) fn blobs(&self, manifest: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let manifest: Value = serde_json::from_str(manifest)?;
        let descriptors = [&manifest["config"]].into_iter();
        let descriptors = descriptors.chain(manifest["layers"].as_array().into_iter().flatten());
        descriptors
            .map(|descriptor| self.read("blobs", text(&descriptor["digest"])?))
            .collect()
    }

    /// The manifests that refer to it.
    pub(crate) fn referrers(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let index = self.read("referrers", &format!("sha256:{}", hex(&self.manifest()?)))?;
        let index: Value = serde_json::from_str(&index)?;
        let descriptors = index["manifests"].as_array().into_iter().flatten();
        descriptors
            .map(|descriptor| self.read("manifests", text(&descriptor["digest"])?))
            .collect()
    }

    /// All that stands beside it, and itself, without what it is made of.
    pub(crate) fn everything(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut all = vec![self.manifest()?];
        let beside = self.referrers()?.into_iter().chain([self.tagged()?]);
        for manifest in beside {
            all.extend(self.blobs(&manifest)?);
            all.push(manifest);
        }
        Ok(all)
    }

    fn read(&self, kind: &str, which: &str) -> Result<String, Box<dyn Error>> {
        self.get(&format!("/v2/{}/{kind}/{which}", self.repository))
    }
}

/// The digest of what has been read.
pub(crate) fn hex(text: &str) -> String {
    let digest = Sha256::digest(text);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// A text of a document.
pub(crate) fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    value.as_str().ok_or_else(|| format!("no text: {value}").into())
}
