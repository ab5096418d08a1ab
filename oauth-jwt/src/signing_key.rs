//! One private key: parsed and checked once, then ready to sign.

use crate::curve::Curve;
#[cfg(feature = "stores")]
use crate::der_signature::ecdsa_signature_to_der;
use crate::engine::rand::SystemRandom;
use crate::engine::rsa::{KeyPairComponents, PublicKeyComponents};
use crate::engine::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, KeyRejected, RsaEncoding, RsaKeyPair, hmac,
    signature as algorithms,
};
use crate::error::KeyError;
use crate::jwk::{PublicKey, bytes, text, trimmed};
use crate::pem::{self, Format};
use crate::shared_key;
#[cfg(feature = "stores")]
use crate::store::StoreError;
#[cfg(feature = "pkcs11")]
use crate::store::token::TokenKey;
use crate::verify_error::JwkError;
use oauth_core::{Algorithm, ClientSecret, JsonValue as Value};
use pkcs8::der::asn1::{OctetStringRef, SequenceRef, UintRef};
use pkcs8::der::{Decode as _, SliceReader};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use sec1::EcPrivateKey;
use std::fmt;
use zeroize::Zeroizing;

/// A key that signs with one algorithm.
///
/// Which one follows from the key: ES256 for EC on curve P-256, ES384 on P-384, EdDSA for Ed25519, HS256 to HS512 as a
/// secret was taken for; with the feature `aws-lc-rs`, ES512 on P-521 and ES256K on secp256k1. An RSA key signs with RS256
/// unless [`with_algorithm`](Self::with_algorithm) says otherwise.
///
/// The copies made while it is read are wiped. The signing engine keeps the numbers in memory of its own, which ring does
/// not wipe. The text given to [`from_pem`](Self::from_pem) stays the caller's to wipe.
pub struct SigningKey {
    pair: KeyPair,
    algorithm: Algorithm,
    /// As it was read, for TLS, which signs by itself.
    #[cfg(feature = "stores")]
    der: Option<Zeroizing<Vec<u8>>>,
}

pub(crate) enum KeyPair {
    Rsa(Box<RsaKeyPair>),
    Ec(Curve, Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    Hmac(Box<hmac::Key>),
    #[cfg(feature = "pkcs11")]
    Token(Box<TokenKey>),
}

impl SigningKey {
    const fn of(pair: KeyPair, algorithm: Algorithm) -> Self {
        #[cfg(feature = "stores")]
        return Self { pair, algorithm, der: None };
        #[cfg(not(feature = "stores"))]
        Self { pair, algorithm }
    }

    #[cfg(feature = "stores")]
    pub(crate) fn keeping(mut self, der: &[u8]) -> Self {
        self.der = Some(Zeroizing::new(der.to_vec()));
        self
    }

    #[cfg(not(feature = "stores"))]
    const fn keeping(self, _: &[u8]) -> Self {
        self
    }

    /// Shows the private key as it was read: PKCS#8, PKCS#1 or SEC1, for a TLS library, which signs by itself. `None` for one
    /// that was not read as DER, such as a JWK, and for one that stays in its token. Whoever calls this keeps it out of logs.
    #[cfg(feature = "stores")]
    #[must_use]
    pub fn expose_der(&self) -> Option<&[u8]> {
        self.der.as_ref().map(|der| der.as_slice())
    }

    /// Reads the one private key of a PEM file, and makes sure that it can sign.
    ///
    /// Takes RSA keys of 2048 to 4096 bits as PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), EC keys on the
    /// curves that it signs on as PKCS#8 or SEC1 (`EC PRIVATE KEY`), and Ed25519 keys as PKCS#8. Certificates beside the key are
    /// passed over. Nothing is decrypted.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what is wrong and what to do, and never holds a byte of the key.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let key = pem::private_key(pem.as_ref())?;
        match key.format {
            Format::Pkcs8 => pkcs8(&key.der),
            Format::Pkcs1 => rsa(&key.der).map(|found| found.keeping(&key.der)),
            Format::Sec1 => ec(&key.der, None).map(|found| found.keeping(&key.der)),
            Format::Encrypted => Err(KeyError::Encrypted),
        }
    }

