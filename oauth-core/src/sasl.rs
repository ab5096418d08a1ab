//! An access token in a mail session: `OAUTHBEARER` (RFC 7628) and its forerunner `XOAUTH2`, which Google and Microsoft
//! speak.
//!
//! In scope: what the client sends first, what a server says when it refuses, and what the client sends then. Out of
//! scope: IMAP, POP and SMTP around it.

use crate::bearer::{self, InvalidBearerToken};
use crate::challenge::{Challenge, Challenges};
use crate::failure::Malformed;
use crate::json::{self, Value};
use crate::policy::Policy;
use crate::registry::{ErrorCode, TokenType};
use crate::request::{Endpoint, EndpointError};
use crate::scope::Scope;
use crate::secret::AccessToken;
use crate::text::{json_or_base64, printable};
use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use zeroize::Zeroizing;

/// What is read of a server's answer at most.
const MAX_ANSWER: usize = 64 << 10;

/// A SASL mechanism that carries an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SaslMechanism {
    /// RFC 7628.
    Oauthbearer,
    /// What was there before the RFC; Gmail and Exchange Online take it.
    Xoauth2,
}

impl SaslMechanism {
    /// The name by which `AUTH` and `AUTHENTICATE` know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oauthbearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// What the client sends after the server's error answer; the server ends the exchange only then.
    ///
    /// As it is; the mail protocols send it as [base64](Self::dummy_response_base64).
    #[must_use]
    pub const fn dummy_response(self) -> &'static str {
        match self {
            // RFC 7628 section 3.2.3: a single %x01.
            Self::Oauthbearer => "\u{1}",
            Self::Xoauth2 => "",
        }
    }

    /// The same as base64: an empty line for `XOAUTH2`.
    #[must_use]
    pub const fn dummy_response_base64(self) -> &'static str {
        match self {
            Self::Oauthbearer => "AQ==",
            Self::Xoauth2 => "",
        }
    }
}

impl fmt::Display for SaslMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The initial client response: who, and with which token.
///
/// No `Display`, a blind `Debug`, wiped on drop.
///
/// ```
/// use oauth_core::{AccessToken, SaslResponse};
///
/// let token = AccessToken::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
/// let response = SaslResponse::xoauth2("someuser@example.com", &token)?;
/// let line = format!("AUTH {} {}", response.mechanism(), response.expose_base64());
/// assert!(line.starts_with("AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5"));
/// # Ok::<(), oauth_core::SaslError>(())
/// ```
#[derive(Clone)]
pub struct SaslResponse {
    mechanism: SaslMechanism,
    text: Zeroizing<String>,
    base64: Zeroizing<String>,
}

impl SaslResponse {
    /// The response of `XOAUTH2`: the mailbox, mostly an address, and the token.
    ///
    /// # Errors
    /// The user or the token would break out of its place.
    pub fn xoauth2(user: &str, token: &AccessToken) -> Result<Self, SaslError> {
        let user = checked_user(user)?;
        Self::build(SaslMechanism::Xoauth2, &["user=", user, "\u{1}"], token)
    }

    /// The response of `OAUTHBEARER`, without channel binding (RFC 7628 section 3.1).
    ///
    /// `authzid` is the user to act as: most servers want the mailbox, some tell it from the token. `service` is the
    /// host name and the port that the client connected to: advice to the server, without which most do.
    ///
    /// # Errors
    /// The user, the host or the token would break out of its place.
    pub fn oauthbearer(
        authzid: Option<&str>,
        service: Option<(&str, u16)>,
        token: &AccessToken,
    ) -> Result<Self, SaslError> {
        // RFC 5801 section 4: the two characters that the header has a use for are written out.
        let authzid = match authzid {
            Some(user) => ["a=", &checked_user(user)?.replace('=', "=3D").replace(',', "=2C")].concat(),
            None => String::new(),
        };
        let service = match service {
            Some((host, port)) => {
                ["host=", checked_host(host)?, "\u{1}port=", &port.to_string(), "\u{1}"].concat()
            }
            None => String::new(),
        };
        Self::build(SaslMechanism::Oauthbearer, &["n,", &authzid, ",\u{1}", &service], token)
    }

    fn build(mechanism: SaslMechanism, before: &[&str], token: &AccessToken) -> Result<Self, SaslError> {
        if !bearer::is_b64token(token.expose()) {
            return Err(SaslError::Token(InvalidBearerToken));
        }
        let parts = ["auth=", bearer::SCHEME, token.expose(), "\u{1}\u{1}"];
        let parts = || before.iter().chain(&parts);
        // Large enough from the beginning: text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(parts().map(|part| part.len()).sum()));
        parts().for_each(|part| text.push_str(part));
        let base64 = Zeroizing::new(STANDARD.encode(text.as_bytes()));
        Ok(Self { mechanism, text, base64 })
    }

