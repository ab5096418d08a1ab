//! One HTTP session over any transport: everything about HTTP that is not one hop.
//!
//! `exchange` is the machine, without I/O: a request goes in, hops come out, their responses go in, and a response comes
//! out. `redirect` decides where a hop leads, `cookies` and `encoding` are what their names say (each a feature),
//! `transcript` keeps what went over the wire, `interrupt` ends a call from another thread, `settings` is what a session can
//! be told. This file drives the machine over a [`Transport`].

#[cfg(feature = "cookies")]
mod cookies;
#[cfg(feature = "compression")]
mod encoding;
mod exchange;
mod file;
mod headers;
mod interrupt;
mod redirect;
mod settings;
mod transcript;

#[cfg(feature = "cookies")]
pub use cookies::Cookie;
#[cfg(feature = "compression")]
pub use encoding::Coding;
pub use exchange::{AddedHeaders, Exchange, Memory, Step};
pub use file::ResponseFile;
pub use headers::{ExtraHeaders, HeaderError};
pub use interrupt::Interrupt;
pub use redirect::Redirects;
pub use settings::{Recording, SessionSettings};
pub use transcript::{Hop, Transcript, redacted_head, redacted_header};

use crate::{BoxFuture, Cause, EventSink, Transport};
use oauth_core::{Delivered, Request, Response, Unreachable, UnreachableKind};
use std::fmt;
use std::sync::Arc;

/// A [`Transport`] with a session around it: redirects, cookies, headers, encodings, limits, a transcript, events.
///
/// Without settings of its own it passes requests and responses on as they are, and only
/// [`interrupt`](Self::interrupt) is added.
pub struct Session<T> {
    transport: T,
    settings: Arc<SessionSettings>,
    memory: Arc<Memory>,
    events: EventSink,
    interrupt: Interrupt,
}

impl<T: Transport> Session<T> {
    /// A session over a transport. The events go where those of the [transport](crate::Settings::with_events) go, so that they
    /// come in order.
    #[must_use]
    pub fn new(transport: T, settings: SessionSettings, events: EventSink) -> Self {
        Self {
            transport,
            settings: Arc::new(settings),
            memory: Arc::default(),
            events,
            interrupt: Interrupt::default(),
        }
    }

    /// Gives it a memory that outlives it, or that other sessions share.
    pub fn set_memory(&mut self, memory: Arc<Memory>) {
        self.memory = memory;
    }

    /// The transport below.
    #[must_use]
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// What the session was told.
    #[must_use]
    pub fn settings(&self) -> &SessionSettings {
        &self.settings
    }

    /// What it remembers from one call to the next: cookies, and what went over the wire last.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Where its events go.
    #[must_use]
    pub const fn events(&self) -> &EventSink {
        &self.events
    }

    /// Ends the calls that are under way, from any thread: they fail with
    /// [`UnreachableKind::Cancelled`], and their connections are closed.
    #[must_use]
    pub const fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    async fn run(&self, request: Request) -> Result<Response, Unreachable> {
        if self.events.is_inside() {
            return Err(refused(
                "a request from inside an event handler would wait for itself; send it afterwards",
            ));
        }
        let mut file = match &self.settings.file {
            None => None,
            // Before anything is sent: a code that is spent for nothing is lost.
            Some(file) => Some(file.open()?),
        };
        let added = |request: &Request| self.transport.added_headers(request);
        let (settings, memory) = (Arc::clone(&self.settings), Arc::clone(&self.memory));
        let mut exchange = Exchange::new(settings, memory, self.events.clone(), &added, request);
        let result = loop {
            match exchange.poll() {
                Step::Send(request) => exchange.handle(self.transport.send(request).await),
                Step::Done(result) => break result,
            }
        };
        match &result {
            Ok(response) => {
                if let Some(Err(error)) = file.as_mut().map(|file| file.write(response.body())) {
                    // The response is whole, and may hold a token that nobody gets again: it is handed on.
                    self.events.tell(|handler| handler.on_error(&error));
                }
            }
            Err(error) => self.events.tell(|handler| handler.on_error(error)),
        }
        result
    }
}

impl<T: Transport> Transport for Session<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        if self.settings.is_plain() && self.memory.is_empty() && !self.events.is_active() {
            return Box::pin(self.interrupt.over(self.transport.send(request), interrupted));
        }
        Box::pin(async move { self.interrupt.over(Box::pin(self.run(request)), interrupted).await })
    }

    fn name(&self) -> &'static str {
        self.transport.name()
    }
}

impl<T: Transport> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("transport", &self.transport.name())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Nothing was sent, and this is why.
fn refused(why: &str) -> Unreachable {
    Unreachable::new(UnreachableKind::Unsupported, Delivered::No).because(Cause::new(why))
}

fn interrupted() -> Result<Response, Unreachable> {
    let error = Unreachable::new(UnreachableKind::Cancelled, Delivered::Unknown);
    Err(error.because(Cause::new("it was interrupted")))
}

#[cfg(test)]
mod tests;
