//! Who this client is to a server, and the one way in which each request proves it (RFC 6749 section 2.3).

use crate::assertion::Assertion;
use crate::client::ConfigError;
use crate::flow::{KeyId, SignTask};
use crate::form::{Form, encode_into};
use crate::policy::{OptOut, Policy};
use crate::provider::quirks::Quirks;
use crate::registry::{Algorithm, AuthMethod};
use crate::request::Purpose;
use crate::secret::{AccessToken, ClientSecret};
use crate::seed::{Part, Seed};
use crate::time::Unix;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::time::Duration;
use http::header::HeaderValue;
use zeroize::Zeroizing;

/// Who this client is to one server (RFC 6749 section 2).
#[derive(Clone, Debug)]
pub struct Registration {
    pub(crate) client_id: String,
    /// There is none, and that is meant.
    pub(crate) unnamed: bool,
    method: Option<AuthMethod>,
    secret: Option<ClientSecret>,
    key: Option<(KeyId, Algorithm)>,
    kid: Option<String>,
    audience: Option<String>,
    /// Who issues the secret, where it is signed anew for each request.
    secret_issuer: Option<String>,
    certificate: Option<KeyId>,
    pub(crate) id_token_signed_response_alg: Option<Algorithm>,
    pub(crate) id_token_decryption_key: Option<KeyId>,
}

