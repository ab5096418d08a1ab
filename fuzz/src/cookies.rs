//! Any lines as `Set-Cookie`.

use http::{HeaderMap, HeaderValue};
use oauth_core::{Endpoint, Policy, Purpose, Request};
use oauth_transport::session::{Exchange, Memory, Step};
use oauth_transport::{EventSink, SessionSettings};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Each line is a header of one response; then the same server, a sister and a stranger are asked.
///
/// # Panics
/// A cookie goes to a stranger or shows its value, or reading takes too long.
pub fn run(input: &[u8]) {
    let began = Instant::now();
    let mut settings = SessionSettings::new();
    settings.keep_cookies = true;
    let settings = Arc::new(settings);
    let memory = Arc::new(Memory::default());
    let mut response = http::Response::new(Vec::new());
    for line in input.split(|byte| *byte == b'\n').take(64) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            response.headers_mut().append("set-cookie", value);
        }
    }
    let mut exchange = begin(&settings, &memory, "https://login.as.example/a/b");
    assert!(matches!(exchange.poll(), Step::Send(_)));
    exchange.handle(Ok(response.into()));
    assert!(matches!(exchange.poll(), Step::Done(Ok(_))));
    for cookie in memory.cookies() {
        assert!(cookie.name.len() + cookie.value.len() <= 4096);
        // A name may hold the very same text, so it is another value that must not make a difference.
        let mut other = cookie.clone();
        other.value = "another".to_owned();
        assert_eq!(format!("{cookie:?}"), format!("{other:?}"), "it shows its value");
    }
    for stranger in ["https://as.other/", "https://example/", "https://notas.example/", "http://127.0.0.1/"] {
        let Some(request) = first(&settings, &memory, stranger) else { continue };
        assert!(request.headers().all(|(name, _)| name.as_str() != "cookie"), "{stranger} got a cookie");
    }
    for known in ["https://login.as.example/a/b", "https://as.example/"] {
        let request = first(&settings, &memory, known).expect("it is an endpoint");
        for (_, value) in request.headers().filter(|(name, _)| name.as_str() == "cookie") {
            assert!(value.is_sensitive() && value.len() <= 300 * 4096);
        }
    }
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
}

fn first(settings: &Arc<SessionSettings>, memory: &Arc<Memory>, url: &str) -> Option<Request> {
    match begin(settings, memory, url).poll() {
        Step::Send(request) => Some(request),
        Step::Done(_) => None,
    }
}

fn begin(settings: &Arc<SessionSettings>, memory: &Arc<Memory>, url: &str) -> Exchange<'static> {
    let policy = Policy::strict().waive(oauth_core::OptOut::PlainHttpOnLoopback);
    let endpoint = Arc::new(Endpoint::new(url, &policy).expect("it is an endpoint"));
    let request = Request::get(Purpose::Discovery, endpoint);
    Exchange::new(Arc::clone(settings), Arc::clone(memory), EventSink::none(), &|_| HeaderMap::new(), request)
}
