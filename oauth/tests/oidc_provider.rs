//! A server that nobody here wrote accepts what this client sends: npm `oidc-provider` on Node, by https, with every
//! engine that is built in.
//!
//! Each test is written once, as a function of the engine. What starts the server is in `oidc-provider/server.rs`; it
//! needs Node.js and npm, and says so where they are missing.
#![cfg(all(any(feature = "hyper", feature = "isahc"), feature = "jwt"))]

#[cfg(all(feature = "hyper", feature = "component"))]
#[path = "oidc-provider/component.rs"]
mod component;
#[path = "oidc-provider/server.rs"]
mod server;

use core::future::Future;
use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use oauth::core::{
    AccessToken, AuthMethod, AuthorizationRequest, AuthorizationResponse, ClientMetadata, ClientSecret,
    Delivered, Deregister, Endpoint, ErrorCode, GrantType, Introspection, IntrospectionRequest, Mono,
    Pending, Policy, Purpose, RefreshToken, Register, Registration, Rejected, Remedy, Request, Response,
    Scope, Unreachable, UnreachableKind,
};
use oauth::host::{BoxFuture, Host};
use oauth::{Authorization, Authorizer, Error, Session, Settings, core as protocol};
use server::{another_ca_pem, server};
use std::sync::{Arc, Mutex};

