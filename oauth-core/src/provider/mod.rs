//! What is odd about a provider, as data: a file, and no code.
//!
//! Most servers need nothing of this. Those that spell OAuth in a way of their own differ in few respects: what parameters
//! are called, where the secret goes, where in an answer the token stands. A profile sets a *knob* for each, and flows,
//! grants and readers stay as they are: the knobs act where a request leaves (`write`) and where an answer is taken apart
//! (`crate::token`). A new knob is a field of [`Quirks`], a line in `KNOBS`, and its place to act.

mod error;
mod fill;
#[cfg(feature = "providers")]
mod known;
pub(crate) mod quirks;
mod read;
mod write;

pub use error::ProviderError;

use crate::server::{Endpoints, Server};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use fill::Fill;
use quirks::{Format, Quirks};

/// A provider as its profile describes it: endpoints, and what is odd about them.
///
/// Profiles of well-known providers come with the feature `providers` ([`known`](Self::known)). For any other one write a
/// JSON file; what may be in it, [`KNOBS`](Self::KNOBS) tells. Endpoints are as in server metadata (RFC 8414 section 2),
/// and parts of them, and of values, may be left open as `{name}`.
///
/// ```
/// use oauth_core::{
///     Client, ClientCredentials, ClientSecret, Flow, Input, Mono, Now, Output, Policy, Provider, Registration, Seed,
///     ServerMemory, Unix,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = Provider::from_json(br#"{
///     "name": "acme",
///     "documentation": ["https://developer.acme.example/oauth"],
///     "token_endpoint": "https://{tenant}.acme.example/token",
///     "parameters": {"client_id": "app_id", "client_secret": "app_secret"},
///     "authentication": "client_secret_post",
///     "token_request": "json",
///     "answer": {"access_token": "data.token", "expires_in": "data.valid_ms"},
///     "expiry": "milliseconds",
///     "token_type_missing": true
/// }"#)?;
/// // What a profile makes less safe is there to be seen.
/// let weak: Vec<_> = provider.knobs().filter_map(|knob| knob.weakens).collect();
/// assert_eq!(weak, ["a token of a type that was not named is taken for a bearer token"]);
///
/// let server = provider.server(&[("tenant", "blue")])?;
/// let registration = Registration::with_secret("c1", ClientSecret::new("s1"));
/// let client = Client::new(server, registration, Policy::strict())?;
/// let mut flow = client.exchange(ClientCredentials::new(), &ServerMemory::default(), Seed::new([7; Seed::LENGTH]))?;
///
/// let now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
/// let Output::Send(request) = flow.poll(now) else { unreachable!() };
/// assert_eq!(request.endpoint().url().as_str(), "https://blue.acme.example/token");
/// assert_eq!(request.body(), br#"{"grant_type":"client_credentials","app_id":"c1","app_secret":"s1"}"#);
///
/// let body = r#"{"data":{"token":"2YotnFZFEjr1zCsicMWpAA","valid_ms":3600000}}"#;
/// flow.handle(Input::Response(http::Response::new(body.as_bytes().to_vec()).into()), now);
/// let Output::Done(tokens) = flow.poll(now) else { unreachable!() };
/// assert_eq!(tokens?.expires_at, Some(Unix(1_700_003_600)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    name: String,
    documentation: Vec<String>,
    issuer: Option<String>,
    endpoints: Vec<(&'static str, String)>,
    headers: Vec<(String, String)>,
    quirks: Quirks,
}

/// A respect in which a provider is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Knob {
    /// The member of the profile.
    pub name: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// What becomes less safe by it, as this profile sets it.
    pub weakens: Option<&'static str>,
}

impl Provider {
    /// Every knob that a profile may set, and what it does.
    pub const KNOBS: [(&'static str, &'static str); 20] = [
        ("parameters", "parameters of requests have other names"),
        ("scope_separator", "scope values are separated by this in requests"),
        ("unescaped_scope", "commas and colons of the scope stay as they are in the authorization URL"),
        ("authentication", "where the client's secret goes"),
        ("token_request", "a token request is a form, JSON, or the query of a GET"),
        ("authorize", "parameters are added to the authorization request"),
        ("token", "parameters are added to each token request"),
        ("headers", "headers are added to each token request"),
        ("refresh_endpoint", "refresh tokens are sent here, and not to the token endpoint"),
        ("fragment", "the authorization URL ends in this fragment"),
        ("grant_types", "grant types have other names"),
        ("answer", "members of a token answer are found elsewhere: names with dots between them"),
        ("errors", "the provider's own error codes, and the OAuth codes that they are"),
        ("expiry", "the unit of an expiry: seconds, milliseconds, or a date in seconds since 1970"),
        ("expiry_zero_is_never", "an expiry of zero says that the token does not end"),
        ("token_type_missing", "an answer need not name the type of its token"),
        ("bearer_types", "types of tokens that are presented as bearer tokens"),
        ("callback", "parameters of the authorization response have other names"),
        ("keep", "members of a token answer that are kept in `Tokens::extra`"),
        ("refused_unless", "an answer is a refusal where this member is there and of another value"),
    ];

    /// Reads a profile.
    ///
    /// # Errors
    /// Which member is wrong, what was expected, and what to do: whoever wrote the profile is at fault.
    pub fn from_json(profile: &[u8]) -> Result<Self, ProviderError> {
        read::profile(profile)
    }

