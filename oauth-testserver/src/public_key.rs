//! The public keys of others, and what they verify.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use ct_codecs::{Base64UrlSafeNoPadding, Decoder as _};
use p256::ecdsa::signature::Verifier as _;

use crate::json::Value;

/// One public key, which verifies with one algorithm (RFC 8725 section 3.1).
#[derive(Debug)]
pub(crate) struct PublicKey {
    kind: Kind,
    kid: Option<String>,
}

#[derive(Debug)]
enum Kind {
    Ed25519(ed25519_compact::PublicKey),
    P256(Box<p256::ecdsa::VerifyingKey>),
    Rsa { modulus: Box<BoxedMontyParams>, exponent: BoxedUint, size: usize },
}

impl PublicKey {
    /// Reads a public JWK (RFC 7518 section 6, RFC 8037 section 2).
    pub(crate) fn from_jwk(jwk: &str) -> Result<Self, &'static str> {
        let jwk = Value::read(jwk.as_bytes()).ok_or("the key of an issuer is no JSON")?;
        let member = |name| jwk.member(name).and_then(Value::text);
        if jwk.member("d").is_some() {
            return Err("the key of an issuer is a private one: give its public half");
        }
        let number = |name| member(name).and_then(decode).ok_or("the key of an issuer lacks a number");
        let kind = match (member("kty"), member("crv")) {
            (Some("RSA"), None) => rsa(&number("n")?, &number("e")?)?,
            (Some("EC"), Some("P-256")) => p256(&number("x")?, &number("y")?)?,
            (Some("OKP"), Some("Ed25519")) => Kind::Ed25519(
                ed25519_compact::PublicKey::from_slice(&number("x")?)
                    .map_err(|_| "the key of an issuer is not as long as an Ed25519 key is")?,
            ),
            _ => return Err("the key of an issuer is neither RSA, nor EC on P-256, nor Ed25519"),
        };
        let key = Self { kind, kid: member("kid").map(str::to_owned) };
        if member("alg").is_some_and(|algorithm| !key.is_for(algorithm)) {
            return Err("the key of an issuer is for another algorithm than RS256, ES256 and EdDSA");
        }
        Ok(key)
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn is_for(&self, algorithm: &str) -> bool {
        match &self.kind {
            // RFC 9864 section 2.2 gives it a second name
            Kind::Ed25519(_) => matches!(algorithm, "EdDSA" | "Ed25519"),
            Kind::P256(_) => algorithm == "ES256",
            Kind::Rsa { .. } => algorithm == "RS256",
        }
    }

    /// Whether this is the key's signature of the input, as JWS spells it (RFC 7518 section 3).
    pub(crate) fn verifies(&self, input: &str, signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(input, &signature).is_ok()),
            Kind::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(input.as_bytes(), &signature).is_ok()),
            Kind::Rsa { modulus, exponent, size } => recovered(modulus, exponent, *size, signature)
                .is_some_and(|found| found == padded(input, *size)),
        }
    }
}

pub(crate) fn decode(base64url: &str) -> Option<Vec<u8>> {
    Base64UrlSafeNoPadding::decode_to_vec(base64url, None).ok()
}

/// RFC 7518 section 6.2.1: both numbers as long as the field.
fn p256(x: &[u8], y: &[u8]) -> Result<Kind, &'static str> {
    const WRONG: &str = "the key of an issuer is no point of P-256";
    if x.len() != 32 || y.len() != 32 {
        return Err(WRONG);
    }
    // SEC 1 section 2.3.3: 4 begins an uncompressed point
    let point = [&[4], x, y].concat();
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(|key| Kind::P256(Box::new(key))).map_err(|_| WRONG)
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Kind, &'static str> {
    // RFC 7518 section 3.3: a key of 2048 bits or larger MUST be used; section 6.3.1.1: no zeros before the number
    let bits = n.first().map_or(0, |first| 8 * n.len() - first.leading_zeros() as usize);
    if !(2048..=4096).contains(&bits) || n[0] == 0 {
        return Err("the key of an issuer is not RSA of 2048 to 4096 bits");
    }
    // FIPS 186-5 appendix A.1.1: odd, and greater than 2^16
    if !(3..=8).contains(&e.len()) || e[0] == 0 || e[e.len() - 1].is_multiple_of(2) {
        return Err("the key of an issuer has an unusual exponent");
    }
    let modulus = Odd::new(BoxedUint::from_be_slice_vartime(n)).into_option();
    let modulus = BoxedMontyParams::new_vartime(modulus.ok_or("the key of an issuer has an even modulus")?);
    let exponent = BoxedUint::from_be_slice_vartime(e);
    Ok(Kind::Rsa { modulus: Box::new(modulus), exponent, size: n.len() })
}