macro_rules! on_each_engine {
    ($($test:ident,)+) => {
        #[cfg(feature = "hyper")]
        mod hyper {
            $(#[test] fn $test() { super::$test(super::Engine::Hyper); })+
        }

        #[cfg(feature = "isahc")]
        mod isahc {
            $(#[test] fn $test() { super::$test(super::Engine::Isahc); })+
        }
    };
}

on_each_engine! {
    discovery_finds_the_endpoints,
    only_the_issuer_s_own_name_will_do,
    a_certificate_of_another_authority_is_refused,
    a_code_with_pkce_gives_a_token_that_opens_userinfo,
    a_person_who_refuses_is_heard,
    a_code_works_once,
    refresh_tokens_rotate_and_an_old_one_ends_them_all,
    a_client_gets_in_with_its_secret,
    a_wrong_secret_is_refused,
    a_device_waits_until_the_person_approves,
    a_device_learns_that_the_person_refused,
    a_token_is_introspected_and_given_back,
    a_client_registers_itself_and_ends_its_registration,
    a_session_renews_in_time,
    the_blocking_front_does_the_same,
}

#[cfg(all(feature = "hyper", feature = "stores"))]
#[path = "../examples/service.rs"]
#[allow(dead_code, reason = "the example's main reads its arguments, which a test has in hand")]
mod service;

#[cfg(all(feature = "hyper", feature = "stores"))]
#[test]
fn a_service_account_signs_its_way_in() {
    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-jwt/tests/keys");
    let authorize = |client_id: &str, file: &str, password: Option<&str>| {
        let password = password.map(oauth::core::Password::new);
        let settings = trusting(server().ca_pem());
        service::Service::open(file, password.as_ref(), "*")?.authorize(
            server().issuer(),
            client_id,
            Policy::strict(),
            settings,
        )
    };
    for file in ["rsa-2048.pfx", "rsa-2048.jks", "rsa-2048.encrypted.pkcs8.pem"] {
        let file = format!("{KEYS}/{file}");
        assert!(!authorize("service-RS256", &file, Some("throw-away")).unwrap().token().is_empty());
        let error = authorize("service-RS256", &file, Some("wrong")).unwrap_err().to_string();
        assert!(error.contains("password") && error.contains("is wrong"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("key.json");
    for (client_id, file, key, other) in [
        ("service-ES256", "p256.pkcs8.pem", server::ES256_KEY, "rsa-2048.pkcs8.pem"),
        ("service-RS256", "rsa-2048.pkcs8.pem", server::RS256_KEY, "p256.pkcs8.pem"),
    ] {
        let authorization = authorize(client_id, &format!("{KEYS}/{file}"), None).unwrap();
        assert_eq!(authorization.scope().unwrap().as_str(), "jobs");
        assert!(!authorization.token().is_empty());

        // The same in the file that Google gives out; the server wants itself as the audience.
        let json = serde_json::json!({
            "type": "service_account",
            "client_email": client_id,
            "private_key_id": "a key",
            "private_key": key,
            "token_uri": server().issuer(),
        });
        std::fs::write(&account, json.to_string()).unwrap();
        let authorization = authorize(client_id, account.to_str().unwrap(), None).unwrap();
        assert!(!authorization.token().is_empty());

        let error = authorize(client_id, &format!("{KEYS}/{other}"), None).unwrap_err();
        assert!(error.to_string().contains("invalid_grant"), "{error}");
    }
}

/// As in `server.mjs`.
const LONG_SECRET: &str = "a secret for tests, as long as the hash of its MAC is";

#[test]
fn a_client_signs_an_assertion_for_each_request() {
    use oauth::WithKeys;
    use oauth::core::{Algorithm, KeyId};
    use oauth::jwt::{Keyring, SigningKey};
    let mac = SigningKey::from_secret(&ClientSecret::new(LONG_SECRET), Algorithm::HS256).unwrap();
    let keys = [
        ("signs-ES256", SigningKey::from_pem(server::ES256_KEY).unwrap()),
        ("signs-RS256", SigningKey::from_pem(server::RS256_KEY).unwrap()),
        ("macs", mac),
    ];
    for (client_id, key) in keys {
        let algorithm = key.algorithm();
        let mut keyring = Keyring::new();
        keyring.insert(KeyId::new(client_id), key);
        #[cfg(feature = "hyper")]
        let engine = Engine::Hyper;
        #[cfg(not(feature = "hyper"))]
        let engine = Engine::Isahc;
        let host: Arc<dyn Host> = Arc::new(WithKeys::new(engine.host(trusting(server().ca_pem())), keyring));
        let registration = Registration::with_key(client_id, KeyId::new(client_id), algorithm);
        let discover = discover_on(Arc::clone(&host), server().issuer(), registration);
        let authorizer = oauth::blocking::run(&*host, discover).unwrap();
        // Twice: an assertion that comes a second time is refused.
        for _ in 0..2 {
            authorizer.blocking().client_credentials(Some(Scope::new("jobs").unwrap())).unwrap();
        }
    }
}

#[derive(Clone, Copy)]
enum Engine {
    #[cfg(feature = "hyper")]
    Hyper,
    #[cfg(feature = "isahc")]
    Isahc,
}

impl Engine {
    fn host(self, settings: Settings) -> Arc<dyn Host> {
        match self {
            #[cfg(feature = "hyper")]
            Self::Hyper => Arc::new(oauth::HyperHost::new(settings).unwrap()),
            #[cfg(feature = "isahc")]
            Self::Isahc => Arc::new(oauth::IsahcHost::new(settings).unwrap()),
        }
    }

    /// Where an async program of this engine lives: a tokio runtime, or any thread.
    fn run<T: Send>(self, future: impl Future<Output = T> + Send) -> T {
        match self {
            #[cfg(feature = "hyper")]
            Self::Hyper => {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
            }
            #[cfg(feature = "isahc")]
            Self::Isahc => oauth::blocking::run(&*self.host(trusting(server().ca_pem())), future),
        }
    }

    async fn discover(self, registration: Registration) -> Authorizer {
        discover_on(self.host(trusting(server().ca_pem())), server().issuer(), registration).await.unwrap()
    }
}

fn discovery_finds_the_endpoints(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let found = authorizer.client().server();
        assert_eq!(found.issuer(), server().issuer());
        for endpoint in [
            found.authorization_endpoint(),
            found.token_endpoint(),
            found.device_authorization_endpoint(),
            found.userinfo_endpoint(),
            found.jwks_uri(),
        ] {
            assert!(endpoint.unwrap().starts_with(server().issuer()), "{endpoint:?}");
        }
        let methods = found.token_endpoint_auth_methods().unwrap();
        assert!(methods.contains(&AuthMethod::CLIENT_SECRET_BASIC), "{methods:?}");
    });
}

fn only_the_issuer_s_own_name_will_do(engine: Engine) {
    engine.run(async {
        let own = server().issuer();
        for other in [own.replace("127.0.0.1", "localhost"), format!("{own}/")] {
            let host = engine.host(trusting(server().ca_pem()));
            let error = failure(discover_on(host, &other, native()).await.unwrap_err());
            let protocol::Error::Rejected(Rejected::Issuer { expected, received }) = error else {
                panic!("{other}: {error:?}")
            };
            assert_eq!((&*expected, &*received), (&*other, own));
        }
    });
}

fn a_certificate_of_another_authority_is_refused(engine: Engine) {
    engine.run(async {
        for settings in [Settings::new(), trusting(&another_ca_pem())] {
            let result = discover_on(engine.host(settings), server().issuer(), native()).await;
            let error = failure(result.unwrap_err());
            let protocol::Error::Unreachable(unreachable) = error else { panic!("{error:?}") };
            assert_eq!(unreachable.kind, UnreachableKind::Tls, "{unreachable:?}");
            assert_eq!(unreachable.delivered, Delivered::No);
        }
    });
}

fn a_code_with_pkce_gives_a_token_that_opens_userinfo(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let authorization = sign_in(&authorizer, &[("login_hint", "bob")]).await;
        assert!(authorization.header_value().starts_with("Bearer "));
        assert!(authorization.expires_at().is_some());
        assert_eq!(authorization.id_token_claims().unwrap().sub, "bob");
        assert!(authorization.scope().unwrap().contains("offline_access"));
        let (status, claims) = userinfo(&authorizer, &authorization).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(claims["sub"], "bob");
    });
}

fn a_person_who_refuses_is_heard(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let (pending, answer) = ask(&authorizer, &[("login_hint", "deny")]).await;
        let result = authorizer.finish(pending, &AuthorizationResponse::Query(&answer)).await;
        let refusal = refusal(result.unwrap_err());
        assert_eq!(refusal.code, ErrorCode::ACCESS_DENIED);
        assert_eq!(refusal.description.as_deref(), Some("The person said no"));
    });
}

