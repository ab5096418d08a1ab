//! Public test vectors: Wycheproof and the RFCs. They are in the folder that `OAUTH_VECTORS` names, and run where it is
//! set: `cargo test -p oauth-jwt --test vectors -- --ignored --nocapture`.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the count of vectors is what check.sh reads")]

use oauth_core::Algorithm;
use oauth_jwt::{
    Accepted, JwkError, Jws, JwsError, KeyError, KeySet, PublicKey, ServiceAccount, ServiceAccountError,
    SharedKey, SigningKey, Verifier,
};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("OAUTH_VECTORS").expect("OAUTH_VECTORS names the folder of the vectors"))
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(path)).unwrap()).unwrap()
}

fn all() -> Vec<Algorithm> {
    [
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
        "ES512", "ES256K", "EdDSA", "Ed25519",
    ]
    .map(Algorithm::from_text)
    .to_vec()
}

#[derive(Debug)]
#[allow(dead_code, reason = "what it was is shown when a vector goes wrong")]
enum Refused {
    Keys(JwkError),
    Message(JwsError),
}

fn verify_by<K: Verifier>(keys: &KeySet<K>, message: &str) -> Result<Vec<u8>, Refused> {
    let jws = Jws::parse(message).map_err(Refused::Message)?;
    jws.verify(keys, &Accepted::new(&all())).map_err(Refused::Message)
}

/// The keys as a document, public ones where there are any: secrets and public keys are two kinds of set.
fn verify(keys: &Value, message: &str) -> Result<Vec<u8>, Refused> {
    let document = if keys["keys"].is_array() { keys.clone() } else { serde_json::json!({ "keys": [keys] }) };
    let text = document.to_string();
    if document["keys"][0]["kty"] == "oct" {
        verify_by(&KeySet::<SharedKey>::from_jwks(text).map_err(Refused::Keys)?, message)
    } else {
        verify_by(&KeySet::<PublicKey>::from_jwks(text).map_err(Refused::Keys)?, message)
    }
}

