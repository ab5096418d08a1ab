//! The answer of a token endpoint: success (RFC 6749 section 5.1) and error (section 5.2).

use crate::date;
use crate::failure::{Error, Failure, Malformed, Refusal, Rejected, Unavailable};
use crate::form;
use crate::json::{self, Value};
use crate::registry::{ErrorCode, TokenType};
use crate::request::Response;
use crate::scope::Scope;
use crate::secret::{AccessToken, ClientSecret, IdToken, RefreshToken};
use crate::text::{is_vschar, printable, scrub};
use crate::time::{Now, Unix};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use http::StatusCode;

/// What a successful token request brings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// Opens protected resources.
    pub access_token: AccessToken,
    /// How the access token is presented.
    pub token_type: TokenType,
    /// When the access token ends, counted from the receipt of the response; `None` when the server does not say.
    pub expires_at: Option<Unix>,
    /// Obtains the next access token. After a refresh it is the one to keep, new or still the old one.
    pub refresh_token: Option<RefreshToken>,
    /// What was granted; what was asked for when the server says nothing (RFC 6749 section 5.1).
    pub scope: Option<Scope>,
    /// An ID Token that came along, **not checked**.
    pub id_token: Option<IdToken>,
}

/// An expiry that is believed at most: a year. Some servers send the largest number that they know.
const LONGEST_LIFE: Duration = Duration::from_secs(366 * 86_400);

/// What the members of a response hold, before any rule is applied: so that no rule loses a refresh token.
#[derive(Default)]
struct Members<'a> {
    access_token: Option<Value<'a>>,
    token_type: Option<Value<'a>>,
    expires_in: Option<Value<'a>>,
    refresh_token: Option<Value<'a>>,
    scope: Option<Value<'a>>,
    id_token: Option<Value<'a>>,
    error: Option<Value<'a>>,
    error_description: Option<Value<'a>>,
    error_uri: Option<Value<'a>>,
    interval: Option<Value<'a>>,
}

impl<'a> Members<'a> {
    fn read(body: &'a [u8]) -> (Self, Result<(), Malformed>) {
        let mut members = Self::default();
        let read = json::members(body, |name, value| {
            let member = match name {
                "access_token" => &mut members.access_token,
                "token_type" => &mut members.token_type,
                "expires_in" => &mut members.expires_in,
                "refresh_token" => &mut members.refresh_token,
                "scope" => &mut members.scope,
                "id_token" => &mut members.id_token,
                "error" => &mut members.error,
                "error_description" => &mut members.error_description,
                "error_uri" => &mut members.error_uri,
                "interval" => &mut members.interval,
                _ => return,
            };
            // A null is a member that is not there; of two, the first is kept and the document refused.
            if member.is_none() && value != Value::Null {
                *member = Some(value);
            }
        });
        (members, read)
    }

    fn rescued(&self) -> Option<RefreshToken> {
        match &self.refresh_token {
            Some(Value::String(token)) if is_vschar(token) => Some(RefreshToken::new(&**token)),
            _ => None,
        }
    }
}

/// What a token endpoint said, before a grant has its say.
pub(crate) enum Answer {
    Tokens(Tokens),
    /// A refusal, and the `interval` that some servers add to `slow_down`.
    Refused(Failure, Option<Duration>),
    Failed(Failure),
}

