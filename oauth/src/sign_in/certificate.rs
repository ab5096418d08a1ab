//! From a certificate store to what a listener with https shows.

use crate::Error;
use oauth_jwt::{Entry, StoreError, StoreKind};
use oauth_loopback::Certificate;

/// The certificate that an entry of a [`CertificateStore`](crate::jwt::CertificateStore) holds, for
/// [`Address::https`](oauth_loopback::Address::https).
///
/// # Errors
/// The entry lacks its certificate or its private key, the key cannot be had as DER, or a listener cannot use it.
pub fn callback_certificate(entry: Entry) -> Result<Certificate, Error> {
    let chain: Vec<_> = entry.certificates().map(<[u8]>::to_vec).collect();
    let key = entry.into_signing_key_of_certificate()?;
    // A listener signs by itself.
    let der = key.expose_der().ok_or(StoreError::NoPrivateKey { kind: StoreKind::SecurityKey })?;
    Ok(Certificate::new(chain, der)?)
}
