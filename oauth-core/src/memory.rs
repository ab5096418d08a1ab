//! What lives between flows.

use crate::server_keys::{Known, KnownKeys, ServerKeys};
use crate::time::Unix;
use core::time::Duration;

/// What is known about a server beyond its metadata.
///
/// A plain value: given when a flow is made, refreshed from [`Flow::take_learned`](crate::Flow::take_learned), kept
/// wherever the caller keeps things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerMemory {
    clock: ClockOffset,
    keys: KnownKeys,
}

impl ServerMemory {
    /// Takes in what a flow learned.
    pub fn learn(&mut self, learned: Learned) {
        if let Some(clock) = learned.clock {
            self.clock = clock;
        }
        // Of two flows, the one that asked last knows better, whichever ended last.
        if learned.keys.as_deref().map(Known::asked) >= self.keys.as_deref().map(Known::asked) {
            self.keys = learned.keys;
        }
    }

    /// How far the server's clock is from ours, as its `Date` headers tell.
    #[must_use]
    pub const fn clock_offset(&self) -> ClockOffset {
        self.clock
    }

    /// The server's public keys, as they were last fetched.
    #[must_use]
    pub fn keys(&self) -> Option<&ServerKeys> {
        self.keys.as_deref().and_then(Known::keys)
    }

    pub(crate) fn known_keys(&self) -> KnownKeys {
        self.keys.clone()
    }
}

/// What one flow learned. Empty more often than not.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Learned {
    pub(crate) clock: Option<ClockOffset>,
    pub(crate) keys: KnownKeys,
}

impl Learned {
    /// Keeps what was learned before where a response tells nothing new.
    pub(crate) fn clock(&mut self, clock: Option<ClockOffset>) {
        self.clock = clock.or(self.clock);
    }
}

/// The server's clock less ours.
///
/// Signed claims (`iat`, `exp`) are written in the server's time: a machine whose clock is wrong can still sign in. An
/// offset above a day is not believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockOffset {
    /// How many seconds the server is ahead; fewer than none where it is behind.
    seconds: i32,
}

impl ClockOffset {
    /// An offset that is believed at most.
    const DAY: u64 = 86_400;

    /// The difference between the two clocks, where it is believable.
    pub(crate) fn between(server: Unix, ours: Unix) -> Option<Self> {
        let by = server.0.abs_diff(ours.0);
        let seconds = i32::try_from(by).ok().filter(|_| by <= Self::DAY)?;
        Some(Self { seconds: if server > ours { seconds } else { -seconds } })
    }

    /// Whether the server's clock is ahead of ours.
    #[must_use]
    pub const fn server_is_ahead(self) -> bool {
        self.seconds > 0
    }

    /// The server's clock when ours says `now`.
    pub(crate) const fn server_time(self, now: Unix) -> Unix {
        let by = self.difference();
        if self.server_is_ahead() { now.after(by) } else { Unix(now.0.saturating_sub(by.as_secs())) }
    }

    /// By how much the two differ, in whole seconds.
    #[must_use]
    pub const fn difference(self) -> Duration {
        Duration::from_secs(self.seconds.unsigned_abs() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::request::Response;
    use crate::time::{Mono, Now};

    fn asked_at(seconds: u64, answer: Result<&Response, Failure>) -> Learned {
        let now = Now { mono: Mono::from_duration(Duration::from_secs(seconds)), unix: Unix(0) };
        Learned { clock: None, keys: Some(alloc::sync::Arc::new(Known::after(None, answer, now).0)) }
    }

    #[test]
    fn keys_that_were_asked_for_later_are_kept_whichever_flow_ends_last() {
        let response = |body: &str| Response::from(http::Response::new(body.as_bytes().to_vec()));
        let mut memory = ServerMemory::default();
        memory.learn(asked_at(2, Ok(&response(r#"{"keys":[2]}"#))));
        let keys = |memory: &ServerMemory| memory.keys().map(|keys| keys.document().to_vec());
        let second = keys(&memory);
        assert!(second.is_some());
        memory.learn(asked_at(1, Ok(&response(r#"{"keys":[1]}"#))));
        memory.learn(asked_at(1, Err(Failure::idle())));
        memory.learn(Learned::default());
        assert_eq!(keys(&memory), second);
        memory.learn(asked_at(3, Ok(&response(r#"{"keys":[3]}"#))));
        assert_ne!(keys(&memory), second);
    }
}
