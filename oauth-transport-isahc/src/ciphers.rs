//! The cipher suites of TLS 1.2: their IANA names, and what OpenSSL calls them.

use oauth_transport::{Setting, SettingsError, Tls};

struct Suite {
    iana: &'static str,
    openssl: &'static str,
    bits: u16,
}

const fn suite(iana: &'static str, openssl: &'static str, bits: u16) -> Suite {
    Suite { iana, openssl, bits }
}

/// Those that every OpenSSL has, the best first.
const SUITES: &[Suite] = &[
    suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", 256),
    suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", 256),
    suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", 256),
    suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", 256),
    suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", 128),
    suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", 128),
    suite("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384", 256),
    suite("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305", 256),
    suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256", 128),
    suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384", 256),
    suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", 256),
    suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", 128),
    suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", 128),
    suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", 256),
    suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", 256),
    suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", 128),
    suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", 128),
];

/// How many of them are as good as what OpenSSL offers by itself: authenticated encryption, and a key that is forgotten.
const STRONG: usize = 9;

/// OpenSSL's names for the suites that are wanted; `None` leaves the choice to OpenSSL.
///
/// # Errors
/// A name that is no suite of TLS 1.2, or none of them is strong enough.
pub(crate) fn names(tls: &Tls) -> Result<Option<Vec<&'static str>>, SettingsError> {
    let least = tls.min_cipher_bits.unwrap_or(0);
    let names = match &tls.cipher_suites {
        None if least == 0 => return Ok(None),
        None => of_strength(SUITES[..STRONG].iter(), least),
        Some(wanted) => {
            let suites = wanted.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
            of_strength(suites.into_iter(), least)
        }
    };
    if names.is_empty() {
        return Err(match tls.cipher_suites.as_deref() {
            Some([]) => SettingsError::Value {
                setting: Setting::CipherSuites12,
                value: String::new(),
                expected: "a list of one suite or more".to_owned(),
            },
            _ => SettingsError::Value {
                setting: Setting::CipherStrength,
                value: least.to_string(),
                expected: "as many bits as one of the cipher suites has, 256 at most".to_owned(),
            },
        });
    }
    Ok(Some(names))
}

fn of_strength<'a>(suites: impl Iterator<Item = &'a Suite>, least: u16) -> Vec<&'static str> {
    suites.filter(|suite| suite.bits >= least).map(|suite| suite.openssl).collect()
}

fn find(name: &str) -> Result<&'static Suite, SettingsError> {
    SUITES.iter().find(|suite| suite.iana == name).ok_or_else(|| {
        let known: Vec<_> = SUITES.iter().map(|suite| suite.iana).collect();
        SettingsError::Value {
            setting: Setting::CipherSuites12,
            value: name.to_owned(),
            expected: format!("any of {}", known.join(", ")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(suites: Option<&[&str]>, least: Option<u16>) -> Tls {
        let mut tls = Tls::default();
        tls.cipher_suites = suites.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        tls.min_cipher_bits = least;
        tls
    }

    #[test]
    fn openssl_chooses_unless_it_is_told() {
        assert_eq!(names(&tls(None, None)).unwrap(), None);
    }

    #[test]
    fn the_order_is_kept_and_weak_ones_are_dropped() {
        let wanted =
            ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"];
        let both = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"];
        assert_eq!(names(&tls(Some(&wanted), None)).unwrap().unwrap(), both);
        assert_eq!(names(&tls(Some(&wanted), Some(128))).unwrap().unwrap(), both);
        assert_eq!(names(&tls(Some(&wanted), Some(129))).unwrap().unwrap(), both[1..]);
        let strong = names(&tls(None, Some(256))).unwrap().unwrap();
        assert!(!strong.is_empty() && strong.iter().all(|name| !name.contains("128")), "{strong:?}");
        let all = names(&tls(None, Some(1))).unwrap().unwrap();
        assert!(all.iter().all(|name| name.contains("GCM") || name.contains("POLY1305")), "{all:?}");
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let weak = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
        for (tls, text) in [
            (tls(Some(&["TLS_RSA_WITH_RC4_128_MD5"]), None), "cannot be \"TLS_RSA_WITH_RC4_128_MD5\""),
            (tls(Some(&weak), Some(256)), "the cipher strength cannot be \"256\""),
            (tls(None, Some(257)), "the cipher strength cannot be \"257\""),
            (tls(Some(&[]), None), "a list of one suite or more"),
        ] {
            let error = names(&tls).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
