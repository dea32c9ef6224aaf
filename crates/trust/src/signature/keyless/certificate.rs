//! Certificates of X.509, and the way from one to an authority that is trusted.
//!
//! Only what such certificates have is known here: one with another critical extension, or with constraints on names, is not believed.
//!
//! Source: RFC 5280, sections 4.2 and 6.1; fulcio, `docs/certificate-specification.md` and `docs/oid-info.md`.

use x509_cert::{
    Certificate as Parsed,
    der::{
        Decode as _, Encode as _,
        asn1::{BitStringRef, ObjectIdentifier, Utf8StringRef},
        oid::AssociatedOid as _,
    },
    ext::{
        Extension,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName, name::GeneralName},
    },
};

use super::{
    Identity, der,
    key::{Hash, Key},
    trust_root::Period,
};

/// The purpose of certificates of who signs.
pub(super) const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
/// The purpose of certificates of timestamp authorities.
pub(super) const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
/// Who says whom a certificate is for: a text in DER.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The same in older certificates, as bare bytes.
const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// The critical extensions that are looked at.
const KNOWN: [ObjectIdentifier; 4] = [
    BasicConstraints::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    SubjectAltName::OID,
];

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    parsed: Parsed,
    /// The bytes that are signed, as they came.
    signed: Vec<u8>,
}

/// Who issues certificates: from those that issue to the root, which is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) certificates: Vec<Certificate>,
    pub(super) valid: Period,
}