fn a_code_works_once(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let (pending, answer) = ask(&authorizer, &[]).await;
        let answer = AuthorizationResponse::Query(&answer);
        let stored = pending.to_store();
        let authorization = authorizer.finish(pending, &answer).await.unwrap();
        assert_eq!(userinfo(&authorizer, &authorization).await.0, StatusCode::OK);

        let again = Pending::from_store(stored.expose(), authorizer.host().now().unix).unwrap();
        assert_eq!(
            refusal(authorizer.finish(again, &answer).await.unwrap_err()).code,
            ErrorCode::INVALID_GRANT
        );
        // RFC 6749 section 4.1.2: the server takes back what it gave for the code.
        assert_eq!(userinfo(&authorizer, &authorization).await.0, StatusCode::UNAUTHORIZED);
    });
}

fn refresh_tokens_rotate_and_an_old_one_ends_them_all(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let first = sign_in(&authorizer, &[]).await;
        let second = authorizer.refresh(refresh_token(&first)).await.unwrap();
        assert!(first.token() != second.token(), "the access token is the old one");
        assert!(refresh_token(&first) != refresh_token(&second), "the refresh token is the old one");
        assert_eq!(userinfo(&authorizer, &second).await.1["sub"], "alice");

        for old_then_new in [&first, &second] {
            let error = authorizer.refresh(refresh_token(old_then_new)).await.unwrap_err();
            assert_eq!(error.remedy(), Remedy::SignInAgain);
            assert_eq!(refusal(error).code, ErrorCode::INVALID_GRANT);
        }
    });
}

fn a_client_gets_in_with_its_secret(engine: Engine) {
    let post = with_secret("post", SECRET).authenticated_by(AuthMethod::CLIENT_SECRET_POST);
    for registration in [with_secret("basic", SECRET), with_secret(ODD_ID, ODD_SECRET), post] {
        engine.run(async {
            let authorizer = engine.discover(registration).await;
            let authorization =
                authorizer.client_credentials(Some(Scope::new("jobs").unwrap())).await.unwrap();
            assert_eq!(authorization.scope().unwrap().as_str(), "jobs");
            assert!(authorization.refresh_token().is_none());
            assert!(!authorization.token().is_empty());
        });
    }
}

fn a_wrong_secret_is_refused(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(with_secret("basic", "wrong")).await;
        let error = authorizer.client_credentials(None).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::FixSetup);
        assert_eq!(refusal(error).code, ErrorCode::INVALID_CLIENT);
    });
}

fn a_device_waits_until_the_person_approves(engine: Engine) {
    engine.run(async {
        let (authorizer, result) = sign_in_on_device(engine, "--approve").await;
        let authorization = result.unwrap();
        assert_eq!(authorization.id_token_claims().unwrap().sub, "alice");
        assert_eq!(userinfo(&authorizer, &authorization).await.1["sub"], "alice");
        authorizer.refresh(refresh_token(&authorization)).await.unwrap();
    });
}