/// Reads the answer of a token endpoint. `sent` is the form that was sent, so that no message repeats a secret of it.
pub(crate) fn read(response: &Response, now: Now, sent: impl FnOnce() -> Scrub) -> Answer {
    let status = response.status();
    if let Some(failure) = outage(response, now) {
        return Answer::Failed(failure);
    }
    let (mut members, syntax) = Members::read(response.body());
    // An empty one is as good as none, as it is everywhere.
    members.error.take_if(|error| matches!(error, Value::String(code) if code.is_empty()));
    let rescued = members.rescued();
    let fail = |error: Error| Failure::from(error).with_status(status).with_rescued(rescued.clone());
    // RFC 6749 section 5.2, and what the field does: an error counts at any status, 200 included.
    if let (Some(Value::String(code)), Ok(())) = (&members.error, &syntax) {
        let mut secrets = sent();
        for received in [members.access_token, members.refresh_token, members.id_token].into_iter().flatten()
        {
            secrets.add(received.into_string());
        }
        let refusal = refusal(code, members.error_description, members.error_uri, &secrets);
        return Answer::Refused(fail(Error::Server(refusal)), members.interval.and_then(seconds));
    }
    if status.is_redirection() {
        return Answer::Failed(fail(Error::Malformed(Malformed::Redirect)));
    }
    if !status.is_success() {
        let excerpt = excerpt(response.body(), &sent());
        return Answer::Failed(fail(Error::Malformed(Malformed::Status)).with_excerpt(excerpt));
    }
    if let Err(malformed) = syntax {
        return Answer::Failed(fail(Error::Malformed(sent().malformed(malformed))));
    }
    if members.error.is_some() {
        return Answer::Failed(fail(Error::Malformed(Malformed::Invalid("error"))));
    }
    match success(members, now, rescued.clone(), sent) {
        Ok(tokens) => Answer::Tokens(tokens),
        Err(error) => Answer::Failed(fail(error)),
    }
}

/// The server is in trouble or busy: whatever its body says is not a verdict.
pub(crate) fn outage(response: &Response, now: Now) -> Option<Failure> {
    let status = response.status();
    (status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS).then(|| {
        let retry_after = date::retry_after(response.headers(), now.unix);
        Failure::from(Error::Unavailable(Unavailable { status, retry_after })).with_status(status)
    })
}

fn success(
    members: Members<'_>,
    now: Now,
    refresh_token: Option<RefreshToken>,
    sent: impl FnOnce() -> Scrub,
) -> Result<Tokens, Error> {
    // RFC 6749 section 5.1 and appendix A.12. A token with a line break in it would split the header it is put into.
    let access_token = required(members.access_token, "access_token")?;
    let token_type = required(members.token_type, "token_type")?;
    let token_type = if token_type.eq_ignore_ascii_case(TokenType::BEARER.as_str()) {
        TokenType::BEARER
    } else {
        // RFC 6749 section 7.1: a client must not use a token whose type it does not understand.
        // Some servers mix members up: what is shown is enough for the name of a type, and opens nothing.
        let mut secrets = sent();
        secrets.add(Some(access_token));
        secrets.add(members.refresh_token.and_then(Value::into_string));
        return Err(Error::Rejected(Rejected::TokenType(secrets.shown(&token_type, 8))));
    };
    // An empty one is as good as none; one that cannot be sent back is the server's fault.
    let refresh_token = match members.refresh_token {
        Some(Value::String(text)) if text.is_empty() => None,
        Some(_) if refresh_token.is_none() => {
            return Err(Error::Malformed(Malformed::Invalid("refresh_token")));
        }
        _ => refresh_token,
    };
    Ok(Tokens {
        access_token: AccessToken::new(access_token),
        token_type,
        expires_at: members.expires_in.and_then(seconds).map(|life| now.unix.after(life.min(LONGEST_LIFE))),
        refresh_token,
        scope: members.scope.and_then(scope),
        id_token: members.id_token.and_then(Value::into_string).map(IdToken::new),
    })
}

fn required<'a>(member: Option<Value<'a>>, name: &'static str) -> Result<Cow<'a, str>, Error> {
    let value = member.ok_or(Error::Malformed(Malformed::Missing(name)))?;
    value.into_string().filter(|text| is_vschar(text)).ok_or(Error::Malformed(Malformed::Invalid(name)))
}

