//! The clients that the server knows, and how they prove who they are.

use std::fmt;

use ct_codecs::{Base64, Decoder as _};

use crate::form::{self, Form};
use crate::http::Request;
use crate::keys::same_secret;
use crate::token::Refusal;
use crate::uri::Uri;

/// A client that the server knows.
///
/// It authenticates by exactly the method it was made with, and may use every grant, save that `client_credentials` is
/// for those with a secret.
#[derive(Clone)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) authentication: Authentication,
    redirect_uris: Vec<String>,
    any_loopback: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Authentication {
    None,
    Basic { secret: String },
    Post { secret: String },
}

impl Client {
    /// Has no secret (`none`), as an app on a person's machine.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self::new(id, Authentication::None)
    }

    /// Sends its secret in the `Authorization` header (`client_secret_basic`).
    ///
    /// Identifier and secret may hold any character: both are form-encoded there (RFC 6749 section 2.3.1).
    #[must_use]
    pub fn basic(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, Authentication::Basic { secret: secret.into() })
    }

    /// Sends its secret in the body (`client_secret_post`).
    #[must_use]
    pub fn post(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, Authentication::Post { secret: secret.into() })
    }

    /// Registers a redirect URI, which requests must repeat character by character.
    ///
    /// The port is free if the URI is one of `http://127.0.0.1`, `http://[::1]` or `http://localhost` (RFC 8252
    /// section 7.3).
    #[must_use]
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uris.push(redirect_uri.into());
        self
    }

    /// Allows every loopback redirect URI, by http or https, whatever its port, path and query.
    #[must_use]
    pub fn loopback(mut self) -> Self {
        self.any_loopback = true;
        self
    }

    fn new(id: impl Into<String>, authentication: Authentication) -> Self {
        Self { id: id.into(), authentication, redirect_uris: Vec::new(), any_loopback: false }
    }

    pub(crate) fn secret(&self) -> Option<&str> {
        match &self.authentication {
            Authentication::None => None,
            Authentication::Basic { secret } | Authentication::Post { secret } => Some(secret),
        }
    }

    pub(crate) fn allows(&self, redirect_uri: &str) -> bool {
        let Some(asked) = Uri::parse(redirect_uri) else { return false };
        // RFC 6749 section 3.1.2: the endpoint URI MUST NOT include a fragment component
        if asked.fragment.is_some() {
            return false;
        }
        let loopback = asked.is_loopback();
        (self.any_loopback && asked.names_this_machine())
            || self.redirect_uris.iter().any(|registered| {
                // RFC 8252 section 7.3: the server MUST allow any port of a loopback IP redirect URI
                registered == redirect_uri
                    || (loopback
                        && Uri::parse(registered).is_some_and(|registered| {
                            registered.is_loopback()
                                && registered.host() == asked.host()
                                && registered.target == asked.target
                        }))
            })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a request shows of its client.
enum Shown {
    Nothing,
    Id(String),
    Basic { id: String, secret: String },
    Post { id: String, secret: String },
}

/// Finds the client that sent the request, by the one method it is registered with; `None` where it names none.
pub(crate) fn authenticate<'a>(
    clients: &'a [Client],
    request: &Request,
    form: &Form,
) -> Result<Option<&'a Client>, Refusal> {
    let shown = shown(request, form)?;
    let id = match &shown {
        Shown::Nothing => return Ok(None),
        Shown::Id(id) | Shown::Basic { id, .. } | Shown::Post { id, .. } => id,
    };
    let client = clients
        .iter()
        .find(|client| client.id == *id)
        .ok_or_else(|| Refusal::invalid_client("There is no such client."))?;
    let proved = match (&client.authentication, &shown) {
        (Authentication::None, Shown::Id(_)) => true,
        (Authentication::Basic { secret }, Shown::Basic { secret: sent, .. })
        | (Authentication::Post { secret }, Shown::Post { secret: sent, .. }) => same_secret(secret, sent),
        _ => {
            return Err(Refusal::invalid_client(
                "The client is registered with another authentication method.",
            ));
        }
    };
    if proved { Ok(Some(client)) } else { Err(Refusal::invalid_client("The client secret is wrong.")) }
}