impl Registration {
    /// A client without a credential: a desktop or mobile program, a command, a page (RFC 6749 section 2.1).
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self { method: Some(AuthMethod::NONE), ..Self::new(client_id) }
    }

    /// No client at all: who asks is told by an assertion alone, as a service account of Google's has it (RFC 7521 section 4.1
    /// leaves `client_id` out). For [`JwtBearer`](crate::JwtBearer) and [`Saml2Bearer`](crate::Saml2Bearer), and for nothing
    /// else.
    #[must_use]
    pub fn unnamed() -> Self {
        Self { unnamed: true, ..Self::public("") }
    }

    /// A client with a secret, sent as the server prefers: `client_secret_basic`, or `client_secret_post` where the
    /// server offers only that. Never both, and never a second try with the other.
    #[must_use]
    pub fn with_secret(client_id: impl Into<String>, secret: ClientSecret) -> Self {
        Self { secret: Some(secret), ..Self::new(client_id) }
    }

    /// A client that signs an assertion for each request: `private_key_jwt`, or `client_secret_jwt` with an HMAC
    /// algorithm, whose key is the client secret (RFC 7523 section 2.2, OpenID Connect Core section 9).
    ///
    /// Whoever answers [`Output::Key`](crate::Output::Key) holds the key. The audience is the server's issuer, each
    /// assertion lives a minute and is used once.
    #[must_use]
    pub fn with_key(client_id: impl Into<String>, key: KeyId, algorithm: Algorithm) -> Self {
        Self { key: Some((key, algorithm)), ..Self::new(client_id) }
    }

    /// A client whose secret is an assertion that it signs, as Apple has it: `issuer` is the team that the key belongs to.
    ///
    /// The secret is made anew for each request, lives a minute, and travels as `client_secret_post`. Name the key
    /// ([`with_kid`](Self::with_kid)).
    #[must_use]
    pub fn with_signed_secret(
        client_id: impl Into<String>,
        issuer: impl Into<String>,
        key: KeyId,
        algorithm: Algorithm,
    ) -> Self {
        Self { secret_issuer: Some(issuer.into()), ..Self::with_key(client_id, key, algorithm) }
    }

    /// A client that shows a certificate when it connects: `tls_client_auth`, or `self_signed_tls_client_auth` where it
    /// is [asked for](Self::authenticated_by) (RFC 8705 section 2).
    ///
    /// The transport holds the certificate under this name; one that does not know it refuses before it connects.
    #[must_use]
    pub fn with_certificate(client_id: impl Into<String>, certificate: KeyId) -> Self {
        Self { certificate: Some(certificate), ..Self::new(client_id) }
    }

    /// Insists on one way to authenticate.
    #[must_use]
    pub fn authenticated_by(mut self, method: AuthMethod) -> Self {
        self.method = Some(method);
        self
    }

    /// Names the signing key to the server (`kid`, RFC 7515 section 4.1.4).
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// By which algorithm the server signs ID tokens for this client, and by no other (OpenID Connect Dynamic Client
    /// Registration section 2). An HMAC is by the client secret.
    ///
    /// Without it, every algorithm is accepted that the server's metadata lists and that signs by a private key, and RS256
    /// where the metadata lists none.
    #[must_use]
    pub fn with_id_token_signed_response_alg(mut self, algorithm: Algorithm) -> Self {
        self.id_token_signed_response_alg = Some(algorithm);
        self
    }

    /// By which key ID tokens for this client are decrypted: one that is not encrypted is refused from then on (OpenID
    /// Connect Core section 3.1.3.7, rule 1).
    #[must_use]
    pub fn with_id_token_decryption_key(mut self, key: KeyId) -> Self {
        self.id_token_decryption_key = Some(key);
        self
    }

    pub(crate) const fn client_secret(&self) -> Option<&ClientSecret> {
        self.secret.as_ref()
    }

    /// For whom its assertions are, where a server does not take its issuer: its token endpoint, say, as older servers want
    /// it.
    ///
    /// A server that is somebody else's then gets an assertion that is good there (RFC 7523 section 3): name nothing but what
    /// this server's documentation names.
    #[must_use]
    pub fn with_assertion_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The client identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            unnamed: false,
            method: None,
            secret: None,
            key: None,
            kid: None,
            audience: None,
            secret_issuer: None,
            certificate: None,
            id_token_signed_response_alg: None,
            id_token_decryption_key: None,
        }
    }

    /// The methods that its credential allows, the preferred one first.
    fn methods(&self) -> &'static [AuthMethod] {
        match (&self.secret, &self.key, &self.certificate) {
            (Some(_), ..) => &[AuthMethod::CLIENT_SECRET_BASIC, AuthMethod::CLIENT_SECRET_POST],
            (_, Some(_), _) if self.secret_issuer.is_some() => &[AuthMethod::CLIENT_SECRET_POST],
            (_, Some((_, algorithm)), _) if algorithm.is_hmac() => &[AuthMethod::CLIENT_SECRET_JWT],
            (_, Some(_), _) => &[AuthMethod::PRIVATE_KEY_JWT],
            (.., Some(_)) => &[AuthMethod::TLS_CLIENT_AUTH, AuthMethod::SELF_SIGNED_TLS_CLIENT_AUTH],
            (None, None, None) => &[AuthMethod::NONE],
        }
    }

    fn choose(&self, offered: Option<&[AuthMethod]>, purpose: Purpose) -> Result<AuthMethod, ConfigError> {
        // Many servers take public clients and do not list `none`: to them it is the absence of a method.
        let offers = |method: &AuthMethod| {
            *method == AuthMethod::NONE || offered.is_none_or(|offered| offered.contains(method))
        };
        let methods = self.methods();
        let Some(method) = &self.method else {
            let first = methods.iter().find(|method| offers(method)).or_else(|| methods.first());
            let method = first.cloned().unwrap_or(AuthMethod::NONE);
            return if offers(&method) {
                Ok(method)
            } else {
                Err(ConfigError::AuthMethodNotOffered { method, purpose })
            };
        };
        let method = method.clone();
        if !methods.contains(&method) {
            return Err(self.mismatch(method));
        }
        if offers(&method) { Ok(method) } else { Err(ConfigError::AuthMethodNotOffered { method, purpose }) }
    }

    /// Why the method asked for does not go with the credential.
    fn mismatch(&self, method: AuthMethod) -> ConfigError {
        let known = [
            AuthMethod::NONE,
            AuthMethod::CLIENT_SECRET_BASIC,
            AuthMethod::CLIENT_SECRET_POST,
            AuthMethod::CLIENT_SECRET_JWT,
            AuthMethod::PRIVATE_KEY_JWT,
            AuthMethod::TLS_CLIENT_AUTH,
            AuthMethod::SELF_SIGNED_TLS_CLIENT_AUTH,
        ];
        if !known.contains(&method) {
            ConfigError::AuthMethodUnknown { method }
        } else if method == AuthMethod::NONE {
            // A credential that is never used would be a setting silently ignored.
            ConfigError::CredentialUnused
        } else {
            ConfigError::NoCredential { method }
        }
    }
}

/// Exactly one per request (RFC 6749 section 2.3).
pub(crate) enum Authentication {
    None,
    /// The finished header, and the secret to be kept out of messages.
    Basic(HeaderValue, ClientSecret),
    Post(ClientSecret),
    /// The secret in the place of a token, which a provider wants.
    Bearer(HeaderValue, ClientSecret),
    Assertion {
        key: KeyId,
        algorithm: Algorithm,
        kid: Option<String>,
        audience: Option<String>,
        /// The assertion travels as the client's secret, and this is who issues it.
        secret_issuer: Option<String>,
    },
    Certificate(KeyId),
}

/// An assertion of this client is used at once.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