impl Certificate {
    /// From DER.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let signed = der::sequence(der)?.first()?.to_der().ok()?;
        let parsed = Parsed::from_der(der).ok()?;
        Some(Self { parsed, signed })
    }

    /// The fields that are signed, in DER.
    pub(super) fn signed(&self) -> &[u8] {
        &self.signed
    }

    /// Whose key it is, if it is of a kind that is known here.
    pub(super) fn key(&self) -> Option<Key> {
        Key::from_spki(&self.spki()?)
    }

    /// The key, in DER.
    pub(super) fn spki(&self) -> Option<Vec<u8>> {
        let tbs = self.parsed.tbs_certificate();
        tbs.subject_public_key_info().to_der().ok()
    }

    /// Issuer and serial number, in DER: what names a certificate.
    pub(super) fn is_named(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let tbs = self.parsed.tbs_certificate();
        let is = |der: Result<Vec<u8>, _>, wanted: &[u8]| der.is_ok_and(|der: Vec<u8>| der == wanted);
        is(tbs.issuer().to_der(), issuer) && is(tbs.serial_number().to_der(), serial)
    }

    /// An extension, and whether it is critical. `Err` if it is there twice, or malformed.
    pub(super) fn extension<'a, T>(&'a self) -> Result<Option<(bool, T)>, ()>
    where
        T: x509_cert::der::Decode<'a> + x509_cert::der::oid::AssociatedOid,
    {
        self.parsed.tbs_certificate().get_extension::<T>().map_err(|_| ())
    }

    fn extensions(&self) -> &[Extension] {
        let extensions = self.parsed.tbs_certificate().extensions();
        extensions.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether it was valid at that time, and has no critical extension that nobody here knows.
    fn is_valid(&self, time: i64) -> bool {
        let validity = self.parsed.tbs_certificate().validity();
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        let since = seconds(validity.not_before).is_some_and(|since| since <= time);
        let until = seconds(validity.not_after).is_some_and(|until| time <= until);
        let is_known = |one: &Extension| !one.critical || KNOWN.contains(&one.extn_id);
        let limits_names = |one: &Extension| one.extn_id == NameConstraints::OID;
        since && until && self.extensions().iter().all(|one| is_known(one) && !limits_names(one))
    }

    /// Whether its key may sign messages for that purpose, and nothing else.
    fn is_for(&self, purpose: ObjectIdentifier) -> bool {
        let signs = matches!(self.extension::<KeyUsage>(), Ok(Some((_, usage))) if usage.digital_signature());
        let is_no_authority = match self.extension::<BasicConstraints>() {
            Ok(constraints) => constraints.is_none_or(|(_, constraints)| !constraints.ca),
            Err(()) => false,
        };
        let purposes = self.extension::<ExtendedKeyUsage>();
        signs && is_no_authority && matches!(purposes, Ok(Some((_, purposes))) if purposes.0.contains(&purpose))
    }

    /// Whether its key may sign certificates for that purpose, with `below` other authorities between it and the leaf.
    fn may_issue(&self, purpose: ObjectIdentifier, below: usize) -> bool {
        let constraints = self.extension::<BasicConstraints>();
        let is_authority = matches!(constraints, Ok(Some((_, limits)))
            if limits.ca && limits.path_len_constraint.is_none_or(|most| below <= most.into()));
        let signs = match self.extension::<KeyUsage>() {
            Ok(usage) => usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
            Err(()) => false,
        };
        let is_for = match self.extension::<ExtendedKeyUsage>() {
            Ok(purposes) => purposes.is_none_or(|(_, purposes)| purposes.0.contains(&purpose)),
            Err(()) => false,
        };
        is_authority && signs && is_for
    }

    /// Whether the key of `issuer` has signed it, and its name stands there.
    fn is_issued_by(&self, issuer: &Self) -> bool {
        let (own, other) = (self.parsed.tbs_certificate(), issuer.parsed.tbs_certificate());
        let algorithm = self.parsed.signature_algorithm();
        let signature = BitStringRef::from(self.parsed.signature());
        let (Some(hash), Some(key), Some(signature)) =
            (Hash::of_signature(&algorithm.oid), issuer.key(), signature.as_bytes())
        else {
            return false;
        };
        own.issuer() == other.subject() && own.signature() == algorithm && key.verifies(hash, &self.signed, signature)
    }

    /// Whom it is for; none if it says that of nobody, or of several.
    pub(super) fn identity(&self) -> Option<Identity> {
        let (_, names) = self.extension::<SubjectAltName>().ok()??;
        let name = match &*names.0 {
            [GeneralName::Rfc822Name(name) | GeneralName::UniformResourceIdentifier(name)] => name.as_str(),
            _ => return None,
        };
        let value = |oid| {
            let mut own = self.extensions().iter().filter(|one| one.extn_id == oid);
            let value = own.next().map(|one| one.extn_value.as_bytes());
            value.filter(|_| own.next().is_none())
        };
        let issuer = match value(ISSUER) {
            Some(der) => Utf8StringRef::from_der(der).ok()?.as_str(),
            None => std::str::from_utf8(value(OLD_ISSUER)?).ok()?,
        };
        Some(Identity {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
        })
    }
}

/// Who has issued a certificate, if the way from there ends at the root of an authority, for that purpose and at all those times.
pub(super) fn issuer<'a>(
    leaf: &Certificate,
    authorities: &'a [Authority],
    purpose: ObjectIdentifier,
    times: &[i64],
) -> Option<&'a Certificate> {
    let leaf_is_fit = leaf.is_for(purpose) && times.iter().all(|time| leaf.is_valid(*time));
    let mut authorities = authorities.iter().filter(|_| leaf_is_fit);
    authorities.find_map(|authority| {
        let leads = |issuer: &&Certificate| leaf.is_issued_by(issuer) && authority.leads(issuer, purpose, times, 0);
        authority.certificates.iter().find(leads)
    })
}

impl Authority {
    /// Whether the way from one of its certificates leads to its root.
    fn leads(&self, from: &Certificate, purpose: ObjectIdentifier, times: &[i64], below: usize) -> bool {
        let at = |time: &i64| self.valid.contains(*time) && from.is_valid(*time);
        if below >= self.certificates.len() || !from.may_issue(purpose, below) || !times.iter().all(at) {
            return false;
        }
        let leads = |next: &Certificate| from.is_issued_by(next) && self.leads(next, purpose, times, below + 1);
        self.certificates.last() == Some(from) || self.certificates.iter().any(leads)
    }
}
