//! A client is checked once and makes flows.

use crate::authentication::{Authentication, Registration};
use crate::authorize::{AuthorizationRequest, Authorize, OWN};
use crate::claims::IdTokenRules;
use crate::device::AuthorizeDevice;
use crate::exchange::{Exchange, Grant};
use crate::flow::SignTask;
use crate::form::{Form, encode_into};
use crate::identify::IdTokens;
use crate::introspect::{Introspect, IntrospectionRequest};
use crate::memory::ServerMemory;
use crate::policy::{OptOut, Policy};
use crate::provider::quirks::Quirks;
use crate::registry::AuthMethod;
use crate::request::{Endpoint, EndpointError, Purpose, Request};
use crate::revoke::{Revocable, Revoke};
use crate::scope::Scope;
use crate::secret::{AccessToken, ClientSecret, SecretBytes};
use crate::seed::Seed;
use crate::server::{Endpoints, Server};
use crate::text::is_vschar;
use crate::time::Unix;
use crate::token::Scrub;
use crate::token_info::FetchTokenInfo;
use crate::verify::{MessageRules, Verify};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use http::header::AUTHORIZATION;

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
    /// Where the server says for one endpoint how clients authenticate there (RFC 8414 section 2).
    elsewhere: Vec<(Purpose, Result<Authentication, ConfigError>)>,
    /// The authorization endpoint and the parameters that every request has, escaped once.
    authorization_prefix: Option<String>,
    token_endpoint: Option<Arc<Endpoint>>,
    /// Where a provider has one of its own for refresh tokens.
    refresh_endpoint: Option<Arc<Endpoint>>,
    device_authorization_endpoint: Option<Arc<Endpoint>>,
    revocation_endpoint: Option<Arc<Endpoint>>,
    introspection_endpoint: Option<Arc<Endpoint>>,
    token_info_endpoint: Option<Arc<Endpoint>>,
    keys_endpoint: Option<Arc<Endpoint>>,
    id_tokens: IdTokens,
    /// Whether there is what ID tokens are verified by.
    verifies: bool,
}

