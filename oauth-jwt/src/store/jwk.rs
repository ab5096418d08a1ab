//! JWK, one or a document of them (RFC 7517), with the certificates that some have in them.

use super::MAX_ENTRIES;
use super::certificate::Certificate;
use super::entry::Entry;
use super::error::StoreError;
use super::kind::StoreKind;
use super::numbers::{Ec, Rsa, ed25519};
use crate::error::KeyError;
use crate::jwk::{PublicKey, bytes};
use crate::pem;
use crate::signing_key::SigningKey;
use crate::verify_error::JwkError;
use oauth_core::JsonValue as Value;
use zeroize::Zeroizing;

/// How many certificates a key may have.
const MAX_CHAIN: usize = 100;

pub(super) fn read(kind: StoreKind, contents: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let document = Value::read(contents).map_err(|_| StoreError::Malformed { kind, why: "it is no JSON" })?;
    match document.member("keys") {
        Some(Value::Array(keys)) if keys.len() > MAX_ENTRIES => Err(StoreError::TooManyEntries),
        Some(Value::Array(keys)) => keys.iter().map(|key| entry(kind, key)).collect(),
        Some(_) => Err(StoreError::Malformed { kind, why: "its keys are no list" }),
        None if document.member("kty").is_some() => Ok(vec![entry(kind, &document)?]),
        None => Err(StoreError::Malformed { kind, why: "it has neither kty nor keys" }),
    }
}

fn entry(kind: StoreKind, jwk: &Value<'_>) -> Result<Entry, StoreError> {
    let chain = chain(kind, jwk)?;
    // RFC 7517 section 4.7: the key in the first certificate MUST be that of the other members.
    let public = PublicKey::read(jwk).ok();
    let own = public.as_ref().map(PublicKey::thumbprint);
    let fits = own.is_none() || chain.first().is_none_or(|leaf| leaf.thumbprint == own);
    let entry = if jwk.member("d").is_some() || jwk.member("k").is_some() {
        let key = if fits { SigningKey::read(jwk) } else { Err(KeyError::Jwk(JwkError::Member("x5c"))) };
        // Beside a certificate it may be shown by TLS, which takes DER.
        Entry::private(kind, if chain.is_empty() { key } else { key.map(|key| with_der(key, jwk)) })
    } else {
        Entry::public(kind, public)
    };
    let entry = entry.named(jwk.member("kid").and_then(Value::as_str).map(str::to_owned));
    Ok(match chain.split_first() {
        Some((leaf, issuers)) if fits => entry.certified(leaf, issuers.iter().map(|one| one.der.clone())),
        Some(_) | None => entry,
    })
}

/// A key that is told as DER, too.
fn with_der(key: SigningKey, jwk: &Value<'_>) -> SigningKey {
    let secret = |name| bytes(jwk, name).map(Zeroizing::new).ok();
    let written = || {
        let d = secret("d")?;
        let public = key.public_key()?;
        if let Some((curve, point)) = public.point() {
            return Ec { curve: curve.oid(), size: curve.size(), point }.key(&d).ok();
        }
        if jwk.member("kty").and_then(Value::as_str) == Some("OKP") {
            return ed25519(&d, &bytes(jwk, "x").ok()?).ok();
        }
        let [n, e] = ["n", "e"].map(|name| bytes(jwk, name).ok());
        let [p, q, q_inverse] = ["p", "q", "qi"].map(secret);
        let (n, e, p, q, q_inverse) = (n?, e?, p?, q?, q_inverse?);
        Rsa { n: &n, e: &e, d: &d, p: &p, q: &q, q_inverse: &q_inverse }.key().ok()
    };
    match written().as_ref().and_then(SigningKey::expose_der) {
        Some(der) => key.keeping(der),
        None => key,
    }
}

fn chain(kind: StoreKind, jwk: &Value<'_>) -> Result<Vec<Certificate>, StoreError> {
    let Some(chain) = jwk.member("x5c") else { return Ok(Vec::new()) };
    let texts = chain.texts().take(MAX_CHAIN);
    // Base64, not base64url: so says the RFC.
    let read = |text: &str| Certificate::read(&pem::decode(text.as_bytes()).ok()?);
    let read: Option<Vec<_>> = texts.map(read).collect();
    read.ok_or(StoreError::Malformed { kind, why: "a certificate in x5c cannot be read" })
}
