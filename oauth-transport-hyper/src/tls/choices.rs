//! What of TLS is offered: versions, cipher suites, groups and signature algorithms, of those that ring has.

use oauth_transport::{Setting, SettingsError, Tls, TlsVersions};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{NamedGroup, ProtocolVersion, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion};

/// What the settings leave of what ring has.
pub(super) struct Choices {
    pub(super) provider: CryptoProvider,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) schemes: Schemes,
}

/// The signature algorithms by which a server may prove that it holds its key. rustls advertises one list for both versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schemes {
    pub(super) advertised: Vec<SignatureScheme>,
    pub(super) of_12: Vec<SignatureScheme>,
    pub(super) of_13: Vec<SignatureScheme>,
}

/// By their IANA names, the best first.
const GROUPS: [(&str, &dyn SupportedKxGroup); 3] = [
    ("x25519", ring::kx_group::X25519),
    ("secp256r1", ring::kx_group::SECP256R1),
    ("secp384r1", ring::kx_group::SECP384R1),
];

/// By their IANA names, in rustls' order, and whether a TLS 1.3 handshake can be signed by it (RFC 8446 section 4.2.3).
const SCHEMES: [(&str, SignatureScheme, bool); 9] = [
    ("ecdsa_secp384r1_sha384", SignatureScheme::ECDSA_NISTP384_SHA384, true),
    ("ecdsa_secp256r1_sha256", SignatureScheme::ECDSA_NISTP256_SHA256, true),
    ("ed25519", SignatureScheme::ED25519, true),
    ("rsa_pss_rsae_sha512", SignatureScheme::RSA_PSS_SHA512, true),
    ("rsa_pss_rsae_sha384", SignatureScheme::RSA_PSS_SHA384, true),
    ("rsa_pss_rsae_sha256", SignatureScheme::RSA_PSS_SHA256, true),
    ("rsa_pkcs1_sha512", SignatureScheme::RSA_PKCS1_SHA512, false),
    ("rsa_pkcs1_sha384", SignatureScheme::RSA_PKCS1_SHA384, false),
    ("rsa_pkcs1_sha256", SignatureScheme::RSA_PKCS1_SHA256, false),
];

impl Choices {
    pub(super) fn new(tls: &Tls) -> Result<Self, SettingsError> {
        let cipher_suites = cipher_suites(tls)?;
        let has = |version| cipher_suites.iter().any(|suite| suite.version().version == version);
        let versions = [&TLS13, &TLS12].into_iter().filter(|version| has(version.version)).collect();
        let schemes = Schemes::new(tls, has(ProtocolVersion::TLSv1_2), has(ProtocolVersion::TLSv1_3))?;
        let kx_groups = match &tls.groups {
            None => ring::DEFAULT_KX_GROUPS.to_vec(),
            Some(names) => pick(names, Setting::Groups, &GROUPS, |(name, _)| name)?
                .into_iter()
                .map(|(_, group)| *group)
                .collect(),
        };
        let provider = CryptoProvider { cipher_suites, kx_groups, ..ring::default_provider() };
        Ok(Self { provider, versions, schemes })
    }
}

fn cipher_suites(tls: &Tls) -> Result<Vec<SupportedCipherSuite>, SettingsError> {
    let all: Vec<_> = ring::ALL_CIPHER_SUITES.iter().map(|suite| (name(suite), *suite)).collect();
    let mut suites = match &tls.cipher_suites {
        None => ring::DEFAULT_CIPHER_SUITES.to_vec(),
        Some(names) => {
            let of_12 = names.iter().all(|name| name.contains("_WITH_"));
            let setting = if of_12 { Setting::CipherSuites12 } else { Setting::CipherSuites13 };
            pick(names, setting, &all, |(name, _)| name)?.into_iter().map(|(_, suite)| *suite).collect()
        }
    };
    let refuse = |setting, value: String, expected: &str| {
        Err(SettingsError::Value { setting, value, expected: expected.to_owned() })
    };
    let only = match tls.versions {
        TlsVersions::V12AndV13 => None,
        TlsVersions::V12 => Some((
            ProtocolVersion::TLSv1_2,
            Setting::CipherSuites12,
            "one of TLS 1.2, the version that is set",
        )),
        TlsVersions::V13 => Some((
            ProtocolVersion::TLSv1_3,
            Setting::CipherSuites13,
            "one of TLS 1.3, the version that is set",
        )),
        _ => return refuse(Setting::TlsVersions, format!("{:?}", tls.versions), "TLS 1.2, TLS 1.3 or both"),
    };
    if let Some((version, setting, expected)) = only {
        suites.retain(|suite| suite.version().version == version);
        if suites.is_empty() {
            return refuse(
                setting,
                tls.cipher_suites.iter().flatten().cloned().collect::<Vec<_>>().join(", "),
                expected,
            );
        }
    }
    if let Some(least) = tls.min_cipher_bits {
        suites.retain(|suite| bits(suite) >= least);
        if suites.is_empty() {
            return refuse(
                Setting::CipherStrength,
                least.to_string(),
                "256 at most, with cipher suites of that strength",
            );
        }
    }
    Ok(suites)
}

/// The IANA name of a suite: rustls marks those of TLS 1.3.
pub(super) fn name(suite: &SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1)
}

/// The IANA name of a group.
pub(super) fn group_name(group: NamedGroup) -> String {
    let known = GROUPS.iter().find(|(_, known)| known.name() == group);
    known.map_or_else(|| format!("{group:?}"), |(name, _)| (*name).to_owned())
}

fn bits(suite: &SupportedCipherSuite) -> u16 {
    if name(suite).contains("_AES_128_") { 128 } else { 256 }
}

