//! HTTP as small as it gets: one request over one connection, blocking.

use oauth::core::{Delivered, Request, Response, Unreachable, UnreachableKind};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// One request over one connection: enough for a server on this machine, and for nothing else.
pub(crate) fn send(request: &Request) -> Result<Response, Unreachable> {
    let lost =
        |error: io::Error| Unreachable::new(UnreachableKind::Broken, Delivered::Unknown).because(error);
    let url = request.endpoint().url();
    let authority =
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let mut stream = TcpStream::connect(&authority)
        .map_err(|error| Unreachable::new(UnreachableKind::Connect, Delivered::No).because(error))?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut head = format!("{} {}{query} HTTP/1.1\r\nhost: {authority}\r\n", request.method(), url.path());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body().len()));
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(request.body())).map_err(lost)?;
    let mut answer = Vec::new();
    let limit = u64::try_from(request.max_body()).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut answer).map_err(lost)?;
    parse(&answer).ok_or_else(|| Unreachable::new(UnreachableKind::NotHttp, Delivered::Unknown))
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(answer.get(..end)?).ok()?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?;
    let mut response = http::Response::builder().status(status);
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok();
        }
        response = response.header(name, value);
    }
    // A body that was cut short is not a body.
    let body = answer.get(end + 4..).filter(|body| Some(body.len()) == length)?;
    Some(response.body(body.to_vec()).ok()?.into())
}
