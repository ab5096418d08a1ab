//! Client certificates whose key is not at hand, but signs.

use super::Engine;
use super::server::Server;
use super::subject::{assert_fails, carries, post, promptly, send_with};
use super::tls::{Authority, Credentials, Leaf, ServerTls, key, rsa_key};
use crate::{Identity, IdentityError, IdentitySigner, Setting, Settings, SettingsError, SignatureScheme};
use oauth_core::{Delivered, KeyId, Response, Unreachable, UnreachableKind};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::SupportedProtocolVersion;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use rustls::version::{TLS12, TLS13};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A token in software: it signs, and writes down by which schemes.
struct Token {
    key: Arc<dyn SigningKey>,
    schemes: Vec<SignatureScheme>,
    asked: Mutex<Vec<SignatureScheme>>,
}

impl Token {
    fn new(key: &KeyPair, schemes: &[SignatureScheme]) -> Arc<Self> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = ring::default_provider().key_provider.load_private_key(key).expect("ring knows the key");
        Arc::new(Self { key, schemes: schemes.to_vec(), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<SignatureScheme> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl IdentitySigner for Token {
    fn schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(scheme);
        let signer =
            self.key.choose_scheme(&[scheme.code().into()]).ok_or_else(|| IdentityError::new("no"))?;
        signer.sign(message).map_err(|error| IdentityError::new(error.to_string()))
    }
}

/// One that was pulled out.
struct Gone(SignatureScheme);

impl IdentitySigner for Gone {
    fn schemes(&self) -> Vec<SignatureScheme> {
        vec![self.0]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, IdentityError> {
        Err(IdentityError::new("the token is gone;\nplug it in"))
    }
}

/// Keys of each kind sign the handshakes of either version, once each.
pub fn client_key_in_a_token_is_asked_to_sign<E: Engine>() {
    use SignatureScheme as S;
    let case = Case::new();
    for (key, scheme) in [
        (of(&PKCS_ECDSA_P256_SHA256), S::EcdsaSecp256r1Sha256),
        (of(&PKCS_ECDSA_P384_SHA384), S::EcdsaSecp384r1Sha384),
        (of(&PKCS_ED25519), S::Ed25519),
        (rsa_key(), S::RsaPssRsaeSha256),
    ] {
        let client = case.issue(&key);
        for version in [&TLS12, &TLS13] {
            let token = Token::new(&key, &[scheme]);
            let settings = case.settings(identity(&client, token.clone()));
            if !carries::<E>(Setting::ClientKeyInToken, &settings) {
                return;
            }
            let server = case.server(version);
            let response = send_with::<E>(settings, post(&server.https("/token")));
            response.unwrap_or_else(|error| panic!("{scheme}: {error}"));
            assert_eq!(server.handshake().client, Some(client.der()), "{scheme}");
            assert_eq!(token.asked(), [scheme]);
        }
    }
}

/// By the best of its schemes that the version of TLS knows (RFC 8446 section 4.2.3), also where a request names it.
pub fn client_key_in_a_token_signs_as_the_server_takes_it<E: Engine>() {
    use SignatureScheme as S;
    let (case, key) = (Case::new(), rsa_key());
    let client = case.issue(&key);
    for (schemes, version, asked) in [
        (&[S::RsaPkcs1Sha512, S::RsaPssRsaeSha384][..], &TLS12, Some(S::RsaPkcs1Sha512)),
        (&[S::RsaPkcs1Sha512, S::RsaPssRsaeSha384], &TLS13, Some(S::RsaPssRsaeSha384)),
        // The first is of a key of another kind.
        (&[S::Ed25519, S::RsaPkcs1Sha256], &TLS12, Some(S::RsaPkcs1Sha256)),
        (&[S::RsaPkcs1Sha256], &TLS13, None),
    ] {
        let token = Token::new(&key, schemes);
        let name = KeyId::new("mine");
        let settings =
            case.trusting().with_named_client_certificate(name.clone(), identity(&client, token.clone()));
        if !carries::<E>(Setting::ClientKeyInToken, &settings) {
            return;
        }
        let server = case.server(version);
        let request = post(&server.https("/token")).with_client_certificate(name);
        let result = promptly(|| send_with::<E>(settings, request));
        assert_eq!(token.asked(), asked.as_slice());
        match asked {
            Some(scheme) => {
                result.unwrap_or_else(|error| panic!("{scheme}: {error}"));
                assert_eq!(server.handshake().client, Some(client.der()));
            }
            // None is shown then, which this server does not take.
            None => assert_names_the_certificate(result, "demands a client certificate"),
        }
    }
}

/// Nobody but the server can tell, and says so.
pub fn client_key_in_a_token_of_another_certificate_is_told<E: Engine>() {
    let case = Case::new();
    let client = case.issue(&key());
    for version in [&TLS12, &TLS13] {
        let token = Token::new(&key(), &[SignatureScheme::EcdsaSecp256r1Sha256]);
        let settings = case.settings(identity(&client, token.clone()));
        if !carries::<E>(Setting::ClientKeyInToken, &settings) {
            return;
        }
        let server = case.server(version);
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        assert_names_the_certificate(
            result,
            "if it shows a client certificate, give the key that belongs to it",
        );
        assert_eq!(server.received().len(), 0, "the request was served");
        assert_eq!(token.asked().len(), 1);
    }
}

/// Before anything of the request is sent.
pub fn client_key_in_a_token_that_gives_no_signature_is_told<E: Engine>() {
    let case = Case::new();
    let client = case.issue(&key());
    for version in [&TLS12, &TLS13] {
        let gone = Gone(SignatureScheme::EcdsaSecp256r1Sha256);
        let settings = case.settings(identity(&client, Arc::new(gone)));
        if !carries::<E>(Setting::ClientKeyInToken, &settings) {
            return;
        }
        let server = case.server(version);
        let result = promptly(|| send_with::<E>(settings, post(&server.https("/token"))));
        let error = assert_fails(result, &[UnreachableKind::Tls], Delivered::No);
        let says = "the key of the client certificate gave no signature: the token is gone;\\u{a}plug it in";
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(server.received().len(), 0, "the request was sent");
    }
}

/// It signs as a key of another kind does, or not at all, or there is no telling: refused when the transport is made.
pub fn client_key_in_a_token_that_cannot_fit_is_refused<E: Engine>() {
    use SignatureScheme as S;
    let case = Case::new();
    let (ours, leaf) = (key(), vec![b"not a certificate".to_vec()]);
    let client = case.issue(&ours);
    for (chain, schemes) in [
        (vec![client.der()], &[S::RsaPssRsaeSha256, S::EcdsaSecp384r1Sha384, S::Ed25519][..]),
        (vec![client.der()], &[]),
        (leaf, &[S::EcdsaSecp256r1Sha256]),
    ] {
        let token = Token::new(&ours, schemes);
        let identity = Identity::with_signer(chain, token.clone()).expect("there is a chain");
        let settings = case.settings(identity);
        if !carries::<E>(Setting::ClientKeyInToken, &settings) {
            return;
        }
        let error = E::transport(settings).err();
        assert!(matches!(error, Some(SettingsError::Identity { .. })), "{error:?}");
        assert_eq!(token.asked(), []);
    }
}

/// Servers and clients of two authorities.
struct Case {
    servers: Authority,
    clients: Authority,
}

impl Case {
    fn new() -> Self {
        Self { servers: Authority::new(), clients: Authority::new() }
    }

    fn issue(&self, key: &KeyPair) -> Credentials {
        let leaf = Leaf { purpose: Some(ExtendedKeyUsagePurpose::ClientAuth), ..Leaf::of("client.example") };
        self.clients.issue_for(&leaf, key)
    }

    fn trusting(&self) -> Settings {
        Settings::new().with_extra_root_der(self.servers.der())
    }

    fn settings(&self, identity: Identity) -> Settings {
        self.trusting().with_client_certificate(identity)
    }

    /// Serves nobody without a certificate.
    fn server(&self, version: &'static SupportedProtocolVersion) -> Server {
        let mut tls = ServerTls::new(&self.servers.issue(&Leaf::here()));
        tls.versions = vec![version];
        tls.clients = Some(self.clients.der());
        Server::tls(tls.config(), |connection| {
            while connection.request()?.is_some() {
                connection.write_all(OK)?;
            }
            Ok(())
        })
    }
}

fn of(algorithm: &'static rcgen::SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).expect("the system has randomness")
}

fn identity(client: &Credentials, signer: Arc<dyn IdentitySigner>) -> Identity {
    let chain = client.chain.iter().map(|der| der.to_vec()).collect();
    Identity::with_signer(chain, signer).expect("there is a chain")
}

/// In TLS 1.3 the server says so when the request is under way already.
#[track_caller]
fn assert_names_the_certificate(result: Result<Response, Unreachable>, says: &str) {
    let delivered = result.as_ref().err().map_or(Delivered::No, |error| error.delivered);
    let error = assert_fails(result, &[UnreachableKind::Tls, UnreachableKind::Broken], delivered);
    assert!(error.to_string().contains(says), "{error}");
}