fn a_device_learns_that_the_person_refused(engine: Engine) {
    engine.run(async {
        let (_, result) = sign_in_on_device(engine, "--deny").await;
        assert_eq!(refusal(result.unwrap_err()).code, ErrorCode::ACCESS_DENIED);
    });
}

fn a_token_is_introspected_and_given_back(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let authorization = sign_in(&authorizer, &[]).await;
        let access = AccessToken::new(authorization.token());
        let refresh = refresh_token(&authorization);
        for request in
            [IntrospectionRequest::access(access.clone()), IntrospectionRequest::refresh(refresh.clone())]
        {
            let Introspection::Active(token) = authorizer.introspect(request).await.unwrap() else {
                panic!("the token is of no use")
            };
            assert_eq!(token.sub.as_deref(), Some("alice"));
            assert_eq!(token.client_id.as_deref(), Some("native"));
            assert!(token.scope.unwrap().contains("offline_access"));
        }
        // RFC 9701: the same, signed.
        let request = IntrospectionRequest::access(access.clone()).signed();
        let Introspection::Active(token) = authorizer.introspect(request).await.unwrap() else {
            panic!("the token is of no use")
        };
        assert_eq!(token.sub.as_deref(), Some("alice"));
        authorizer.revoke(refresh.clone()).await.unwrap();
        let request = IntrospectionRequest::refresh(refresh.clone());
        assert_eq!(authorizer.introspect(request).await.unwrap(), Introspection::Inactive);
        // RFC 7009 section 2.1: the access token of the same grant goes with it.
        assert_eq!(userinfo(&authorizer, &authorization).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(refusal(authorizer.refresh(refresh).await.unwrap_err()).code, ErrorCode::INVALID_GRANT);
        // Section 2.2: what the server does not know needs no revocation.
        authorizer.revoke(access).await.unwrap();
    });
}

fn a_client_registers_itself_and_ends_its_registration(engine: Engine) {
    engine.run(async {
        let metadata = ClientMetadata::new()
            .with_client_name("one of many")
            .with_redirect_uri("https://client.example.com/callback")
            .with_token_endpoint_auth_method(&AuthMethod::CLIENT_SECRET_BASIC)
            .with_grant_type(&GrantType::CLIENT_CREDENTIALS)
            .with_grant_type(&GrantType::AUTHORIZATION_CODE);
        let host = engine.host(trusting(server().ca_pem()));
        let (authorizer, information) =
            Authorizer::register(server().issuer(), metadata, None, Policy::strict(), Arc::clone(&host))
                .await
                .unwrap();
        assert_eq!(authorizer.client().client_id(), information.client_id);
        assert_eq!(information.metadata.client_name(), Some("one of many"));
        authorizer.client_credentials(None).await.unwrap();

        let access = information.access.clone().unwrap();
        let read = Register::read(&*information.client_id, access, &Policy::strict()).unwrap();
        let read = oauth::drive(read, &*host).await.unwrap();
        assert_eq!(read.client_id, information.client_id);
        // The server's token for this may be a new one: the one to keep is what came.
        let end = Deregister::new(read.access.unwrap(), &Policy::strict()).unwrap();
        oauth::drive(end, &*host).await.unwrap();
        let error = authorizer.client_credentials(None).await.unwrap_err();
        assert_eq!(refusal(error).code, ErrorCode::INVALID_CLIENT);

        // What the server does not take is told, in its own words.
        let metadata = ClientMetadata::new().with_redirect_uri("no address");
        let refused = Authorizer::register(server().issuer(), metadata, None, Policy::strict(), host)
            .await
            .unwrap_err();
        assert_eq!(refusal(refused).code.as_str(), "invalid_redirect_uri");
    });
}

fn a_session_renews_in_time(engine: Engine) {
    engine.run(async {
        let authorizer = engine.discover(native()).await;
        let authorization = sign_in(&authorizer, &[]).await;
        let stored = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&stored);
        let session = Session::new(authorizer, authorization.clone())
            .on_refresh_token(move |token| into.lock().unwrap().push(token.clone()));
        assert_eq!(session.authorization().await.unwrap().token(), authorization.token());
        let second = session.replace(&authorization).await.unwrap();
        assert!(second.token() != authorization.token(), "the access token is the old one");
        assert_eq!(userinfo(session.authorizer(), &second).await.0, StatusCode::OK);
        // OpenID Connect Core section 12.2: another ID token, about the same person.
        let sub = |authorization: &Authorization| authorization.id_token_claims().unwrap().sub.clone();
        assert_eq!(sub(&second), sub(&authorization));
        assert_eq!(*stored.lock().unwrap(), [refresh_token(&second)]);
        assert_eq!(session.refresh_token(), Some(refresh_token(&second)));
    });
}

