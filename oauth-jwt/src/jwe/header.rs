//! The header of an encrypted message (RFC 7516 section 4.1).

use super::JweError;
use super::algorithm::{ContentEncryption, KeyManagement};
use super::key_management::agreement_key;
use crate::base64url;
use aws_lc_rs::agreement::ParsedPublicKey;
use oauth_core::JsonValue as Value;

/// What a header says that matters here. It is authenticated with the content, so before that **not to be believed**.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JweHeader {
    /// How the key of the content is handed over.
    pub alg: KeyManagement,
    /// How the content is encrypted.
    pub enc: ContentEncryption,
    /// The name of the key.
    pub kid: Option<String>,
    /// Of what kind the message is.
    pub typ: Option<String>,
    /// Of what kind the content is: `JWT` for a signed message (RFC 7519 section 5.2).
    pub cty: Option<String>,
}

/// What an agreement needs of the header (RFC 7518 section 4.6.1).
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    pub(super) epk: ParsedPublicKey,
    pub(super) apu: Vec<u8>,
    pub(super) apv: Vec<u8>,
}

/// Members that are texts where they are there, whether or not they are used here (RFC 7516 section 4.1, RFC 7518 section 4).
const TEXTS: [&str; 7] = ["jku", "x5u", "x5t", "x5t#S256", "p2s", "iv", "tag"];

impl JweHeader {
    pub(super) fn read(json: &[u8]) -> Result<(Self, Option<Agreement>), JweError> {
        let header = Value::read(json).map_err(JweError::Header)?;
        let text = |name: &'static str| match header.member(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(JweError::Member(name)),
        };
        // RFC 7516 section 4.1.13: what is critical and not understood is refused. Here nothing is understood.
        if header.member("crit").is_some() {
            return Err(JweError::Critical);
        }
        if header.member("zip").is_some() {
            return Err(JweError::Compressed);
        }
        for name in TEXTS {
            text(name)?;
        }
        if header.member("p2c").is_some_and(|count| !matches!(count, Value::Unsigned(_))) {
            return Err(JweError::Member("p2c"));
        }
        let (alg, enc) = (text("alg")?, text("enc")?);
        let alg = alg.ok_or(JweError::Member("alg"))?;
        let enc = enc.ok_or(JweError::Member("enc"))?;
        let owned = |name| text(name).map(|text| text.map(str::to_owned));
        let read = Self {
            alg: KeyManagement::from_text(alg)
                .ok_or_else(|| JweError::UnsupportedAlgorithm(alg.to_owned()))?,
            enc: ContentEncryption::from_text(enc)
                .ok_or_else(|| JweError::UnsupportedEncryption(enc.to_owned()))?,
            kid: owned("kid")?,
            typ: owned("typ")?,
            cty: owned("cty")?,
        };
        let party = |name: &'static str| match text(name)? {
            None => Ok(Vec::new()),
            Some(text) => base64url::decode(text.as_bytes()).ok_or(JweError::Member(name)),
        };
        let (apu, apv) = (party("apu")?, party("apv")?);
        let epk = header.member("epk").map(agreement_key).transpose().map_err(|_| JweError::Member("epk"))?;
        if read.alg.is_agreement() && epk.is_none() {
            return Err(JweError::Member("epk"));
        }
        Ok((read, epk.map(|epk| Agreement { epk, apu, apv })))
    }
}
