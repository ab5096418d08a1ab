//! The authorization URL (RFC 6749 section 4.1.1 with RFC 7636): PKCE, `state`, three scopes, a redirect URI.
//!
//! Chance is given to each, so that each makes the same URL; what a program makes once (the client) is made once. Ours stands
//! there twice: with the request kept, as a web server does, and with one made for each login, as the peers have it.

use oauth_core::{
    AuthorizationRequest, Client, Flow as _, Mono, Now, Output, Policy, Ready, Registration, Scope, Seed,
    Server, ServerMemory, Unix,
};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, EndpointNotSet, EndpointSet, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl,
};
use std::collections::BTreeMap;
use std::hint::black_box;
use url::Url;

pub(crate) const AUTHORIZATION_ENDPOINT: &str = "https://as.example/authorize";
pub(crate) const CLIENT_ID: &str = "s6BhdRkqt3";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
const SCOPES: [&str; 3] = ["profile", "email", "offline_access"];
/// What the seed below spells: its first and its second 32 bytes in base64url.
pub(crate) const STATE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub(crate) const VERIFIER: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

pub(crate) fn ours(times: u32) {
    let (client, request, memory) = (our_client(), our_request(), ServerMemory::default());
    for _ in 0..times {
        let _made = black_box(our_url(black_box(&client), black_box(&request), &memory));
    }
}

pub(crate) fn ours_made_anew(times: u32) {
    let (client, memory) = (our_client(), ServerMemory::default());
    for _ in 0..times {
        let _made = black_box(our_url(black_box(&client), &our_request(), &memory));
    }
}

pub(crate) fn openidconnect(times: u32) {
    let client = openid_client();
    for _ in 0..times {
        let _made = black_box(openid_url(black_box(&client)));
    }
}

pub(crate) fn oauth2_rs(times: u32) {
    let client = their_client();
    for _ in 0..times {
        let _made = black_box(their_url(black_box(&client)));
    }
}

/// All make the same URL, else there is nothing to compare.
///
/// # Panics
/// They do not.
pub(crate) fn compare() {
    let ready = our_url(&our_client(), &our_request(), &ServerMemory::default());
    let ours = parameters(ready.open.as_str());
    let (theirs, csrf, verifier) = their_url(&their_client());
    assert_eq!(ours, parameters(theirs.as_str()));
    assert_eq!((ready.pending.state(), csrf.secret().as_str()), (STATE, STATE));
    assert_eq!(verifier.secret(), VERIFIER);
    // That one asks for a login by OpenID Connect, always.
    let (_, mut openid) = parameters(openid_url(&openid_client()).as_str());
    assert_eq!(openid.remove("nonce").as_deref(), Some(NONCE));
    assert_eq!(openid.insert("scope".into(), "profile email offline_access".into()).unwrap(), OPENID_SCOPE);
    assert_eq!(ours.1, openid);
    let expected = [
        ("client_id", CLIENT_ID),
        // SHA-256 of the verifier, by another tool.
        ("code_challenge", "zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "profile email offline_access"),
        ("state", STATE),
    ];
    assert_eq!(ours.1, expected.map(|(name, value)| (name.into(), value.into())).into());
    assert_eq!(ours.0, AUTHORIZATION_ENDPOINT);
}

/// The endpoint, and the parameters in the order of their names.
fn parameters(url: &str) -> (String, BTreeMap<String, String>) {
    let mut url = Url::parse(url).expect("both make a URL");
    let parameters = url.query_pairs().into_owned().collect();
    url.set_query(None);
    (url.into(), parameters)
}

fn our_client() -> Client {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint(AUTHORIZATION_ENDPOINT)
        .with_token_endpoint("https://as.example/token");
    Client::new(server, Registration::public(CLIENT_ID), Policy::strict()).expect("the setup is right")
}

pub(crate) fn our_device_client() -> Client {
    let server = Server::new("https://as.example")
        .with_device_authorization_endpoint("https://as.example/device")
        .with_token_endpoint("https://as.example/token");
    Client::new(server, Registration::public(CLIENT_ID), Policy::strict()).expect("the setup is right")
}

/// Bytes 0, 1, 2 and so on.
pub(crate) fn seed() -> Seed {
    let mut byte = 0;
    Seed::new([(); Seed::LENGTH].map(|()| {
        byte += 1;
        byte - 1
    }))
}

fn our_request() -> AuthorizationRequest {
    let scope = Scope::new("profile email offline_access").expect("these are scope values");
    AuthorizationRequest::new(REDIRECT_URI).with_scope(scope)
}

fn our_url(client: &Client, request: &AuthorizationRequest, memory: &ServerMemory) -> Ready {
    let now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
    match client.authorize(request, memory, seed()).expect("the request is right").poll(now) {
        Output::Done(Ok(ready)) => ready,
        output => unreachable!("{output:?}"),
    }
}

pub(crate) type TheirClient =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet>;

pub(crate) fn their_client() -> TheirClient {
    BasicClient::new(ClientId::new(CLIENT_ID.into()))
        .set_auth_uri(AuthUrl::new(AUTHORIZATION_ENDPOINT.into()).expect("a URL"))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.into()).expect("a URL"))
}

fn their_url(client: &TheirClient) -> (Url, CsrfToken, PkceCodeVerifier) {
    let verifier = PkceCodeVerifier::new(VERIFIER.into());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let mut request = client.authorize_url(|| CsrfToken::new(STATE.into())).set_pkce_challenge(challenge);
    for scope in SCOPES {
        request = request.add_scope(oauth2::Scope::new(scope.into()));
    }
    let (url, csrf) = request.url();
    (url, csrf, verifier)
}

const NONCE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";
const OPENID_SCOPE: &str = "openid profile email offline_access";

type OpenIdClient = openidconnect::core::CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

fn openid_client() -> OpenIdClient {
    use openidconnect::{IssuerUrl, JsonWebKeySet, core::CoreClient};
    let issuer = IssuerUrl::new("https://as.example".into()).expect("a URL");
    CoreClient::new(ClientId::new(CLIENT_ID.into()), issuer, JsonWebKeySet::new(Vec::new()))
        .set_auth_uri(AuthUrl::new(AUTHORIZATION_ENDPOINT.into()).expect("a URL"))
        .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.into()).expect("a URL"))
}

fn openid_url(client: &OpenIdClient) -> Url {
    use openidconnect::{Nonce, core::CoreAuthenticationFlow};
    let verifier = PkceCodeVerifier::new(VERIFIER.into());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let mut request = client
        .authorize_url(flow, || CsrfToken::new(STATE.into()), || Nonce::new(NONCE.into()))
        .set_pkce_challenge(challenge);
    for scope in SCOPES {
        request = request.add_scope(oauth2::Scope::new(scope.into()));
    }
    request.url().0
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_make_the_same_url_and_it_is_right() {
        super::compare();
    }

    #[test]
    fn each_bench_runs() {
        for bench in [super::ours, super::ours_made_anew, super::oauth2_rs, super::openidconnect] {
            bench(3);
        }
    }
}
