//! Before the browser: the authorization request (RFC 6749 section 4.1.1 with PKCE, RFC 7636).

use crate::client::{Client, ConfigError};
use crate::failure::{Failure, Misuse};
use crate::flow::{Flow, Input, Output};
use crate::form::encode_into;
use crate::pending::Pending;
use crate::policy::OptOut;
use crate::provider::quirks::Quirks;
use crate::registry::ResponseMode;
use crate::resource::{Resource, is_absolute_uri};
use crate::scope::Scope;
use crate::seed::{Part, Seed, TEXT};
use crate::time::{Now, Unix};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt;
use core::time::Duration;
use sha2::{Digest as _, Sha256};

/// What a person is asked to agree to.
///
/// Made once, and good for any number of logins: a web server keeps one.
#[derive(Clone)]
pub struct AuthorizationRequest {
    /// `None` leaves it out; an empty one is sent as it is.
    redirect_uri: Option<Arc<str>>,
    scope: Option<Scope>,
    response_mode: Option<ResponseMode>,
    parameters: Vec<(String, String)>,
    implicit: bool,
    code_challenge: CodeChallenge,
    spelled: Spelled,
}

/// How a code is bound to the client that asked for it (RFC 7636 section 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeChallenge {
    /// By a hash of a secret.
    #[default]
    S256,
    /// By the secret itself. It needs [`OptOut::PlainCodeChallenge`] waived.
    Plain,
    /// Not at all: `state` and `iss` alone tie the answer to the login. It needs [`OptOut::NoCodeChallenge`] waived.
    None,
}

/// What a request comes to, whoever signs in.
#[derive(Clone, Default)]
struct Spelled {
    /// The parameters, escaped, each with its `&`.
    query: String,
    /// OpenID Connect Core section 3.1.2.1: `openid` asks for an ID Token, which has the `nonce` in it.
    nonce: bool,
    /// OpenID Connect Core section 3.1.2.1: the ID Token must say when the person signed in, and it must hold.
    max_age: Option<u32>,
    wrong: Option<ConfigError>,
}

/// What the client sets itself, once.
pub(crate) const OWN: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
];

