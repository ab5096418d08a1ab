//! A service account: an assertion that a key signs, in place of a person (RFC 7523).
//!
//! `cargo run --example service --features stores -- FILE` gets a token from a test server that it starts itself;
//! `-- FILE ISSUER CLIENT_ID [CA.pem]` gets it from that server. FILE is the JSON file of a service account, or a certificate
//! store of any kind: PKCS#12 (PFX), a Java key store, PEM, a key of SSH or PuTTY, XML, a JWK; with the feature `pkcs11`, the
//! URI of a key in a token as well. The password is in `KEY_PASSWORD`; `KEY_SUBJECT` says which key, where there are several.
//! A key in an HSM or a KMS signs as well: see the example `remote_signer`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use oauth::core::{JwtBearer, KeyId, OptOut, Password, Policy, Registration, Scope};
use oauth::jwt::{CertificateStore, Keyring, ServiceAccount, ServiceAccountError, SigningKey, StoreKind};
use oauth::{Authorization, HyperHost, Settings, WithKeys, blocking};
use std::error::Error;
use std::fs;
use std::sync::Arc;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [file, at @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let password = std::env::var("KEY_PASSWORD").ok().map(Password::new);
    let subject = std::env::var("KEY_SUBJECT");
    let service = Service::open(file, password.as_ref(), subject.as_deref().unwrap_or("*"))
        .map_err(|error| error.to_string())?;
    let authorization = match at {
        [] => authorize_at_a_test_server(service)?,
        [issuer, client_id, ca @ ..] if ca.len() <= 1 => {
            let settings =
                ca.iter().try_fold(Settings::new(), |settings, ca| -> Result<_, Box<dyn Error>> {
                    Ok(settings.with_extra_roots_pem(&fs::read(ca)?)?)
                })?;
            service.authorize(issuer, client_id, Policy::strict(), settings)?
        }
        _ => return Err(USAGE.into()),
    };
    println!("{}", authorization.header_value());
    Ok(())
}

const USAGE: &str = "usage: service FILE [ISSUER CLIENT_ID [CA.pem]]";

/// The key, and what its file says of who signs and for whom: the file of a service account does.
pub(crate) struct Service {
    key: SigningKey,
    issuer: Option<String>,
    kid: Option<String>,
    audience: Option<String>,
}

impl Service {
    pub(crate) fn open(
        file: &str,
        password: Option<&Password>,
        subject: &str,
    ) -> Result<Self, Box<dyn Error>> {
        // What cannot be read is no such file; the store says why.
        match ServiceAccount::from_json(fs::read(file).unwrap_or_default()) {
            Ok(account) => Ok(Self {
                issuer: Some(account.client_email().to_owned()),
                kid: account.private_key_id().map(str::to_owned),
                audience: Some(account.token_uri().to_owned()),
                key: account.into_key(),
            }),
            // No JSON, or JSON of another sort, as a JWK is.
            Err(ServiceAccountError::Json(_) | ServiceAccountError::Member("type")) => {
                let kind = if file.starts_with("pkcs11:") { StoreKind::SecurityKey } else { StoreKind::Auto };
                let entry = CertificateStore::open(kind, file, password)?.take(subject)?;
                Ok(Self { key: entry.into_signing_key()?, issuer: None, kid: None, audience: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The part that a program would copy.
    pub(crate) fn authorize(
        self,
        issuer: &str,
        client_id: &str,
        policy: Policy,
        settings: Settings,
    ) -> Result<Authorization, Box<dyn Error>> {
        let name = KeyId::new("service");
        let signs = self.issuer.as_deref().unwrap_or(client_id);
        let audience = self.audience.as_deref().unwrap_or(issuer);
        let grant = JwtBearer::new(name.clone(), self.key.algorithm(), signs, audience);
        let grant = self.kid.into_iter().fold(grant, JwtBearer::with_kid).with_scope(Scope::new("jobs")?);

        let mut keyring = Keyring::new();
        let _none_before = keyring.insert(name, self.key);
        let host = Arc::new(WithKeys::new(Arc::new(HyperHost::new(settings)?), keyring));
        let authorizer = blocking::discover(issuer, Registration::public(client_id), policy, host)?;
        Ok(authorizer.blocking().exchange(grant)?)
    }
}

pub(crate) fn authorize_at_a_test_server(mut service: Service) -> Result<Authorization, Box<dyn Error>> {
    // Whoever runs a server is given the public half of the key, and who signs by it.
    let public = service.key.public_key().ok_or("a secret has no public half")?.to_jwk();
    let client_id = service.issuer.clone().unwrap_or_else(|| "service".to_owned());
    let builder = oauth_testserver::TestServer::builder().scope("jobs").jwt_issuer(&*client_id, public);
    let server = builder.start()?;
    // A file of Google's names Google's server, by https alone, and this is another one.
    service.audience = None;
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    service.authorize(server.issuer(), &client_id, policy, Settings::new())
}
