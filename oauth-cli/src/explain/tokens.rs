//! Answers of a token endpoint: `token_response`, `token_error`, `refresh_response`, `token_exchange`.
//!
//! A client does not know beforehand whether an answer will be a success: the first two are read alike.

use super::case::{CASE, Case};
use super::client::{UNTOLD, client, drive, now, once, seed};
use super::context::Broken;
use super::endpoints::extra;
use super::http::Captured;
use super::kind::Kind;
use super::rules::OWN_CODE;
use super::verdict::{Refused, Stop, Verdict};
use oauth::core::{
    AccessToken, Algorithm, AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials, Error,
    ErrorCode, Failure, Flow, Form, Grant, GrantType, JwtBearer, KeyId, Now, Output, Password, Purpose,
    Refresh, RefreshToken, ResourceOwnerPassword, Saml2Bearer, Scope, SecretBytes, ServerMemory,
    TokenExchange, TokenTypeIdentifier, Tokens,
};
use url::form_urlencoded;

pub(super) fn judge(case: &Case, captured: Captured, verdict: &mut Verdict) -> Result<(), Stop> {
    let client = client(case, Purpose::Token, verdict)?;
    let now = now(&case.context)?;
    let content_type = content_type(&captured);
    let scope = case.context.scope("scope")?;
    let result = Ask { case, captured, client: &client, now, scope }.by_its_grant(verdict)?;
    match result {
        Ok(tokens) => {
            granted(&tokens, now, verdict);
            if case.kind == Kind::RefreshResponse {
                stored(case, &tokens, verdict)?;
            }
            if case.kind == Kind::TokenError {
                verdict.note("RFC 6749 section 5.1", "This is a success, and no error.");
            }
        }
        Err(failure) => {
            let dead = is_about_the_grant(&failure) || failure.rescued.is_some();
            refused(failure, case.kind, verdict);
            if case.kind == Kind::RefreshResponse && !dead {
                verdict.maybe("refresh_token", case.context.text("old.refresh_token")?);
                verdict.note(
                    "RFC 6749 section 5.2",
                    "This is no verdict about the refresh token, which invalid_grant alone would be: it stays the one to keep.",
                );
            }
            let other_type = |refused: &Refused| refused.class == "unsupported_token_type";
            let own_code = verdict.notes.first().is_some_and(|(_, says)| says == OWN_CODE);
            if (own_code || verdict.refused.as_ref().is_some_and(other_type))
                && case.context.value("provider").is_none()
            {
                let text = "A profile may know the ways of this provider: --context provider=github, say.";
                verdict.note(CASE, text);
            }
        }
    }
    if let (None, Some(content_type)) = (&verdict.refused, content_type)
        && !content_type.eq_ignore_ascii_case("application/json")
    {
        let text =
            format!("The Content-Type is {content_type} where application/json is due: read all the same.");
        verdict.note(case.kind.section(), text);
    }
    Ok(())
}

/// What a caller gets.
pub(super) fn granted(tokens: &Tokens, now: Now, verdict: &mut Verdict) {
    verdict.field("access_token", tokens.access_token.expose());
    verdict.field("token_type", tokens.token_type.as_str());
    verdict.maybe("expires_in", tokens.expires_at.map(|at| at.since(now.unix).as_secs()));
    let refresh_token = tokens.refresh_token.as_ref().map(RefreshToken::expose);
    // The old one, which is kept, may be one that the case does not tell.
    verdict.maybe("refresh_token", refresh_token.filter(|token| *token != UNTOLD));
    verdict.maybe("scope", tokens.scope.as_ref().map(words));
    verdict.maybe("id_token", tokens.id_token.as_ref().map(|token| token.expose()));
    verdict.maybe("issued_token_type", tokens.issued_token_type.as_ref().map(TokenTypeIdentifier::as_str));
    // What a profile keeps of the answer.
    extra(tokens.extra.iter().map(|(name, value)| (name.as_str(), value)), verdict);
    if tokens.expires_at.is_none() {
        verdict.note(
            "RFC 6749 section 5.1",
            "The server does not say, in a way that can be read, when the access token ends: use it until it is refused.",
        );
    }
    if tokens.access_token.bearer().is_err() && tokens.token_type.as_str() == "Bearer" {
        verdict.note(
            "RFC 6750 section 2.1",
            "The access token has a character that no Authorization header takes: it can be kept, and not be used.",
        );
    }
    if tokens.id_token.is_some() {
        verdict.note("OpenID Connect Core section 3.1.3.7", "The ID token was not checked.");
    }
}

