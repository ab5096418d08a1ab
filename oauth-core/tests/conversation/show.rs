//! How outputs look in a transcript. Secrets are shown: here they are test values.

use super::{Conversation, endpoints};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_core::{
    Algorithm, DevicePrompt, Failure, Granted, KeyTask, OpenTask, Purpose, Ready, Remedy, Request, Server,
    ServerKeys, Tokens,
};
use std::fmt::Write as _;

/// An outcome: shown, and kept where the next act looks for it.
pub(crate) trait Show {
    fn show(self, world: &mut Conversation) -> String;
}

pub(crate) fn request(request: &Request) -> String {
    let mut text = format!("{} {}", request.method(), request.endpoint().url());
    for (name, value) in request.headers() {
        write!(text, "\n{name}: {}", value.to_str().unwrap()).unwrap();
        if value.is_sensitive() {
            text.push_str(" (sensitive)");
        }
    }
    if let Some(certificate) = request.client_certificate() {
        write!(text, "\nclient certificate {}", certificate.as_str()).unwrap();
    }
    if !request.body().is_empty() {
        write!(text, "\n{}", std::str::from_utf8(request.body()).unwrap()).unwrap();
    }
    // What a transport is told must agree with what is sent.
    let asks = request.method() == http::Method::GET && request.purpose() != Purpose::Registration;
    assert_eq!(request.one_shot(), !asks);
    text
}

pub(crate) fn key_task(task: &KeyTask) -> String {
    let sign = match task {
        KeyTask::Sign(sign) => sign,
        KeyTask::Open(open) => return open_task(open),
        other => panic!("a task without a spelling: {other:?}"),
    };
    let input = std::str::from_utf8(&sign.input).unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let decoded = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    format!("key sign {} {}\n{}\n{}", sign.key.as_str(), sign.algorithm, decoded(header), decoded(claims))
}

fn open_task(open: &OpenTask) -> String {
    let algorithms: Vec<_> = open.algorithms.iter().map(Algorithm::as_str).collect();
    let message = std::str::from_utf8(open.message.expose()).unwrap();
    let mut text = format!("key open {message} {}", algorithms.join(" "));
    if let Some(typ) = open.typ {
        write!(text, "\ntyp {typ}").unwrap();
    }
    if let Some(known) = &open.keys {
        write!(text, "\nkeys {}", keys(known)).unwrap();
    }
    if let Some(secret) = &open.secret {
        write!(text, "\nsecret {}", secret.expose()).unwrap();
    }
    if let Some(key) = &open.decryption_key {
        write!(text, "\ndecryption key {}", key.as_str()).unwrap();
    }
    text
}

pub(crate) fn keys(keys: &ServerKeys) -> String {
    String::from_utf8(keys.document().to_vec()).unwrap()
}

pub(crate) fn failure(failure: &Failure) -> String {
    let mut text = match failure.remedy() {
        Remedy::TryAgain { after: None } => "failed TryAgain".into(),
        Remedy::TryAgain { after: Some(after) } => format!("failed TryAgain after {} s", after.as_secs()),
        remedy => format!("failed {remedy:?}"),
    };
    write!(text, ": {failure}").unwrap();
    assert!(text.lines().count() == 1, "a failure is one line: {text:?}");
    if let Some(rescued) = &failure.rescued {
        write!(text, "\nrescued {}", rescued.expose()).unwrap();
    }
    if let Some(rescued) = &failure.rescued_registration {
        write!(text, "\nrescued {}", endpoints::access(rescued)).unwrap();
    }
    text
}

fn tokens(tokens: &Tokens) -> String {
    let mut text = format!("done {} {}", tokens.token_type, tokens.access_token.expose());
    match tokens.expires_at {
        Some(at) => write!(text, "\nexpires {}", at.0).unwrap(),
        None => text.push_str("\nexpires nobody knows when"),
    }
    if let Some(token) = &tokens.refresh_token {
        write!(text, "\nrefresh {}", token.expose()).unwrap();
    }
    if let Some(scope) = &tokens.scope {
        write!(text, "\nscope {scope}").unwrap();
    }
    if let Some(token) = &tokens.id_token {
        write!(text, "\nid_token {}", token.expose()).unwrap();
    }
    if let Some(claims) = &tokens.id_token_claims {
        write!(text, "\nsigned in {}", claims.sub).unwrap();
    }
    if let Some(issued) = &tokens.issued_token_type {
        write!(text, "\nissued {issued}").unwrap();
    }
    text
}

impl Show for Tokens {
    fn show(self, world: &mut Conversation) -> String {
        world.keep(&self);
        tokens(&self)
    }
}

impl Show for Granted {
    fn show(self, world: &mut Conversation) -> String {
        world.keep(&self.tokens);
        tokens(&self.tokens)
    }
}

impl Show for Ready {
    fn show(self, world: &mut Conversation) -> String {
        let text = format!("ready {}", self.open.as_str().replace(['?', '&'], "\n"));
        world.pending = Some(self.pending);
        text
    }
}

impl Show for DevicePrompt {
    fn show(self, world: &mut Conversation) -> String {
        let mut text = format!("prompt {} {}", self.verification_uri, self.user_code);
        if let Some(complete) = &self.verification_uri_complete {
            write!(text, "\ncomplete {complete}").unwrap();
        }
        write!(text, "\nexpires {}", self.expires_at.0).unwrap();
        world.prompt = Some(self.poll);
        text
    }
}

impl Show for Server {
    fn show(self, world: &mut Conversation) -> String {
        let mut text = format!("done server {}", self.issuer());
        for (name, url) in [
            ("authorization_endpoint", self.authorization_endpoint()),
            ("token_endpoint", self.token_endpoint()),
            ("device_authorization_endpoint", self.device_authorization_endpoint()),
            ("userinfo_endpoint", self.userinfo_endpoint()),
            ("jwks_uri", self.jwks_uri()),
            ("revocation_endpoint", self.revocation_endpoint()),
            ("introspection_endpoint", self.introspection_endpoint()),
            ("registration_endpoint", self.registration_endpoint()),
            ("token_info_endpoint", self.token_info_endpoint()),
        ] {
            if let Some(url) = url {
                write!(text, "\n{name} {url}").unwrap();
            }
        }
        for (name, methods) in [
            ("token_endpoint_auth_methods", self.token_endpoint_auth_methods()),
            ("revocation_endpoint_auth_methods", self.revocation_endpoint_auth_methods()),
            ("introspection_endpoint_auth_methods", self.introspection_endpoint_auth_methods()),
        ] {
            if let Some(methods) = methods {
                let methods: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
                write!(text, "\n{name} {}", methods.join(" ")).unwrap();
            }
        }
        world.server = self;
        text
    }
}
