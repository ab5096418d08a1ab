//! A client certificate whose key stays in a token, shown to nginx.
#![allow(missing_docs, reason = "a test")]

use oauth::core::{Endpoint, Password, Policy, Purpose, Request, Response, Unreachable, UnreachableKind};
use oauth::jwt::{CertificateStore, StoreKind};
use oauth::transport::{
    Identity, IdentityError, IdentityKey, IdentitySigner, SignatureScheme, Tls, TlsVersions,
};
use oauth::{Host as _, HyperHost, Settings};
use oauth_interop::{Nginx, Site, Softhsm};
use std::env;
use std::process::Command;
use std::sync::Arc;

/// The module finds its token by the environment, which is the process's: so the test is one of its own.
#[test]
fn a_key_in_a_token_shows_its_certificate_to_nginx() {
    let nginx = Nginx::start().unwrap_or_else(|why| panic!("{why}"));
    let alice = nginx.authority().client();
    let token = Softhsm::new(alice.certificate_pem(), alice.key_pem()).unwrap_or_else(|why| panic!("{why}"));
    let output = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "within_a_process_that_knows_the_token"])
        .envs([token.environment()])
        .env("TOKEN", token.uri())
        .env("SERVER", nginx.url(Site::ClientRequired, "/"))
        .env("ROOT", nginx.authority().root_pem())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "the test above runs it"]
fn within_a_process_that_knows_the_token() {
    let pin = Password::new(Softhsm::PIN);
    let store =
        CertificateStore::open(StoreKind::SecurityKey, env::var("TOKEN").unwrap(), Some(&pin)).unwrap();
    let identity = oauth::host::identity(store.take("CN=alice").unwrap()).unwrap();
    for versions in [TlsVersions::V12, TlsVersions::V13] {
        let response = send(settings(versions).with_client_certificate(identity.clone())).unwrap();
        let seen = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!((seen("x-client"), seen("x-client-name")), ("SUCCESS", "CN=alice"));

        // OpenSSL says of a wrong signature what its alert says, and nothing of the request is served.
        let wrong = Identity::with_signer(
            identity.chain().map(<[u8]>::to_vec).collect(),
            Arc::new(OfSomethingElse(identity.clone())),
        );
        let error = send(settings(versions).with_client_certificate(wrong.unwrap())).unwrap_err();
        assert_eq!(error.kind, UnreachableKind::Tls, "{error}");
        let says = "if it shows a client certificate, give the key that belongs to it";
        assert!(error.to_string().contains(says), "{error}");
    }
    #[cfg(feature = "isahc")]
    {
        let settings = settings(TlsVersions::V12AndV13).with_client_certificate(identity);
        let error = oauth::IsahcHost::new(settings).unwrap_err().to_string();
        assert!(error.starts_with("the transport isahc cannot carry the client key in a token"), "{error}");
        assert!(error.contains("the transport hyper can"), "{error}");
    }
}

fn settings(versions: TlsVersions) -> Settings {
    let mut tls = Tls::default();
    tls.versions = versions;
    Settings::new().with_extra_roots_pem(env::var("ROOT").unwrap().as_bytes()).unwrap().with_tls(tls)
}

fn send(settings: Settings) -> Result<Response, Unreachable> {
    let host = HyperHost::new(settings).unwrap();
    let endpoint = Endpoint::new(&env::var("SERVER").unwrap(), &Policy::strict()).unwrap();
    let request = Request::get(Purpose::Discovery, Arc::new(endpoint));
    let (mut result, sent) = (None, host.send(request));
    host.block_on(Box::pin(async { result = Some(sent.await) }));
    result.unwrap()
}

/// Signs, and not what it is given.
struct OfSomethingElse(Identity);

impl OfSomethingElse {
    fn signer(&self) -> &dyn IdentitySigner {
        let IdentityKey::Signer(signer) = self.0.key() else { panic!("the key stays in its token") };
        &**signer
    }
}

impl IdentitySigner for OfSomethingElse {
    fn schemes(&self) -> Vec<SignatureScheme> {
        self.signer().schemes()
    }

    fn sign(&self, scheme: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, IdentityError> {
        self.signer().sign(scheme, b"something else")
    }
}
