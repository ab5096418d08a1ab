//! Chance, always given and never drawn.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;
use zeroize::Zeroize as _;

/// 96 fresh random bytes, one `Seed` per flow, from one call to the system.
///
/// `state`, the PKCE verifier and the `nonce` are slices of it, 256 bits each. A seed that was used before makes two
/// logins share their secrets, so it is not `Clone`; it is wiped on drop and `Debug` shows nothing of it.
pub struct Seed([u8; Self::LENGTH]);

impl Seed {
    /// How many random bytes a seed is made of.
    pub const LENGTH: usize = 96;

    /// Takes the bytes, which must come from a cryptographically secure source.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The same chance for another part of one flow, which takes another slice of it or counts.
    pub(crate) const fn again(&self) -> Self {
        Self(self.0)
    }

    /// 43 characters of base64url: what `state`, `code_verifier`, `nonce` and `jti` are spelled with.
    pub(crate) fn text(&self, part: Part) -> [u8; TEXT] {
        let mut text = [b'A'; TEXT];
        let (state, rest) = self.0.split_at(32);
        let (verifier, nonce) = rest.split_at(32);
        let bytes = match part {
            Part::State => state,
            Part::Verifier => verifier,
            Part::Nonce => nonce,
        };
        // 32 bytes always are 43 characters.
        let _written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
        text
    }
}

/// The length of 256 bits in base64url without padding.
pub(crate) const TEXT: usize = 43;

/// Which third of the seed.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    State,
    Verifier,
    Nonce,
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed([redacted])")
    }
}
