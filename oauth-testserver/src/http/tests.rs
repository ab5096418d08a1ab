use super::*;
use std::net::TcpListener;

const AUTHORITY: &str = "127.0.0.1:9";

/// What the reader makes of these bytes, after which the peer closes its side.
fn read_bytes(bytes: &[u8]) -> Result<Request, Unread> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = peer.write_all(&bytes);
        let _ = peer.shutdown(Shutdown::Write);
        peer
    });
    let read = read(&mut stream, AUTHORITY, Duration::from_secs(5));
    drop(stream);
    drop(writer.join().unwrap());
    read
}

fn status(bytes: &[u8]) -> Option<u16> {
    match read_bytes(bytes) {
        Err(Unread::Refused(response)) => Some(response.status),
        Err(Unread::Gone) => None,
        Ok(_) => Some(200),
    }
}

#[test]
fn a_request_is_read_whole() {
    let Ok(request) = read_bytes(
        b"POST /token?x=1 HTTP/1.1\r\nhost: 127.0.0.1:9\r\nContent-Type: Application/X-www-form-urlencoded; charset=utf-8\r\n\
          Cookie: a=1; b=2\r\ncookie: c=3=4\r\nContent-Length: 7\r\n\r\na=1&b=2",
    ) else {
        panic!("this request is in order")
    };
    assert_eq!((&*request.method, &*request.path, &*request.query), ("POST", "/token", "x=1"));
    assert_eq!(request.form().unwrap().value("b"), Some("2"));
    assert_eq!(request.query().unwrap().value("x"), Some("1"));
    assert_eq!(
        (request.cookie("b"), request.cookie("c"), request.cookie("d")),
        (Some("2"), Some("3=4"), None)
    );
}

#[test]
fn what_is_not_a_proper_request_is_refused() {
    let host = "Host: 127.0.0.1:9\r\n";
    for (request, expected) in [
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n".to_owned(), Some(200)),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), Some(421)),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), Some(421)),
        ("GET / HTTP/1.1\r\nHost: localhost:9\r\n\r\n".to_owned(), Some(421)),
        (format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), Some(400)),
        (format!("GET / HTTP/1.0\r\n{host}\r\n"), Some(505)),
        (format!("GET http://127.0.0.1:9/ HTTP/1.1\r\n{host}\r\n"), Some(400)),
        (format!("GET / HTTP/1.1\r\n{host} folded: x\r\n\r\n"), Some(400)),
        (format!("GET / HTTP/1.1\r\n{host}X: \u{1}\r\n\r\n"), Some(400)),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), Some(400)),
        (format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Some(411)),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: +1\r\n\r\na"), Some(400)),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), Some(400)),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 1\r\n\r\naGET / HTTP/1.1\r\n\r\n"), Some(400)),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 65537\r\n\r\n"), Some(413)),
        (format!("POST / HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\nabc"), None),
        (format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(HEAD_LIMIT)), Some(431)),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(65)), Some(400)),
        ("GET / HTTP/1.1\r\nHost: 127".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(
            status(request.as_bytes()),
            expected,
            "{:?}",
            request.chars().take(90).collect::<String>()
        );
    }
}

#[test]
fn a_peer_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let Err(Unread::Refused(response)) = read(&mut stream, AUTHORITY, Duration::from_millis(20)) else {
        panic!("there was no request to read")
    };
    assert_eq!(response.status, 408);
}

#[test]
fn a_form_needs_its_content_type() {
    for content_type in
        ["", "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencodedx\r\n"]
    {
        let Ok(request) = read_bytes(
            format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:9\r\n{content_type}Content-Length: 3\r\n\r\na=1")
                .as_bytes(),
        ) else {
            panic!("this request is in order")
        };
        assert!(request.form().is_err(), "{content_type}");
    }
}
