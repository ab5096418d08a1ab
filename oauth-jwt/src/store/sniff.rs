//! Tells what a store is by how it begins.

use super::error::StoreError;
use super::kind::Format;
use super::wire;
use crate::pem;
use pkcs8::der::asn1::{AnyRef, SequenceRef};
use pkcs8::der::{Decode as _, SliceReader, Tag, Tagged as _};

pub(super) fn format(contents: &[u8]) -> Result<Format, StoreError> {
    let text = contents.trim_ascii_start();
    if let Some(binary) = binary(contents) {
        return Ok(binary);
    }
    match text {
        [] => Err(StoreError::Unrecognized { why: "it is empty" }),
        [b'{', ..] => Ok(Format::Jwk),
        [b'<', ..] => Ok(Format::Xml),
        _ if text.starts_with(b"PuTTY-User-Key-File-") => Ok(Format::Ppk),
        _ if is_ssh(text) => Ok(Format::Ssh),
        _ => labels(text),
    }
}

/// A kind of key, and after a space the Base64 of its name's length: a file may be named like a kind.
fn is_ssh(text: &[u8]) -> bool {
    let named = wire::KINDS.iter().any(|kind| text.starts_with(kind.as_bytes()));
    let key = text.iter().position(|byte| b" \t".contains(byte)).map(|at| &text[at + 1..]);
    named && key.is_some_and(|key| key.starts_with(b"AAAA"))
}

fn binary(contents: &[u8]) -> Option<Format> {
    match contents {
        // The older kind, and the one for symmetric keys.
        [0xFE, 0xED, 0xFE, 0xED, ..] | [0xCE, 0xCE, 0xCE, 0xCE, ..] => Some(Format::Jks),
        // BER, as some programs write it: what reads PKCS#12 says so.
        [0x30, 0x80, 2, 1, 3, ..] => Some(Format::Pkcs12),
        [0, 0, 0, ..] => wire::begins(contents).then_some(Format::Ssh),
        _ => Shape::of(contents).map(|shape| match shape {
            Shape::Pkcs12 => Format::Pkcs12,
            Shape::Pkcs7 => Format::Pkcs7,
            Shape::Pkcs8 | Shape::EncryptedPkcs8 | Shape::Pkcs1 | Shape::Sec1 => Format::PrivateKeys,
            Shape::Certificate | Shape::PublicKey | Shape::RsaPublicKey => Format::PublicKeys,
        }),
    }
}

/// What the labels of PEM say.
fn labels(text: &[u8]) -> Result<Format, StoreError> {
    let why = "it is none of the formats that are known";
    let sections =
        pem::sections(text).map_err(|_| StoreError::Unrecognized { why: "it is PEM that is cut" })?;
    let any = |kind: &[u8]| sections.iter().any(|section| section.label.ends_with(kind));
    let pkcs7 = any(b"PKCS7") || any(b"CMS");
    match (any(b"PRIVATE KEY"), pkcs7, any(b"CERTIFICATE") || any(b"PUBLIC KEY")) {
        (true, false, _) => Ok(Format::PrivateKeys),
        (false, true, false) => Ok(Format::Pkcs7),
        (false, false, true) => Ok(Format::PublicKeys),
        (false, false, false) => Err(StoreError::Unrecognized { why }),
        (true, true, _) | (false, true, true) => {
            Err(StoreError::Unrecognized { why: "there is PKCS#7 beside other PEM in it" })
        }
    }
}

/// The structure of DER, by the first members of its sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `PFX` (RFC 7292 section 4).
    Pkcs12,
    /// `ContentInfo` (RFC 2315 section 7).
    Pkcs7,
    /// `OneAsymmetricKey` (RFC 5958 section 2).
    Pkcs8,
    /// `EncryptedPrivateKeyInfo` (RFC 5958 section 3).
    EncryptedPkcs8,
    /// `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// `ECPrivateKey` (RFC 5915 section 3).
    Sec1,
    /// `Certificate` (RFC 5280 section 4.1).
    Certificate,
    /// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    PublicKey,
    /// `RSAPublicKey` (RFC 8017 appendix A.1.1).
    RsaPublicKey,
}

impl Shape {
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let sequence = <&SequenceRef>::from_der(der).ok()?;
        let mut reader = SliceReader::new(sequence.as_bytes()).ok()?;
        let first = AnyRef::decode(&mut reader).ok()?;
        let second = Tag::peek(&reader).ok()?;
        match (first.tag(), first.value(), second) {
            (Tag::Integer, [3], Tag::Sequence) => Some(Self::Pkcs12),
            (Tag::Integer, [0 | 1], Tag::Sequence) => Some(Self::Pkcs8),
            (Tag::Integer, [0 | 1], Tag::Integer) => Some(Self::Pkcs1),
            (Tag::Integer, [1], Tag::OctetString) => Some(Self::Sec1),
            (Tag::Integer, _, Tag::Integer) => Some(Self::RsaPublicKey),
            (Tag::ObjectIdentifier, ..) => Some(Self::Pkcs7),
            (Tag::Sequence, _, Tag::OctetString) => Some(Self::EncryptedPkcs8),
            (Tag::Sequence, _, Tag::BitString) => Some(Self::PublicKey),
            (Tag::Sequence, _, Tag::Sequence) => Some(Self::Certificate),
            _ => None,
        }
    }
}
