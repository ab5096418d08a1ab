//! Keys that verify, and the choice among them.

use crate::jwk::PublicKey;
use crate::shared_key::SharedKey;
use crate::verify_error::{JwkError, JwsError};
use oauth_core::{Algorithm, JsonValue as Value};

/// How long a document of keys may be, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;
/// How many keys may be in it.
const MAX_KEYS: usize = 100;

/// Keys of one kind: [`PublicKey`]s of a server, or [`SharedKey`]s that both sides know.
///
/// The kind is in the type, so that no public key can be taken for a secret (RFC 8725 section 2.1).
#[derive(Clone, Debug)]
pub struct KeySet<K>(Vec<K>);

/// A key that verifies: [`PublicKey`] or [`SharedKey`], and nothing else.
pub trait Verifier: sealed::Sealed {}

impl Verifier for PublicKey {}
impl Verifier for SharedKey {}

pub(crate) mod sealed {
    use super::{Algorithm, JwkError, Value};

    #[allow(unnameable_types, reason = "that is what seals it")]
    pub trait Sealed: Sized {
        /// A key of a document; `None` for one that is passed over.
        fn from_member(jwk: &Value<'_>) -> Result<Option<Self>, JwkError>;
        fn kid(&self) -> Option<&str>;
        /// Whether the key is for verifying by this algorithm, by its own word and by its numbers.
        fn can(&self, algorithm: &Algorithm) -> bool;
        fn verifies(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool;
    }
}

impl sealed::Sealed for PublicKey {
    fn from_member(jwk: &Value<'_>) -> Result<Option<Self>, JwkError> {
        // RFC 7517 section 5: what is not understood is ignored; so is a secret that has no place here.
        Ok(Self::read(jwk).ok())
    }

    fn kid(&self) -> Option<&str> {
        self.kid()
    }

    fn can(&self, algorithm: &Algorithm) -> bool {
        self.usage().allows(algorithm) && self.fits(algorithm)
    }

    fn verifies(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifies(algorithm, message, signature)
    }
}

impl sealed::Sealed for SharedKey {
    fn from_member(jwk: &Value<'_>) -> Result<Option<Self>, JwkError> {
        // Secrets among public keys: whoever publishes the one may have published the other.
        Self::read(jwk).map(Some)
    }

    fn kid(&self) -> Option<&str> {
        self.kid()
    }

    fn can(&self, algorithm: &Algorithm) -> bool {
        self.usage().allows(algorithm) && self.algorithm() == algorithm
    }

    fn verifies(&self, _: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifies(message, signature)
    }
}

impl<K: Verifier> KeySet<K> {
    /// These keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Reads a document of keys, a JWKS (RFC 7517 section 5).
    ///
    /// Of [`PublicKey`]s, those that are not understood or not safe are passed over, secrets as well. Of
    /// [`SharedKey`]s, each has to be right.
    ///
    /// # Errors
    /// It is no such document, has more than a hundred keys or 256 KiB, or a key among shared ones is none.
    pub fn from_jwks(document: impl AsRef<[u8]>) -> Result<Self, JwkError> {
        members(document.as_ref(), K::from_member).map(Self)
    }

    /// The keys, in their order.
    #[must_use]
    pub fn keys(&self) -> &[K] {
        &self.0
    }

    /// The one key that comes into question.
    pub(crate) fn select(&self, algorithm: &Algorithm, kid: Option<&str>) -> Result<&K, JwsError> {
        choose(&self.0, kid, K::kid, |key| key.can(algorithm)).map_err(|why| match why {
            NotChosen::Several => JwsError::SeveralKeys,
            NotChosen::UnknownKid(kid) => JwsError::UnknownKid(kid),
            NotChosen::None => JwsError::NoKey(algorithm.clone()),
        })
    }
}

/// The keys of a document, those that `read` does not pass over.
pub(crate) fn members<K>(
    document: &[u8],
    read: impl Fn(&Value<'_>) -> Result<Option<K>, JwkError>,
) -> Result<Vec<K>, JwkError> {
    if document.len() > MAX_DOCUMENT {
        return Err(JwkError::TooManyKeys);
    }
    let document = Value::read(document).map_err(JwkError::Json)?;
    let Some(Value::Array(keys)) = document.member("keys") else { return Err(JwkError::Member("keys")) };
    if keys.len() > MAX_KEYS {
        return Err(JwkError::TooManyKeys);
    }
    keys.iter().filter_map(|key| read(key).transpose()).collect()
}

/// Why there is no one key that comes into question.
pub(crate) enum NotChosen {
    Several,
    UnknownKid(String),
    None,
}

/// The one key that comes into question: of those that fit, the one of this name, or else the one without a name.
pub(crate) fn choose<'k, K>(
    keys: &'k [K],
    kid: Option<&str>,
    name: impl Fn(&K) -> Option<&str>,
    fits: impl Fn(&K) -> bool,
) -> Result<&'k K, NotChosen> {
    let known = kid.is_some_and(|kid| keys.iter().any(|key| name(key) == Some(kid)));
    let comes_into_question = |key: &&K| match kid {
        None => true,
        Some(kid) if known => name(key) == Some(kid),
        // A key without a name may be the one that is meant; one with another name is not.
        Some(_) => name(key).is_none(),
    };
    let mut fitting = keys.iter().filter(comes_into_question).filter(|key| fits(key));
    match (fitting.next(), fitting.next(), kid) {
        (Some(key), None, _) => Ok(key),
        (Some(_), Some(_), _) => Err(NotChosen::Several),
        (None, _, Some(kid)) if !known => Err(NotChosen::UnknownKid(kid.to_owned())),
        (None, ..) => Err(NotChosen::None),
    }
}
