//! ECDSA signatures in DER, as a KMS answers: the good ones in every length, the bad ones in every way.
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_core::Algorithm;
use oauth_jwt::{DerSignatureError, ecdsa_signature_from_der};
use support::{integer, sequence, tlv};

const ES256: Algorithm = Algorithm::ES256;

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    sequence(&[integer(r), integer(s)])
}

fn padded(number: &[u8], size: usize) -> Vec<u8> {
    [vec![0; size - number.len()], number.to_vec()].concat()
}

#[test]
fn numbers_of_every_length_stand_side_by_side() {
    for (algorithm, size) in
        [(ES256, 32), (Algorithm::ES256K, 32), (Algorithm::ES384, 48), (Algorithm::ES512, 66)]
    {
        for first in [0x01, 0x7f, 0x80, 0xff] {
            for (long, short) in
                (1..=size).flat_map(|long| [(long, 1), (1, long), (long, long), (long, size)])
            {
                let number = |length: usize, rest: u8| {
                    let mut number = vec![rest; length];
                    number[0] = first;
                    number
                };
                let (r, s) = (number(long, 0xa5), number(short, 0));
                let signature = ecdsa_signature_from_der(&algorithm, &der(&r, &s)).unwrap();
                assert_eq!(signature, [padded(&r, size), padded(&s, size)].concat());
            }
        }
    }
}

#[test]
fn a_signature_of_another_curve_does_not_fit() {
    let r = [0x80; 33];
    for (r, s) in [(&r[..], &[1][..]), (&[1], &r)] {
        let error = ecdsa_signature_from_der(&ES256, &der(r, s)).unwrap_err();
        assert!(error.to_string().contains("longer than its curve allows"), "{error}");
        assert!(ecdsa_signature_from_der(&Algorithm::ES384, &der(r, s)).is_ok());
    }
    assert!(ecdsa_signature_from_der(&Algorithm::ES512, &der(&[1; 67], &[1])).is_err());
}

#[test]
fn algorithms_that_are_not_ecdsa_are_told() {
    for name in ["RS256", "PS256", "HS256", "EdDSA", "Ed25519", "none", "es256", ""] {
        let algorithm = Algorithm::from_text(name);
        let error = ecdsa_signature_from_der(&algorithm, &der(&[1], &[1])).unwrap_err();
        assert_eq!(error, DerSignatureError::NotEcdsa { algorithm });
    }
}

/// In the ways of Wycheproof's files for ECDSA in DER.
#[test]
fn j9_what_is_not_der_in_its_one_spelling_is_refused() {
    let (r, s) = ([&[0x80][..], &[0x11; 31]].concat(), vec![0x22; 32]);
    let (good_r, good_s) = (integer(&r), integer(&s));
    let good = sequence(&[good_r.clone(), good_s.clone()]);
    assert!(ecdsa_signature_from_der(&ES256, &good).is_ok());
    let body = &good[2..];
    let length = u8::try_from(body.len()).unwrap();
    let with = |head: &[u8], body: &[u8]| [head, body].concat();
    let bad: &[(&str, Vec<u8>)] = &[
        ("nothing", vec![]),
        ("a tag alone", vec![0x30]),
        ("an empty sequence", vec![0x30, 0]),
        ("the raw form", [r.clone(), s.clone()].concat()),
        ("a SET", with(&[0x31, length], body)),
        ("a context tag", with(&[0xa0, length], body)),
        ("a long form of a short length", with(&[0x30, 0x81, length], body)),
        ("a length with leading zeros", with(&[0x30, 0x82, 0, length], body)),
        ("an indefinite length", [&[0x30, 0x80][..], body, &[0, 0]].concat()),
        ("a length of five bytes", with(&[0x30, 0x85, 0, 0, 0, 0, length], body)),
        ("a length beyond everything", with(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], body)),
        ("a length that is one too long", with(&[0x30, length + 1], body)),
        ("a length that is one too short", with(&[0x30, length - 1], body)),
        ("something behind", with(&good, &[0])),
        ("NULL behind", with(&good, &[5, 0])),
        ("something behind the numbers", sequence(&[good_r.clone(), good_s.clone(), vec![5, 0]])),
        ("three numbers", sequence(&[good_r.clone(), good_s.clone(), good_s.clone()])),
        ("one number", sequence(std::slice::from_ref(&good_r))),
        ("a NULL for a number", sequence(&[vec![5, 0], good_s.clone()])),
        ("an OCTET STRING for a number", sequence(&[tlv(4, &s), good_s.clone()])),
        ("a nested sequence", sequence(&[sequence(std::slice::from_ref(&good_r)), good_s.clone()])),
        ("a number without bytes", sequence(&[tlv(2, &[]), good_s.clone()])),
        ("a negative r", sequence(&[tlv(2, &r), good_s.clone()])),
        ("a negative s", sequence(&[good_r.clone(), tlv(2, &[0xff])])),
        ("a zero before a small r", sequence(&[tlv(2, &[0, 1]), good_s.clone()])),
        ("two zeros before r", sequence(&[tlv(2, &[&[0, 0], &r[..]].concat()), good_s.clone()])),
        ("a zero behind r", sequence(&[tlv(2, &[&[0], &r[..], &[0]].concat()), good_s])),
        ("r is zero", der(&[], &s)),
        ("s is zero", der(&r, &[])),
        ("both are zero", der(&[], &[])),
    ];
    for (what, der) in bad {
        let refused = ecdsa_signature_from_der(&ES256, der);
        assert!(matches!(refused, Err(DerSignatureError::Malformed { .. })), "{what}: {refused:?}");
    }
    for end in 0..good.len() {
        assert!(ecdsa_signature_from_der(&ES256, &good[..end]).is_err(), "cut at {end}");
    }
}

/// What is taken has one spelling alone: written anew, it is the same.
#[test]
fn no_two_spellings_give_the_same_signature() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut taken = 0;
    for _ in 0..200_000 {
        let mut der = der(&next().to_be_bytes(), &next().to_be_bytes()[..(next() % 8 + 1) as usize]);
        for _ in 0..next() % 3 {
            let at = (next() as usize) % der.len();
            match next() % 3 {
                0 => der[at] = next().to_le_bytes()[0],
                1 => drop(der.remove(at)),
                _ => der.insert(at, 0),
            }
        }
        if let Ok(signature) = ecdsa_signature_from_der(&ES256, &der) {
            assert_eq!(signature.len(), 64);
            assert_eq!(self::der(&signature[..32], &signature[32..]), der);
            taken += 1;
        }
    }
    assert!(taken > 50_000, "{taken}");
}
