//! One HTTP/1.1 exchange over a connection of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::{BrowserError, Landing};
use crate::form;
use crate::uri::Uri;

const PAGE_LIMIT: usize = 8 * 1024 * 1024;

/// What is asked for next.
pub(super) struct Outgoing {
    pub(super) url: String,
    /// The form that is posted; a GET has none.
    body: Option<Vec<(String, String)>>,
}

impl Outgoing {
    pub(super) fn get(url: &str) -> Self {
        Self { url: url.to_owned(), body: None }
    }

    pub(super) fn submit(post: bool, url: String, values: Vec<(String, String)>) -> Self {
        if post {
            return Self { url, body: Some(values) };
        }
        let page = url.split(['?', '#']).next().unwrap_or_default();
        Self { url: format!("{page}?{}", form::encode(&values)), body: None }
    }

    /// What follows from a redirect: 307 and 308 repeat the request, the others fetch a page.
    pub(super) fn redirected(self, status: u16, url: String) -> Self {
        let body = if matches!(status, 307 | 308) { self.body } else { None };
        Self { url, body }
    }

    pub(super) fn landing(self, page: Option<Page>) -> Landing {
        let (status, body) = page.map_or((None, String::new()), |page| (Some(page.status), page.body));
        Landing { url: self.url, form: self.body.unwrap_or_default(), status, body }
    }
}

/// What was answered.
pub(super) struct Page {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Page {
    pub(super) fn redirect(&self) -> Option<&str> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308).then(|| self.header("location")).flatten()
    }

    /// Name and value of each cookie that was set, and whether that ends it.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.headers.iter().filter(|(name, _)| name == "set-cookie").filter_map(|(_, cookie)| {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=')?;
            let ended =
                attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
            Some((name.trim(), value.trim(), ended))
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

pub(super) fn fetch(
    outgoing: &Outgoing,
    uri: &Uri<'_>,
    cookies: &str,
    timeout: Duration,
) -> Result<Page, BrowserError> {
    let io = |source| BrowserError::Io { origin: uri.origin(), source };
    let answer = exchange(outgoing, uri, cookies, timeout).map_err(io)?;
    parse(&answer).map_err(|error| match error {
        Unusable::NotHttp => BrowserError::NotHttp { origin: uri.origin() },
        Unusable::Short => io(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off")),
    })
}

/// Sends the request, and takes all that comes until the peer closes.
fn exchange(outgoing: &Outgoing, uri: &Uri<'_>, cookies: &str, timeout: Duration) -> io::Result<Vec<u8>> {
    let mut stream = connect(uri, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let method = if outgoing.body.is_some() { "POST" } else { "GET" };
    let slash = if uri.target.starts_with('/') { "" } else { "/" };
    let mut request = format!("{method} {slash}{} HTTP/1.1\r\nHost: {}\r\n", uri.target, uri.authority);
    request.push_str("User-Agent: oauth-testserver browser\r\nAccept: text/html\r\nConnection: close\r\n");
    if !cookies.is_empty() {
        request.push_str(&format!("Cookie: {cookies}\r\n"));
    }
    let body = outgoing.body.as_ref().map(|values| form::encode(values));
    if let Some(body) = &body {
        request.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body.as_deref().unwrap_or_default());
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // a peer that keeps the connection open, or resets it after all was said, has still answered
            Err(_) if parse(&answer).is_ok() => return Ok(answer),
            Err(error) => return Err(error),
        }
        if answer.len() > PAGE_LIMIT || has_all(&answer) {
            return Ok(answer);
        }
    }
}

fn connect(uri: &Uri<'_>, timeout: Duration) -> io::Result<TcpStream> {
    let host = uri.host().trim_start_matches('[').trim_end_matches(']');
    let port = match uri.port() {
        Some(port) => port.parse().map_err(|_| io::Error::other("the port is no number"))?,
        None => 80,
    };
    let mut last = io::Error::other("the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

enum Unusable {
    NotHttp,
    Short,
}

/// Whether the announced length is there, so that nothing need be waited for.
fn has_all(answer: &[u8]) -> bool {
    head(answer).is_ok_and(|(page, body)| {
        page.header("content-length")
            .and_then(|length| length.parse().ok())
            .is_some_and(|length| body.len() >= length)
    })
}

fn parse(answer: &[u8]) -> Result<Page, Unusable> {
    if answer.len() > PAGE_LIMIT {
        return Err(Unusable::NotHttp);
    }
    let (mut page, body) = head(answer)?;
    let chunked =
        page.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let body = match page.header("content-length") {
        _ if chunked => unchunk(body)?,
        Some(length) => {
            let length: usize = length.parse().map_err(|_| Unusable::NotHttp)?;
            body.get(..length).ok_or(Unusable::Short)?.to_vec()
        }
        None => body.to_vec(),
    };
    page.body = String::from_utf8_lossy(&body).into_owned();
    Ok(page)
}

/// The page without its body, and the bytes behind its head.
fn head(answer: &[u8]) -> Result<(Page, &[u8]), Unusable> {
    let mut lines = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Response::new(&mut lines);
    let length = match parsed.parse(answer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Err(Unusable::Short),
        Err(_) => return Err(Unusable::NotHttp),
    };
    let headers = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let page = Page { status: parsed.code.unwrap_or_default(), headers, body: String::new() };
    Ok((page, &answer[length..]))
}

fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>, Unusable> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Err(Unusable::Short),
            Err(_) => return Err(Unusable::NotHttp),
        };
        if size == 0 {
            return Ok(body);
        }
        let size = usize::try_from(size).map_err(|_| Unusable::NotHttp)?;
        let end = start.checked_add(size).ok_or(Unusable::NotHttp)?;
        body.extend_from_slice(rest.get(start..end).ok_or(Unusable::Short)?);
        // behind each chunk comes a line break
        rest = rest.get(end + 2..).ok_or(Unusable::Short)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(answer: &str) -> Option<String> {
        parse(answer.as_bytes()).ok().map(|page| page.body)
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_by_the_connection() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", Some("ab")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", None),
            ("HTTP/1.1 200 OK\r\n\r\nabc", Some("abc")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n",
                Some("abc"),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", None),
            ("HTTP/1.1 200 OK\r\nContent-", None),
            ("SSH-2.0-x\r\n\r\n", None),
        ] {
            assert_eq!(body(answer).as_deref(), expected, "{answer:?}");
        }
    }

    #[test]
    fn cookies_are_read() {
        let page =
            parse(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b=c; Path=/\r\nSet-Cookie: d=; Max-Age=0\r\n\r\n").ok();
        let page = page.unwrap();
        assert_eq!(page.cookies().collect::<Vec<_>>(), [("a", "b=c", false), ("d", "", true)]);
    }
}
