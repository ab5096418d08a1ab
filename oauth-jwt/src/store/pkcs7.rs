//! Certificates in PKCS#7 signed data (P7B, RFC 2315 section 9.1), as PEM or DER. Nothing is signed in such a file.

use super::assemble::Parts;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::sniff::Shape;
use crate::pem;
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{AnyRef, SequenceRef};
use pkcs8::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

pub(super) fn read(kind: StoreKind, contents: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let mut parts = Parts::default();
    if Shape::of(contents) == Some(Shape::Pkcs7) {
        collect(kind, contents, &mut parts)?;
        return parts.entries(kind);
    }
    let sections = pem::sections(contents).map_err(|why| StoreError::of(kind, why))?;
    let mut found = false;
    for section in sections.iter().filter(|section| matches!(section.label, b"PKCS7" | b"CMS")) {
        let der = pem::decode(section.body).map_err(|why| StoreError::of(kind, why))?;
        collect(kind, &der, &mut parts)?;
        found = true;
    }
    if found {
        parts.entries(kind)
    } else {
        Err(StoreError::Malformed { kind, why: "there is no PKCS#7 in it" })
    }
}

fn collect(kind: StoreKind, der: &[u8], parts: &mut Parts) -> Result<(), StoreError> {
    let malformed = StoreError::Malformed { kind, why: "it is no signed data in DER" };
    let Ok(set) = certificates(der) else { return Err(malformed) };
    let Ok(mut set) = SliceReader::new(set) else { return Ok(()) };
    while !set.is_finished() {
        let Ok(certificate) = set.tlv_bytes() else { return Err(malformed) };
        parts.certificate(certificate, kind)?;
    }
    Ok(())
}

/// What stands in the set of certificates; nothing where there is no such set.
fn certificates(der: &[u8]) -> pkcs8::der::Result<&[u8]> {
    let mut content_info = SliceReader::new(<&SequenceRef>::from_der(der)?.as_bytes())?;
    if ObjectIdentifier::decode(&mut content_info)? != SIGNED_DATA {
        return Err(Tag::ObjectIdentifier.value_error().into());
    }
    let content = AnyRef::decode(&mut content_info)?;
    let signed_data = <&SequenceRef>::from_der(content.value())?;
    let mut reader = SliceReader::new(signed_data.as_bytes())?;
    for _version_algorithms_and_content in 0..3 {
        AnyRef::decode(&mut reader)?;
    }
    let set = AnyRef::decode(&mut reader)?;
    let is_there = set.tag() == Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    Ok(if is_there { set.value() } else { &[] })
}
