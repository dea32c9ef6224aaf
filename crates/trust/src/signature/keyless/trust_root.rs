//! Whom to believe: the authorities and logs of a Sigstore instance.
//!
//! Source: sigstore protobuf-specs, `sigstore_trustroot.proto`; `TrustedRoot` in JSON, as `cosign trusted-root create` and the public instance
//! give it (`trusted_root.json`).

use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    certificate::{Authority, Certificate},
    key::Key,
    material::{CertificateChain, LogId, RawBytes},
};
use crate::signature::bundle::MAX_BUNDLE;

const MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// A file that says of nobody that can be believed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrustRoot {
    /// It is no such file.
    #[error("it is no trusted_root.json of sigstore, of version 0.1 or 0.2")]
    Malformed,
    /// It has no authority, or no log, whose keys can be used.
    #[error("it names no {0} with a key of ECDSA over P-256 or P-384, or Ed25519")]
    Lacks(&'static str),
}

/// Whom to believe, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    authorities: Vec<Authority>,
    timestamp_authorities: Vec<Authority>,
    certificate_logs: Vec<Log>,
    logs: Vec<Log>,
}

/// A log, by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    pub(super) key: Key,
    pub(super) valid: Period,
}

/// From when to when, in seconds since 1970; both are within.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Period {
    start: Option<i64>,
    end: Option<i64>,
}

impl Period {
    /// Whether a time is within.
    pub(super) fn contains(self, time: i64) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

impl TrustRoot {
    /// Reads one. A log with a key of another kind than is known here is passed over, since it can prove nothing.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidTrustRoot> {
        let file: File = serde_json::from_slice(json).map_err(|_| InvalidTrustRoot::Malformed)?;
        if json.len() > MAX_BUNDLE || !MEDIA_TYPES.contains(&&*file.media_type) {
            return Err(InvalidTrustRoot::Malformed);
        }
        let root = Self {
            authorities: authorities(file.certificate_authorities)?,
            timestamp_authorities: authorities(file.timestamp_authorities)?,
            certificate_logs: logs(file.ctlogs)?,
            logs: logs(file.tlogs)?,
        };
        let lacks = [
            (root.authorities.is_empty(), "certificate authority"),
            (root.certificate_logs.is_empty(), "log of certificates"),
            (root.logs.is_empty(), "transparency log"),
        ];
        match lacks.into_iter().find(|(lacks, _)| *lacks) {
            Some((_, what)) => Err(InvalidTrustRoot::Lacks(what)),
            None => Ok(root),
        }
    }

    pub(super) fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    pub(super) fn timestamp_authorities(&self) -> &[Authority] {
        &self.timestamp_authorities
    }

    /// The logs of certificates with that key, at that time.
    pub(super) fn certificate_logs(&self, id: &[u8], time: i64) -> impl Iterator<Item = &Log> {
        let is_it = move |log: &&Log| log.id == id && log.valid.contains(time);
        self.certificate_logs.iter().filter(is_it)
    }

    /// The transparency logs with that key, at all those times.
    pub(super) fn logs(&self, id: &[u8], times: &[i64]) -> impl Iterator<Item = &Log> {
        let is_it = move |log: &&Log| log.id == id && times.iter().all(|time| log.valid.contains(*time));
        self.logs.iter().filter(is_it)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogFile>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityFile>,
    #[serde(default)]
    ctlogs: Vec<LogFile>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogFile {
    public_key: KeyFile,
    log_id: LogId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile {
    #[serde(flatten)]
    spki: RawBytes,
    #[serde(default)]
    valid_for: PeriodFile,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityFile {
    cert_chain: CertificateChain,
    #[serde(default)]
    valid_for: PeriodFile,
}

#[derive(Deserialize, Default)]
struct PeriodFile {
    start: Option<String>,
    end: Option<String>,
}

impl PeriodFile {
    fn period(self) -> Result<Period, InvalidTrustRoot> {
        let seconds = |text: Option<String>| {
            text.map(|text| OffsetDateTime::parse(&text, &Rfc3339).map(OffsetDateTime::unix_timestamp))
                .transpose()
                .map_err(|_| InvalidTrustRoot::Malformed)
        };
        Ok(Period {
            start: seconds(self.start)?,
            end: seconds(self.end)?,
        })
    }
}

fn authorities(files: Vec<AuthorityFile>) -> Result<Vec<Authority>, InvalidTrustRoot> {
    let read = |file: AuthorityFile| {
        let certificates = file.cert_chain.certificates.iter();
        let certificates = certificates.map(|one| Certificate::parse(&one.raw_bytes.0));
        let certificates: Option<Vec<_>> = certificates.collect();
        let certificates = certificates.filter(|chain| !chain.is_empty());
        Ok(Authority {
            certificates: certificates.ok_or(InvalidTrustRoot::Malformed)?,
            valid: file.valid_for.period()?,
        })
    };
    files.into_iter().map(read).collect()
}

fn logs(files: Vec<LogFile>) -> Result<Vec<Log>, InvalidTrustRoot> {
    let read = |file: LogFile| {
        let valid = file.public_key.valid_for.period()?;
        let key = Key::from_spki(&file.public_key.spki.raw_bytes.0);
        let id = file.log_id.key_id.0;
        Ok(key.map(|key| Log { id, key, valid }))
    };
    files.into_iter().filter_map(|file| read(file).transpose()).collect()
}
