//! A client is checked once and makes flows.

use crate::authorize::{AuthorizationRequest, Authorize, OWN};
use crate::device::AuthorizeDevice;
use crate::exchange::{Exchange, Grant};
use crate::form::{Form, encode_into};
use crate::memory::ServerMemory;
use crate::policy::Policy;
use crate::registry::AuthMethod;
use crate::request::{Endpoint, EndpointError, Purpose, Request};
use crate::scope::Scope;
use crate::secret::ClientSecret;
use crate::seed::Seed;
use crate::server::Server;
use crate::text::is_vschar;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use http::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

/// Who this client is to one server (RFC 6749 section 2).
#[derive(Clone, Debug)]
pub struct Registration {
    client_id: String,
    method: Option<AuthMethod>,
    secret: Option<ClientSecret>,
}

impl Registration {
    /// A client without a credential: a desktop or mobile program, a command, a page (RFC 6749 section 2.1).
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Some(AuthMethod::NONE), secret: None }
    }

    /// A client with a secret, sent as the server prefers: `client_secret_basic`, or `client_secret_post` where the
    /// server offers only that. Never both, and never a second try with the other.
    #[must_use]
    pub fn with_secret(client_id: impl Into<String>, secret: ClientSecret) -> Self {
        Self { client_id: client_id.into(), method: None, secret: Some(secret) }
    }

    /// Insists on one way to authenticate.
    #[must_use]
    pub fn authenticated_by(mut self, method: AuthMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// The client identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

/// A checked client of one server: cheap to clone, made once, shared by every flow.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) server: Server,
    /// Shared with every pending login.
    pub(crate) issuer: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) policy: Policy,
    authentication: Authentication,
    /// The authorization endpoint and the parameters that every request has, escaped once.
    authorization_prefix: Option<String>,
    token_endpoint: Option<Arc<Endpoint>>,
    device_authorization_endpoint: Option<Arc<Endpoint>>,
}

/// Exactly one per request (RFC 6749 section 2.3).
enum Authentication {
    None,
    /// The finished header, and the secret to be kept out of messages.
    Basic(HeaderValue, ClientSecret),
    Post(ClientSecret),
}

