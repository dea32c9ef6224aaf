//! A little instance of Sigstore: an authority with an intermediate one, a log of certificates, and a transparency log of version 1.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, SanType, SerialNumber,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use wreg_oci::Digest;
use wreg_trust::{
    log::Hash,
    signature::{Envelope, Identity, SigningKey, Statement, dsse, statement},
};
use x509_cert::der::{Decode as _, Encode as _};

/// When everything is signed.
pub(crate) const NOW: i64 = 1_760_000_000;
const SCT_LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
pub(crate) const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
pub(crate) const OLD_ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 1];

/// Who issues certificates, and writes them and signatures down.
pub(crate) struct Instance {
    root: CertifiedIssuer<'static, KeyPair>,
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate_log: SigningKey,
    log: SigningKey,
}

/// What is made, and how it differs from what it should be.
pub(crate) struct Making {
    pub(crate) certificate: CertificateParams,
    pub(crate) digest: Digest,
    pub(crate) payload_type: &'static str,
    /// What the entry in the log is like.
    pub(crate) kind: &'static str,
    /// Whose entry stands in the log: that of an envelope with another payload.
    pub(crate) other_entry: bool,
    pub(crate) sct: bool,
    pub(crate) time: i64,
}

/// The text of a base64.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let digits = bytes.as_ref().iter();
    digits.fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn der_of(key: &SigningKey) -> Vec<u8> {
    let pem = key.public_key().to_string();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(lines).expect("PEM")
}

/// What a log is named by: the hash of its key.
fn log_id(key: &SigningKey) -> [u8; 32] {
    Sha256::digest(der_of(key)).into()
}

/// Who signs.
pub(crate) fn identity() -> Identity {
    Identity {
        name: "maker@acme.example".to_owned(),
        issuer: "https://accounts.acme.example".to_owned(),
    }
}

/// An extension with the issuer, in the form of today: a text in DER.
pub(crate) fn issuer(text: &str) -> CustomExtension {
    let length = u8::try_from(text.len()).expect("it is short");
    CustomExtension::from_oid_content(&ISSUER, [&[0x0c, length], text.as_bytes()].concat())
}

impl Making {
    /// What is as it should be.
    pub(crate) fn new() -> Self {
        let mut certificate = CertificateParams::default();
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).expect("a time");
        (certificate.not_before, certificate.not_after) = (at(NOW - 60), at(NOW + 540));
        certificate.distinguished_name = rcgen::DistinguishedName::new();
        let name = identity().name.try_into().expect("ASCII");
        certificate.subject_alt_names = vec![SanType::Rfc822Name(name)];
        certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        certificate.custom_extensions = vec![issuer(&identity().issuer)];
        certificate.serial_number = Some(SerialNumber::from_slice(&[7; 8]));
        Self {
            certificate,
            digest: Digest::sha256("a manifest"),
            payload_type: statement::MEDIA_TYPE,
            kind: "dsse",
            other_entry: false,
            sct: true,
            time: NOW,
        }
    }
}

