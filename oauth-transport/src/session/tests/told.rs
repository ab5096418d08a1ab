//! The transcript, the log and the events.

use super::*;

const TOKENS: &str = r#"{"access_token":"planted-token","refresh_token":"planted-refresh","token_type":"Bearer",
    "expires_in":3600,"error_description":"planted-code is fine","nested":{"secret":"planted"},"more":["planted"]}"#;

fn answer() -> Answer {
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("set-cookie", "sid=planted; Path=/".to_owned()),
        ("location", "https://as.example/cb?code=planted".to_owned()),
        ("x-secret", "planted".to_owned()),
        ("www-authenticate", "Bearer error=\"planted-code\"".to_owned()),
    ];
    (200, headers, TOKENS.as_bytes().to_vec())
}

fn request() -> Request {
    post("https://as.example/token?hint=planted").with_header(AUTHORIZATION, secret("Basic planted"))
}

#[test]
fn the_transcript_shows_no_secret_unless_it_is_asked_for_them() {
    let mut settings = SessionSettings::new();
    settings.recording = Recording::Everything;
    let session = session(settings, [answer()]);
    send(&session, request()).unwrap();
    let transcript = session.memory().transcript();
    let expected = "\
POST /token?[redacted] HTTP\r
content-type: application/x-www-form-urlencoded\r
accept: application/json\r
authorization: Basic [redacted]\r
host: as.example\r
\r
grant_type=authorization_code&code=[redacted]&client_id=c1\r
\r
HTTP/1.1 200 OK\r
content-type: application/json\r
set-cookie: [redacted]\r
location: https://as.example/cb[redacted]\r
x-secret: [redacted]\r
www-authenticate: Bearer error=\"[redacted]\"\r
\r
{\"access_token\":\"[redacted]\",\"refresh_token\":\"[redacted]\",\"token_type\":\"Bearer\",\"expires_in\":3600,\
\"error_description\":\"[redacted] is fine\",\"nested\":{…},\"more\":\"[redacted]\"}\r
\r
";
    assert_eq!(transcript.to_string(), expected);
    assert!(!format!("{transcript:?} {:?}", transcript.hops()).contains("planted"));
    let exposed = transcript.exposed();
    let exposed = std::str::from_utf8(exposed.expose()).unwrap();
    for secret in ["hint=planted", "Basic planted", "code=planted-code", "sid=planted", "planted-token"] {
        assert!(exposed.contains(secret), "{secret}");
    }
    let hop = &transcript.hops()[0];
    assert_eq!(hop.status_line().as_deref(), Some("HTTP/1.1 200 OK"));
    assert_eq!(hop.version(), Some(Version::HTTP_11));
    assert_eq!(hop.exposed_response_body(), Some(TOKENS.as_bytes()));
    assert!(hop.exposed_request_body().unwrap().starts_with(b"grant_type="));
    assert_eq!(hop.sent_headers().len(), 4);
}

#[test]
fn whole_requests_are_kept_only_when_that_is_asked_for() {
    let mut settings = SessionSettings::new();
    settings.recording = Recording::Responses;
    let session = session(settings, [answer()]);
    send(&session, request()).unwrap();
    let transcript = session.memory().transcript();
    assert_eq!(transcript.hops()[0].exposed_request_body(), None);
    let exposed = transcript.exposed();
    assert!(!std::str::from_utf8(exposed.expose()).unwrap().contains("planted-code&"));
}

#[test]
fn what_is_neither_form_nor_json_is_shown_by_its_size() {
    for (bytes, shown) in [
        (&b"<html>planted=planted</html>"[..], "[28 bytes]"),
        (b"\xff\xfe", "[2 bytes]"),
        (b"planted", "[7 bytes]"),
        (b"eyJhbGciOi.planted=", "[19 bytes]"),
        (b"cGxhbnRlZA==", "[12 bytes]"),
        (b"planted=", "[8 bytes]"),
        (b"[\"planted\"]", "[11 bytes]"),
        (b"", ""),
    ] {
        assert_eq!(transcript::body(bytes, Purpose::Token, false), shown);
    }
    let keys = transcript::body(b"{\"keys\":[]}", Purpose::Keys, false);
    assert_eq!(keys, "{\"keys\":[]}");
}

/// Writes every event down.
struct Scribe(Arc<Mutex<Vec<String>>>);

impl Scribe {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }
}

