//! From a certificate store to what a connection shows.

use crate::Error;
use oauth_jwt::Entry;
use oauth_transport::Identity;

/// The client certificate that an entry of a [`CertificateStore`](crate::jwt::CertificateStore) holds, for
/// [`Settings::with_client_certificate`](crate::Settings::with_client_certificate) (RFC 8705).
///
/// # Errors
/// The entry lacks its certificate or its private key, or the key cannot be had as DER: it stays in its token.
pub fn identity(entry: Entry) -> Result<Identity, Error> {
    let chain = entry.certificates().map(<[u8]>::to_vec).collect();
    let key = entry.into_private_key_of_certificate()?;
    Ok(Identity::new(chain, key.expose())?)
}