impl AuthorizationRequest {
    /// A request whose answer goes to this redirect URI, one that is registered with the server.
    #[must_use]
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        let redirect_uri = redirect_uri.into();
        let wrong = (!is_absolute_uri(&redirect_uri)).then_some(ConfigError::RedirectUri);
        Self::to(Some(redirect_uri.into()), wrong)
    }

    /// A request whose answer goes to the one redirect URI that is registered with the server, and is not said here
    /// (RFC 6749 section 3.1.2.3).
    #[must_use]
    pub fn without_redirect_uri() -> Self {
        Self::to(None, None)
    }

    /// The same with the parameter there, and empty: for servers that want to see its name. RFC 6749 section 3.1 takes it
    /// for none, and it is refused unless [`OptOut::EmptyRedirectUri`] is waived.
    #[must_use]
    pub fn with_empty_redirect_uri() -> Self {
        Self::to(Some("".into()), None)
    }

    fn to(redirect_uri: Option<Arc<str>>, wrong: Option<ConfigError>) -> Self {
        let spelled = Spelled { query: String::with_capacity(256), nonce: false, max_age: None, wrong };
        let mut request = Self {
            redirect_uri,
            scope: None,
            response_mode: None,
            parameters: Vec::new(),
            implicit: false,
            code_challenge: CodeChallenge::S256,
            spelled,
        };
        request.spell();
        request
    }

    /// Asks for an access token in the answer itself, in place of a code (RFC 6749 section 4.2).
    ///
    /// RFC 9700 section 2.1.2 advises against it: the token is in the address bar, in the history and in the reach of
    /// every script, and nothing binds it to this client. It is here for servers that offer nothing else, and is refused
    /// unless [`OptOut::ImplicitGrant`] is waived.
    #[must_use]
    pub fn implicit(mut self) -> Self {
        self.implicit = true;
        self.spell();
        self
    }

    /// Binds the code in another way than by S256, for servers that cannot do that.
    #[must_use]
    pub fn with_code_challenge(mut self, code_challenge: CodeChallenge) -> Self {
        self.code_challenge = code_challenge;
        self.spell();
        self
    }

    /// Asks for this scope. With `openid` in it a `nonce` is sent (OpenID Connect Core section 3.1.2.1).
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        if self.scope.replace(scope.clone()).is_none() {
            self.spelled.add("scope", scope.as_str());
        } else {
            self.spell();
        }
        self.spelled.nonce = scope.asks_for_id_token();
        self
    }

    /// Asks for another way back than the query of the redirect URI.
    #[must_use]
    pub fn with_response_mode(mut self, mode: ResponseMode) -> Self {
        self.response_mode = Some(mode);
        self.spell();
        self
    }

    /// Names a resource that the tokens are for (RFC 8707 section 2.1). May be called again.
    #[must_use]
    pub fn with_resource(self, resource: &Resource) -> Self {
        self.with_parameter("resource", resource.as_str())
    }

    /// Adds a parameter: `login_hint`, `prompt`, `audience` and the like.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        // RFC 8707 section 2 lets `resource` come more than once; nothing else may (RFC 6749 section 3.1).
        let twice = name != "resource" && self.parameters.iter().any(|(known, _)| *known == name);
        if OWN.contains(&name.as_str()) || twice || name.is_empty() {
            self.spelled.wrong.get_or_insert_with(|| ConfigError::Parameter(name.clone()));
        }
        if name == "max_age" {
            self.spelled.max_age = value.parse().ok();
            if self.spelled.max_age.is_none() {
                let why = "it is a number of seconds";
                self.spelled.wrong.get_or_insert(ConfigError::Value { parameter: "max_age", why });
            }
        }
        self.spelled.add(&name, &value);
        self.parameters.push((name, value));
        self
    }

    /// The person must have signed in no longer ago than this, or signs in anew; the ID token has to say so (OpenID Connect
    /// Core section 3.1.2.1). In whole seconds.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        self.with_parameter("max_age", alloc::format!("{}", max_age.as_secs().min(u32::MAX.into())))
    }

    pub(crate) const fn asks_for_id_token(&self) -> bool {
        self.spelled.nonce
    }

    pub(crate) const fn is_implicit(&self) -> bool {
        self.implicit
    }

    /// Whether no rule has to be [waived](Self::waived) for it: so it is with nearly every request.
    fn keeps_the_rules(&self) -> bool {
        !self.implicit
            && self.code_challenge == CodeChallenge::S256
            && self.redirect_uri.as_deref().is_none_or(|redirect_uri| !redirect_uri.is_empty())
    }

    /// The rules that have to be waived for it, the gravest first.
    fn waived(&self) -> impl Iterator<Item = OptOut> {
        // RFC 9700 section 2.1.2: clients SHOULD NOT use the implicit grant.
        let implicit = self.implicit.then_some(OptOut::ImplicitGrant);
        let challenge = match self.code_challenge {
            // RFC 6749 section 4.2: it has no code.
            _ if self.implicit => None,
            CodeChallenge::S256 => None,
            CodeChallenge::Plain => Some(OptOut::PlainCodeChallenge),
            CodeChallenge::None => Some(OptOut::NoCodeChallenge),
        };
        let empty = self.redirect_uri.as_deref() == Some("");
        implicit.into_iter().chain(challenge).chain(empty.then_some(OptOut::EmptyRedirectUri))
    }

    /// How the challenge is made, where there is one.
    const fn code_challenge_method(&self) -> Option<&'static str> {
        match self.code_challenge {
            _ if self.implicit => None,
            // RFC 9700 section 2.1.1: whatever the server says of itself.
            CodeChallenge::S256 => Some("S256"),
            CodeChallenge::Plain => Some("plain"),
            CodeChallenge::None => None,
        }
    }

    fn spell(&mut self) {
        let mut spelled = core::mem::take(&mut self.spelled);
        spelled.query.clear();
        self.pairs().for_each(|(name, value)| spelled.add(name, value));
        self.spelled = spelled;
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let response_type = if self.implicit { "token" } else { "code" };
        let scope = self.scope.as_ref().map(|scope| ("scope", scope.as_str()));
        let mode = self.response_mode.as_ref().map(|mode| ("response_mode", mode.as_str()));
        let redirect_uri = self.redirect_uri.as_deref().map(|redirect_uri| ("redirect_uri", redirect_uri));
        let method = self.code_challenge_method().map(|method| ("code_challenge_method", method));
        core::iter::once(("response_type", response_type))
            .chain(redirect_uri)
            .chain(method)
            .chain(scope)
            .chain(mode)
            .chain(self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

impl Spelled {
    fn add(&mut self, name: &str, value: &str) {
        self.query.push('&');
        encode_into(name, &mut self.query);
        self.query.push('=');
        encode_into(value, &mut self.query);
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parameters are the program's own: `id_token_hint` is a token.
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .field("response_mode", &self.response_mode)
            .finish_non_exhaustive()
    }
}

/// Makes the URL for the browser: `Flow<Outcome = Ready>`.
///
/// A flow because some servers want the request pushed or signed first; for the others it is over at the first
/// [`poll`](Flow::poll).
pub struct Authorize {
    prepared: Option<Prepared>,
    failed: bool,
}

struct Prepared {
    /// As far as it goes, with the name of `state` at its end.
    url: Vec<u8>,
    client: Client,
    redirect_uri: Option<Arc<str>>,
    scope: Option<Scope>,
    implicit: bool,
    code_challenge: CodeChallenge,
    waived: Option<OptOut>,
    nonce: bool,
    max_age: Option<u32>,
    seed: Seed,
}

impl Authorize {
    pub(crate) fn new(
        client: &Client,
        request: &AuthorizationRequest,
        seed: Seed,
    ) -> Result<Self, ConfigError> {
        if let Some(wrong) = &request.spelled.wrong {
            return Err(wrong.clone());
        }
        if !request.keeps_the_rules() {
            for opt_out in request.waived() {
                client.require(Some(opt_out))?;
            }
        }
        let prefix = client.authorization_prefix()?;
        let url = match client.quirks() {
            None => {
                let query = &request.spelled.query;
                let mut url = Vec::with_capacity(prefix.len() + query.len() + 256);
                url.extend_from_slice(prefix.as_bytes());
                url.extend_from_slice(query.as_bytes());
                url.extend_from_slice(b"&state=");
                url
            }
            Some(quirks) => odd_url(prefix, request, quirks).into_bytes(),
        };
        let prepared = Prepared {
            url,
            client: client.clone(),
            redirect_uri: request.redirect_uri.clone(),
            scope: request.scope.clone(),
            implicit: request.implicit,
            code_challenge: request.code_challenge,
            waived: if request.keeps_the_rules() { None } else { request.waived().next() },
            nonce: request.spelled.nonce && !request.implicit,
            max_age: request.spelled.max_age,
            seed,
        };
        Ok(Self { prepared: Some(prepared), failed: false })
    }
}

/// The same at a provider that calls things otherwise.
#[cold]
fn odd_url(prefix: &str, request: &AuthorizationRequest, quirks: &Quirks) -> String {
    let (query, state) = (quirks.authorization_query(request.pairs()), quirks.parameter("state"));
    alloc::format!("{prefix}{query}&{state}=")
}

impl Prepared {
    fn ready(self, now: Unix) -> Ready {
        let Self {
            mut url, client, redirect_uri, scope, implicit, code_challenge, nonce, max_age, seed, ..
        } = self;
        let state = seed.text(Part::State);
        let verifier = (code_challenge != CodeChallenge::None).then(|| seed.text(Part::Verifier));
        let nonce = nonce.then(|| seed.text(Part::Nonce));
        // base64url needs no escape.
        url.extend_from_slice(&state);
        if let (Some(verifier), false) = (&verifier, implicit) {
            url.extend_from_slice(b"&code_challenge=");
            if code_challenge == CodeChallenge::Plain {
                url.extend_from_slice(verifier);
            } else {
                url.extend_from_slice(&challenge(verifier));
            }
        }
        if let Some(nonce) = &nonce {
            url.extend_from_slice(b"&nonce=");
            url.extend_from_slice(nonce);
        }
        if let Some(fragment) = client.quirks().and_then(Quirks::fragment) {
            url.push(b'#');
            url.extend_from_slice(fragment.as_bytes());
        }
        // It is text, as each of its pieces is. Looked at once, whole, it costs less than piece by piece.
        let url = String::from_utf8(url).unwrap_or_default();
        let pending = Pending {
            issuer: Arc::clone(&client.0.issuer),
            client_id: Arc::clone(&client.0.client_id),
            redirect_uri,
            scope,
            implicit,
            state,
            verifier,
            nonce,
            max_age,
            begun: now,
        };
        Ready { open: AuthorizationUrl(url), pending }
    }
}

/// RFC 7636 section 4.2: `BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))`.
fn challenge(verifier: &[u8; TEXT]) -> [u8; TEXT] {
    let mut challenge = [b'A'; TEXT];
    // A SHA-256 value is 43 characters, always.
    let _written = URL_SAFE_NO_PAD.encode_slice(Sha256::digest(verifier), &mut challenge);
    challenge
}

/// What [`Seed::text`] and [`challenge`] make is ASCII, always.
pub(crate) fn text(bytes: &[u8; TEXT]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

impl Flow for Authorize {
    type Outcome = Ready;

    fn poll(&mut self, now: Now) -> Output<Ready> {
        match self.prepared.take() {
            Some(_) if self.failed => Output::Done(Err(Failure::misuse(Misuse::NotAsked))),
            Some(prepared) => Output::Done(Ok(prepared.ready(now.unix))),
            None => Output::Idle,
        }
    }

    fn handle(&mut self, _: Input, _: Now) {
        self.failed = true;
    }

    fn waived(&self) -> Option<OptOut> {
        let prepared = self.prepared.as_ref()?;
        prepared.waived.or_else(|| prepared.client.waived_for_id_token(prepared.nonce))
    }
}

impl fmt::Debug for Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorize")
    }
}

/// The human seam before the browser: show or open `open`, keep `pending` until the answer comes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ready {
    /// Where the person signs in.
    pub open: AuthorizationUrl,
    /// What must survive until the browser returns.
    pub pending: Pending,
}

