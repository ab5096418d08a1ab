//! A port that is kept from one login to the next: started by hand, stopped by hand.

use crate::address::Address;
use crate::callback::Cancel;
use crate::listener::{BindError, Listener};
use crate::options::ReceiveOptions;
use crate::thread;
use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use url::Url;

/// Keeps a port, and so a redirect URI, for as many logins as there are, one after the other.
///
/// Each login takes its [`listener`](Self::listener) to whichever driver it likes. Between logins a thread of its own
/// answers whoever comes: an old tab is told that nothing is expected from it, and is not left to wait. Dropping it
/// frees the port, and cancels a login that is still at it.
pub struct WebServer {
    kept: Arc<Kept>,
    redirect_uri: Url,
    registered: String,
    port: u16,
}

impl WebServer {
    /// Binds, and answers from now on.
    ///
    /// # Errors
    /// As [`Listener::bind`], or the system gives no thread.
    pub fn start(address: &Address) -> Result<Self, BindError> {
        Self::start_with(Listener::bind(address)?)
    }

    /// As [`start`](Self::start), with a listener that is there already, such as one of
    /// [sockets that were handed in](Listener::from_sockets).
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_with(listener: Listener) -> Result<Self, BindError> {
        let (redirect_uri, port) = (listener.redirect_uri().clone(), listener.port());
        let registered = listener.registered_redirect_uri().to_owned();
        let state = State { listener: Some(listener), idle: None, login: None };
        let kept = Arc::new(Kept(Mutex::new(state)));
        kept.lock().idle().map_err(|source| {
            let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
            BindError::Refused { address, source }
        })?;
        Ok(Self { kept, redirect_uri, registered, port })
    }

    /// The redirect URI of every login.
    #[must_use]
    pub const fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// The same [as it was given](Listener::registered_redirect_uri).
    #[must_use]
    pub fn registered_redirect_uri(&self) -> &str {
        &self.registered
    }

    /// The port that was bound.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The listener of the next login.
    ///
    /// There is one login at a time: the one before is cancelled if it is still at it, and so is its
    /// [grace](ReceiveOptions::grace). Wait for the delivery of its page first.
    ///
    /// # Errors
    /// The system gives no more sockets.
    pub fn listener(&self) -> io::Result<Listener> {
        let mut state = self.kept.lock();
        state.end();
        let mut next = state.listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.again()?;
        let cancel = next.cancel_handle();
        next.lease = Some(Lease { kept: Arc::clone(&self.kept), login: cancel.clone() });
        state.login = Some(cancel);
        Ok(next)
    }

    /// Frees the port: the same as dropping it, by name.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let mut state = self.kept.lock();
        state.end();
        state.listener = None;
    }
}

impl fmt::Debug for WebServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebServer").field("redirect_uri", &self.redirect_uri.as_str()).finish_non_exhaustive()
    }
}

/// What a login has of the port: when it is dropped, whoever comes next is answered here again.
pub(crate) struct Lease {
    kept: Arc<Kept>,
    login: Cancel,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.kept.lock();
        // The next login may be at it already.
        if state.login.as_ref().is_some_and(|login| login.is(&self.login)) {
            state.login = None;
            // Without a thread they wait for the next login, which answers them.
            let _ = state.idle();
        }
    }
}

struct Kept(Mutex<State>);

impl Kept {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    /// `None` once it was stopped.
    listener: Option<Listener>,
    /// Between logins.
    idle: Option<(Cancel, JoinHandle<()>)>,
    /// During one.
    login: Option<Cancel>,
}

impl State {
    /// Answers whoever comes, until a login begins.
    fn idle(&mut self) -> io::Result<()> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let listener = listener.again()?;
        let cancel = listener.cancel_handle();
        let options = ReceiveOptions::new().timeout(Duration::MAX);
        let nothing_is_due = |_: &AuthorizationResponse<'_>| Recognised::NotOurs(NotOurs::OtherState);
        let serve = move || drop(thread::receive(listener, nothing_is_due, options));
        let thread = std::thread::Builder::new().name("oauth-loopback".to_owned()).spawn(serve)?;
        self.idle = Some((cancel, thread));
        Ok(())
    }

    /// Ends whatever uses the sockets. Whoever is accepted from now on is the next one's.
    fn end(&mut self) {
        if let Some(login) = self.login.take() {
            login.cancel();
        }
        if let Some((cancel, thread)) = self.idle.take() {
            cancel.cancel();
            // It ends at once, and has nothing to tell.
            let _ = thread.join();
        }
    }
}
