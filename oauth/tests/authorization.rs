//! What `Authorization` shows, and what it does not.
#![allow(missing_docs, reason = "a test")]
#![cfg(feature = "hyper")]

use oauth::core::{ClientSecret, OptOut, Policy, Registration};
use oauth::{Authorization, Authorizer, HyperHost, Settings, blocking};
use oauth_testserver::TestServer;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn authorizer(server: &TestServer) -> Authorizer {
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let registration = Registration::with_secret("demo-basic", ClientSecret::new("demo-basic-secret"));
    let host = Arc::new(HyperHost::new(Settings::new()).unwrap());
    blocking::discover(server.issuer(), registration, policy, host).unwrap()
}

#[test]
fn a_header_value_is_the_scheme_a_space_and_the_token() {
    let server = TestServer::start().unwrap();
    let authorization = authorizer(&server).blocking().client_credentials(None).unwrap();
    assert_eq!(authorization.header_value(), format!("Bearer {}", authorization.token()));
    assert!(server.issued_secrets().contains(&authorization.token().to_owned()));
    let life = authorization.expires_at().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(life > Duration::from_secs(60), "{life:?}");
}

#[test]
fn a_token_that_no_header_can_carry_is_handed_back_and_its_refresh_token_with_it() {
    use oauth_testserver::{Endpoint, Fault};
    let server = TestServer::start().unwrap();
    let authorizer = authorizer(&server);
    let answer = r#"{"access_token":"a b","token_type":"Bearer","refresh_token":"r2"}"#;
    server.fault_once(Endpoint::Token, Fault::Status(200, answer.into()));
    let error = authorizer.blocking().client_credentials(None).unwrap_err();
    let oauth::Error::NotBearer(tokens) = &error else { panic!("{error}") };
    assert_eq!(tokens.refresh_token.as_ref().unwrap().expose(), "r2");
    assert!(!format!("{error} {error:?}").contains("r2"));
}

#[test]
fn nothing_that_can_be_printed_shows_a_secret() {
    let server = TestServer::start().unwrap();
    let authorizer = authorizer(&server);
    let authorization: Authorization = authorizer.blocking().client_credentials(None).unwrap();
    let printed =
        format!("{authorization:?} {:#?} {authorizer:?} {:?}", authorization.clone(), authorizer.blocking());
    for secret in server.issued_secrets() {
        assert!(!printed.contains(&secret), "{printed}");
    }
}

#[test]
fn blocking_calls_work_inside_a_runtime_and_a_host_may_be_dropped_there() {
    let server = TestServer::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authorizer = authorizer(&server);
        assert!(authorizer.blocking().client_credentials(None).is_ok());
    });
}

#[test]
fn one_authorizer_serves_many_threads() {
    let server = TestServer::start().unwrap();
    let authorizer = authorizer(&server);
    let tokens: std::collections::HashSet<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| authorizer.blocking().client_credentials(None).unwrap().token().to_owned())
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(tokens.len(), 8);
}

#[tokio::test]
async fn futures_are_send_and_a_dropped_one_frees_its_port() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let server = TestServer::start().unwrap();
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let host = Arc::new(HyperHost::new(Settings::new()).unwrap());
    let discover = Authorizer::discover_with(server.issuer(), Registration::public("demo"), policy, host);
    let authorizer = is_send(discover).await.unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let sign_in = oauth::SignIn::new().browser(None).on_step(move |step| {
        if let oauth::Step::Listening { redirect_uri, .. } = step {
            sender.send(redirect_uri.port().unwrap()).unwrap();
        }
    });
    let waiting = is_send(authorizer.sign_in(sign_in));
    assert!(tokio::time::timeout(Duration::from_millis(200), waiting).await.is_err());
    let port = receiver.recv().unwrap();
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "the port is free again");
}
