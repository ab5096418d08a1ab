//! The two clocks, always given and never read.

use core::time::Duration;

/// Both clocks, read once by the caller.
///
/// `mono` drives every wait; `unix` fills `iat` and `exp` and judges stored expiry. A flow never reads a clock of
/// its own, so a test runs an hour in a microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a driver builds it from the two clocks there are")]
pub struct Now {
    /// Monotonic time.
    pub mono: Mono,
    /// Wall-clock time.
    pub unix: Unix,
}

/// Monotonic time since an epoch of the caller's choosing.
///
/// Means nothing outside this process, so it is never serialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// The instant this many nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant this long after the epoch; saturates after 584 years.
    #[must_use]
    pub fn from_duration(since_epoch: Duration) -> Self {
        Self(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The instant `wait` later; saturates.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(Self::from_duration(wait).0))
    }

    /// How long after `earlier` this is; zero when it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Whole seconds since 1970-01-01T00:00:00Z (NumericDate, RFC 7519 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "NumericDate is one number")]
pub struct Unix(pub u64);

impl Unix {
    /// The moment `wait` later, in whole seconds; saturates.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait.as_secs()))
    }

    /// How long after `earlier` this is; zero when it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}
