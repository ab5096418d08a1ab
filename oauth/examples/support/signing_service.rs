//! A signing service such as clouds have, in one file: plain HTTP and JSON on a port of this machine, and a key that never
//! leaves it. It is slow, it answers in DER, and it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

/// A service that runs until the process ends.
pub(crate) struct SigningService {
    pub(crate) address: SocketAddr,
    /// The public half of its one key, as a JWK.
    pub(crate) public_jwk: String,
    hangs_up: Arc<AtomicU8>,
}

impl SigningService {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| "no key can be made")?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| "the key cannot be read")?;
        // An uncompressed point: 4, x, y.
        let (x, y) = key.public_key().as_ref().get(1..).ok_or("the key has no point")?.split_at(32);
        let coordinate = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": coordinate(x), "y": coordinate(y) });
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let hangs_up = Arc::new(AtomicU8::new(0));
        let left = Arc::clone(&hangs_up);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = |left: u8| left.checked_sub(1);
                if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken).is_err() {
                    // Whoever went away needs no answer.
                    let _answered = answer(stream, &key);
                }
            }
        });
        Ok(Self { address, public_jwk: jwk.to_string(), hangs_up })
    }

    /// Hangs up on the next request without a word.
    pub(crate) fn hang_up_once(&self) {
        self.hangs_up.store(1, Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, key: &EcdsaKeyPair) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        line.clear();
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let (status, body) = sign(&serde_json::from_slice(&body)?, key);
    let body = body.to_string();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
    Ok(())
}

fn sign(asked: &Value, key: &EcdsaKeyPair) -> (&'static str, Value) {
    let error = |status, why: &str| (status, json!({ "error": why }));
    match (asked["key"].as_str(), asked["algorithm"].as_str()) {
        (Some("payroll"), Some("ES256")) => {
            // A real one looks at what it is to sign, and asks whoever is on duty.
            if asked["reason"].as_str().is_none_or(|reason| reason.contains("midnight")) {
                return error("403 Forbidden", "the operator says no");
            }
        }
        (Some("payroll"), _) => return error("400 Bad Request", "this key signs ES256 alone"),
        _ => return error("404 Not Found", "there is no such key"),
    }
    thread::sleep(Duration::from_millis(50));
    let message = STANDARD.decode(asked["message"].as_str().unwrap_or_default());
    match message.map(|message| key.sign(&SystemRandom::new(), &message)) {
        Ok(Ok(signature)) => ("200 OK", json!({ "signature": STANDARD.encode(signature) })),
        Ok(Err(_)) => error("503 Service Unavailable", "no randomness"),
        Err(_) => error("400 Bad Request", "the message is no Base64"),
    }
}