fn cases(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = file["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |case| (group, case)))
}

fn public(group: &Value) -> &Value {
    if group["public"].is_null() { &group["private"] } else { &group["public"] }
}

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn wycheproof_signatures() {
    // These two are character for character vector 357, which is valid: padding was lost on the way into the file.
    const SAME_AS_A_VALID_ONE: [u64; 2] = [367, 370];
    // RFC 4648 section 3.3: characters outside of the alphabet MUST be refused. The file would have them skipped.
    const NOT_IN_THE_ALPHABET: [u64; 2] = [372, 373];
    // Ring has no P-521: no key verifies, and the error names the algorithm.
    const P521: [u64; 2] = [347, 351];
    let mut on_p521 = 0;
    let file = read("wycheproof/testvectors_v1/json_web_signature_test.json");
    let mut run = 0;
    for (group, case) in cases(&file) {
        let id = case["tcId"].as_u64().unwrap();
        let message = case["jws"].as_str().unwrap();
        let key = public(group);
        let rfc7520 = group["comment"].as_str().unwrap().starts_with("rfc7520") && key["kty"] != "oct";
        let happened = if rfc7520 {
            // These keys name another algorithm than the messages: whoever sets it up says which one is meant.
            let header = Jws::parse(message).unwrap().header().clone();
            let key = PublicKey::from_jwk(key.to_string()).unwrap().with_algorithm(header.alg);
            verify_by(&KeySet::new([key]), message)
        } else {
            verify(key, message)
        };
        let valid = case["result"] == "valid";
        let expected = match () {
            () if SAME_AS_A_VALID_ONE.contains(&id) => true,
            () if NOT_IN_THE_ALPHABET.contains(&id) => {
                assert!(
                    matches!(happened, Err(Refused::Message(JwsError::Encoding(_)))),
                    "{id}: {happened:?}"
                );
                false
            }
            () if P521.contains(&id) && cfg!(feature = "aws-lc-rs") => {
                on_p521 += 1;
                true
            }
            () if P521.contains(&id) => {
                assert!(matches!(happened, Err(Refused::Message(JwsError::NoKey(_)))), "{id}: {happened:?}");
                false
            }
            () => valid,
        };
        assert_eq!(happened.is_ok(), expected, "{id} {}: {happened:?}", case["comment"]);
        run += 1;
    }
    assert_eq!((run, on_p521), (401, if cfg!(feature = "aws-lc-rs") { 2 } else { 0 }));
    println!("vectors: wycheproof signatures {run} run");
}

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn wycheproof_keys() {
    let file = read("wycheproof/testvectors_v1/json_web_key_test.json");
    let mut run = 0;
    for (group, case) in cases(&file) {
        let happened = verify(public(group), case["jws"].as_str().unwrap());
        assert_eq!(
            happened.is_ok(),
            case["result"] == "valid",
            "{} {}: {happened:?}",
            case["tcId"],
            case["comment"]
        );
        run += 1;
    }
    assert_eq!(run, 26);
    println!("vectors: wycheproof keys {run} run");
}

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn signatures_and_thumbprints_of_the_rfcs() {
    let text = std::fs::read_to_string(folder().join("rfc-vectors/vectors.jsonl")).unwrap();
    let mut run = 0;
    for vector in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = vector["name"].as_str().unwrap();
        let thumbprint = |jwk: &Value| PublicKey::from_jwk(jwk.to_string()).unwrap().thumbprint();
        match vector["kind"].as_str().unwrap() {
            "jws" => {
                let message = vector["jws"].as_str().unwrap();
                let alg = Jws::parse(message).unwrap().header().alg.clone();
                let mut jwk = vector["jwk"].clone();
                jwk["alg"] = alg.as_str().into();
                let payload = verify(&jwk, message).unwrap_or_else(|why| panic!("{name}: {why:?}"));
                if let Some(expected) = vector["payload"].as_str() {
                    assert_eq!(payload, expected.as_bytes(), "{name}");
                }
                if let Some(expected) = vector["thumbprint"].as_str() {
                    assert_eq!(thumbprint(&jwk), expected, "{name}");
                }
                // What is signed again is verified again, and is the same where the algorithm leaves nothing to chance.
                let (input, signature) = message.rsplit_once('.').unwrap();
                let signed = sign(&jwk, input);
                if vector["deterministic"] == true {
                    assert_eq!(signed, signature, "{name}");
                }
                assert_eq!(verify(&jwk, &format!("{input}.{signed}")).unwrap(), payload, "{name}");
            }
            "jws_reject" => {
                let message = Jws::parse(vector["jws"].as_str().unwrap()).unwrap();
                let refused = message.verify(&KeySet::<PublicKey>::new([]), &Accepted::new(&all()));
                assert!(matches!(refused, Err(JwsError::Algorithm(_))), "{name}: {refused:?}");
            }
            "jwk_thumbprint" => assert_eq!(thumbprint(&vector["jwk"]), vector["thumbprint"], "{name}"),
            "dpop_proof" => {
                let jwk = &vector["header"]["jwk"];
                assert_eq!(thumbprint(jwk), vector["jkt"], "{name}");
                let keys = KeySet::new([PublicKey::from_jwk(jwk.to_string()).unwrap()]);
                let proof = Jws::parse(vector["proof"].as_str().unwrap()).unwrap();
                let algorithms = all();
                let accepted = Accepted::new(&algorithms);
                assert!(matches!(proof.verify(&keys, &accepted), Err(JwsError::Typ(_))), "{name}");
                let payload = proof.verify(&keys, &accepted.with_typ("dpop+jwt")).unwrap();
                assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), vector["payload"], "{name}");
            }
            // Of requests, below.
            _ => continue,
        }
        run += 1;
    }
    assert_eq!(run, 8);
    println!("vectors: RFC signatures {run} run");
}

