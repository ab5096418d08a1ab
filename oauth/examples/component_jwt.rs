//! The component in a service: a key in a certificate store signs for it, and nobody is asked (RFC 7523).
//!
//! `cargo run --example component_jwt --features component` gets a token from a test server that it starts itself.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::OAuth;
use oauth::component::ClientProfile;
use oauth::core::Password;
use oauth::jwt::{CertificateStore, StoreKind};
use std::error::Error;

const ISSUER: &str = "jobs@project.example";
const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-jwt/tests/keys/rsa-2048.pfx");
const PASSWORD: &str = "throw-away";

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    // Whoever runs a server is given the public half of the key, and who signs by it.
    let store = CertificateStore::open(StoreKind::PfxFile, STORE, Some(&Password::new(PASSWORD)))?;
    let key = store.take("*")?.into_signing_key()?;
    let public = key.public_key().ok_or("a secret has no public half")?.to_jwk();
    let server =
        oauth_testserver::TestServer::builder().scope("analytics").jwt_issuer(ISSUER, public).start()?;
    println!("{}", authorize(server.issuer())?);
    Ok(())
}

/// The part that a program would copy.
fn authorize(issuer: &str) -> Result<String, Box<dyn Error>> {
    let oauth = OAuth::new();
    oauth.set_authorization_scope("analytics");
    oauth.set_server_token_url(format!("{issuer}/token"));
    oauth.set_client_profile(ClientProfile::Jwt);
    oauth.config(&format!("JWTIssuer={ISSUER}"))?;
    oauth.config(&format!("JWTAudience={issuer}/token"))?;
    // Google takes a subject for a person to speak for; this server wants one, as RFC 7523 does.
    oauth.config(&format!("JWTSubject={ISSUER}"))?;
    oauth.config("JWTCertStoreType=2")?;
    oauth.config(&format!("JWTCertStore={STORE}"))?;
    oauth.config(&format!("JWTCertStorePassword={PASSWORD}"))?;
    oauth.config("JWTCertSubject=*")?;
    // In seconds; more than an hour is an hour, since servers take no more.
    oauth.config("JWTValidityTime=5400")?;
    // A server on this machine, without TLS: a real program leaves this line out.
    oauth.set_dangerously_plain_http_on_loopback(true);
    let authorization = oauth.get_authorization()?;
    Ok(authorization.header_value().to_owned())
}