    /// Reads one private JWK (RFC 7518 section 6, RFC 8037): RSA with all its numbers, EC, Ed25519, or a secret whose
    /// `alg` is told.
    ///
    /// # Errors
    ///
    /// It is no such key, lacks a member, or its numbers do not fit together; or it names an algorithm that is not its own.
    pub fn from_jwk(jwk: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let jwk = Value::read(jwk.as_ref()).map_err(|why| KeyError::Jwk(JwkError::Json(why)))?;
        Self::read(&jwk)
    }

    pub(crate) fn read(jwk: &Value<'_>) -> Result<Self, KeyError> {
        let key = from_jwk(jwk)?;
        match text(jwk, "alg").map_err(KeyError::Jwk)? {
            Some(algorithm) => key.with_algorithm(Algorithm::from_text(algorithm)),
            None => Ok(key),
        }
    }

    /// Takes a client secret for `client_secret_jwt`: HS256, HS384 or HS512 (OpenID Connect Core section 9).
    ///
    /// # Errors
    ///
    /// The algorithm is no HMAC, or the secret is shorter than its hash, which RFC 7518 section 3.2 forbids: such a secret
    /// can be guessed from one signature.
    pub fn from_secret(secret: &ClientSecret, algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = KeyPair::Hmac(Box::new(shared_key::key(secret.expose().as_bytes(), &algorithm)?));
        Ok(Self::of(pair, algorithm))
    }

    /// Signs with this algorithm from now on, and with no other (RFC 8725 section 3.1): RS256 to RS512 and PS256 to PS512
    /// are there for one and the same RSA key, `EdDSA` and `Ed25519` are two names of one.
    ///
    /// # Errors
    ///
    /// The key cannot sign with it.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Result<Self, KeyError> {
        if !self.can_sign_with(&algorithm) {
            return Err(KeyError::OtherAlgorithm { asked: algorithm, own: self.algorithm });
        }
        self.algorithm = algorithm;
        Ok(self)
    }

    /// Whether it could sign with this algorithm, if it were [told to](Self::with_algorithm).
    #[must_use]
    pub fn can_sign_with(&self, algorithm: &Algorithm) -> bool {
        match &self.pair {
            KeyPair::Rsa(_) => rsa_encoding(algorithm).is_some(),
            KeyPair::Ed25519(_) => [Algorithm::EDDSA, Algorithm::ED25519].contains(algorithm),
            KeyPair::Ec(..) | KeyPair::Hmac(_) => *algorithm == self.algorithm,
            #[cfg(feature = "pkcs11")]
            KeyPair::Token(key) => key.can(algorithm),
        }
    }

    /// The one algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.clone()
    }

    /// Its public half, to be registered with the server; `None` for a secret, which has none.
    #[must_use]
    pub fn public_key(&self) -> Option<PublicKey> {
        let key = match &self.pair {
            KeyPair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                PublicKey::from_rsa(&public.n, &public.e).ok()?
            }
            KeyPair::Ec(curve, pair) => PublicKey::from_point(*curve, pair.public_key().as_ref()),
            KeyPair::Ed25519(pair) => PublicKey::from_ed25519(pair.public_key().as_ref()),
            KeyPair::Hmac(_) => return None,
            #[cfg(feature = "pkcs11")]
            KeyPair::Token(key) => key.public_key().clone(),
        };
        Some(key.with_algorithm(self.algorithm.clone()))
    }

    /// The numbers alone, for another use.
    #[cfg(feature = "aws-lc-rs")]
    pub(crate) fn into_pair(self) -> KeyPair {
        self.pair
    }

    /// A key that stays in its token; `None` for one that signs with no known algorithm.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn from_token(key: TokenKey) -> Option<Self> {
        let algorithm = key.algorithm()?;
        Some(Self::of(KeyPair::Token(Box::new(key)), algorithm))
    }

    /// Signs what TLS has to say, for a TLS library that does not sign by itself: by this algorithm, whatever
    /// [its own](Self::algorithm) is, and with ECDSA in DER (RFC 8446 section 4.2.3). The message is not hashed before.
    ///
    /// A key in a token takes as long as the token does, which may wait for a touch; the caller waits as well.
    ///
    /// # Errors
    /// The key cannot sign with the algorithm, or gives no signature: its token says why.
    #[cfg(feature = "stores")]
    pub fn sign_for_tls(&self, algorithm: &Algorithm, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        if !self.can_sign_with(algorithm) {
            let (asked, own) = (algorithm.clone(), self.algorithm());
            return Err(StoreError::Key(KeyError::OtherAlgorithm { asked, own }));
        }
        #[cfg(feature = "pkcs11")]
        let of_token = match &self.pair {
            KeyPair::Token(key) => Some(key.sign(algorithm, message)?),
            _ => None,
        };
        #[cfg(not(feature = "pkcs11"))]
        let of_token = None;
        let signature = of_token.or_else(|| self.sign_with(algorithm, message));
        let spelled = signature.and_then(|signature| match Curve::of_algorithm(algorithm) {
            Some(_) => ecdsa_signature_to_der(&signature),
            None => Some(signature),
        });
        spelled.ok_or_else(|| StoreError::Key(KeyError::Rejected { cause: "it gave no signature".into() }))
    }

    /// The signature as JWS spells it; `None` when the signing engine fails.
    pub(crate) fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        self.sign_with(&self.algorithm, input)
    }

    fn sign_with(&self, algorithm: &Algorithm, input: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            KeyPair::Rsa(pair) => rsa_signature(pair, algorithm, input),
            // RFC 7518 section 3.4: R and S side by side.
            KeyPair::Ec(_, pair) => Some(pair.sign(&SystemRandom::new(), input).ok()?.as_ref().to_vec()),
            KeyPair::Ed25519(pair) => Some(pair.sign(input).as_ref().to_vec()),
            KeyPair::Hmac(key) => Some(hmac::sign(key, input).as_ref().to_vec()),
            #[cfg(feature = "pkcs11")]
            KeyPair::Token(key) => key.sign(algorithm, input).ok(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [redacted])", self.algorithm)
    }
}

