//! Everything that can be wrong with a server's TLS, each told from the others.

use super::Engine;
use super::server::{Connection, Server};
use super::subject::{assert_fails, carries, post, promptly, transport};
use super::tls::{Authority, Credentials, Leaf, ServerTls, Valid};
use crate::{Revocation, Setting, Settings, Tls};
use oauth_core::{Delivered, Unreachable, UnreachableKind};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::version::{TLS12, TLS13};
use std::io::{self, Read as _, Write as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Certificates: each is refused, and the cause says what is wrong with it.
pub fn bad_certificates_are_told_apart<E: Engine>() {
    let authority = Authority::new();
    let leaf = Leaf::here();
    let lists = Tls {
        revocation: Revocation::WhereKnown,
        revocation_lists: vec![authority.list(&[7], Valid::Now)],
        ..Tls::default()
    };
    let trusting = Settings::new().with_extra_root_der(authority.der());
    let (good, of_itself) = (authority.issue(&leaf), leaf.self_signed());
    let thief = Credentials { chain: good.chain.clone(), key: of_itself.key.clone() };
    for (credentials, tls, says) in [
        (authority.issue(&Leaf { valid: Valid::InThePast, ..leaf.clone() }), None, "has expired"),
        (authority.issue(&Leaf { valid: Valid::InTheFuture, ..leaf.clone() }), None, "is not valid yet"),
        (authority.issue(&Leaf::of("as.example")), None, "is for another name: as.example"),
        (authority.issue(&Leaf::of("127.0.0.2")), None, "is for another name: 127.0.0.2"),
        (
            Authority::named("Another Root").intermediate(2, &[]).issue(&leaf),
            None,
            "was issued by an authority that is not trusted",
        ),
        (Authority::new().issue(&leaf), None, "was not signed by the authority that it names"),
        (of_itself, None, "is self-signed"),
        (Leaf { is_authority: true, ..leaf.clone() }.self_signed(), None, "is self-signed"),
        (good.clone(), Some(lists), "was revoked"),
        (
            authority.issue(&Leaf { purpose: Some(ExtendedKeyUsagePurpose::ClientAuth), ..leaf.clone() }),
            None,
            "is not for servers",
        ),
        (good.with_unsupported_signature(), None, "is signed by an algorithm that is weak or not supported"),
        (thief, None, "cannot prove that it holds the key"),
    ] {
        let settings = match tls {
            None => trusting.clone(),
            Some(tls) => trusting.clone().with_tls(tls),
        };
        if settings.used().contains(&Setting::Revocation) && !carries::<E>(Setting::Revocation, &settings) {
            continue;
        }
        let server = serving(ServerTls::new(&credentials));
        let error = refused::<E>(settings, &server, &[UnreachableKind::Tls], &[Delivered::No]);
        shows::<E>(&error, &["certificate of 127.0.0.1", says]);
    }
}

/// Handshakes: servers that share nothing with us, that speak no TLS, or break it off.
pub fn bad_handshakes_are_told_apart<E: Engine>() {
    const NO_CIPHER: &[u8] = &[0x15, 3, 3, 0, 2, 2, 40];
    const NO_VERSION: &[u8] = &[0x15, 3, 3, 0, 2, 2, 70];
    let tls = [UnreachableKind::Tls];
    let broken = [UnreachableKind::Tls, UnreachableKind::Connect];
    // A ServerHello of TLS 1.1 (RFC 4346 section 7.4.1.3): version, random, no session, a suite, no compression.
    let mut old = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    old.extend([7; 32]);
    old.extend([0, 0xc0, 0x13, 0]);
    // The same of TLS 1.2, and what most servers say then to clients that show no certificate.
    let mut demanding = vec![0x16, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    demanding.extend([7; 32]);
    demanding.extend([0, 0xc0, 0x2b, 0]);
    demanding.extend(NO_CIPHER);
    // The beginning of a ServerHello, and nothing of what it announces.
    let garbled = vec![0x16, 3, 3, 0, 8, 2, 0, 0, 4, 3, 3, 9, 9];
    for (answer, kinds, says) in [
        (old, &tls[..], "share no TLS version"),
        (NO_VERSION.to_vec(), &tls, "share no TLS version"),
        (NO_CIPHER.to_vec(), &tls, "share no cipher suite"),
        (demanding, &tls, "demands a client certificate"),
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec(), &tls, "does not speak TLS"),
        (garbled, &tls, "breaks the rules of TLS"),
        (Vec::new(), &broken, "ended the connection during the TLS handshake"),
    ] {
        let server = Server::new(move |connection| {
            read_client_hello(connection)?;
            if answer.is_empty() {
                return Ok(());
            }
            connection.write_all(&answer)?;
            connection.wait_until_closed();
            Ok(())
        });
        let error = refused::<E>(Settings::new(), &server, kinds, &[Delivered::No]);
        shows::<E>(&error, &["127.0.0.1", says]);
    }
}

/// A server that wants to know who we are. In TLS 1.3 it says so when the request is under way already.
pub fn client_certificates_that_are_missing_or_refused_are_told_apart<E: Engine>() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let trusting = Settings::new().with_extra_root_der(servers.der());
    let stranger = Authority::named("Another Root")
        .issue(&Leaf { purpose: Some(ExtendedKeyUsagePurpose::ClientAuth), ..Leaf::of("client.example") });
    let expired = clients.issue(&Leaf {
        purpose: Some(ExtendedKeyUsagePurpose::ClientAuth),
        valid: Valid::InThePast,
        ..Leaf::of("client.example")
    });
    for (identity, says) in [
        (None, "demands a client certificate"),
        (Some(stranger.identity()), "refuses this client's certificate"),
        (Some(expired.identity()), "refuses this client's certificate"),
    ] {
        let settings = match identity {
            None => trusting.clone(),
            Some(identity) => trusting.clone().with_client_certificate(identity),
        };
        if settings.client_certificate().is_some() && !carries::<E>(Setting::ClientCertificate, &settings) {
            continue;
        }
        for (version, delivered) in
            [(&TLS12, &[Delivered::No][..]), (&TLS13, &[Delivered::No, Delivered::Unknown])]
        {
            let mut tls = ServerTls::new(&servers.issue(&Leaf::here()));
            tls.versions = vec![version];
            tls.clients = Some(clients.der());
            let server = serving(tls);
            let kinds = [UnreachableKind::Tls, UnreachableKind::Broken];
            let error = refused::<E>(settings.clone(), &server, &kinds, delivered);
            shows::<E>(&error, &[says]);
        }
    }
}

