//! What a session adds, as the server sees it: over each engine, with the default and with the value.

use super::Engine;
use super::server::{Received, Server};
use super::subject::{get, post, transport};
use crate::session::{Coding, ExtraHeaders, Recording, Session};
use crate::{EventSink, SessionSettings, Settings, Transport as _};
use http::HeaderValue;
use std::time::{Duration, UNIX_EPOCH};

const OK: &str = "HTTP/1.1 200 OK\r\nset-cookie: sid=1; Path=/\r\ncontent-length: 2\r\n\r\n{}";

/// A GET, a POST and a second GET, as they arrive; then what the transcript says of the last one.
fn seen<E: Engine>(settings: SessionSettings) -> (Vec<Received>, String) {
    let server = Server::answering(OK);
    let session = Session::new(transport::<E>(Settings::new()), settings, EventSink::none());
    E::block_on(async {
        for request in [get(&server.http("/a")), post(&server.http("/b")), get(&server.http("/c"))] {
            session.send(request).await.expect("the server answers");
        }
    });
    (server.received(), session.memory().transcript().to_string())
}

/// Headers, `Authorization`, `If-Modified-Since`, encodings, cookies and the transcript.
pub fn what_a_session_adds_reaches_the_server<E: Engine>() {
    let (plain, nothing) = seen::<E>(SessionSettings::new());
    let mut settings = SessionSettings::new();
    settings.headers = ExtraHeaders::from_lines("X-Tenant: 42\nX-Key: planted-one\nX-Key: planted-two")
        .expect("they are headers");
    settings.authorization = Some(HeaderValue::from_static("Verbatim planted-basic"));
    settings.if_modified_since = Some(UNIX_EPOCH + Duration::from_secs(784_111_777));
    settings.accept_encodings = vec![Coding::Gzip, Coding::Brotli];
    settings.compress_requests = true;
    settings.keep_cookies = true;
    settings.recording = Recording::Responses;
    let (told, transcript) = seen::<E>(settings);
    for name in ["x-tenant", "if-modified-since", "accept-encoding", "content-encoding", "cookie"] {
        assert!(plain.iter().all(|request| request.all(name).is_empty()), "{name} by default");
    }
    assert!(plain[0].all("authorization").is_empty() && nothing.is_empty());
    assert!(plain[1].body.starts_with(b"grant_type="));

    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (at, (since, coding, cookie)) in
        [(&[date][..], &[][..], &[][..]), (&[], &["gzip"], &["sid=1"]), (&[date], &[], &["sid=1"])]
            .into_iter()
            .enumerate()
    {
        let request = &told[at];
        assert_eq!(request.all("x-tenant"), ["42"]);
        assert_eq!(request.all("x-key"), ["planted-one", "planted-two"]);
        assert_eq!(request.all("accept-encoding"), ["gzip, br"]);
        assert_eq!(request.all("if-modified-since"), since);
        assert_eq!(request.all("content-encoding"), coding);
        assert_eq!(request.all("cookie"), cookie);
    }
    // In place of the client's authentication, and where there is none of that, nowhere.
    let authorization: Vec<_> = told.iter().map(|request| request.all("authorization")).collect();
    assert_eq!(authorization, [&[][..], &["Verbatim planted-basic"], &[]]);
    // The magic number of gzip (RFC 1952 section 2.3.1).
    assert!(told[1].body.starts_with(&[0x1f, 0x8b]), "{:?}", told[1]);

    // The transcript names each header that the server saw, and shows no value that may be a secret.
    for (name, _) in &told[2].headers {
        assert!(transcript.contains(&format!("\r\n{name}: ")), "{name} is not in {transcript}");
    }
    assert!(!transcript.contains("planted") && !transcript.contains("sid=1"), "{transcript}");
}
