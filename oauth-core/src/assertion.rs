//! Assertions that this client writes and a key holder signs (RFC 7523 section 3).

use crate::json::{Value, quote};
use crate::registry::Algorithm;
use crate::time::Unix;
use alloc::string::{String, ToString as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::time::Duration;

/// The header and the claims of one assertion.
pub(crate) struct Assertion<'a> {
    pub(crate) algorithm: &'a Algorithm,
    pub(crate) kid: Option<&'a str>,
    pub(crate) issuer: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) audience: &'a str,
    pub(crate) scope: Option<&'a str>,
    pub(crate) jti: &'a str,
    pub(crate) lifetime: Duration,
    /// What a server wants beside these.
    pub(crate) extra: &'a [(String, Value<'static>)],
}

/// What [`Assertion`] writes itself.
const OWN: [&str; 7] = ["iss", "sub", "aud", "scope", "iat", "exp", "jti"];

/// Why this claim cannot be added to those that there are.
pub(crate) fn wrong_claim(extra: &[(String, Value<'static>)], name: &str) -> Option<&'static str> {
    if OWN.contains(&name) {
        Some("it has a setting of its own")
    } else if extra.iter().any(|(known, _)| known == name) {
        Some("it comes twice")
    } else {
        None
    }
}

impl Assertion<'_> {
    /// The encoded header, a dot and the encoded claims (RFC 7515 section 5.1).
    pub(crate) fn signing_input(&self, now: Unix) -> String {
        let mut header = String::from("{\"alg\":");
        quote(self.algorithm.as_str(), &mut header);
        header.push_str(",\"typ\":\"JWT\"");
        member(&mut header, "kid", self.kid);
        header.push('}');
        let mut claims = String::from("{\"iss\":");
        quote(self.issuer, &mut claims);
        member(&mut claims, "sub", self.subject);
        member(&mut claims, "aud", Some(self.audience));
        member(&mut claims, "scope", self.scope);
        // RFC 7523 section 3: exp is required, iat and jti let the server refuse what is old or comes twice.
        for (name, moment) in [("iat", now), ("exp", now.after(self.lifetime))] {
            claims.push_str(",\"");
            claims.push_str(name);
            claims.push_str("\":");
            claims.push_str(&moment.0.to_string());
        }
        member(&mut claims, "jti", Some(self.jti));
        for (name, value) in self.extra {
            claims.push(',');
            quote(name, &mut claims);
            claims.push(':');
            claims.push_str(&value.to_string());
        }
        claims.push('}');
        let mut input = URL_SAFE_NO_PAD.encode(header);
        input.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut input);
        input
    }
}

fn member(json: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        json.push_str(",\"");
        json.push_str(name);
        json.push_str("\":");
        quote(value, json);
    }
}