pub(super) fn words(scope: &Scope) -> Vec<String> {
    scope.iter().map(str::to_owned).collect()
}

/// What became of the refresh token.
fn stored(case: &Case, tokens: &Tokens, verdict: &mut Verdict) -> Result<(), Broken> {
    let old = case.context.text("old.refresh_token")?.unwrap_or(UNTOLD);
    let kept = tokens.refresh_token.as_ref().is_some_and(|token| token.expose() == old);
    let text = if kept {
        "No new refresh token came: the old one stays the one to keep."
    } else {
        "A new refresh token came: it is the one to keep, and the old one may be dead."
    };
    verdict.note("RFC 6749 section 6", text);
    Ok(())
}

fn is_about_the_grant(failure: &Failure) -> bool {
    matches!(&*failure.error, Error::Server(refusal) if refusal.code == ErrorCode::INVALID_GRANT)
}

pub(super) fn refused(failure: Failure, kind: Kind, verdict: &mut Verdict) {
    let said = matches!(&*failure.error, Error::Server(_));
    let success = failure.status.is_some_and(|status| status.is_success());
    let dead = is_about_the_grant(&failure);
    verdict.refuse(failure, kind);
    if said && success {
        verdict.note(
            "RFC 6749 section 5.2",
            "An error has status 400; some servers send 200. It counts all the same, before whatever else is in the body.",
        );
    }
    if kind == Kind::RefreshResponse && dead {
        verdict.note(
            "RFC 9700 section 4.14",
            "Before it is forgotten: another process may have refreshed it meanwhile, so look whether the stored one changed.",
        );
    }
}

/// What the body is said to be.
fn content_type(captured: &Captured) -> Option<String> {
    let content_type = captured.parts()?.headers.get(http::header::CONTENT_TYPE)?;
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    Some(essence.trim().to_owned())
}

/// A `grant_type`, or its last word.
fn grant_type(name: &str) -> GrantType {
    match name.replace('-', "_").as_str() {
        "code" => GrantType::AUTHORIZATION_CODE,
        "refresh" => GrantType::REFRESH_TOKEN,
        "device" | "device_code" => GrantType::DEVICE_CODE,
        "jwt_bearer" => GrantType::JWT_BEARER,
        "saml2_bearer" => GrantType::SAML2_BEARER,
        "token_exchange" => GrantType::TOKEN_EXCHANGE,
        short @ ("authorization_code" | "refresh_token" | "client_credentials") => {
            GrantType::from_text(short)
        }
        _ => GrantType::from_text(name),
    }
}

/// One token request.
struct Ask<'a> {
    case: &'a Case,
    captured: Captured,
    client: &'a Client,
    now: Now,
    scope: Option<Scope>,
}

type Asked = Result<Result<Tokens, Failure>, Stop>;