fn the_blocking_front_does_the_same(engine: Engine) {
    let host = engine.host(trusting(server().ca_pem()));
    let discover = |registration| {
        let asked = discover_on(Arc::clone(&host), server().issuer(), registration);
        oauth::blocking::run(&*host, asked).unwrap()
    };
    let authorizer = discover(native());
    let ready = authorizer.blocking().begin(request(&[])).unwrap();
    let answer = answer(ready.open.as_str());
    let authorization =
        authorizer.blocking().finish(ready.pending, &AuthorizationResponse::Query(&answer)).unwrap();
    let renewed = authorizer.blocking().refresh(refresh_token(&authorization)).unwrap();
    let (status, _) = oauth::blocking::run(&*host, userinfo(&authorizer, &renewed));
    assert_eq!(status, StatusCode::OK);
    discover(with_secret("basic", SECRET)).blocking().client_credentials(None).unwrap();
}

/// As in `server.mjs`.
const SECRET: &str = "a secret for tests";
/// All that a client may have in its id and secret and that means something to a form, a URL or HTTP Basic.
const ODD_ID: &str = "we:ird id%2B+";
const ODD_SECRET: &str = "p+a:s s%41/=&~\"\\";
/// Nobody listens there: the person only reads where they are sent.
const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";

fn native() -> Registration {
    Registration::public("native")
}

fn with_secret(client_id: &str, secret: &str) -> Registration {
    Registration::with_secret(client_id, ClientSecret::new(secret))
}

/// The platform's roots, and this one: what a person gets who names a CA file.
fn trusting(ca: &str) -> Settings {
    Settings::new().with_extra_roots_pem(ca.as_bytes()).unwrap()
}

async fn discover_on(
    host: Arc<dyn Host>,
    issuer: &str,
    registration: Registration,
) -> Result<Authorizer, Error> {
    Authorizer::discover_with(issuer, registration, Policy::strict(), host).await
}

fn request(parameters: &[(&str, &str)]) -> AuthorizationRequest {
    // OpenID Connect Core section 11: offline access is given only to someone who was asked.
    parameters.iter().fold(
        AuthorizationRequest::new(REDIRECT_URI).with_scope(offline()).with_parameter("prompt", "consent"),
        |request, (name, value)| request.with_parameter(*name, *value),
    )
}

fn offline() -> Scope {
    Scope::new("openid offline_access").unwrap()
}

/// Goes through the login page and gives the query that the person is sent back with.
fn answer(url: &str) -> String {
    let location = person(&["--print", url]);
    let query = location.trim_end().strip_prefix(&format!("{REDIRECT_URI}?"));
    query.unwrap_or_else(|| panic!("the person is sent to {location}")).to_owned()
}

fn person(arguments: &[&str]) -> String {
    let person = server().person(arguments).output().unwrap();
    assert!(person.status.success(), "the person gave up: {}", String::from_utf8_lossy(&person.stderr));
    String::from_utf8(person.stdout).unwrap()
}

async fn ask(authorizer: &Authorizer, parameters: &[(&str, &str)]) -> (Pending, String) {
    let ready = authorizer.begin(request(parameters)).await.unwrap();
    let answer = answer(ready.open.as_str());
    (ready.pending, answer)
}

async fn sign_in(authorizer: &Authorizer, parameters: &[(&str, &str)]) -> Authorization {
    let (pending, answer) = ask(authorizer, parameters).await;
    authorizer.finish(pending, &AuthorizationResponse::Query(&answer)).await.unwrap()
}

/// What a resource says to the header value (RFC 6750 section 2.1).
async fn userinfo(authorizer: &Authorizer, authorization: &Authorization) -> (StatusCode, serde_json::Value) {
    let url = authorizer.client().server().userinfo_endpoint().unwrap();
    let endpoint = Arc::new(Endpoint::new(url, &Policy::strict()).unwrap());
    let header = HeaderValue::from_str(authorization.header_value()).unwrap();
    let request = Request::get(Purpose::Resource, endpoint).with_header(AUTHORIZATION, header);
    let response = authorizer.host().send(request).await.unwrap();
    (response.status(), serde_json::from_slice(response.body()).unwrap())
}

