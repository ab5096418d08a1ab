//! The others, each by the calls that its documentation begins with.

use super::{
    AUDIENCE, CLAIMS, EXPIRES, ISSUED, ISSUER, JTI, KID, Kind, Library, NONCE, SECRET, SUBJECT, Signs,
    Verifies, pem,
};
use serde::{Deserialize, Serialize};

/// With aws-lc-rs. It keeps the bytes of a key, and reads them anew for each message.
pub(crate) struct JsonWebToken;

#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    iat: u64,
    exp: u64,
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    nonce: String,
}

impl Library for JsonWebToken {
    const WHO: &'static str = "jsonwebtoken 11";
    type Claims = Claims;

    fn signer(kind: Kind) -> Signs {
        use jsonwebtoken::{EncodingKey, Header, encode};
        let key = match kind {
            Kind::Rs256 => EncodingKey::from_rsa_pem(pem(kind).as_bytes()),
            Kind::Es256 => EncodingKey::from_ec_pem(pem(kind).as_bytes()),
            Kind::EdDsa => EncodingKey::from_ed_pem(pem(kind).as_bytes()),
            Kind::Hs256 => Ok(EncodingKey::from_secret(SECRET.as_bytes())),
        };
        let (key, mut header) = (key.expect("a key"), Header::new(theirs(kind)));
        header.kid = Some(KID.into());
        let claims: Claims = serde_json::from_str(CLAIMS).expect("these are claims");
        Box::new(move || encode(&header, &claims, &key).expect("it signs"))
    }

    fn verifier(kind: Kind) -> Verifies<Claims> {
        use jsonwebtoken::{DecodingKey, Validation, decode};
        let jwk = || serde_json::from_str(&super::jwk(kind)).expect("a JWK");
        let key = match kind {
            Kind::Hs256 => DecodingKey::from_secret(SECRET.as_bytes()),
            _ => DecodingKey::from_jwk(&jwk()).expect("a public key"),
        };
        // The claims are not what is measured.
        let mut validation = Validation::new(theirs(kind));
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.required_spec_claims.clear();
        Box::new(move |token| decode::<Claims>(token, &key, &validation).expect("it is right").claims)
    }

    fn text(claims: &Claims) -> String {
        serde_json::to_string(claims).expect("JSON")
    }
}

fn theirs(kind: Kind) -> jsonwebtoken::Algorithm {
    match kind {
        Kind::Rs256 => jsonwebtoken::Algorithm::RS256,
        Kind::Es256 => jsonwebtoken::Algorithm::ES256,
        Kind::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Kind::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

/// With OpenSSL, the one of this machine.
pub(crate) struct JoseKit;

impl Library for JoseKit {
    const WHO: &'static str = "josekit 0.10";
    type Claims = Vec<u8>;

    fn signer(kind: Kind) -> Signs {
        use josekit::jws::{ES256, EdDSA, HS256, JwsHeader, JwsSigner, RS256, serialize_compact};
        let signer: Box<dyn JwsSigner> = match kind {
            Kind::Rs256 => Box::new(RS256.signer_from_pem(pem(kind)).expect("a key")),
            Kind::Es256 => Box::new(ES256.signer_from_pem(pem(kind)).expect("a key")),
            Kind::EdDsa => Box::new(EdDSA.signer_from_pem(pem(kind)).expect("a key")),
            Kind::Hs256 => Box::new(HS256.signer_from_bytes(SECRET).expect("a key")),
        };
        let mut header = JwsHeader::new();
        header.set_token_type("JWT");
        header.set_key_id(KID);
        Box::new(move || serialize_compact(CLAIMS.as_bytes(), &header, &*signer).expect("it signs"))
    }

    fn verifier(kind: Kind) -> Verifies<Vec<u8>> {
        use josekit::jwk::Jwk;
        use josekit::jws::{ES256, EdDSA, HS256, JwsVerifier, RS256, deserialize_compact};
        let jwk = || Jwk::from_bytes(super::jwk(kind)).expect("a JWK");
        let verifier: Box<dyn JwsVerifier> = match kind {
            Kind::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk()).expect("a public key")),
            Kind::Es256 => Box::new(ES256.verifier_from_jwk(&jwk()).expect("a public key")),
            Kind::EdDsa => Box::new(EdDSA.verifier_from_jwk(&jwk()).expect("a public key")),
            Kind::Hs256 => Box::new(HS256.verifier_from_bytes(SECRET).expect("a key")),
        };
        Box::new(move |token| deserialize_compact(token, &*verifier).expect("it is right").0)
    }

    fn text(claims: &Vec<u8>) -> String {
        String::from_utf8_lossy(claims).into()
    }
}

