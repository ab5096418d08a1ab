//! Certificates that their issuers have taken back.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, carries, post, promptly, send_with, transport};
use super::tls::{Authority, Credentials, Leaf, ServerTls, Valid};
use crate::{Flaws, Revocation, Setting, Settings, SettingsError, Tls};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use oauth_core::{Delivered, Response, Unreachable, UnreachableKind};
use std::io::Write as _;
use std::net::TcpListener;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const MODES: [Revocation; 3] = [Revocation::Unchecked, Revocation::WhereKnown, Revocation::Required];

/// By the list that it points to; where lists are not asked, nobody knows.
pub fn revoked_certificate_is_refused<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    for revocation in MODES {
        let lists = publishing(authority.list(&[6, 7], Valid::Now));
        let server = server(&authority.issue(&pointing_to(&lists)));
        let settings = asking(&authority, revocation);
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        if revocation == Revocation::Unchecked {
            result.expect("nobody asks");
            assert_eq!(lists.connections(), 0);
        } else {
            refused(&server, result, 0, "was revoked");
            let asked = lists.only();
            assert_eq!(asked.line, "GET /list.crl HTTP/1.1");
            assert_eq!(asked.all("host"), [lists.address().to_string()]);
        }
    }
}

/// A certificate that no list names is good, and its list is kept.
pub fn revocation_lists_are_fetched_once<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    for revocation in [Revocation::WhereKnown, Revocation::Required] {
        let lists = publishing(authority.list(&[6, 8], Valid::Now));
        let servers = [7, 9].map(|serial| server(&authority.issue(&Leaf { serial, ..pointing_to(&lists) })));
        let transport = transport::<E>(asking(&authority, revocation));
        for server in servers.iter().chain(&servers) {
            E::block_on(transport.send(post(&server.https("/token")))).expect("it was not revoked");
        }
        lists.only();
    }
}

/// As DER or as PEM, with nothing to be fetched.
pub fn revocation_lists_that_are_given_are_asked<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    let server = server(&authority.issue(&Leaf::here()));
    let of_another = Authority::new().list(&[7], Valid::Now);
    for (list, goes_well) in
        [(authority.list(&[7], Valid::Now), false), (authority.list(&[8], Valid::Now), true)]
    {
        for list in [pem(&list).into_bytes(), list] {
            for revocation in [Revocation::WhereKnown, Revocation::Required] {
                // One of another authority of the same name has no say.
                let settings = with_lists(&authority, revocation, vec![of_another.clone(), list.clone()]);
                let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
                if goes_well {
                    result.expect("it was not revoked");
                } else {
                    let error = assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
                    assert!(error.to_string().contains("revoked"), "{error}");
                }
            }
        }
    }
    // A list that is out of date does not tell that a certificate is good; that it was revoked it does.
    let old = |revoked: &[u64]| vec![authority.list(revoked, Valid::InThePast)];
    for (revocation, list, goes_well) in [
        (Revocation::WhereKnown, old(&[8]), true),
        (Revocation::Required, old(&[8]), false),
        (Revocation::WhereKnown, old(&[7]), false),
        (Revocation::Required, old(&[7]), false),
    ] {
        let result = send_with::<E>(with_lists(&authority, revocation, list), post(&server.https("/token")));
        assert_eq!(result.is_ok(), goes_well, "{revocation:?}: {result:?}");
    }
}

/// What is no list, and lists that nobody would ask, are refused when the transport is made.
pub fn unreadable_revocation_list_is_refused<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    let good = authority.list(&[], Valid::Now);
    for (revocation, list) in [
        (Revocation::WhereKnown, b"no list".to_vec()),
        (Revocation::Required, authority.der()),
        (Revocation::Required, good[..good.len() - 1].to_vec()),
        (Revocation::Unchecked, good.clone()),
    ] {
        let error = E::transport(with_lists(&authority, revocation, vec![list])).err();
        assert!(
            matches!(error, Some(SettingsError::Value { setting: Setting::Revocation, .. })),
            "{error:?}"
        );
    }
}

/// Where they are not required such a certificate passes; where they are, the cause names the list.
pub fn revocation_lists_that_cannot_be_had_count_where_they_are_required<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    let closed = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let closed = format!("http://{}/list.crl", closed.expect("a port is free"));
    let missing = Server::answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let nonsense = publishing(b"nonsense".to_vec());
    let forged = publishing(Authority::new().list(&[7], Valid::Now));
    let old = publishing(authority.list(&[], Valid::InThePast));
    let endless = Server::new(|connection| {
        connection.request()?;
        connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            connection.write_all(&[0x30; 1 << 16])?;
        }
    });
    let silent = Server::new(|connection| {
        connection.request()?;
        connection.wait_until_closed();
        Ok(())
    });
    for (url, why) in [
        (None, "does not say where there is one"),
        (Some("https://127.0.0.1:1/list.crl".to_owned()), "does not say where there is one"),
        (Some(closed), "/list.crl"),
        (Some(missing.http("/list.crl")), "404"),
        (Some(nonsense.http("/list.crl")), "it is no list"),
        (Some(forged.http("/list.crl")), "not signed by the issuer"),
        (Some(old.http("/list.crl")), "out of date"),
        (Some(endless.http("/list.crl")), "more than"),
        (Some(silent.http("/list.crl")), "in time"),
    ] {
        let leaf = Leaf { lists: url.iter().cloned().collect(), ..Leaf::here() };
        let server = server(&authority.issue(&leaf));
        let quick = |revocation| {
            asking(&authority, revocation).with_connect_timeout(std::time::Duration::from_secs(3))
        };
        send_with::<E>(quick(Revocation::WhereKnown), post(&server.https("/token")))
            .unwrap_or_else(|error| panic!("{why}: the list is not required: {error}"));

        let result = promptly(|| send_with::<E>(quick(Revocation::Required), post(&server.https("/token"))));
        let error = assert_fails(result, &[UnreachableKind::Tls], Delivered::No).to_string();
        assert!(error.contains("no revocation list") && error.contains(why), "{why}: {error}");

        let accepted = Flaws { unknown_revocation: true, ..Flaws::default() };
        let tls =
            Tls { revocation: Revocation::Required, dangerously_accepted_flaws: accepted, ..Tls::default() };
        let settings = quick(Revocation::Required).with_tls(tls);
        send_with::<E>(settings, post(&server.https("/token"))).expect("the flaw is accepted");
    }
}

