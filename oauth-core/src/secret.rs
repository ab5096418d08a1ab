//! Values that must not be seen: no `Display`, a blind `Debug`, no `Serialize`, wiped on drop, compared in constant time.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        ///
        /// No `Display`, a blind `Debug`, wiped on drop, compared in constant time: [`expose`](Self::expose) is the one
        /// way to its text.
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the text over; its buffer is wiped when this is dropped.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// Shows the secret. Whoever calls this keeps it out of logs, pages and argument lists.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                same(self.0.as_bytes(), other.0.as_bytes())
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )+};
}

secrets! {
    /// A client's password (RFC 6749 section 2.3.1).
    ClientSecret,
    /// A person's password (RFC 6749 section 4.3.2).
    Password,
    /// The credential that opens a protected resource (RFC 6749 section 1.4).
    AccessToken,
    /// The credential that obtains new access tokens (RFC 6749 section 1.5).
    RefreshToken,
    /// An ID Token as it came, its signature and claims **not checked** (OpenID Connect Core section 2).
    IdToken,
    /// The credential that manages a client's registration (RFC 7592 section 3).
    RegistrationAccessToken,
    /// The device verification code (RFC 8628 section 3.2).
    DeviceCode,
}

/// Secret bytes: a stored [`Pending`](crate::Pending), say. Blind `Debug`, wiped on drop.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over; their buffer is wiped when this is dropped.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Shows the secret. Whoever calls this keeps it out of logs, pages and argument lists.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

/// Whether the bytes are the same, in a time that depends on their lengths alone.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A buffer for secrets that grows without leaving a copy behind.
///
/// `Vec` frees its old allocation unwiped when it grows; this one wipes it first.
pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.saturating_mul(2));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            *self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn finish(self) -> SecretBytes {
        SecretBytes(self.0)
    }
}
