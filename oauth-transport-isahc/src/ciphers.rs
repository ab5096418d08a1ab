//! The cipher suites: their IANA names, and what OpenSSL calls those of TLS 1.2.

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

/// Those of TLS 1.3 that OpenSSL offers. isahc cannot choose among them, so they are wanted all or not at all.
const SUITES_OF_13: [&str; 3] =
    ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];
/// What the weakest of them has.
const BITS_OF_13: u16 = 128;

/// What is wanted of both versions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// OpenSSL's names for those of TLS 1.2; `None` leaves the choice to OpenSSL.
    pub(crate) names: Option<Vec<&'static str>>,
    /// Whether TLS 1.2 has any.
    pub(crate) has_12: bool,
    /// Whether TLS 1.3 has its own.
    pub(crate) has_13: bool,
}

/// Which suites the settings ask for.
///
/// # Errors
/// A name that is no suite, or none of them is strong enough.
pub(crate) fn choice(tls: &Tls) -> Result<Choice, SettingsError> {
    let least = tls.min_cipher_bits.unwrap_or(0);
    let strong_13 = least <= BITS_OF_13;
    let choice = match &tls.cipher_suites {
        None if least == 0 => Choice { names: None, has_12: true, has_13: true },
        None => Choice::of(SUITES[..STRONG].iter(), least, strong_13),
        Some(wanted) => {
            // The names of TLS 1.3's suites lack the key exchange (RFC 8446 section B.4).
            let (of_12, of_13): (Vec<_>, Vec<_>) = wanted.iter().partition(|name| name.contains("_WITH_"));
            if let Some(unknown) = of_13.iter().find(|name| !SUITES_OF_13.contains(&name.as_str())) {
                return Err(refused(
                    Setting::CipherSuites13,
                    unknown,
                    &format!("any of {}", SUITES_OF_13.join(", ")),
                ));
            }
            let suites = of_12.into_iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
            Choice::of(suites.into_iter(), least, strong_13 && !of_13.is_empty())
        }
    };
    if choice.has_12 || choice.has_13 {
        return Ok(choice);
    }
    Err(match tls.cipher_suites.as_deref() {
        Some([]) => refused(Setting::CipherSuites12, "", "a list of one suite or more"),
        _ => {
            let expected = "as many bits as one of the cipher suites has, 256 at most";
            refused(Setting::CipherStrength, &least.to_string(), expected)
        }
    })
}

impl Choice {
    fn of<'a>(suites: impl Iterator<Item = &'a Suite>, least: u16, has_13: bool) -> Self {
        let names: Vec<_> = suites.filter(|suite| suite.bits >= least).map(|suite| suite.openssl).collect();
        let has_12 = !names.is_empty();
        Self { names: has_12.then_some(names), has_12, has_13 }
    }
}

pub(crate) fn refused(setting: Setting, value: &str, expected: &str) -> SettingsError {
    SettingsError::Value { setting, value: value.to_owned(), expected: expected.to_owned() }
}

fn find(name: &str) -> Result<&'static Suite, SettingsError> {
    SUITES.iter().find(|suite| suite.iana == name).ok_or_else(|| {
        let known: Vec<_> = SUITES.iter().map(|suite| suite.iana).collect();
        refused(Setting::CipherSuites12, name, &format!("any of {}", known.join(", ")))
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

    fn names(tls: &Tls) -> Vec<&'static str> {
        choice(tls).unwrap().names.unwrap()
    }

    #[test]
    fn openssl_chooses_unless_it_is_told() {
        assert_eq!(choice(&tls(None, None)).unwrap(), Choice { names: None, has_12: true, has_13: true });
    }

    #[test]
    fn the_order_is_kept_and_weak_ones_are_dropped() {
        let wanted =
            ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"];
        let both = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"];
        assert_eq!(names(&tls(Some(&wanted), None)), both);
        assert_eq!(names(&tls(Some(&wanted), Some(128))), both);
        assert_eq!(names(&tls(Some(&wanted), Some(129))), both[1..]);
        let strong = names(&tls(None, Some(256)));
        assert!(!strong.is_empty() && strong.iter().all(|name| !name.contains("128")), "{strong:?}");
        let all = names(&tls(None, Some(1)));
        assert!(all.iter().all(|name| name.contains("GCM") || name.contains("POLY1305")), "{all:?}");
    }

    #[test]
    fn a_version_without_a_suite_is_not_spoken() {
        let of_12 = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"];
        let both = [&of_12[..], &SUITES_OF_13].concat();
        for (suites, least, versions) in [
            (Some(&of_12[..]), None, (true, false)),
            (Some(&SUITES_OF_13), None, (false, true)),
            (Some(&both), None, (true, true)),
            (Some(&both), Some(256), (true, false)),
            (None, Some(128), (true, true)),
            (None, Some(129), (true, false)),
        ] {
            let choice = choice(&tls(suites, least)).unwrap();
            assert_eq!((choice.has_12, choice.has_13), versions, "{suites:?} {least:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let weak = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
        for (tls, text) in [
            (tls(Some(&["TLS_RSA_WITH_RC4_128_MD5"]), None), "cannot be \"TLS_RSA_WITH_RC4_128_MD5\""),
            (tls(Some(&["TLS_AES_128_CCM_SHA256"]), None), "cannot be \"TLS_AES_128_CCM_SHA256\""),
            (tls(Some(&weak), Some(256)), "the cipher strength cannot be \"256\""),
            (tls(Some(&SUITES_OF_13), Some(256)), "the cipher strength cannot be \"256\""),
            (tls(None, Some(257)), "the cipher strength cannot be \"257\""),
            (tls(Some(&[]), None), "a list of one suite or more"),
        ] {
            let error = choice(&tls).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
