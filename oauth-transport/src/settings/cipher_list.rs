//! Cipher lists as OpenSSL writes them, read into the names of IANA.
//!
//! The ciphers are those of TLS 1.2 that are still strong: what else OpenSSL knows can be taken out of a list, which
//! changes nothing, and cannot be put into one.

use crate::setting::Setting;
use crate::settings::SettingsError;

/// A cipher suite of TLS 1.2.
struct Cipher {
    openssl: &'static str,
    iana: &'static str,
    bits: u16,
    /// The words that OpenSSL has for groups of ciphers it belongs to, beside those for all.
    words: &'static [&'static str],
}

/// In OpenSSL's order, which begins with the strongest.
const CIPHERS: [Cipher; 6] = [
    Cipher {
        openssl: "ECDHE-ECDSA-AES256-GCM-SHA384",
        iana: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        bits: 256,
        words: &["ECDSA", "aECDSA", "AES", "AES256", "AESGCM", "SHA384"],
    },
    Cipher {
        openssl: "ECDHE-RSA-AES256-GCM-SHA384",
        iana: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        bits: 256,
        words: &["RSA", "aRSA", "AES", "AES256", "AESGCM", "SHA384"],
    },
    Cipher {
        openssl: "ECDHE-ECDSA-CHACHA20-POLY1305",
        iana: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        bits: 256,
        words: &["ECDSA", "aECDSA", "CHACHA20"],
    },
    Cipher {
        openssl: "ECDHE-RSA-CHACHA20-POLY1305",
        iana: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        bits: 256,
        words: &["RSA", "aRSA", "CHACHA20"],
    },
    Cipher {
        openssl: "ECDHE-ECDSA-AES128-GCM-SHA256",
        iana: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        bits: 128,
        words: &["ECDSA", "aECDSA", "AES", "AES128", "AESGCM", "SHA256"],
    },
    Cipher {
        openssl: "ECDHE-RSA-AES128-GCM-SHA256",
        iana: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        bits: 128,
        words: &["RSA", "aRSA", "AES", "AES128", "AESGCM", "SHA256"],
    },
];

/// Words for all of them.
const ALL: [&str; 10] =
    ["ALL", "DEFAULT", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "TLSv1.2", "AEAD", "FS"];

/// Words for ciphers that are not here, because they are weak or nobody uses them.
const ABSENT: [&str; 44] = [
    "aNULL",
    "eNULL",
    "NULL",
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "LOW",
    "MEDIUM",
    "EXP",
    "EXPORT",
    "EXPORT40",
    "EXPORT56",
    "SSLv2",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "kRSA",
    "kDHE",
    "kEDH",
    "DHE",
    "EDH",
    "DH",
    "kDH",
    "kDHr",
    "kDHd",
    "ADH",
    "AECDH",
    "kECDH",
    "ECDH",
    "aDSS",
    "DSS",
    "DES",
    "3DES",
    "RC2",
    "RC4",
    "IDEA",
    "SEED",
    "CAMELLIA",
    "ARIA",
    "MD5",
    "SHA",
    "SHA1",
    "PSK",
    "SRP",
    "GOST",
];