    /// The profile of a well-known provider: `github`, say. [`names`](Self::names) lists them.
    #[cfg(feature = "providers")]
    #[must_use]
    pub fn known(name: &str) -> Option<Self> {
        let (_, profile) = known::PROFILES.iter().find(|(known, _)| *known == name)?;
        // A test reads each of them.
        Self::from_json(profile).ok()
    }

    /// The names of the well-known providers, in alphabetical order.
    #[cfg(feature = "providers")]
    pub fn names() -> impl Iterator<Item = &'static str> {
        known::PROFILES.iter().map(|(name, _)| *name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the provider says how it is to be asked.
    pub fn documentation(&self) -> impl Iterator<Item = &str> {
        self.documentation.iter().map(String::as_str)
    }

    /// What is left open in it, to be filled in by [`server`](Self::server).
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let urls = self
            .endpoints
            .iter()
            .map(|(_, url)| url)
            .chain(&self.issuer)
            .chain(&self.quirks.refresh_endpoint);
        let values = self.quirks.authorize.iter().chain(&self.quirks.token).chain(&self.headers);
        let mut names = Vec::new();
        for name in urls.chain(values.map(|(_, value)| value)).flat_map(|text| fill::variables(text)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The server, with what was left open filled in.
    ///
    /// # Errors
    /// A variable has no value, one that the profile does not have was given, or a value could change more of a URL than
    /// its own place.
    pub fn server(&self, variables: &[(&str, &str)]) -> Result<Server, ProviderError> {
        let known = self.variables();
        if let Some((unknown, _)) = variables.iter().find(|(name, _)| !known.contains(name)) {
            return Err(ProviderError::Variable {
                name: (*unknown).into(),
                expected: "a name that the profile has",
            });
        }
        let fill = Fill(variables);
        let mut quirks = self.quirks.clone();
        for (_, value) in quirks.authorize.iter_mut().chain(&mut quirks.token) {
            *value = fill.text(value)?;
        }
        quirks.refresh_endpoint = quirks.refresh_endpoint.as_deref().map(|url| fill.url(url)).transpose()?;
        quirks.headers =
            self.headers.iter().map(|(name, value)| fill.header(name, value)).collect::<Result<_, _>>()?;
        let issuer = match (&self.issuer, self.endpoints.first()) {
            (Some(issuer), _) => fill.url(issuer)?,
            // A name that no `iss` is mistaken for.
            (None, Some((_, url))) => fill.url(url)?,
            (None, None) => String::new(),
        };
        let mut server = Server::new(issuer);
        for (name, url) in &self.endpoints {
            server.endpoints.set(name, fill.url(url)?);
        }
        server.token_endpoint_auth_methods = quirks.auth_methods();
        server.quirks = Some(Arc::new(quirks)).filter(|quirks| **quirks != Quirks::default());
        Ok(server)
    }

    /// The knobs that the profile sets, and what becomes less safe by them.
    pub fn knobs(&self) -> impl Iterator<Item = Knob> {
        let quirks = &self.quirks;
        Self::KNOBS.into_iter().filter(|(name, _)| self.sets(name)).map(move |(name, effect)| {
            let weakens = match name {
                "token_request" if quirks.token_request == Format::Query => {
                    Some("codes, secrets and refresh tokens travel in URLs, which logs keep")
                }
                "token_type_missing" => {
                    Some("a token of a type that was not named is taken for a bearer token")
                }
                "bearer_types" => Some("a token of another type is presented as a bearer token"),
                "expiry_zero_is_never" => {
                    Some("a token that has ended may be taken for one that does not end")
                }
                _ => None,
            };
            Knob { name, effect, weakens }
        })
    }

    fn sets(&self, knob: &str) -> bool {
        let quirks = &self.quirks;
        match knob {
            "parameters" => !quirks.parameters.is_empty(),
            "scope_separator" => quirks.scope_separator.is_some(),
            "unescaped_scope" => quirks.unescaped_scope,
            "authentication" => quirks.authentication.is_some(),
            "token_request" => quirks.token_request != Format::Form,
            "authorize" => !quirks.authorize.is_empty(),
            "token" => !quirks.token.is_empty(),
            "headers" => !self.headers.is_empty(),
            "refresh_endpoint" => quirks.refresh_endpoint.is_some(),
            "fragment" => quirks.fragment.is_some(),
            "grant_types" => !quirks.grant_types.is_empty(),
            "answer" => !quirks.answer.is_empty(),
            "errors" => !quirks.errors.is_empty(),
            "expiry" => quirks.expiry != quirks::Expiry::Seconds,
            "expiry_zero_is_never" => quirks.expiry_zero_is_never,
            "token_type_missing" => quirks.token_type_missing,
            "bearer_types" => !quirks.bearer_types.is_empty(),
            "callback" => !quirks.callback.is_empty(),
            "keep" => !quirks.keep.is_empty(),
            "refused_unless" => quirks.refused_unless.is_some(),
            _ => false,
        }
    }
}

/// The endpoints that a profile may name.
const ENDPOINTS: [&str; 8] = [
    Endpoints::AUTHORIZATION,
    Endpoints::TOKEN,
    Endpoints::DEVICE_AUTHORIZATION,
    Endpoints::REVOCATION,
    Endpoints::INTROSPECTION,
    Endpoints::USERINFO,
    Endpoints::TOKEN_INFO,
    Endpoints::JWKS,
];
