//! The registry under load, as the preparation sees it: one request after the other, with whatever credentials it asks for.

use std::{
    env,
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use wreg_harness::raw::{Connection, Response};

/// Where credentials are: `user:password`.
const CREDENTIALS: &str = "WREG_BENCH_CREDENTIALS";

/// A registry, of which one repository is used.
pub(super) struct Registry {
    pub(super) address: SocketAddr,
    pub(super) repository: &'static str,
    /// A number that no other run has, so that what it pushes is new.
    pub(super) run: u64,
    basic: Option<String>,
    /// A token for that repository, where there are credentials and the registry asks for a token.
    bearer: Option<String>,
}

impl Registry {
    pub(super) fn open(address: SocketAddr, repository: &'static str) -> Result<Self> {
        let mut registry = Self {
            address,
            repository,
            run: RandomState::new().hash_one(0),
            basic: env::var(CREDENTIALS).ok().map(|credentials| BASE64.encode(credentials)),
            bearer: None,
        };
        registry.bearer = match registry.token_request()? {
            Some(target) => Some(registry.fetch_token(&target)?),
            None => None,
        };
        Ok(registry)
    }

    /// The target of a request for a token to its repository, with credentials; `None` without them, or if no token is asked for.
    pub(super) fn token_request(&self) -> Result<Option<String>> {
        if self.basic.is_none() {
            return Ok(None);
        }
        let answer = self.call("GET", "/v2/", &self.host(), &[])?;
        let challenge = match answer.header("www-authenticate") {
            Some(challenge) if answer.status == 401 => challenge,
            _ => return Ok(None),
        };
        let value = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let realm = value("realm").context("a challenge without a realm")?;
        let (target, service) = (target_of(realm), value("service").unwrap_or_default());
        let repository = self.repository;
        Ok(Some(format!(
            "{target}?service={service}&scope=repository:{repository}:pull,push"
        )))
    }

    fn fetch_token(&self, target: &str) -> Result<String> {
        let answer = self.call("GET", target, &self.fields_of_basic(), &[])?;
        ensure!(answer.status == 200, "{target}: {answer:?}");
        let text = answer.text();
        let token = text
            .split_once(r#""token":"#)
            .and_then(|(_, rest)| rest.split('"').nth(1));
        Ok(token.with_context(|| format!("no token in {text}"))?.to_owned())
    }

    fn host(&self) -> String {
        format!("Host: {}\r\n", self.address)
    }

    /// The header fields of a request for a token.
    pub(super) fn fields_of_basic(&self) -> String {
        let basic = self.basic.as_deref().unwrap_or_default();
        format!("{}Authorization: Basic {basic}\r\n", self.host())
    }

    /// The header fields of a request that writes.
    pub(super) fn fields_of_writes(&self) -> String {
        let authorization = self
            .bearer
            .as_ref()
            .map(|token| format!("Authorization: Bearer {token}\r\n"));
        self.host() + &authorization.unwrap_or_default()
    }

    /// The header fields of a request that reads: by everybody, or by a token.
    pub(super) fn fields_of_reads(&self, bearer: bool) -> Result<String> {
        if bearer {
            ensure!(self.bearer.is_some(), "no token: set {CREDENTIALS} to user:password");
            return Ok(self.fields_of_writes());
        }
        Ok(self.host())
    }

    /// Sends a request and reads the answer.
    pub(super) fn call(&self, method: &str, target: &str, fields: &str, body: &[&[u8]]) -> Result<Response> {
        let length: usize = body.iter().map(|part| part.len()).sum();
        let head = format!("{method} {target} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n");
        // A new one each time: between two of them there may be minutes.
        let mut connection = Connection::open(self.address);
        let exchange = || {
            connection.send(head)?;
            body.iter().try_for_each(|part| connection.send(part))?;
            if method == "HEAD" {
                connection.read_head()
            } else {
                connection.read_response()
            }
        };
        exchange().with_context(|| format!("{method} {target}"))
    }

    /// Sends a request that writes, whose answer must have one of these statuses.
    pub(super) fn write(
        &self,
        method: &str,
        target: &str,
        fields: &str,
        body: &[&[u8]],
        due: &[u16],
    ) -> Result<Response> {
        let fields = self.fields_of_writes() + fields;
        let answer = self.call(method, target, &fields, body)?;
        if !due.contains(&answer.status) {
            bail!("{method} {target}: {answer:?}");
        }
        Ok(answer)
    }
}

/// What a location or a realm names on its server.
pub(super) fn target_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => location,
    }
}
