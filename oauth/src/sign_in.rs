//! Signing in through a browser on this machine (RFC 8252): listen, open, wait, exchange, answer the browser.

use crate::authorization::Authorization;
use crate::authorizer::Authorizer;
use crate::error::Error;
use crate::host::BoxFuture;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use oauth_core::{AuthorizationRequest, AuthorizationUrl, ConfigError, Recogniser, ResponseMode, Scope};
use oauth_loopback::browser::{self, Browser, Launch};
use oauth_loopback::{Address, Callback, Cancel, Listener, Note, ReceiveError, ReceiveOptions};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// How to sign in through a browser on this machine.
pub struct SignIn {
    address: Address,
    scope: Option<Scope>,
    form_post: bool,
    parameters: Vec<(String, String)>,
    browser: Option<Browser>,
    timeout: Duration,
    application: Option<String>,
    on_step: Arc<dyn Fn(&Step<'_>) + Send + Sync>,
}

/// Something a person at a terminal may want to see.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// The listener is live.
    Listening {
        /// Where it waits.
        redirect_uri: &'a Url,
    },
    /// Where the person signs in. Always show it: a browser that says it opened may not have.
    Open {
        /// The address.
        url: &'a AuthorizationUrl,
    },
    /// What came of opening the browser.
    Launched(&'a Launch),
    /// Something else came to the listener.
    Note(&'a Note),
    /// The browser came back with our answer, which is now being checked.
    Answered,
}

impl SignIn {
    /// The system's browser, a free port on 127.0.0.1, five minutes, and silence.
    #[must_use]
    pub fn new() -> Self {
        Self {
            address: Address::new(),
            scope: None,
            form_post: false,
            parameters: Vec::new(),
            browser: Some(Browser::System),
            timeout: Duration::from_secs(300),
            application: None,
            on_step: Arc::new(|_| {}),
        }
    }

    /// Asks for this scope.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Listens elsewhere: the redirect URI follows from it.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = address;
        self
    }

    /// Has the answer posted as a form, so that the code is in no address bar and no history.
    #[must_use]
    pub const fn form_post(mut self) -> Self {
        self.form_post = true;
        self
    }

    /// Adds a parameter: `login_hint`, `prompt`, `resource`, `audience` and the like.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Opens this browser, or none: the person then opens the address of [`Step::Open`].
    #[must_use]
    pub fn browser(mut self, browser: Option<Browser>) -> Self {
        self.browser = browser;
        self
    }

    /// How long the person has.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The name of the program, for the page that the browser shows at the end.
    #[must_use]
    pub fn application(mut self, name: impl Into<String>) -> Self {
        self.application = Some(name.into());
        self
    }

    /// Hears of each step, from whichever thread it happens on. It must not block.
    #[must_use]
    pub fn on_step(mut self, on_step: impl Fn(&Step<'_>) + Send + Sync + 'static) -> Self {
        self.on_step = Arc::new(on_step);
        self
    }

    fn request(&self, redirect_uri: &Url) -> AuthorizationRequest {
        let mut request = AuthorizationRequest::new(redirect_uri.as_str());
        if let Some(scope) = &self.scope {
            request = request.with_scope(scope.clone());
        }
        if self.form_post {
            request = request.with_response_mode(ResponseMode::FORM_POST);
        }
        for (name, value) in &self.parameters {
            request = request.with_parameter(name, value);
        }
        request
    }

    fn options(&self) -> ReceiveOptions {
        let on_step = Arc::clone(&self.on_step);
        let mut options =
            ReceiveOptions::new().timeout(self.timeout).on_note(move |note| on_step(&Step::Note(note)));
        if self.form_post {
            options = options.form_post();
        }
        match &self.application {
            Some(name) => options.application(name),
            None => options,
        }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("address", &self.address)
            .field("scope", &self.scope)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Authorizer {
    /// Signs a person in, in the browser of this machine (RFC 8252).
    ///
    /// Listens first, opens the browser then, and shows the browser how it ended only when it has: the page tells the
    /// truth. Dropping the future cancels the login and frees the port.
    ///
    /// # Errors
    /// The port cannot be bound, the person does not come back in time or refuses, the answer must not be trusted, or
    /// the server refuses or cannot be understood or reached.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Authorization, Error> {
        let listener = Listener::bind(&sign_in.address)?;
        (sign_in.on_step)(&Step::Listening { redirect_uri: listener.redirect_uri() });
        let ready = self.begin(sign_in.request(listener.redirect_uri())).await?;
        // The endpoint was checked when the client was made; this is what the browser is given, and it is checked again.
        let url = Url::parse(ready.open.as_str())
            .map_err(|_| Error::Config(ConfigError::NoAuthorizationEndpoint))?;
        (sign_in.on_step)(&Step::Open { url: &ready.open });
        let mut opening = sign_in.browser.as_ref().map(|browser| browser::open(&url, browser)).transpose()?;
        let wait = Wait { listener, recogniser: ready.pending.recogniser(), options: sign_in.options() };
        let mut receive = self.host().receive(wait);
        let callback = poll_fn(|context| {
            if let Some(Poll::Ready(launch)) = opening.as_mut().map(|opening| Pin::new(opening).poll(context))
            {
                (sign_in.on_step)(&Step::Launched(&launch));
                opening = None;
            }
            receive.as_mut().poll(context)
        })
        .await?;
        (sign_in.on_step)(&Step::Answered);
        let result = self.finish(ready.pending, &callback.response.as_response()).await;
        let delivery = match &result {
            Ok(_) => callback.reply.success(),
            Err(_) => callback.reply.failure(),
        };
        delivery.await;
        result
    }
}

/// A bound listener and what it waits for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Wait {
    /// The sockets.
    pub listener: Listener,
    /// What tells our answer from a stranger's.
    pub recogniser: Recogniser,
    /// How long, and who hears of it.
    pub options: ReceiveOptions,
}

/// What a wait ends in.
pub type Received = Result<Callback, ReceiveError>;

#[cfg(feature = "hyper")]
pub(crate) fn receive_on_tokio(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    Box::pin(oauth_loopback::tokio::receive(
        listener,
        move |response| recogniser.recognise(response),
        options,
    ))
}

#[cfg(feature = "isahc")]
pub(crate) fn receive_on_async_io(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    Box::pin(oauth_loopback::async_io::receive(
        listener,
        move |response| recogniser.recognise(response),
        options,
    ))
}

/// The listener on threads of its own, awaited from any executor.
pub(crate) fn receive_on_threads(wait: Wait) -> BoxFuture<'static, Received> {
    let Wait { listener, recogniser, options } = wait;
    let cancel = listener.cancel_handle();
    let shared = Arc::new(Mutex::new(Shared { received: None, waker: None }));
    let told = Arc::clone(&shared);
    let spawned = std::thread::Builder::new().name("oauth-loopback".into()).spawn(move || {
        let received = oauth_loopback::thread::receive(
            listener,
            move |response| recogniser.recognise(response),
            options,
        );
        let waker = {
            let mut shared = lock(&told);
            shared.received = Some(received);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    match spawned {
        Ok(_) => Box::pin(OnThreads { shared, cancel: Some(cancel) }),
        Err(error) => Box::pin(core::future::ready(Err(ReceiveError::Io(error)))),
    }
}

struct Shared {
    received: Option<Received>,
    waker: Option<Waker>,
}

struct OnThreads {
    shared: Arc<Mutex<Shared>>,
    /// Taken once the callback is here: from then on the listener owes the browser a page.
    cancel: Option<Cancel>,
}

impl Future for OnThreads {
    type Output = Received;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Received> {
        let received = {
            let mut shared = lock(&self.shared);
            shared.waker = Some(context.waker().clone());
            shared.received.take()
        };
        received.map_or(Poll::Pending, |received| {
            self.cancel = None;
            Poll::Ready(received)
        })
    }
}

impl Drop for OnThreads {
    fn drop(&mut self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
