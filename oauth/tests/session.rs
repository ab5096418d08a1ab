//! An authorization that is kept alive, over a host whose clock and server are this test's.
#![allow(missing_docs, reason = "a test")]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use oauth::core::{
    AccessToken, AuthorizationRequest, Client, ClientCredentials, ClientSecret, Delivered, Mono, Now, OptOut,
    Password, Policy, RefreshToken, Registration, Remedy, Request, ResourceOwnerPassword, Response, Server,
    Unix, Unreachable, UnreachableKind,
};
use oauth::host::{BoxFuture, Host};
use oauth::{Authorizer, Error, Session};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A host that has its answers ready, counts the requests and keeps each of them waiting for a while.
#[derive(Default)]
struct Told {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<String>>,
    seconds: AtomicUsize,
    /// While the machine slept: the wall clock alone went on.
    slept: AtomicUsize,
}

enum Answer {
    Json(u16, String),
    Later(u16, &'static str),
    Nothing,
}

impl Told {
    fn say(&self, status: u16, body: impl Into<String>) {
        self.answers.lock().unwrap().push_back(Answer::Json(status, body.into()));
    }

    fn tokens(&self, access: &str, refresh: &str, expires_in: u64) {
        self.say(
            200,
            format!(
                r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{expires_in},"refresh_token":"{refresh}"}}"#
            ),
        );
    }

    fn pass(&self, seconds: usize) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn requests(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

impl Host for Told {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(String::from_utf8(request.body().to_vec()).unwrap());
            let mut turns = 20;
            core::future::poll_fn(|context: &mut Context<'_>| {
                context.waker().wake_by_ref();
                turns -= 1;
                if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            let answer = self.answers.lock().unwrap().pop_front().expect("a request that was not expected");
            let (status, retry, body) = match answer {
                Answer::Json(status, body) => (status, None, body),
                Answer::Later(status, after) => (status, Some(after), String::new()),
                Answer::Nothing => {
                    return Err(Unreachable::new(UnreachableKind::Connect, Delivered::No));
                }
            };
            let mut response =
                http::Response::builder().status(status).header("content-type", "application/json");
            if let Some(after) = retry {
                response = response.header("retry-after", after);
            }
            Ok(Response::from(response.body(body.into_bytes()).unwrap()))
        })
    }

    fn sleep_until(&self, _: Mono) -> BoxFuture<'_, ()> {
        unreachable!("no flow of these tests waits")
    }

    fn now(&self) -> Now {
        let seconds = self.seconds.load(Ordering::SeqCst) as u64;
        let unix = Unix(1_700_000_000 + seconds + self.slept.load(Ordering::SeqCst) as u64);
        Now { mono: Mono::from_duration(Duration::from_secs(seconds)), unix }
    }
}

fn authorizer(host: &Arc<Told>, policy: Policy) -> Authorizer {
    let server = Server::new("https://as.example.com").with_token_endpoint("https://as.example.com/token");
    let registration = Registration::with_secret("client", ClientSecret::new("secret"));
    let client = Client::new(server, registration, policy).unwrap();
    Authorizer::new(client, Arc::clone(host) as _)
}

fn strict(host: &Arc<Told>) -> Authorizer {
    authorizer(host, Policy::strict())
}

/// Runs a future on this thread.
fn run<T: Send>(future: impl Future<Output = T> + Send) -> T {
    oauth::blocking::run(&Told::default(), future)
}

/// A session whose first access token is `a1`, for an hour.
fn session(host: &Arc<Told>) -> Session {
    host.tokens("a1", "r1", 3600);
    let session = Session::resume(strict(host), RefreshToken::new("r0"));
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    session
}

/// All of them at once: each is polled in turn until all are done.
fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    let mut context = Context::from_waker(core::task::Waker::noop());
    while waiting.iter().any(|(_, done)| done.is_none()) {
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                *done = Some(value);
            }
        }
    }
    waiting.into_iter().map(|(_, done)| done.unwrap()).collect()
}

#[test]
fn r5_a_thousand_callers_make_one_request_and_share_its_answer() {
    let host = Arc::new(Told::default());
    host.tokens("a1", "r1", 3600);
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    let answers = all((0..1000).map(|_| session.authorization()).collect());
    assert_eq!(host.requests(), 1);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().token() == "a1"));

    host.pass(3600);
    host.say(400, r#"{"error":"invalid_grant"}"#);
    let answers = all((0..1000).map(|_| session.authorization()).collect());
    assert_eq!(host.requests(), 2, "a failure is shared as well");
    let first = answers[0].as_ref().unwrap_err();
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer.as_ref().unwrap_err(), first)));
    assert_eq!(first.remedy(), Remedy::SignInAgain);
    // What is over stays over, without a word to the server.
    host.pass(86_400);
    assert!(Arc::ptr_eq(&run(session.authorization()).unwrap_err(), first));
    assert_eq!(host.requests(), 2);
}