/// The person decides only when the server has said once that it waits for them.
async fn sign_in_on_device(
    engine: Engine,
    decision: &'static str,
) -> (Authorizer, Result<Authorization, Error>) {
    let host = engine.host(trusting(server().ca_pem()));
    let watched = Arc::new(Watched { host, decision, page: Mutex::default() });
    let host: Arc<dyn Host> = Arc::clone(&watched) as _;
    let authorizer = discover_on(host, server().issuer(), native()).await.unwrap();
    let result = authorizer
        .sign_in_on_device(Some(offline()), |prompt| {
            let page = prompt.verification_uri_complete.as_ref().unwrap().as_str();
            assert!(page.ends_with(&prompt.user_code), "{page}");
            *watched.page.lock().unwrap() = Some(page.to_owned());
        })
        .await;
    assert!(watched.page.lock().unwrap().is_none(), "the server never said that it waits");
    (authorizer, result)
}

/// A host that sees the first `authorization_pending`, and then has the person decide.
struct Watched {
    host: Arc<dyn Host>,
    decision: &'static str,
    page: Mutex<Option<String>>,
}

impl Host for Watched {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(async move {
            let response = self.host.send(request).await?;
            let body = String::from_utf8_lossy(response.body());
            if body.contains(ErrorCode::AUTHORIZATION_PENDING.as_str())
                && let Some(page) = self.page.lock().unwrap().take()
            {
                person(&[self.decision, &page]);
            }
            Ok(response)
        })
    }

    fn sleep_until(&self, instant: Mono) -> BoxFuture<'_, ()> {
        self.host.sleep_until(instant)
    }
}

fn refresh_token(authorization: &Authorization) -> RefreshToken {
    authorization.refresh_token().expect("offline access was granted").clone()
}

fn failure(error: Error) -> protocol::Error {
    match error {
        Error::Failure(failure) => *failure.error,
        other => panic!("not a failed conversation: {other:?}"),
    }
}

fn refusal(error: Error) -> protocol::Refusal {
    match failure(error) {
        protocol::Error::Server(refusal) => refusal,
        other => panic!("not the server's refusal: {other:?}"),
    }
}

/// The same through the listener on this machine.
#[cfg(feature = "loopback")]
mod browser {
    use super::*;
    use core::time::Duration;
    use std::process::Stdio;

    on_each_engine! {
        a_browser_comes_back_to_the_listener,
        a_browser_comes_back_with_a_refusal,
    }

    fn a_browser_comes_back_to_the_listener(engine: Engine) {
        let (result, page) = sign_in_by_browser(engine, "carol");
        let authorization = result.unwrap();
        assert!(authorization.refresh_token().is_some());
        assert!(page.contains("You are signed in"), "{page}");
    }

    fn a_browser_comes_back_with_a_refusal(engine: Engine) {
        let (result, page) = sign_in_by_browser(engine, "deny");
        assert_eq!(refusal(result.unwrap_err()).code, ErrorCode::ACCESS_DENIED);
        assert!(!page.contains("You are signed in"), "{page}");
    }

    /// Signs in through the listener, and gives the page that the person sees in the end.
    fn sign_in_by_browser(engine: Engine, login_hint: &str) -> (Result<Authorization, Error>, String) {
        let browser = Arc::new(Mutex::new(None));
        let opened = Arc::clone(&browser);
        let sign_in = oauth::SignIn::new()
            .scope(offline())
            .parameter("prompt", "consent")
            .parameter("login_hint", login_hint)
            .browser(None)
            .timeout(Duration::from_secs(30))
            .on_step(move |step| {
                if let oauth::Step::Open { url } = step {
                    let mut person = server().person(&[url.as_str()]);
                    *opened.lock().unwrap() = Some(person.stdout(Stdio::piped()).spawn().unwrap());
                }
            });
        let result = engine.run(async { engine.discover(native()).await.sign_in(sign_in).await });
        let person = browser.lock().unwrap().take().expect("the address was shown");
        let output = person.wait_with_output().unwrap();
        assert!(output.status.success(), "the browser got no page");
        (result, String::from_utf8(output.stdout).unwrap())
    }
}
