//! Who the client is towards a TLS server, as OpenSSL takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use isahc::tls::PrivateKey;
use oauth_transport::{Identity, SettingsError};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RsaKeyPair,
};
use rustls_pki_types::PrivateKeyDer;
use webpki::anchor_from_trusted_cert;
use zeroize::Zeroizing;

/// The certificates as PEM, which alone takes a chain, and the key as DER, wiped when the last engine is gone.
///
/// # Errors
/// The key is another certificate's.
pub(crate) fn to_isahc(identity: &Identity) -> Result<isahc::tls::Identity, SettingsError> {
    let belongs = identity
        .chain()
        .next()
        .is_some_and(|certificate| belongs(certificate, identity.key()) != Some(false));
    if !belongs {
        return Err(SettingsError::Identity { why: "its key does not belong to its certificate" });
    }
    let mut pem = String::new();
    for certificate in identity.chain() {
        // RFC 7468 section 2 has lines of 64 characters; what reads this does not mind one.
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in BASE64_STANDARD.encode(certificate).as_bytes().chunks(64) {
            pem.extend(line.iter().map(|&byte| char::from(byte)));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    let key = PrivateKey::from_der(Zeroizing::new(identity.key().to_vec()), None);
    Ok(isahc::tls::Identity::from_pem(pem, Some(key)))
}

/// Whether a key is a certificate's; `None` where that is for OpenSSL to say, with the first connection: ring does not know
/// every kind of key.
fn belongs(certificate: &[u8], key: &[u8]) -> Option<bool> {
    let certificate = certificate.into();
    // It is no anchor of trust: this is the way to what a certificate holds.
    let certificate = anchor_from_trusted_cert(&certificate).ok()?;
    let public = public_key(&PrivateKeyDer::try_from(key).ok()?)?;
    // RFC 5280 section 4.1: a SubjectPublicKeyInfo ends with the key itself.
    Some(certificate.subject_public_key_info.ends_with(&public))
}

fn public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    match key {
        PrivateKeyDer::Pkcs1(key) => {
            RsaKeyPair::from_der(key.secret_pkcs1_der()).ok().map(|pair| pair.public_key().as_ref().to_vec())
        }
        PrivateKeyDer::Sec1(key) => {
            CURVES.iter().find_map(|curve| of_curve(&curve.pkcs8(key.secret_sec1_der())?))
        }
        PrivateKeyDer::Pkcs8(key) => {
            let der = key.secret_pkcs8_der();
            let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(|pair| pair.public_key().as_ref().to_vec());
            let ed25519 = || {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                    .ok()
                    .map(|pair| pair.public_key().as_ref().to_vec())
            };
            of_curve(der).or_else(rsa).or_else(ed25519)
        }
        _ => None,
    }
}

fn of_curve(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING].into_iter().find_map(|algorithm| {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &random).ok()?;
        Some(pair.public_key().as_ref().to_vec())
    })
}

/// An AlgorithmIdentifier of RFC 5480 section 2.1.1: id-ecPublicKey, and the curve.
struct Curve(&'static [u8]);

const CURVES: [Curve; 2] = [
    // secp256r1
    Curve(&[
        0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x03, 0x01, 0x07,
    ]),
    // secp384r1
    Curve(&[
        0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
        0x22,
    ]),
];

impl Curve {
    /// A SEC1 key in the shape that ring reads (RFC 5958 section 2).
    fn pkcs8(&self, sec1: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let version = [0x02, 0x01, 0x00];
        let key_length = length(sec1.len())?;
        let content = version.len() + self.0.len() + 1 + key_length.len() + sec1.len();
        let mut der = Zeroizing::new(Vec::with_capacity(content + 4));
        der.push(0x30);
        der.extend(length(content)?);
        der.extend(version);
        der.extend(self.0);
        der.push(0x04);
        der.extend(key_length);
        der.extend(sec1);
        Some(der)
    }
}

/// The length of a DER value (X.690 section 8.1.3).
fn length(length: usize) -> Option<Vec<u8>> {
    match u16::try_from(length).ok()?.to_be_bytes() {
        [0, byte @ 0..0x80] => Some(vec![byte]),
        [0, byte] => Some(vec![0x81, byte]),
        [high, low] => Some(vec![0x82, high, low]),
    }
}
