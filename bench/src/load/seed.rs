//! What there must be before it can be read: pushed by ordinary requests or, for a server of static files, laid out as files.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use wreg_oci::Digest;

use super::{
    payload::{self, IMAGE, Nonce, Payload},
    registry::{Registry, target_of},
};

/// Where content goes.
pub(super) enum Seed<'a> {
    Registry(&'a Registry),
    /// The root folder of a server whose paths are the registry's, and the repository in it.
    Folder(PathBuf, &'a str),
}

/// An artifact that is there.
pub(super) struct Artifact {
    pub(super) tag: String,
    pub(super) manifest: String,
    pub(super) layer: Digest,
}

impl Seed<'_> {
    /// Pushes an artifact of one layer, which is the same in all runs.
    pub(super) fn artifact(&self, payload: &Payload, number: usize) -> Result<Artifact> {
        let nonce = payload::nonce(0, number);
        let config = payload::config(nonce);
        let (config_digest, layer) = (Digest::sha256(&config), payload.digest(nonce));
        self.blob(&config_digest, &[config.as_bytes()])?;
        self.blob(&layer, &[payload.shared(), &nonce])?;
        let manifest = payload::manifest(&config_digest, &layer, payload.size());
        let tag = format!("s{}-{number}", payload.size());
        self.manifest(&tag, &manifest)?;
        Ok(Artifact { tag, manifest, layer })
    }

    /// Pushes a layer alone.
    pub(super) fn layer(&self, payload: &Payload, nonce: Nonce) -> Result<Digest> {
        let digest = payload.digest(nonce);
        self.blob(&digest, &[payload.shared(), &nonce])?;
        Ok(digest)
    }

    fn blob(&self, digest: &Digest, content: &[&[u8]]) -> Result<()> {
        let registry = match self {
            Self::Registry(registry) => registry,
            Self::Folder(..) => return self.write_file(&format!("blobs/{digest}"), content),
        };
        let blobs = format!("/v2/{}/blobs/", registry.repository);
        let known = registry.write("HEAD", &format!("{blobs}{digest}"), "", &[], &[200, 404])?;
        if known.status == 200 {
            return Ok(());
        }
        let opened = registry.write("POST", &format!("{blobs}uploads/"), "", &[], &[202])?;
        let location = opened.header("location").context("an upload without a location")?;
        let target = target_of(location);
        let joint = if target.contains('?') { '&' } else { '?' };
        let fields = "Content-Type: application/octet-stream\r\n";
        registry.write(
            "PUT",
            &format!("{target}{joint}digest={digest}"),
            fields,
            content,
            &[201],
        )?;
        Ok(())
    }

    /// Pushes a manifest by a tag, or by its digest.
    pub(super) fn manifest(&self, tag: &str, manifest: &str) -> Result<()> {
        let content = [manifest.as_bytes()];
        match self {
            Self::Registry(registry) => {
                let target = format!("/v2/{}/manifests/{tag}", registry.repository);
                registry.write("PUT", &target, &format!("Content-Type: {IMAGE}\r\n"), &content, &[201])?;
            }
            Self::Folder(..) => {
                self.write_file(&format!("manifests/{tag}"), &content)?;
                self.write_file(&format!("manifests/{}", Digest::sha256(manifest)), &content)?;
            }
        }
        Ok(())
    }

    fn write_file(&self, path: &str, content: &[&[u8]]) -> Result<()> {
        let Self::Folder(root, repository) = self else {
            return Ok(());
        };
        let file = root.join("v2").join(repository).join(path);
        let write = || {
            fs::create_dir_all(file.parent().unwrap_or(root))?;
            let mut file = File::create(&file)?;
            content.iter().try_for_each(|part| file.write_all(part))
        };
        write().with_context(|| format!("writing {}", file.display()))
    }
}
