//! The long-lived object: a client, a host, and what was learned of the server.

use crate::authorization::Authorization;
use crate::error::Error;
use crate::host::{Host, drive, drive_and_learn};
use core::fmt;
use oauth_core::{
    AccessToken, AuthorizationCode, AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials,
    ClientInformation, ClientMetadata, DevicePrompt, Discover, Failure, Flow, Grant, Input, Introspection,
    IntrospectionRequest, MessageRules, OptOut, Output, Pending, Policy, PollDevice, Ready, Refresh,
    RefreshToken, Register, Registration, Revocable, Scope, SecretBytes, Seed, ServerMemory, TokenInfo,
};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Obtains authorizations from one server: built once, shared by reference.
///
/// Every method is one conversation, async; [`blocking`](Self::blocking) gives the same without async. Dropping a future
/// cancels its conversation.
pub struct Authorizer {
    client: Client,
    host: Arc<dyn Host>,
    memory: Mutex<ServerMemory>,
    /// Held by whoever fetches the server's keys for a message of a stranger's.
    fetching: async_lock::Mutex<()>,
    warn: Box<dyn Fn(OptOut) + Send + Sync>,
}

impl Authorizer {
    /// Uses a server that is described by hand.
    #[must_use]
    pub fn new(client: Client, host: Arc<dyn Host>) -> Self {
        Self {
            client,
            host,
            memory: Mutex::default(),
            fetching: async_lock::Mutex::new(()),
            warn: Box::new(warn_on_stderr),
        }
    }

    /// Takes the warnings: one before each conversation that a waived rule alone makes possible, a password grant, say.
    ///
    /// Unless they are taken, each is a line on standard error.
    #[must_use]
    pub fn on_warning(mut self, warn: impl Fn(OptOut) + Send + Sync + 'static) -> Self {
        self.warn = Box::new(warn);
        self
    }

    /// Asks the issuer for its metadata (RFC 8414, OpenID Connect Discovery), over hyper, with the strict policy.
    ///
    /// # Errors
    /// An issuer that may not be asked, no metadata there, metadata of another issuer, or a registration that does not
    /// fit it.
    #[cfg(feature = "hyper")]
    pub async fn discover(issuer: &str, registration: Registration) -> Result<Self, Error> {
        let host = crate::HyperHost::new(crate::Settings::default())?;
        Self::discover_with(issuer, registration, Policy::strict(), Arc::new(host)).await
    }

    /// The same over any host, with any policy.
    ///
    /// # Errors
    /// As [`discover`](Self::discover).
    pub async fn discover_with(
        issuer: &str,
        registration: Registration,
        policy: Policy,
        host: Arc<dyn Host>,
    ) -> Result<Self, Error> {
        let discover = Discover::new(issuer, policy.clone())?;
        let (server, learned) = drive_and_learn(discover, &*host).await;
        let authorizer = Self::new(Client::new(server?, registration, policy)?, host);
        authorizer.memory().learn(learned);
        Ok(authorizer)
    }

    /// Registers a new client with the issuer (RFC 7591), and speaks for it from then on.
    ///
    /// Keep the [`ClientInformation`]: the server tells the secret, and the token that manages the registration, once.
    ///
    /// # Errors
    /// As [`discover_with`](Self::discover_with); the server has no registration endpoint, refuses the metadata, or
    /// registers a client that authenticates in a way that has to be set up by hand (by a key or a certificate): what it
    /// said is then in [`Error::Registered`].
    pub async fn register(
        issuer: &str,
        metadata: ClientMetadata,
        initial_access_token: Option<AccessToken>,
        policy: Policy,
        host: Arc<dyn Host>,
    ) -> Result<(Self, ClientInformation), Error> {
        let discover = Discover::new(issuer, policy.clone())?;
        let (server, learned) = drive_and_learn(discover, &*host).await;
        let server = server?;
        let register = Register::new(&server, metadata, initial_access_token, &policy)?;
        let information = drive(register, &*host).await?;
        let client = information
            .registration()
            .map(|registration| Client::new(server, registration, policy))
            .transpose();
        match client {
            Ok(Some(client)) => {
                let authorizer = Self::new(client, host);
                authorizer.memory().learn(learned);
                Ok((authorizer, information))
            }
            Ok(None) => Err(Error::Registered(Box::new(information), None)),
            Err(why) => Err(Error::Registered(Box::new(information), Some(why))),
        }
    }