/// RFC 6749 appendix B has a plus for a space; what is sent here is `%20`, which every decoder reads as the same.
fn spaced(text: &str) -> String {
    text.replace('+', "%20")
}

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn requests_and_hashes_of_the_rfcs() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use oauth_core::{
        AccessToken, AuthorizationCode, AuthorizationRequest, Client, ClientCredentials, ClientSecret,
        ConfigError, Flow, IdTokenRules, IntrospectionRequest, Mono, Now, Output, Policy, Registration, Seed,
        Server, ServerMemory, Unix,
    };
    let now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
    let client = |registration| {
        let server = Server::new("https://as.example")
            .with_authorization_endpoint("https://as.example/authorize")
            .with_token_endpoint("https://as.example/token")
            .with_introspection_endpoint("https://as.example/introspect");
        Client::new(server, registration, Policy::strict())
    };
    let (memory, seed) = (ServerMemory::default(), || Seed::new([7; Seed::LENGTH]));
    let text = std::fs::read_to_string(folder().join("rfc-vectors/vectors.jsonl")).unwrap();
    let mut run = 0;
    for vector in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = vector["name"].as_str().unwrap();
        let said = |member: &str| vector[member].as_str().unwrap();
        match vector["kind"].as_str().unwrap() {
            "pkce" => {
                // The verifier is the second third of a seed.
                let octets = vector["octets"].as_array().unwrap().iter();
                let octets: Vec<_> =
                    octets.map(|octet| u8::try_from(octet.as_u64().unwrap()).unwrap()).collect();
                let seed =
                    Seed::new([[7; 32], octets.try_into().unwrap(), [7; 32]].concat().try_into().unwrap());
                let client = client(Registration::public("c1")).unwrap();
                let request = AuthorizationRequest::new("http://127.0.0.1/cb");
                let Output::Done(Ok(ready)) = client.authorize(request, &memory, seed).unwrap().poll(now)
                else {
                    panic!("nothing is needed to be ready")
                };
                let challenge = format!("code_challenge={}", said("code_challenge"));
                assert!(ready.open.as_str().contains(&challenge), "{name}");
                let stored = ready.pending.to_store();
                let stored = std::str::from_utf8(stored.expose()).unwrap();
                assert!(stored.contains(&format!("verifier={}", said("code_verifier"))), "{name}");
            }
            "client_secret_basic" => {
                let secret = ClientSecret::new(said("client_secret"));
                let registration = Registration::with_secret(said("client_id"), secret);
                let Ok(client) = client(registration) else {
                    // RFC 6749 appendix A.1: no client id has such a character.
                    assert!(!said("client_id").is_ascii(), "{name}");
                    let refused = client(Registration::public(said("client_id"))).unwrap_err();
                    assert_eq!(refused, ConfigError::ClientId, "{name}");
                    run += 1;
                    continue;
                };
                let mut flow = client.exchange(ClientCredentials::new(), &memory, seed()).unwrap();
                let Output::Send(request) = flow.poll(now) else { panic!("it is sent") };
                let header = request.headers().find(|(name, _)| *name == "authorization").unwrap().1;
                let decoded = |header: &str| {
                    let joined = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
                    String::from_utf8(joined).unwrap()
                };
                assert_eq!(decoded(header.to_str().unwrap()), spaced(&decoded(said("header"))), "{name}");
            }
            "form_encode" => {
                let client = client(Registration::public("c1")).unwrap();
                let request = IntrospectionRequest::access(AccessToken::new("at"));
                let request = request.with_parameter("x", said("value"));
                let mut flow = client.introspect(request, &memory, seed()).unwrap();
                let Output::Send(request) = flow.poll(now) else { panic!("it is sent") };
                let body = std::str::from_utf8(request.body()).unwrap();
                assert!(body.contains(&format!("&x={}", spaced(said("encoded")))), "{name}: {body}");
            }
            "left_half_hash" => {
                let rules = IdTokenRules::new("https://as.example", "c1").requiring_hashes();
                let algorithm = Algorithm::from_text(said("alg"));
                let (claim, rules) = match name {
                    "oidc-at-hash" => {
                        ("at_hash", rules.with_access_token(&AccessToken::new(said("value")), &algorithm))
                    }
                    _ => ("c_hash", rules.with_code(&AuthorizationCode::new(said("value")), &algorithm)),
                };
                let mut claims = serde_json::json!({
                    "iss": "https://as.example", "aud": "c1", "sub": "alice",
                    "iat": now.unix.0, "exp": now.unix.0 + 60, claim: said("hash"),
                });
                assert!(rules.check(claims.to_string().as_bytes(), now.unix).is_ok(), "{name}");
                claims[claim] = "AAAAAAAAAAAAAAAAAAAAAA".into();
                assert!(rules.check(claims.to_string().as_bytes(), now.unix).is_err(), "{name}");
            }
            #[cfg(feature = "stores")]
            "x5t#S256" => {
                use oauth_jwt::{CertificateStore, StoreKind};
                let pem =
                    std::fs::read(folder().join("google-key-samples/tests/data/public_cert.pem")).unwrap();
                let store = CertificateStore::read(StoreKind::PublicKeyBlob, &pem, None).unwrap();
                let thumbprint = store.entries()[0].certificate_thumbprint();
                assert_eq!(thumbprint.as_deref(), Some(said("thumbprint")), "{name}");
            }
            // Of messages, above.
            _ => continue,
        }
        run += 1;
    }
    assert_eq!(run, if cfg!(feature = "stores") { 9 } else { 8 });
    println!("vectors: RFC requests and hashes {run} run");
}

