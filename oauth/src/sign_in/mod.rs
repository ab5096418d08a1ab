//! Signing in through a browser (RFC 8252): listen, open, wait, exchange, answer the browser. What can be set is here, how it
//! goes in `conversation`; `paste` is the way back without a listener, and `wait` the listener on each host.

#[cfg(all(feature = "loopback-tls", feature = "stores"))]
mod certificate;
mod conversation;
mod paste;
mod wait;

#[cfg(all(feature = "loopback-tls", feature = "stores"))]
pub use certificate::callback_certificate;
pub use paste::PasteNote;
#[cfg(feature = "isahc")]
pub(crate) use wait::receive_on_async_io;
pub(crate) use wait::receive_on_threads;
#[cfg(feature = "hyper")]
pub(crate) use wait::receive_on_tokio;
pub use wait::{Received, Wait};

use crate::Authorization;
use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use oauth_core::{
    AuthorizationRequest, AuthorizationUrl, CodeChallenge, Pending, ResponseMode as Registered, Scope,
};
use oauth_loopback::browser::{Browser, Launch};
use oauth_loopback::{Address, BindError, Listener, Note, OwnPage, ReceiveOptions, ResponseMode};
use paste::Source;
use std::sync::Arc;
use url::Url;

/// How to sign in through a browser.
pub struct SignIn {
    addresses: Vec<Address>,
    bound: Option<Listener>,
    /// In place of a listener.
    redirect_uri: Option<String>,
    pasted: Option<Source>,
    scope: Option<Scope>,
    response_mode: ResponseMode,
    parameters: Vec<(String, String)>,
    browser: Option<Browser>,
    timeout: Duration,
    application: Option<String>,
    implicit: bool,
    code_challenge: CodeChallenge,
    begun: Option<(AuthorizationUrl, Pending)>,
    success_page: Option<OwnPage>,
    failure_page: Option<OwnPage>,
    on_step: Arc<dyn Fn(&Step<'_>) + Send + Sync>,
}

/// Something a person at a terminal may want to see.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// The listener is live.
    Listening {
        /// What leads to it.
        redirect_uri: &'a Url,
        /// Where it waits: another than that of the redirect URI where something stands in between.
        port: u16,
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
    /// Something was pasted: it is refused and the wait goes on, or it is taken with a word of caution.
    Pasted(PasteNote),
    /// The answer is here, by the browser or pasted, and is now being checked.
    Answered,
    /// The authorization is here, and the browser is about to be told: whoever gives up now may keep it. Not told where the
    /// answer was pasted, since it is handed over at once there.
    Granted(&'a Authorization),
}

impl SignIn {
    /// The system's browser, a free port on 127.0.0.1, five minutes, and silence.
    #[must_use]
    pub fn new() -> Self {
        Self {
            addresses: vec![Address::new()],
            bound: None,
            redirect_uri: None,
            pasted: None,
            scope: None,
            response_mode: ResponseMode::Query,
            parameters: Vec::new(),
            browser: Some(Browser::System),
            timeout: Duration::from_secs(300),
            application: None,
            implicit: false,
            code_challenge: CodeChallenge::S256,
            begun: None,
            success_page: None,
            failure_page: None,
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
    pub fn address(self, address: Address) -> Self {
        self.addresses([address])
    }

    /// Listens at the first of these that can be bound; none at all is the default one.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// Takes what a person pastes as well, whichever comes first: the address that the browser ended at, its query, its
    /// fragment, or the code alone. For browsers on other machines, where no listener answers.
    ///
    /// `source` is polled for one pasted text after the other, `None` being the end of them. A receiver of the channel of
    /// your runtime is one: `move |context| receiver.poll_recv(context)`. What is no answer of this login is told as
    /// [`Step::Pasted`], and the wait goes on. A code alone comes without `state`, so that PKCE alone ties it to the login.
    #[must_use]
    pub fn paste(
        mut self,
        source: impl FnMut(&mut Context<'_>) -> Poll<Option<String>> + Send + 'static,
    ) -> Self {
        self.pasted = Some(Box::new(source));
        self
    }

    /// Starts no listener: the answer can only be [pasted](Self::paste). The browser is sent to this redirect URI all the
    /// same, of which the server must know; it may be a page of yours that shows the code.
    #[must_use]
    pub fn without_listener(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(redirect_uri.into());
        self
    }

    /// Waits at a listener that is bound already: one of sockets that were handed in, or of a port that is
    /// [kept](oauth_loopback::WebServer) from one login to the next.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.bound = Some(listener);
        self
    }

    /// How the answer travels: in the query, unless something else is asked for here. What is pasted is taken in any way.
    #[must_use]
    pub const fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.response_mode = mode;
        self
    }

    /// Has the answer posted as a form, so that the code is in no address bar and no history.
    #[must_use]
    pub const fn form_post(self) -> Self {
        self.response_mode(ResponseMode::FormPost)
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

    /// Asks for an access token in place of a code, which comes in the fragment (RFC 6749 section 4.2).
    ///
    /// RFC 9700 section 2.1.2 advises against it, and it is refused unless
    /// [`OptOut::ImplicitGrant`](oauth_core::OptOut::ImplicitGrant) is waived.
    #[must_use]
    pub const fn implicit(mut self) -> Self {
        self.implicit = true;
        self.response_mode(ResponseMode::Fragment)
    }

    /// Binds the code in another way than by S256 (RFC 7636 section 4.2), which is refused unless the rule is waived:
    /// [`OptOut::PlainCodeChallenge`](oauth_core::OptOut::PlainCodeChallenge),
    /// [`OptOut::NoCodeChallenge`](oauth_core::OptOut::NoCodeChallenge).
    #[must_use]
    pub const fn code_challenge(mut self, code_challenge: CodeChallenge) -> Self {
        self.code_challenge = code_challenge;
        self
    }

    /// Goes on with a login that was [begun](crate::Authorizer::begin) before, at its address or at
    /// [another](Pending::open_at). What was asked for then counts, and its redirect URI has to lead to this listener.
    #[must_use]
    pub fn begun(mut self, open: AuthorizationUrl, pending: Pending) -> Self {
        self.begun = Some((open, pending));
        self
    }

    /// The page for a sign-in that succeeded, in place of the one of this crate.
    #[must_use]
    pub fn success_page(mut self, page: impl Into<OwnPage>) -> Self {
        self.success_page = Some(page.into());
        self
    }

    /// The page for a sign-in that failed, in place of the one of this crate.
    #[must_use]
    pub fn failure_page(mut self, page: impl Into<OwnPage>) -> Self {
        self.failure_page = Some(page.into());
        self
    }

    /// Hears of each step, from whichever thread it happens on. It must not block.
    #[must_use]
    pub fn on_step(mut self, on_step: impl Fn(&Step<'_>) + Send + Sync + 'static) -> Self {
        self.on_step = Arc::new(on_step);
        self
    }

    fn listen(&mut self) -> Result<Listener, BindError> {
        if let Some(listener) = self.bound.take() {
            return Ok(listener);
        }
        let mut busy = Vec::new();
        let mut refused = None;
        for address in &self.addresses {
            match Listener::bind(address) {
                Err(BindError::Busy { ports }) => busy.extend(ports),
                Err(error) => {
                    refused.get_or_insert(error);
                }
                bound => return bound,
            }
        }
        match refused {
            Some(error) => Err(error),
            None if busy.is_empty() => Listener::bind(&Address::new()),
            None => Err(BindError::Busy { ports: busy }),
        }
    }

    fn request(&self, redirect_uri: &str) -> AuthorizationRequest {
        let mut request = AuthorizationRequest::new(redirect_uri).with_code_challenge(self.code_challenge);
        if let Some(scope) = &self.scope {
            request = request.with_scope(scope.clone());
        }
        match self.response_mode {
            // The fragment is the way of this grant.
            _ if self.implicit => request = request.implicit(),
            ResponseMode::FormPost => request = request.with_response_mode(Registered::FORM_POST),
            ResponseMode::Fragment => request = request.with_response_mode(Registered::FRAGMENT),
            // It need not be asked for.
            _ => {}
        }
        for (name, value) in &self.parameters {
            request = request.with_parameter(name, value);
        }
        request
    }

    fn options(&self, authorization_endpoint: &Url) -> ReceiveOptions {
        let on_step = Arc::clone(&self.on_step);
        let mut options = ReceiveOptions::new()
            .timeout(self.timeout)
            .response_mode(self.response_mode)
            .private_network_for(authorization_endpoint)
            .on_note(move |note| on_step(&Step::Note(note)));
        if let Some(page) = &self.success_page {
            options = options.success_page(page.clone());
        }
        if let Some(page) = &self.failure_page {
            options = options.failure_page(page.clone());
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
            .field("addresses", &self.addresses)
            .field("scope", &self.scope)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