impl Authentication {
    pub(crate) fn new(
        registration: Registration,
        offered: Option<&[AuthMethod]>,
        purpose: Purpose,
        policy: &Policy,
        quirks: Option<&Quirks>,
    ) -> Result<Self, ConfigError> {
        let method = registration.choose(offered, purpose)?;
        let Registration { client_id, secret, key, kid, audience, secret_issuer, certificate, .. } =
            registration;
        if let Some((key, algorithm)) = key {
            return Ok(Self::Assertion { key, algorithm, kid, audience, secret_issuer });
        }
        if let Some(certificate) = certificate {
            return Ok(Self::Certificate(certificate));
        }
        let Some(secret) = secret else { return Ok(Self::None) };
        if secret.expose().is_empty() {
            return Err(ConfigError::NoCredential { method });
        }
        if quirks.is_some_and(Quirks::secret_is_presented_as_a_token) {
            let header = AccessToken::new(secret.expose()).bearer();
            return header.map(|header| Self::Bearer(header, secret)).map_err(|_| ConfigError::Token);
        }
        if method == AuthMethod::CLIENT_SECRET_POST {
            return Ok(Self::Post(secret));
        }
        let header = basic(&client_id, &secret, policy.allows(OptOut::UnencodedBasic));
        header.map(|header| Self::Basic(header, secret)).ok_or(ConfigError::ClientId)
    }

    /// Adds what of it travels in the form.
    pub(crate) fn write(&self, client_id: &str, assertion: Option<&ClientSecret>, form: &mut Form) {
        match self {
            Self::Basic(..) => {}
            // RFC 7521 section 4.1: the assertion says who asks.
            Self::None if client_id.is_empty() => {}
            Self::None | Self::Bearer(..) | Self::Certificate(_) => form.pair("client_id", client_id),
            Self::Post(secret) => {
                form.pair("client_id", client_id);
                form.pair("client_secret", secret.expose());
            }
            Self::Assertion { secret_issuer: Some(_), .. } => {
                form.pair("client_id", client_id);
                form.pair("client_secret", assertion.map_or("", ClientSecret::expose));
            }
            Self::Assertion { secret_issuer: None, .. } => {
                // RFC 7521 section 4.2: client_id is optional, and some servers find the key by it.
                form.pair("client_id", client_id);
                form.pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                form.pair("client_assertion", assertion.map_or("", ClientSecret::expose));
            }
        }
    }

    /// What must not come back in a message: the secret, in each spelling in which it is sent.
    pub(crate) fn secrets(&self) -> Vec<ClientSecret> {
        match self {
            Self::None | Self::Assertion { .. } | Self::Certificate(_) => Vec::new(),
            Self::Post(secret) | Self::Bearer(_, secret) => Vec::from([secret.clone()]),
            Self::Basic(header, secret) => {
                let joined = header.to_str().ok().and_then(|header| header.strip_prefix("Basic "));
                Vec::from([secret.clone(), ClientSecret::new(joined.unwrap_or_default())])
            }
        }
    }

    pub(crate) const fn signs(&self) -> bool {
        matches!(self, Self::Assertion { .. })
    }

    /// An assertion to be signed (RFC 7523 section 3), and its signing input.
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        server: &str,
        now: Unix,
        seed: &Seed,
        count: u32,
    ) -> Option<(SignTask, ClientSecret)> {
        let Self::Assertion { key, algorithm, kid, audience, secret_issuer } = self else { return None };
        let chance = seed.text(Part::Nonce);
        let mut jti = String::from(core::str::from_utf8(&chance).unwrap_or_default());
        jti.push('.');
        jti.push_str(&count.to_string());
        let input = Assertion {
            algorithm,
            kid: kid.as_deref(),
            issuer: secret_issuer.as_deref().unwrap_or(client_id),
            subject: Some(client_id),
            audience: audience.as_deref().unwrap_or(server),
            scope: None,
            jti: &jti,
            lifetime: ASSERTION_LIFETIME,
            extra: &[],
        }
        .signing_input(now);
        let task = SignTask::new(key.clone(), algorithm.clone(), input.as_bytes().to_vec());
        Some((task, ClientSecret::new(input)))
    }
}

/// RFC 6749 section 2.3.1: each part is form-encoded before the two are joined, unless the server is known not to decode.
fn basic(client_id: &str, secret: &ClientSecret, unencoded: bool) -> Option<HeaderValue> {
    let mut joined = Zeroizing::new(String::with_capacity(3 * (client_id.len() + secret.expose().len()) + 1));
    if unencoded {
        joined.push_str(client_id);
        joined.push(':');
        joined.push_str(secret.expose());
    } else {
        encode_into(client_id, &mut joined);
        joined.push(':');
        encode_into(secret.expose(), &mut joined);
    }
    let mut bytes = Zeroizing::new(Vec::from(*b"Basic "));
    bytes.extend_from_slice(Zeroizing::new(STANDARD.encode(joined.as_bytes())).as_bytes());
    let mut header = HeaderValue::from_bytes(&bytes).ok()?;
    header.set_sensitive(true);
    Some(header)
}
