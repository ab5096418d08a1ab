//! Values that must not be seen: no `Display`, a blind `Debug`, no `Serialize`, wiped on drop, compared in constant time.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        ///
        /// No `Display`, a blind `Debug`, wiped on drop, compared in constant time: [`expose`](Self::expose) is the one
        /// way to its text.
        #[derive(Clone)]
        pub struct $name(Text);

        impl $name {
            /// Takes the text over; its buffer is wiped when this is dropped.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(Text::new(text.into()))
            }

            /// Shows the secret. Whoever calls this keeps it out of logs, pages and argument lists.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                same(self.expose().as_bytes(), other.expose().as_bytes())
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
    /// What the browser brings back, to be exchanged once (RFC 6749 section 4.1.2).
    AuthorizationCode,
}

/// A text that is wiped on drop, in no more room than it takes.
#[derive(Clone)]
struct Text(Box<str>);

impl Text {
    fn new(text: String) -> Self {
        if text.len() == text.capacity() {
            return Self(text.into_boxed_str());
        }
        // To make the buffer smaller would leave a copy behind.
        let text = Zeroizing::new(text);
        Self(Box::from(text.as_str()))
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        drop(Wiped(core::mem::take(&mut self.0).into_boxed_bytes().into_vec()));
    }
}

/// Secret bytes: a stored [`Pending`](crate::Pending), say. Blind `Debug`, wiped on drop.
#[derive(Clone)]
pub struct SecretBytes(Wiped);

impl SecretBytes {
    /// Takes the bytes over; their buffer is wiped when this is dropped.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Wiped(bytes.into()))
    }

    /// Shows the secret. Whoever calls this keeps it out of logs, pages and argument lists.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0.0
    }

    pub(crate) fn into_inner(self) -> Wiped {
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

/// Bytes that are wiped on drop, the room behind them included.
///
/// In one stroke: `Zeroizing<Vec<u8>>` does it byte by byte.
#[derive(Clone, Default)]
pub(crate) struct Wiped(pub(crate) Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.resize(self.0.capacity(), 0);
        // In pieces that vectors store: a long one is left to a loop of the processor, which is slow to begin.
        self.0.chunks_mut(1024).for_each(Zeroize::zeroize);
    }
}

/// A buffer for secrets that grows without leaving a copy behind.
///
/// `Vec` frees its old allocation unwiped when it grows; this one wipes it first.
pub(crate) struct Buffer(Wiped);

impl Buffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Wiped(Vec::with_capacity(capacity)))
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.room_for(bytes.len()).extend_from_slice(bytes);
    }

    /// The bytes, to be grown by so many at most.
    pub(crate) fn room_for(&mut self, more: usize) -> &mut Vec<u8> {
        let needed = self.0.0.len().saturating_add(more);
        if needed > self.0.0.capacity() {
            let mut larger = Wiped(Vec::with_capacity(needed.saturating_mul(2)));
            larger.0.extend_from_slice(&self.0.0);
            self.0 = larger;
        }
        &mut self.0.0
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0.0
    }

    pub(crate) fn finish(self) -> SecretBytes {
        SecretBytes(self.0)
    }
}
