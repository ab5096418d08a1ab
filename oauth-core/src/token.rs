//! The answer of a token endpoint: success (RFC 6749 section 5.1) and error (section 5.2).
//!
//! Strict where a mistake would be believed or sent on, lenient with what is only advice, and nothing loses a refresh
//! token. What says no in another dialect than OAuth's is in [`told`].

use crate::body::{self, member_fields};
use crate::claims::IdTokenClaims;
use crate::date;
use crate::exchange::Grant;
use crate::failure::{Error, Failure, Malformed, Refusal, Rejected, Unavailable};
use crate::form;
use crate::json::{self, Value, Wanted};
use crate::provider::quirks::Quirks;
use crate::registry::{ErrorCode, TokenType, TokenTypeIdentifier};
use crate::request::Response;
use crate::scope::Scope;
use crate::secret::{AccessToken, ClientSecret, IdToken, RefreshToken};
use crate::text::{all, is_vschar, printable, scrub};
use crate::time::{Now, Unix};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use http::StatusCode;

/// What a successful token request brings.
#[derive(Clone)]
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
    /// An ID Token that came along, as it came.
    pub id_token: Option<IdToken>,
    /// What the ID token says, where one was asked for: its signature was verified, and its claims checked. Without it,
    /// nobody knows what the ID token is worth.
    pub id_token_claims: Option<Box<IdTokenClaims>>,
    /// What `access_token` holds, where the server says so: after a [`TokenExchange`](crate::TokenExchange), always.
    pub issued_token_type: Option<TokenTypeIdentifier>,
    /// Other members of the answer, those that the server's [`Provider`](crate::Provider) keeps.
    pub extra: Vec<(String, Value<'static>)>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is in the others nobody knows.
        let extra: Vec<_> = self.extra.iter().map(|(name, _)| name).collect();
        f.debug_struct("Tokens")
            .field("access_token", &self.access_token)
            .field("token_type", &self.token_type)
            .field("expires_at", &self.expires_at)
            .field("refresh_token", &self.refresh_token)
            .field("scope", &self.scope)
            .field("id_token", &self.id_token)
            .field("id_token_claims", &self.id_token_claims)
            .field("issued_token_type", &self.issued_token_type)
            .field("extra", &extra)
            .finish()
    }
}

/// An expiry that is believed at most: a year. Some servers send the largest number that they know.
const LONGEST_LIFE: Duration = Duration::from_secs(366 * 86_400);

member_fields! {
    /// What the members of a response hold, before any rule is applied: so that no rule loses a refresh token.
    Members {
        access_token,
        token_type,
        expires_in,
        /// What some servers of before the RFC, and since, call it.
        expires,
        refresh_token,
        scope,
        id_token,
        issued_token_type,
        error,
        error_description,
        error_uri,
        message,
        interval,
    }
}

impl Members<'_> {
    /// What was received is secret, too, wherever else it is said.
    fn secrets(&self, mut sent: Scrub) -> Scrub {
        for received in [&self.access_token, &self.refresh_token, &self.id_token].into_iter().flatten() {
            if let Value::String(text) = received {
                sent.add(Some(&**text));
            }
        }
        sent
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
    /// One of the two errors that mean "not yet" (RFC 8628 section 3.5), and the `interval` that some servers add.
    NotYet(ErrorCode, Option<Duration>),
    Refused(Failure),
    Failed(Failure),
}

/// Reads the answer of a token endpoint to a grant. `sent` is the form that was sent, so that no message repeats a
/// secret of it.
pub(crate) fn read(
    response: &Response,
    now: Now,
    grant: &dyn Grant,
    quirks: Option<&Quirks>,
    sent: impl Fn() -> Scrub,
) -> Answer {
    let status = response.status();
    if let Some(failure) = outage(response, now) {
        return Answer::Failed(failure);
    }
    let mut members = Members::default();
    let syntax = match quirks {
        None => members.read(response.body()),
        Some(quirks) => members.read_of_provider(response.body(), quirks),
    };
    // An empty one is as good as none, as it is everywhere.
    members.error.take_if(|error| is_nothing(error));
    let fail = |rescued, error: Error| Failure::from(error).with_status(status).with_rescued(rescued);
    // RFC 6749 section 5.2, and what the field does: an error counts at any status, 200 included.
    if let (Some(Value::String(code)), Ok(())) = (&members.error, &syntax) {
        let rescued = members.rescued();
        // The answer to nearly every poll: what else it says is not worth reading, unless it brings something.
        if matches!(&**code, "authorization_pending" | "slow_down") && rescued.is_none() {
            return Answer::NotYet(ErrorCode::from_text(code), members.interval.and_then(seconds));
        }
        let secrets = members.secrets(sent());
        let description = members.error_description.or(members.message);
        let refusal = refusal(code, description, members.error_uri, &secrets);
        return Answer::Refused(fail(rescued, Error::Server(refusal)));
    }
    if status.is_redirection() {
        return Answer::Failed(fail(members.rescued(), Error::Malformed(Malformed::Redirect)));
    }
    // What says no in another dialect: at a bad status whatever it can, at a good one in the place of a token.
    let access_token = members.access_token.is_some();
    if !status.is_success() || syntax.is_ok() && (members.error.is_some() || !access_token) {
        let (secrets, rescued) = (members.secrets(sent()), members.rescued());
        if let Some(refusal) = told::refusal(response, &secrets) {
            return Answer::Refused(fail(rescued, Error::Server(refusal)));
        }
        let body = response.body();
        let (malformed, excerpt) = match members.error {
            _ if !status.is_success() => (Malformed::Status, excerpt(body, &secrets)),
            Some(_) => (Malformed::Invalid("error"), told::sentence(body, &secrets)),
            None => (Malformed::Missing("access_token"), told::sentence(body, &secrets)),
        };
        return Answer::Failed(fail(rescued, Error::Malformed(malformed)).with_excerpt(excerpt));
    }
    if let Err(malformed) = syntax {
        let secrets = sent();
        let page = told::page(response.body(), &secrets);
        let error = Error::Malformed(secrets.malformed(malformed));
        return Answer::Failed(fail(members.rescued(), error).with_excerpt(page));
    }
    match success(&mut members, now, grant, quirks, sent) {
        Ok(mut tokens) => {
            if let Some(quirks) = quirks
                && let Ok(answer) = json::value(response.body())
            {
                tokens.extra = quirks.kept(&answer);
            }
            Answer::Tokens(tokens)
        }
        Err((error, rescued)) => Answer::Failed(fail(rescued, error)),
    }
}

