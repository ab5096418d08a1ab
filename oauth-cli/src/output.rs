//! Standard output: one line, made for the next tool.

use crate::args::Output;
use crate::exit::{Exit, Problem};
use oauth::Authorization;
use serde_json::{Map, Value};
use std::io::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// The line for an authorization.
pub(crate) fn line(authorization: &Authorization, output: Output) -> Result<Zeroizing<String>, Problem> {
    let value = authorization.header_value();
    Ok(Zeroizing::new(match output {
        Output::Bearer => value.to_owned(),
        Output::Header => format!("Authorization: {value}"),
        Output::Token => authorization.token().to_owned(),
        Output::IdToken => match authorization.id_token() {
            Some(token) => token.expose().to_owned(),
            None => {
                return Err(Problem::new(
                    Exit::Network,
                    "the server sent no ID token",
                    "ask for the scope openid, and check that the server speaks OpenID Connect",
                ));
            }
        },
        Output::Json => json(authorization),
        // A token is visible ASCII; within single quotes only the quote itself means something to a shell.
        Output::Env => format!(
            "OAUTH_TOKEN='{}' OAUTH_AUTHORIZATION='{}'",
            authorization.token().replace('\'', r"'\''"),
            value.replace('\'', r"'\''")
        ),
        // In a curl config file a quoted value has these two escapes.
        Output::Curl => {
            format!("header = \"Authorization: {}\"", value.replace('\\', r"\\").replace('"', "\\\""))
        }
    }))
}

fn json(authorization: &Authorization) -> String {
    let mut object = Map::new();
    let mut member = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    };
    member("access_token", Some(authorization.token().into()));
    member("token_type", Some("Bearer".into()));
    let expires_at = authorization.expires_at().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    member("expires_at", expires_at.map(|at| at.as_secs().into()));
    member("scope", authorization.scope().map(|scope| scope.as_str().into()));
    member("refresh_token", authorization.refresh_token().map(|token| token.expose().into()));
    member("id_token", authorization.id_token().map(|token| token.expose().into()));
    Value::Object(object).to_string()
}

/// What was granted, for people: everything but the tokens.
pub(crate) fn summary(authorization: &Authorization) -> String {
    let scope = authorization.scope().map_or("as the server likes", |scope| scope.as_str());
    let life = authorization.expires_at().and_then(|at| at.duration_since(SystemTime::now()).ok());
    let life =
        life.map_or_else(|| "not said".to_owned(), |life| format!("in {} min", life.as_secs().div_ceil(60)));
    let refresh = if authorization.refresh_token().is_some() { "yes" } else { "no" };
    format!("scope: {scope}   expires: {life}   refresh token: {refresh}")
}

/// Writes the line, whole or with an error.
pub(crate) fn print(line: &str) -> Result<(), Problem> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|error| {
        Problem::new(
            Exit::Other,
            format_args!("the authorization could not be written to standard output: {error}"),
            "check what standard output is connected to",
        )
    })
}
