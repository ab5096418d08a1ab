//! What a wait ends in: the authorization response, and the browser that waits for its page.

use crate::reply::Reply;
use crate::signal::Signal;
use oauth_core::AuthorizationResponse;
use std::fmt;
use std::sync::Arc;
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
            AuthorizationResponse::Fragment(text) => Kind::Fragment(Zeroizing::new((*text).to_owned())),
            AuthorizationResponse::Form(body) => Kind::Form(Zeroizing::new(body.to_vec())),
            _ => return None,
        }))
    }

    /// The response as the core takes it.
    #[must_use]
    pub fn as_response(&self) -> AuthorizationResponse<'_> {
        match &self.0 {
            Kind::Query(text) => AuthorizationResponse::Query(text),
            Kind::Fragment(text) => AuthorizationResponse::Fragment(text),
            Kind::Form(body) => AuthorizationResponse::Form(body),
        }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({:?})", self.as_response())
    }
}

/// Ends a wait from elsewhere, at once, and frees the port; also the background service after a callback.
#[derive(Clone)]
pub struct Cancel {
    signal: Arc<Signal>,
}

impl Cancel {
    pub(crate) const fn new(signal: Arc<Signal>) -> Self {
        Self { signal }
    }

    /// Whether both end the same wait.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.signal, &other.signal)
    }

    /// The wait ends with [`ReceiveError::Cancelled`](crate::ReceiveError::Cancelled), also one that begins later.
    pub fn cancel(&self) {
        self.signal.cancel();
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").finish_non_exhaustive()
    }
}

enum Kind {
    Query(Zeroizing<String>),
    Fragment(Zeroizing<String>),
    Form(Zeroizing<Vec<u8>>),
}
