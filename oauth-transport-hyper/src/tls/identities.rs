//! Who the engine is: client certificates, and their keys or who signs by them.

use super::certificate::Certificate;
use oauth_transport::{Identity, IdentityKey, IdentitySigner, SettingsError, SignatureScheme as Scheme};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{AlgorithmIdentifier, CertificateDer, PrivateKeyDer, alg_id};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys, OtherError, SignatureAlgorithm, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Shows this certificate to every server that asks for one.
pub(super) fn resolver(
    identity: &Identity,
    provider: &CryptoProvider,
) -> Result<Arc<dyn ResolvesClientCert>, SettingsError> {
    let refuse = |why| SettingsError::Identity { why };
    let key = match identity.key() {
        IdentityKey::Der(der) => {
            let key = PrivateKeyDer::try_from(der)
                .map_err(|_| refuse("its key is neither PKCS#8 nor SEC1 nor PKCS#1"))?;
            provider.key_provider.load_private_key(key.clone_key()).map_err(|_| {
                refuse(
                    "ring cannot use its key; it may be RSA of 2048 to 4096 bits, ECDSA over P-256 or P-384, or Ed25519",
                )
            })?
        }
        IdentityKey::Signer(signer) => Arc::new(Asked::new(identity, signer)?),
    };
    let chain = identity.chain().map(|der| CertificateDer::from(der.to_vec())).collect();
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // A key that does not tell its public half cannot be compared.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok(Arc::new(SingleCertAndKey::from(certified)))
        }
        Err(Error::InconsistentKeys(_)) => Err(refuse(
            "its key belongs to another certificate, or the client's own is not the first of the chain",
        )),
        Err(_) => Err(refuse("its certificate cannot be read")),
    }
}

/// A key that stays where it is, and is asked for each signature on the thread of the handshake: rustls does not wait for one
/// in any other way.
struct Asked {
    signer: Arc<dyn IdentitySigner>,
    algorithm: SignatureAlgorithm,
    /// Those that fit the certificate, the best first.
    schemes: Vec<Scheme>,
}

impl Asked {
    /// The key's public half is not known: that it is the certificate's kind is all that can be checked.
    fn new(identity: &Identity, signer: &Arc<dyn IdentitySigner>) -> Result<Self, SettingsError> {
        let refuse = |why| SettingsError::Identity { why };
        let leaf = identity.chain().next().and_then(Certificate::read);
        let kind = leaf.ok_or_else(|| refuse("its certificate cannot be read"))?.key_algorithm();
        let fits = |scheme: &Scheme| matches!(of_key(*scheme), Some((one, _)) if one.as_ref() == kind);
        let schemes: Vec<_> = signer.schemes().into_iter().filter(fits).collect();
        let best = schemes.first().and_then(|best| of_key(*best));
        let (_, algorithm) =
            best.ok_or_else(|| refuse("its key signs in no way that a key of its certificate's kind could"))?;
        Ok(Self { signer: Arc::clone(signer), algorithm, schemes })
    }
}

/// The kind of the keys that sign by a scheme, as certificates have it and as rustls has it. TLS 1.3 binds a curve to its hash
/// (RFC 8446 section 4.2.3), and so does everybody before.
const fn of_key(scheme: Scheme) -> Option<(AlgorithmIdentifier, SignatureAlgorithm)> {
    Some(match scheme {
        Scheme::EcdsaSecp256r1Sha256 => (alg_id::ECDSA_P256, SignatureAlgorithm::ECDSA),
        Scheme::EcdsaSecp384r1Sha384 => (alg_id::ECDSA_P384, SignatureAlgorithm::ECDSA),
        Scheme::EcdsaSecp521r1Sha512 => (alg_id::ECDSA_P521, SignatureAlgorithm::ECDSA),
        Scheme::Ed25519 => (alg_id::ED25519, SignatureAlgorithm::ED25519),
        Scheme::RsaPssRsaeSha256
        | Scheme::RsaPssRsaeSha384
        | Scheme::RsaPssRsaeSha512
        | Scheme::RsaPkcs1Sha256
        | Scheme::RsaPkcs1Sha384
        | Scheme::RsaPkcs1Sha512 => (alg_id::RSA_ENCRYPTION, SignatureAlgorithm::RSA),
        _ => return None,
    })
}

impl SigningKey for Asked {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = |scheme: &&Scheme| offered.contains(&SignatureScheme::from(scheme.code()));
        let scheme = *self.schemes.iter().find(is_offered)?;
        Some(Box::new(AskedBy { signer: Arc::clone(&self.signer), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("schemes", &self.schemes).finish_non_exhaustive()
    }
}

/// The same key, for a signature by one scheme.
struct AskedBy {
    signer: Arc<dyn IdentitySigner>,
    scheme: Scheme,
}

impl Signer for AskedBy {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signer.sign(self.scheme, message).map_err(|error| OtherError(Arc::new(error)).into())
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme.code().into()
    }
}

impl fmt::Debug for AskedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskedBy").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
