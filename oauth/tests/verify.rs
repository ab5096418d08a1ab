//! Messages that strangers send, many at once.
#![allow(missing_docs, reason = "a test")]

use core::time::Duration;
use oauth::Authorizer;
use oauth::core::{
    AccessTokenRules, Client, Input, KeyFailed, KeyTask, KeyWhy, Mono, Now, Policy, Purpose, Registration,
    Request, Response, Server, Unix, Unreachable,
};
use oauth::host::{BoxFuture, Host};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server whose keys verify nothing, and take a while to come.
#[derive(Default)]
struct Stranger {
    fetched: AtomicUsize,
    opened: AtomicUsize,
    seconds: AtomicUsize,
}

impl Host for Stranger {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Unreachable>> {
        assert_eq!(request.purpose(), Purpose::Keys);
        self.fetched.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        Box::pin(core::future::ready(Ok(http::Response::new(br#"{"keys":[]}"#.to_vec()).into())))
    }

    fn sleep_until(&self, _: Mono) -> BoxFuture<'_, ()> {
        unreachable!("nothing is waited for")
    }

    fn key(&self, _: KeyTask) -> BoxFuture<'_, Input> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Box::pin(core::future::ready(Input::KeyFailed(KeyFailed::new(KeyWhy::UnknownKid))))
    }

    fn now(&self) -> Now {
        let seconds = self.seconds.load(Ordering::SeqCst) as u64;
        Now { mono: Mono::from_duration(Duration::from_secs(seconds)), unix: Unix(1_700_000_000 + seconds) }
    }
}

#[test]
fn j12_a_flood_of_strangers_at_once_asks_the_server_once() {
    let server = Server::new("https://as.example").with_jwks_uri("https://as.example/jwks");
    let client = Client::new(server, Registration::public("api"), Policy::strict()).unwrap();
    let host = Arc::new(Stranger::default());
    let authorizer = Authorizer::new(client, Arc::clone(&host) as _);
    for (flood, seconds) in [(1, 0), (2, 60)] {
        host.seconds.store(seconds, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    let rules = AccessTokenRules::new("https://as.example", "https://api.example");
                    authorizer.blocking().verify("e30.e30.AA", rules).unwrap_err();
                });
            }
        });
        assert_eq!(host.fetched.load(Ordering::SeqCst), flood);
    }
    assert!(host.opened.load(Ordering::SeqCst) >= 128, "each message was looked at");
}
