//! Private keys that a password opens: PKCS#12 files (PFX) and encrypted PKCS#8.

use crate::error::KeyError;
use crate::pem::{self, Format};
use crate::signing_key::{SigningKey, pkcs8};
use oauth_core::Password;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use pkcs8::der::ErrorKind;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};

impl SigningKey {
    /// Reads the one private key of a PEM file, [`from_pem`](Self::from_pem), that may be encrypted as PKCS#8
    /// (`ENCRYPTED PRIVATE KEY`, RFC 8018 with PBES2).
    ///
    /// # Errors
    /// As `from_pem`; the password is wrong, or the encryption is not supported: the older one of a `Proc-Type` header,
    /// say.
    pub fn from_encrypted_pem(pem: impl AsRef<[u8]>, password: &Password) -> Result<Self, KeyError> {
        let key = pem::private_key(pem.as_ref())?;
        if key.format != Format::Encrypted {
            return Self::from_pem(pem);
        }
        decrypted(&key.der, password)
    }

    /// Reads the one private key of a PKCS#12 file (PFX, RFC 7292), in old or in new encryption. Certificates beside it are
    /// passed over.
    ///
    /// # Errors
    /// It is no such file, the password is wrong, there is no private key in it or more than one, or one of a kind that
    /// cannot sign.
    pub fn from_pkcs12(pfx: impl AsRef<[u8]>, password: &Password) -> Result<Self, KeyError> {
        let archive = archive(pfx.as_ref(), password)?;
        match archive.keys.as_slice() {
            [] if archive.certs.is_empty() => Err(KeyError::NoPrivateKey),
            [] => Err(KeyError::Certificate),
            [key] => pkcs8(key.key.as_der()),
            several => Err(KeyError::SeveralPrivateKeys { count: several.len() }),
        }
    }
}

/// Opens an encrypted PKCS#8 structure, and reads the key in it.
pub(crate) fn decrypted(der: &[u8], password: &Password) -> Result<SigningKey, KeyError> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|_| KeyError::Malformed { why: "it is not the encrypted structure that its label names" })?;
    if encrypted.encryption_algorithm.pbes2().is_some_and(|parameters| !is_bearable(&parameters.kdf)) {
        return Err(TOO_COSTLY);
    }
    match encrypted.decrypt(password.expose()) {
        Ok(document) => pkcs8(document.as_bytes()),
        Err(pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs5::Error::AlgorithmParametersInvalid { .. }
            | pkcs5::Error::NoPbes1CryptSupport,
        )) => Err(UNKNOWN),
        // What a wrong password gives is no padding, or no key.
        Err(_) => Err(KeyError::Password),
    }
}

/// Whether a key is derived from the password within seconds, and in 256 MiB: the file says how, and may be anybody's.
fn is_bearable(kdf: &Kdf) -> bool {
    let turns = kdf.pbkdf2().map_or(0, |parameters| parameters.iteration_count);
    let scrypt = kdf.scrypt().is_none_or(|scrypt| {
        let memory = scrypt.cost_parameter.saturating_mul(128 * u64::from(scrypt.block_size));
        memory <= 256 << 20 && scrypt.parallelization <= 16
    });
    turns <= 10_000_000 && scrypt
}

/// What is in a PKCS#12 file. The library bounds the cost of its passwords.
pub(crate) fn archive(pfx: &[u8], password: &Password) -> Result<Pkcs12Archive, KeyError> {
    Pkcs12Archive::from_pkcs12(pfx, password.expose()).map_err(|error| refused(&error))
}

const UNKNOWN: KeyError = KeyError::Unsupported { found: "encrypted in a way that is not known" };
const TOO_COSTLY: KeyError = KeyError::Unsupported { found: "encrypted at a cost that is not borne" };

fn refused(error: &Error) -> KeyError {
    match error {
        // The library keeps of its error only the text.
        Error::Pkcs5Error(text) if !text.contains("decryption failed") => UNKNOWN,
        Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError => KeyError::Password,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => UNKNOWN,
        Error::InvalidParameters => TOO_COSTLY,
        // As Firefox writes them.
        Error::DerError(error) if error.kind() == ErrorKind::IndefiniteLength => {
            KeyError::Unsupported { found: "in a file of BER, which OpenSSL writes anew as DER" }
        }
        _ => KeyError::Malformed { why: "it is no PKCS#12 file" },
    }
}
