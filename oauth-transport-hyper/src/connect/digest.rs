//! The Digest scheme towards a proxy (RFC 7616).
//!
//! In scope: MD5, SHA-256 and SHA-512-256, their session variants, `qop=auth`, and none as RFC 2617 has it; `userhash`.
//! Out of scope: `auth-int`, and the proxy's own proof (`Proxy-Authentication-Info`).

use super::showing::challenges;
use http::Method;
use http::header::{HeaderMap, HeaderValue};
use md5::Md5;
use oauth_core::Challenge as Parameters;
use sha2::{Digest as _, Sha256, Sha512_256};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// What a proxy asks for. Lives as long as one request.
#[derive(Debug)]
pub(crate) struct Challenge {
    algorithm: Algorithm,
    /// The algorithm's name as it came; `None` where it named none, which means MD5.
    named: Option<String>,
    /// Whether the key is that of a session (the algorithm ends with `-sess`).
    session: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// Whether it knows `qop`; RFC 2617 did without.
    protects: bool,
    user_hash: bool,
    stale: bool,
}

/// In the order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512256,
}

impl Challenge {
    /// The strongest challenge that can be answered.
    pub(crate) fn best(headers: &HeaderMap) -> Result<Self, &'static str> {
        let challenges = challenges(headers);
        let offered: Vec<_> = challenges.iter().filter(|one| one.is_scheme("Digest")).collect();
        if offered.is_empty() {
            return Err("it asks for another authentication than Digest, and is not answered");
        }
        let readable = offered.into_iter().filter_map(Self::read);
        readable
            .max_by_key(|challenge| challenge.algorithm)
            .ok_or("it asks for a variant of Digest that is not known here")
    }

    fn read(from: &Parameters) -> Option<Self> {
        let named = from.param("algorithm").map(str::to_owned);
        let mut name = named.as_deref().unwrap_or("MD5").to_ascii_uppercase();
        let session = name.ends_with("-SESS");
        if session {
            name.truncate(name.len() - "-SESS".len());
        }
        let algorithm = match &*name {
            "MD5" => Algorithm::Md5,
            "SHA-256" => Algorithm::Sha256,
            "SHA-512-256" => Algorithm::Sha512256,
            _ => return None,
        };
        let protects = match from.param("qop") {
            None => false,
            Some(list) if list.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        let is_true = |name| from.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Some(Self {
            algorithm,
            session,
            realm: from.realm()?.to_owned(),
            nonce: from.param("nonce")?.to_owned(),
            opaque: from.param("opaque").map(str::to_owned),
            protects,
            user_hash: is_true("userhash"),
            stale: is_true("stale"),
            named,
        })
    }

    /// Whether it is asked again only because the nonce is too old.
    pub(crate) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// The value of `Proxy-Authorization` for a request with this method and target, as its first line has them.
    pub(crate) fn answer(
        &self,
        user: &str,
        password: &str,
        method: &Method,
        target: &str,
    ) -> Result<HeaderValue, &'static str> {
        let mut random = [0; 16];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut random)
            .map_err(|_| "the system has no randomness for an answer to it")?;
        self.answer_with(user, password, method, target, &hex(&random))
    }

    /// The same with a client nonce that is known. A challenge is answered once, so it is always the first use of its nonce.
    fn answer_with(
        &self,
        user: &str,
        password: &str,
        method: &Method,
        target: &str,
        client_nonce: &str,
    ) -> Result<HeaderValue, &'static str> {
        const COUNT: &str = "00000001";
        let hash = |text: &str| self.algorithm.hash(text.as_bytes());
        let Self { realm, nonce, .. } = self;
        // RFC 7616 section 3.4.2.
        let mut key = Zeroizing::new(hash(&Zeroizing::new(format!("{user}:{realm}:{password}"))));
        if self.session {
            key = Zeroizing::new(hash(&Zeroizing::new(format!("{}:{nonce}:{client_nonce}", *key))));
        }
        // Section 3.4.3.
        let about = hash(&format!("{method}:{target}"));
        // Section 3.4.1.
        let response = if self.protects {
            hash(&Zeroizing::new(format!("{}:{nonce}:{COUNT}:{client_nonce}:auth:{about}", *key)))
        } else {
            hash(&Zeroizing::new(format!("{}:{nonce}:{about}", *key)))
        };
        let mut value = Zeroizing::new(String::from("Digest "));
        if self.user_hash {
            // Section 3.4.4.
            put(&mut value, "username", &hash(&format!("{user}:{realm}")));
        } else if user.is_ascii() {
            put(&mut value, "username", user);
        } else {
            // Section 3.4: in the encoding of RFC 8187.
            value.push_str("username*=UTF-8''");
            for byte in user.bytes() {
                if byte.is_ascii_alphanumeric() {
                    value.push(char::from(byte));
                } else {
                    let _ = write!(value, "%{byte:02X}");
                }
            }
        }
        for (name, text) in [("realm", realm), ("nonce", nonce), ("response", &response)] {
            value.push_str(", ");
            put(&mut value, name, text);
        }
        value.push_str(", ");
        put(&mut value, "uri", target);
        if let Some(opaque) = &self.opaque {
            value.push_str(", ");
            put(&mut value, "opaque", opaque);
        }
        if let Some(name) = &self.named {
            let _ = write!(value, ", algorithm={name}");
        }
        if self.protects {
            let _ = write!(value, ", qop=auth, nc={COUNT}");
        }
        if self.protects || self.session {
            let _ = write!(value, ", cnonce=\"{client_nonce}\"");
        }
        if self.user_hash {
            value.push_str(", userhash=true");
        }
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| "its challenge, or the user name, holds what no header may")?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Algorithm {
    fn hash(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
            Self::Sha512256 => hex(&Sha512_256::digest(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A parameter as a quoted string (RFC 9110 section 5.6.4).
fn put(value: &mut String, name: &str, text: &str) {
    value.push_str(name);
    value.push_str("=\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::PROXY_AUTHENTICATE;

    fn best(values: &[&'static str]) -> Result<Challenge, &'static str> {
        let values = values.iter().map(|value| (PROXY_AUTHENTICATE, HeaderValue::from_static(value)));
        Challenge::best(&values.collect())
    }

    fn answer(value: &'static str, user: &str, password: &str, target: &str, client_nonce: &str) -> String {
        let challenge = best(&[value]).unwrap();
        let value = challenge.answer_with(user, password, &Method::GET, target, client_nonce).unwrap();
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    }

    /// RFC 7616 section 3.9.1.
    #[test]
    fn the_examples_of_the_rfc() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let value = answer(
                challenge.leak(),
                "Mufasa",
                "Circle of Life",
                "/dir/index.html",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            );
            assert_eq!(
                value,
                format!(
                    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", response=\"{response}\", \
                     uri=\"/dir/index.html\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", \
                     algorithm={algorithm}, qop=auth, nc=00000001, \
                     cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\""
                )
            );
        }
    }

    /// The challenge of RFC 7616 section 3.9.2, whose own figures are wrong (erratum 4897); these are Python's hashlib's.
    #[test]
    fn a_user_name_can_be_hidden() {
        let value = answer(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
             opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
            "J\u{e4}s\u{f8}n Doe",
            "Secret, or not?",
            "/doe.json",
            "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
        );
        for part in [
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
            "response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c\"",
            "userhash=true",
        ] {
            assert!(value.contains(part), "{part} in {value}");
        }
    }

    /// The challenge and the answer of RFC 2069's example, as its erratum has it.
    #[test]
    fn a_proxy_without_qop_is_answered_as_before() {
        let value = answer(
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
            "Mufasa",
            "Circle Of Life",
            "/dir/index.html",
            "x",
        );
        assert!(value.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{value}");
        assert!(!value.contains("cnonce") && !value.contains("algorithm"), "{value}");
    }

    #[test]
    fn the_key_may_be_that_of_a_session() {
        for (algorithm, response) in [
            ("MD5-sess", "a40cb5eb50011a4acaaa0ca6d1e6911e"),
            ("SHA-256-sess", "26b270935b162116090d963344f9bef7689d3252c3deaa892150b39bc3436156"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm={algorithm}, nonce=\"n\""
            );
            let challenge = best(&[challenge.leak()]).unwrap();
            let value = challenge
                .answer_with("Mufasa", "Circle of Life", &Method::CONNECT, "as.example:443", "c")
                .unwrap();
            let value = value.to_str().unwrap();
            assert!(value.contains(response) && value.contains(algorithm), "{value}");
        }
    }

    #[test]
    fn the_strongest_that_is_known_is_answered() {
        let offered = [
            "Basic realm=\"x\", Digest realm=\"x\", nonce=\"weak\"",
            "Digest realm=\"x\", nonce=\"strong\", algorithm=SHA-256, qop=auth",
            "Digest realm=\"x\", nonce=\"unknown\", algorithm=SHA3-512, qop=auth",
            "Digest realm=\"x\", nonce=\"body\", algorithm=SHA-512-256, qop=auth-int",
        ];
        assert_eq!(best(&offered).unwrap().nonce, "strong");
        assert_eq!(best(&offered[..1]).unwrap().nonce, "weak");
        assert!(best(&offered[2..]).unwrap_err().contains("a variant of Digest"));
        for nothing in [&[][..], &["Basic realm=\"x\""], &["Digest"], &["Digest realm=\"x\""]] {
            best(nothing).unwrap_err();
        }
    }

    #[test]
    fn what_comes_from_the_proxy_stays_inside_its_quotes() {
        let value = answer("Digest realm=\"a\\\"b, uri=\\\"c\\\\\", nonce=\"n\"", "u\"s", "p", "/", "c");
        assert!(
            value.contains(r#"realm="a\"b, uri=\"c\\""#) && value.contains(r#"username="u\"s""#),
            "{value}"
        );
        let value = answer("Digest realm=\"r\", nonce=\"n\"", "J\u{f6}", "p", "/", "c");
        assert!(value.starts_with("Digest username*=UTF-8''J%C3%B6, realm"), "{value}");
    }

    #[test]
    fn each_answer_has_a_nonce_of_its_own() {
        let challenge = best(&["Digest realm=\"r\", nonce=\"n\", qop=auth"]).unwrap();
        let one = || challenge.answer("u", "p", &Method::GET, "/").unwrap();
        assert_ne!(one(), one());
    }
}
