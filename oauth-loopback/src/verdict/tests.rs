use super::{Answer, Rules, Verdict};
use crate::note::Note;
use crate::page::Page;
use crate::request::{Parser, Request};
use http::StatusCode;
use oauth_core::AuthorizationResponse;
use url::Url;

fn rules() -> Rules {
    Rules::new(&Url::parse("http://127.0.0.1:8000/callback").unwrap(), 8000)
}

fn request(line: &str, headers: &str) -> Request {
    let mut parser = Parser::new();
    parser.handle(format!("{line} HTTP/1.1\r\n{headers}\r\n").as_bytes());
    parser.poll().expect("complete").expect("taken")
}

/// The query of a response, or the status of an answer.
fn verdict(line: &str, headers: &str) -> Result<String, u16> {
    match rules().verdict(&request(line, headers)) {
        Verdict::Response(AuthorizationResponse::Query(query)) => Ok(query.to_owned()),
        other @ (Verdict::Response(_) | Verdict::Return) => panic!("{other:?}"),
        Verdict::OtherMode(_, answer) | Verdict::Answer(answer, _) => Err(answer.status().as_u16()),
    }
}

const HOST: &str = "Host: 127.0.0.1:8000\r\n";

#[test]
fn the_query_is_handed_on_as_it_came() {
    assert_eq!(
        verdict("GET /callback?code=a%20b+c&state=s?x", HOST),
        Ok("code=a%20b+c&state=s?x".to_owned())
    );
    assert_eq!(verdict("GET /callback", HOST), Ok(String::new()));
}

#[test]
fn the_absolute_form_is_taken_and_its_host_counts() {
    let other = "Host: evil.example\r\n";
    assert_eq!(verdict("GET http://127.0.0.1:8000/callback?a=b", other), Ok("a=b".to_owned()));
    assert_eq!(verdict("GET HTTP://localhost:8000/callback?a=b", other), Ok("a=b".to_owned()));
    assert_eq!(verdict("GET http://evil.example/callback?a=b", HOST), Err(421));
    assert_eq!(verdict("GET http://127.0.0.1:8000?a=b", HOST), Err(404));
    assert_eq!(verdict("GET https://127.0.0.1:8000/callback", HOST), Err(400));
    assert_eq!(verdict("GET callback", HOST), Err(400));
    assert_eq!(verdict("OPTIONS *", HOST), Err(404));
}

#[test]
fn lb_15_port_80_needs_no_port() {
    let rules = Rules::new(&Url::parse("http://127.0.0.1/callback").unwrap(), 80);
    for (host, ours) in
        [("localhost", true), ("127.0.0.1:80", true), ("[::1]", true), ("localhost:8000", false)]
    {
        let request = request("GET /callback", &format!("Host: {host}\r\n"));
        assert_eq!(matches!(rules.verdict(&request), Verdict::Response(_)), ours, "{host}");
    }
}

#[test]
fn lb_15_behind_a_proxy_the_port_that_goes_without_saying_may_be_said() {
    for (redirect_uri, host, ours) in [
        ("https://desk.example/callback", "desk.example", true),
        ("https://desk.example/callback", "Desk.example:443", true),
        ("http://desk.example/callback", "desk.example:80", true),
        ("https://desk.example/callback", "desk.example:80", false),
        ("https://desk.example/callback", "desk.example:443:443", false),
        ("https://desk.example/callback", "evil.desk.example:443", false),
        ("https://desk.example:444/callback", "desk.example:444", true),
        ("https://desk.example:444/callback", "desk.example:444:443", false),
        ("https://desk.example:444/callback", "desk.example:443", false),
    ] {
        let rules = Rules::new(&Url::parse(redirect_uri).unwrap(), 8000);
        let request = request("GET /callback", &format!("Host: {host}\r\n"));
        assert_eq!(matches!(rules.verdict(&request), Verdict::Response(_)), ours, "{redirect_uri} {host}");
    }
}

#[test]
fn lb_15_a_host_is_compared_whole() {
    for host in [
        "localhost.evil:8000",
        "evil.localhost:8000",
        "127.0.0.1.evil:8000",
        "127.0.0.01:8000",
        "0x7f.1:8000",
        "2130706433:8000",
        "[::2]:8000",
        "[::1:8000",
        "::1:8000",
        "[::1].evil:8000",
        "localhost:8000:8000",
        "localhost:08000x",
        "127.0.0.1:",
        ":8000",
        "",
        "0.0.0.0:8000",
        "10.0.0.1:8000",
    ] {
        assert_eq!(verdict("GET /callback", &format!("Host: {host}\r\n")), Err(421), "{host}");
    }
}

#[test]
fn lb_15_the_note_names_the_host_without_its_tricks() {
    let request = request("GET /callback", "Host: e\u{202e}vil\r\n");
    let Verdict::Answer(answer, note) = rules().verdict(&request) else { panic!("a response") };
    assert_eq!((answer.status(), note), (StatusCode::BAD_REQUEST, None), "a host is plain text");
    let request = self::request("GET /callback", "Host: evil\r\n");
    let Verdict::Answer(_, note) = rules().verdict(&request) else { panic!("a response") };
    assert_eq!(note, Some(Note::OtherHost("evil".to_owned())));
}

#[test]
fn lb_14_a_posted_form_is_handed_on_where_it_is_asked_for() {
    let line = "POST /callback?state=query";
    let headers = format!("{HOST}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n");
    assert_eq!(verdict(line, &headers), Err(405));
    let request = request(line, &headers);
    let rules = rules().form_post();
    assert!(matches!(rules.verdict(&request), Verdict::Response(AuthorizationResponse::Form(b""))));
}

#[test]
fn lb_22_an_answer_byte_by_byte() {
    let text = String::from_utf8(Answer::page(StatusCode::OK, Page::Success).to_bytes(Some("Desk"))).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ")
    );
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    assert!(head.ends_with("\r\nConnection: close"));
    assert!(body.starts_with("<!doctype html>") && body.contains("return to Desk."));
    let empty = String::from_utf8(Answer::empty(StatusCode::NO_CONTENT).to_bytes(None)).unwrap();
    assert!(
        empty.ends_with("\r\n\r\n") && !empty.contains("Content-Length:") && !empty.contains("Content-Type:")
    );
}

#[test]
fn lb_26_debug_shows_no_path_of_a_fragment() {
    let rules = rules().fragment("planted");
    let request = request("GET /callback", HOST);
    let Verdict::Answer(answer, _) = rules.verdict(&request) else { panic!("no page") };
    assert!(String::from_utf8(answer.to_bytes(None)).unwrap().contains("data-to=\"/callback/planted\""));
    assert!(!format!("{rules:?} {answer:?}").contains("planted"));
}