impl<'a> Members<'a> {
    /// The members of an answer of a provider that has them elsewhere. What cannot be read as JSON is read as it is
    /// everywhere, so that no refresh token is lost.
    fn read_of_provider(&mut self, body: &'a [u8], quirks: &Quirks) -> Result<(), Malformed> {
        let Ok(answer) = json::value(body) else { return self.read(body) };
        let find = |name| quirks.find(&answer, name).filter(|value| **value != Value::Null).cloned();
        let error = quirks.error(&answer).filter(|error| !is_nothing(error));
        *self = Self {
            access_token: find("access_token"),
            token_type: find("token_type"),
            expires_in: find("expires_in"),
            expires: None,
            refresh_token: find("refresh_token"),
            scope: find("scope"),
            id_token: find("id_token"),
            issued_token_type: find("issued_token_type"),
            error: error.or_else(|| quirks.refusal(&answer)),
            error_description: find("error_description"),
            error_uri: find("error_uri"),
            message: find("message"),
            interval: find("interval"),
        };
        Ok(())
    }
}

/// Reads the tokens of an authorization response that has them in it (RFC 6749 section 4.2.2), and no error.
pub(crate) fn from_fragment(fragment: &[u8], now: Now, grant: &dyn Grant) -> Result<Tokens, Failure> {
    let mut members = Members::default();
    let syntax = members.read(fragment);
    if let Err(malformed) = syntax {
        let malformed = members.secrets(Scrub::nothing()).malformed(malformed);
        return Err(Failure::from(Error::Malformed(malformed)).with_rescued(members.rescued()));
    }
    success(&mut members, now, grant, None, Scrub::nothing)
        .map_err(|(error, rescued)| Failure::from(error).with_rescued(rescued))
}