/// A number of seconds: a number, a fraction, or either as text. Anything else is as good as nothing: what is only
/// advice must not cost a token.
pub(crate) fn seconds(value: Value<'_>) -> Option<Duration> {
    let seconds = match value {
        Value::Unsigned(seconds) => return Some(Duration::from_secs(seconds)),
        Value::Float(seconds) => seconds,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Scope values as text, or as a list of texts. What is no scope value makes it as good as nothing.
fn scope(value: Value<'_>) -> Option<Scope> {
    let mut text = String::new();
    match value {
        Value::String(list) => text.push_str(&list),
        Value::Array(values) => {
            for value in values.into_iter().filter_map(Value::into_string) {
                text.push_str(&value);
                text.push(' ');
            }
        }
        Value::Null | Value::Bool(_) | Value::Unsigned(_) | Value::Float(_) | Value::Object(_) => {
            return None;
        }
    }
    Scope::new(&text).ok()
}

/// Reads `error_description` and `error_uri` beside an error code, for any endpoint.
pub(crate) fn refusal(
    code: &str,
    description: Option<Value<'_>>,
    uri: Option<Value<'_>>,
    sent: &Scrub,
) -> Refusal {
    let shown = |value: Option<Value<'_>>| {
        value.and_then(Value::into_string).map(|text| sent.shown(&text, 400)).filter(|text| !text.is_empty())
    };
    let code = sent.shown(code, 80);
    Refusal {
        code: ErrorCode::from_text(if code.is_empty() { "[unreadable]" } else { &code }),
        description: shown(description),
        uri: shown(uri),
    }
}

/// The `error` of a body, whatever the status says.
pub(crate) fn error_code(response: &Response) -> Option<ErrorCode> {
    let (members, syntax) = Members::read(response.body());
    syntax.ok()?;
    members.error.and_then(Value::into_string).map(|code| ErrorCode::from_text(&code))
}

/// The first words of a body that could not be read; none of one that seems to hold credentials.
pub(crate) fn excerpt(body: &[u8], sent: &Scrub) -> Option<String> {
    const CREDENTIALS: [&str; 5] =
        ["access_token", "refresh_token", "id_token", "device_code", "client_secret"];
    let text = String::from_utf8_lossy(body);
    if CREDENTIALS.iter().any(|name| text.contains(name)) {
        return None;
    }
    Some(sent.shown(&text, 160)).filter(|text| !text.is_empty())
}

/// What must not be shown: the values of the form that was sent, and the secrets beside it.
pub(crate) struct Scrub {
    form: Option<form::Form>,
    secrets: Vec<ClientSecret>,
}

impl Scrub {
    /// Parameters whose values are no secret, and useful in a message.
    const PUBLIC: [&str; 6] = ["grant_type", "client_id", "scope", "redirect_uri", "resource", "audience"];

    pub(crate) const fn new(form: form::Form, secrets: Vec<ClientSecret>) -> Self {
        Self { form: Some(form), secrets }
    }

    /// Nothing secret was sent.
    pub(crate) const fn nothing() -> Self {
        Self { form: None, secrets: Vec::new() }
    }

    /// One more secret.
    pub(crate) fn add(&mut self, secret: Option<impl Into<String>>) {
        self.secrets.extend(secret.map(ClientSecret::new));
    }

    /// At most `max` printable characters of the text, without any secret.
    pub(crate) fn shown(&self, text: &str, max: usize) -> String {
        // Twice, and the cut comes last: neither a character that is taken out nor the cut may hide a secret.
        let printed = printable(&self.clean(text.into()), usize::MAX);
        printable(&self.clean(printed), max)
    }

    pub(crate) fn malformed(&self, malformed: Malformed) -> Malformed {
        if let Malformed::Duplicate(name) = &malformed {
            return Malformed::Duplicate(self.shown(name, 40));
        }
        malformed
    }

    fn clean(&self, mut text: String) -> String {
        let sent = self.form.iter().flat_map(|form| form::pairs(form.as_slice()).flatten());
        let mut secrets: Vec<_> =
            sent.filter(|(name, _)| !Self::PUBLIC.contains(&&**name)).map(|(_, value)| value).collect();
        secrets.extend(self.secrets.iter().map(|secret| Cow::Borrowed(secret.expose())));
        // A long one first: it may hold a shorter one.
        secrets.sort_by_key(|secret| core::cmp::Reverse(secret.len()));
        for secret in secrets {
            text = scrub(text, &secret);
        }
        text
    }
}

#[cfg(test)]
mod tests;