impl Client {
    /// Checks everything that can be checked before any I/O.
    ///
    /// # Errors
    /// An endpoint that no credential may be sent to, a client id or secret that cannot be spelled, a method that
    /// lacks its secret or that the server does not offer. The setup is at fault, or the server's metadata.
    pub fn new(server: Server, registration: Registration, policy: Policy) -> Result<Self, ConfigError> {
        // RFC 6749 appendix A.1
        if !is_vschar(&registration.client_id) && !registration.unnamed {
            return Err(ConfigError::ClientId);
        }
        let client_id = registration.client_id.clone();
        let authentication = |purpose, offered| {
            Authentication::new(registration.clone(), offered, purpose, &policy, server.quirks.as_deref())
        };
        let elsewhere = [
            (Purpose::Revocation, &server.revocation_endpoint_auth_methods),
            (Purpose::Introspection, &server.introspection_endpoint_auth_methods),
        ];
        let elsewhere = elsewhere.into_iter();
        let elsewhere = elsewhere
            .filter_map(|(purpose, offered)| {
                Some((purpose, authentication(purpose, Some(offered.as_deref()?))))
            })
            .collect();
        let id_tokens = IdTokens::new(
            registration.id_token_signed_response_alg.as_ref(),
            server.id_token_signing_algs.as_deref(),
            registration.client_secret(),
            registration.id_token_decryption_key.clone(),
            &policy,
        )?;
        let authentication = authentication(Purpose::Token, server.token_endpoint_auth_methods.as_deref())?;
        // RFC 8705 section 5: a client with a certificate goes to the endpoints that ask for one.
        let certified = matches!(authentication, Authentication::Certificate(_));
        let endpoint = |name: &'static str| {
            let alias = server.mtls_aliases.find(name).filter(|_| certified);
            alias
                .or_else(|| server.endpoints.find(name))
                .map(|url| Endpoint::new(url, &policy).map_err(|why| ConfigError::Endpoint { name, why }))
                .transpose()
        };
        let authorization = endpoint(Endpoints::AUTHORIZATION)?;
        // RFC 6749 section 3.1: a query of the endpoint is kept, and no parameter may come twice.
        let own = |endpoint: &Endpoint| {
            let mut names = endpoint.url().query_pairs().map(|(name, _)| name);
            names.find(|name| OWN.contains(&&**name)).map(Cow::into_owned)
        };
        if let Some(name) = authorization.as_ref().and_then(own) {
            return Err(ConfigError::Parameter(name));
        }
        let token = endpoint(Endpoints::TOKEN)?;
        let quirks = server.quirks.as_deref();
        if quirks.is_some_and(Quirks::credentials_travel_in_urls)
            && !policy.allows(OptOut::CredentialsInQuery)
        {
            return Err(ConfigError::NotWaived(OptOut::CredentialsInQuery));
        }
        let refresh = quirks.and_then(Quirks::refresh_endpoint).map(|url| {
            Endpoint::new(url, &policy).map_err(|why| ConfigError::Endpoint { name: "refresh_endpoint", why })
        });
        let device = endpoint(Endpoints::DEVICE_AUTHORIZATION)?;
        let revocation = endpoint(Endpoints::REVOCATION)?;
        let introspection = endpoint(Endpoints::INTROSPECTION)?;
        let token_info = endpoint(Endpoints::TOKEN_INFO)?;
        let keys = endpoint(Endpoints::JWKS)?;
        Ok(Self(Arc::new(Inner {
            authorization_prefix: authorization.map(|endpoint| {
                let name = quirks.map_or("client_id", |quirks| quirks.parameter("client_id"));
                authorization_prefix(&endpoint, name, &client_id)
            }),
            refresh_endpoint: refresh.transpose()?.map(Arc::new),
            token_endpoint: token.map(Arc::new),
            device_authorization_endpoint: device.map(Arc::new),
            revocation_endpoint: revocation.map(Arc::new),
            introspection_endpoint: introspection.map(Arc::new),
            token_info_endpoint: token_info.map(Arc::new),
            verifies: keys.is_some() || !id_tokens.verified_by_keys(),
            keys_endpoint: keys.map(Arc::new),
            id_tokens,
            authentication,
            elsewhere,
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

    /// Begins a login in a browser: RFC 6749 section 4.1 with PKCE (RFC 7636). A request may begin many logins.
    ///
    /// # Errors
    /// The server has no authorization or token endpoint, or the request sets a parameter that is the client's.
    pub fn authorize(
        &self,
        request: impl Borrow<AuthorizationRequest>,
        _memory: &ServerMemory,
        seed: Seed,
    ) -> Result<Authorize, ConfigError> {
        let request = request.borrow();
        self.named()?;
        if !request.is_implicit() {
            let _token = self.endpoint(Purpose::Token)?;
            if request.asks_for_id_token() && !self.0.verifies {
                return Err(ConfigError::NoEndpoint(Purpose::Keys));
            }
        }
        Authorize::new(self, request, seed)
    }

    /// Begins a login on another device (RFC 8628).
    ///
    /// # Errors
    /// The server has no device authorization or token endpoint.
    pub fn authorize_device(
        &self,
        scope: Option<Scope>,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Result<AuthorizeDevice, ConfigError> {
        let _token = self.endpoint(Purpose::Token)?;
        let _device = self.endpoint(Purpose::DeviceAuthorization)?;
        self.named()?;
        if scope.as_ref().is_some_and(Scope::asks_for_id_token) {
            self.verifies_id_tokens()?;
        }
        Ok(AuthorizeDevice::new(self.clone(), scope, memory, seed))
    }

    /// Requests tokens by any other grant: [`Refresh`](crate::Refresh), [`ClientCredentials`](crate::ClientCredentials),
    /// [`JwtBearer`](crate::JwtBearer), [`TokenExchange`](crate::TokenExchange), or one of your own.
    ///
    /// # Errors
    /// The server has no token endpoint, or the grant may not be sent ([`Grant::validate`]).
    pub fn exchange<G: Grant>(
        &self,
        grant: G,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Result<Exchange<G>, ConfigError> {
        let _token = self.endpoint(Purpose::Token)?;
        self.require(grant.waived())?;
        if !grant.names_its_issuer() {
            self.named()?;
        }
        grant.validate(&self.0.policy)?;
        if !self.0.verifies && grant.id_token(self.id_token_rules()).is_some() {
            self.verifies_id_tokens()?;
        }
        Ok(Exchange::new(self.clone(), grant, memory, seed))
    }

    /// Revokes a token (RFC 7009): at the end of a session, before a person removes the program.
    ///
    /// # Errors
    /// The server has no revocation endpoint, or wants another client authentication there.
    pub fn revoke(&self, token: Revocable, memory: &ServerMemory, seed: Seed) -> Result<Revoke, ConfigError> {
        let _revocation = self.endpoint(Purpose::Revocation)?;
        let _authentication = self.authentication(Purpose::Revocation)?;
        self.named()?;
        Ok(Revoke::new(self.clone(), token, memory, &seed))
    }

    /// Asks the server what a token is good for (RFC 7662): for whoever is presented with one.
    ///
    /// # Errors
    /// The server has no introspection endpoint or wants another authentication there, or the request is not one.
    pub fn introspect(
        &self,
        request: IntrospectionRequest,
        memory: &ServerMemory,
        seed: Seed,
    ) -> Result<Introspect, ConfigError> {
        self.named()?;
        Introspect::new(self.clone(), request, memory, &seed)
    }

    /// Verifies a message that the server signed and somebody else brought: a logout token, an access token that a resource
    /// was presented with.
    ///
    /// # Errors
    /// The server has no `jwks_uri`, and no secret verifies the message either.
    pub fn verify<R: MessageRules>(
        &self,
        message: SecretBytes,
        rules: R,
        memory: &ServerMemory,
    ) -> Result<Verify<R>, ConfigError> {
        Verify::new(self.clone(), message, rules, memory)
    }

    /// Asks a server in the style of Google about an access token of this client.
    ///
    /// The token travels in the URL, which logs keep: [`OptOut::TokenInQuery`] must be waived.
    ///
    /// # Errors
    /// The policy does not allow it, the server has no token info endpoint, or the token cannot be sent.
    pub fn token_info(&self, token: AccessToken) -> Result<FetchTokenInfo, ConfigError> {
        self.named()?;
        FetchTokenInfo::new(self.clone(), token)
    }

    /// Refuses what a client has to be named for.
    fn named(&self) -> Result<(), ConfigError> {
        if self.client_id().is_empty() { Err(ConfigError::ClientId) } else { Ok(()) }
    }

    /// Refuses to go by a rule that was not waived.
    pub(crate) fn require(&self, waived: Option<OptOut>) -> Result<(), ConfigError> {
        match waived {
            Some(opt_out) if !self.0.policy.allows(opt_out) => Err(ConfigError::NotWaived(opt_out)),
            _ => Ok(()),
        }
    }

    /// What was waived for any token request of this client to be sent.
    pub(crate) fn waived(&self) -> Option<OptOut> {
        self.quirks().filter(|quirks| quirks.credentials_travel_in_urls()).map(|_| OptOut::CredentialsInQuery)
    }

    /// What was waived for an ID token to be believed, where one is asked for.
    pub(crate) fn waived_for_id_token(&self, asked: bool) -> Option<OptOut> {
        let opt_outs = [OptOut::UnreadIdTokens, OptOut::UnverifiedIdTokens];
        opt_outs.into_iter().find(|opt_out| asked && self.0.policy.allows(*opt_out))
    }

    pub(crate) fn endpoint(&self, purpose: Purpose) -> Result<&Arc<Endpoint>, ConfigError> {
        let endpoint = match purpose {
            Purpose::Token => &self.0.token_endpoint,
            Purpose::DeviceAuthorization => &self.0.device_authorization_endpoint,
            Purpose::Revocation => &self.0.revocation_endpoint,
            Purpose::Introspection => &self.0.introspection_endpoint,
            Purpose::TokenInfo => &self.0.token_info_endpoint,
            Purpose::Keys => &self.0.keys_endpoint,
            Purpose::Discovery | Purpose::Registration | Purpose::Resource => &None,
        };
        endpoint.as_ref().ok_or(ConfigError::NoEndpoint(purpose))
    }

    /// How this client authenticates there.
    pub(crate) fn authentication(&self, purpose: Purpose) -> Result<&Authentication, ConfigError> {
        match self.0.elsewhere.iter().find(|(of, _)| *of == purpose) {
            Some((_, authentication)) => authentication.as_ref().map_err(Clone::clone),
            None => Ok(&self.0.authentication),
        }
    }

    pub(crate) fn authorization_prefix(&self) -> Result<&str, ConfigError> {
        self.0.authorization_prefix.as_deref().ok_or(ConfigError::NoAuthorizationEndpoint)
    }

    /// A form for an endpoint of the server, with this client's authentication in the one place where it belongs.
    pub(crate) fn request(
        &self,
        purpose: Purpose,
        mut form: Form,
        assertion: Option<&ClientSecret>,
    ) -> Result<Request, ConfigError> {
        let endpoint = Arc::clone(self.endpoint(purpose)?);
        let authentication = self.authentication(purpose)?;
        authentication.write(&self.0.client_id, assertion, &mut form);
        let request = match self.quirks() {
            None => Request::form(purpose, endpoint, form.finish()),
            Some(quirks) => {
                let refresh = self.0.refresh_endpoint.as_ref();
                quirks.request(purpose, endpoint, refresh, &form, &self.0.policy)?
            }
        };
        Ok(match authentication {
            Authentication::Basic(header, _) | Authentication::Bearer(header, _) => {
                request.with_header(AUTHORIZATION, header.clone())
            }
            Authentication::Certificate(certificate) => request.with_client_certificate(certificate.clone()),
            Authentication::None | Authentication::Post(_) | Authentication::Assertion { .. } => request,
        })
    }

    pub(crate) fn id_tokens(&self) -> &IdTokens {
        &self.0.id_tokens
    }

    /// What holds of every ID token of this client.
    pub(crate) fn id_token_rules(&self) -> IdTokenRules {
        IdTokenRules::new(Arc::clone(&self.0.issuer), Arc::clone(&self.0.client_id))
    }

    fn verifies_id_tokens(&self) -> Result<(), ConfigError> {
        if self.0.verifies { Ok(()) } else { Err(ConfigError::NoEndpoint(Purpose::Keys)) }
    }

    /// What is odd about the server.
    pub(crate) fn quirks(&self) -> Option<&Quirks> {
        self.0.server.quirks.as_deref()
    }

    /// What must not come back in a message to a request with this form.
    pub(crate) fn secrets_of(&self, purpose: Purpose, mut form: Form) -> Scrub {
        let authentication = self.authentication(purpose).unwrap_or(&self.0.authentication);
        authentication.write(&self.0.client_id, None, &mut form);
        Scrub::new(form, authentication.secrets())
    }

    /// Whether a request needs an assertion of its own.
    pub(crate) fn signs(&self) -> bool {
        let elsewhere =
            self.0.elsewhere.iter().filter_map(|(_, authentication)| authentication.as_ref().ok());
        self.0.authentication.signs() || elsewhere.into_iter().any(Authentication::signs)
    }

    /// The assertion of one request, to be signed.
    pub(crate) fn assertion(
        &self,
        purpose: Purpose,
        now: Unix,
        seed: &Seed,
        count: u32,
    ) -> Option<(SignTask, ClientSecret)> {
        let authentication = self.authentication(purpose).ok()?;
        authentication.assertion(&self.0.client_id, &self.0.issuer, now, seed, count)
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

fn authorization_prefix(endpoint: &Endpoint, name: &str, client_id: &str) -> String {
    let mut prefix = String::from(endpoint.url().as_str());
    match endpoint.url().query() {
        None => prefix.push('?'),
        Some("") => {}
        Some(_) => prefix.push('&'),
    }
    encode_into(name, &mut prefix);
    prefix.push('=');
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
    /// The method needs a credential that the registration does not have.
    NoCredential {
        /// The method.
        method: AuthMethod,
    },
    /// There is a credential, and the method is `none`.
    CredentialUnused,
    /// The server's metadata does not list the method (RFC 8414 section 2).
    AuthMethodNotOffered {
        /// The method.
        method: AuthMethod,
        /// The endpoint.
        purpose: Purpose,
    },
    /// This crate does not know the method.
    AuthMethodUnknown {
        /// The method.
        method: AuthMethod,
    },
    /// A parameter of the request that only the client may set, or that comes twice.
    Parameter(String),
    /// A parameter of a grant has a value that it may not have.
    Value {
        /// Its name.
        parameter: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A claim of an assertion that is not the program's to set.
    Claim {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The request needs a rule waived ([`Policy::waive`]), and the policy does not.
    NotWaived(OptOut),
    /// The redirect URI is not an absolute URI without fragment (RFC 6749 section 3.1.2).
    RedirectUri,
    /// An address in place of the one that was made does not carry the `state` of its login, exactly once.
    StateNotCarried,
    /// A member of a client's metadata that the server sets (RFC 7592 section 2.2).
    Metadata(String),
    /// A token is empty, or has a character that cannot be sent with it.
    Token,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientId => {
                f.write_str("the client id is empty, or has a character that a client id may not have")
            }
            Self::Endpoint { name, why } => write!(f, "the {name} may not be used: {why}"),
            Self::NoEndpoint(Purpose::Keys) => f.write_str(
                "the server has no jwks_uri, and what it signs cannot be verified, the ID token among it that the scope \
                 openid asks for: say where the server's keys are, or leave openid out",
            ),
            Self::NoEndpoint(purpose) => write!(f, "the server has no {purpose}"),
            Self::NoAuthorizationEndpoint => f.write_str("the server has no authorization endpoint"),
            Self::NoCredential { method } => {
                write!(f, "{method} needs a credential that this client was not given")
            }
            Self::CredentialUnused => {
                f.write_str("there is a client credential, and the method none would never use it")
            }
            Self::AuthMethodNotOffered { method, purpose } => {
                write!(f, "the server does not offer {method} at its {purpose}")
            }
            Self::AuthMethodUnknown { method } => {
                write!(f, "{method} is not a method that this client knows")
            }
            Self::Parameter(name) if name.is_empty() => f.write_str("a parameter has no name"),
            Self::Parameter(name) => {
                write!(f, "the parameter {name} is set by the client itself, or was given twice")
            }
            Self::Value { parameter, why } => write!(f, "the {parameter} may not be sent: {why}"),
            Self::Claim { name, why } => write!(f, "the claim {name} may not be added: {why}"),
            Self::NotWaived(opt_out) => {
                write!(f, "this needs the policy to be waived: {opt_out}")
            }
            Self::RedirectUri => f.write_str("the redirect URI is not an absolute URI without fragment"),
            Self::StateNotCarried => f.write_str(
                "the address does not carry the state of this login, exactly once: add to the one that was made, and take \
                 nothing out of it",
            ),
            Self::Metadata(name) => write!(f, "{name} is not for the client to ask for: the server sets it"),
            Self::Token => f.write_str("the token is empty, or has a character that cannot be sent"),
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
            | Self::NoCredential { .. }
            | Self::CredentialUnused
            | Self::AuthMethodNotOffered { .. }
            | Self::AuthMethodUnknown { .. }
            | Self::Parameter(_)
            | Self::Value { .. }
            | Self::Claim { .. }
            | Self::NotWaived(_)
            | Self::RedirectUri
            | Self::StateNotCarried
            | Self::Metadata(_)
            | Self::Token => None,
        }
    }
}
