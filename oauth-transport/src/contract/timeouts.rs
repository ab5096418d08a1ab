//! What is waited for, and how fast bytes move.

use super::Engine;
use super::server::Server;
use super::subject::{
    SHORT, assert_fails, assert_presentable, carries, endpoint, get, post, promptly, send_with, transport,
};
use crate::{BytesPerSecond, Http, Setting, Settings, Tcp};
use oauth_core::{Delivered, Purpose, Request, SecretBytes, UnreachableKind};
use std::io::Write as _;
use std::num::{NonZeroU64, NonZeroUsize};
use std::thread;
use std::time::{Duration, Instant};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Silence before the head, in it, and in the body ends a request, though nothing limits it as a whole.
pub fn silence_runs_into_the_inactivity_timeout<E: Engine>() {
    let settings = Settings::new().without_total_timeout().with_inactivity_timeout(SHORT);
    if !carries::<E>(Setting::InactivityTimeout, &settings) {
        return;
    }
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{"] {
        let server = Server::new(move |connection| {
            connection.request()?;
            connection.write_all(beginning.as_bytes())?;
            connection.wait_until_closed();
            Ok(())
        });
        let start = Instant::now();
        let result = promptly(|| send_with::<E>(settings.clone(), post(&server.http("/token"))));
        assert!(start.elapsed() >= SHORT, "it gave up after {:?}", start.elapsed());
        let error = assert_fails(result, &[UnreachableKind::Timeout], Delivered::Unknown);
        assert!(error.to_string().contains("no byte"), "silence is told from slowness: {error}");
        server.only();
    }
}

/// Bytes that come steadily are no silence, however long it takes; nor is the time between two requests.
pub fn steady_bytes_keep_a_request_alive<E: Engine>() {
    let settings = Settings::new().with_inactivity_timeout(SHORT);
    if !carries::<E>(Setting::InactivityTimeout, &settings) {
        return;
    }
    let server = Server::new(|connection| {
        while connection.request()?.is_some() {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".chunks(4) {
                thread::sleep(SHORT / 5);
                connection.write_all(byte)?;
            }
        }
        Ok(())
    });
    let transport = transport::<E>(settings);
    E::block_on(async {
        for pause in [Duration::ZERO, SHORT * 2] {
            thread::sleep(pause);
            let start = Instant::now();
            transport.send(get(&server.http("/"))).await.expect("bytes came all the time");
            assert!(start.elapsed() > SHORT, "the response came too fast to show anything");
        }
    });
    assert_eq!(server.connections(), 1);
}

/// The total timeout holds by default, and is taken away.
pub fn total_timeout_can_be_taken_away<E: Engine>() {
    let slow = || {
        Server::new(|connection| {
            connection.request()?;
            thread::sleep(SHORT * 3);
            connection.write_all(OK)
        })
    };
    let limited = Settings::new().with_total_timeout(SHORT);
    let unlimited = limited.clone().without_total_timeout();
    if !carries::<E>(Setting::TotalTimeout, &unlimited) {
        return;
    }
    let server = slow();
    assert_fails(
        send_with::<E>(limited, get(&server.http("/"))),
        &[UnreachableKind::Timeout],
        Delivered::Unknown,
    );
    send_with::<E>(unlimited, get(&slow().http("/"))).expect("it takes as long as it takes");
}

/// A connection that stands is a matter of the connect timeout, and not of silence.
pub fn connecting_is_no_silence<E: Engine>() {
    let server = Server::new(|connection| {
        connection.wait_until_closed();
        Ok(())
    });
    let settings = Settings::new().with_inactivity_timeout(SHORT / 4).with_connect_timeout(SHORT * 2);
    if !carries::<E>(Setting::InactivityTimeout, &settings) {
        return;
    }
    let start = Instant::now();
    let error =
        promptly(|| send_with::<E>(settings, post(&server.https("/")))).expect_err("TLS never stands");
    assert!(start.elapsed() >= SHORT * 2, "it gave up after {:?}", start.elapsed());
    assert_eq!(error.kind, UnreachableKind::Timeout, "{error:?}");
    assert_presentable(&error);
}

/// Each way, on each connection.
pub fn bytes_move_as_fast_as_they_may<E: Engine>() {
    const BYTES: usize = 200_000;
    let tcp = Tcp { rate: NonZeroU64::new(100_000).map(BytesPerSecond::new), ..Tcp::default() };
    let slow = Settings::new().with_tcp(tcp);
    if !carries::<E>(Setting::TransferRate, &slow) {
        return;
    }
    let server = Server::new(|connection| {
        while let Some(request) = connection.request()? {
            let body = if request.line.starts_with("GET") { vec![b' '; BYTES] } else { Vec::new() };
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())?;
            connection.write_all(&body)?;
        }
        Ok(())
    });
    let upload =
        || Request::form(Purpose::Token, endpoint(&server.http("/")), SecretBytes::new(vec![b'x'; BYTES]));
    for request in [&(|| get(&server.http("/"))) as &dyn Fn() -> Request, &upload] {
        let timed = |settings: &Settings| {
            let start = Instant::now();
            send_with::<E>(settings.clone(), request()).expect("the server answers");
            start.elapsed()
        };
        let (fast, slow) = (timed(&Settings::new()), timed(&slow));
        // Two seconds by the rate; some may go ahead at once, and some is kept by the system.
        assert!(slow >= Duration::from_millis(1200), "{BYTES} bytes moved in {slow:?}");
        assert!(slow < Duration::from_secs(8), "{BYTES} bytes took {slow:?}");
        assert!(fast < slow / 2, "without a rate it took {fast:?}, with one {slow:?}");
    }
}

/// A line of a head that is longer than it may be; by default it is not.
pub fn lines_of_a_head_are_as_long_as_they_may_be<E: Engine>() {
    let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(200));
    let odd = format!("HTTP/1.1 200 {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(200));
    let [short, longer] = [150, 300].map(|bytes| {
        Settings::new().with_http(Http { max_line: NonZeroUsize::new(bytes), ..Http::default() })
    });
    if !carries::<E>(Setting::LineLength, &short) {
        return;
    }
    for answer in [long, odd] {
        let server = Server::answering(answer);
        for settings in [Settings::new(), longer.clone()] {
            send_with::<E>(settings, get(&server.http("/"))).expect("the line may be so long");
        }
        let result = send_with::<E>(short.clone(), get(&server.http("/")));
        assert_fails(result, &[UnreachableKind::TooLarge], Delivered::Unknown);
    }
}