fn rsa_encoding(algorithm: &Algorithm) -> Option<&'static dyn RsaEncoding> {
    let known: [(Algorithm, &dyn RsaEncoding); 6] = [
        (Algorithm::RS256, &algorithms::RSA_PKCS1_SHA256),
        (Algorithm::RS384, &algorithms::RSA_PKCS1_SHA384),
        (Algorithm::RS512, &algorithms::RSA_PKCS1_SHA512),
        (Algorithm::PS256, &algorithms::RSA_PSS_SHA256),
        (Algorithm::PS384, &algorithms::RSA_PSS_SHA384),
        (Algorithm::PS512, &algorithms::RSA_PSS_SHA512),
    ];
    known.into_iter().find(|(name, _)| name == algorithm).map(|(_, encoding)| encoding)
}

fn rsa_signature(pair: &RsaKeyPair, algorithm: &Algorithm, input: &[u8]) -> Option<Vec<u8>> {
    let mut signature = vec![0; pair.public_key().modulus_len()];
    pair.sign(rsa_encoding(algorithm)?, &SystemRandom::new(), input, &mut signature).ok()?;
    Some(signature)
}

/// Whatever its `alg` says, if it is no secret.
pub(crate) fn from_jwk(jwk: &Value<'_>) -> Result<SigningKey, KeyError> {
    let kind =
        text(jwk, "kty").and_then(|kind| kind.ok_or(JwkError::Member("kty"))).map_err(KeyError::Jwk)?;
    if kind == "oct" {
        let secret = secret(jwk, "k")?;
        let algorithm = text(jwk, "alg").and_then(|alg| alg.ok_or(JwkError::Member("alg")));
        let algorithm = Algorithm::from_text(algorithm.map_err(KeyError::Jwk)?);
        let pair = KeyPair::Hmac(Box::new(shared_key::key(&secret, &algorithm)?));
        return Ok(SigningKey::of(pair, algorithm));
    }
    // What is wrong with its public half is told first.
    let public = PublicKey::read(jwk).map_err(KeyError::Jwk)?;
    let private = secret(jwk, "d")?;
    if kind == "RSA" {
        let part = |name| bytes(jwk, name).map_err(KeyError::Jwk);
        let (n, e) = (part("n")?, part("e")?);
        rsa_size(trimmed(&n), trimmed(&e))?;
        let (p, q) = (secret(jwk, "p")?, secret(jwk, "q")?);
        let (dp, dq, qi) = (secret(jwk, "dp")?, secret(jwk, "dq")?, secret(jwk, "qi")?);
        // The engine refuses leading zeros, which some writers leave.
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: trimmed(&n), e: trimmed(&e) },
            d: trimmed(&private),
            p: trimmed(&p),
            q: trimmed(&q),
            dP: trimmed(&dp),
            dQ: trimmed(&dq),
            qInv: trimmed(&qi),
        };
        return usable_rsa(RsaKeyPair::from_components(&components));
    }
    match public.point() {
        Some((curve, point)) => ec_pair(curve, &private, point),
        None => {
            let x = bytes(jwk, "x").map_err(KeyError::Jwk)?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(&private, &x)
                .map_err(|cause| KeyError::Rejected { cause: cause.into() })?;
            Ok(SigningKey::of(KeyPair::Ed25519(Box::new(pair)), Algorithm::EDDSA))
        }
    }
}

