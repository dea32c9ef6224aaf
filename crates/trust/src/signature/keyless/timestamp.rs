//! What timestamp authorities answer: that a signature was there at a time.
//!
//! Source: RFC 3161, section 2.4.2, for the answer and what is signed; RFC 5652, sections 5.1 to 5.4, for how.

use x509_cert::{
    attr::Attribute,
    der::{
        Encode as _, Tag, Tagged as _,
        asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, SetOfVec},
    },
    spki::AlgorithmIdentifierRef,
};

use super::{
    certificate::{self, Certificate, TIME_STAMPING},
    der::{elements, is_tagged, sequence, tagged},
    key::Hash,
    trust_root::TrustRoot,
};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// When a timestamp authority of the root has seen a signature, in seconds since 1970.
pub(super) fn time(answer: &[u8], signature: &[u8], root: &TrustRoot) -> Option<i64> {
    let [status, token] = sequence(answer)?[..] else {
        return None;
    };
    // Granted, or granted with modifications.
    matches!(elements(status)?.first()?.value(), [0 | 1]).then_some(())?;
    let [kind, content] = elements(token)?[..] else {
        return None;
    };
    is(kind, SIGNED_DATA)?;
    let data = elements(tagged(content, 0)?)?;
    let (info, signer) = (data.get(2)?, data.last()?);
    let [kind, content] = elements(*info)?[..] else {
        return None;
    };
    is(kind, TST_INFO)?;
    let info = tagged(content, 0)?.decode_as::<&OctetStringRef>().ok()?.as_bytes();
    let time = said(info, signature)?;
    let [signer] = elements(*signer)?[..] else {
        return None;
    };
    let sent = data.iter().find(|field| is_tagged(**field, 0));
    let sent = sent.and_then(|field| elements(*field)).unwrap_or_default();
    let sent: Vec<_> = sent.iter().filter_map(certificate_of).collect();
    let own = root.timestamp_authorities().iter();
    let mut certificates = own.flat_map(|authority| &authority.certificates).chain(&sent);
    certificates.find(|certificate| {
        is_signed(signer, info, certificate).is_some()
            && certificate::issuer(certificate, root.timestamp_authorities(), TIME_STAMPING, &[time]).is_some()
    })?;
    Some(time)
}

/// The time in what is signed, if it is about that signature.
fn said(info: &[u8], signature: &[u8]) -> Option<i64> {
    let [_version, _policy, imprint, _serial, time, ..] = sequence(info)?[..] else {
        return None;
    };
    let [algorithm, digest] = elements(imprint)?[..] else {
        return None;
    };
    let hash = Hash::of_digest(&algorithm_of(algorithm)?.oid)?;
    (digest.value() == hash.digest(signature)).then_some(())?;
    (time.tag() == Tag::GeneralizedTime).then_some(())?;
    // The library knows no parts of a second, which authorities may write.
    let text = std::str::from_utf8(time.value()).ok()?;
    let whole = text.split_once('.').map(|(whole, _)| format!("{whole}Z"));
    let whole = AnyRef::new(Tag::GeneralizedTime, whole.as_deref().unwrap_or(text).as_bytes()).ok()?;
    let time: GeneralizedTime = whole.decode_as().ok()?;
    i64::try_from(time.to_unix_duration().as_secs()).ok()
}

/// Whether the key of a certificate has signed it, and the signature names the certificate.
fn is_signed(signer: AnyRef<'_>, info: &[u8], certificate: &Certificate) -> Option<()> {
    let [_version, name, digest, attributes, algorithm, signature, ..] = elements(signer)?[..] else {
        return None;
    };
    let [issuer, serial] = elements(name)?[..] else {
        return None;
    };
    let named = certificate.is_named(&issuer.to_der().ok()?, &serial.to_der().ok()?);
    (named && name.tag() == Tag::Sequence && is_tagged(attributes, 0)).then_some(())?;
    // The tag that is signed is that of a set.
    let attributes = AnyRef::new(Tag::Set, attributes.value()).ok()?;
    let digest = Hash::of_digest(&algorithm_of(digest)?.oid)?;
    let read: SetOfVec<Attribute> = attributes.decode_as().ok()?;
    let of = |oid: ObjectIdentifier| {
        let mut own = read.iter().filter(|attribute| attribute.oid == oid);
        let (first, second) = (own.next(), own.next());
        let values = first.filter(|_| second.is_none())?.values.as_slice();
        match values {
            [value] => Some(AnyRef::from(value)),
            _ => None,
        }
    };
    is(of(CONTENT_TYPE)?, TST_INFO)?;
    (of(MESSAGE_DIGEST)?.value() == digest.digest(info)).then_some(())?;
    let key = certificate.key()?;
    let hash = Hash::of_signature(&algorithm_of(algorithm)?.oid)?;
    let message = attributes.to_der().ok()?;
    key.verifies(hash, &message, signature.value()).then_some(())
}

fn is(any: AnyRef<'_>, oid: ObjectIdentifier) -> Option<()> {
    (any.decode_as::<ObjectIdentifier>().ok()? == oid).then_some(())
}

fn algorithm_of(any: AnyRef<'_>) -> Option<AlgorithmIdentifierRef<'_>> {
    any.decode_as().ok()
}

fn certificate_of(any: &AnyRef<'_>) -> Option<Certificate> {
    Certificate::parse(&any.to_der().ok()?)
}
