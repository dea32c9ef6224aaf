//! How each kind of load is prepared: what it needs is put into the registry, and its requests are made.

use anyhow::{Context as _, Result, ensure};
use wreg_harness::raw::Response;
use wreg_oci::Digest;

use super::{
    mode::By,
    payload::{self, IMAGE, Payload},
    registry::Registry,
    seed::{Artifact, Seed},
    work::{Exchange, How, Push, Reads, Retag, Work},
};

/// What a mode works with.
pub(super) struct Setting<'a> {
    pub(super) registry: &'a Registry,
    pub(super) seed: Seed<'a>,
    /// Whether reads carry a token.
    pub(super) bearer: bool,
    /// The most operations that are prepared, if not what the mode thinks.
    pub(super) operations: Option<usize>,
    pub(super) seconds: f64,
    /// Makes tags, many at once.
    pub(super) run: &'a dyn Fn(&dyn Work) -> Result<()>,
}

/// How many different things reads go round.
fn variety(payload: &Payload) -> usize {
    if payload.size() > 1024 * 1024 { 2 } else { 64 }
}

impl Setting<'_> {
    /// As many as no registry does in the time: 20,000 a second of small ones, and 5 GB a second.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bound"
    )]
    fn count(&self, payload: &Payload) -> usize {
        let each_second = (5e9 / payload.size() as f64).min(20_000.0);
        self.operations.unwrap_or((each_second * (self.seconds + 2.0)) as usize)
    }

    pub(super) fn pushes<'b>(&'b self, payload: &'b Payload, how: How) -> Push<'b> {
        Push::prepare(self.registry, payload, how, self.count(payload))
    }

    fn artifacts(&self, payload: &Payload) -> Result<Vec<Artifact>> {
        (0..variety(payload))
            .map(|number| self.seed.artifact(payload, number))
            .collect()
    }

    pub(super) fn new_tags(&self, payload: &Payload) -> Result<Retag> {
        let artifact = self.seed.artifact(payload, 0)?;
        Ok(self.retag(artifact, &format!("t{:016x}-", self.registry.run), self.count(payload)))
    }

    fn retag(&self, artifact: Artifact, prefix: &str, count: usize) -> Retag {
        Retag {
            start: format!("PUT /v2/{}/manifests/{prefix}", self.registry.repository),
            common: self.registry.fields_of_writes(),
            manifest: artifact.manifest,
            count,
        }
    }

    /// Tags have seven digits, so that the last of them is the one with the highest number. Lists grow: they are for a new registry.
    pub(super) fn pages(&self, payload: &Payload, tags: usize, deep: bool) -> Result<Reads> {
        let list = format!("/v2/{}/tags/list", self.registry.repository);
        let its_end = format!("{list}?n=1&last=t{:07}", tags.saturating_sub(2));
        let is_there = |answer: &Response| answer.text().contains(&format!("\"t{:07}\"", tags.saturating_sub(1)));
        let fields = self.registry.fields_of_writes();
        if !is_there(&self.registry.call("GET", &its_end, &fields, &[])?) {
            let artifact = self.seed.artifact(payload, 0)?;
            (self.run)(&self.retag(artifact, "t", tags))?;
            let found = self.registry.call("GET", &its_end, &fields, &[])?;
            ensure!(is_there(&found), "the last of {tags} tags is not listed: {found:?}");
        }
        let after = if deep {
            format!("&last=t{:07}", tags / 10 * 9)
        } else {
            String::new()
        };
        let page = self.exchange("GET", &format!("{list}?n=100{after}"), "", None)?;
        Ok(Reads {
            operations: vec![vec![page]],
        })
    }

    pub(super) fn resolves(&self, payload: &Payload, by: By) -> Result<Reads> {
        let operation = |artifact: &Artifact| {
            Ok(vec![match by {
                By::Tag => self.manifest("GET", &artifact.tag, artifact)?,
                By::Head => self.manifest("HEAD", &artifact.tag, artifact)?,
                By::Digest => self.manifest("GET", Digest::sha256(&artifact.manifest).as_str(), artifact)?,
            }])
        };
        let operations = self.artifacts(payload)?.iter().map(operation).collect::<Result<_>>()?;
        Ok(Reads { operations })
    }

    pub(super) fn blobs(&self, payload: &Payload) -> Result<Reads> {
        let operation = |number| {
            let digest = self.seed.layer(payload, payload::nonce(0, number))?;
            Ok(vec![self.blob(&digest)?])
        };
        let operations = (0..variety(payload)).map(operation).collect::<Result<_>>()?;
        Ok(Reads { operations })
    }

    pub(super) fn pulls(&self, payload: &Payload) -> Result<Reads> {
        let operation = |artifact: &Artifact| {
            Ok(vec![
                self.manifest("HEAD", &artifact.tag, artifact)?,
                self.manifest("GET", Digest::sha256(&artifact.manifest).as_str(), artifact)?,
                self.blob(&artifact.layer)?,
            ])
        };
        let operations = self.artifacts(payload)?.iter().map(operation).collect::<Result<_>>()?;
        Ok(Reads { operations })
    }

    pub(super) fn referrers(&self, payload: &Payload, count: usize) -> Result<Reads> {
        let subject = self.seed.artifact(payload, 0)?;
        let (digest, size) = (Digest::sha256(&subject.manifest), subject.manifest.len());
        for number in 0..count {
            let artifact = self.seed.artifact(payload, number)?.manifest;
            let fields = format!(r#","subject":{{"mediaType":"{IMAGE}","digest":"{digest}","size":{size}}}}}"#);
            let manifest = artifact
                .strip_suffix('}')
                .context("a manifest is an object")?
                .to_owned()
                + &fields;
            self.seed.manifest(Digest::sha256(&manifest).as_str(), &manifest)?;
        }
        let target = format!("/v2/{}/referrers/{digest}", self.registry.repository);
        let page = self.exchange("GET", &target, "", None)?;
        Ok(Reads {
            operations: vec![vec![page]],
        })
    }

    /// Tokens are not all of one length.
    pub(super) fn tokens(&self) -> Result<Reads> {
        let target = self
            .registry
            .token_request()?
            .context("the registry asks for no token, or there are no credentials")?;
        let request = format!("GET {target} HTTP/1.1\r\n{}\r\n", self.registry.fields_of_basic());
        let exchange = Exchange {
            request: request.into_bytes(),
            status: 200,
            length: None,
            is_head: false,
        };
        Ok(Reads {
            operations: vec![vec![exchange]],
        })
    }

    /// Whatever is at these paths, in turn.
    pub(super) fn paths(&self, paths: &[String]) -> Result<Reads> {
        let exchange = |path: &String| Ok(vec![self.exchange("GET", path, "", None)?]);
        Ok(Reads {
            operations: paths.iter().map(exchange).collect::<Result<_>>()?,
        })
    }

    fn manifest(&self, method: &str, tag_or_digest: &str, artifact: &Artifact) -> Result<Exchange> {
        let target = format!("/v2/{}/manifests/{tag_or_digest}", self.registry.repository);
        let due = Digest::sha256(&artifact.manifest);
        self.exchange(method, &target, &format!("Accept: {IMAGE}\r\n"), Some(&due))
    }

    fn blob(&self, digest: &Digest) -> Result<Exchange> {
        let target = format!("/v2/{}/blobs/{digest}", self.registry.repository);
        self.exchange("GET", &target, "", Some(digest))
    }

    /// A request that was made once before the clock starts: what came is what always must come, of that digest where one is due.
    fn exchange(&self, method: &str, target: &str, fields: &str, due: Option<&Digest>) -> Result<Exchange> {
        let fields = self.registry.fields_of_reads(self.bearer)? + fields;
        let answer = self.registry.call(method, target, &fields, &[])?;
        ensure!(answer.status == 200, "{method} {target}: {answer:?}");
        let is_head = method == "HEAD";
        if let Some(due) = due.filter(|_| !is_head) {
            ensure!(
                Digest::sha256(&answer.body) == *due,
                "{method} {target}: the content is not {due}"
            );
        }
        Ok(Exchange {
            request: format!("{method} {target} HTTP/1.1\r\n{fields}\r\n").into_bytes(),
            status: 200,
            length: Some(answer.body.len() as u64),
            is_head,
        })
    }
}