/// RFC 7520 section 4 and RFC 8037: what is the same each time is made again byte for byte, the rest is verified.
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn cookbook_of_rfc7520_signatures() {
    let mut run = 0;
    for name in [
        "jws/4_1.rsa_v15_signature",
        "jws/4_2.rsa-pss_signature",
        "jws/4_3.ecdsa_signature",
        "jws/4_4.hmac-sha2_integrity_protection",
        "jws/4_5.signature_with_detached_content",
        "jws/4_6.protecting_specific_header_fields",
        "jws/4_7.protecting_content_only",
        "curve25519/jws",
    ] {
        let file = read(&format!("jose-cookbook/{name}.json"));
        let mut key = file["input"]["key"].clone();
        key["alg"] = file["input"]["alg"].clone();
        let signing = &file["signing"];
        if file["reproducible"] == true {
            assert_eq!(sign(&key, signing["sig-input"].as_str().unwrap()), signing["sig"], "{name}");
        }
        // Detached content, and signatures in JSON, are no messages here.
        let whole = file["output"]["compact"].as_str().filter(|compact| !compact.contains(".."));
        if let Some(compact) = whole {
            let happened = verify(&key, compact);
            if key["alg"] == "ES512" && !cfg!(feature = "aws-lc-rs") {
                // Ring has no P-521.
                assert!(
                    matches!(happened, Err(Refused::Message(JwsError::NoKey(_)))),
                    "{name}: {happened:?}"
                );
            } else {
                let payload = file["input"]["payload"].as_str().unwrap().as_bytes();
                assert_eq!(happened.unwrap(), payload, "{name}");
                let (input, _) = compact.rsplit_once('.').unwrap();
                let again = format!("{input}.{}", sign(&key, input));
                assert_eq!(verify(&key, &again).unwrap(), payload, "{name}");
            }
        }
        run += 1;
    }
    assert_eq!(run, 8);
    println!("vectors: RFC 7520 signatures {run} run");
}

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn key_files_of_google_s_own_libraries() {
    let samples = folder().join("google-key-samples");
    let mut run = 0;
    let mut folders = vec![samples];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = std::fs::read(&path).unwrap();
            let read = ServiceAccount::from_json(&text);
            let file: Value = serde_json::from_slice(&text).unwrap_or_default();
            match (file["type"].as_str(), &read) {
                (Some("service_account"), Ok(account)) => {
                    assert_eq!(file["client_email"], account.client_email());
                    assert_eq!(file["private_key_id"].as_str(), account.private_key_id());
                }
                // The samples of one library have no real key in them, one is too small to be safe.
                (Some("service_account"), Err(why)) => assert!(
                    matches!(
                        why,
                        ServiceAccountError::Key(KeyError::NotPem | KeyError::RsaTooSmall { .. })
                            | ServiceAccountError::Member("private_key" | "type")
                    ),
                    "{}: {why}",
                    path.display()
                ),
                (Some(kind), Err(ServiceAccountError::Kind(found))) => assert_eq!(found, kind),
                (None, Err(ServiceAccountError::Member("type") | ServiceAccountError::Json(_))) => {}
                (kind, read) => panic!("{}: {kind:?} {read:?}", path.display()),
            }
            run += 1;
        }
    }
    assert_eq!(run, 43);
    println!("vectors: key files {run} run");
}

