//! A login in two legs: begun by `get_authorization_url`, and finished by a call that has the code, perhaps in another process.

use super::OAuth;
use super::error::ComponentError;
use super::profile::GrantType;
use super::run::what_is_asked;
use super::values::{OAuthValues, Secret};
use crate::{Authorization, Authorizer, Error};
use oauth_core::{
    AuthorizationCode, AuthorizationUrl, Delivered, Pending, PendingError, Policy, SecretBytes, Unix,
};
use url::{Url, form_urlencoded};

/// The first leg of a login whose second is still to come.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) pending: Pending,
    /// Where it was begun: `server_auth_url` and `server_token_url`. No issuer is known here that would tell one server from
    /// another, and what proves the login must not go to another one than it is of (RFC 9700 section 4.4).
    server: [String; 2],
}

impl Begun {
    pub(super) fn at(values: &OAuthValues, pending: Pending) -> Self {
        Self { pending, server: [values.server_auth_url.clone(), values.server_token_url.clone()] }
    }

    /// Whether it was begun at the server that is set. An address that one of the two does not know tells nothing.
    fn is_of(&self, values: &OAuthValues) -> bool {
        let now = [&values.server_auth_url, &values.server_token_url];
        self.server.iter().zip(now).all(|(begun, now)| begun.is_empty() || now.is_empty() || begun == now)
    }

    /// A line for the server, and the login behind it.
    pub(super) fn to_store(&self) -> SecretBytes {
        let mut server = form_urlencoded::Serializer::new(String::new());
        let pending = self.pending.to_store();
        let line = server
            .extend_pairs(["authorization_endpoint", "token_endpoint"].iter().zip(&self.server))
            .finish();
        SecretBytes::new([line.as_bytes(), b"\n", pending.expose()].concat())
    }

    pub(super) fn from_store(bytes: &[u8], now: Unix) -> Result<Self, PendingError> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(PendingError::Damaged)?;
        let (line, pending) = (&bytes[..end], &bytes[end + 1..]);
        let mut pairs = form_urlencoded::parse(line);
        let mut next = |wanted: &str| match pairs.next() {
            Some((name, value)) if name == wanted => Ok(value.into_owned()),
            _ => Err(PendingError::Damaged),
        };
        let server = [next("authorization_endpoint")?, next("token_endpoint")?];
        Ok(Self { pending: Pending::from_store(pending, now)?, server })
    }
}

/// What the browser brought is exchanged: once. Where nothing was sent, the login and what it brought are left as they were.
pub(super) async fn finish(
    oauth: &OAuth,
    values: &OAuthValues,
    authorizer: &Authorizer,
    resets: u64,
) -> Result<Authorization, ComponentError> {
    let begun = begun_here(oauth, values)?;
    oauth.release_web_server();
    let again = begun.to_store();
    let response = values.authorization_response.expose();
    let result = if response.is_empty() {
        let code = AuthorizationCode::new(values.authorization_code.expose());
        authorizer.finish_by_code(begun.pending, code).await
    } else {
        authorizer.finish_pasted(begun.pending, response).await
    };
    if let Err(error) = &result
        && (was_not_sent(error) || matches!(error, Error::Pasted(_)))
    {
        let begun = Begun::from_store(again.expose(), crate::host::now().unix)?;
        oauth.keep(resets, |kept| {
            if kept.results.pending.is_none() {
                kept.results.pending = Some(begun);
                // What was pasted is a stranger's, perhaps.
                if was_not_sent(error) {
                    kept.oauth.authorization_code = values.authorization_code.clone();
                    kept.oauth.authorization_response = values.authorization_response.clone();
                }
            }
        });
    }
    Ok(result?)
}

/// Takes the login that the code belongs to, and the code, which is tried once.
fn begun_here(oauth: &OAuth, values: &OAuthValues) -> Result<Begun, ComponentError> {
    let mut kept = oauth.values();
    if let Some(begun) = &kept.results.pending {
        if !begun.is_of(values) {
            return Err(ComponentError::refused(
                "server_token_url",
                "the login was begun at another server, and its code is for that one; set server_auth_url and server_token_url as \
                 they were, or begin anew by get_authorization_url",
            ));
        }
        if values.server_token_url.is_empty() && values.grant_type != GrantType::Implicit {
            return Err(ComponentError::refused(
                "server_token_url",
                "it is empty, and a code is exchanged there; set it",
            ));
        }
    }
    kept.oauth.authorization_code = Secret::new("");
    kept.oauth.authorization_response = Secret::new("");
    let bound = kept.results.pending.as_ref().is_none_or(|begun| begun.pending.has_code_challenge());
    if values.authorization_response.expose().is_empty() && !bound {
        return Err(ComponentError::refused(
            "authorization_code",
            "this login has no code challenge, and nothing but its state could say that the code belongs to it; \
             set_authorization_response to the whole address that the browser came back to",
        ));
    }
    kept.results.pending.take().ok_or_else(|| {
        ComponentError::Setup(
            "there is no login that this code belongs to: call get_authorization_url first, or restore_pending where it was \
             called in another process"
                .into(),
        )
    })
}

/// Whether the code is as good as before: nobody has seen it.
fn was_not_sent(error: &Error) -> bool {
    match error {
        Error::Failure(failure) => match &*failure.error {
            oauth_core::Error::Unreachable(unreachable) => unreachable.delivered == Delivered::No,
            oauth_core::Error::Misuse(_) => true,
            _ => false,
        },
        Error::Config(_) | Error::Settings(_) | Error::Randomness(_) => true,
        _ => false,
    }
}

/// The login that `get_authorization_url` began, where `AuthorizationURL` was set since, or what is asked for is still the same.
pub(super) fn begun(
    oauth: &OAuth,
    values: &OAuthValues,
    redirect_uri: &str,
    policy: &Policy,
) -> Result<Option<(AuthorizationUrl, Pending)>, ComponentError> {
    let mut kept = oauth.values();
    let mut url = std::mem::take(&mut kept.oauth.authorization_url);
    if url.is_empty() {
        let results = &kept.results;
        if results.pending.is_none() || results.begun_with != what_is_asked(values, redirect_uri) {
            return Ok(None);
        }
        // The person may have its address already.
        url.clone_from(&results.authorization_url);
    }
    let Some(Begun { pending, .. }) = kept.results.pending.take() else {
        return Err(ComponentError::refused(
            "AuthorizationURL",
            "the login that it belongs to was taken away; call get_authorization_url again",
        ));
    };
    let open = pending.open_at(&url, policy)?;
    let leads_to = Url::parse(open.as_str()).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "redirect_uri").map(|(_, value)| value.into_owned())
    });
    // One without it is a page of the program's own, which knows where it leads.
    if leads_to.is_some_and(|to| to != redirect_uri) {
        return Err(ComponentError::refused(
            "AuthorizationURL",
            format_args!(
                "it leads back to another address than {redirect_uri}, where this waits; call get_authorization_url again"
            ),
        ));
    }
    Ok(Some((open, pending)))
}