fn shown(request: &Request, form: &Form) -> Result<Shown, Refusal> {
    if form.value("client_assertion").is_some() {
        return Err(Refusal::invalid_client("This server takes no client assertions."));
    }
    let id = form.value("client_id");
    let Some(authorization) = request.header("authorization") else {
        return Ok(match (id, form.value("client_secret")) {
            (Some(id), Some(secret)) => Shown::Post { id: id.to_owned(), secret: secret.to_owned() },
            (Some(id), None) => Shown::Id(id.to_owned()),
            (None, Some(_)) => return Err(Refusal::invalid_request("A client_secret needs its client_id.")),
            (None, None) => Shown::Nothing,
        });
    };
    // RFC 6749 section 2.3: the client MUST NOT use more than one authentication method in each request
    if form.names().any(|name| name == "client_secret") {
        return Err(Refusal::invalid_request("The client authenticates by two methods at once."));
    }
    let (basic_id, secret) = basic(authorization).ok_or_else(|| {
        Refusal::invalid_client("The Authorization header is not what RFC 6749 section 2.3.1 asks.")
    })?;
    if id.is_some_and(|id| id != basic_id) {
        return Err(Refusal::invalid_request("The client_id in the body is not the one in the header."));
    }
    Ok(Shown::Basic { id: basic_id, secret })
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Base64::decode_to_vec(credentials.trim(), None).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let part = |encoded: &[u8]| {
        // RFC 6749 section 2.3.1: both are form-encoded, which leaves none but these characters
        let form_encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~*!'()+%".contains(byte);
        if encoded.iter().all(form_encoded) { form::decode(encoded).ok() } else { None }
    };
    Some((part(&decoded[..colon])?, part(&decoded[colon + 1..])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_codecs::Encoder as _;

    #[test]
    fn redirect_uris_are_compared_exactly_save_for_a_loopback_port() {
        let client = Client::public("c")
            .redirect_uri("https://app.example/cb?x=1")
            .redirect_uri("http://127.0.0.1/cb")
            .redirect_uri("com.example.app:/cb");
        for (uri, allowed) in [
            ("https://app.example/cb?x=1", true),
            ("https://app.example/cb", false),
            ("https://app.example:443/cb?x=1", false),
            ("https://app.example/cb?x=1#f", false),
            ("https://app.example/cb?x=1&y=2", false),
            ("https://APP.example/cb?x=1", false),
            ("http://127.0.0.1/cb", true),
            ("http://127.0.0.1:4711/cb", true),
            ("http://127.0.0.1:4711/cb/", false),
            ("http://127.0.0.1:4711/cb?x", false),
            ("http://localhost:4711/cb", false),
            ("http://127.0.0.1:4711@evil.example/cb", false),
            ("com.example.app:/cb", true),
            ("com.example.app:/cb2", false),
            ("", false),
        ] {
            assert_eq!(client.allows(uri), allowed, "{uri}");
        }
    }

    #[test]
    fn any_loopback_is_no_more_than_loopback() {
        let client = Client::public("c").loopback();
        for uri in [
            "http://127.0.0.1:1/",
            "https://127.0.0.1:1/",
            "http://[::1]:65535/cb?x=y",
            "http://localhost:3000/a",
            "https://localhost:3000/a",
        ] {
            assert!(client.allows(uri), "{uri}");
        }
        for uri in [
            "https://127.0.0.1.evil.example/",
            "ftp://127.0.0.1:1/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1:1/#f",
            "http://10.0.0.1/",
        ] {
            assert!(!client.allows(uri), "{uri}");
        }
    }

    #[test]
    fn basic_parts_are_form_decoded() {
        let header = |credentials: &str| format!("Basic {}", Base64::encode_to_string(credentials).unwrap());
        let good = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(basic(&header("a:b")), good("a", "b"));
        assert_eq!(basic(&header("a:b").replace("Basic", "bAsIc")), good("a", "b"));
        assert_eq!(basic(&header("a%3Ab:%25+%C3%A9%2B")), good("a:b", "% \u{e9}+"));
        for bad in ["a", "a:b:c", "a:b c", "a:%", "a:%ff", "a@b:c", "a:\u{e9}"] {
            assert_eq!(basic(&header(bad)), None, "{bad}");
        }
        for bad in ["Basic", "Basic !!", "Bearer YTpi", "Basic YTpi=", "BasicYTpi"] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", Client::basic("c", "hush")).contains("hush"));
    }
}
