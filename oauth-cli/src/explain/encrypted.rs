//! Encrypted ID tokens: opened where the case has the key, and told by their headers where it has none.

use super::context::Context;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth::core::{JsonValue, Remedy};

/// The member of the context that has the key.
const KEY: &str = "decryption_key";

/// The signed message in an encrypted one; `None` for a verdict that is made.
pub(super) fn open(context: &Context, token: &str, verdict: &mut Verdict) -> Result<Option<String>, Stop> {
    let opened = match context.value(KEY) {
        None => {
            closed(token, verdict);
            None
        }
        Some(key) => {
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            with_key(token, &key, verdict)?
        }
    };
    if opened.is_none() {
        context.decided();
    }
    Ok(opened)
}

/// What can be said without the key: what the header says, which nobody vouches for.
fn closed(token: &str, verdict: &mut Verdict) {
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header = JsonValue::read(&header).ok();
    let text = |name| header.as_ref().and_then(|header| header.member(name)).and_then(JsonValue::as_str);
    let (Some(alg), Some(enc)) = (text("alg"), text("enc")) else {
        let rule = ("RFC 7516 section 4.1", "The header of an encrypted message names its alg and its enc.");
        let message = "the ID token is in five parts, and its header is not that of an encrypted message";
        return verdict.refuse_as("parse", rule, message, Remedy::ReportServer, Exit::Network);
    };
    for (name, value) in [("alg", Some(alg)), ("enc", Some(enc)), ("kid", text("kid")), ("cty", text("cty"))]
    {
        verdict.maybe(name, value);
    }
    let message = format!(
        "the ID token is encrypted ({alg}, {enc}), and there is no key to open it: give the client its decryption key, or \
         register it without id_token_encrypted_response_alg"
    );
    verdict.refuse_as("key", RULE, message, Remedy::FixSetup, Exit::Configuration);
    let text = "A build with the feature aws-lc-rs opens it by context.decryption_key, as PEM or JWK; any build takes the \
                signed ID token that is inside.";
    verdict.note("RFC 7519 section 5.2", text);
}

const RULE: (&str, &str) = (
    "OpenID Connect Core section 3.1.3.7",
    "An encrypted ID token is decrypted by the key and the algorithms of the registration, and then verified.",
);

#[cfg(feature = "aws-lc-rs")]
fn with_key(token: &str, key: &str, verdict: &mut Verdict) -> Result<Option<String>, Stop> {
    use super::context::Broken;
    use oauth::jwt::{AcceptedEncryption, DecryptionKey, Jwe, JweError};

    let jwk = key.trim_start().starts_with('{');
    let key = if jwk { DecryptionKey::from_jwk(key) } else { DecryptionKey::from_pem(key) };
    let key = key.map_err(|error| Broken(format!("context.{KEY}: {error}")))?;
    let opened = Jwe::parse(token).and_then(|jwe| jwe.decrypt([&key], &AcceptedEncryption::default()));
    match opened {
        Ok(opened) => {
            verdict
                .note("RFC 7519 section 5.2", "It was encrypted, and is opened: what is inside is judged.");
            // What is no text is no signed message either.
            Ok(Some(String::from_utf8_lossy(opened.expose()).into_owned()))
        }
        Err(why) => {
            let (class, remedy, exit) = match why {
                JweError::TooLarge => ("too_large", Remedy::ReportServer, Exit::Network),
                JweError::Encoding(_) | JweError::Header(_) | JweError::Member(_) => {
                    ("parse", Remedy::ReportServer, Exit::Network)
                }
                JweError::UnknownKid(_) | JweError::NoKey(_) | JweError::Decryption => {
                    ("key", Remedy::FixSetup, Exit::Configuration)
                }
                _ => ("rejected", Remedy::ReportServer, Exit::Network),
            };
            verdict.refuse_as(class, RULE, why.to_string(), remedy, exit);
            Ok(None)
        }
    }
}

#[cfg(not(feature = "aws-lc-rs"))]
fn with_key(_: &str, _: &str, _: &mut Verdict) -> Result<Option<String>, Stop> {
    Err(Stop::Unsupported("encrypted messages: it is without the feature aws-lc-rs, which decrypts".into()))
}