impl Instance {
    pub(crate) fn new() -> Self {
        let authority = |name: &str, constraints| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(constraints);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params
        };
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("there are random bytes");
        let root = authority("root", BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, key()).expect("it can be made");
        let mut between = authority("authority", BasicConstraints::Constrained(0));
        between.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let authority = CertifiedIssuer::signed_by(between, key(), &root).expect("it can be made");
        Self {
            root,
            authority,
            certificate_log: SigningKey::generate(),
            log: SigningKey::generate(),
        }
    }

    /// What others are given.
    pub(crate) fn trust_root(&self) -> Value {
        let period = json!({ "start": "2025-01-01T00:00:00Z", "end": "2026-12-31T23:59:59.999Z" });
        let log = |key: &SigningKey| {
            json!([{
                "baseUrl": "https://log.acme.example", "hashAlgorithm": "SHA2_256", "logId": { "keyId": base64(log_id(key)) },
                "publicKey": { "rawBytes": base64(der_of(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": period },
            }])
        };
        let certificates = [&self.authority, &self.root].map(|one| json!({ "rawBytes": base64(one.der()) }));
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.log),
            "certificateAuthorities": [{
                "subject": { "organization": "acme", "commonName": "authority" }, "uri": "https://ca.acme.example",
                "certChain": { "certificates": certificates }, "validFor": period,
            }],
            "ctlogs": log(&self.certificate_log),
            "timestampAuthorities": [],
        })
    }

    /// A bundle, and all that it takes for one.
    pub(crate) fn sign(&self, making: &Making) -> Value {
        let key = SigningKey::generate();
        let certificate = self.certificate(making, &key);
        let payload = Statement::new(&making.digest, statement::SIGNED, json!({})).to_bytes();
        let envelope = Envelope::sign(making.payload_type, &payload, &key);
        let entry = if making.other_entry {
            let payload = Statement::new(&Digest::sha256("another"), statement::SIGNED, json!({})).to_bytes();
            let other = Envelope::sign(making.payload_type, &payload, &key);
            self.entry(making, &certificate, &other, &payload)
        } else {
            self.entry(making, &certificate, &envelope, &payload)
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "certificate": { "rawBytes": base64(&certificate) }, "tlogEntries": [entry] },
            "dsseEnvelope": envelope,
        })
    }

    /// The certificate of a key, in DER: first without timestamps, and then with that which the log gives for it.
    fn certificate(&self, making: &Making, key: &SigningKey) -> Vec<u8> {
        let key = KeyPair::from_pem(&key.to_pem().expect("a key")).expect("a key");
        let mut params = making.certificate.clone();
        let issue = |params: &CertificateParams| {
            let certificate = params.signed_by(&key, &self.authority).expect("it can be made");
            certificate.der().to_vec()
        };
        let before = issue(&params);
        if !making.sct {
            return before;
        }
        let parse = |der: &[u8]| x509_cert::Certificate::from_der(der).expect("a certificate");
        let before = parse(&before).tbs_certificate().to_der().expect("DER");
        let authority = parse(self.authority.der());
        let authority = authority
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .expect("DER");
        let time = u64::try_from(making.time * 1000).expect("after 1970").to_be_bytes();
        let length = u32::try_from(before.len()).expect("it is short").to_be_bytes();
        let issuer = Sha256::digest(authority);
        let message = [&[0, 0], &time[..], &[0, 1], &issuer, &length[1..], &before, &[0, 0]].concat();
        let signature = self.certificate_log.sign(&message).0;
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).expect("it is short").to_be_bytes();
        let sct = [
            &[0][..],
            &log_id(&self.certificate_log),
            &time,
            &[0, 0, 4, 3],
            &length(&signature),
            &signature,
        ]
        .concat();
        let list = [&length(&sct)[..], &sct].concat();
        let list = [&length(&list)[..], &list].concat();
        let list = x509_cert::der::asn1::OctetString::new(list)
            .and_then(|list| list.to_der())
            .expect("DER");
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&SCT_LIST, list));
        issue(&params)
    }

    /// The entry of a signature, as the second of three.
    fn entry(&self, making: &Making, certificate: &[u8], envelope: &Envelope, payload: &[u8]) -> Value {
        let pem = base64(certificate);
        let lines: Vec<_> = pem
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line))
            .collect();
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        );
        let signature = serde_json::to_value(envelope).expect("JSON")["signatures"][0]["sig"].clone();
        let hash = json!({ "algorithm": "sha256", "value": hex(Sha256::digest(payload)) });
        let message = Sha256::digest(dsse::pae(making.payload_type, payload));
        let (kind, version) = making.kind.split_once(' ').unwrap_or((making.kind, "0.0.1"));
        let text = signature.as_str().expect("a text");
        let verifier =
            json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": { "rawBytes": base64(certificate) } });
        let version_2 = json!({ "content": text, "verifier": verifier });
        let spec = match (kind, version) {
            ("dsse", _) => json!({
                "envelopeHash": hash, "payloadHash": hash,
                "signatures": [{ "signature": signature, "verifier": base64(&pem) }],
            }),
            ("intoto", _) => json!({ "content": {
                "envelope": {
                    "payloadType": making.payload_type, "signatures": [{ "publicKey": base64(&pem), "sig": base64(text) }],
                },
                "hash": hash, "payloadHash": hash,
            }}),
            (_, "0.0.1") => json!({
                "data": { "hash": { "algorithm": "sha256", "value": hex(message) } },
                "signature": { "content": text, "publicKey": { "content": base64(&pem) } },
            }),
            _ => json!({ "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": base64(message) }, "signature": version_2,
            }}),
        };
        let body = json!({ "apiVersion": version, "kind": kind, "spec": spec }).to_string();
        self.logged(&body, making.time, (kind, version))
    }

    /// What the log says of an entry.
    pub(crate) fn logged(&self, body: &str, time: i64, (kind, version): (&str, &str)) -> Value {
        let (first, leaf, third) = (Hash::leaf(b"first"), Hash::leaf(body.as_bytes()), Hash::leaf(b"third"));
        let root = Hash::node(Hash::node(first, leaf), third);
        let id = log_id(&self.log);
        let note = format!("log.acme.example - 1\n3\n{}\n", base64(root.0));
        let signature = [&id[..4], &self.log.sign(note.as_bytes()).0].concat();
        let note = format!("{note}\n— log.acme.example {}\n", base64(signature));
        // The canonical form: in the order of the names.
        let promised = json!({ "body": base64(body), "integratedTime": time, "logID": hex(id), "logIndex": 5001 });
        let promise = self.log.sign(promised.to_string().as_bytes());
        json!({
            "logIndex": "5001", "logId": { "keyId": base64(id) }, "kindVersion": { "kind": kind, "version": version },
            "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": promise.to_string() },
            "inclusionProof": {
                "logIndex": "1", "treeSize": "3", "rootHash": base64(root.0),
                "hashes": [base64(first.0), base64(third.0)], "checkpoint": { "envelope": note },
            },
            "canonicalizedBody": base64(body),
        })
    }
}