impl EventHandler for Scribe {
    fn on_error(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.note(format!("error {error}"));
    }

    fn on_log(&mut self, entry: &LogEntry<'_>) {
        self.note(format!(
            "log {:?} {:?} {}",
            entry.level,
            entry.kind,
            entry.message.lines().next().unwrap_or("")
        ));
    }

    fn on_redirect(&mut self, location: &Url, accept: &mut bool) {
        self.note(format!("redirect {location} {accept}"));
    }

    fn on_set_cookie(&mut self, cookie: &crate::CookieSet<'_>) {
        self.note(format!("cookie {} {} {} {}", cookie.name, cookie.path, cookie.secure, cookie.same_site));
    }
}

fn scribe(level: LogLevel) -> (EventSink, Arc<Mutex<Vec<String>>>) {
    let notes = Arc::default();
    (EventSink::new(Scribe(Arc::clone(&notes)), level), notes)
}

#[test]
fn events_come_in_order_and_the_log_has_its_levels() {
    for (level, lines) in
        [(LogLevel::None, 0), (LogLevel::Info, 1), (LogLevel::Verbose, 5), (LogLevel::Debug, 9)]
    {
        let (events, notes) = scribe(level);
        let mut settings = SessionSettings::new();
        settings.redirects = Redirects::Always;
        let session = session_with(
            &events,
            settings,
            [
                (302, vec![("location", "/b".to_owned())], vec![]),
                (302, vec![("location", "http://x/".to_owned())], vec![]),
            ],
        );
        send(&session, get("https://as.example/a")).unwrap();
        let notes = notes.lock().unwrap().clone();
        let logged: Vec<_> = notes.iter().filter(|note| note.starts_with("log")).collect();
        assert_eq!(logged.len(), lines, "{level:?}: {notes:#?}");
        if level == LogLevel::Info {
            assert_eq!(
                notes,
                [
                    "redirect https://as.example/b true",
                    "redirect http://x/ false",
                    "log Info Info the redirect to x was not followed: its address is none that a request may go to",
                ]
            );
        }
    }
}

#[test]
fn the_log_shows_secrets_only_to_whoever_insists() {
    for insists in [false, true] {
        let (events, notes) = scribe(LogLevel::Debug);
        let mut settings = SessionSettings::new();
        settings.dangerously_log_secrets = insists;
        let session = session_with(&events, settings, [answer()]);
        send(&session, request()).unwrap();
        let logged: String =
            notes.lock().unwrap().iter().filter(|note| note.starts_with("log")).cloned().collect();
        assert_eq!(logged.contains("planted"), insists, "{logged}");
    }
}

#[test]
fn a_handler_that_panics_or_sends_does_not_stop_the_request() {
    struct Bad;
    impl EventHandler for Bad {
        fn on_set_cookie(&mut self, _: &crate::CookieSet<'_>) {
            panic!("a handler of the test");
        }
        fn on_log(&mut self, _: &LogEntry<'_>) {
            panic!("a handler of the test");
        }
    }
    let events = EventSink::new(Bad, LogLevel::Debug);
    let session = session_with(&events, SessionSettings::new(), [answer()]);
    assert_eq!(send(&session, request()).unwrap().body(), TOKENS.as_bytes());
}

#[test]
fn a_request_from_inside_a_handler_is_refused() {
    struct Sends(std::sync::Weak<Session<Scripted>>, Arc<Mutex<Option<Unreachable>>>);
    impl EventHandler for Sends {
        fn on_redirect(&mut self, _: &Url, _: &mut bool) {
            let session = self.0.upgrade().unwrap();
            *self.1.lock().unwrap() = send(&session, get("https://as.example/")).err();
        }
    }
    let got = Arc::default();
    let session = Arc::new_cyclic(|session| {
        let handler = Sends(session.clone(), Arc::clone(&got));
        let events = EventSink::new(handler, LogLevel::None);
        session_with(&events, SessionSettings::new(), [(302, vec![("location", "/b".to_owned())], vec![])])
    });
    send(&session, get("https://as.example/a")).unwrap();
    let error = got.lock().unwrap().take().unwrap();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::Unsupported, Delivered::No));
}
