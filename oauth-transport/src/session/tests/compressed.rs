//! Encodings.

use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write as _;

const TEXT: &[u8] = br#"{"issuer":"https://as.example"}"#;
/// The same by Brotli: one uncompressed meta-block, and an empty last one (RFC 7932 section 9.2).
const BROTLI: &[u8] = b"\x0b\x0f\x80{\"issuer\":\"https://as.example\"}\x03";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn bare(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn decoding() -> SessionSettings {
    let mut settings = SessionSettings::new();
    settings.accept_encodings = vec![Coding::Gzip, Coding::Deflate, Coding::Brotli];
    settings
}

fn read(settings: SessionSettings, encoding: &str, body: Vec<u8>) -> Result<Response, Unreachable> {
    let session = session(settings, [(200, vec![("content-encoding", encoding.to_owned())], body)]);
    let result = send(&session, get("https://as.example/"));
    let sent = session.transport().sent();
    let asked = session.settings().accept_encodings.first().map(|_| "gzip, deflate, br");
    assert_eq!(sent[0].header("accept-encoding"), asked);
    result
}

#[test]
fn each_encoding_is_decoded() {
    for (encoding, body) in [
        ("gzip", gzip(TEXT)),
        ("x-gzip", gzip(TEXT)),
        ("GZIP", gzip(TEXT)),
        ("deflate", zlib(TEXT)),
        ("deflate", bare(TEXT)),
        ("identity", TEXT.to_vec()),
        ("", TEXT.to_vec()),
        ("deflate, gzip", gzip(&zlib(TEXT))),
        ("identity, gzip", gzip(TEXT)),
        ("br", BROTLI.to_vec()),
    ] {
        assert_eq!(read(decoding(), encoding, body).unwrap().body(), TEXT, "{encoding}");
    }
    assert_eq!(read(decoding(), "gzip", Vec::new()).unwrap().body(), b"");
}

#[test]
fn what_was_not_asked_for_stays_as_it_is() {
    assert_eq!(read(SessionSettings::new(), "gzip", gzip(TEXT)).unwrap().body(), gzip(TEXT));
}

#[test]
fn what_cannot_be_decoded_is_an_error_that_says_why() {
    let cut = gzip(TEXT)[..20].to_vec();
    for (encoding, body, says) in [
        ("gzip", cut, "no whole gzip"),
        ("gzip", TEXT.to_vec(), "no whole gzip"),
        ("deflate", TEXT.to_vec(), "no whole deflate"),
        ("br", BROTLI[..9].to_vec(), "no whole br"),
        ("zstd", TEXT.to_vec(), "\"zstd\" was not asked for"),
        ("gzip, gzip, gzip", gzip(&gzip(&gzip(TEXT))), "more than 2 times"),
    ] {
        let error = read(decoding(), encoding, body).unwrap_err();
        assert_eq!(error.kind, UnreachableKind::NotHttp);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_bomb_goes_off_at_the_limit() {
    let bomb = gzip(&vec![0; 50 << 20]);
    assert!(bomb.len() < 100 << 10);
    let twice = gzip(&bomb);
    for (encoding, body) in [("gzip", bomb), ("gzip, gzip", twice)] {
        let error = read(decoding(), encoding, body).unwrap_err();
        assert_eq!(error.kind, UnreachableKind::TooLarge, "{error}");
    }
    let mut settings = decoding();
    settings.max_body = Some(TEXT.len());
    assert_eq!(read(settings.clone(), "gzip", gzip(TEXT)).unwrap().body(), TEXT);
    settings.max_body = Some(TEXT.len() - 1);
    assert_eq!(read(settings, "gzip", gzip(TEXT)).unwrap_err().kind, UnreachableKind::TooLarge);
}

#[test]
fn requests_are_compressed_where_that_is_set() {
    let mut settings = SessionSettings::new();
    settings.compress_requests = true;
    let session = session(settings, [ok("{}"), ok("{}")]);
    send(&session, post("https://as.example/token")).unwrap();
    send(&session, get("https://as.example/")).unwrap();
    let sent = session.transport().sent();
    assert_eq!(sent[0].header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&sent[0].body[..]), &mut plain).unwrap();
    assert!(plain.starts_with(b"grant_type=authorization_code&code=planted-code"));
    assert_eq!((sent[1].header("content-encoding"), &sent[1].body[..]), (None, &b""[..]));
}