impl Schemes {
    /// Of the versions that are offered.
    fn new(tls: &Tls, offers_12: bool, offers_13: bool) -> Result<Self, SettingsError> {
        let list = |names: &Option<Vec<String>>| match names {
            None => Ok(SCHEMES.iter().collect()),
            Some(names) => pick(names, Setting::SignatureAlgorithms, &SCHEMES, |(name, _, _)| name),
        };
        let of_12 = list(&tls.signature_algorithms_12)?;
        let of_13 = list(&tls.signature_algorithms_13)?;
        if !of_13.iter().any(|(_, _, signs_13)| *signs_13) {
            return Err(SettingsError::Value {
                setting: Setting::SignatureAlgorithms,
                value: names_of(&of_13, |(name, _, _)| name),
                expected: "with TLS 1.3 a list that holds one of its own, such as rsa_pss_rsae_sha256"
                    .to_owned(),
            });
        }
        let schemes = |list: Vec<&(&str, SignatureScheme, bool)>, offered: bool| -> Vec<_> {
            list.into_iter().filter(|_| offered).map(|(_, scheme, _)| *scheme).collect()
        };
        let (of_12, of_13) = (schemes(of_12, offers_12), schemes(of_13, offers_13));
        let mut advertised = of_13.clone();
        advertised.extend(of_12.iter().filter(|scheme| !of_13.contains(scheme)));
        Ok(Self { advertised, of_12, of_13 })
    }
}

/// The entries of a table that have these names, in the order of the names, each once.
fn pick<'a, T>(
    names: &[String],
    setting: Setting,
    table: &'a [T],
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<&'a T>, SettingsError> {
    let refuse = |value: &str| SettingsError::Value {
        setting,
        value: value.to_owned(),
        expected: format!("one or more of {}", names_of(&table.iter().collect::<Vec<_>>(), &name_of)),
    };
    let mut picked: Vec<&T> = Vec::new();
    for name in names {
        let entry = table.iter().find(|entry| name_of(entry).eq_ignore_ascii_case(name.trim()));
        let entry = entry.ok_or_else(|| refuse(name))?;
        if !picked.iter().any(|known| std::ptr::eq(*known, entry)) {
            picked.push(entry);
        }
    }
    if picked.is_empty() { Err(refuse("")) } else { Ok(picked) }
}

fn names_of<T>(entries: &[&T], name_of: impl Fn(&T) -> &str) -> String {
    entries.iter().map(|entry| name_of(entry)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(change: impl FnOnce(&mut Tls)) -> Tls {
        let mut tls = Tls::default();
        change(&mut tls);
        tls
    }

    fn list(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_tables_hold_all_that_ring_has() {
        let choices = Choices::new(&Tls::default()).unwrap();
        let groups: Vec<_> = GROUPS.iter().map(|(_, group)| group.name()).collect();
        assert_eq!(ring::ALL_KX_GROUPS.iter().map(|group| group.name()).collect::<Vec<_>>(), groups);
        let ring = ring::default_provider().signature_verification_algorithms.supported_schemes();
        assert_eq!(choices.schemes.advertised, ring);
        assert_eq!(choices.versions, [&TLS13, &TLS12]);
        for suite in ring::ALL_CIPHER_SUITES {
            assert!(name(suite).starts_with("TLS_"), "{suite:?}");
            let is_short = format!("{suite:?}").contains("AES_128");
            assert_eq!(bits(suite), if is_short { 128 } else { 256 });
        }
    }

    #[test]
    fn a_version_without_a_suite_is_not_offered() {
        let choose = |names: &[&str]| Choices::new(&tls(|tls| tls.cipher_suites = list(names))).unwrap();
        assert_eq!(choose(&["tls_aes_128_gcm_sha256"]).versions, [&TLS13]);
        let choices = choose(&["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
        assert_eq!(choices.versions, [&TLS12]);
        // Nor are signature algorithms of the other advertised.
        let choices = Choices::new(&tls(|tls| {
            tls.versions = TlsVersions::V12;
            tls.signature_algorithms_12 = list(&["rsa_pkcs1_sha256"]);
            tls.signature_algorithms_13 = list(&["ed25519"]);
        }));
        assert_eq!(choices.unwrap().schemes.advertised, [SignatureScheme::RSA_PKCS1_SHA256]);
    }

    #[test]
    fn names_are_taken_once_and_in_their_order() {
        let choices =
            Choices::new(&tls(|tls| tls.groups = list(&["secp384r1", " X25519", "secp384r1"]))).unwrap();
        let groups: Vec<_> =
            choices.provider.kx_groups.iter().map(|group| group_name(group.name())).collect();
        assert_eq!(groups, ["secp384r1", "x25519"]);
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        for (tls, text) in [
            (
                tls(|tls| tls.groups = list(&["x448"])),
                "the key exchange groups cannot be \"x448\"; it may be one or more of x25519, secp256r1, secp384r1",
            ),
            (
                tls(|tls| tls.groups = list(&[])),
                "the key exchange groups cannot be \"\"; it may be one or more of x25519, secp256r1, secp384r1",
            ),
            (
                tls(|tls| {
                    tls.min_cipher_bits = Some(256);
                    tls.cipher_suites = list(&["TLS_AES_128_GCM_SHA256"]);
                }),
                "the cipher strength cannot be \"256\"; it may be 256 at most, with cipher suites of that strength",
            ),
            (
                tls(|tls| {
                    tls.versions = TlsVersions::V12;
                    tls.cipher_suites = list(&["TLS_AES_128_GCM_SHA256"]);
                }),
                "the cipher suites of TLS 1.2 cannot be \"TLS_AES_128_GCM_SHA256\"; it may be one of TLS 1.2, the version \
                 that is set",
            ),
        ] {
            assert_eq!(Choices::new(&tls).err().unwrap().to_string(), text);
        }
    }
}
