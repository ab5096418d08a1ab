//! The knobs of one server, and what they say.

use crate::json::Value;
use crate::registry::AuthMethod;
use crate::time::Unix;
use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;
use http::header::{HeaderName, HeaderValue};

/// What is odd about a server. Nothing, as a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    pub(super) parameters: Vec<(String, String)>,
    pub(super) scope_separator: Option<String>,
    pub(super) unescaped_scope: bool,
    pub(super) authentication: Option<Placement>,
    pub(super) token_request: Format,
    pub(super) authorize: Vec<(String, String)>,
    pub(super) token: Vec<(String, String)>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) refresh_endpoint: Option<String>,
    pub(super) fragment: Option<String>,
    pub(super) grant_types: Vec<(String, String)>,
    pub(super) answer: Vec<(String, String)>,
    pub(super) errors: Vec<(String, String)>,
    pub(super) expiry: Expiry,
    pub(super) expiry_zero_is_never: bool,
    pub(super) token_type_missing: bool,
    pub(super) bearer_types: Vec<String>,
    pub(super) callback: Vec<(String, String)>,
    pub(super) keep: Vec<String>,
    pub(super) refused_unless: Option<(String, Literal)>,
}

/// Where the client's secret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    Basic,
    Post,
    /// `Authorization: Bearer`, as if the secret were a token.
    Bearer,
}

/// What a token request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Form,
    Json,
    Query,
}

/// The unit of an expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Expiry {
    #[default]
    Seconds,
    Milliseconds,
    Epoch,
}

/// A value that a member is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Bool(bool),
    Number(u64),
    Text(String),
}

impl Quirks {
    /// The credential placements that the server takes.
    pub(super) fn auth_methods(&self) -> Option<Vec<AuthMethod>> {
        match self.authentication? {
            Placement::Basic => Some(Vec::from([AuthMethod::CLIENT_SECRET_BASIC])),
            Placement::Post | Placement::Bearer => Some(Vec::from([AuthMethod::CLIENT_SECRET_POST])),
        }
    }

    /// Whether the secret goes where a token belongs.
    pub(crate) fn secret_is_presented_as_a_token(&self) -> bool {
        self.authentication == Some(Placement::Bearer)
    }

    /// Whether what a token request carries travels in a URL.
    pub(crate) fn credentials_travel_in_urls(&self) -> bool {
        self.token_request == Format::Query
    }

    /// Where refresh tokens are sent.
    pub(crate) fn refresh_endpoint(&self) -> Option<&str> {
        self.refresh_endpoint.as_deref()
    }

    /// What ends the authorization URL.
    pub(crate) fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// What this server calls a parameter of a request.
    pub(crate) fn parameter<'a>(&'a self, name: &'a str) -> &'a str {
        renamed(&self.parameters, name)
    }

    /// What a parameter of this server's authorization response is in OAuth.
    pub(crate) fn callback<'a>(&'a self, name: &'a str) -> &'a str {
        match self.callback.iter().find(|(_, theirs)| theirs == name) {
            Some((ours, _)) => ours,
            // By its own name it is another thing.
            None if self.callback.iter().any(|(ours, _)| ours == name) => "",
            None => name,
        }
    }

    /// Whether tokens of this type are presented as bearer tokens.
    pub(crate) fn is_bearer(&self, token_type: Option<&str>) -> bool {
        token_type.map_or(self.token_type_missing, |token_type| {
            self.bearer_types.iter().any(|known| known.eq_ignore_ascii_case(token_type))
        })
    }

    /// How long a token lives whose answer has this expiry.
    pub(crate) fn life(&self, expiry: Duration, now: Unix) -> Option<Duration> {
        if expiry.is_zero() && self.expiry_zero_is_never {
            return None;
        }
        Some(match self.expiry {
            Expiry::Seconds => expiry,
            Expiry::Milliseconds => expiry / 1000,
            Expiry::Epoch => Unix(expiry.as_secs()).since(now),
        })
    }

    /// The member of an answer that is this one in OAuth.
    pub(crate) fn find<'v, 'a>(&self, answer: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
        at(answer, renamed(&self.answer, name))
    }

    /// The error code of an answer, in OAuth's own words where the profile has them.
    pub(crate) fn error<'a>(&self, answer: &Value<'a>) -> Option<Value<'a>> {
        let error = self.find(answer, "error")?;
        let theirs = error.as_str().map_or_else(|| Cow::Owned(error.to_string()), Cow::Borrowed);
        let ours = self.errors.iter().find(|(known, _)| *known == theirs);
        Some(ours.map_or_else(|| error.clone(), |(_, ours)| Value::text(ours.as_str())))
    }

    /// What of an answer is kept, by the name that the profile has for it.
    pub(crate) fn kept(&self, answer: &Value<'_>) -> Vec<(String, Value<'static>)> {
        let kept = |path: &String| Some((path.clone(), at(answer, path)?.clone().into_owned()));
        self.keep.iter().filter_map(kept).collect()
    }

    /// What says no, where an answer has it and it does not say yes.
    pub(crate) fn refusal<'a>(&self, answer: &Value<'_>) -> Option<Value<'a>> {
        let (path, wanted) = self.refused_unless.as_ref()?;
        let value = at(answer, path)?;
        let same = match (value, wanted) {
            (Value::Bool(value), Literal::Bool(wanted)) => value == wanted,
            (Value::Unsigned(value), Literal::Number(wanted)) => value == wanted,
            (Value::String(value), Literal::Text(wanted)) => **value == **wanted,
            _ => false,
        };
        (!same).then(|| Value::text(alloc::format!("{path} {value}")))
    }
}

fn renamed<'a>(names: &'a [(String, String)], name: &'a str) -> &'a str {
    names.iter().find(|(ours, _)| ours == name).map_or(name, |(_, theirs)| theirs)
}

/// The member at the end of a path of names with dots between them.
fn at<'v, 'a>(value: &'v Value<'a>, path: &str) -> Option<&'v Value<'a>> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
        Value::Null
        | Value::Bool(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_) => None,
    })
}

/// The text of a scope as this server takes it.
pub(super) fn scope<'a>(separator: Option<&str>, scope: &'a str) -> Cow<'a, str> {
    match separator {
        Some(separator) => Cow::Owned(scope.replace(' ', separator)),
        None => Cow::Borrowed(scope),
    }
}