/// RFC 8017 section 8.2.2, steps 1 and 2: what the signature is the power of.
fn recovered(
    modulus: &BoxedMontyParams,
    exponent: &BoxedUint,
    size: usize,
    signature: &[u8],
) -> Option<Vec<u8>> {
    let n = modulus.modulus().as_ref();
    let signature = BoxedUint::from_be_slice(signature, n.bits_precision())
        .ok()
        .filter(|number| signature.len() == size && number < n)?;
    let found = BoxedMontyForm::new(signature, modulus).pow(exponent).retrieve().to_be_bytes();
    Some(found[found.len() - size..].to_vec())
}

/// RFC 8017 section 9.2: what it has to be, compared as a whole, so that there is no parser to be fooled.
fn padded(input: &str, size: usize) -> Vec<u8> {
    /// Note 1 there: the DER of an algorithm without parameters but NULL, and of a hash of 32 bytes.
    const SHA256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let hash = hmac_sha256::Hash::hash(input.as_bytes());
    let fill = vec![0xff; size - 3 - SHA256.len() - hash.len()];
    [&[0, 1], &fill[..], &[0], &SHA256, &hash].concat()
}

#[cfg(test)]
mod tests {
    use super::{PublicKey, decode};

    /// RFC 7515 appendix A.2.
    const N: &str = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql",
        "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs",
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud",
        "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    const INPUT: &str = concat!(
        "eyJhbGciOiJSUzI1NiJ9.",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    );
    const SIGNATURE: &str = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG",
        "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K",
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6",
        "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );

    fn rsa(n: &str, e: &str) -> Result<PublicKey, &'static str> {
        PublicKey::from_jwk(&format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#))
    }

    #[test]
    fn the_signature_of_rfc_7515_appendix_a_2_verifies_and_no_other() {
        let key = rsa(N, "AQAB").unwrap();
        let signature = decode(SIGNATURE).unwrap();
        assert!(key.verifies(INPUT, &signature));
        assert!(!key.verifies(&INPUT[1..], &signature));
        for at in [0, 100, 255] {
            let mut other = signature.clone();
            other[at] ^= 1;
            assert!(!key.verifies(INPUT, &other));
        }
        let n = decode(N).unwrap();
        for other in [&[][..], &signature[1..], &[&[0], &signature[..]].concat(), &n, &[0; 256], &[0xff; 256]]
        {
            assert!(!key.verifies(INPUT, other));
        }
        assert!(key.is_for("RS256") && !key.is_for("RS384") && !key.is_for("PS256"));
    }

    #[test]
    fn the_signature_of_rfc_7515_appendix_a_3_verifies_and_no_other() {
        let key = PublicKey::from_jwk(
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        )
        .unwrap();
        let input = INPUT.replace("eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9");
        let mut signature =
            decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
                .unwrap();
        assert!(key.verifies(&input, &signature));
        assert!(!key.verifies(INPUT, &signature));
        // CVE-2022-21449: two zeros sign nothing
        assert!(!key.verifies(&input, &[0; 64]));
        signature[63] ^= 1;
        assert!(!key.verifies(&input, &signature));
    }

    #[test]
    fn weak_and_odd_rsa_keys_are_refused() {
        let short = &N[..N.len() - 8];
        let even = format!("{}A", &N[..N.len() - 1]);
        let zero = format!("AAAA{N}");
        for (n, e) in
            [(short, "AQAB"), (&even, "AQAB"), (&zero, "AQAB"), (N, "Aw"), (N, "AQAA"), (N, "AAEAAQ")]
        {
            assert!(rsa(n, e).is_err(), "{n} {e}");
        }
    }
}
