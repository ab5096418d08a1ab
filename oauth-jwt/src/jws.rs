//! Signed messages in their compact form (RFC 7515), read with bounds and verified by an allow-list.

use crate::base64url::{self, Part};
use crate::key_set::{KeySet, Verifier};
use crate::verify_error::JwsError;
use oauth_core::{Algorithm, JsonValue as Value, Malformed};
use std::borrow::Cow;

/// How long a header, or a signature, may be, in characters.
const MAX_PART: usize = 64 * 1024;
/// How long a message may be, in characters.
const MAX_MESSAGE: usize = 1024 * 1024;

/// A compact JWS, taken apart and **not verified**: a header to choose a key by.
///
/// What its header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never used, nor fetched (RFC 8725 section 3.10).
#[derive(Clone, Debug)]
pub struct Jws<'a> {
    header: Header,
    /// The encoded header, a dot and the encoded payload.
    signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// What a header says that matters here (RFC 7515 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// How it is signed, as it says itself.
    pub alg: Algorithm,
    /// The name of the key.
    pub kid: Option<String>,
    /// Of what kind the message is.
    pub typ: Option<String>,
}

/// What is accepted: named algorithms, and one kind of message.
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    algorithms: &'a [Algorithm],
    typ: Option<&'a str>,
}

impl<'a> Accepted<'a> {
    /// Messages signed by one of these algorithms, whose `typ` is `JWT` or none: ID tokens, say.
    #[must_use]
    pub const fn new(algorithms: &'a [Algorithm]) -> Self {
        Self { algorithms, typ: None }
    }

    /// Messages of exactly this kind: `at+jwt`, `logout+jwt` (RFC 8725 section 3.11).
    #[must_use]
    pub const fn with_typ(mut self, typ: &'a str) -> Self {
        self.typ = Some(typ);
        self
    }

    fn is_of_kind(&self, typ: Option<&str>) -> bool {
        // RFC 7515 section 4.1.9: media types, in either case, whose `application/` may be left out.
        fn short(typ: &str) -> &str {
            let prefix = typ.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
            typ.get(prefix.map_or(0, str::len)..).unwrap_or_default()
        }
        let same = |typ: &str, wanted: &str| short(typ).eq_ignore_ascii_case(short(wanted));
        match (self.typ, typ) {
            (Some(wanted), typ) => typ.is_some_and(|typ| same(typ, wanted)),
            (None, None) => true,
            (None, Some(typ)) => same(typ, "JWT"),
        }
    }
}

impl<'a> Jws<'a> {
    /// Takes a compact message apart and reads its header.
    ///
    /// # Errors
    /// It is too long, has more or fewer than three parts, is encrypted, or its header is none: not JSON, a member twice
    /// or of the wrong type, or something critical in it (`crit`), none of which is understood here.
    pub fn parse(message: &'a str) -> Result<Self, JwsError> {
        if message.len() > MAX_MESSAGE {
            return Err(JwsError::TooLarge);
        }
        let (signing_input, signature) = message.rsplit_once('.').ok_or(JwsError::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::NotCompact)?;
        if payload.as_bytes().contains(&b'.') {
            // RFC 7516 section 9: five parts are encrypted.
            let encrypted = payload.splitn(4, '.').count() == 3;
            return Err(if encrypted { JwsError::Encrypted } else { JwsError::NotCompact });
        }
        if header.len() > MAX_PART || signature.len() > MAX_PART {
            return Err(JwsError::TooLarge);
        }
        let mut json = Part::new();
        let json = json.decode(header).ok_or(JwsError::Encoding("header"))?;
        Ok(Self { header: Header::read(json)?, signing_input, payload, signature })
    }

    /// What its header says, **not verified**.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Verifies the signature by one of these keys, and gives the payload.
    ///
    /// Exactly one key is tried: the one that the header names, or the only one that can verify its algorithm and has no
    /// other name.
    ///
    /// # Errors
    /// The algorithm or the kind is not accepted, no key or more than one comes into question, or the signature is not
    /// right. [`JwsError::UnknownKid`] is worth one look at the server's keys as they are now.
    pub fn verify<K: Verifier>(
        &self,
        keys: &KeySet<K>,
        accepted: &Accepted<'_>,
    ) -> Result<Vec<u8>, JwsError> {
        let alg = &self.header.alg;
        if !accepted.algorithms.contains(alg) {
            return Err(JwsError::Algorithm(alg.clone()));
        }
        if !accepted.is_of_kind(self.header.typ.as_deref()) {
            return Err(JwsError::Typ(self.header.typ.clone()));
        }
        let key = keys.select(alg, self.header.kid.as_deref())?;
        let mut signature = Part::new();
        let signature = signature.decode(self.signature).ok_or(JwsError::Encoding("signature"))?;
        let payload = base64url::decode_message(self.payload).ok_or(JwsError::Encoding("payload"))?;
        if key.verifies(alg, self.signing_input.as_bytes(), signature) {
            Ok(payload)
        } else {
            Err(JwsError::Signature)
        }
    }
}