/// An `error` that says that there is none.
fn is_nothing(error: &Value<'_>) -> bool {
    match error {
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Null | Value::Bool(false) | Value::Unsigned(0) => true,
        Value::Bool(true) | Value::Unsigned(_) | Value::Float(_) | Value::Number(_) => false,
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

/// What was granted, or what is wrong with it and the refresh token that came along all the same.
fn success(
    members: &mut Members<'_>,
    now: Now,
    grant: &dyn Grant,
    quirks: Option<&Quirks>,
    sent: impl Fn() -> Scrub,
) -> Result<Tokens, (Error, Option<RefreshToken>)> {
    let refresh_token = members.rescued();
    // RFC 6749 section 5.1 and appendix A.12. A token with a line break in it would split the header it is put into.
    let access_token = match required(members.access_token.take(), "access_token") {
        Ok(access_token) => access_token,
        Err(error) => return Err((error, refresh_token)),
    };
    let named = members.token_type.as_ref().map(|named| named.as_str().unwrap_or_default());
    let is = |known: TokenType| named.is_some_and(|named| named.eq_ignore_ascii_case(known.as_str()));
    let token_type = if is(TokenType::BEARER) || quirks.is_some_and(|quirks| quirks.is_bearer(named)) {
        TokenType::BEARER
    } else if is(TokenType::N_A) {
        TokenType::N_A
    } else {
        match required(members.token_type.take(), "token_type") {
            Ok(name) => TokenType::other(name),
            Err(error) => return Err((error, refresh_token)),
        }
    };
    if !grant.takes(&token_type) {
        // RFC 6749 section 7.1: a client must not use a token whose type it does not understand.
        // Some servers mix members up: what is shown is enough for the name of a type, and opens nothing.
        let mut secrets = sent();
        secrets.add(Some(access_token));
        secrets.add(members.refresh_token.take().and_then(Value::into_string));
        return Err((
            Error::Rejected(Rejected::TokenType(secrets.shown(token_type.as_str(), 8))),
            refresh_token,
        ));
    }
    // An empty one is as good as none; one that cannot be sent back is the server's fault.
    let empty = matches!(&members.refresh_token, Some(Value::String(text)) if text.is_empty());
    if members.refresh_token.is_some() && refresh_token.is_none() && !empty {
        return Err((Error::Malformed(Malformed::Invalid("refresh_token")), None));
    }
    Ok(Tokens {
        access_token: AccessToken::new(access_token),
        token_type,
        expires_at: life(members.expires_in.take(), members.expires.take(), now.unix, quirks)
            .map(|life| now.unix.after(life)),
        refresh_token,
        scope: members.scope.take().and_then(|value| scope(value, grant.scope())),
        id_token: members.id_token.take().and_then(Value::into_string).map(IdToken::new),
        id_token_claims: None,
        issued_token_type: members
            .issued_token_type
            .take()
            .and_then(Value::into_string)
            .filter(|text| is_vschar(text))
            .map(|text| TokenTypeIdentifier::from_text(&text)),
        extra: Vec::new(),
    })
}

fn required<'a>(member: Option<Value<'a>>, name: &'static str) -> Result<Cow<'a, str>, Error> {
    match member {
        Some(Value::String(text)) if is_vschar(&text) => Ok(text),
        Some(_) => Err(Error::Malformed(Malformed::Invalid(name))),
        None => Err(Error::Malformed(Malformed::Missing(name))),
    }
}

/// How long the access token lives.
fn life(
    expires_in: Option<Value<'_>>,
    expires: Option<Value<'_>>,
    now: Unix,
    quirks: Option<&Quirks>,
) -> Option<Duration> {
    let mut life = expires_in.and_then(seconds);
    if let Some(quirks) = quirks {
        // By its other name it is what the profile does not know.
        return quirks.life(life?, now).map(|life| life.min(LONGEST_LIFE));
    }
    life = life.map(|life| life.min(LONGEST_LIFE));
    // By its other name it may be a date: then it is longer than any life.
    life.or_else(|| expires.and_then(seconds).filter(|life| *life <= LONGEST_LIFE))
}

/// A number of seconds: a number, a fraction, or either as text. Anything else is as good as nothing: what is only
/// advice must not cost a token.
pub(crate) fn seconds(value: Value<'_>) -> Option<Duration> {
    let seconds = match value {
        Value::Unsigned(seconds) => return Some(Duration::from_secs(seconds)),
        Value::Float(seconds) => seconds,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => number.as_str().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Scope values as text, or as a list of texts. What is no scope value makes it as good as nothing.
pub(crate) fn scope(value: Value<'_>, asked: Option<&Scope>) -> Option<Scope> {
    // Mostly what was asked for is granted, and told in the same words.
    if let (Value::String(list), Some(asked)) = (&value, asked)
        && **list == *asked.as_str()
    {
        return Some(asked.clone());
    }
    let mut text = String::new();
    match value {
        Value::String(list) if commas_separate(&list, asked) => text.push_str(&list.replace(',', " ")),
        Value::String(list) => return Scope::new(&list).ok(),
        Value::Array(values) => {
            for value in values.into_iter().filter_map(Value::into_string) {
                text.push_str(&value);
                text.push(' ');
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Number(_)
        | Value::Object(_) => {
            return None;
        }
    }
    Scope::new(&text).ok()
}

/// A scope value may have a comma in it (RFC 6749 section 3.3), and some servers separate values by commas. Those are
/// meant where no space stands without one, and where no value that was asked for has one.
fn commas_separate(list: &str, asked: Option<&Scope>) -> bool {
    if all(list.as_bytes(), |byte| byte != b',') || asked.is_some_and(|asked| asked.as_str().contains(',')) {
        return false;
    }
    let values = list.trim().split(' ').filter(|value| !value.is_empty());
    values.rev().skip(1).all(|value| value.ends_with(','))
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
    let mut members = Members::default();
    members.read(response.body()).ok()?;
    members.error.and_then(Value::into_string).map(|code| ErrorCode::from_text(&code))
}

/// What must not be shown: the values of the form that was sent, and the secrets beside it.
pub(crate) struct Scrub {
    form: Option<form::Form>,
    secrets: Vec<ClientSecret>,
}

impl Scrub {
    /// Parameters whose values are no secret, and useful in a message.
    const PUBLIC: [&str; 10] = [
        "grant_type",
        "client_id",
        "scope",
        "redirect_uri",
        "resource",
        "audience",
        "token_type_hint",
        "requested_token_type",
        "subject_token_type",
        "actor_token_type",
    ];

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

pub(crate) mod told;
pub(crate) use told::excerpt;

#[cfg(test)]
mod tests;
