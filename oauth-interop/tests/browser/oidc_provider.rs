//! The same at a server that nobody here wrote: npm `oidc-provider`, over https.

#[path = "../../../oauth/tests/oidc-provider/server.rs"]
mod server;

use super::{FAILURE, SUCCESS, expect, refusal};
use crate::login::{Engine, Login};
use oauth::core::{ErrorCode, Scope};
use oauth::{Settings, SignIn};
use oauth_interop::Chromium;

/// Its person decides at once: who it is, `login_hint` says.
fn sign_in(login_hint: &str) -> SignIn {
    SignIn::new()
        .scope(Scope::new("openid offline_access").unwrap())
        .parameter("prompt", "consent")
        .parameter("login_hint", login_hint)
}

fn begin(engine: Engine, sign_in: SignIn) -> (Chromium, Login) {
    let chromium = Chromium::start().unwrap_or_else(|why| panic!("{why}"));
    println!("{}", chromium.version());
    let server = server::server();
    let settings = Settings::new().with_extra_roots_pem(server.ca_pem().as_bytes()).unwrap();
    let login = Login::begin_as(engine, settings, server.issuer(), "native", sign_in);
    chromium.open(&login.url);
    (chromium, login)
}

#[test]
fn a_person_signs_in_by_query_and_by_form_post_over_each_engine() {
    for (engine, sign_in) in [
        (Engine::Hyper, sign_in("carol")),
        (Engine::Isahc, sign_in("carol")),
        // RFC 9700 section 4.3.1: the code is in no address. A page on https posts to one on http.
        (Engine::Hyper, sign_in("carol").form_post()),
    ] {
        let (chromium, login) = begin(engine, sign_in);
        let callback = login.redirect_uri.clone();
        expect(&chromium, SUCCESS);
        assert_eq!(chromium.url(), callback.as_str());
        let authorization = login.end().unwrap();
        assert_eq!(authorization.id_token_claims().unwrap().sub, "carol");
        assert!(authorization.refresh_token().is_some());
    }
}

#[test]
fn a_person_who_refuses_is_told_the_truth() {
    let (chromium, login) = begin(Engine::Hyper, sign_in("deny"));
    expect(&chromium, FAILURE);
    assert_eq!(refusal(login.end().unwrap_err()), ErrorCode::ACCESS_DENIED);
}