/// Files of OpenSSL, Firefox, macOS and Windows, with their passwords.
#[cfg(feature = "encrypted")]
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn pkcs12_files() {
    use oauth_core::Password;
    let manifest = std::fs::read_to_string(folder().join("pkcs12-manifest.jsonl")).unwrap();
    let (mut run, mut refused) = (0, 0);
    for entry in manifest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = entry["file"].as_str().unwrap();
        let pfx = std::fs::read(folder().join(name)).unwrap();
        let password = entry["password"].as_str().unwrap_or_default();
        let happened = SigningKey::from_pkcs12(&pfx, &Password::new(password));
        println!(
            "{name}: {}",
            happened.as_ref().map_or_else(ToString::to_string, |key| key.algorithm().to_string())
        );
        match &happened {
            Ok(_) => assert_eq!(entry["has_key"], true, "{name}"),
            Err(KeyError::Certificate | KeyError::NoPrivateKey) => {
                assert_eq!(entry["has_key"], false, "{name}")
            }
            // Opened, and not safe to sign with.
            Err(KeyError::RsaTooSmall { .. }) => {}
            Err(KeyError::Unsupported { .. }) => refused += 1,
            // Its check is made with no password at all, which is another thing than an empty one; the reader cannot.
            Err(KeyError::Password) if name.ends_with("RSATestCertDotNet.pfx") => refused += 1,
            Err(why) => panic!("{name}: {why}"),
        }
        run += 1;
        if happened.is_ok() && !password.is_empty() {
            let wrong = SigningKey::from_pkcs12(&pfx, &Password::new(format!("{password}?")));
            assert!(matches!(wrong, Err(KeyError::Password)), "{name}: {wrong:?}");
        }
    }
    assert_eq!(run, 26);
    let opened = run - refused;
    assert!(opened >= 23, "only {opened} of {run} open");
    println!("vectors: PKCS#12 files, {opened} of them open, {run} run");
}

/// The same files as certificate stores: each key with a certificate of its own.
#[cfg(feature = "stores")]
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn pkcs12_stores() {
    use oauth_core::Password;
    use oauth_jwt::{CertificateStore, StoreError, StoreKind};
    let manifest = std::fs::read_to_string(folder().join("pkcs12-manifest.jsonl")).unwrap();
    let (mut run, mut opened) = (0, 0);
    for entry in manifest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = entry["file"].as_str().unwrap();
        let password = entry["password"].as_str().map(Password::new);
        let locator = folder().join(name);
        let store = CertificateStore::open(StoreKind::Auto, locator.to_str().unwrap(), password.as_ref());
        run += 1;
        match store {
            Ok(store) => {
                assert_eq!(store.kind(), StoreKind::PfxFile, "{name}");
                let found = store.find("*");
                println!("{name}: {:?}", found.as_ref().map(|entry| (entry.label(), entry.subject())));
                assert_eq!(
                    found.is_ok_and(|entry| entry.has_private_key()),
                    entry["has_key"] == true,
                    "{name}"
                );
                let certified =
                    store.entries().iter().any(|one| one.has_private_key() && !one.subject().is_empty());
                assert_eq!(certified, entry["has_key"] == true && entry["has_cert"] == true, "{name}");
                opened += 1;
            }
            Err(StoreError::Unsupported { found, .. }) => println!("{name}: {found}"),
            // As above: its check is made with no password at all.
            Err(StoreError::PasswordMissing) if name.ends_with("RSATestCertDotNet.pfx") => {}
            Err(why) => panic!("{name}: {why}"),
        }
    }
    assert_eq!(run, 26);
    assert!(opened >= 23, "only {opened} of {run} open");
    println!("vectors: PKCS#12 stores, {opened} of them open, {run} run");
}

