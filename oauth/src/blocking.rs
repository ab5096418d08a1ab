//! The same without async: each call runs the async one to its end on the calling thread.

use crate::authorization::Authorization;
use crate::error::Error;
use crate::host::Host;
use core::future::Future;
use oauth_core::{
    AccessToken, AuthorizationCode, AuthorizationRequest, AuthorizationResponse, ClientInformation,
    ClientMetadata, DevicePrompt, Grant, Introspection, IntrospectionRequest, MessageRules, Pending, Policy,
    Ready, RefreshToken, Registration, Revocable, Scope, TokenInfo,
};
use std::sync::Arc;

/// An [`Authorizer`](crate::Authorizer) whose methods block: made by its `blocking` method.
#[derive(Clone, Copy, Debug)]
pub struct Authorizer<'a>(&'a crate::Authorizer);

/// Runs a future to its end on this thread, in the way of this host.
pub fn run<T: Send>(host: &dyn Host, future: impl Future<Output = T> + Send) -> T {
    let mut finished = None;
    host.block_on(Box::pin(async { finished = Some(future.await) }));
    finished.expect("block_on returns when the future is done")
}

impl<'a> Authorizer<'a> {
    pub(crate) const fn new(inner: &'a crate::Authorizer) -> Self {
        Self(inner)
    }

    fn run<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        run(self.0.host(), future)
    }

    /// Authorizes the client itself (RFC 6749 section 4.4).
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn client_credentials(self, scope: Option<Scope>) -> Result<Authorization, Error> {
        self.run(self.0.client_credentials(scope))
    }

    /// Renews an authorization (RFC 6749 section 6).
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn refresh(self, token: RefreshToken) -> Result<Authorization, Error> {
        self.run(self.0.refresh(token))
    }

    /// Authorizes by any grant.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn exchange<G: Grant + Send>(self, grant: G) -> Result<Authorization, Error> {
        self.run(self.0.exchange(grant))
    }

    /// The first leg of a login in a browser.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn begin(self, request: AuthorizationRequest) -> Result<Ready, Error> {
        self.run(self.0.begin(request))
    }

    /// The second leg of a login in a browser.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn finish(
        self,
        pending: Pending,
        response: &AuthorizationResponse<'_>,
    ) -> Result<Authorization, Error> {
        self.run(self.0.finish(pending, response))
    }

    /// The second leg of a login in a browser, where a person brought the code alone.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn finish_by_code(self, pending: Pending, code: AuthorizationCode) -> Result<Authorization, Error> {
        self.run(self.0.finish_by_code(pending, code))
    }

    /// Signs a person in who has a browser on another device (RFC 8628).
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn sign_in_on_device(
        self,
        scope: Option<Scope>,
        show: impl FnOnce(&DevicePrompt) + Send,
    ) -> Result<Authorization, Error> {
        self.run(self.0.sign_in_on_device(scope, show))
    }

    /// Gives a token back (RFC 7009).
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn revoke(self, token: impl Into<Revocable> + Send) -> Result<(), Error> {
        self.run(self.0.revoke(token))
    }

    /// Asks what a token is good for (RFC 7662).
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn introspect(self, request: IntrospectionRequest) -> Result<Introspection, Error> {
        self.run(self.0.introspect(request))
    }

    /// Verifies a message that the server signed and somebody else brought.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn verify<R>(self, message: &str, rules: R) -> Result<R::Claims, Error>
    where
        R: MessageRules<Claims: Send> + Send + Sync,
    {
        self.run(self.0.verify(message, rules))
    }

    /// Asks a server in the style of Google about an access token of this client.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn token_info(self, token: AccessToken) -> Result<TokenInfo, Error> {
        self.run(self.0.token_info(token))
    }

    /// Signs a person in, in the browser of this machine.
    ///
    /// # Errors
    /// As the async method of this name.
    #[cfg(feature = "loopback")]
    pub fn sign_in(self, sign_in: crate::SignIn) -> Result<Authorization, Error> {
        self.run(self.0.sign_in(sign_in))
    }
}

/// [`Authorizer::discover_with`](crate::Authorizer::discover_with), without async.
///
/// # Errors
/// As the async one.
pub fn discover(
    issuer: &str,
    registration: Registration,
    policy: Policy,
    host: Arc<dyn Host>,
) -> Result<crate::Authorizer, Error> {
    let running = Arc::clone(&host);
    run(&*running, crate::Authorizer::discover_with(issuer, registration, policy, host))
}

/// [`Authorizer::register`](crate::Authorizer::register), without async.
///
/// # Errors
/// As the async one.
pub fn register(
    issuer: &str,
    metadata: ClientMetadata,
    initial_access_token: Option<AccessToken>,
    policy: Policy,
    host: Arc<dyn Host>,
) -> Result<(crate::Authorizer, ClientInformation), Error> {
    let running = Arc::clone(&host);
    run(&*running, crate::Authorizer::register(issuer, metadata, initial_access_token, policy, host))
}

/// A [`Session`](crate::Session) whose methods block: made by its `blocking` method.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a>(&'a crate::Session);

impl<'a> Session<'a> {
    pub(crate) const fn new(inner: &'a crate::Session) -> Self {
        Self(inner)
    }

    /// An authorization that is good for a while yet.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn authorization(self) -> Result<Authorization, Arc<Error>> {
        run(self.0.authorizer().host(), self.0.authorization())
    }

    /// Another authorization than this one, which a resource turned away.
    ///
    /// # Errors
    /// As the async method of this name.
    pub fn replace(self, rejected: &Authorization) -> Result<Authorization, Arc<Error>> {
        run(self.0.authorizer().host(), self.0.replace(rejected))
    }
}
