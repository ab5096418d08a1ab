//! Any bytes at the loopback listener, however they are cut: a request, its verdict, and the answer.

use oauth_core::AuthorizationResponse;
use oauth_loopback::request::Parser;
use oauth_loopback::verdict::{Rules, Verdict};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::Url;

const PORT: u16 = 8000;
const PATH: &str = "/callback";
/// What a fuzzer cannot guess, and so is given for.
const TOKEN: &str = "t0k3n";

/// The first byte chooses the response mode, the second how the bytes are cut.
///
/// # Panics
/// The verdict depends on the cuts, a response was taken for another path, host or method, or an answer sends the
/// browser somewhere.
pub fn run(input: &[u8]) {
    let [mode, cut, bytes @ ..] = input else { return };
    let redirect_uri = Url::parse("http://127.0.0.1:8000/callback").expect("a fixed URL");
    let server = Url::parse("https://as.example").expect("a fixed URL").origin();
    let rules = Rules::new(&redirect_uri, PORT).private_network_for(&server);
    let (rules, path) = match mode % 3 {
        0 => (rules, PATH.to_owned()),
        1 => (rules.form_post(), PATH.to_owned()),
        _ => (rules.fragment(TOKEN), format!("{PATH}/{TOKEN}")),
    };
    let whole = decide(&rules, &path, bytes, bytes.len().max(1));
    assert_eq!(whole, decide(&rules, &path, bytes, usize::from(*cut).max(1)), "cut into pieces of {cut}");
}

/// What comes of it, in words.
fn decide(rules: &Rules, path: &str, bytes: &[u8], size: usize) -> String {
    let mut parser = Parser::new();
    for piece in bytes.chunks(size) {
        parser.handle(piece);
    }
    let request = match parser.poll() {
        None => return "more".to_owned(),
        Some(Err(refusal)) => return format!("{refusal:?}"),
        Some(Ok(request)) => request,
    };
    assert!(parser.poll().is_none(), "one request a connection");
    match rules.verdict(&request) {
        Verdict::Response(response) => {
            let (method, said) = match response {
                AuthorizationResponse::Query(query) => ("GET", query.as_bytes()),
                AuthorizationResponse::Fragment(fragment) => ("POST", fragment.as_bytes()),
                AuthorizationResponse::Form(form) => ("POST", form),
                other => panic!("{other:?}"),
            };
            is_for_us(bytes, method, path);
            format!("{method} {}", said.escape_ascii())
        }
        Verdict::Return => {
            is_for_us(bytes, "GET", path);
            "return".to_owned()
        }
        Verdict::OtherMode(response, answer) => {
            let method = if matches!(response, AuthorizationResponse::Form(_)) { "POST" } else { "GET" };
            is_for_us(bytes, method, PATH);
            format!("other mode {}", answer.status())
        }
        Verdict::Answer(answer, note) => {
            let sent = String::from_utf8(answer.to_bytes(None)).expect("pages are text");
            let head = sent.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 ") && head.ends_with("connection: close"), "{head}");
            assert!(!head.contains("\nlocation:") && !head.contains("\nrefresh:"), "{head}");
            let granted = head.split("\naccess-control-allow-origin: ").nth(1);
            assert!(granted.is_none_or(|origin| origin.starts_with("https://as.example\r")), "{head}");
            let shown = note.map(|note| note.to_string()).unwrap_or_default();
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            format!("{} {shown}", answer.status())
        }
        other => panic!("{other:?}"),
    }
}

/// Reads the head again, in the plainest way.
fn is_for_us(bytes: &[u8], method: &str, path: &str) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.trim_start_matches(['\r', '\n']).split('\n').map(|line| line.trim_end_matches('\r'));
    let mut words = lines.next().unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    assert_eq!(words.next(), Some(method), "{text:?}");
    let target = words.next().unwrap_or_default();
    let (authority, rest) = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => {
            rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
        }
        _ => {
            let host = lines.take_while(|line| !line.is_empty()).find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("host").then_some(value.trim())
            });
            (host.unwrap_or_default(), target)
        }
    };
    assert_eq!(rest.split('?').next(), Some(path), "{text:?}");
    let name = authority.strip_suffix(":8000").unwrap_or_else(|| panic!("another port: {authority:?}"));
    let v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let ours = name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|name| name.parse() == Ok(Ipv6Addr::LOCALHOST));
    assert!(ours, "another host: {authority:?}");
}
