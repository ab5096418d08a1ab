//! Keys of client certificates that stay where they are, and sign there.

use crate::Cause;
use std::error::Error;
use std::fmt;

/// Who signs by the key of a client certificate: a security key, an HSM, a KMS.
pub trait IdentitySigner: Send + Sync {
    /// The schemes by which it signs, the best first. Asked when a transport is made.
    ///
    /// Those that do not fit the key of the certificate are passed over. Without one of RSASSA-PSS, an RSA key is of use in
    /// TLS 1.2 alone (RFC 8446 section 4.2.3).
    fn schemes(&self) -> Vec<SignatureScheme>;

    /// Signs the message, which is not hashed yet, by one of its [`schemes`](Self::schemes).
    ///
    /// It may block: it is called on the thread that does the handshake, once for each handshake that shows the
    /// certificate, and several threads may call it at once. Whatever else that thread has to do waits, and no timeout ends
    /// it, so it should give up by itself.
    ///
    /// # Errors
    /// There is no signature: no connection comes about, and nothing is sent.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, IdentityError>;
}

macro_rules! schemes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal $code:literal,)+) => {
        /// A way to sign in TLS (RFC 8446 section 4.2.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SignatureScheme {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl SignatureScheme {
            /// The name that IANA gives it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The number that IANA gives it, which goes over the wire.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

schemes! {
    /// ECDSA on P-256 with SHA-256. The signature is DER (RFC 3279 section 2.2.3), as with every curve.
    EcdsaSecp256r1Sha256 = "ecdsa_secp256r1_sha256" 0x0403,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSecp384r1Sha384 = "ecdsa_secp384r1_sha384" 0x0503,
    /// ECDSA on P-521 with SHA-512.
    EcdsaSecp521r1Sha512 = "ecdsa_secp521r1_sha512" 0x0603,
    /// EdDSA with edwards25519 (RFC 8032).
    Ed25519 = "ed25519" 0x0807,
    /// RSASSA-PSS with SHA-256, and a salt as long as the hash.
    RsaPssRsaeSha256 = "rsa_pss_rsae_sha256" 0x0804,
    /// RSASSA-PSS with SHA-384, and a salt as long as the hash.
    RsaPssRsaeSha384 = "rsa_pss_rsae_sha384" 0x0805,
    /// RSASSA-PSS with SHA-512, and a salt as long as the hash.
    RsaPssRsaeSha512 = "rsa_pss_rsae_sha512" 0x0806,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for TLS 1.2 alone.
    RsaPkcs1Sha256 = "rsa_pkcs1_sha256" 0x0401,
    /// RSASSA-PKCS1-v1_5 with SHA-384, for TLS 1.2 alone.
    RsaPkcs1Sha384 = "rsa_pkcs1_sha384" 0x0501,
    /// RSASSA-PKCS1-v1_5 with SHA-512, for TLS 1.2 alone.
    RsaPkcs1Sha512 = "rsa_pkcs1_sha512" 0x0601,
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no signature by the key of a client certificate: one line.
#[derive(Debug)]
pub struct IdentityError(Cause);

impl IdentityError {
    /// What the holder of the key says: what is wrong and what to do. It must hold no secret.
    #[must_use]
    pub fn new(why: impl AsRef<str>) -> Self {
        Self(Cause::new(why))
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key of the client certificate gave no signature: {}", self.0)
    }
}

impl Error for IdentityError {}