fn sign(jwk: &Value, input: &str) -> String {
    use oauth_core::{Input, KeyId, KeyTask, SignTask};
    let key = SigningKey::from_jwk(jwk.to_string()).unwrap();
    let algorithm = key.algorithm();
    let mut keyring = oauth_jwt::Keyring::new();
    let _none = keyring.insert(KeyId::new("k"), key);
    let task = SignTask::new(KeyId::new("k"), algorithm, input.as_bytes().to_vec());
    let Input::Signature(signature) = keyring.answer(KeyTask::Sign(task)) else { panic!("it did not sign") };
    base64url(&signature)
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Opened by this key alone, whatever of what is supported it asks for.
#[cfg(feature = "aws-lc-rs")]
fn decrypt(key: &Value, message: &str) -> Result<Vec<u8>, NotOpened> {
    use oauth_jwt::{AcceptedEncryption, ContentEncryption, DecryptionKey, Jwe, KeyManagement};
    let jwe = Jwe::parse(message).map_err(NotOpened::Message)?;
    let key = DecryptionKey::from_jwk(key.to_string()).map_err(NotOpened::Key)?;
    let algorithms = [
        "RSA-OAEP",
        "RSA-OAEP-256",
        "ECDH-ES",
        "ECDH-ES+A128KW",
        "ECDH-ES+A256KW",
        "A128KW",
        "A256KW",
        "dir",
    ]
    .map(|name| KeyManagement::from_text(name).unwrap());
    let encryptions = ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"]
        .map(|name| ContentEncryption::from_text(name).unwrap());
    let opened = jwe.decrypt([&key], &AcceptedEncryption::new(&algorithms, &encryptions));
    opened.map(|content| content.expose().to_vec()).map_err(NotOpened::Message)
}

/// A message as it stands in a file: the JSON form is an object in some and a text in others.
#[cfg(feature = "aws-lc-rs")]
fn text_of(message: &Value) -> String {
    message.as_str().map_or_else(|| message.to_string(), str::to_owned)
}

#[cfg(feature = "aws-lc-rs")]
#[derive(Debug)]
#[allow(dead_code, reason = "what it was is shown when a vector goes wrong")]
enum NotOpened {
    Key(KeyError),
    Message(oauth_jwt::JweError),
}

#[cfg(feature = "aws-lc-rs")]
impl NotOpened {
    /// Whether this is a refusal of what is not supported, whoever sends it.
    fn by_name(&self) -> bool {
        use oauth_jwt::JweError::{Compressed, UnsupportedAlgorithm};
        const NAMES: [&str; 6] =
            ["RSA1_5", "A192KW", "ECDH-ES+A192KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"];
        match self {
            Self::Message(UnsupportedAlgorithm(name)) => NAMES.contains(&name.as_str()),
            Self::Message(Compressed) => true,
            Self::Message(_) | Self::Key(_) => false,
        }
    }
}

/// What came of the encrypted messages of a file: how many were opened, refused by name, refused as invalid.
#[cfg(feature = "aws-lc-rs")]
fn opened_refused_invalid<'a>(cases: impl Iterator<Item = (&'a Value, &'a Value)>) -> [usize; 3] {
    let mut counts = [0; 3];
    for (group, case) in cases {
        let id = &case["tcId"];
        let message = text_of(&case["jwe"]);
        let happened = decrypt(&group["private"], &message);
        let valid = case["result"] == "valid";
        let which = match &happened {
            Ok(content) => {
                assert!(valid, "{id} {}", case["comment"]);
                let expected = case["pt"].as_str().unwrap_or("666f6f");
                assert_eq!(
                    content.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                    expected,
                    "{id}"
                );
                0
            }
            Err(why) if why.by_name() => 1,
            Err(why) => {
                assert!(!valid, "{id} {}: {why:?}", case["comment"]);
                2
            }
        };
        counts[which] += 1;
    }
    counts
}

#[cfg(feature = "aws-lc-rs")]
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn wycheproof_encryption() {
    let file = read("wycheproof/testvectors_v1/json_web_encryption_test.json");
    let counts @ [opened, by_name, invalid] = opened_refused_invalid(cases(&file));
    // By name: RSA1_5 and compression, refused for safety; key wrap by GCM or with 192 bits, which the engine does not do.
    assert_eq!(counts, [47, 46, 46]);
    let run = opened + by_name + invalid;
    assert_eq!(run, 139);
    println!(
        "vectors: wycheproof encryption, {opened} opened, {by_name} refused by name, {invalid} invalid, {run} run"
    );
}