/// A certificate is as good as those above it; the root answers for itself.
pub fn certificates_above_are_asked_about_too<E: Engine>() {
    let root = Authority::new();
    if !carried::<E>() {
        return;
    }
    for (by_root, by_intermediate, says) in [
        (vec![], vec![], None),
        (vec![2], vec![], Some("was revoked")),
        (vec![], vec![7], Some("was revoked")),
        // Serial numbers are each issuer's own.
        (vec![7], vec![2], None),
    ] {
        let of_root = publishing(root.list(&by_root, Valid::Now));
        let intermediate = root.intermediate(2, &[of_root.http("/list.crl")]);
        let of_intermediate = publishing(intermediate.list(&by_intermediate, Valid::Now));
        let server = server(&intermediate.issue(&pointing_to(&of_intermediate)));
        for revocation in [Revocation::WhereKnown, Revocation::Required] {
            let result = send_with::<E>(asking(&root, revocation), post(&server.https("/token")));
            match says {
                None => drop(result.expect("neither was revoked")),
                Some(says) => {
                    let error = assert_fails(result, &[UnreachableKind::Tls], Delivered::No).to_string();
                    assert!(error.contains(says), "{error}");
                }
            }
        }
    }
    // A list for the server's certificate alone is not enough.
    let intermediate = root.intermediate(2, &[]);
    let lists = publishing(intermediate.list(&[], Valid::Now));
    let server = server(&intermediate.issue(&pointing_to(&lists)));
    send_with::<E>(asking(&root, Revocation::WhereKnown), post(&server.https("/token")))
        .expect("it is not required");
    let result = send_with::<E>(asking(&root, Revocation::Required), post(&server.https("/token")));
    refused(&server, result, 1, "no revocation list");
}

/// Anybody can write any URL into a certificate: it is asked only where a trusted authority has signed it.
pub fn revocation_lists_of_strangers_are_not_fetched<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>() {
        return;
    }
    let stranger = Authority::named("Another Root").intermediate(2, &[]);
    for accepted in [false, true] {
        let lists = publishing(stranger.list(&[], Valid::Now));
        let server = server(&stranger.issue(&pointing_to(&lists)));
        let flaws = Flaws { unknown_issuer: accepted, ..Flaws::default() };
        let knowing = |revoked: &[u64]| {
            let tls = Tls {
                revocation: Revocation::WhereKnown,
                revocation_lists: vec![stranger.list(revoked, Valid::Now)],
                dangerously_accepted_flaws: flaws,
                ..Tls::default()
            };
            asking(&authority, Revocation::WhereKnown).with_tls(tls)
        };
        let tls = Tls { revocation_lists: Vec::new(), ..knowing(&[]).tls().clone() };
        let unknowing = asking(&authority, Revocation::WhereKnown).with_tls(tls);
        for (settings, goes_well) in [
            (unknowing, accepted),
            (knowing(&[8]), accepted),
            // A list that is given counts, whoever signed it: to accept an issuer is to believe it.
            (knowing(&[7]), false),
        ] {
            let result = send_with::<E>(settings, post(&server.https("/token")));
            assert_eq!(result.is_ok(), goes_well, "{result:?}");
        }
        assert_eq!(lists.connections(), 0);
    }
}

fn carried<E: Engine>() -> bool {
    carries::<E>(Setting::Revocation, &asking(&Authority::new(), Revocation::Required))
}

fn asking(authority: &Authority, revocation: Revocation) -> Settings {
    with_lists(authority, revocation, Vec::new())
}

fn with_lists(authority: &Authority, revocation: Revocation, revocation_lists: Vec<Vec<u8>>) -> Settings {
    let tls = Tls { revocation, revocation_lists, ..Tls::default() };
    Settings::new().with_extra_root_der(authority.der()).with_tls(tls)
}

fn pointing_to(lists: &Server) -> Leaf {
    Leaf { lists: vec![lists.http("/list.crl")], ..Leaf::here() }
}

fn publishing(list: Vec<u8>) -> Server {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", list.len()).into_bytes();
    answer.extend(list);
    Server::answering(answer)
}

fn pem(list: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(list);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", lines.join("\n"))
}

#[track_caller]
fn refused(server: &Server, result: Result<Response, Unreachable>, before: usize, says: &str) {
    let error = assert_fails(result, &[UnreachableKind::Tls], Delivered::No).to_string();
    assert!(error.contains(says), "{error}");
    assert_eq!(server.received().len(), before, "the request was sent");
}

fn server(credentials: &Credentials) -> Server {
    Server::tls(ServerTls::new(credentials).config(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}