/// In Rust alone (its feature `pure-rust`); with BoringSSL in its place it would be built by CMake.
pub(crate) struct JwtSimple;

impl Library for JwtSimple {
    const WHO: &'static str = "jwt-simple 0.12";
    type Claims = jwt_simple::claims::JWTClaims<jwt_simple::claims::NoCustomClaims>;

    fn signer(kind: Kind) -> Signs {
        use jwt_simple::prelude::{
            ECDSAP256KeyPairLike as _, ES256KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _, HS256Key,
            MACLike as _, RS256KeyPair, RSAKeyPairLike as _,
        };
        match kind {
            Kind::Rs256 => {
                let key = RS256KeyPair::from_pem(pem(kind)).expect("a key").with_key_id(KID);
                Box::new(move || key.sign(made()).expect("it signs"))
            }
            Kind::Es256 => {
                let key = ES256KeyPair::from_pem(pem(kind)).expect("a key").with_key_id(KID);
                Box::new(move || key.sign(made()).expect("it signs"))
            }
            Kind::EdDsa => {
                let key = Ed25519KeyPair::from_pem(pem(kind)).expect("a key").with_key_id(KID);
                Box::new(move || key.sign(made()).expect("it signs"))
            }
            Kind::Hs256 => {
                let key = HS256Key::from_bytes(SECRET.as_bytes()).with_key_id(KID);
                Box::new(move || key.authenticate(made()).expect("it signs"))
            }
        }
    }

    fn verifier(kind: Kind) -> Verifies<Self::Claims> {
        use jwt_simple::prelude::{
            ECDSAP256PublicKeyLike as _, ES256KeyPair, Ed25519KeyPair, EdDSAPublicKeyLike as _, HS256Key,
            MACLike as _, RS256KeyPair, RSAPublicKeyLike as _,
        };
        match kind {
            Kind::Rs256 => {
                let key = RS256KeyPair::from_pem(pem(kind)).expect("a key").public_key();
                Box::new(move |token| key.verify_token(token, None).expect("it is right"))
            }
            Kind::Es256 => {
                let key = ES256KeyPair::from_pem(pem(kind)).expect("a key").public_key();
                Box::new(move |token| key.verify_token(token, None).expect("it is right"))
            }
            Kind::EdDsa => {
                let key = Ed25519KeyPair::from_pem(pem(kind)).expect("a key").public_key();
                Box::new(move |token| key.verify_token(token, None).expect("it is right"))
            }
            Kind::Hs256 => {
                let key = HS256Key::from_bytes(SECRET.as_bytes());
                Box::new(move |token| key.verify_token(token, None).expect("it is right"))
            }
        }
    }

    fn text(claims: &Self::Claims) -> String {
        serde_json::to_string(claims).expect("JSON")
    }
}

/// It takes the claims by value.
fn made() -> <JwtSimple as Library>::Claims {
    use jwt_simple::claims::{Audiences, JWTClaims};
    JWTClaims {
        issued_at: Some(jwt_simple::prelude::Duration::from_secs(ISSUED)),
        expires_at: Some(jwt_simple::prelude::Duration::from_secs(EXPIRES)),
        invalid_before: None,
        issuer: Some(ISSUER.into()),
        subject: Some(SUBJECT.into()),
        audiences: Some(Audiences::AsString(AUDIENCE.into())),
        jwt_id: Some(JTI.into()),
        nonce: Some(NONCE.into()),
        custom: jwt_simple::claims::NoCustomClaims {},
    }
}
