//! Who the engine is: client certificates and their keys.

use oauth_transport::{Identity, SettingsError};
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys};
use std::sync::Arc;

/// Shows this certificate to every server that asks for one.
pub(super) fn resolver(
    identity: &Identity,
    provider: &CryptoProvider,
) -> Result<Arc<dyn ResolvesClientCert>, SettingsError> {
    let refuse = |why| SettingsError::Identity { why };
    let chain = identity.chain().map(|der| CertificateDer::from(der.to_vec())).collect();
    let key = PrivateKeyDer::try_from(identity.key())
        .map_err(|_| refuse("its key is neither PKCS#8 nor SEC1 nor PKCS#1"))?;
    let key = provider.key_provider.load_private_key(key.clone_key()).map_err(|_| {
        refuse("ring cannot use its key; it may be RSA of 2048 to 4096 bits, ECDSA over P-256 or P-384, or Ed25519")
    })?;
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
