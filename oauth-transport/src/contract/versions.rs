//! Which HTTP is spoken, and how requests are written in it.

use super::Engine;
use super::http2::{Http2, Written, written};
use super::server::{Connection, Server};
use super::subject::{BODY, assert_fails, carries, get, post, promptly, send_with, transport};
use super::tls::{Authority, Leaf, ServerTls};
use crate::{Http, HttpVersion, Setting, Settings};
use http::Version;
use http::header::ACCEPT;
use oauth_core::{Delivered, KeyId, UnreachableKind};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::task::Poll;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn with(change: impl FnOnce(&mut Http)) -> Settings {
    let mut http = Http::default();
    change(&mut http);
    Settings::new().with_http(http)
}

fn version(version: HttpVersion) -> Settings {
    with(|http| http.version = version)
}

/// In the request line, and one request for each connection; HTTP/1.1 by default.
pub fn http_1_0_is_spoken_where_it_is_set<E: Engine>() {
    let settings = version(HttpVersion::Http10);
    if !carries::<E>(Setting::Http10, &settings) {
        return;
    }
    let server = Server::answering("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let sending = transport::<E>(settings);
    E::block_on(async {
        for _ in 0..2 {
            sending.send(post(&server.http("/token"))).await.expect("the server answers");
        }
    });
    assert_eq!((server.connections(), server.received().len()), (2, 2));
    for request in server.received() {
        assert_eq!(request.line, "POST /token?hint=planted-query HTTP/1.0");
        assert_eq!(
            (request.all("content-length"), &request.body[..]),
            (vec![BODY.len().to_string().as_str()], BODY)
        );
    }
}

/// A server that would keep the connection is told that it ends, and the next request has another.
pub fn each_request_has_a_connection_where_it_is_set<E: Engine>() {
    let settings = with(|http| http.reuse_connections = false);
    if !carries::<E>(Setting::ConnectionPerRequest, &settings) {
        return;
    }
    let server = Server::answering(OK);
    let sending = transport::<E>(settings);
    E::block_on(async {
        for _ in 0..3 {
            sending.send(get(&server.http("/"))).await.expect("the server answers");
        }
    });
    assert_eq!((server.received().len(), server.connections()), (3, 3));
}

/// RFC 9112 section 7.1; by default a body goes with its length.
pub fn body_goes_in_chunks_where_it_is_set<E: Engine>() {
    let settings = with(|http| http.upload_chunk = NonZeroUsize::new(30));
    if !carries::<E>(Setting::ChunkedUpload, &settings) {
        return;
    }
    let server = Server::answering(OK);
    send_with::<E>(settings.clone(), post(&server.http("/token"))).expect("the server answers");
    let request = server.only();
    assert_eq!(request.all("transfer-encoding"), ["chunked"]);
    assert!(request.all("content-length").is_empty(), "{request:?}");
    assert_eq!((request.chunks, request.body), (vec![30, 30, 18], BODY.to_vec()));

    // What has no body has none in chunks either.
    let server = Server::answering(OK);
    send_with::<E>(settings, get(&server.http("/"))).expect("the server answers");
    assert_eq!((server.only().chunks, server.only().body), (vec![], vec![]));

    let both = with(|http| {
        http.upload_chunk = NonZeroUsize::new(30);
        http.version = HttpVersion::Http10;
    });
    E::transport(both).err().expect("HTTP/1.0 has no chunks");
}

/// HTTP/2 where the server chooses it, HTTP/1.1 where it does not, and by default.
pub fn http_2_is_spoken_where_the_server_chooses_it<E: Engine>() {
    let preferring = version(HttpVersion::Http2);
    if !carries::<E>(Setting::Http2, &preferring) {
        return;
    }
    for (settings, offered, spoken) in [
        (&preferring, &["h2", "http/1.1"][..], Version::HTTP_2),
        (&preferring, &["http/1.1"], Version::HTTP_11),
        (&preferring, &[], Version::HTTP_11),
        (&Settings::new(), &["h2", "http/1.1"], Version::HTTP_11),
    ] {
        let authority = Authority::new();
        let server = speaking(&authority, offered);
        let settings = settings.clone().with_extra_root_der(authority.der());
        let response = send_with::<E>(settings, post(&server.https("/token"))).expect("the server answers");
        assert_eq!((response.version(), response.body()), (spoken, &b"{}"[..]), "{offered:?}");
        if spoken == Version::HTTP_2 {
            assert_eq!(server.notes(), [BODY]);
        }
    }
    let plain = Server::answering(OK);
    send_with::<E>(preferring, get(&plain.http("/"))).expect("plain http is HTTP/1.1");
    assert_eq!(plain.only().line, "GET / HTTP/1.1");
}

/// A server that does not choose it gets nothing of the request, and neither does plain `http`.
pub fn http_2_alone_is_spoken_or_nothing<E: Engine>() {
    let alone = version(HttpVersion::Http2Alone);
    if !carries::<E>(Setting::Http2Alone, &alone) {
        return;
    }
    let authority = Authority::new();
    let trusting = alone.clone().with_extra_root_der(authority.der());
    let server = speaking(&authority, &["h2", "http/1.1"]);
    let response = send_with::<E>(trusting.clone(), get(&server.https("/"))).expect("the server answers");
    assert_eq!(response.version(), Version::HTTP_2);
    for offered in [&["http/1.1"][..], &[]] {
        let server = speaking(&authority, offered);
        let result = promptly(|| send_with::<E>(trusting.clone(), post(&server.https("/token"))));
        assert_fails(result, &[UnreachableKind::Unsupported, UnreachableKind::Tls], Delivered::No);
        assert_eq!(server.received().len() + server.notes().len(), 0, "{offered:?}");
    }
    let plain = Server::answering(OK);
    let result = promptly(|| send_with::<E>(alone, post(&plain.http("/token"))));
    assert_fails(result, &[UnreachableKind::Unsupported], Delivered::No);
    assert_eq!(plain.received().len(), 0);
}

/// Requests that are made at once go over one connection, none waiting for another's response.
pub fn http_2_connection_takes_several_requests_at_once<E: Engine>() {
    let settings = version(HttpVersion::Http2);
    if !carries::<E>(Setting::Http2, &settings) {
        return;
    }
    let authority = Authority::new();
    let mut tls = ServerTls::new(&authority.issue(&Leaf::here()));
    tls.alpn = vec![b"h2".to_vec()];
    // Answers two requests when it has both, the last one first.
    let server = Server::tls(tls.config(), |connection| {
        let mut http2 = Http2::new(connection)?;
        while let Some(first) = http2.request()? {
            let Some(second) = http2.request()? else { return Ok(()) };
            http2.answer(second.id, &second.body)?;
            http2.answer(first.id, &first.body)?;
        }
        Ok(())
    });
    let sending = transport::<E>(settings.with_extra_root_der(authority.der()));
    E::block_on(async {
        for _ in 0..2 {
            let mut both = [0, 1].map(|_| Some(sending.send(post(&server.https("/token")))));
            poll_fn(|context| {
                for one in &mut both {
                    if let Some(sent) = one
                        && let Poll::Ready(response) = sent.as_mut().poll(context)
                    {
                        assert_eq!(response.expect("the server answers").body(), BODY);
                        *one = None;
                    }
                }
                if both.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    });
    assert_eq!(server.connections(), 1);
}

/// RFC 7541 section 7.1.3: `Authorization` always, and the headers that are named; others are remembered.
pub fn headers_are_kept_out_of_the_index<E: Engine>() {
    const AUTHORIZATION_INDEX: usize = 23;
    const ACCEPT_INDEX: usize = 19;
    let default = version(HttpVersion::Http2);
    let named = with(|http| {
        http.version = HttpVersion::Http2;
        http.unindexed = vec![ACCEPT];
    });
    if !carries::<E>(Setting::UnindexedHeaders, &named) {
        return;
    }
    for (settings, accept) in [(default, Written::Indexed), (named, Written::NeverIndexed)] {
        let authority = Authority::new();
        let mut tls = ServerTls::new(&authority.issue(&Leaf::here()));
        tls.alpn = vec![b"h2".to_vec()];
        let server = Server::tls(tls.config(), |connection| {
            let mut http2 = Http2::new(connection)?;
            while let Some(request) = http2.request()? {
                http2.note(&request.block);
                http2.answer(request.id, b"{}")?;
            }
            Ok(())
        });
        let settings = settings.with_extra_root_der(authority.der());
        send_with::<E>(settings, post(&server.https("/token"))).expect("the server answers");
        let block = server.notes().pop().expect("a request came");
        assert_eq!(written(&block, AUTHORIZATION_INDEX), Some(Written::NeverIndexed));
        assert_eq!(written(&block, ACCEPT_INDEX), Some(accept));
    }
}

/// A connection that several requests share is shared by those of one identity alone (RFC 8705).
pub fn t10_http_2_connection_shows_one_certificate<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let issue = |serial| {
        let purpose = Some(rcgen::ExtendedKeyUsagePurpose::ClientAuth);
        clients.issue(&Leaf { purpose, serial, ..Leaf::of("client.example") })
    };
    let (anna, ben) = (issue(8), issue(9));
    let settings = version(HttpVersion::Http2)
        .with_extra_root_der(servers.der())
        .with_named_client_certificate(KeyId::new("anna"), anna.identity())
        .with_named_client_certificate(KeyId::new("ben"), ben.identity());
    if !carries::<E>(Setting::Http2, &settings) || !carries::<E>(Setting::ClientCertificate, &settings) {
        return;
    }
    let mut tls = ServerTls::new(&servers.issue(&Leaf::here()));
    tls.alpn = vec![b"h2".to_vec()];
    tls.clients = Some(clients.der());
    tls.serves_strangers = true;
    let server = Server::tls(tls.config(), speak_http2);
    let sending = transport::<E>(settings);
    E::block_on(async {
        for name in [Some("anna"), Some("ben"), None, Some("anna"), Some("ben"), None] {
            let mut request = get(&server.https("/"));
            if let Some(name) = name {
                request = request.with_client_certificate(KeyId::new(name));
            }
            sending.send(request).await.expect("the server serves everybody");
        }
    });
    let shown: Vec<_> =
        server.handshakes().into_iter().map(|handshake| handshake.expect("it went well").client).collect();
    assert_eq!(shown, [Some(anna.der()), Some(ben.der()), None]);
    assert_eq!(server.notes().len(), 6);
}

/// A server that speaks what it agreed on, HTTP/1.1 where that is nothing.
fn speaking(authority: &Authority, protocols: &[&str]) -> Server {
    let mut tls = ServerTls::new(&authority.issue(&Leaf::here()));
    tls.alpn = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Server::tls(tls.config(), |connection| {
        if connection.protocol() == Some(b"h2") {
            return speak_http2(connection);
        }
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}

/// Notes the body of each request before it is answered.
fn speak_http2(connection: &mut Connection) -> io::Result<()> {
    let mut http2 = Http2::new(connection)?;
    while let Some(request) = http2.request()? {
        http2.note(&request.body);
        http2.answer(request.id, b"{}")?;
    }
    Ok(())
}