    /// The mechanism that the response is of.
    #[must_use]
    pub const fn mechanism(&self) -> SaslMechanism {
        self.mechanism
    }

    /// Shows the secret, for a library that encodes it. It has control characters in it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Shows the secret as base64 on one line: what the mail protocols send.
    #[must_use]
    pub fn expose_base64(&self) -> &str {
        &self.base64
    }
}

impl fmt::Debug for SaslResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SaslResponse({} [redacted])", self.mechanism)
    }
}

fn checked_user(user: &str) -> Result<&str, SaslError> {
    // ^A would end the part, a line break the command, and NUL is nobody's.
    if user.is_empty() || user.chars().any(char::is_control) { Err(SaslError::User) } else { Ok(user) }
}

fn checked_host(host: &str) -> Result<&str, SaslError> {
    let valid = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic());
    if valid { Ok(host) } else { Err(SaslError::Host) }
}

/// What cannot be put into a SASL response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaslError {
    /// The user is empty or has a control character.
    User,
    /// The host is empty, or has a character that no host name has.
    Host,
    /// The access token is no bearer token.
    Token(InvalidBearerToken),
}

impl fmt::Display for SaslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("the user is empty or has a control character: give the mailbox's address"),
            Self::Host => f.write_str(
                "the host is empty, or has a character that no host name has: give the mail server's name in ASCII",
            ),
            Self::Token(why) => write!(f, "{why}"),
        }
    }
}

impl core::error::Error for SaslError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Token(why) => Some(why),
            Self::User | Self::Host => None,
        }
    }
}

/// The answer of a mail server that refuses a token (RFC 7628 section 3.2.2).
///
/// The server waits for the [dummy response](SaslMechanism::dummy_response) before it ends the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaslFailure {
    /// Why, printable characters only: `invalid_token`, say. Google sends an HTTP status instead.
    pub status: ErrorCode,
    /// The scope that the server needs.
    pub scope: Option<Scope>,
    /// Where the server's authorization server describes itself, or why this URL may not be asked.
    ///
    /// The mail server chose it: a person who is sent there has to see which host it is (RFC 7628 section 5).
    pub openid_configuration: Option<Result<Endpoint, EndpointError>>,
}

impl SaslFailure {
    /// Reads the answer: JSON, plain or as base64, as it stands after `+ ` or `334 `.
    ///
    /// # Errors
    /// It is no such answer: Exchange Online, say, refuses in words.
    pub fn read(answer: &[u8], policy: &Policy) -> Result<Self, Malformed> {
        if answer.len() > MAX_ANSWER {
            return Err(Malformed::TooLarge);
        }
        let body = json_or_base64(answer).ok_or(Malformed::NotJson)?;
        let (mut status, mut scope, mut openid_configuration) = (None, None, None);
        json::members(
            &body,
            |_| Some(()),
            |(), name, value| match name {
                "status" => status = Some(value),
                "scope" => scope = value.into_string().and_then(|scope| Scope::new(&scope).ok()),
                "openid-configuration" => {
                    let url = value.into_string().filter(|url| !url.is_empty());
                    openid_configuration = url.map(|url| Endpoint::new(&url, policy));
                }
                _ => {}
            },
        )?;
        let status = match status {
            Some(Value::String(status)) => printable(&status, 80),
            Some(Value::Unsigned(status)) => status.to_string(),
            Some(Value::Null) | None => return Err(Malformed::Missing("status")),
            Some(
                Value::Bool(_) | Value::Float(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
            ) => String::new(),
        };
        if status.is_empty() {
            return Err(Malformed::Invalid("status"));
        }
        Ok(Self { status: ErrorCode::from_text(&status), scope, openid_configuration })
    }

    /// The answer as a resource on the web would give it, for [`Attempts::next_action`] with status 401.
    ///
    /// [`Attempts::next_action`]: crate::Attempts::next_action
    #[must_use]
    pub fn challenges(&self) -> Challenges {
        let error = match self.status.as_str() {
            // Google sends statuses, and 400 of any token that it does not take.
            "400" | "401" => ErrorCode::INVALID_TOKEN,
            "403" => ErrorCode::INSUFFICIENT_SCOPE,
            _ => self.status.clone(),
        };
        let mut params = Vec::from([("error".to_owned(), error.as_str().to_owned())]);
        params.extend(self.scope.iter().map(|scope| ("scope".to_owned(), scope.as_str().to_owned())));
        Challenges::from_list(Vec::from([Challenge::new(TokenType::BEARER.as_str(), params)]))
    }
}

impl fmt::Display for SaslFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mail server refused the access token: {}", self.status)?;
        if let Some(scope) = &self.scope {
            write!(f, "; it needs the scope {scope}")?;
        }
        Ok(())
    }
}

impl core::error::Error for SaslFailure {}

#[cfg(test)]
mod tests;
