//! The acts and outcomes of the endpoints beside those of the grants.

use super::show::Show;
use super::{Conversation, Drive, named};
use oauth_core::{
    AccessToken, AccessTokenClaims, AccessTokenRules, AuthMethod, ClientInformation, ClientMetadata,
    Deregister, Deregistered, DiscoverResource, Endpoint, GrantType, Introspection, IntrospectionRequest,
    JsonValue, LogoutTokenClaims, LogoutTokenRules, RefreshToken, Register, RegistrationAccess,
    RegistrationAccessToken, Resource, ResourceMetadata, Revocable, Revoked, Scope, SecretBytes, TokenInfo,
    Unix,
};
use std::fmt::{Display, Write as _};

impl Conversation {
    pub(super) fn other_endpoint(&mut self, words: &[&str]) -> Option<()> {
        match words {
            ["revocation_endpoint", url] => {
                self.server = self.server.clone().with_revocation_endpoint(*url);
            }
            ["token_info_endpoint", url] => {
                self.server = self.server.clone().with_token_info_endpoint(*url);
            }
            ["registration_endpoint", url] => {
                self.server = self.server.clone().with_registration_endpoint(*url);
            }
            ["revoke", kind, token] => {
                let token = match *kind {
                    "access" => Revocable::Access(AccessToken::new(*token)),
                    "refresh" => RefreshToken::new(*token).into(),
                    _ => return None,
                };
                let seed = self.seed();
                self.try_begin(|world, client| client.revoke(token, &world.memory, seed));
            }
            ["introspect", kind, token, parameters @ ..] => {
                let mut request = match *kind {
                    "access" => IntrospectionRequest::access(AccessToken::new(*token)),
                    "refresh" => IntrospectionRequest::refresh(RefreshToken::new(*token)),
                    _ => return None,
                };
                for (name, value) in named(parameters)? {
                    request = match name {
                        "signed" => request.signed(),
                        "authorized_by" => request.authorized_by(AccessToken::new(value)),
                        _ => request.with_parameter(name.strip_prefix('+')?, value),
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.introspect(request, &world.memory, seed));
            }
            ["verify", "logout", message] => {
                let rules = LogoutTokenRules::new(self.server.issuer(), self.registration.client_id());
                let message = SecretBytes::new(*message);
                self.try_begin(|world, client| client.verify(message, rules, &world.memory));
            }
            ["verify", "access", message, audience] => {
                let rules = AccessTokenRules::new(self.server.issuer(), *audience);
                let message = SecretBytes::new(*message);
                self.try_begin(|world, client| client.verify(message, rules, &world.memory));
            }
            ["token_info", token] => {
                let token = AccessToken::new(*token);
                self.try_begin(|_, client| client.token_info(token));
            }
            ["register", parameters @ ..] => {
                let mut parameters = named(parameters)?;
                let initial = parameters.iter().position(|(name, _)| *name == "initial_access_token");
                let initial = initial.map(|at| AccessToken::new(parameters.remove(at).1));
                let metadata = metadata(&parameters)?;
                let flow = Register::new(&self.server, metadata, initial, &self.policy);
                self.begin_or_say(flow);
            }
            ["registration", uri, token] => {
                self.access = Some(RegistrationAccess {
                    registration_client_uri: (*uri).into(),
                    registration_access_token: RegistrationAccessToken::new(*token),
                });
            }
            ["read-registration", client_id] => {
                let flow = Register::read(*client_id, self.access.clone()?, &self.policy);
                self.begin_or_say(flow);
            }
            ["update-registration", client_id, parameters @ ..] => {
                let metadata = metadata(&named(parameters)?)?;
                let flow = Register::update(*client_id, metadata, self.access.clone()?, &self.policy);
                self.begin_or_say(flow);
            }
            ["delete-registration"] => {
                let flow = Deregister::new(self.access.clone()?, &self.policy);
                self.begin_or_say(flow);
            }
            ["discover-resource", resource] => {
                let flow = DiscoverResource::new(Resource::new(*resource).ok()?, self.policy.clone());
                self.begin_or_say(flow);
            }
            ["discover-resource", resource, "at", url] => {
                let resource = Resource::new(*resource).ok()?;
                let flow = Endpoint::new(url, &self.policy)
                    .and_then(|url| DiscoverResource::at(url, resource, self.policy.clone()));
                self.begin_or_say(flow);
            }
            _ => return None,
        }
        Some(())
    }

    fn begin_or_say(&mut self, flow: Result<impl Drive + 'static, impl Display>) {
        match flow {
            Ok(flow) => self.begin(flow),
            Err(error) => self.say(&format!("refused before any I/O: {error}")),
        }
    }
}

fn metadata(parameters: &[(&str, &str)]) -> Option<ClientMetadata> {
    let mut metadata = ClientMetadata::new();
    for (name, value) in parameters {
        metadata = match *name {
            "redirect_uri" => metadata.with_redirect_uri(*value),
            "grant_type" => metadata.with_grant_type(&GrantType::from_text(value)),
            "response_type" => metadata.with_response_type(*value),
            "token_endpoint_auth_method" => {
                metadata.with_token_endpoint_auth_method(&AuthMethod::from_text(value))
            }
            "client_name" => metadata.with_client_name(*value),
            "client_uri" => metadata.with_client_uri(*value),
            "logo_uri" => metadata.with_logo_uri(*value),
            "scope" => metadata.with_scope(&Scope::new(value).ok()?),
            "contact" => metadata.with_contact(*value),
            "tos_uri" => metadata.with_tos_uri(*value),
            "policy_uri" => metadata.with_policy_uri(*value),
            "jwks_uri" => metadata.with_jwks_uri(*value),
            "software_id" => metadata.with_software_id(*value),
            "software_version" => metadata.with_software_version(*value),
            "software_statement" => metadata.with_software_statement(*value),
            name => metadata.with_member(name.strip_prefix('+')?, JsonValue::text(*value)),
        };
    }
    Some(metadata)
}

pub(super) fn access(access: &RegistrationAccess) -> String {
    format!("{} at {}", access.registration_access_token.expose(), access.registration_client_uri)
}

/// One line for each value that is there.
fn lines(text: &mut String, lines: &[(&str, Option<&dyn Display>)]) {
    for (name, value) in lines {
        if let Some(value) = value {
            write!(text, "\n{name} {value}").unwrap();
        }
    }
}

fn extra(text: &mut String, extra: &[(String, JsonValue<'static>)]) {
    for (name, value) in extra {
        write!(text, "\nextra {name} {value}").unwrap();
    }
}

fn shown<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
    value.as_ref().map(|value| value as &dyn Display)
}

impl Show for Revoked {
    fn show(self, _: &mut Conversation) -> String {
        "done revoked".into()
    }
}

impl Show for Introspection {
    fn show(self, _: &mut Conversation) -> String {
        let Self::Active(token) = self else { return "done inactive".into() };
        let mut text = String::from("done active");
        let date = |at: Option<Unix>| at.map(|at| at.0);
        let (exp, iat, nbf) = (date(token.exp), date(token.iat), date(token.nbf));
        lines(
            &mut text,
            &[
                ("scope", shown(&token.scope)),
                ("client_id", shown(&token.client_id)),
                ("username", shown(&token.username)),
                ("token_type", shown(&token.token_type)),
                ("exp", shown(&exp)),
                ("iat", shown(&iat)),
                ("nbf", shown(&nbf)),
                ("sub", shown(&token.sub)),
                ("iss", shown(&token.iss)),
                ("jti", shown(&token.jti)),
            ],
        );
        for aud in &token.aud {
            write!(text, "\naud {aud}").unwrap();
        }
        extra(&mut text, &token.extra);
        text
    }
}

impl Show for LogoutTokenClaims {
    fn show(self, _: &mut Conversation) -> String {
        let mut text = format!("done logout {}", self.jti);
        lines(&mut text, &[("sub", shown(&self.sub)), ("sid", shown(&self.sid))]);
        text
    }
}

impl Show for AccessTokenClaims {
    fn show(self, _: &mut Conversation) -> String {
        let mut text = format!("done access token of {} for {}", self.sub, self.client_id);
        lines(&mut text, &[("scope", shown(&self.scope))]);
        text
    }
}

impl Show for TokenInfo {
    fn show(self, _: &mut Conversation) -> String {
        let mut text = String::from("done token info");
        let expires = self.expires_at.map(|at| at.0);
        lines(
            &mut text,
            &[("scope", shown(&self.scope)), ("expires", shown(&expires)), ("sub", shown(&self.sub))],
        );
        extra(&mut text, &self.extra);
        text
    }
}

impl Show for ClientInformation {
    fn show(self, world: &mut Conversation) -> String {
        let mut text = format!("done client {}", self.client_id);
        let (expires, issued) =
            (self.client_secret_expires_at.map(|at| at.0), self.client_id_issued_at.map(|at| at.0));
        lines(
            &mut text,
            &[
                ("secret", shown(&self.client_secret.as_ref().map(|secret| secret.expose()))),
                ("secret expires", shown(&expires)),
                ("issued", shown(&issued)),
                ("managed by", shown(&self.access.as_ref().map(access))),
            ],
        );
        for (name, value) in self.metadata.members() {
            write!(text, "\n{name} {value}").unwrap();
        }
        if !self.changed.is_empty() {
            write!(text, "\nchanged {}", self.changed.join(" ")).unwrap();
        }
        if let Some(registration) = self.registration() {
            world.registration = registration;
        }
        world.access = self.access;
        text
    }
}

impl Show for Deregistered {
    fn show(self, _: &mut Conversation) -> String {
        "done deregistered".into()
    }
}

impl Show for ResourceMetadata {
    fn show(self, _: &mut Conversation) -> String {
        let mut text = format!("done resource {}", self.resource);
        for issuer in &self.authorization_servers {
            write!(text, "\nauthorization_server {issuer}").unwrap();
        }
        let methods = self.bearer_methods_supported.map(|methods| {
            let methods: Vec<_> = methods.iter().map(|method| method.as_str().to_owned()).collect();
            methods.join(" ")
        });
        lines(
            &mut text,
            &[
                ("scopes", shown(&self.scopes_supported)),
                ("bearer methods", shown(&methods)),
                ("name", shown(&self.resource_name)),
                ("jwks_uri", shown(&self.jwks_uri)),
            ],
        );
        if self.tls_client_certificate_bound_access_tokens {
            text.push_str("\ntokens are bound to certificates");
        }
        if self.dpop_bound_access_tokens_required {
            text.push_str("\ntokens are bound to keys");
        }
        extra(&mut text, &self.extra);
        text
    }
}
