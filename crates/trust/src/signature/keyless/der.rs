//! ASN.1 by the places of its fields, for what no library of this generation has types for.
//!
//! Source: X.690, the distinguished encoding rules.

use x509_cert::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _, asn1::AnyRef};

/// The fields of a sequence that these bytes are, and nothing else.
pub(super) fn sequence(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let any = AnyRef::from_der(der).ok()?;
    (any.tag() == Tag::Sequence).then(|| elements(any))?
}

/// The fields of a sequence, or what is in a set, whatever its tag is.
pub(super) fn elements(any: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(any.value()).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(elements)
}

/// What is in the field with an explicit tag of that number.
pub(super) fn tagged(any: AnyRef<'_>, number: u32) -> Option<AnyRef<'_>> {
    is_tagged(any, number).then(|| AnyRef::from_der(any.value()).ok())?
}

/// Whether a field has a tag of that number.
pub(super) fn is_tagged(any: AnyRef<'_>, number: u32) -> bool {
    let number = TagNumber(number);
    let constructed = true;
    any.tag() == Tag::ContextSpecific { constructed, number }
}
