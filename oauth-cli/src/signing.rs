//! The key that signs for the client, or an assertion: that of `--signing-key`, or the one of the profile's settings.

use crate::args::Authorize;
use crate::exit::Problem;
use crate::profile::Settings;
use crate::secret_file;
use oauth::core::{Client, JwtBearer, KeyId};
use oauth::jwt::SigningKey;
use std::path::Path;
use std::time::Duration;

/// Whether there is such a key.
pub(crate) fn is_named(args: &Authorize) -> bool {
    args.request.signing_key.is_some() || settings(args).is_some()
}

/// The key, where there is one.
pub(crate) fn key(args: &Authorize) -> Result<Option<SigningKey>, Problem> {
    match (&args.request.signing_key, settings(args)) {
        (Some(path), _) => read(path).map(Some),
        (None, Some(settings)) => {
            settings.component.signing_key().map(Some).map_err(|error| settings.wrong(error))
        }
        (None, None) => Ok(None),
    }
}

/// The one key of this command goes by the name of its algorithm, so that the assertion can name that.
pub(crate) fn name(key: &SigningKey) -> KeyId {
    KeyId::new(key.algorithm().as_str())
}

/// The assertion of a service: what no flag says, a service account's file may, and else the client and the server.
pub(crate) fn assertion(
    args: &Authorize,
    lifetime: Option<Duration>,
    client: &Client,
) -> Result<JwtBearer, Problem> {
    let key = key(args)?
        .ok_or_else(|| Problem::usage("an assertion needs a key", "give --signing-key PATH, a PEM file"))?;
    let account = match settings(args) {
        Some(settings) if args.request.signing_key.is_none() => {
            settings.component.service_account().map_err(|error| settings.wrong(error))?
        }
        _ => None,
    };
    let request = &args.request;
    let email = account.as_ref().map(|account| account.client_email());
    let token_uri = account.as_ref().map(|account| account.token_uri());
    let issuer = request.assertion_issuer.as_deref().or(email).unwrap_or_else(|| client.client_id());
    // RFC 7523 section 3: the token endpoint may stand for a server whose issuer nobody says.
    let server = Some(client.server().issuer()).filter(|issuer| !issuer.is_empty());
    let server = server.or_else(|| client.server().token_endpoint()).unwrap_or_default();
    let audience = request.assertion_audience.as_deref().or(token_uri).unwrap_or(server);
    let mut grant = JwtBearer::new(name(&key), key.algorithm(), issuer, audience);
    if let Some(subject) = &request.assertion_subject {
        grant = grant.on_behalf_of(subject);
    }
    if let Some(kid) = account.as_ref().and_then(|account| account.private_key_id()) {
        grant = grant.with_kid(kid);
    }
    Ok(match lifetime {
        Some(lifetime) => grant.living(lifetime),
        None => grant,
    })
}

/// The settings of the profile, where they choose a key.
fn settings(args: &Authorize) -> Option<&Settings> {
    args.profile.settings.as_deref().filter(|settings| settings.key_name().is_some())
}

fn read(path: &Path) -> Result<SigningKey, Problem> {
    // It is needed in several places, and standard input can be read once.
    if secret_file::is_stdin(path) {
        return Err(Problem::usage(
            "a signing key cannot come from standard input",
            "give --signing-key a file",
        ));
    }
    let pem = secret_file::read_text(path)?;
    SigningKey::from_pem(pem.as_bytes())
        .map_err(|error| Problem::configuration(error, format_args!("check {}", path.display())))
}
