use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A server that says these things, one a connection, and gives back what it was asked.
fn script(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let said = answers.into_iter().map(|answer| answer.replace("HERE", &origin)).collect::<Vec<_>>();
    let thread = std::thread::spawn(move || {
        said.iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                let mut chunk = [0; 1024];
                while !String::from_utf8_lossy(&asked).contains("\r\n\r\n") {
                    let read = stream.read(&mut chunk).unwrap();
                    asked.extend_from_slice(&chunk[..read]);
                }
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8(asked).unwrap()
            })
            .collect()
    });
    (origin, thread)
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn the_redirect_uri_is_named_and_not_visited() {
    for to in
        ["https://app.example/cb?code=1#f", "com.example.app:/cb?code=1", "http://127.0.0.1:1/cb?code=1"]
    {
        let (origin, server) = script(vec![redirect(to)]);
        let mut browser = Browser::new().without_visiting_redirect_uri();
        let landing = browser.sign_in("ada", &format!("{origin}/start")).unwrap();
        assert_eq!((landing.url.as_str(), landing.status), (to, None));
        assert_eq!(landing.parameter("code").as_deref(), Some("1"));
        assert!(server.join().unwrap()[0].starts_with("GET /start HTTP/1.1\r\n"));
    }
}

#[test]
fn a_redirect_uri_that_is_not_http_is_never_visited() {
    let (origin, server) = script(vec![redirect("com.example.app:/cb")]);
    let landing = Browser::new().sign_in("ada", &origin).unwrap();
    assert_eq!((landing.url.as_str(), landing.status), ("com.example.app:/cb", None));
    server.join().unwrap();
}

#[test]
fn cookies_go_back_to_their_host() {
    let (origin, server) = script(vec![
        "HTTP/1.1 303 See Other\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 303 See Other\r\nSet-Cookie: a=; Max-Age=0\r\nLocation: HERE/three\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone".to_owned(),
    ]);
    let landing = Browser::new().sign_in("ada", &format!("{origin}/one")).unwrap();
    assert_eq!((landing.status, landing.body.as_str()), (Some(200), "done"));
    assert!(landing.url.ends_with("/three"));
    let asked = server.join().unwrap();
    assert!(!asked[0].contains("Cookie:"));
    assert!(asked[1].contains("Cookie: a=1; b=2\r\n"), "{}", asked[1]);
    assert!(asked[2].contains("Cookie: b=2\r\n"), "{}", asked[2]);
}

#[test]
fn a_circle_is_left() {
    let (origin, server) = script(vec![redirect("/again"); STEP_LIMIT]);
    let error = Browser::new().sign_in("ada", &origin).unwrap_err();
    assert!(matches!(error, BrowserError::TooManySteps), "{error}");
    server.join().unwrap();
}

#[test]
fn errors_say_what_to_do_and_no_secret() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let io = Browser::new().sign_in("ada", &format!("http://{closed}/?state=hush")).unwrap_err();
    assert!(std::error::Error::source(&io).is_some());
    let (origin, server) = script(vec!["not http\r\n\r\n".to_owned()]);
    let not_http = Browser::new().sign_in("ada", &format!("{origin}/?state=hush")).unwrap_err();
    server.join().unwrap();
    let address = Browser::new().sign_in("ada", "https://127.0.0.1/?state=hush").unwrap_err();
    for (error, says) in
        [(io, "still running"), (not_http, "check the address"), (address, "http:// address")]
    {
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(says) && !shown.contains("hush"), "{shown}");
    }
}

#[test]
fn debug_of_a_landing_shows_no_parameter() {
    let landing = Landing {
        url: "http://127.0.0.1/cb?code=hush#state=hush".to_owned(),
        form: vec![("code".to_owned(), "hush".to_owned())],
        status: None,
        body: "hush".to_owned(),
    };
    assert!(!format!("{landing:?}").contains("hush"));
    assert_eq!(landing.parameter("state").as_deref(), Some("hush"));
}
