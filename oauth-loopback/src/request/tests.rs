use super::{MAX_BODY, MAX_HEAD, MAX_REQUEST_LINE, Parser, Refusal, Request};
use http::Method;

/// The same however the bytes are cut.
fn read(bytes: &[u8]) -> Option<Result<Request, Refusal>> {
    let in_pieces = |size: usize| {
        let mut parser = Parser::new();
        for piece in bytes.chunks(size) {
            parser.handle(piece);
        }
        parser.poll()
    };
    let shown = |result: &Option<Result<Request, Refusal>>| match result {
        None => "more".to_owned(),
        Some(Ok(request)) => {
            format!("{} {:?} {:?} {:?}", request.method, request.target, request.headers, request.body)
        }
        Some(Err(refusal)) => format!("{refusal:?}"),
    };
    let whole = in_pieces(bytes.len().max(1));
    for size in [1, 2, 7, 1000, 8192] {
        assert_eq!(shown(&in_pieces(size)), shown(&whole), "in pieces of {size}");
    }
    whole
}

fn refusal(bytes: impl AsRef<[u8]>) -> Option<Refusal> {
    read(bytes.as_ref()).and_then(Result::err)
}

fn request(bytes: impl AsRef<[u8]>) -> Request {
    read(bytes.as_ref()).expect("complete").expect("taken")
}

#[test]
fn a_request_is_read_byte_by_byte() {
    let request = request("GET /callback?a=b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX: y\r\n\r\n");
    assert_eq!((request.method.clone(), request.target.as_str()), (Method::GET, "/callback?a=b"));
    assert_eq!((request.host(), request.body.len()), (Some("127.0.0.1:1"), 0));
}

#[test]
fn a_body_is_as_long_as_it_says() {
    let head = "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Type: Application/X-WWW-Form-urlencoded; charset=x\r\n\r\n";
    let request = request(format!("{head}abcdef GET / HTTP/1.1\r\n\r\n"));
    assert_eq!(request.body.as_slice(), b"abc");
    assert!(request.is_form());
    assert!(read(format!("{head}ab").as_bytes()).is_none());
}

#[test]
fn less_than_a_request_is_nothing_yet() {
    for bytes in ["", "\r\n", "GET /callback HTTP/1.1", "GET /callback HTTP/1.1\r\nHost: x\r\n"] {
        assert!(read(bytes.as_bytes()).is_none(), "{bytes:?}");
    }
    let mut parser = Parser::new();
    assert!(parser.is_silent());
    parser.handle(b"G");
    assert!(!parser.is_silent() && parser.in_head());
}

#[test]
fn lb_05_the_request_line_is_limited() {
    let line = |length: usize| {
        let target = "x".repeat(length - "GET / HTTP/1.1".len());
        format!("GET /{target} HTTP/1.1\r\nHost: x\r\n\r\n")
    };
    assert_eq!(refusal(line(MAX_REQUEST_LINE)), None);
    assert_eq!(refusal(line(MAX_REQUEST_LINE + 1)), Some(Refusal::LineTooLong));
    // Before it ends, and without any end.
    assert_eq!(refusal("x".repeat(MAX_REQUEST_LINE + 1)), Some(Refusal::LineTooLong));
    assert_eq!(refusal("x".repeat(1_000_000)), Some(Refusal::LineTooLong));
}

#[test]
fn lb_05_the_head_is_limited() {
    let head = |length: usize| {
        let fixed = "GET / HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(length - fixed))
    };
    assert_eq!(refusal(head(MAX_HEAD)), None);
    assert_eq!(refusal(head(MAX_HEAD + 1)), Some(Refusal::HeadTooLarge));
    assert_eq!(refusal(head(1_000_000)), Some(Refusal::HeadTooLarge));
    assert!(read("\r\n".repeat(MAX_HEAD).as_bytes()).is_none(), "empty lines are not even kept");
    let many = "X: y\r\n".repeat(65);
    assert_eq!(refusal(format!("GET / HTTP/1.1\r\n{many}\r\n")), Some(Refusal::HeadTooLarge));
}

#[test]
fn lb_05_the_body_is_limited_before_it_comes() {
    let head = |length: &str| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    let full = head(&MAX_BODY.to_string()) + &"x".repeat(MAX_BODY);
    assert_eq!(request(full).body.len(), MAX_BODY);
    for length in [(MAX_BODY + 1).to_string(), "9".repeat(40)] {
        assert_eq!(refusal(head(&length)), Some(Refusal::BodyTooLarge), "{length}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (headers, expected) in [
        ("Content-Length: 1\r\nContent-Length: 1\r\n", Refusal::Malformed),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", Refusal::Malformed),
        ("Content-Length: +1\r\n", Refusal::Malformed),
        ("Content-Length: 1, 1\r\n", Refusal::Malformed),
        ("Content-Length:\r\n", Refusal::Malformed),
        ("Content-Length : 1\r\n", Refusal::Malformed),
        ("X: a\r\n folded\r\n", Refusal::Malformed),
        ("Transfer-Encoding: chunked\r\n", Refusal::NoLength),
        ("", Refusal::NoLength),
        ("Content-Length: 1\r\nExpect: 100-continue\r\n", Refusal::Expectation),
    ] {
        assert_eq!(
            refusal(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n")),
            Some(expected),
            "{headers}"
        );
    }
}

#[test]
fn what_is_not_http_is_refused() {
    for (bytes, expected) in [
        (&b"\x16\x03\x01\x02\x00\n"[..], Refusal::Tls),
        (b"\x17\x03\x03\x00\x01\n", Refusal::Malformed),
        (b"GET /caf\xff HTTP/1.1\r\n\r\n", Refusal::Malformed),
        (b"GET /a\x00b HTTP/1.1\r\n\r\n", Refusal::Malformed),
        (b"GET\r\n\r\n", Refusal::Malformed),
        (b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", Refusal::Malformed),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::Version),
    ] {
        assert_eq!(refusal(bytes), Some(expected), "{}", bytes.escape_ascii());
    }
}

#[test]
fn nothing_more_is_kept_once_it_is_over() {
    let mut parser = Parser::new();
    parser.handle(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    parser.handle(&[b'x'; 100_000]);
    assert!(parser.poll().is_some_and(|result| result.is_ok()));
    assert!(parser.buffer.is_empty() && parser.poll().is_none());
    assert!(!format!("{:?}", Parser::new()).contains("GET"));
}

#[test]
fn debug_shows_no_code() {
    let request = request("GET /callback?code=planted HTTP/1.1\r\nHost: x\r\nCookie: planted\r\n\r\n");
    assert!(!format!("{request:?}").contains("planted"));
}
