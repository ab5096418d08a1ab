//! Who the client is towards a TLS server, as OpenSSL takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use isahc::tls::PrivateKey;
use oauth_transport::{Identity, IdentityKey, SettingsError};
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
/// The key is another certificate's, or not at hand.
pub(crate) fn to_isahc(identity: &Identity) -> Result<isahc::tls::Identity, SettingsError> {
    let refuse = |why| Err(SettingsError::Identity { why });
    let IdentityKey::Der(key) = identity.key() else { return refuse("its key stays in a token") };
    match identity.chain().next().map(|certificate| belongs(certificate, key)) {
        Some(Some(true)) => {}
        Some(Some(false)) => return refuse("its key does not belong to its certificate"),
        _ => return refuse("there is no telling whether its key belongs to its certificate"),
    }
    let mut pem = String::new();
    for certificate in identity.chain() {
        // RFC 7468 section 2 has lines of 64 characters.
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in BASE64_STANDARD.encode(certificate).as_bytes().chunks(64) {
            pem.extend(line.iter().map(|&byte| char::from(byte)));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    Ok(isahc::tls::Identity::from_pem(pem, Some(PrivateKey::from_der(for_openssl(key), None))))
}

/// A key that OpenSSL reads: one of SEC1 need not say its curve, and one of PKCS#8 may hold the public half, which OpenSSL 3.0
/// does not expect there.
fn for_openssl(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let other = match PrivateKeyDer::try_from(key) {
        Ok(PrivateKeyDer::Sec1(key)) => CURVES.iter().find_map(|curve| {
            let pkcs8 = private_key_info(curve, key.secret_sec1_der())?;
            of_curve(&pkcs8).map(|_| pkcs8)
        }),
        Ok(PrivateKeyDer::Pkcs8(key)) => without_public_key(key.secret_pkcs8_der()),
        _ => None,
    };
    other.unwrap_or_else(|| Zeroizing::new(key.to_vec()))
}

/// Whether a key is a certificate's. OpenSSL would say so with the first connection, and nobody before.
fn belongs(certificate: &[u8], key: &[u8]) -> Option<bool> {
    let certificate = certificate.into();
    // It is no anchor of trust: this is the way to what a certificate holds.
    let certificate = anchor_from_trusted_cert(&certificate).ok()?;
    // RFC 5280 section 4.1.2.7: the algorithm, and a BIT STRING with no bits unused.
    let (algorithm, rest) = take(&certificate.subject_public_key_info, SEQUENCE)?;
    let (public, _) = take(rest, BIT_STRING)?;
    let public = public.strip_prefix(&[0])?;
    let kind = PrivateKeyDer::try_from(key).ok()?;
    if let Some(of_key) = public_key(&kind) {
        return Some(of_key == public);
    }
    // A kind of key that ring does not know: most hold their public half.
    let (holder, wanted) = match &kind {
        PrivateKeyDer::Pkcs1(_) => (key, take(public, SEQUENCE)?.0),
        PrivateKeyDer::Pkcs8(_) => {
            let (content, _) = take(key, SEQUENCE)?;
            let (_, rest) = take(content, INTEGER)?;
            let (of_key, rest) = take(rest, SEQUENCE)?;
            if of_key != algorithm {
                return Some(false);
            }
            (rest, take(public, SEQUENCE).map_or(public, |(numbers, _)| numbers))
        }
        _ => (key, public),
    };
    holder.windows(wanted.len().max(1)).any(|part| part == wanted).then_some(true)
}

fn public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    match key {
        PrivateKeyDer::Pkcs1(key) => {
            RsaKeyPair::from_der(key.secret_pkcs1_der()).ok().map(|pair| pair.public_key().as_ref().to_vec())
        }
        PrivateKeyDer::Sec1(key) => {
            CURVES.iter().find_map(|curve| of_curve(&private_key_info(curve, key.secret_sec1_der())?))
        }
        PrivateKeyDer::Pkcs8(key) => {
            let der = key.secret_pkcs8_der();
            let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(|pair| pair.public_key().as_ref().to_vec());
            let ed25519 = || {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
                Some(pair.public_key().as_ref().to_vec())
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

/// What is inside the AlgorithmIdentifier of a curve (RFC 5480 section 2.1.1): id-ecPublicKey, and the curve's name.
const CURVES: [&[u8]; 2] = [
    // secp256r1
    &[
        0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
        0x01, 0x07,
    ],
    // secp384r1
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// A key of the version that every reader knows (RFC 5208 section 5).
fn private_key_info(algorithm: &[u8], key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(algorithm.len() + key.len() + 16));
    put(&mut content, INTEGER, &[0])?;
    put(&mut content, SEQUENCE, algorithm)?;
    put(&mut content, OCTET_STRING, key)?;
    let mut der = Zeroizing::new(Vec::with_capacity(content.len() + 4));
    put(&mut der, SEQUENCE, &content)?;
    Some(der)
}

/// The same key without what its second version adds (RFC 5958 section 2); `None` where it is of the first.
fn without_public_key(pkcs8: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (content, _) = take(pkcs8, SEQUENCE)?;
    let (version, rest) = take(content, INTEGER)?;
    let (algorithm, rest) = take(rest, SEQUENCE)?;
    let (key, _) = take(rest, OCTET_STRING)?;
    if version == [0] { None } else { private_key_info(algorithm, key) }
}

/// Writes a value of DER (X.690 section 8.1).
fn put(der: &mut Vec<u8>, tag: u8, content: &[u8]) -> Option<()> {
    der.push(tag);
    match u16::try_from(content.len()).ok()?.to_be_bytes() {
        [0, length @ 0..=0x7f] => der.push(length),
        [0, length] => der.extend([0x81, length]),
        [high, low] => der.extend([0x82, high, low]),
    }
    der.extend(content);
    Some(())
}

/// The first value of DER and what follows it, where it has this tag.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
