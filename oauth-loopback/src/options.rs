//! How to wait, and how a wait fails.

use crate::note::{Note, OnNote};
use crate::own_page::OwnPage;
use crate::response_mode::ResponseMode;
use std::fmt;
use std::io;
use std::time::Duration;
use url::{Origin, Url};

/// How to wait for the callback. The defaults are meant for a person at a browser.
pub struct ReceiveOptions {
    pub(crate) timeout: Duration,
    pub(crate) hold: Duration,
    pub(crate) grace: Duration,
    pub(crate) head: Duration,
    pub(crate) drain: Duration,
    pub(crate) response_mode: ResponseMode,
    pub(crate) private_network: Vec<Origin>,
    pub(crate) success_page: Option<OwnPage>,
    pub(crate) failure_page: Option<OwnPage>,
    pub(crate) application: Option<String>,
    pub(crate) on_note: Option<OnNote>,
}

impl ReceiveOptions {
    /// Five minutes for the person, responses in the query, the built-in pages without a name, and notes go unheard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            hold: Duration::from_secs(5),
            grace: Duration::from_millis(1500),
            head: Duration::from_secs(5),
            drain: Duration::from_millis(500),
            response_mode: ResponseMode::Query,
            private_network: Vec::new(),
            success_page: None,
            failure_page: None,
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
    /// The port is taken that long for other programs; the next login of this one that asks for it ends the grace and has
    /// it at once. Zero frees it with the delivery.
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

    /// How the response comes: in the query, unless the authorization request says otherwise.
    ///
    /// It has to be what the request asked for. A response that comes in another way is no response.
    #[must_use]
    pub const fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.response_mode = mode;
        self
    }

    /// [`response_mode`](Self::response_mode) with [`ResponseMode::FormPost`].
    #[must_use]
    pub const fn form_post(self) -> Self {
        self.response_mode(ResponseMode::FormPost)
    }

    /// Lets pages of this server send the browser here where browsers ask first (Private Network Access, and Local
    /// Network Access as it was drafted): the preflight of its origin is answered with yes, and everybody else's is not.
    ///
    /// Meant for the issuer and for the authorization endpoint; only the origin of the URL counts. It opens nothing
    /// else: what a script of that server asks for is refused like any other script's request.
    #[must_use]
    pub fn private_network_for(mut self, server: &Url) -> Self {
        self.private_network.push(server.origin());
        self
    }

    /// The page of a login that succeeded, in place of the built-in one.
    #[must_use]
    pub fn success_page(mut self, page: impl Into<OwnPage>) -> Self {
        self.success_page = Some(page.into());
        self
    }

    /// The page of a login that failed, in place of the built-in one.
    #[must_use]
    pub fn failure_page(mut self, page: impl Into<OwnPage>) -> Self {
        self.failure_page = Some(page.into());
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
            .field("response_mode", &self.response_mode)
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
    /// The same, and a browser spoke https to this listener, which speaks http: the answer may have been lost there.
    TimedOutAfterHttps,
    /// A [cancel handle](crate::Listener::cancel_handle) was used.
    Cancelled,
    /// The system gives no more sockets, events or threads.
    Io(io::Error),
}

impl ReceiveError {
    /// Whether time ran out, whatever else was seen.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut | Self::TimedOutAfterHttps)
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str(
                "no answer came from the browser in time: sign in again, and finish it in the browser that opens; where \
                 the button to agree does nothing there, the page's form-action policy forbids the way back here: try \
                 another browser, or have the server allow the redirect URI in it",
            ),
            Self::TimedOutAfterHttps => f.write_str(
                "no answer came in time, and a browser asked for https where this listener speaks http: use 127.0.0.1 \
                 as the host of the redirect URI, which no browser upgrades, or a listener with https",
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
            Self::TimedOut | Self::TimedOutAfterHttps | Self::Cancelled => None,
        }
    }
}
