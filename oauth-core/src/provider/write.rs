//! Where the knobs act on what leaves: the authorization URL, and the requests of a client.

use super::quirks::{Format, Quirks, scope};
use crate::client::ConfigError;
use crate::form::{self, Form, encode_into};
use crate::json::quote;
use crate::policy::Policy;
use crate::request::{Endpoint, Purpose, Request};
use crate::secret::SecretBytes;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use zeroize::Zeroizing;

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

impl Quirks {
    /// The parameters of an authorization request as this server takes them, each with its `&`.
    pub(crate) fn authorization_query<'a>(
        &'a self,
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let mut query = String::new();
        let mut seen = Vec::new();
        let own = self.authorize.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in pairs.chain(own) {
            // What the program sets, counts.
            if seen.contains(&name) && name != "resource" {
                continue;
            }
            seen.push(name);
            query.push('&');
            encode_into(self.parameter(name), &mut query);
            query.push('=');
            if name != "scope" {
                encode_into(value, &mut query);
                continue;
            }
            let from = query.len();
            encode_into(&scope(self.scope_separator.as_deref(), value), &mut query);
            if self.unescaped_scope {
                // These mean nothing in a query: no parameter can be smuggled in.
                let plain = query.split_off(from).replace("%2C", ",").replace("%3A", ":").replace("%2F", "/");
                query.push_str(&plain);
            }
        }
        query
    }

    /// A request of a client as this server takes it.
    pub(crate) fn request(
        &self,
        purpose: Purpose,
        endpoint: Arc<Endpoint>,
        refresh_endpoint: Option<&Arc<Endpoint>>,
        form: &Form,
        policy: &Policy,
    ) -> Result<Request, ConfigError> {
        let mut pairs: Vec<Pair<'_>> = form::pairs(form.as_slice()).flatten().collect();
        let is =
            |grant_type: &str| pairs.iter().any(|(name, value)| name == "grant_type" && value == grant_type);
        let endpoint = match refresh_endpoint {
            Some(other) if purpose == Purpose::Token && is("refresh_token") => Arc::clone(other),
            _ => endpoint,
        };
        for (name, value) in &mut pairs {
            match &**name {
                "scope" => *value = Cow::Owned(scope(self.scope_separator.as_deref(), value).into_owned()),
                "grant_type" => {
                    if let Some((_, theirs)) = self.grant_types.iter().find(|(ours, _)| **ours == **value) {
                        *value = Cow::Owned(theirs.clone());
                    }
                }
                _ => {}
            }
            *name = Cow::Owned(self.parameter(name).into());
        }
        if purpose != Purpose::Token {
            return Ok(Request::form(purpose, endpoint, written(&pairs).finish()));
        }
        for (name, value) in &self.token {
            if pairs.iter().all(|(known, _)| known != name) {
                pairs.push((name.as_str().into(), value.as_str().into()));
            }
        }
        let request = match self.token_request {
            Format::Form => Request::form(purpose, endpoint, written(&pairs).finish()),
            Format::Json => Request::json(purpose, http::Method::POST, endpoint, document(&pairs)),
            Format::Query => {
                let form = written(&pairs).finish();
                let mut url = endpoint.url().clone();
                let query = Zeroizing::new(String::from_utf8_lossy(form.expose()).into_owned());
                url.set_query(Some(&query));
                let name = "token_endpoint";
                let place =
                    Endpoint::new(url.as_str(), policy).map_err(|why| ConfigError::Endpoint { name, why })?;
                Request::get(purpose, Arc::new(place))
            }
        };
        let headers = self.headers.iter().cloned();
        Ok(headers.fold(request, |request, (name, value)| request.with_header(name, value)))
    }
}

fn written(pairs: &[Pair<'_>]) -> Form {
    let mut form = Form::with_capacity(512);
    for (name, value) in pairs {
        form.pair(name, value);
    }
    form
}

/// A JSON object; a parameter that comes more than once (RFC 8707 section 2) is a list.
fn document(pairs: &[Pair<'_>]) -> SecretBytes {
    let length = pairs.iter().map(|(name, value)| name.len() + 6 * value.len() + 8).sum();
    let mut document = String::with_capacity(length);
    for (at, (name, value)) in pairs.iter().enumerate() {
        if pairs.iter().take(at).any(|(earlier, _)| earlier == name) {
            continue;
        }
        document.push(if at == 0 { '{' } else { ',' });
        quote(name, &mut document);
        document.push(':');
        let mut same = pairs.iter().skip(at + 1).filter(|(later, _)| later == name).peekable();
        if same.peek().is_none() {
            quote(value, &mut document);
            continue;
        }
        document.push('[');
        quote(value, &mut document);
        for (_, value) in same {
            document.push(',');
            quote(value, &mut document);
        }
        document.push(']');
    }
    document.push('}');
    SecretBytes::new(document)
}