#[test]
fn r5_whoever_waited_shares_a_failure_that_may_be_tried_again_at_once() {
    let host = Arc::new(Told::default());
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    host.answers.lock().unwrap().push_back(Answer::Later(503, "0"));
    let answers = all((0..100).map(|_| session.authorization()).collect());
    assert_eq!(host.requests(), 1);
    assert!(answers.iter().all(Result::is_err));
    host.tokens("a1", "r1", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
}

#[test]
fn r5_threads_share_one_request() {
    let host = Arc::new(Told::default());
    host.tokens("a1", "r1", 3600);
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| assert_eq!(session.blocking().authorization().unwrap().token(), "a1"));
        }
    });
    assert_eq!(host.requests(), 1);
}

#[test]
fn a_token_is_renewed_a_minute_before_its_end_and_a_little_earlier_on_some_machines() {
    let host = Arc::new(Told::default());
    let session = session(&host);
    host.pass(3600 - 60 - 15 - 1);
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    assert_eq!(host.requests(), 1);
    host.pass(16);
    host.tokens("a2", "r2", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");
    assert!(host.sent.lock().unwrap()[1].contains("refresh_token=r1"));
}

#[test]
fn r5_a_token_that_ends_at_once_is_renewed_once_a_call_and_no_more_than_once_a_second() {
    let host = Arc::new(Told::default());
    host.tokens("a1", "r1", 0);
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    for _ in 0..100 {
        assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    }
    assert_eq!(host.requests(), 1);
    host.pass(1);
    host.tokens("a2", "r2", 0);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");
    assert_eq!(host.requests(), 2);
}

#[test]
fn a_token_ends_while_the_machine_sleeps() {
    let host = Arc::new(Told::default());
    let session = session(&host);
    host.slept.fetch_add(3600, Ordering::SeqCst);
    host.tokens("a2", "r2", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");
}

#[test]
fn a_token_ends_although_the_wall_clock_was_set_back() {
    let host = Arc::new(Told::default());
    host.slept.fetch_add(1_000_000, Ordering::SeqCst);
    let session = session(&host);
    host.slept.store(0, Ordering::SeqCst);
    host.pass(3600);
    host.tokens("a2", "r2", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");
}

#[test]
fn a_short_life_is_used_to_its_half() {
    let host = Arc::new(Told::default());
    host.tokens("a1", "r1", 40);
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    run(session.authorization()).unwrap();
    host.pass(19);
    run(session.authorization()).unwrap();
    assert_eq!(host.requests(), 1);
    host.pass(1);
    host.tokens("a2", "r2", 40);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");
}

#[test]
fn the_old_token_serves_while_the_server_is_down_and_the_server_is_left_alone() {
    let host = Arc::new(Told::default());
    let session = session(&host);
    host.pass(3600 - 59);
    host.answers.lock().unwrap().push_back(Answer::Nothing);
    for _ in 0..10 {
        assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    }
    assert_eq!(host.requests(), 2);
    host.pass(5);
    host.answers.lock().unwrap().push_back(Answer::Later(503, "20"));
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    host.pass(19);
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    assert_eq!(host.requests(), 3, "Retry-After is kept to");
    host.pass(1);
    host.tokens("a2", "r2", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a2");

    // Once it has ended the failure is told.
    host.pass(3600);
    host.answers.lock().unwrap().push_back(Answer::Nothing);
    let error = run(session.authorization()).unwrap_err();
    assert_eq!(error.remedy(), Remedy::TryAgain { after: None });
}

#[test]
fn each_new_refresh_token_is_stored_before_anyone_gets_the_access_token_a_rescued_one_too() {
    let host = Arc::new(Told::default());
    let stored = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&stored);
    host.tokens("a1", "r1", 3600);
    let session = Session::resume(strict(&host), RefreshToken::new("r0"))
        .on_refresh_token(move |token| into.lock().unwrap().push(token.expose().to_owned()));
    run(session.authorization()).unwrap();
    host.pass(3600);
    // No header can carry this one; its refresh token is the only live one.
    host.say(200, r#"{"access_token":"a b","token_type":"Bearer","refresh_token":"r2"}"#);
    assert!(run(session.authorization()).is_err());
    assert_eq!(*stored.lock().unwrap(), ["r1", "r2"]);
    assert_eq!(session.refresh_token().unwrap().expose(), "r2");
    host.pass(5);
    host.tokens("a3", "r2", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a3");
    assert!(host.sent.lock().unwrap()[2].contains("refresh_token=r2"));
    assert_eq!(stored.lock().unwrap().len(), 2, "the same one again is not new");
}

#[test]
fn what_a_resource_turned_away_is_replaced_once_however_many_say_so() {
    let host = Arc::new(Told::default());
    let session = session(&host);
    let rejected = run(session.authorization()).unwrap();
    host.tokens("a2", "r2", 3600);
    let answers = all((0..100).map(|_| session.replace(&rejected)).collect());
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().token() == "a2"));
    assert_eq!(run(session.replace(&rejected)).unwrap().token(), "a2");
    assert_eq!(host.requests(), 2);

    // And it is not given out again when there is no other.
    let rejected = run(session.authorization()).unwrap();
    host.answers.lock().unwrap().push_back(Answer::Nothing);
    assert!(run(session.replace(&rejected)).is_err());
    assert!(run(session.authorization()).is_err());
}

#[test]
fn whoever_gives_up_leaves_the_next_one_to_ask() {
    let host = Arc::new(Told::default());
    let session = Session::resume(strict(&host), RefreshToken::new("r0"));
    let mut context = Context::from_waker(core::task::Waker::noop());
    {
        let mut first = pin!(session.authorization());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert_eq!(host.requests(), 1);
    }
    host.tokens("a1", "r1", 3600);
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    assert_eq!(host.requests(), 2);
}

#[test]
fn a_grant_that_needs_nobody_is_repeated() {
    let host = Arc::new(Told::default());
    let session = Session::repeating(strict(&host), ClientCredentials::new);
    for token in ["a1", "a2"] {
        host.say(200, format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#));
        assert_eq!(run(session.authorization()).unwrap().token(), token);
        assert_eq!(run(session.authorization()).unwrap().token(), token);
        host.pass(3600);
    }
    assert_eq!(host.requests(), 2);
    assert!(host.sent.lock().unwrap().iter().all(|body| body.contains("client_credentials")));
    // A refusal of such a grant is not the end: whoever runs the server may change their mind.
    host.say(400, r#"{"error":"invalid_grant"}"#);
    assert!(run(session.authorization()).is_err());
    host.pass(5);
    host.say(200, r#"{"access_token":"a3","token_type":"Bearer","expires_in":3600}"#);
    assert_eq!(run(session.authorization()).unwrap().token(), "a3");
}

#[test]
fn without_a_refresh_token_it_serves_as_long_as_it_lives() {
    let host = Arc::new(Told::default());
    host.say(200, r#"{"access_token":"a1","token_type":"Bearer","expires_in":3600}"#);
    let authorizer = strict(&host);
    let authorization = run(authorizer.client_credentials(None)).unwrap();
    let session = Session::new(authorizer, authorization);
    host.pass(3599);
    assert_eq!(run(session.authorization()).unwrap().token(), "a1");
    host.pass(1);
    let error = run(session.authorization()).unwrap_err();
    assert!(matches!(*error, Error::NoRefreshToken), "{error}");
    assert_eq!(error.remedy(), Remedy::SignInAgain);
    assert_eq!(host.requests(), 1);
}

#[test]
fn neither_a_session_nor_its_future_shows_a_token() {
    let host = Arc::new(Told::default());
    let session = session(&host);
    let shown = format!("{session:?} {:?}", session.blocking());
    assert!(!shown.contains("a1") && !shown.contains("r1"), "{shown}");
}

#[test]
fn whoever_runs_a_legacy_grant_is_warned_before_it_is_sent() {
    let host = Arc::new(Told::default());
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let (into, seen) = (Arc::clone(&warnings), Arc::clone(&host));
    let policy = Policy::strict().waive(OptOut::PasswordGrant);
    let authorizer = authorizer(&host, policy)
        .on_warning(move |opt_out| into.lock().unwrap().push((opt_out, seen.requests())));
    host.say(200, r#"{"access_token":"a1","token_type":"Bearer"}"#);
    run(authorizer.exchange(ResourceOwnerPassword::new("alice", Password::new("a password")))).unwrap();
    assert_eq!(*warnings.lock().unwrap(), [(OptOut::PasswordGrant, 0)]);

    host.say(200, r#"{"access_token":"a1","token_type":"Bearer"}"#);
    run(authorizer.client_credentials(None)).unwrap();
    assert_eq!(warnings.lock().unwrap().len(), 1, "nothing was waived for this one");
}

#[test]
fn each_way_that_goes_by_a_waived_rule_says_so() {
    let host = Arc::new(Told::default());
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&warnings);
    let server = Server::new("https://as.example.com")
        .with_authorization_endpoint("https://as.example.com/authorize")
        .with_token_endpoint("https://as.example.com/token")
        .with_token_info_endpoint("https://as.example.com/tokeninfo");
    let policy = Policy::strict().waive(OptOut::ImplicitGrant).waive(OptOut::TokenInQuery);
    let client = Client::new(server, Registration::public("client"), policy).unwrap();
    let authorizer = Authorizer::new(client, Arc::clone(&host) as _)
        .on_warning(move |opt_out| into.lock().unwrap().push(opt_out));
    let request = || AuthorizationRequest::new("https://client.example.com/callback");
    run(authorizer.begin(request())).unwrap();
    assert!(warnings.lock().unwrap().is_empty());
    run(authorizer.begin(request().implicit())).unwrap();
    host.say(200, r#"{"aud":"client"}"#);
    run(authorizer.token_info(AccessToken::new("at"))).unwrap();
    assert_eq!(*warnings.lock().unwrap(), [OptOut::ImplicitGrant, OptOut::TokenInQuery]);
}