    /// The client that it speaks for.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The host that it runs on.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// The same methods without async.
    #[must_use]
    pub fn blocking(&self) -> crate::blocking::Authorizer<'_> {
        crate::blocking::Authorizer::new(self)
    }

    /// Authorizes the client itself (RFC 6749 section 4.4).
    ///
    /// # Errors
    /// The server refuses, or cannot be understood or reached.
    pub async fn client_credentials(&self, scope: Option<Scope>) -> Result<Authorization, Error> {
        let grant = ClientCredentials::new();
        self.exchange(match scope {
            Some(scope) => grant.with_scope(scope),
            None => grant,
        })
        .await
    }

    /// Renews an authorization (RFC 6749 section 6). The one it gives has the refresh token to keep, new or old.
    ///
    /// # Errors
    /// The server refuses, or cannot be understood or reached. A [`Failure`] may hold a
    /// [rescued](oauth_core::Failure::rescued) refresh token, which is then the only live one.
    pub async fn refresh(&self, token: RefreshToken) -> Result<Authorization, Error> {
        self.exchange(Refresh::new(token)).await
    }

    /// Authorizes by any grant of the core, or one of your own.
    ///
    /// # Errors
    /// The server has no token endpoint, refuses, or cannot be understood or reached.
    pub async fn exchange<G: Grant + Send>(&self, grant: G) -> Result<Authorization, Error> {
        let flow = self.client.exchange(grant, &self.remembered(), self.seed()?)?;
        Authorization::new(self.drive(flow).await?)
    }

    /// The first leg of a login in a browser: send the person to [`Ready::open`], keep [`Ready::pending`].
    ///
    /// # Errors
    /// The server has no authorization endpoint, or the request sets what is the client's to set.
    pub async fn begin(&self, request: AuthorizationRequest) -> Result<Ready, Error> {
        let flow = self.client.authorize(request, &self.remembered(), self.seed()?)?;
        Ok(self.drive(flow).await?)
    }

    /// The second leg, in this process or in another: checks what came back and exchanges its code.
    ///
    /// # Errors
    /// The response is not of this login or not of this server, the person or the server refused, or the server cannot
    /// be understood or reached.
    pub async fn finish(
        &self,
        pending: Pending,
        response: &AuthorizationResponse<'_>,
    ) -> Result<Authorization, Error> {
        let flow = pending.redeem(response, &self.client, &self.remembered(), self.seed()?);
        Authorization::new(self.drive(flow).await?.tokens)
    }

    /// The second leg where a person brought the code alone, without the rest of the response, which PKCE has to make up for:
    /// see [`Pending::redeem_code`].
    ///
    /// # Errors
    /// The login has no PKCE, the server refuses the code, or it cannot be understood or reached.
    pub async fn finish_by_code(
        &self,
        pending: Pending,
        code: AuthorizationCode,
    ) -> Result<Authorization, Error> {
        let flow = pending.redeem_code(code, &self.client, &self.remembered(), self.seed()?);
        Authorization::new(self.drive(flow).await?.tokens)
    }

    /// Signs a person in who has a browser on another device (RFC 8628).
    ///
    /// `show` is called once, with the address and the code to show; then this waits for the person.
    ///
    /// # Errors
    /// The server has no device authorization endpoint, the person or the server refuses, the code expires, or the
    /// server cannot be understood or reached.
    pub async fn sign_in_on_device(
        &self,
        scope: Option<Scope>,
        show: impl FnOnce(&DevicePrompt) + Send,
    ) -> Result<Authorization, Error> {
        let prompt = self.device_prompt(scope).await?;
        show(&prompt);
        self.poll_device(prompt.poll).await
    }

    /// The first leg of a login on another device: show its address and its code, then [poll](Self::poll_device).
    ///
    /// # Errors
    /// The server has no device authorization endpoint, refuses, or cannot be understood or reached.
    pub async fn device_prompt(&self, scope: Option<Scope>) -> Result<DevicePrompt, Error> {
        let flow = self.client.authorize_device(scope, &self.remembered(), self.seed()?)?;
        Ok(self.drive(flow).await?)
    }

    /// The second leg: waits for the person.
    ///
    /// # Errors
    /// The person or the server refuses, the code expires, or the server cannot be understood or reached.
    pub async fn poll_device(&self, poll: PollDevice) -> Result<Authorization, Error> {
        Authorization::new(self.drive(poll).await?)
    }

    /// Gives a token back (RFC 7009). With a refresh token, most servers end what it obtained as well.
    ///
    /// # Errors
    /// The server has no revocation endpoint, refuses, or cannot be understood or reached.
    pub async fn revoke(&self, token: impl Into<Revocable> + Send) -> Result<(), Error> {
        let flow = self.client.revoke(token.into(), &self.remembered(), self.seed()?)?;
        let _revoked = self.drive(flow).await?;
        Ok(())
    }

    /// Asks what a token is good for (RFC 7662): for whoever is presented with one.
    ///
    /// # Errors
    /// The server has no introspection endpoint, refuses, or cannot be understood or reached. A token that is no longer
    /// good is no error: [`Introspection::Inactive`].
    pub async fn introspect(&self, request: IntrospectionRequest) -> Result<Introspection, Error> {
        let flow = self.client.introspect(request, &self.remembered(), self.seed()?)?;
        Ok(self.drive(flow).await?)
    }

    /// Verifies a message that the server signed and somebody else brought: a logout token
    /// ([`LogoutTokenRules`](oauth_core::LogoutTokenRules)), an access token that a resource was presented with
    /// ([`AccessTokenRules`](oauth_core::AccessTokenRules)).
    ///
    /// Strangers may send such messages, many at once: the server's keys are fetched for one of them, and the others wait for
    /// what comes of it.
    ///
    /// # Errors
    /// The server has no `jwks_uri`, or the message is not to be believed.
    pub async fn verify<R>(&self, message: &str, rules: R) -> Result<R::Claims, Error>
    where
        R: MessageRules + Send + Sync,
    {
        let message = SecretBytes::new(message.as_bytes());
        let mut fetching = None;
        'again: loop {
            let known = self.remembered();
            let mut flow = self.client.verify(message.clone(), &rules, &known)?;
            loop {
                let input = match flow.poll(self.host.now()) {
                    Output::Send(request) => {
                        if fetching.is_none() {
                            fetching = Some(self.fetching.lock().await);
                            if self.remembered() != known {
                                continue 'again;
                            }
                        }
                        Input::from(self.host.send(request).await)
                    }
                    Output::Key(task) => self.host.key(task).await,
                    Output::Done(result) => {
                        // Before the next in line looks at them.
                        self.memory().learn(flow.take_learned());
                        return Ok(result?);
                    }
                    Output::Wait(_) | Output::Idle => return Err(Failure::idle().into()),
                };
                flow.handle(input, self.host.now());
            }
        }
    }

    /// Asks a server in the style of Google about an access token of this client, which travels in the URL.
    ///
    /// # Errors
    /// [`OptOut::TokenInQuery`] is not waived, the server has no token info endpoint, refuses the token, issued it to
    /// another client, or cannot be understood or reached.
    pub async fn token_info(&self, token: AccessToken) -> Result<TokenInfo, Error> {
        Ok(self.drive(self.client.token_info(token)?).await?)
    }

    /// Drives a flow and keeps what the server taught.
    pub(crate) async fn drive<F: Flow>(&self, flow: F) -> Result<F::Outcome, Failure> {
        if let Some(opt_out) = flow.waived() {
            (self.warn)(opt_out);
        }
        let (result, learned) = drive_and_learn(flow, &*self.host).await;
        self.memory().learn(learned);
        result
    }

    fn seed(&self) -> Result<Seed, Error> {
        self.host.seed().map_err(Error::Randomness)
    }

    fn remembered(&self) -> ServerMemory {
        self.memory().clone()
    }

    fn memory(&self) -> MutexGuard<'_, ServerMemory> {
        // Every write is one assignment: a panic elsewhere leaves nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn_on_stderr(opt_out: OptOut) {
    // Whoever closed standard error does not want to know.
    let _told = writeln!(std::io::stderr(), "warning: {opt_out}");
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("client", &self.client).finish_non_exhaustive()
    }
}
