//! Signed messages in their compact form (RFC 7515), read with bounds and verified by an allow-list.

use crate::base64url;
use crate::key_set::{KeySet, Verifier};
use crate::verify_error::JwsError;
use oauth_core::{Algorithm, JsonValue as Value};

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
        let short = |typ: &str| {
            let prefix = typ.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
            typ.get(prefix.map_or(0, str::len)..).unwrap_or_default().to_ascii_lowercase()
        };
        match (self.typ, typ) {
            (Some(wanted), typ) => typ.is_some_and(|typ| short(typ) == short(wanted)),
            (None, None) => true,
            (None, Some(typ)) => short(typ) == "jwt",
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
        let (header, rest) = message.split_once('.').ok_or(JwsError::NotCompact)?;
        let (payload, signature) = rest.split_once('.').ok_or(JwsError::NotCompact)?;
        if let Some(at) = signature.find('.') {
            // RFC 7516 section 9: five parts are encrypted.
            let (third, last) =
                (signature.get(at + 1..).unwrap_or_default(), |text: &str| !text.contains('.'));
            let encrypted = third.split_once('.').is_some_and(|(_, tag)| last(tag));
            return Err(if encrypted { JwsError::Encrypted } else { JwsError::NotCompact });
        }
        if header.len() > MAX_PART || signature.len() > MAX_PART {
            return Err(JwsError::TooLarge);
        }
        let json = base64url::decode(header.as_bytes()).ok_or(JwsError::Encoding("header"))?;
        let signing_input = message.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        Ok(Self { header: Header::read(&json)?, signing_input, payload, signature })
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
        let signature =
            base64url::decode(self.signature.as_bytes()).ok_or(JwsError::Encoding("signature"))?;
        let payload = base64url::decode(self.payload.as_bytes()).ok_or(JwsError::Encoding("payload"))?;
        if key.verifies(alg, self.signing_input.as_bytes(), &signature) {
            Ok(payload)
        } else {
            Err(JwsError::Signature)
        }
    }
}

impl Header {
    fn read(json: &[u8]) -> Result<Self, JwsError> {
        let header = Value::read(json).map_err(JwsError::Header)?;
        let text = |name: &'static str| match header.member(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(|text| Some(text.to_owned())).ok_or(JwsError::Member(name)),
        };
        // RFC 7515 section 4.1.11: what is critical and not understood is refused. Here nothing is understood; `b64`
        // (RFC 7797) changes what is signed.
        for name in ["crit", "b64"] {
            if header.member(name).is_some() {
                return Err(JwsError::Critical);
            }
        }
        let alg = text("alg")?.ok_or(JwsError::Member("alg"))?;
        Ok(Self { alg: Algorithm::from_text(&alg), kid: text("kid")?, typ: text("typ")? })
    }
}
