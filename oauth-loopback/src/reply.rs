//! The browser that waits for the end of the login, and the page on its way to it.

use crate::own_page::OwnPage;
use crate::page::Page;
use crate::promise::Promise;
use crate::signal::Signal;
use http::header::{self, HeaderName, HeaderValue};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// Answers the browser, once the login has ended.
///
/// The browser is held meanwhile, so that its page tells the truth. Where that takes longer than
/// [`ReceiveOptions::hold_at_most`](crate::ReceiveOptions::hold_at_most), it gets a page that sends the person back to
/// the program, and what is said here comes too late for it. Dropping a reply sends that page as well.
pub struct Reply {
    signal: Arc<Signal>,
    delivered: Promise<()>,
    at_most: Duration,
    ending: Box<Ending>,
}

/// How a login ended, for the browser.
#[derive(Clone)]
pub(crate) struct Ending {
    pub(crate) page: Page,
    pub(crate) body: Option<OwnPage>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Ending {
    const fn new(page: Page) -> Self {
        Self { page, body: None, headers: Vec::new() }
    }
}

impl Reply {
    /// The delivery takes that long `at_most`.
    pub(crate) fn new(signal: Arc<Signal>, delivered: Promise<()>, at_most: Duration) -> Self {
        Self { signal, delivered, at_most, ending: Box::new(Ending::new(Page::Neutral)) }
    }

    /// Whether [`with_header`](Self::with_header) takes this header.
    ///
    /// # Errors
    /// It is no header, or one that this crate answers for.
    pub fn check_header(name: &str, value: &str) -> Result<(), HeaderError> {
        header(name, value).map(|_| ())
    }

    /// Adds a header to the response, beside those that are there.
    ///
    /// # Errors
    /// As [`check_header`](Self::check_header). The reply is dropped with the error, and the browser gets the page of a
    /// dropped reply.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, HeaderError> {
        self.ending.headers.push(header(name, value)?);
        Ok(self)
    }

    /// Shows this page, whichever way the login ended, in place of the built-in one and of that of the
    /// [options](crate::ReceiveOptions::success_page).
    #[must_use]
    pub fn with_body(mut self, page: impl Into<OwnPage>) -> Self {
        self.ending.body = Some(page.into());
        self
    }

    /// The login has succeeded: the page says so.
    pub fn success(self) -> Delivery {
        self.answer(Page::Success)
    }

    /// The login has failed: the page sends the person to the program, which knows why.
    pub fn failure(self) -> Delivery {
        self.answer(Page::Failure)
    }

    fn answer(mut self, page: Page) -> Delivery {
        let ending = std::mem::replace(&mut *self.ending, Ending::new(Page::Neutral));
        self.signal.answer(Ending { page, ..ending });
        Delivery { delivered: self.delivered.clone(), at_most: self.at_most }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // Nobody said how it ended; after `success` or `failure` this comes second and changes nothing.
        self.signal.answer(Ending::new(Page::Neutral));
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name)?;
    if OURS.contains(&name) {
        return Err(HeaderError::Ours(name.as_str().to_owned()));
    }
    // A line break would begin another header, or the body; what is not ASCII has no one meaning.
    let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
    Ok((name, value.ok_or(HeaderError::Value)?))
}

/// What frames the response, and what keeps its page safe.
const OURS: [HeaderName; 15] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CACHE_CONTROL,
    header::CONTENT_SECURITY_POLICY,
    header::REFERRER_POLICY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    HeaderName::from_static("keep-alive"),
];

/// Why a header cannot go with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is not one that HTTP can write.
    Name,
    /// The value has a line break, another control character, or one that is not ASCII.
    Value,
    /// The header of this name frames the response or keeps its page safe.
    Ours(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => {
                f.write_str("a header's name has characters that HTTP has none for: use letters and hyphens")
            }
            Self::Value => f.write_str(
                "a header's value has a line break, or a character that is not ASCII: take it out, or escape it",
            ),
            Self::Ours(name) => {
                write!(
                    f,
                    "the header {name} is the listener's own, for framing or for safety: leave it out; "
                )?;
                f.write_str("a page of one's own says what it needs by the methods of OwnPage")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

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