#[cfg(feature = "aws-lc-rs")]
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn wycheproof_crypto() {
    let file = read("wycheproof/testvectors_v1/json_web_crypto_test.json");
    let (mut verified, mut invalid) = (0, 0);
    for (group, case) in cases(&file) {
        if case["jws"].is_null() {
            continue;
        }
        let happened = verify(public(group), &text_of(&case["jws"]));
        assert_eq!(happened.is_ok(), case["result"] == "valid", "{}: {happened:?}", case["tcId"]);
        *(if happened.is_ok() { &mut verified } else { &mut invalid }) += 1;
    }
    let encrypted = cases(&file).filter(|(_, case)| !case["jwe"].is_null());
    let [opened, by_name, not_opened] = opened_refused_invalid(encrypted);
    assert_eq!([verified, opened, by_name, invalid + not_opened], [4, 2, 0, 77]);
    let run = verified + opened + by_name + invalid + not_opened;
    assert_eq!(run, 83);
    println!(
        "vectors: wycheproof crypto, {verified} verified, {opened} opened, {} invalid, {run} run",
        invalid + not_opened
    );
}

/// RFC 7520 sections 5 and 6: what is refused, and by which name. What is opened is also made again, in `src/jwe`.
#[cfg(feature = "aws-lc-rs")]
#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
fn cookbook_of_rfc7520_encryption() {
    use oauth_jwt::{Jwe, JweError};
    let mut run = 0;
    for (name, refused) in [
        ("5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2", Some("RSA1_5")),
        ("5_2.key_encryption_using_rsa-oaep_with_aes-gcm", None),
        ("5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2", Some("PBES2-HS512+A256KW")),
        ("5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm", None),
        ("5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2", None),
        ("5_6.direct_encryption_using_aes-gcm", None),
        ("5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2", Some("A256GCMKW")),
        ("5_8.key_wrap_using_aes-keywrap_with_aes-gcm", None),
        ("5_9.compressed_content", Some("zip")),
        ("5_10.including_additional_authentication_data", Some("JSON")),
        ("5_11.protecting_specific_header_fields", Some("JSON")),
        ("5_12.protecting_content_only", Some("JSON")),
        ("5_13.encrypting_to_multiple_recipients", Some("JSON")),
    ] {
        let file = read(&format!("jose-cookbook/jwe/{name}.json"));
        let output = &file["output"];
        let message = text_of(output.get("compact").unwrap_or_else(|| &output["json"]));
        let why = match refused {
            None => {
                let content = decrypt(&file["input"]["key"], &message).unwrap();
                assert_eq!(content, file["input"]["plaintext"].as_str().unwrap().as_bytes(), "{name}");
                run += 1;
                continue;
            }
            Some("JSON") => {
                // How many parts it seems to have depends on the dots in its names.
                let why = Jwe::parse(&message).unwrap_err();
                let known = [JweError::NotCompact, JweError::NotEncrypted, JweError::Encoding("header")];
                assert!(known.contains(&why), "{name}: {why}");
                run += 1;
                continue;
            }
            Some("zip") => JweError::Compressed,
            Some(alg) => JweError::UnsupportedAlgorithm(alg.to_owned()),
        };
        assert_eq!(Jwe::parse(&message).unwrap_err(), why, "{name}");
        run += 1;
    }
    let file = read("jose-cookbook/6.nesting_signatures_and_encryption.json");
    let message = file["encrypt"]["output"]["compact"].as_str().unwrap();
    assert_eq!(Jwe::parse(message).unwrap().header().cty.as_deref(), Some("JWT"));
    let signed = decrypt(&file["encrypt"]["input"]["key"], message).unwrap();
    let mut key = file["sign"]["input"]["key"].clone();
    key["alg"] = file["sign"]["input"]["alg"].clone();
    let payload = verify(&key, std::str::from_utf8(&signed).unwrap()).unwrap();
    assert_eq!(payload, file["sign"]["input"]["payload"].as_str().unwrap().as_bytes());
    run += 1;
    let file = read("jose-cookbook/curve25519/ecdh-es.json");
    let content = decrypt(&file["input"]["key"], file["output"]["compact"].as_str().unwrap()).unwrap();
    assert_eq!(content, file["input"]["plaintext"].as_str().unwrap().as_bytes());
    run += 1;
    assert_eq!(run, 15);
    println!("vectors: RFC 7520 encryption, opened or refused by name, {run} run");
}
