//! HTTP/1.1, one request per connection: read with limits and deadlines, and answered.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::form::{Form, Malformed};

pub(crate) const HEAD_LIMIT: usize = 16 * 1024;
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// The value of a header; those that matter here are there once at most.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self) -> Result<Form, Malformed> {
        Form::parse(self.query.as_bytes())
    }

    /// The body, if its type says that it is a form.
    pub(crate) fn form(&self) -> Result<Form, Malformed> {
        let media_type = self.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(FORM) {
            return Err(Malformed);
        }
        Form::parse(&self.body)
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter(|(header, _)| header == "cookie")
            .flat_map(|(_, cookies)| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

#[derive(Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn json(status: u16, json: String) -> Self {
        Self::new(status, "application/json", json)
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    /// 303, so that what was posted is not posted again.
    pub(crate) fn see_other(location: impl Into<String>) -> Self {
        Self { status: 303, headers: vec![("Location", location.into())], body: Vec::new() }
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        Self::text(405, "This endpoint does not take this method.\n").header("Allow", allow)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Everything up to the body. Without a `length` the end of the connection ends the body.
    pub(crate) fn head(&self, date: &str, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\nDate: {date}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            debug_assert!(!value.contains(['\r', '\n']), "a header of the server's own has no line break");
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        // RFC 6749 section 5.1 wants no-store and no-cache of tokens; no page here is worth caching either
        head.push_str("Cache-Control: no-store\r\nPragma: no-cache\r\nX-Content-Type-Options: nosniff\r\n");
        // the path has secrets in it, the origin has none, and browsers send no `Origin` but `null` without it
        head.push_str("Referrer-Policy: strict-origin\r\nConnection: close\r\n\r\n");
        head
    }
}

/// Why there is no request: the peer is gone, or is owed this answer.
pub(crate) enum Unread {
    Gone,
    Refused(Response),
}

/// Reads the one request of a connection.
pub(crate) fn read(stream: &mut TcpStream, authority: &str, patience: Duration) -> Result<Request, Unread> {
    let mut timed = Timed { stream, deadline: Instant::now() + patience };
    let mut bytes = Vec::new();
    let head_length = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() >= HEAD_LIMIT {
            return Err(refuse(431, "The head of the request is over 16 KiB."));
        }
        match timed.more(&mut bytes, HEAD_LIMIT)? {
            0 => return Err(Unread::Gone),
            _ => continue,
        }
    };
    let mut request = parse_head(&bytes[..head_length], authority)?;
    let length = body_length(&request)?;
    request.body = bytes.split_off(head_length);
    if request.body.len() > length {
        return Err(refuse(400, "There is more than one request on this connection."));
    }
    if request.body.len() < length
        && request.header("expect").is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue"))
    {
        timed.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| Unread::Gone)?;
    }
    timed.deadline = Instant::now() + patience;
    while request.body.len() < length {
        if timed.more(&mut request.body, length)? == 0 {
            return Err(Unread::Gone);
        }
    }
    Ok(request)
}

/// Ends a connection whose request was not read to its end: closing at once would reset it, and the reset can overtake
/// the answer.
pub(crate) fn close_gently(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    let deadline = Instant::now() + Duration::from_secs(1);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    while Instant::now() < deadline && stream.read(&mut rest).is_ok_and(|read| read > 0) {}
}

struct Timed<'a> {
    stream: &'a mut TcpStream,
    deadline: Instant,
}

impl Timed<'_> {
    /// Reads once, to `limit` bytes in all at most.
    fn more(&mut self, bytes: &mut Vec<u8>, limit: usize) -> Result<usize, Unread> {
        let slow = || refuse(408, "The request took too long to arrive.");
        let left = self.deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        self.stream.set_read_timeout(Some(left.ok_or_else(slow)?)).map_err(|_| Unread::Gone)?;
        let mut chunk = [0; 4096];
        let room = chunk.len().min(limit - bytes.len());
        loop {
            match self.stream.read(&mut chunk[..room]) {
                Ok(read) => {
                    bytes.extend_from_slice(&chunk[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(slow());
                }
                Err(_) => return Err(Unread::Gone),
            }
        }
    }
}

fn parse_head(head: &[u8], authority: &str) -> Result<Request, Unread> {
    let bad = |why| refuse(400, why);
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut lines);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        _ => return Err(bad("The head of the request is not HTTP/1.1.")),
    }
    if parsed.version != Some(1) {
        return Err(refuse(505, "This server speaks HTTP/1.1."));
    }
    let target = parsed.path.unwrap_or_default();
    if !target.starts_with('/') {
        return Err(bad("The request target must be a path."));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            let value = std::str::from_utf8(header.value).map_err(|_| bad("A header is not UTF-8."))?;
            Ok((header.name.to_ascii_lowercase(), value.to_owned()))
        })
        .collect::<Result<_, _>>()?;
    for single in ["host", "content-length", "content-type", "authorization", "transfer-encoding", "expect"] {
        if headers.iter().filter(|(name, _)| name == single).count() > 1 {
            return Err(bad("A header that may be there once is there more than once."));
        }
    }
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
    };
    // RFC 9110 section 7.4: a name that merely resolves to this machine is another site's (DNS rebinding)
    if request.header("host") != Some(authority) {
        return Err(refuse(421, "The Host header does not name this server."));
    }
    Ok(request)
}

fn body_length(request: &Request) -> Result<usize, Unread> {
    if request.header("transfer-encoding").is_some() {
        return Err(refuse(411, "This server wants a Content-Length, and no Transfer-Encoding."));
    }
    let Some(length) = request.header("content-length") else { return Ok(0) };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse::<usize>() {
        Ok(length) if digits && length <= BODY_LIMIT => Ok(length),
        Ok(_) if digits => Err(refuse(413, "The body of the request is over 64 KiB.")),
        _ => Err(refuse(400, "The Content-Length is not a number.")),
    }
}

fn refuse(status: u16, why: &str) -> Unread {
    Unread::Refused(Response::text(status, &format!("{why}\n")))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        // RFC 9112 section 4: the reason may be empty
        _ => "",
    }
}

#[cfg(test)]
mod tests;
