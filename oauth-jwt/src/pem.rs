//! Finds the one private key of a PEM file (RFC 7468, and the older headers of RFC 1421).
//!
//! More patient than the RFC where that is harmless: lines of any length, or none at all (an environment variable
//! that lost its line ends), and text between the sections.

use crate::error::KeyError;
use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

/// A private key as it stood in the file, its Base64 undone; wiped on drop.
pub(crate) struct PrivateKey {
    pub(crate) format: Format,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The structure of a private key, as its label tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
    /// `ENCRYPTED PRIVATE KEY` (RFC 5958 section 3): what is in it, its password opens.
    Encrypted,
}

/// Certificates and parameters beside the key are common in one file, and passed over.
pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKey, KeyError> {
    let sections = sections(pem)?;
    let any = |kind: &[u8]| sections.iter().any(|section| section.label.ends_with(kind));
    let mut keys = sections.iter().filter(|section| section.label.ends_with(b"PRIVATE KEY"));
    match (keys.next(), keys.count()) {
        (Some(key), 0) => key.open(),
        (Some(_), more) => Err(KeyError::SeveralPrivateKeys { count: more + 1 }),
        (None, _) if sections.is_empty() => Err(KeyError::NotPem),
        (None, _) if any(b"CERTIFICATE") => Err(KeyError::Certificate),
        (None, _) if any(b"PUBLIC KEY") => Err(KeyError::PublicKey),
        (None, _) => Err(KeyError::NoPrivateKey),
    }
}

/// What stands between the two lines of a label.
pub(crate) struct Section<'a> {
    pub(crate) label: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Section<'_> {
    pub(crate) fn open(&self) -> Result<PrivateKey, KeyError> {
        let format = match self.label {
            b"PRIVATE KEY" => Format::Pkcs8,
            b"RSA PRIVATE KEY" => Format::Pkcs1,
            b"EC PRIVATE KEY" => Format::Sec1,
            b"ENCRYPTED PRIVATE KEY" => Format::Encrypted,
            b"OPENSSH PRIVATE KEY" => return Err(KeyError::Unsupported { found: "in OpenSSH's own format" }),
            _ => return Err(KeyError::Unsupported { found: "of a kind that its PEM label alone names" }),
        };
        // RFC 1421 section 4.6.1.1: a header says that the body is encrypted.
        if split(self.body, b"Proc-Type: 4,ENCRYPTED").is_some() {
            return Err(KeyError::Encrypted);
        }
        Ok(PrivateKey { format, der: decode(self.body)? })
    }
}

/// All of them, in their order.
pub(crate) fn sections(pem: &[u8]) -> Result<Vec<Section<'_>>, KeyError> {
    let mut rest = pem;
    let mut sections = Vec::new();
    while let Some(section) = next_section(&mut rest)? {
        sections.push(section);
    }
    Ok(sections)
}

fn next_section<'a>(rest: &mut &'a [u8]) -> Result<Option<Section<'a>>, KeyError> {
    let Some((_, after)) = split(rest, b"-----BEGIN ") else { return Ok(None) };
    let cut = KeyError::Malformed { why: "a PEM section has no end" };
    let Some((label, after)) = split(after, b"-----") else { return Err(cut) };
    let Some((body, after)) = split(after, b"-----END ") else { return Err(cut) };
    let Some((end, after)) = split(after, b"-----") else { return Err(cut) };
    // RFC 7468 section 2: generators MUST put the same label on both lines.
    if label != end {
        return Err(KeyError::Malformed { why: "the BEGIN line and the END line of a PEM section differ" });
    }
    *rest = after;
    Ok(Some(Section { label, body }))
}

/// What stands before and after the first `separator`.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window == separator)?;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// Undoes the Base64 in one buffer, without branching on its secret bytes.
pub(crate) fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Room for all of it from the start: a `Vec` that grows leaves an unwiped copy behind.
    let mut der = Zeroizing::new(Vec::with_capacity(body.len()));
    der.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let length = match Base64::decode_in_place(&mut der) {
        Ok(decoded) => decoded.len(),
        Err(_) => {
            return Err(KeyError::Malformed {
                why: "its Base64 is broken (are its line ends written out as \\n, or is something missing?)",
            });
        }
    };
    der.truncate(length);
    Ok(der)
}

#[cfg(test)]
mod tests;
