//! A service account: an assertion that a key of this process signs, in place of a person (RFC 7523).
//!
//! `cargo run --example service --features encrypted-keys -- ISSUER CLIENT_ID KEY [CA.pem]`, where KEY is a PEM file, the
//! JSON file of a service account, a PKCS#12 file (PFX) or a Java key store; the password of these is in `KEY_PASSWORD`. The
//! key may as well be in an HSM or a KMS: whatever answers `Host::key` signs.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::core::{JwtBearer, KeyId, Password, Policy, Registration, Scope};
use oauth::jwt::{Keyring, ServiceAccount, SigningKey};
use oauth::{Authorization, HyperHost, Settings, WithKeys, blocking};
use std::error::Error;
use std::fs;
use std::sync::Arc;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (issuer, client_id, key, ca) = match arguments.as_slice() {
        [issuer, client_id, key] => (issuer, client_id, key, None),
        [issuer, client_id, key, ca] => (issuer, client_id, key, Some(ca)),
        _ => return Err("usage: service ISSUER CLIENT_ID KEY [CA.pem]".into()),
    };
    let mut settings = Settings::new();
    if let Some(ca) = ca {
        settings = settings.with_extra_roots_pem(&fs::read(ca)?)?;
    }
    let password = Password::new(std::env::var("KEY_PASSWORD").unwrap_or_default());
    println!("{}", authorize(issuer, client_id, &fs::read(key)?, &password, settings)?.header_value());
    Ok(())
}

/// The part that a program would copy; the tests call it as well.
pub(crate) fn authorize(
    issuer: &str,
    client_id: &str,
    key: &[u8],
    password: &Password,
    settings: Settings,
) -> Result<Authorization, Box<dyn Error>> {
    let service = KeyId::new("service");
    let (key, grant) = if key.starts_with(b"{") {
        // The file says who signs, by which key, and for whom.
        let account = ServiceAccount::from_json(key)?;
        let grant = account.grant(service.clone());
        (account.into_key(), grant)
    } else {
        let key = match key {
            // How the two begin: a sequence of DER, and a number of their own.
            [0x30, ..] => SigningKey::from_pkcs12(key, password)?,
            [0xFE, 0xED, ..] => SigningKey::from_jks(key, password)?,
            _ => SigningKey::from_encrypted_pem(key, password)?,
        };
        let grant = JwtBearer::new(service.clone(), key.algorithm(), client_id, issuer);
        (key, grant)
    };
    let mut keyring = Keyring::new();
    let _none_before = keyring.insert(service, key);

    let host = Arc::new(WithKeys::new(Arc::new(HyperHost::new(settings)?), keyring));
    let authorizer = blocking::discover(issuer, Registration::public(client_id), Policy::strict(), host)?;
    Ok(authorizer.blocking().exchange(grant.with_scope(Scope::new("jobs")?))?)
}
