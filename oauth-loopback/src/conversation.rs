//! One connection, without its socket: what to do with it next, and until when.

use crate::request::{Parser, Refusal, Request};
#[cfg(feature = "tls")]
use crate::wire::Trouble;
use crate::wire::{Protocol, Wire};
use std::time::{Duration, Instant};

/// How long each part of a conversation may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) head: Duration,
    pub(crate) hold: Duration,
    pub(crate) drain: Duration,
}

/// From the connection's first byte to its close.
pub(crate) struct Conversation {
    state: State,
    wire: Wire,
    /// What TLS has to say of itself, for more to come.
    pending: Vec<u8>,
    /// When the state ends of itself.
    until: Option<Instant>,
    /// When the connection was accepted.
    since: Instant,
    /// When a part of the request last came.
    heard: Instant,
    limits: Limits,
}

/// What a driver does next with a connection.
pub(crate) enum Next<'a> {
    /// Read, and [`Conversation::handle`] what came.
    Read,
    /// Ask the desk, and answer or hold.
    Decide(Result<Request, Refusal>),
    /// Nothing: the browser waits for the end of the login.
    Hold,
    /// The browser has waited too long for the end of the login: answer.
    HeldTooLong,
    /// Write, and say how much [was written](Conversation::handle_written).
    Write(&'a [u8]),
    /// Close the side that writes, and [say so](Conversation::handle_half_closed).
    HalfClose,
    /// Drop the connection.
    Close,
}

impl Conversation {
    pub(crate) fn new(protocol: &Protocol, limits: Limits, now: Instant) -> Self {
        Self {
            state: State::Reading(Parser::new()),
            wire: Wire::new(protocol),
            pending: Vec::new(),
            until: now.checked_add(limits.head),
            since: now,
            heard: now,
            limits,
        }
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Next<'_> {
        let late = self.until.is_some_and(|until| now >= until);
        match &mut self.state {
            State::Reading(parser) => match parser.poll() {
                Some(request) => Next::Decide(request),
                // A spare connection that the browser never used is owed nothing.
                None if late && (parser.is_silent() || !self.wire.is_open()) => Next::Close,
                None if late => Next::Decide(Err(Refusal::TooSlow)),
                None if self.pending.is_empty() => Next::Read,
                None => Next::Write(&self.pending),
            },
            State::Held if late => Next::HeldTooLong,
            // A browser may send its request before it has heard the end of the handshake.
            State::Held if !self.pending.is_empty() => Next::Write(&self.pending),
            State::Held => Next::Hold,
            State::Writing { .. } if late => Next::Close,
            State::Writing { bytes, written } => match bytes.get(*written..) {
                Some(rest) if !rest.is_empty() => Next::Write(rest),
                _ => Next::HalfClose,
            },
            State::Draining if late => Next::Close,
            State::Draining => Next::Read,
            State::Over => Next::Close,
        }
    }

    /// Tells what came; nothing at all means that the peer has closed its side.
    pub(crate) fn handle(&mut self, bytes: &[u8], now: Instant) {
        match &mut self.state {
            _ if bytes.is_empty() => self.state = State::Over,
            State::Reading(parser) => {
                self.heard = now;
                match self.wire.open(bytes) {
                    Ok(opened) => {
                        let was_in_head = parser.in_head();
                        parser.handle(opened.bytes());
                        // The head's time is counted from the start, whatever drips in; the body gets its own.
                        if was_in_head && !parser.in_head() {
                            self.until = now.checked_add(self.limits.head);
                        }
                        self.pending.append(&mut self.wire.take_pending());
                    }
                    Err(trouble) => match trouble {
                        #[cfg(feature = "tls")]
                        Trouble::Refused(refusal) => parser.refuse(refusal),
                        #[cfg(feature = "tls")]
                        Trouble::Broken(alert) => self.write(alert, now),
                    },
                }
            }
            // Read and thrown away: closing on unread bytes would reset the connection and blank the page.
            State::Held | State::Writing { .. } | State::Draining | State::Over => {}
        }
    }

    pub(crate) fn hold(&mut self, now: Instant) {
        self.state = State::Held;
        self.until = now.checked_add(self.limits.hold);
    }

    pub(crate) const fn is_held(&self) -> bool {
        matches!(self.state, State::Held)
    }

    pub(crate) fn answer(&mut self, bytes: Vec<u8>, now: Instant) {
        let mut sealed = std::mem::take(&mut self.pending);
        sealed.append(&mut self.wire.seal(bytes));
        self.write(sealed, now);
    }

    fn write(&mut self, bytes: Vec<u8>, now: Instant) {
        self.state = State::Writing { bytes, written: 0 };
        self.until = now.checked_add(self.limits.head);
    }

    pub(crate) fn handle_written(&mut self, count: usize) {
        match &mut self.state {
            State::Reading(_) | State::Held => drop(self.pending.drain(..count)),
            State::Writing { written, .. } => *written += count,
            State::Draining | State::Over => {}
        }
    }

    pub(crate) fn handle_half_closed(&mut self, now: Instant) {
        self.state = State::Draining;
        self.until = now.checked_add(self.limits.drain);
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) const fn since(&self) -> Instant {
        self.since
    }

    pub(crate) const fn heard(&self) -> Instant {
        self.heard
    }
}

enum State {
    Reading(Parser),
    Held,
    Writing { bytes: Vec<u8>, written: usize },
    Draining,
    Over,
}

#[cfg(test)]
mod tests;