/// A URL for the browser. It holds `state`, so it is the business of one person only; it may be shown to that person.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationUrl(pub(crate) String);

impl AuthorizationUrl {
    /// The URL: ASCII, `https` or loopback `http`, without spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorizationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AuthorizationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split_once('?').map_or(&*self.0, |(before_query, _)| before_query);
        write!(f, "AuthorizationUrl({shown}?…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_2_a_redirect_uri_is_absolute_and_has_no_fragment() {
        for right in
            ["https://app.example/cb?x=1", "http://127.0.0.1:1/cb", "http://[::1]/cb", "com.example.app:/cb"]
        {
            assert!(is_absolute_uri(right), "{right}");
        }
        for wrong in [
            "",
            "cb",
            "/cb",
            "https:",
            ":x",
            "1a:x",
            "https://a/#f",
            "https://a/ b",
            "https://a/é",
            "ht tp://a",
        ] {
            assert!(!is_absolute_uri(wrong), "{wrong}");
        }
    }

    #[test]
    fn rfc7636_appendix_b_the_challenge_of_the_example() {
        let verifier = b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(text(&challenge(verifier)), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_request_that_keeps_the_rules_is_one_for_which_none_is_waived() {
        let requests = [
            AuthorizationRequest::new("http://127.0.0.1:1/cb"),
            AuthorizationRequest::without_redirect_uri(),
            AuthorizationRequest::with_empty_redirect_uri(),
        ];
        for request in requests.into_iter().flat_map(|request| [request.clone(), request.implicit()]) {
            for challenge in [CodeChallenge::S256, CodeChallenge::Plain, CodeChallenge::None] {
                let request = request.clone().with_code_challenge(challenge);
                let is_waived = request.waived().next().is_some();
                assert!(!(is_waived && request.keeps_the_rules()), "{request:?} {challenge:?}");
            }
        }
    }
}