#[track_caller]
fn refused<E: Engine>(
    settings: Settings,
    server: &Server,
    kinds: &[UnreachableKind],
    delivered: &[Delivered],
) -> Unreachable {
    let transport = transport::<E>(settings);
    let result = promptly(|| E::block_on(transport.send(post(&server.https("/token")))));
    let says = result.as_ref().err().map_or(Delivered::No, |error| error.delivered);
    assert!(delivered.contains(&says), "one of {delivered:?}: {result:?}");
    let error = assert_fails(result, kinds, says);
    assert_eq!(server.received().len(), 0, "the request was sent");
    error
}

/// The engine by rustls knows exactly what is wrong. Others are told a code by their libraries, and have to name what can
/// be behind it.
#[track_caller]
fn shows<E: Engine>(error: &Unreachable, words: &[&str]) {
    let text = error.to_string();
    let engine = transport::<E>(Settings::new());
    if engine.name() == "hyper" {
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text:?}");
        }
    } else {
        assert!(text.contains("127.0.0.1"), "whose TLS is bad is not in {text:?}");
    }
}

fn read_client_hello(connection: &mut Connection) -> io::Result<()> {
    let mut record = [0; 5];
    connection.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    connection.read_exact(&mut vec![0; length])
}

fn serving(tls: ServerTls) -> Server {
    Server::tls(tls.config(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}
