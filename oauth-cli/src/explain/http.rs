//! A captured response: from the members of a case, or from text as `curl -i` prints it.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use oauth::core::{Delivered, Input, Request, Unreachable, UnreachableKind};

/// What a transport reads at most before it gives up: the numbers of `oauth-transport-hyper`.
const MAX_HEADERS: usize = 100;
const MAX_HEAD: usize = 64 << 10;

/// A response as a transport would hand it over, or why it would hand over none.
#[derive(Clone, Debug)]
pub(super) struct Captured(Result<Parts, UnreachableKind>);

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Captured {
    pub(super) fn new(status: u16, headers: &[(&[u8], &[u8])], body: Vec<u8>) -> Self {
        Self(parts(status, headers, body))
    }

    /// A response that did not come.
    pub(super) const fn fault(kind: UnreachableKind) -> Self {
        Self(Err(kind))
    }

    /// What there is to look at, for people.
    pub(super) const fn parts(&self) -> Option<&Parts> {
        match &self.0 {
            Ok(parts) => Some(parts),
            Err(_) => None,
        }
    }

    /// The answer to this request.
    pub(super) fn input(self, request: &Request) -> Input {
        match self.within(request.max_body()) {
            Ok(Parts { status, headers, body }) => {
                let mut response = Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                Input::Response(response.into())
            }
            Err(kind) => Input::Unreachable(Unreachable::new(kind, Delivered::Unknown)),
        }
    }

    pub(super) fn within(self, max_body: usize) -> Result<Parts, UnreachableKind> {
        let parts = self.0?;
        if parts.body.len() > max_body { Err(UnreachableKind::TooLarge) } else { Ok(parts) }
    }
}

/// What HTTP cannot carry would not have come through any transport.
fn parts(status: u16, headers: &[(&[u8], &[u8])], body: Vec<u8>) -> Result<Parts, UnreachableKind> {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if headers.len() > MAX_HEADERS || size > MAX_HEAD {
        return Err(UnreachableKind::TooLarge);
    }
    let status = StatusCode::from_u16(status).map_err(|_| UnreachableKind::NotHttp)?;
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name).map_err(|_| UnreachableKind::NotHttp)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| UnreachableKind::NotHttp)?;
        map.append(name, value);
    }
    Ok(Parts { status, headers: map, body })
}

/// A response as text, and what has to be said about how it was read.
pub(super) struct Read {
    pub(super) captured: Captured,
    pub(super) said: Option<&'static str>,
}

/// Reads what `curl -i` prints; a body alone is taken for one of status 200.
pub(super) fn read(text: &[u8]) -> Read {
    if !is_head(text) {
        let said = "No status line: taken for the body alone, of status 200.";
        return Read { captured: Captured::new(200, &[], text.to_owned()), said: Some(said) };
    }
    let (mut captured, mut rest) = head(text);
    let mut said = None;
    // The heads of proxies, of `100 Continue` and of redirects stand before the one that counts.
    while is_head(rest) {
        (captured, rest) = head(rest);
        said = Some("Several responses: the last one counts.");
    }
    Read { captured, said }
}

fn is_head(text: &[u8]) -> bool {
    text.strip_prefix(b"HTTP/").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// The first response, and what stands behind its head.
fn head(text: &[u8]) -> (Captured, &[u8]) {
    let (head, body) = split(text);
    // HTTP/2 has no status line; curl makes one up.
    let version = head.iter().position(|byte| *byte == b' ').unwrap_or(head.len());
    let mut lines = b"HTTP/1.1".to_vec();
    lines.extend_from_slice(&head[version..]);
    // A head without a body may lack its empty line.
    lines.extend_from_slice(b"\r\n\r\n");
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let captured = match response.parse(&lines) {
        Ok(httparse::Status::Complete(_)) => {
            let headers: Vec<_> =
                response.headers.iter().map(|header| (header.name.as_bytes(), header.value)).collect();
            Captured::new(response.code.unwrap_or_default(), &headers, body.to_owned())
        }
        Err(httparse::Error::TooManyHeaders) => Captured::fault(UnreachableKind::TooLarge),
        Ok(httparse::Status::Partial) | Err(_) => Captured::fault(UnreachableKind::NotHttp),
    };
    (captured, body)
}

/// Head and body, at the first empty line.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(end) = text[at..].iter().position(|byte| *byte == b'\n') {
        let next = at + end + 1;
        for empty in [&b"\n"[..], b"\r\n"] {
            if text[next..].starts_with(empty) {
                return (&text[..next], &text[next + empty.len()..]);
            }
        }
        at = next;
    }
    (text, b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(text: &[u8]) -> Parts {
        read(text).captured.0.unwrap()
    }

    #[test]
    fn what_curl_prints_is_read_whatever_its_version_and_its_line_ends() {
        for text in [
            &b"HTTP/1.1 400 Bad Request\r\nContent-Type: a/b\r\n\r\nbody"[..],
            b"HTTP/2 400 \ncontent-type: a/b\n\nbody",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400\r\nContent-Type: a/b\r\n\r\nbody",
        ] {
            let parts = parts_of(text);
            assert_eq!((parts.status.as_u16(), &*parts.body), (400, &b"body"[..]));
            assert_eq!(parts.headers["content-type"], "a/b");
        }
        assert!(parts_of(b"HTTP/1.1 204 No Content\r\nA: b").body.is_empty());
    }

    #[test]
    fn a_body_alone_is_of_status_200() {
        let read = read(b"{\"a\":1}");
        assert!(read.said.is_some());
        assert_eq!(read.captured.0.unwrap().status, StatusCode::OK);
    }

    #[test]
    fn what_is_no_head_or_too_much_of_one_comes_through_no_transport() {
        let broken = read(b"HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n").captured.0;
        assert_eq!(broken.unwrap_err(), UnreachableKind::NotHttp);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert_eq!(read(many.as_bytes()).captured.0.unwrap_err(), UnreachableKind::TooLarge);
        assert_eq!(Captured::new(99, &[], Vec::new()).0.unwrap_err(), UnreachableKind::NotHttp);
    }
}
