//! How to wait, and how a wait fails.

use crate::note::{Note, OnNote};
use std::fmt;
use std::io;
use std::time::Duration;

/// How to wait for the callback. The defaults are meant for a person at a browser.
pub struct ReceiveOptions {
    pub(crate) timeout: Duration,
    pub(crate) hold: Duration,
    pub(crate) grace: Duration,
    pub(crate) head: Duration,
    pub(crate) drain: Duration,
    pub(crate) form_post: bool,
    pub(crate) application: Option<String>,
    pub(crate) on_note: Option<OnNote>,
}

impl ReceiveOptions {
    /// Five minutes for the person, no form posts, no name on the page, and notes go unheard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            hold: Duration::from_secs(5),
            grace: Duration::from_millis(1500),
            head: Duration::from_secs(5),
            drain: Duration::from_millis(500),
            form_post: false,
            application: None,
            on_note: None,
        }
    }

    /// How long the person has: then the wait ends with [`ReceiveError::TimedOut`]. `Duration::MAX` means for ever.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the browser is held for the end of the login before it gets a page that leaves it open: 5 s.
    #[must_use]
    pub const fn hold_at_most(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// How long reloads and duplicates are told that the answer was used, counted from the delivery: 1.5 s.
    ///
    /// The port is taken that long. Zero frees it with the delivery, as a second login on a fixed port needs.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long one connection has for its head, all in all, and then for its body, and then to take its answer: 5 s.
    ///
    /// It does not bound the wait: browsers open connections that they never use, and those are dropped after this.
    #[must_use]
    pub const fn head_timeout(mut self, head: Duration) -> Self {
        self.head = head;
        self
    }

    /// How long a browser has to close its side once it has its page, before it is closed on it: 500 ms.
    #[must_use]
    pub const fn drain_at_most(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Takes responses that the browser posts as well: for requests with `response_mode=form_post`.
    ///
    /// Without this a POST is answered with 405.
    #[must_use]
    pub const fn form_post(mut self) -> Self {
        self.form_post = true;
        self
    }

    /// The name that the page tells the person to return to. It may hold any text; it is escaped.
    #[must_use]
    pub fn application(mut self, name: impl Into<String>) -> Self {
        self.application = Some(name.into());
        self
    }

    /// Hears what happens during the wait, each kind of it once: lines for stderr.
    ///
    /// It is called from within the wait, so it must not block.
    #[must_use]
    pub fn on_note(mut self, on_note: impl FnMut(&Note) + Send + 'static) -> Self {
        self.on_note = Some(Box::new(on_note));
        self
    }
}

impl Default for ReceiveOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReceiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveOptions")
            .field("timeout", &self.timeout)
            .field("hold", &self.hold)
            .field("grace", &self.grace)
            .field("form_post", &self.form_post)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

/// Why a wait ended without a callback. The port is free again.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The person did not finish in time.
    TimedOut,
    /// A [cancel handle](crate::Listener::cancel_handle) was used.
    Cancelled,
    /// The system gives no more sockets, events or threads.
    Io(io::Error),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str(
                "no answer came from the browser in time: sign in again, and finish it in the browser that opens",
            ),
            Self::Cancelled => f.write_str("the sign-in was cancelled before the browser's answer came: start it again"),
            Self::Io(error) => {
                write!(f, "cannot wait for the browser's answer: {error}; close some programs and sign in again")
            }
        }
    }
}

impl std::error::Error for ReceiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::TimedOut | Self::Cancelled => None,
        }
    }
}
