//! What may be wrong with a server's certificate where that is accepted, and what must not be even then.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, carries, post, promptly, send_with};
use super::tls::{Authority, Credentials, Leaf, ServerTls, Valid};
use crate::{Flaws, Revocation, Setting, Settings, Tls};
use oauth_core::{Delivered, UnreachableKind};
use rcgen::ExtendedKeyUsagePurpose;
use std::io::Write as _;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// One bit for each flaw.
const OUT_OF_DATE: u8 = 1;
const UNKNOWN_ISSUER: u8 = 2;
const WRONG_USAGE: u8 = 4;
const UNKNOWN_REVOCATION: u8 = 8;
const WRONG_NAME: u8 = 16;
const ALL: u8 = 31;

const SETTINGS: [(u8, Setting); 5] = [
    (OUT_OF_DATE, Setting::AcceptOutOfDate),
    (UNKNOWN_ISSUER, Setting::AcceptUnknownIssuer),
    (WRONG_USAGE, Setting::AcceptWrongUsage),
    (UNKNOWN_REVOCATION, Setting::AcceptUnknownRevocation),
    (WRONG_NAME, Setting::AcceptWrongName),
];

/// A certificate with any flaws is accepted where they all are, and refused where one of them is not.
pub fn accepted_flaws_hide_no_other<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>(ALL) {
        return;
    }
    for flaws in 1..=ALL {
        let server = server(&flawed(&authority, flaws, Valid::InThePast));
        let send = |accepted| {
            let settings = accepting(&authority, flaws, accepted);
            promptly(|| send_with::<E>(settings, post(&server.https("/token"))))
        };
        send(flaws).unwrap_or_else(|error| panic!("{flaws:05b} are accepted: {error}"));
        assert_eq!(server.received().len(), 1);
        for (flaw, setting) in SETTINGS {
            if flaws & flaw != 0 {
                // Whatever else is accepted beside it.
                for accepted in [ALL & !flaw, flaws & !flaw] {
                    let result = send(accepted);
                    assert!(result.is_err(), "{flaws:05b}: {setting} is off, and {accepted:05b} hides it");
                    assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
                }
            }
        }
        assert_eq!(server.received().len(), 1, "a request was sent");
    }
    // And what has no flaw needs none accepted.
    let good = server(&flawed(&authority, 0, Valid::Now));
    let settings = accepting(&authority, 0, ALL);
    send_with::<E>(settings, post(&good.https("/token"))).expect("nothing is wrong");
}

/// Before its time and after it, by itself and under an authority that is out of date in another way.
pub fn accepted_flaws_are_of_either_date<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>(OUT_OF_DATE) {
        return;
    }
    for valid in [Valid::InThePast, Valid::InTheFuture] {
        let server = server(&flawed(&authority, OUT_OF_DATE, valid));
        let result =
            send_with::<E>(accepting(&authority, OUT_OF_DATE, OUT_OF_DATE), post(&server.https("/token")));
        result.expect("the flaw is accepted");
        let result = send_with::<E>(accepting(&authority, OUT_OF_DATE, 0), post(&server.https("/token")));
        assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
    }
}

/// One certificate is accepted with every flaw there is; another with the same flaws is not, and a good one is as ever.
pub fn accepted_certificate_may_be_as_bad_as_it_likes<E: Engine>() {
    let authority = Authority::new();
    let bad =
        || flawed(&authority, OUT_OF_DATE | UNKNOWN_ISSUER | WRONG_USAGE | WRONG_NAME, Valid::InThePast);
    let of_itself = Leaf { valid: Valid::InTheFuture, is_authority: true, ..Leaf::of("as.example") };
    for accepted in [bad(), of_itself.self_signed()] {
        let tls = Tls { accepted_certificate: Some(accepted.der()), ..Tls::default() };
        let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls);
        if !carries::<E>(Setting::Pin, &settings) {
            return;
        }
        for good_enough in [accepted, flawed(&authority, 0, Valid::Now)] {
            let trusted = server(&good_enough);
            send_with::<E>(settings.clone(), post(&trusted.https("/token"))).expect("it is accepted");
        }
        let server = server(&bad());
        let result = send_with::<E>(settings, post(&server.https("/token")));
        assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
        assert_eq!(server.received().len(), 0);
    }
}

