//! The rows of HTTP/2, as a server of it sees them (RFC 9113).
#![cfg(feature = "http2")]

use crate::authority::Authority;
use crate::wire::*;
use oauth::core::UnreachableKind;
use rustls::ServerConfig;
use std::io::{self, Write as _};
use std::slice::Iter;
use std::sync::{Arc, Mutex};

/// How a connection of HTTP/2 begins, as far as it looks like a request.
const PREFACE: &str = "PRI * HTTP/2.0";

/// What came compressed (RFC 7541), a block for each request.
type Blocks = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server that speaks what it agrees on; without a list it agrees on nothing.
fn speaking(authority: &Authority, protocols: &[&str]) -> (Server, Blocks) {
    let mut config = ServerConfig::clone(&authority.server());
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let blocks = Blocks::default();
    let noted = Arc::clone(&blocks);
    let server = Server::tls(Arc::new(config), move |connection| {
        while let Some(seen) = connection.request()? {
            if seen.line() == PREFACE {
                return speak_http2(connection, &noted);
            }
            connection.stream.write_all(&token())?;
        }
        Ok(())
    });
    (server, blocks)
}

fn speak_http2(connection: &mut Connection, blocks: &Mutex<Vec<Vec<u8>>>) -> io::Result<()> {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const ACK: u8 = 1;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    // RFC 7541 appendix A: `:status: 200`, then `content-type` with a value of its own.
    let head = [&[0x88, 0x0F, 0x10, 16][..], b"application/json"].concat();

    connection.bytes(b"SM\r\n\r\n".len())?;
    frame(connection, SETTINGS, 0, &[0; 4], &[])?;
    loop {
        let [_, high, low, kind, flags, stream @ ..] = <[u8; 9]>::try_from(&*connection.bytes(9)?).unwrap();
        let payload = connection.bytes(usize::from(u16::from_be_bytes([high, low])))?;
        match kind {
            SETTINGS if flags & ACK == 0 => frame(connection, SETTINGS, ACK, &[0; 4], &[])?,
            // Neither engine pads, or has more headers than a frame holds.
            HEADERS => blocks.lock().unwrap().push(payload),
            DATA if flags & END_STREAM != 0 => {
                frame(connection, HEADERS, END_HEADERS, &stream, &head)?;
                frame(connection, DATA, END_STREAM, &stream, &token_body())?;
            }
            _ => {}
        }
    }
}

fn frame(
    connection: &mut Connection,
    kind: u8,
    flags: u8,
    stream: &[u8; 4],
    payload: &[u8],
) -> io::Result<()> {
    let [high, low] = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let frame = [&[0, high, low, kind, flags][..], stream, payload].concat();
    connection.stream.write_all(&frame)?;
    connection.stream.flush()
}

/// RFC 7541 section 5.1.
fn integer(bytes: &mut Iter<'_, u8>, prefix: u32) -> Option<usize> {
    let most = (1 << prefix) - 1;
    let mut value = usize::from(*bytes.next()?) & most;
    let mut shift = 0;
    while value >= most {
        let byte = bytes.next()?;
        value += usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}

/// The first bits of the header that has this name in the static table: 0x40 where it is to be remembered, 0x10 where nobody
/// ever is to (RFC 7541 section 6.2).
fn written(block: &[u8], name: usize) -> Option<u8> {
    let mut bytes = block.iter();
    loop {
        let (bits, prefix) = match bytes.as_slice().first()? {
            0x80.. => (0x80, 7),
            0x40.. => (0x40, 6),
            0x20.. => (0x20, 5),
            0x10.. => (0x10, 4),
            _ => (0, 4),
        };
        let index = integer(&mut bytes, prefix)?;
        if [0x80, 0x20].contains(&bits) {
            continue;
        }
        if index == name {
            return Some(bits);
        }
        // A name of its own, and the value.
        for _ in 0..if index == 0 { 2 } else { 1 } {
            let length = integer(&mut bytes, 7)?;
            bytes = bytes.as_slice().get(length..)?.iter();
        }
    }
}

#[test]
fn row_http_version_2_on_the_wire() {
    let authority = Authority::new();
    let (server, _) = speaking(&authority, &["h2", "http/1.1"]);
    for engine in ENGINES {
        for (lines, line, version) in [
            (&[][..], "POST /token HTTP/1.1", "1.1"),
            (&["HTTPVersion=2.0"], PREFACE, "2.0"),
            (&["HTTPVersion=1.1"], "POST /token HTTP/1.1", "1.1"),
        ] {
            let oauth = client_with(&server.https("/token"), engine, lines);
            set(&oauth, &[&authority.trusted()]);
            oauth.get_authorization().unwrap_or_else(|error| panic!("{engine} {lines:?}: {error}"));
            assert_eq!(server.last().line(), line, "{engine} {lines:?}");
            assert_eq!(read(&oauth, "NegotiatedHTTPVersion"), version, "{engine} {lines:?}");
        }
    }
}

#[test]
fn row_allow_http_fallback_on_the_wire() {
    let authority = Authority::new();
    let trusted = authority.trusted();
    let (new, _) = speaking(&authority, &["h2", "http/1.1"]);
    get(&new.https("/token"), "false", &[&trusted, "HTTPVersion=2.0", "AllowHTTPFallback=false"]).unwrap();
    assert_eq!(new.last().line(), PREFACE);
    for protocols in [&["http/1.1"][..], &[]] {
        let (old, _) = speaking(&authority, protocols);
        for engine in ENGINES {
            for lines in [&[][..], &["AllowHTTPFallback=true"]] {
                let lines = [&[&*trusted, "HTTPVersion=2.0"][..], lines].concat();
                get(&old.https("/token"), engine, &lines).unwrap();
                assert_eq!(old.last().line(), "POST /token HTTP/1.1", "{engine} {lines:?}");
            }
        }
        // It is about HTTP/2 alone.
        get(&old.https("/token"), "false", &[&trusted, "AllowHTTPFallback=false"]).unwrap();
        let before = old.seen().len();
        let lines = [&*trusted, "HTTPVersion=2.0", "AllowHTTPFallback=false"];
        let why = unreachable(get(&old.https("/token"), "false", &lines));
        assert!(matches!(why, UnreachableKind::Unsupported | UnreachableKind::Tls), "{protocols:?}: {why:?}");
        assert_eq!(old.seen().len(), before, "{protocols:?}: nothing of the request was sent");
    }
}

#[test]
fn row_http2_headers_without_indexing_on_the_wire() {
    const ACCEPT: usize = 19;
    const AUTHORIZATION: usize = 23;
    const USER_AGENT: usize = 58;
    let authority = Authority::new();
    let trusted = authority.trusted();
    let (server, blocks) = speaking(&authority, &["h2"]);
    for (lines, accept, user_agent) in [
        (&[][..], 0x40, 0x40),
        (&["HTTP2HeadersWithoutIndexing=Accept"], 0x10, 0x40),
        (&["HTTP2HeadersWithoutIndexing=user-agent, accept"], 0x10, 0x10),
    ] {
        let lines = [&[&*trusted, "HTTPVersion=2.0"][..], lines].concat();
        get(&server.https("/token"), "false", &lines).unwrap();
        let block = blocks.lock().unwrap().pop().expect("a request came");
        let seen = [ACCEPT, USER_AGENT, AUTHORIZATION].map(|name| written(&block, name));
        // What holds a secret is never remembered.
        assert_eq!(seen, [Some(accept), Some(user_agent), Some(0x10)], "{lines:?}");
    }
}
