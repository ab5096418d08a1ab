//! From a certificate store to what a connection shows.

use crate::Error;
use oauth_core::Algorithm;
use oauth_jwt::{Entry, SigningKey};
use oauth_transport::{Identity, IdentityError, IdentitySigner, SignatureScheme};
use std::sync::Arc;

/// The client certificate that an entry of a [`CertificateStore`](crate::jwt::CertificateStore) holds, for
/// [`Settings::with_client_certificate`](crate::Settings::with_client_certificate) (RFC 8705).
///
/// A key that stays in its token signs there, once for each handshake that shows the certificate; the thread of the
/// handshake waits for it. `HyperHost` can ask for that, and `IsahcHost` refuses such settings.
///
/// # Errors
/// The entry lacks its certificate or its private key, or the key cannot be used.
pub fn identity(entry: Entry) -> Result<Identity, Error> {
    identity_with_chain(entry, [])
}

/// The same with certificates that lead from it to a root, where the store does not have them.
///
/// # Errors
/// As [`identity`].
pub fn identity_with_chain(entry: Entry, more: impl IntoIterator<Item = Vec<u8>>) -> Result<Identity, Error> {
    let chain = entry.certificates().map(<[u8]>::to_vec).chain(more).collect();
    let key = entry.into_signing_key_of_certificate()?;
    Ok(match key.expose_der() {
        Some(der) => Identity::new(chain, der)?,
        None => Identity::with_signer(chain, Arc::new(Held(key)))?,
    })
}

/// A key that is not to be had as DER, and signs.
struct Held(SigningKey);

/// What JWS and TLS call the same signatures, the best first: RSASSA-PSS, without which there is no TLS 1.3.
const NAMES: [(Algorithm, SignatureScheme); 10] = [
    (Algorithm::ES256, SignatureScheme::EcdsaSecp256r1Sha256),
    (Algorithm::ES384, SignatureScheme::EcdsaSecp384r1Sha384),
    (Algorithm::ES512, SignatureScheme::EcdsaSecp521r1Sha512),
    (Algorithm::ED25519, SignatureScheme::Ed25519),
    (Algorithm::PS256, SignatureScheme::RsaPssRsaeSha256),
    (Algorithm::PS384, SignatureScheme::RsaPssRsaeSha384),
    (Algorithm::PS512, SignatureScheme::RsaPssRsaeSha512),
    (Algorithm::RS256, SignatureScheme::RsaPkcs1Sha256),
    (Algorithm::RS384, SignatureScheme::RsaPkcs1Sha384),
    (Algorithm::RS512, SignatureScheme::RsaPkcs1Sha512),
];

impl IdentitySigner for Held {
    fn schemes(&self) -> Vec<SignatureScheme> {
        let can = NAMES.iter().filter(|(algorithm, _)| self.0.can_sign_with(algorithm));
        can.map(|(_, scheme)| *scheme).collect()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let named = NAMES.iter().find(|(_, name)| *name == scheme);
        let (algorithm, _) = named.ok_or_else(|| {
            IdentityError::new(format!("it does not sign by {scheme}; ask for one of its own"))
        })?;
        self.0.sign_for_tls(algorithm, message).map_err(|error| IdentityError::new(error.to_string()))
    }
}
