//! The elliptic curves of RFC 7518 section 6.2.1.1 and RFC 8812 section 3.1, whether or not something can be computed on them.

use oauth_core::Algorithm;
use pkcs8::ObjectIdentifier;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// The curve that `crv` names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// The curve that a key file names.
    pub(crate) fn of_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == oid)
    }

    /// The curve of an algorithm.
    pub(crate) fn of_algorithm(algorithm: &Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.algorithm() == *algorithm)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
            Self::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
            Self::P521 => ObjectIdentifier::new_unwrap("1.3.132.0.35"),
            Self::Secp256k1 => ObjectIdentifier::new_unwrap("1.3.132.0.10"),
        }
    }

    /// How many bytes a coordinate has, and a private key (RFC 7518 sections 6.2.1.2 and 6.2.2.1).
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one algorithm that signs on it (RFC 7518 section 3.4, RFC 8812 section 3.2).
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
            Self::P521 => Algorithm::ES512,
            Self::Secp256k1 => Algorithm::ES256K,
        }
    }

    /// For the text of an error: a key on a curve that cannot be used.
    pub(crate) const fn described(self) -> &'static str {
        match self {
            Self::P256 => "an EC key on curve P-256",
            Self::P384 => "an EC key on curve P-384",
            Self::P521 => "an EC key on curve P-521",
            Self::Secp256k1 => "an EC key on curve secp256k1",
        }
    }
}