/// Anybody can show a certificate; what is accepted of it says nothing of who shows it.
pub fn key_is_proved_whatever_is_accepted<E: Engine>() {
    let authority = Authority::new();
    let real = flawed(&authority, 0, Valid::Now);
    let stolen = Credentials { chain: real.chain.clone(), key: flawed(&authority, 0, Valid::Now).key };
    let all = Flaws {
        out_of_date: true,
        unknown_issuer: true,
        wrong_usage: true,
        unknown_revocation: true,
        wrong_name: true,
    };
    for tls in [
        Tls { dangerously_accepted_flaws: all, ..Tls::default() },
        Tls { accepted_certificate: Some(real.der()), ..Tls::default() },
        Tls::default(),
    ] {
        let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls);
        if E::transport(settings.clone()).is_err() {
            // That it refuses these settings by name is shown by the cases above.
            continue;
        }
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut tls = ServerTls::new(&stolen);
            tls.versions = vec![version];
            let server = start(tls);
            let result = promptly(|| send_with::<E>(settings.clone(), post(&server.https("/token"))));
            assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
            assert_eq!(server.received().len(), 0);
        }
    }
}

/// A usage that an authority is bound to is one of the certificates that it signs.
pub fn accepted_flaws_of_authorities_hide_no_other<E: Engine>() {
    let authority = Authority::new();
    if !carried::<E>(OUT_OF_DATE | WRONG_USAGE) {
        return;
    }
    let for_clients = authority.intermediate_for(ExtendedKeyUsagePurpose::ClientAuth);
    let server = server(&flawed(&for_clients, OUT_OF_DATE, Valid::InThePast));
    for (accepted, goes_well) in [
        (0, false),
        (OUT_OF_DATE, false),
        (WRONG_USAGE, false),
        (ALL & !WRONG_USAGE, false),
        (OUT_OF_DATE | WRONG_USAGE, true),
    ] {
        let result = send_with::<E>(accepting(&authority, 0, accepted), post(&server.https("/token")));
        assert_eq!(result.is_ok(), goes_well, "{accepted:05b}: {result:?}");
    }
}

/// Whether the engine can accept all of these flaws; each that it cannot has to be refused by its name.
fn carried<E: Engine>(flaws: u8) -> bool {
    let authority = Authority::new();
    let mut carried = true;
    for (flaw, setting) in SETTINGS {
        if flaws & flaw != 0 {
            carried &= carries::<E>(setting, &accepting(&authority, 0, flaw));
        }
    }
    let needs_lists = flaws & UNKNOWN_REVOCATION != 0;
    carried && (!needs_lists || carries::<E>(Setting::Revocation, &accepting(&authority, flaws, 0)))
}

fn flawed(authority: &Authority, flaws: u8, valid: Valid) -> Credentials {
    let has = |flaw| flaws & flaw != 0;
    let mut leaf = Leaf::of(if has(WRONG_NAME) { "as.example" } else { "127.0.0.1" });
    leaf.valid = if has(OUT_OF_DATE) { valid } else { Valid::Now };
    leaf.purpose = has(WRONG_USAGE).then_some(ExtendedKeyUsagePurpose::ClientAuth);
    if has(UNKNOWN_ISSUER) {
        // Once by itself, once by a stranger, once by a stranger with a chain.
        match flaws % 3 {
            0 => Leaf { is_authority: has(WRONG_USAGE), ..leaf }.self_signed(),
            1 => Authority::new().issue(&leaf),
            _ => Authority::new().intermediate(2, &[]).issue(&leaf),
        }
    } else {
        authority.issue(&leaf)
    }
}

/// Revocation is required where its flaw is among those of the certificate: no list speaks for any of them.
fn accepting(authority: &Authority, flaws: u8, accepted: u8) -> Settings {
    let has = |flaw| accepted & flaw != 0;
    let dangerously_accepted_flaws = Flaws {
        out_of_date: has(OUT_OF_DATE),
        unknown_issuer: has(UNKNOWN_ISSUER),
        wrong_usage: has(WRONG_USAGE),
        unknown_revocation: has(UNKNOWN_REVOCATION),
        wrong_name: has(WRONG_NAME),
    };
    let revocation =
        if flaws & UNKNOWN_REVOCATION != 0 { Revocation::Required } else { Revocation::Unchecked };
    let tls = Tls { dangerously_accepted_flaws, revocation, ..Tls::default() };
    // Each way to trust has a verifier of its own.
    let settings = Settings::new().with_extra_root_der(authority.der()).with_tls(tls);
    let alone = settings.clone().without_platform_roots();
    if flaws.is_multiple_of(2) { settings } else { alone }
}

fn server(credentials: &Credentials) -> Server {
    start(ServerTls::new(credentials))
}

fn start(tls: ServerTls) -> Server {
    Server::tls(tls.config(), |connection| {
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    })
}
