//! The names of RFC 7518 sections 4.1 and 5.1 that are supported here. What has no name here cannot be asked for: RSA1_5 and
//! PBES2 (RFC 8725 sections 3.2 and 3.3), and what the library does not do.

use std::fmt;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$entry_doc:meta])* $entry:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$entry_doc])* $entry,)*
        }

        impl $name {
            /// The registered spelling.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$entry => $text,)*
                }
            }

            /// The one that is spelled so, letter by letter; `None` for any that is not supported.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$entry),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// How the key of the content is handed over: `alg` (RFC 7518 section 4).
    KeyManagement {
        /// RSAES-OAEP with SHA-1, which is safe there.
        RsaOaep = "RSA-OAEP",
        /// RSAES-OAEP with SHA-256.
        RsaOaep256 = "RSA-OAEP-256",
        /// ECDH with an ephemeral key: what is agreed on is the key of the content.
        EcdhEs = "ECDH-ES",
        /// ECDH with an ephemeral key, and AES Key Wrap with 128 bits.
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        /// ECDH with an ephemeral key, and AES Key Wrap with 256 bits.
        EcdhEsA256Kw = "ECDH-ES+A256KW",
        /// AES Key Wrap with 128 bits, by a secret of both sides.
        A128Kw = "A128KW",
        /// AES Key Wrap with 256 bits, by a secret of both sides.
        A256Kw = "A256KW",
        /// A secret of both sides is the key of the content.
        Dir = "dir",
    }
}

names! {
    /// How the content is encrypted and authenticated: `enc` (RFC 7518 section 5).
    ContentEncryption {
        /// AES-128 in CBC mode, and HMAC with SHA-256.
        A128CbcHs256 = "A128CBC-HS256",
        /// AES-192 in CBC mode, and HMAC with SHA-384.
        A192CbcHs384 = "A192CBC-HS384",
        /// AES-256 in CBC mode, and HMAC with SHA-512.
        A256CbcHs512 = "A256CBC-HS512",
        /// AES-128 in Galois/Counter mode.
        A128Gcm = "A128GCM",
        /// AES-192 in Galois/Counter mode.
        A192Gcm = "A192GCM",
        /// AES-256 in Galois/Counter mode.
        A256Gcm = "A256GCM",
    }
}

impl KeyManagement {
    pub(super) const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaOaep256)
    }

    pub(super) const fn is_agreement(self) -> bool {
        matches!(self, Self::EcdhEs | Self::EcdhEsA128Kw | Self::EcdhEsA256Kw)
    }

    /// How many bytes the key has that wraps the key of the content by AES Key Wrap; `None` where it is not so wrapped.
    pub(super) const fn wrapping_key_length(self) -> Option<usize> {
        match self {
            Self::A128Kw | Self::EcdhEsA128Kw => Some(16),
            Self::A256Kw | Self::EcdhEsA256Kw => Some(32),
            Self::RsaOaep | Self::RsaOaep256 | Self::EcdhEs | Self::Dir => None,
        }
    }

    /// Whether an encrypted key comes along (RFC 7516 section 5.1, steps 3 to 6).
    pub(super) const fn encrypts_a_key(self) -> bool {
        !matches!(self, Self::EcdhEs | Self::Dir)
    }
}

impl ContentEncryption {
    /// How many bytes its key has.
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }
}