/// Reads a list: names of ciphers and words for groups of them, parted by colons, commas or spaces.
///
/// `A+B` are those that are both, `!A` takes them out for good, `-A` until they are named again, `+A` moves them to the
/// end, `@STRENGTH` sorts what is there.
///
/// # Errors
/// A word is unknown, or nothing is left.
pub(super) fn read(list: &str) -> Result<Vec<String>, SettingsError> {
    let mut chosen: Vec<&Cipher> = Vec::new();
    let mut banned: Vec<&Cipher> = Vec::new();
    for token in list.split([':', ',', ' ']).filter(|token| !token.is_empty()) {
        if token == "@STRENGTH" {
            // Stable: among equals the order stays.
            chosen.sort_by_key(|cipher| std::cmp::Reverse(cipher.bits));
            continue;
        }
        let (sign, words) = match token.split_at_checked(1) {
            Some((sign @ ("!" | "-" | "+"), words)) => (sign, words),
            _ => ("", token),
        };
        let meant = meant(words).ok_or_else(|| refuse(token))?;
        let is_meant = |cipher: &&Cipher| meant.iter().any(|meant| std::ptr::eq(*meant, *cipher));
        match sign {
            "!" | "-" => {
                chosen.retain(|cipher| !is_meant(cipher));
                if sign == "!" {
                    banned.extend(&meant);
                }
            }
            "+" => {
                let (moved, stay): (Vec<_>, Vec<_>) = chosen.into_iter().partition(is_meant);
                chosen = stay;
                chosen.extend(moved);
            }
            _ => {
                // To ask for a cipher and to get none would be to ignore it.
                if meant.is_empty() {
                    return Err(refuse(token));
                }
                for cipher in meant {
                    let is_known = |known: &&Cipher| std::ptr::eq(*known, cipher);
                    if !chosen.iter().any(is_known) && !banned.iter().any(is_known) {
                        chosen.push(cipher);
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        return Err(SettingsError::Value {
            setting: Setting::CipherSuites12,
            value: list.to_owned(),
            expected: "a list that leaves at least one cipher of TLS 1.2".to_owned(),
        });
    }
    Ok(chosen.into_iter().map(|cipher| cipher.iana.to_owned()).collect())
}

/// The ciphers that all of these words mean, in their order; `None` where one is unknown.
fn meant(words: &str) -> Option<Vec<&'static Cipher>> {
    let mut meant: Vec<&Cipher> = CIPHERS.iter().collect();
    for word in words.split('+') {
        if ALL.contains(&word) {
            continue;
        }
        let has =
            |cipher: &Cipher| cipher.openssl == word || cipher.iana == word || cipher.words.contains(&word);
        if !CIPHERS.iter().any(has) && !ABSENT.contains(&word) {
            return None;
        }
        meant.retain(|cipher| has(cipher));
    }
    Some(meant)
}

fn refuse(token: &str) -> SettingsError {
    let names: Vec<_> = CIPHERS.iter().map(|cipher| cipher.openssl).collect();
    SettingsError::Value {
        setting: Setting::CipherSuites12,
        value: token.to_owned(),
        expected: format!(
            "one of {}, or one of the words ALL, DEFAULT, HIGH, ECDHE, ECDSA, RSA, AES, AES128, AES256, AESGCM, CHACHA20 and \
             @STRENGTH",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list, each cipher by the letters of its signature and its cipher.
    fn short(list: &str) -> String {
        let short = |name: &String| {
            let signature = if name.contains("ECDSA") { "e" } else { "r" };
            let cipher = if name.contains("CHACHA") {
                "C"
            } else if name.contains("128") {
                "1"
            } else {
                "2"
            };
            format!("{signature}{cipher}")
        };
        read(list).unwrap().iter().map(short).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lists_mean_what_openssl_means_by_them() {
        for (list, ciphers) in [
            ("DEFAULT", "e2 r2 eC rC e1 r1"),
            ("HIGH:!aNULL:!MD5:!3DES", "e2 r2 eC rC e1 r1"),
            ("ECDHE-RSA-AES128-GCM-SHA256", "r1"),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "rC"),
            ("ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!SHA1", "e2 r2 e1 r1 eC rC"),
            ("AES128, AES256", "e1 r1 e2 r2"),
            ("aECDSA CHACHA20", "e2 eC e1 rC"),
            // Taken out for good, or until it is named again.
            ("!CHACHA20:ALL:CHACHA20", "e2 r2 e1 r1"),
            ("ALL:-RSA:ECDHE-RSA-AES128-GCM-SHA256", "e2 eC e1 r1"),
            ("ALL:-AES", "eC rC"),
            // Moved to the end, where they are there.
            ("ALL:+ECDSA", "r2 rC r1 e2 eC e1"),
            ("AESGCM:+CHACHA20:+RC4", "e2 r2 e1 r1"),
            ("AES128:CHACHA20:@STRENGTH", "eC rC e1 r1"),
            ("ECDSA+AES+AES256", "e2"),
            ("::,  AES256+RSA ,:", "r2"),
        ] {
            assert_eq!(short(list), ciphers, "{list}");
        }
    }

    #[test]
    fn what_is_unknown_or_leaves_nothing_is_refused_by_its_name() {
        for (list, named) in [
            ("HIGH:ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"),
            ("HIGH:!FOO", "!FOO"),
            ("RC4", "RC4"),
            ("HIGH:kRSA+AES", "kRSA+AES"),
            ("high", "high"),
            ("HIGH:@SECLEVEL=2", "@SECLEVEL=2"),
            ("!", "!"),
            ("AES+", "AES+"),
            ("é", "é"),
            ("", ""),
            ("!ALL", "!ALL"),
            ("AES128:!AESGCM", "AES128:!AESGCM"),
        ] {
            let error = read(list).unwrap_err();
            let SettingsError::Value { setting: Setting::CipherSuites12, value, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(value, named, "{error}");
        }
    }

    #[test]
    fn whatever_is_read_ends_in_ciphers_that_there_are_each_once() {
        // Every list of up to four of these tokens.
        let tokens =
            ["ALL", "AES128", "!RSA", "-ECDSA", "+CHACHA20", "@STRENGTH", "ECDSA+AESGCM", "!", "x", "é+"];
        let mut lists = vec![String::new()];
        for _ in 0..4 {
            let longer = lists.iter().flat_map(|list| tokens.map(|token| format!("{list}:{token}")));
            lists = longer.collect();
            for list in &lists {
                let Ok(names) = read(list) else { continue };
                assert!((1..=CIPHERS.len()).contains(&names.len()), "{list}");
                for (index, name) in names.iter().enumerate() {
                    assert!(CIPHERS.iter().any(|cipher| cipher.iana == name), "{list}");
                    assert!(!names[..index].contains(name), "{list}");
                }
            }
        }
    }
}