fn secret(jwk: &Value<'_>, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    bytes(jwk, name).map(Zeroizing::new).map_err(KeyError::Jwk)
}

fn usable_rsa(pair: Result<RsaKeyPair, KeyRejected>) -> Result<SigningKey, KeyError> {
    let pair = pair.map_err(|cause| KeyError::Rejected { cause: cause.into() })?;
    let algorithm = Algorithm::RS256;
    // The engine finds a damaged exponent only when it signs: better now than in the middle of a flow.
    if rsa_signature(&pair, &algorithm, b"").is_none() {
        return Err(KeyError::Rejected { cause: "it cannot sign".into() });
    }
    Ok(SigningKey::of(KeyPair::Rsa(Box::new(pair)), algorithm))
}

fn ec_pair(curve: Curve, private: &[u8], public: &[u8]) -> Result<SigningKey, KeyError> {
    // RFC 7518 section 6.2.2.1 and RFC 5915 section 3 give it one length.
    if private.len() != curve.size() {
        return Err(KeyError::Malformed { why: "its private half is not as long as its curve demands" });
    }
    engine::ecdsa(curve, private, public)
        .ok_or(KeyError::Unsupported { found: curve.described() })?
        .map(|pair| SigningKey::of(KeyPair::Ec(curve, Box::new(pair)), curve.algorithm()))
        .map_err(|cause| KeyError::Rejected { cause: cause.into() })
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A key that its maker restricted to PSS may not make the older signatures (RFC 4055 section 1.2).
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

pub(crate) fn pkcs8(der: &[u8]) -> Result<SigningKey, KeyError> {
    of_pkcs8(der).map(|key| key.keeping(der))
}

fn of_pkcs8(der: &[u8]) -> Result<SigningKey, KeyError> {
    let info = PrivateKeyInfoRef::try_from(der)
        .map_err(|_| KeyError::Malformed { why: "it is not the PKCS#8 structure that its label names" })?;
    match info.algorithm.oid {
        RSA => rsa(info.private_key.as_bytes()),
        EC => match info.algorithm.parameters_oid() {
            Ok(curve) => ec(info.private_key.as_bytes(), Some(curve)),
            Err(_) => Err(KeyError::EcCurveNotNamed),
        },
        // Some writers leave the public half out (RFC 8410 section 7), and the engine makes it again.
        ED25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map(|pair| SigningKey::of(KeyPair::Ed25519(Box::new(pair)), Algorithm::EDDSA))
            .map_err(|cause| KeyError::Rejected { cause: cause.into() }),
        RSA_PSS => Err(KeyError::Unsupported { found: "an RSA key for PSS only" }),
        _ => Err(KeyError::Unsupported { found: "of an unknown algorithm" }),
    }
}

fn rsa(der: &[u8]) -> Result<SigningKey, KeyError> {
    let malformed = |_| KeyError::Malformed { why: "it is not the RSA structure that its label names" };
    let (version, n, e) = rsa_public(der).map_err(malformed)?;
    // RFC 8017 appendix A.1.2: version 1 has three primes or more.
    if version != 0 {
        return Err(KeyError::Unsupported { found: "an RSA key with more than two primes" });
    }
    rsa_size(n, e)?;
    usable_rsa(RsaKeyPair::from_der(der))
}

/// The version of the structure, its modulus and its exponent; the engine reads the rest.
fn rsa_public(der: &[u8]) -> pkcs8::der::Result<(u8, &[u8], &[u8])> {
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    let version = u8::decode(&mut reader)?;
    let (modulus, exponent) = (UintRef::decode(&mut reader)?, UintRef::decode(&mut reader)?);
    Ok((version, modulus.as_bytes(), exponent.as_bytes()))
}

/// The same bounds with every engine. The numbers come without leading zeros.
fn rsa_size(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyError> {
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    // RFC 7518 section 3.3: a key of 2048 bits or larger MUST be used. The engine rounds up to whole bytes.
    if bits < 2048 {
        return Err(KeyError::RsaTooSmall { bits });
    }
    if bits > 4096 {
        return Err(KeyError::RsaTooLarge { bits });
    }
    // FIPS 186-5 appendix A.1.1: greater than 2^16.
    if exponent.len() < 3 {
        return Err(KeyError::Rejected { cause: "the public exponent is less than 65537".into() });
    }
    Ok(())
}

/// `curve`: what a PKCS#8 wrapper says. Without one the key itself must name its curve (RFC 5915 section 3).
fn ec(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<SigningKey, KeyError> {
    let key = EcPrivateKey::try_from(der).map_err(|_| match begins_as_ec(der) {
        Ok(true) => KeyError::EcCurveNotNamed,
        _ => KeyError::Malformed { why: "it is not the EC structure that its label names" },
    })?;
    let own = key.parameters.and_then(sec1::EcParameters::named_curve);
    let Some(named) = curve.or(own) else { return Err(KeyError::EcCurveNotNamed) };
    let Some(curve) = Curve::of_oid(named) else {
        return Err(KeyError::Unsupported { found: "an EC key on an unknown curve" });
    };
    // Told before anything that could be mended in vain.
    if engine::ecdsa_verification(curve).is_none() {
        return Err(KeyError::Unsupported { found: curve.described() });
    }
    if own.is_some_and(|own| own != named) {
        return Err(KeyError::Malformed { why: "it names two curves" });
    }
    // SEC 1 section 2.3.3: 4 begins an uncompressed point.
    let Some(public @ [4, ..]) = key.public_key else { return Err(KeyError::EcPublicKeyMissing) };
    if public.len() != 1 + 2 * curve.size() {
        return Err(KeyError::Malformed { why: "its public half is not of the curve that it names" });
    }
    ec_pair(curve, key.private_key, public)
}

/// Whether a structure that is none of ours is an EC key all the same: what it lacks then is the name of its curve.
fn begins_as_ec(der: &[u8]) -> pkcs8::der::Result<bool> {
    let sequence = <&SequenceRef>::from_der(der)?;
    let mut reader = SliceReader::new(sequence.as_bytes())?;
    Ok(u8::decode(&mut reader)? == 1 && <&OctetStringRef>::decode(&mut reader).is_ok())
}