impl Client {
    /// Checks everything that can be checked before any I/O.
    ///
    /// # Errors
    /// An endpoint that no credential may be sent to, a client id or secret that cannot be spelled, a method that
    /// lacks its secret or that the server does not offer. The setup is at fault, or the server's metadata.
    pub fn new(server: Server, registration: Registration, policy: Policy) -> Result<Self, ConfigError> {
        let Registration { client_id, method, secret } = registration;
        // RFC 6749 appendix A.1
        if !is_vschar(&client_id) {
            return Err(ConfigError::ClientId);
        }
        let offered = server.token_endpoint_auth_methods.as_deref();
        let method = choose(method, secret.is_some(), offered)?;
        let authentication = authentication(&method, &client_id, secret)?;
        let endpoint = |name: &'static str, url: &Option<String>| {
            url.as_deref()
                .map(|url| Endpoint::new(url, &policy).map_err(|why| ConfigError::Endpoint { name, why }))
                .transpose()
        };
        let authorization = endpoint("authorization_endpoint", &server.authorization_endpoint)?;
        // RFC 6749 section 3.1: a query of the endpoint is kept, and no parameter may come twice.
        let own = |endpoint: &Endpoint| {
            endpoint
                .url()
                .query_pairs()
                .find(|(name, _)| OWN.contains(&&**name))
                .map(|(name, _)| name.into_owned())
        };
        if let Some(name) = authorization.as_ref().and_then(own) {
            return Err(ConfigError::Parameter(name));
        }
        let token = endpoint("token_endpoint", &server.token_endpoint)?;
        let device = endpoint("device_authorization_endpoint", &server.device_authorization_endpoint)?;
        Ok(Self(Arc::new(Inner {
            authorization_prefix: authorization.map(|endpoint| authorization_prefix(&endpoint, &client_id)),
            token_endpoint: token.map(Arc::new),
            device_authorization_endpoint: device.map(Arc::new),
            authentication,
            issuer: server.issuer.as_str().into(),
            client_id: client_id.into(),
            policy,
            server,
        })))
    }

    /// The server it was made for.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// Its identifier at that server.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// How strict it is.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Begins a login in a browser: RFC 6749 section 4.1 with PKCE (RFC 7636).
    ///
    /// # Errors
    /// The server has no authorization or token endpoint, or the request sets a parameter that is the client's.
    pub fn authorize(
        &self,
        request: AuthorizationRequest,
        _memory: &ServerMemory,
        seed: Seed,
    ) -> Result<Authorize, ConfigError> {
        let _token = self.endpoint(Purpose::Token)?;
        Authorize::new(self, request, seed)
    }

    /// Begins a login on another device (RFC 8628).
    ///
    /// # Errors
    /// The server has no device authorization or token endpoint.
    pub fn authorize_device(
        &self,
        scope: Option<Scope>,
        _memory: &ServerMemory,
        _seed: Seed,
    ) -> Result<AuthorizeDevice, ConfigError> {
        let _token = self.endpoint(Purpose::Token)?;
        let _device = self.endpoint(Purpose::DeviceAuthorization)?;
        Ok(AuthorizeDevice::new(self.clone(), scope))
    }

    /// Requests tokens by any other grant: [`Refresh`](crate::Refresh), [`ClientCredentials`](crate::ClientCredentials),
    /// [`JwtBearer`](crate::JwtBearer), or one of your own.
    ///
    /// # Errors
    /// The server has no token endpoint.
    pub fn exchange<G: Grant>(
        &self,
        grant: G,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Result<Exchange<G>, ConfigError> {
        let _token = self.endpoint(Purpose::Token)?;
        Ok(Exchange::new(self.clone(), grant, memory, seed))
    }

    pub(crate) fn endpoint(&self, purpose: Purpose) -> Result<&Arc<Endpoint>, ConfigError> {
        let endpoint = match purpose {
            Purpose::Token => &self.0.token_endpoint,
            Purpose::DeviceAuthorization => &self.0.device_authorization_endpoint,
            Purpose::Discovery | Purpose::Resource => &None,
        };
        endpoint.as_ref().ok_or(ConfigError::NoEndpoint(purpose))
    }

    pub(crate) fn authorization_prefix(&self) -> Result<&str, ConfigError> {
        self.0.authorization_prefix.as_deref().ok_or(ConfigError::NoAuthorizationEndpoint)
    }

    /// A form for an endpoint of the server, with this client's authentication in the one place where it belongs.
    pub(crate) fn request(&self, purpose: Purpose, mut form: Form) -> Result<Request, ConfigError> {
        let endpoint = Arc::clone(self.endpoint(purpose)?);
        self.identify(&mut form);
        let request = Request::form(purpose, endpoint, form.finish());
        Ok(match &self.0.authentication {
            Authentication::Basic(header, _) => request.with_header(AUTHORIZATION, header.clone()),
            Authentication::None | Authentication::Post(_) => request,
        })
    }

    /// What must not come back in a message: the secret, in each spelling in which it is sent.
    pub(crate) fn secrets(&self) -> Vec<ClientSecret> {
        match &self.0.authentication {
            Authentication::None => Vec::new(),
            Authentication::Post(secret) => Vec::from([secret.clone()]),
            Authentication::Basic(header, secret) => {
                let joined = header.to_str().ok().and_then(|header| header.strip_prefix("Basic "));
                Vec::from([secret.clone(), ClientSecret::new(joined.unwrap_or_default())])
            }
        }
    }

    /// Adds what of the authentication travels in the form.
    pub(crate) fn identify(&self, form: &mut Form) {
        match &self.0.authentication {
            Authentication::None => form.pair("client_id", &self.0.client_id),
            Authentication::Basic(..) => {}
            Authentication::Post(secret) => {
                form.pair("client_id", &self.0.client_id);
                form.pair("client_secret", secret.expose());
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("issuer", &self.0.server.issuer)
            .field("client_id", &self.0.client_id)
            .finish_non_exhaustive()
    }
}

fn choose(
    asked: Option<AuthMethod>,
    has_secret: bool,
    offered: Option<&[AuthMethod]>,
) -> Result<AuthMethod, ConfigError> {
    let offers = |method: &AuthMethod| offered.is_none_or(|offered| offered.contains(method));
    match asked {
        // Many servers take public clients and do not list `none`: the absence of a credential is not a method to them.
        Some(method) if method == AuthMethod::NONE || offers(&method) => Ok(method),
        Some(method) => Err(ConfigError::AuthMethodNotOffered { method }),
        None if !has_secret => Ok(AuthMethod::NONE),
        // RFC 8414 section 2: basic is the default of a server that does not say.
        None => [AuthMethod::CLIENT_SECRET_BASIC, AuthMethod::CLIENT_SECRET_POST]
            .into_iter()
            .find(offers)
            .ok_or(ConfigError::AuthMethodNotOffered { method: AuthMethod::CLIENT_SECRET_BASIC }),
    }
}

fn authentication(
    method: &AuthMethod,
    client_id: &str,
    secret: Option<ClientSecret>,
) -> Result<Authentication, ConfigError> {
    if *method == AuthMethod::NONE {
        // A secret that is never sent would be a setting silently ignored.
        return if secret.is_some() { Err(ConfigError::SecretUnused) } else { Ok(Authentication::None) };
    }
    let secret = secret.ok_or_else(|| ConfigError::NoSecret { method: method.clone() })?;
    if secret.expose().is_empty() {
        return Err(ConfigError::NoSecret { method: method.clone() });
    }
    if *method == AuthMethod::CLIENT_SECRET_POST {
        return Ok(Authentication::Post(secret));
    }
    if *method != AuthMethod::CLIENT_SECRET_BASIC {
        return Err(ConfigError::AuthMethodUnknown { method: method.clone() });
    }
    // RFC 6749 section 2.3.1: each part is form-encoded before the two are joined.
    let mut joined = Zeroizing::new(String::with_capacity(3 * (client_id.len() + secret.expose().len()) + 1));
    encode_into(client_id, &mut joined);
    joined.push(':');
    encode_into(secret.expose(), &mut joined);
    let mut bytes = Zeroizing::new(Vec::from(*b"Basic "));
    bytes.extend_from_slice(Zeroizing::new(STANDARD.encode(joined.as_bytes())).as_bytes());
    let mut header = HeaderValue::from_bytes(&bytes).map_err(|_| ConfigError::ClientId)?;
    header.set_sensitive(true);
    Ok(Authentication::Basic(header, secret))
}

fn authorization_prefix(endpoint: &Endpoint, client_id: &str) -> String {
    let mut prefix = String::from(endpoint.url().as_str());
    match endpoint.url().query() {
        None => prefix.push('?'),
        Some("") => {}
        Some(_) => prefix.push('&'),
    }
    prefix.push_str("response_type=code&client_id=");
    encode_into(client_id, &mut prefix);
    prefix
}

/// What is wrong with a setup, found before any I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The client id is empty, or has a character that it may not have (RFC 6749 appendix A.1).
    ClientId,
    /// An endpoint of the server may not be used.
    Endpoint {
        /// Its name in the metadata.
        name: &'static str,
        /// What is wrong with it.
        why: EndpointError,
    },
    /// The server has no such endpoint: it does not offer the grant, or its setup is incomplete.
    NoEndpoint(Purpose),
    /// The server has no authorization endpoint.
    NoAuthorizationEndpoint,
    /// The method needs a secret, and there is none.
    NoSecret {
        /// The method.
        method: AuthMethod,
    },
    /// There is a secret, and the method is `none`.
    SecretUnused,
    /// The server's metadata does not list the method (RFC 8414 section 2).
    AuthMethodNotOffered {
        /// The method.
        method: AuthMethod,
    },
    /// This crate does not know the method.
    AuthMethodUnknown {
        /// The method.
        method: AuthMethod,
    },
    /// A parameter of the request that only the client may set, or that comes twice.
    Parameter(String),
    /// The redirect URI is not an absolute URI without fragment (RFC 6749 section 3.1.2).
    RedirectUri,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientId => {
                f.write_str("the client id is empty, or has a character that a client id may not have")
            }
            Self::Endpoint { name, why } => write!(f, "the {name} may not be used: {why}"),
            Self::NoEndpoint(purpose) => write!(f, "the server has no {purpose}"),
            Self::NoAuthorizationEndpoint => f.write_str("the server has no authorization endpoint"),
            Self::NoSecret { method } => write!(f, "{method} needs a client secret, and there is none"),
            Self::SecretUnused => {
                f.write_str("there is a client secret, and the method none would never send it")
            }
            Self::AuthMethodNotOffered { method } => {
                write!(f, "the server does not offer {method} at its token endpoint")
            }
            Self::AuthMethodUnknown { method } => {
                write!(f, "{method} is not a method that this client knows")
            }
            Self::Parameter(name) => {
                write!(f, "the parameter {name} is set by the client itself, or was given twice")
            }
            Self::RedirectUri => f.write_str("the redirect URI is not an absolute URI without fragment"),
        }
    }
}

impl core::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Endpoint { why, .. } => Some(why),
            Self::ClientId
            | Self::NoEndpoint(_)
            | Self::NoAuthorizationEndpoint
            | Self::NoSecret { .. }
            | Self::SecretUnused
            | Self::AuthMethodNotOffered { .. }
            | Self::AuthMethodUnknown { .. }
            | Self::Parameter(_)
            | Self::RedirectUri => None,
        }
    }
}