impl Header {
    fn read(json: &[u8]) -> Result<Self, JwsError> {
        Self::plain(json).map_or_else(|| Self::read_json(json), Ok)
    }

    /// A header as nearly everybody writes it: texts alone, without an escape or a space between them, and no member but the
    /// three that matter. `None` for any other, which costs ten times as much to read.
    fn plain(json: &[u8]) -> Option<Self> {
        let mut rest = json.strip_prefix(b"{")?;
        let (mut alg, mut typ, mut kid) = (None, None, None);
        loop {
            let (member, value) = if let Some(value) = rest.strip_prefix(br#""alg":""#) {
                (&mut alg, value)
            } else if let Some(value) = rest.strip_prefix(br#""typ":""#) {
                (&mut typ, value)
            } else {
                (&mut kid, rest.strip_prefix(br#""kid":""#)?)
            };
            let is_end = |byte: &u8| !matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            let (value, after) = value.split_at_checked(value.iter().position(is_end)?)?;
            if member.replace(value).is_some() {
                return None;
            }
            match after {
                b"\"}" => break,
                [b'"', b',', after @ ..] => rest = after,
                _ => return None,
            }
        }
        let text = |value: &[u8]| str::from_utf8(value).ok().map(str::to_owned);
        Some(Self {
            alg: Algorithm::from_text(str::from_utf8(alg?).ok()?),
            kid: kid.and_then(text),
            typ: typ.and_then(text),
        })
    }

    fn read_json(json: &[u8]) -> Result<Self, JwsError> {
        let members = Value::read_members(json, &["alg", "typ", "kid", "crit", "b64"]);
        let [alg, typ, kid, crit, b64] = members.map_err(|why| match why {
            Malformed::NotAnObject => JwsError::Member("alg"),
            why => JwsError::Header(why),
        })?;
        // RFC 7515 section 4.1.11: what is critical and not understood is refused. Here nothing is understood; `b64`
        // (RFC 7797) changes what is signed.
        if crit.is_some() || b64.is_some() {
            return Err(JwsError::Critical);
        }
        let alg = text("alg", alg)?.ok_or(JwsError::Member("alg"))?;
        let owned = |name, value| text(name, value).map(|text| text.map(Cow::into_owned));
        Ok(Self { alg: Algorithm::from_text(&alg), kid: owned("kid", kid)?, typ: owned("typ", typ)? })
    }
}

fn text<'a>(name: &'static str, value: Option<Value<'a>>) -> Result<Option<Cow<'a, str>>, JwsError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::Member(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_header_is_what_the_json_reader_makes_of_it() {
        let headers = [
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"RS256","kid":"2026-11","typ":"JWT"}"#,
            r#"{"typ":"JWT","alg":"ES256","kid":"a:{b},[c]"}"#,
            r#"{"kid":"","alg":"none"}"#,
        ];
        for header in headers {
            assert_eq!(
                Header::plain(header.as_bytes()),
                Header::read_json(header.as_bytes()).ok(),
                "{header}"
            );
        }
        // Whatever is changed in them, the one never takes what the other refuses, or takes otherwise.
        let bytes = [0, b' ', b'"', b',', b':', b'\\', b'{', b'}', b'[', b'1', b'a', b'u', 0x7F, 0xC3];
        let (mut seen, mut plain) = (0, 0);
        for header in headers.map(str::as_bytes) {
            for (at, byte, how) in (0..header.len())
                .flat_map(|at| bytes.iter().flat_map(move |byte| (0..3).map(move |how| (at, *byte, how))))
            {
                let mut changed = header.to_vec();
                match how {
                    0 => changed[at] = byte,
                    1 => changed.insert(at, byte),
                    _ => drop(changed.splice(at..=at, header.iter().copied().skip(at / 2).take(9))),
                }
                seen += 1;
                let Some(read) = Header::plain(&changed) else { continue };
                plain += 1;
                let shown = String::from_utf8_lossy(&changed);
                assert_eq!(Header::read_json(&changed), Ok(read), "{shown}");
            }
        }
        assert!(seen > 5000 && plain > 500, "{plain} of {seen}");
        for other in [
            r#"{"alg":"RS256","alg":"none"}"#,
            r#"{"alg":"RS256","crit":["b64"]}"#,
            r#"{"alg":"RS256","b64":false}"#,
            r#"{"alg":"R\u0053256"}"#,
            r#"{ "alg":"RS256"}"#,
            r#"{"alg":"RS256",}"#,
            r#"{"kid":"k"}"#,
            "{}",
            "",
        ] {
            assert_eq!(Header::plain(other.as_bytes()), None, "{other}");
        }
    }
}
