//! Servers that are not there, go away, or talk nonsense.

use super::Engine;
use super::cancellation::pause;
use super::server::Server;
use super::subject::{
    SHORT, assert_fails, assert_presentable, get, post, promptly, send, send_with, transport,
};
use crate::Settings;
use oauth_core::{Delivered, UnreachableKind};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A port on 127.0.0.1 where nobody listens.
pub(super) fn nobody() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Nobody listens there.
pub fn refused_connection_is_told_and_nothing_delivered<E: Engine>() {
    for scheme in ["http", "https"] {
        let result = send::<E>(post(&format!("{scheme}://127.0.0.1:{}/token", nobody())));
        assert_fails(result, &[UnreachableKind::Connect], Delivered::No);
    }
}

/// A name that is reserved never to exist (RFC 6761 section 6.4).
pub fn unknown_name_is_told_and_nothing_delivered<E: Engine>() {
    let error = assert_fails(
        send::<E>(post("https://authorization-server.invalid/token")),
        &[UnreachableKind::Name],
        Delivered::No,
    );
    assert!(error.to_string().contains("authorization-server.invalid"), "the name is told: {error}");
}

/// The request arrives, and the connection ends.
pub fn closed_before_the_response_is_told<E: Engine>() {
    broken_by::<E>(b"");
}

/// The connection is reset with the request half read.
pub fn reset_before_the_response_is_told<E: Engine>() {
    let server = Server::new(|connection| {
        // What is left unread makes the system reset the connection.
        connection.read_exact(&mut [0; 20])
    });
    assert_fails(send::<E>(post(&server.http("/token"))), &[UnreachableKind::Broken], Delivered::Unknown);
    assert_eq!(server.connections(), 1);
}

/// In its first line, in a header, before the empty line.
pub fn closed_in_the_head_is_told<E: Engine>() {
    broken_by::<E>(b"HTTP/1.1 2");
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ncontent-le");
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n");
}

/// Fewer bytes than were promised (RFC 9112 section 8).
pub fn t5_short_body_is_told<E: Engine>() {
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n");
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"access_token\":\"x\"}");
}

/// Chunks without the last one (RFC 9112 section 8).
pub fn missing_last_chunk_is_told<E: Engine>() {
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n");
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{");
    broken_by::<E>(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n");
}

/// A server that has said all it will ever say, and listens on: what it said counts, and nothing is sent there again.
pub fn half_closed_connection_serves_no_other<E: Engine>() {
    for framing in ["content-length: 2\r\n", ""] {
        let closed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&closed);
        let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n{{}}");
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(answer.as_bytes())?;
            connection.socket()?.shutdown(Shutdown::Write)?;
            count.fetch_add(1, Ordering::SeqCst);
            // Whatever comes now gets no answer.
            while connection.request()?.is_some() {}
            Ok(())
        });
        let transport = transport::<E>(Settings::new());
        promptly(|| {
            E::block_on(async {
                for number in 1..=3 {
                    let result = transport.send(post(&server.http("/token"))).await;
                    assert_eq!(result.expect("the server answers").body(), b"{}");
                    while closed.load(Ordering::SeqCst) < number {
                        pause(Duration::from_millis(1)).await;
                    }
                }
            });
        });
        assert_eq!((server.received().len(), server.connections()), (3, 3), "{framing:?}");
    }
}

/// Another protocol, and HTTP with broken framing.
pub fn not_http_is_told<E: Engine>() {
    for answer in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "220 mail.example ESMTP\r\n",
        "<html><body>HTTP/0.9</body></html>\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ] {
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(answer.as_bytes())?;
            connection.wait_until_closed();
            Ok(())
        });
        let result = promptly(|| send::<E>(post(&server.http("/token"))));
        let error = assert_fails(result, &[UnreachableKind::NotHttp], Delivered::Unknown);
        assert!(!error.to_string().contains("mail.example"), "the answer is not repeated: {error}");
        server.only();
    }
}

/// 1xx responses go before the one that counts (RFC 9110 section 15.2).
pub fn interim_responses_do_not_count<E: Engine>() {
    let server = Server::answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    );
    let response = send::<E>(post(&server.http("/token"))).expect("the server answers");
    assert_eq!((response.status().as_u16(), response.body()), (200, &b"{}"[..]));
}

/// A flood of them does not keep a request alive beyond its time.
pub fn endless_interim_responses_end<E: Engine>() {
    let server = Server::new(|connection| {
        connection.request()?;
        loop {
            connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    });
    let settings = Settings::new().with_total_timeout(SHORT);
    let error =
        promptly(|| send_with::<E>(settings, get(&server.http("/")))).expect_err("no response ever comes");
    assert_eq!(error.delivered, Delivered::Unknown, "{error:?}");
    assert_presentable(&error);
}

/// A server that reads the request, writes this, and closes.
fn broken_by<E: Engine>(answer: &'static [u8]) {
    let server = Server::new(move |connection| {
        connection.request()?;
        connection.write_all(answer)
    });
    let result = promptly(|| send::<E>(post(&server.http("/token"))));
    assert_fails(result, &[UnreachableKind::Broken], Delivered::Unknown);
    server.only();
}
