//! What a wait ends in: the authorization response, and the browser that waits for its page.

use crate::page::Page;
use crate::promise::Promise;
use crate::signal::Signal;
use oauth_core::AuthorizationResponse;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use zeroize::Zeroizing;

/// The authorization response that was recognised, and the browser that brought it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Callback {
    /// What came, to be redeemed.
    pub response: Received,
    /// The browser's connection: it waits for a page until the login has succeeded or failed.
    pub reply: Reply,
}

/// An authorization response of one's own: wiped on drop, blind `Debug`.
pub struct Received(Kind);

impl Received {
    /// `None` for a response mode that no listener hands out.
    pub(crate) fn new(response: &AuthorizationResponse<'_>) -> Option<Self> {
        Some(Self(match response {
            AuthorizationResponse::Query(text) => Kind::Query(Zeroizing::new((*text).to_owned())),
            AuthorizationResponse::Form(body) => Kind::Form(Zeroizing::new(body.to_vec())),
            _ => return None,
        }))
    }

    /// The response as the core takes it.
    #[must_use]
    pub fn as_response(&self) -> AuthorizationResponse<'_> {
        match &self.0 {
            Kind::Query(text) => AuthorizationResponse::Query(text),
            Kind::Form(body) => AuthorizationResponse::Form(body),
        }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({:?})", self.as_response())
    }
}

/// Answers the browser, once the login has ended.
///
/// The browser is held meanwhile, so that its page tells the truth. Where that takes longer than
/// [`ReceiveOptions::hold_at_most`](crate::ReceiveOptions::hold_at_most), it gets a page that sends the person back to
/// the program, and what is said here comes too late for it. Dropping a reply sends that page as well.
pub struct Reply {
    signal: Arc<Signal>,
    delivered: Promise<()>,
    at_most: Duration,
}

impl Reply {
    /// The delivery takes that long `at_most`.
    pub(crate) const fn new(signal: Arc<Signal>, delivered: Promise<()>, at_most: Duration) -> Self {
        Self { signal, delivered, at_most }
    }

    /// The login has succeeded: the page says so.
    pub fn success(self) -> Delivery {
        self.answer(Page::Success)
    }

    /// The login has failed: the page sends the person to the program, which knows why.
    pub fn failure(self) -> Delivery {
        self.answer(Page::Failure)
    }

    fn answer(self, page: Page) -> Delivery {
        self.signal.answer(page);
        Delivery { delivered: self.delivered.clone(), at_most: self.at_most }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // Nobody said how it ended; after `success` or `failure` this comes second and changes nothing.
        self.signal.answer(Page::Neutral);
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// The page on its way to the browser: a future, or [`wait`](Self::wait) for it.
///
/// A program that exits before this has ended may leave a blank page behind. It ends once the page was written and the
/// browser has closed its side, or after [`ReceiveOptions::drain_at_most`](crate::ReceiveOptions::drain_at_most), and
/// also when there is no browser any more. Reloads and duplicates are answered a little longer, in the background
/// ([`ReceiveOptions::grace`](crate::ReceiveOptions::grace)); without a grace the port is free when this ends.
#[must_use = "a program that exits before the page is delivered may leave a blank one behind"]
pub struct Delivery {
    delivered: Promise<()>,
    at_most: Duration,
}

impl Delivery {
    /// Blocks until the page was delivered, for a few seconds at most.
    ///
    /// For plain threads: in async code, await it. A runtime of one thread that is blocked here delivers nothing.
    pub fn wait(self) {
        // Where it did not come in time, there is no browser to wait for either.
        let _ = self.delivered.wait(self.at_most);
    }
}

impl Future for Delivery {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.delivered.poll(cx)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

/// Ends a wait from elsewhere, at once, and frees the port; also the background service after a callback.
#[derive(Clone, Debug)]
pub struct Cancel {
    signal: Arc<Signal>,
}

impl Cancel {
    pub(crate) const fn new(signal: Arc<Signal>) -> Self {
        Self { signal }
    }

    /// The wait ends with [`ReceiveError::Cancelled`](crate::ReceiveError::Cancelled), also one that begins later.
    pub fn cancel(&self) {
        self.signal.cancel();
    }
}

enum Kind {
    Query(Zeroizing<String>),
    Form(Zeroizing<Vec<u8>>),
}
