//! What is in a log's entry: which signature of what, and whose.
//!
//! An envelope is logged as `dsse` 0.0.1, or `intoto` 0.0.2 by older tools, and in version 2 of the log as `hashedrekord` 0.0.2 of the bytes that are
//! signed. Other kinds are of other things, and sigstore's own tools do not take them for an envelope's.
//!
//! Source: rekor, `pkg/types/{dsse,intoto}/*/*_schema.json`; rekor-tiles, `api/proto/rekor/v2/hashedrekord.proto`; sigstore-go, `pkg/verify/tlog.go`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use x509_cert::der::pem;

use super::material::Entry;
use crate::signature::dsse::Signed;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: String,
    kind: String,
    spec: Value,
}

/// What an entry says.
struct Said {
    /// The hash of what is signed, or of the payload alone.
    hash: Vec<u8>,
    of_payload: bool,
    signature: Vec<u8>,
    certificate: Vec<u8>,
}

/// Whether an entry is of that signature, made with the key of that certificate.
pub(super) fn is_of(entry: &Entry, certificate: &[u8], signed: &Signed) -> bool {
    said(&entry.canonicalized_body.0).is_some_and(|said| {
        let hashed = if said.of_payload {
            &signed.payload
        } else {
            &signed.message
        };
        said.hash[..] == Sha256::digest(hashed)[..]
            && said.signature == signed.signature
            && said.certificate == certificate
    })
}

fn said(body: &[u8]) -> Option<Said> {
    let body: Body = serde_json::from_slice(body).ok()?;
    match (&*body.kind, &*body.api_version) {
        ("dsse", "0.0.1") => {
            let signature = only(&body.spec["signatures"])?;
            Some(Said {
                hash: hash(&body.spec["payloadHash"])?,
                of_payload: true,
                signature: base64(&signature["signature"])?,
                certificate: certificate(&base64(&signature["verifier"])?)?,
            })
        }
        ("intoto", "0.0.2") => {
            let content = &body.spec["content"];
            let signature = only(&content["envelope"]["signatures"])?;
            Some(Said {
                hash: hash(&content["payloadHash"])?,
                of_payload: true,
                // What is base64 in the envelope is here encoded again.
                signature: BASE64_STANDARD.decode(base64(&signature["sig"])?).ok()?,
                certificate: certificate(&base64(&signature["publicKey"])?)?,
            })
        }
        ("hashedrekord", "0.0.2") => {
            let spec = &body.spec["hashedRekordV002"];
            (spec["data"]["algorithm"] == "SHA2_256").then_some(())?;
            Some(Said {
                hash: base64(&spec["data"]["digest"])?,
                of_payload: false,
                signature: base64(&spec["signature"]["content"])?,
                certificate: base64(&spec["signature"]["verifier"]["x509Certificate"]["rawBytes"])?,
            })
        }
        _ => None,
    }
}

fn only(list: &Value) -> Option<&Value> {
    match list.as_array()?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn base64(text: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.as_str()?).ok()
}

/// A SHA-256 in hexadecimal.
fn hash(hash: &Value) -> Option<Vec<u8>> {
    (hash["algorithm"] == "sha256").then_some(())?;
    let text = hash["value"]
        .as_str()
        .filter(|text| text.len() == 64 && text.is_ascii())?;
    (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// A certificate in PEM.
fn certificate(pem: &[u8]) -> Option<Vec<u8>> {
    let (label, der) = pem::decode_vec(pem).ok()?;
    (label == "CERTIFICATE").then_some(der)
}
