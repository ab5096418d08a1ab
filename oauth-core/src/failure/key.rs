//! A task that was not done by whoever holds the keys.

use alloc::boxed::Box;
use core::error::Error as StdError;
use core::fmt;

/// The key holder did not do its task.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyFailed {
    /// What happened.
    pub why: KeyWhy,
    /// What the key holder knows.
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl KeyFailed {
    /// An answer without a cause.
    #[must_use]
    pub const fn new(why: KeyWhy) -> Self {
        Self { why, cause: None }
    }

    /// Adds what the key holder knows. Its text is shown to people: it must hold no secret.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for KeyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl StdError for KeyFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// Why a key task was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyWhy {
    /// No such key here.
    NoKey,
    /// The key holder, or the key, cannot do this task or this algorithm.
    Unsupported,
    /// The key holder may not, or its operator said no.
    Denied,
    /// The key holder is out of reach for now.
    Busy,
    /// No key has the name that a message says: the server's keys may be others by now.
    UnknownKid,
    /// A message is not what it has to be: its signature is wrong, or its algorithm is not one that is accepted.
    Bad,
}

impl fmt::Display for KeyWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "the key that this flow needs is not here",
            Self::Unsupported => "the key holder cannot do what this flow needs",
            Self::Denied => "the key holder refused",
            Self::Busy => "the key holder is out of reach",
            Self::UnknownKid => "what the server signed names a key that the server does not have",
            Self::Bad => "what the server signed must not be trusted",
        })
    }
}
