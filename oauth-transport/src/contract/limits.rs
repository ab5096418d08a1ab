//! What a transport gives up on: too much, or too slow.

use super::Engine;
use super::server::{Connection, Server};
use super::subject::{SHORT, assert_fails, assert_presentable, get, post, promptly, send, send_with};
use crate::Settings;
use oauth_core::{Delivered, UnreachableKind};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: usize = 1 << 20;

/// One MiB is not too much, however it is framed.
pub fn body_of_the_limit_comes_back<E: Engine>() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let server = Server::new(move |connection| body(connection, framing, LIMIT));
        let response = send::<E>(get(&server.http("/"))).expect("a body of the limit is not too large");
        assert_eq!(response.body().len(), LIMIT, "{framing:?}");
    }
}

/// One byte more is.
pub fn t4_body_over_the_limit_is_refused<E: Engine>() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let server = Server::new(move |connection| body(connection, framing, LIMIT + 1));
        let result = send::<E>(post(&server.http("/")));
        assert_fails(result, &[UnreachableKind::TooLarge], Delivered::Unknown);
    }
}

/// A body without an end is not read to the end, nor for long.
pub fn endless_body_is_cut_off<E: Engine>() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n",
    ] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(head.as_bytes())?;
            while counter.load(Ordering::SeqCst) < 50_000_000 {
                counter.fetch_add(connection.write(&[b' '; 16_384])?, Ordering::SeqCst);
            }
            Ok(())
        });
        let result = promptly(|| send::<E>(get(&server.http("/"))));
        assert_fails(result, &[UnreachableKind::TooLarge, UnreachableKind::NotHttp], Delivered::Unknown);
        let taken = taken.load(Ordering::SeqCst);
        // The rest is what the two sockets' buffers hold.
        assert!(taken < 20_000_000, "{taken} bytes were taken off the server");
    }
}

/// Neither one long line, nor many, nor one without an end.
pub fn huge_head_is_refused<E: Engine>() {
    let long = format!("x-long: {}\r\n", "x".repeat(2_000_000));
    let many = "x-many: x\r\n".repeat(200_000);
    let endless = "x".repeat(4_000_000);
    for head in [long, many, endless] {
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(b"HTTP/1.1 200 OK\r\n")?;
            connection.write_all(head.as_bytes())?;
            connection.write_all(b"content-length: 0\r\n\r\n")?;
            connection.wait_until_closed();
            Ok(())
        });
        let result = promptly(|| send::<E>(get(&server.http("/"))));
        assert_fails(result, &[UnreachableKind::TooLarge, UnreachableKind::NotHttp], Delivered::Unknown);
    }
}

/// A server that takes the request and says nothing.
pub fn silent_server_runs_into_the_total_timeout<E: Engine>() {
    runs_into_the_total_timeout::<E>(|connection| {
        connection.wait_until_closed();
        Ok(())
    });
}

/// A head that comes a byte at a time, steadily.
pub fn dripping_head_runs_into_the_total_timeout<E: Engine>() {
    runs_into_the_total_timeout::<E>(|connection| {
        connection.write_all(b"HTTP/1.1 200 OK\r\nx-drip: ")?;
        drip(connection)
    });
}

/// A body that comes a byte at a time, steadily.
pub fn dripping_body_runs_into_the_total_timeout<E: Engine>() {
    runs_into_the_total_timeout::<E>(|connection| {
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
        drip(connection)
    });
}

/// The connect timeout covers TLS, and does not wait for the total one.
pub fn silent_handshake_runs_into_the_connect_timeout<E: Engine>() {
    let server = Server::new(|connection| {
        connection.wait_until_closed();
        Ok(())
    });
    let settings = Settings::new().with_connect_timeout(SHORT);
    let error =
        promptly(|| send_with::<E>(settings, post(&server.https("/")))).expect_err("TLS never stands");
    assert_eq!(error.kind, UnreachableKind::Timeout, "{error:?}");
    assert_presentable(&error);
}

fn runs_into_the_total_timeout<E: Engine>(
    answer: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
) {
    let server = Server::new(move |connection| {
        connection.request()?;
        answer(connection)
    });
    let start = Instant::now();
    let result =
        promptly(|| send_with::<E>(Settings::new().with_total_timeout(SHORT), post(&server.http("/token"))));
    assert!(start.elapsed() >= SHORT, "it gave up after {:?}", start.elapsed());
    assert_fails(result, &[UnreachableKind::Timeout], Delivered::Unknown);
    server.only();
}

/// A byte every 20 ms: an engine's own clock cannot be virtual.
fn drip(connection: &mut Connection) -> io::Result<()> {
    loop {
        connection.write_all(b"x")?;
        thread::sleep(Duration::from_millis(20));
    }
}

#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked,
    Close,
}

fn body(connection: &mut Connection, framing: Framing, length: usize) -> io::Result<()> {
    connection.request()?;
    let bytes = vec![b' '; length];
    match framing {
        Framing::Length => {
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
            connection.write_all(&bytes)
        }
        Framing::Chunked => {
            connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            for chunk in bytes.chunks(100_000) {
                write!(connection, "{:x}\r\n", chunk.len())?;
                connection.write_all(chunk)?;
                connection.write_all(b"\r\n")?;
            }
            connection.write_all(b"0\r\n\r\n")
        }
        Framing::Close => {
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            connection.write_all(&bytes)
        }
    }
}
