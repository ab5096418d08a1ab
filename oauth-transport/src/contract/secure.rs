//! Whom a transport trusts.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, post, promptly, send, send_with};
use super::tls::{Authority, Valid};
use crate::{Setting, Settings, SettingsError, Support};
use oauth_core::{Delivered, KeyId, UnreachableKind};
use std::io::{Read as _, Write as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// As PEM and as DER, beside the platform's roots and alone.
pub fn extra_root_is_trusted<E: Engine>() {
    let authority = Authority::new();
    let server = secure(&authority, "127.0.0.1", Valid::Now);
    for settings in [
        Settings::new()
            .with_extra_roots_pem(authority.pem().as_bytes())
            .expect("the PEM holds a certificate"),
        Settings::new().with_extra_root_der(authority.der()),
        Settings::new().with_extra_root_der(authority.der()).without_platform_roots(),
        Settings::new().with_extra_root_der(Authority::new().der()).with_extra_root_der(authority.der()),
    ] {
        let response =
            send_with::<E>(settings, post(&server.https("/token"))).expect("the server is trusted");
        assert_eq!(response.body(), b"{}");
    }
}

/// A root that the platform does not know.
pub fn t3_unknown_issuer_is_refused<E: Engine>() {
    let server = secure(&Authority::new(), "127.0.0.1", Valid::Now);
    assert_fails(send::<E>(post(&server.https("/token"))), &[UnreachableKind::Tls], Delivered::No);
    assert_eq!(server.received().len(), 0);
}

/// Trusting one root trusts no other, even of the same name.
pub fn another_extra_root_does_not_help<E: Engine>() {
    let server = secure(&Authority::new(), "127.0.0.1", Valid::Now);
    refused::<E>(&server, &Authority::new());
}

/// A good certificate for somebody else.
pub fn wrong_host_is_refused<E: Engine>() {
    let authority = Authority::new();
    for name in ["as.example", "127.0.0.2", "localhost"] {
        refused::<E>(&secure(&authority, name, Valid::Now), &authority);
    }
}

/// A certificate whose time is over.
pub fn expired_certificate_is_refused<E: Engine>() {
    let authority = Authority::new();
    refused::<E>(&secure(&authority, "127.0.0.1", Valid::InThePast), &authority);
}

/// A certificate whose time has not come.
pub fn certificate_of_the_future_is_refused<E: Engine>() {
    let authority = Authority::new();
    refused::<E>(&secure(&authority, "127.0.0.1", Valid::InTheFuture), &authority);
}

/// A server that speaks TLS 1.1 at best.
pub fn old_tls_is_refused<E: Engine>() {
    let server = Server::new(|connection| {
        read_client_hello(connection)?;
        // A ServerHello of TLS 1.1 (RFC 4346 section 7.4.1.3): version, random, no session, a suite, no compression.
        let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0xc0, 0x13, 0]);
        connection.write_all(&hello)?;
        connection.wait_until_closed();
        Ok(())
    });
    refused::<E>(&server, &Authority::new());
}

/// An `https` URL of a server that speaks plain HTTP.
pub fn server_without_tls_is_refused<E: Engine>() {
    let server = Server::new(|connection| {
        read_client_hello(connection)?;
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")?;
        connection.wait_until_closed();
        Ok(())
    });
    refused::<E>(&server, &Authority::new());
}

/// A connection that ends in the middle of the handshake.
pub fn broken_handshake_is_told_and_nothing_delivered<E: Engine>() {
    let server = Server::new(read_client_hello);
    let result = promptly(|| send::<E>(post(&server.https("/token"))));
    assert_fails(result, &[UnreachableKind::Connect, UnreachableKind::Tls], Delivered::No);
}

/// Without a close_notify, the end of the connection does not end a body: anybody can cut it (RFC 9112 section 9.8).
pub fn truncated_tls_body_is_told<E: Engine>() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"x\"}"[..],
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200",
        b"",
    ] {
        let authority = Authority::new();
        let server = closing(&authority, answer);
        let settings = Settings::new().with_extra_root_der(authority.der());
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        assert_fails(result, &[UnreachableKind::Broken], Delivered::Unknown);
        server.only();
    }
}

/// A body that ends by its own framing is whole, however the connection ends.
pub fn whole_tls_body_needs_no_close_notify<E: Engine>() {
    for answer in [
        OK,
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        let authority = Authority::new();
        let server = closing(&authority, answer);
        let settings = Settings::new().with_extra_root_der(authority.der());
        let response =
            send_with::<E>(settings, post(&server.https("/token"))).expect("the response is whole");
        assert_eq!(response.body(), b"{}");
    }
}

/// No root at all: refused when the transport is made.
pub fn settings_that_trust_nobody_are_refused<E: Engine>() {
    let error = E::transport(Settings::new().without_platform_roots()).err();
    assert!(matches!(error, Some(SettingsError::NoRoots)), "{error:?}");
}

/// A certificate that the transport does not hold: refused before it connects, rather than left out.
pub fn t10_client_certificate_that_is_not_held_is_refused<E: Engine>() {
    let server = Server::new(|connection| connection.request().map(drop));
    let request = post(&server.http("/token")).with_client_certificate(KeyId::new("nobody-has-it"));
    let error = assert_fails(send::<E>(request), &[UnreachableKind::Unsupported], Delivered::No);
    assert!(error.to_string().contains("nobody-has-it"), "{error}");
    assert_eq!(server.connections(), 0);
}

/// A root that is none: refused when the transport is made, and named.
pub fn unreadable_root_is_refused<E: Engine>() {
    for settings in [Settings::new(), Settings::new().without_platform_roots()] {
        let never_alone = matches!(E::supports(Setting::ExtraRootsAlone), Support::Unsupported(_));
        if never_alone && !settings.platform_roots() {
            continue;
        }
        let settings =
            settings.with_extra_root_der(Authority::new().der()).with_extra_root_der(*b"not a certificate");
        let error = E::transport(settings).err();
        assert!(matches!(error, Some(SettingsError::ExtraRoot { index: 1 })), "{error:?}");
    }
}

fn secure(authority: &Authority, name: &str, valid: Valid) -> Server {
    Server::tls(authority.server(name, valid), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}

/// Answers once and closes the socket without a close_notify.
fn closing(authority: &Authority, answer: &'static [u8]) -> Server {
    Server::tls(authority.server("127.0.0.1", Valid::Now), move |connection| {
        connection.request()?;
        connection.write_all(answer)?;
        connection.flush()
    })
}

fn refused<E: Engine>(server: &Server, trusted: &Authority) {
    let settings = Settings::new().with_extra_root_der(trusted.der());
    let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
    assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
    assert_eq!(server.received().len(), 0, "the request was sent");
}

fn read_client_hello(connection: &mut super::server::Connection) -> std::io::Result<()> {
    let mut record = [0; 5];
    connection.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    connection.read_exact(&mut vec![0; length])
}