impl Ask<'_> {
    fn by_its_grant(mut self, verdict: &mut Verdict) -> Asked {
        let grant = match self.case.kind {
            Kind::RefreshResponse => GrantType::REFRESH_TOKEN,
            Kind::TokenExchange => GrantType::TOKEN_EXCHANGE,
            _ => self.case.context.text("grant")?.map_or(GrantType::AUTHORIZATION_CODE, grant_type),
        };
        let scope = self.scope.take().into_iter();
        if grant == GrantType::AUTHORIZATION_CODE {
            self.by_code(scope)
        } else if grant == GrantType::REFRESH_TOKEN {
            let refresh = scope.fold(self.refresh()?, Refresh::narrowed_to);
            self.by(refresh)
        } else if grant == GrantType::TOKEN_EXCHANGE {
            let exchange = scope.fold(self.token_exchange()?, TokenExchange::with_scope);
            self.by(exchange)
        } else if grant == GrantType::CLIENT_CREDENTIALS {
            self.by(scope.fold(ClientCredentials::new(), ClientCredentials::with_scope))
        } else if grant == GrantType::JWT_BEARER {
            let (issuer, audience) = (self.client.client_id(), self.client.server().issuer());
            let assertion = JwtBearer::new(KeyId::new("key"), Algorithm::ES256, issuer, audience);
            self.by(scope.fold(assertion, JwtBearer::with_scope))
        } else if grant == GrantType::SAML2_BEARER {
            let assertion = Saml2Bearer::new(&SecretBytes::new(UNTOLD));
            self.by(scope.fold(assertion, Saml2Bearer::with_scope))
        } else if grant == GrantType::PASSWORD {
            let password = ResourceOwnerPassword::new("person", Password::new(UNTOLD));
            self.by(scope.fold(password, ResourceOwnerPassword::with_scope))
        } else {
            if grant != GrantType::DEVICE_CODE {
                let text = format!("{grant} is a grant that this client has no more rules for than for any.");
                verdict.note(CASE, text);
            }
            self.by(Other { grant, scope: scope.last() })
        }
    }

    fn by(self, grant: impl Grant) -> Asked {
        let flow = self.client.exchange(grant, &ServerMemory::default(), seed(&[]))?;
        Ok(drive(flow, self.now, once(self.captured)))
    }

    /// The whole way of a login in a browser (RFC 6749 section 4.1), with a callback that is in order.
    fn by_code(self, scope: impl Iterator<Item = Scope>) -> Asked {
        let context = &self.case.context;
        let redirect_uri = context.text("redirect_uri")?.unwrap_or("http://127.0.0.1/callback");
        let request = scope.fold(AuthorizationRequest::new(redirect_uri), AuthorizationRequest::with_scope);
        let memory = ServerMemory::default();
        let mut authorize = self.client.authorize(request, &memory, seed(&[]))?;
        let Output::Done(ready) = authorize.poll(self.now) else { return Ok(Err(Failure::idle())) };
        let pending = match ready {
            Ok(ready) => ready.pending,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", context.text("code")?.filter(|code| !code.is_empty()).unwrap_or(UNTOLD));
        query.append_pair("state", pending.state()).append_pair("iss", self.client.server().issuer());
        let query = query.finish();
        let flow = pending.redeem(&AuthorizationResponse::Query(&query), self.client, &memory, seed(&[]));
        let result = drive(flow, self.now, once(self.captured));
        Ok(result.map(|granted| granted.tokens))
    }

    fn refresh(&self) -> Result<Refresh, Stop> {
        let context = &self.case.context;
        let refresh = Refresh::new(RefreshToken::new(context.text("old.refresh_token")?.unwrap_or(UNTOLD)));
        Ok(context.scope("old.scope")?.into_iter().fold(refresh, Refresh::granted))
    }

    fn token_exchange(&self) -> Result<TokenExchange, Stop> {
        let context = &self.case.context;
        let subject = context.text("access_token")?.or(context.text("old.access_token")?).unwrap_or(UNTOLD);
        let exchange = TokenExchange::new(AccessToken::new(subject));
        let requested = context.text("requested_token_type")?.map(TokenTypeIdentifier::from_text);
        Ok(requested.into_iter().fold(exchange, TokenExchange::requested))
    }
}

/// A grant that has no rules of its own: one answer to a device's poll, or an extension.
struct Other {
    grant: GrantType,
    scope: Option<Scope>,
}

impl Grant for Other {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", self.grant.as_str());
    }

    fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }
}
