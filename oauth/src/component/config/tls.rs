//! The settings of TLS.

use super::{Access, ConfigSetting, list};
use crate::component::error::ComponentError;
use crate::component::network;
use crate::component::values::{Secret, Values};
use oauth_transport::{Flaws, Revocation, TlsVersions};
use std::path::PathBuf;

/// The bits of `SSLEnabledProtocols`, client and server ones together.
const TLS_13: i64 = 12_288;
const TLS_12: i64 = 3072;
const ANY_OLDER: i64 = 768 | 192 | 48 | 12;

/// The bits of `SSLSecurityFlags` that have a meaning here.
const OUT_OF_DATE: u32 = 0x1;
const UNKNOWN_ISSUER: u32 = 0x10;
const WRONG_USAGE: u32 = 0x20;
/// Of the server's certificate, its issuer's, an authority's, and the root's. Lists are asked about all of them or none.
const UNKNOWN_REVOCATION: u32 = 0x100 | 0x200 | 0x400 | 0x800;
const WRONG_NAME: u32 = 0x8000_0000;

/// A row of a list of names, with `;` or `,` between; nothing leaves it at the engine's own.
macro_rules! names {
    ($name:literal, $form:literal, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Text {
            form: $form,
            get: |values| values.$($path).+.as_ref().map_or_else(String::new, |names| names.join(";")),
            set: |values, text| {
                values.$($path).+ = Some(list(text)).filter(|names| !names.is_empty());
                Ok(())
            },
        })
    };
}

pub(super) const ROWS: &[ConfigSetting] = &[
    flag!(
        "LogSSLPackets",
        "Whether the headers of TLS records are logged, at the level of debugging.",
        network.tls.log_records
    ),
    ConfigSetting::new(
        "OpenSSLCADir",
        "A folder whose certificates are trusted as roots, beside the system's.",
        Access::Text {
            form: "the path of a folder, or nothing",
            get: |values| path(values.network.ca_folder.as_ref()),
            set: |values, text| {
                values.network.ca_folder = Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "OpenSSLCAFile",
        "A file whose certificates are trusted as roots, beside the system's.",
        Access::Text {
            form: "the path of a file of PEM, or nothing",
            get: |values| path(values.network.open_ssl_ca_file.as_ref()),
            set: |values, text| {
                values.network.open_ssl_ca_file =
                    Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "OpenSSLCipherList",
        "The cipher suites of TLS 1.2, as OpenSSL writes them; they take the place of those of SSLEnabledCipherSuites.",
        Access::Text {
            form: "a list such as HIGH:!aNULL, or DEFAULT",
            get: |values| match values.network.open_ssl_ciphers.as_str() {
                "" => "DEFAULT".to_owned(),
                given => given.to_owned(),
            },
            set: |values, text| {
                let text = if text.trim() == "DEFAULT" { "" } else { text.trim() };
                if !text.is_empty() {
                    // Whether it is one is said here, and not at the next call.
                    let _read = network::with_ciphers(values.network.tls.clone(), text)?;
                }
                text.clone_into(&mut values.network.open_ssl_ciphers);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "OpenSSLPrngSeedData",
        "Obsolete: the system's generator of randomness seeds itself, and nothing that a program adds makes it better.",
        Access::Secret(
            |_| Secret::new(""),
            |_, text| match text {
                "" => Ok(()),
                _ => Err(ComponentError::refused(
                    "OpenSSLPrngSeedData",
                    "the system's generator of randomness seeds itself; leave it empty",
                )),
            },
        ),
    ),
    flag!(
        "ReuseSSLSession",
        "Whether a TLS session is taken up again on the next connection to the same server.",
        network.tls.resume_sessions
    ),
    ConfigSetting::new(
        "SSLCACertFilePaths",
        "Files whose certificates are trusted as roots, in place of the system's.",
        Access::Text {
            form: "paths, parted as in PATH, or nothing for the system's",
            get: |values| {
                std::env::join_paths(&values.network.ca_files)
                    .map_or_else(|_| String::new(), |paths| paths.to_string_lossy().into_owned())
            },
            set: |values, text| {
                values.network.ca_files =
                    std::env::split_paths(text).filter(|path| !path.as_os_str().is_empty()).collect();
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "SSLCACerts",
        "Certificates that complete the chain of the client's own: no roots, and nothing is trusted for them.",
        Access::Text {
            form: "certificates as PEM, or nothing",
            get: |values| values.network.intermediates.clone(),
            set: |values, text| {
                let _read = network::certificates("SSLCACerts", text)?;
                text.clone_into(&mut values.network.intermediates);
                Ok(())
            },
        },
    ),
    choice!(
        "SSLCheckCRL",
        "Whether revocation lists are asked about a server's certificate.",
        network.tls.revocation,
        {
            0 "no" => Revocation::Unchecked,
            1 "where a list can be had" => Revocation::WhereKnown,
            2 "required" => Revocation::Required,
        }
    ),
    ConfigSetting::new(
        "SSLCipherStrength",
        "The least bits that a cipher's key may have; 0 leaves it at what the engine holds to be strong.",
        Access::Number {
            unit: "bits",
            range: (0, 256),
            get: |values| values.network.tls.min_cipher_bits.map_or(0, i64::from),
            set: |values, bits| {
                values.network.tls.min_cipher_bits = u16::try_from(bits).ok().filter(|bits| *bits != 0);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "SSLEnabledCipherSuites",
        "The cipher suites of TLS 1.2 and 1.3, the best first.",
        Access::Text {
            form: "IANA names with ; between, or * for the engine's own",
            get: |values| {
                values.network.tls.cipher_suites.as_ref().map_or_else(|| "*".to_owned(), |names| names.join(";"))
            },
            set: |values, text| {
                let names = list(text);
                let any = names.is_empty() || names.iter().any(|name| name == "*");
                values.network.tls.cipher_suites = (!any).then_some(names);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "SSLEnabledProtocols",
        "The versions of TLS: the sum of 12288 (1.3) and 3072 (1.2). The older ones are no more, and left out with a warning.",
        Access::Number {
            unit: "",
            range: (0, 0xFFFF),
            get: |values| match values.network.tls.versions {
                TlsVersions::V12 => TLS_12,
                TlsVersions::V13 => TLS_13,
                _ => TLS_12 | TLS_13,
            },
            set: |values, mask| {
                values.network.tls.versions = match (mask & TLS_12 != 0, mask & TLS_13 != 0) {
                    (true, true) => TlsVersions::V12AndV13,
                    (true, false) => TlsVersions::V12,
                    (false, true) => TlsVersions::V13,
                    (false, false) => {
                        let why = if mask & ANY_OLDER != 0 {
                            "SSL and TLS before 1.2 are broken (RFC 8996) and not here; add 3072 (1.2) or 12288 (1.3)"
                        } else {
                            "no version is left; add 3072 (1.2) or 12288 (1.3)"
                        };
                        return Err(ComponentError::refused("SSLEnabledProtocols", why));
                    }
                };
                values.network.older_versions = mask & ANY_OLDER != 0;
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "SSLEnableRenegotiation",
        "Whether secure renegotiation is signalled (RFC 5746). It always is, and nothing here renegotiates.",
        Access::Flag(
            |_| true,
            |_, on| {
                if on {
                    return Ok(());
                }
                Err(ComponentError::refused(
                    "SSLEnableRenegotiation",
                    "the signal is a part of TLS 1.2 as it is spoken here, and nothing renegotiates; leave it true",
                ))
            },
        ),
    ),
    flag!(
        "SSLIncludeCertChain",
        "Whether the event of a server's certificate carries its whole chain.",
        network.tls.chain_in_event
    ),
    ConfigSetting::new(
        "SSLProvider",
        "The name of what does TLS. Each engine has one: which engine, UsePlatformHTTPClient says.",
        Access::Text {
            form: "* for the engine's own, rustls or ring, or openssl with UsePlatformHTTPClient",
            get: |values| match values.network.ssl_provider.as_str() {
                "" => "*".to_owned(),
                given => given.to_owned(),
            },
            set: |values, text| {
                let text = text.trim();
                let known = ["*", "", "rustls", "ring", "openssl"];
                if !known.iter().any(|name| name.eq_ignore_ascii_case(text)) {
                    return Err(ComponentError::value("SSLProvider", "*, rustls, ring or openssl"));
                }
                (if text == "*" { "" } else { text }).clone_into(&mut values.network.ssl_provider);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "SSLSecurityFlags",
        "What may be wrong with a server's certificate: the sum of 0x1 (dates), 0x10 (issuer), 0x20 (usage), 0xF00 (unknown revocation) and 0x80000000 (name).",
        Access::Text {
            form: "a number, or one in hexadecimal after 0x; 0 for none",
            get: |values| format!("0x{:X}", security_flags(values)),
            set: |values, text| {
                let text = text.trim();
                let read = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => text.parse(),
                };
                let flags = read.map_err(|_| {
                    ComponentError::value("SSLSecurityFlags", "a number, or one in hexadecimal after 0x")
                })?;
                values.network.tls.dangerously_accepted_flaws = flaws(flags)?;
                Ok(())
            },
        },
    )
    .risking("anybody on the way can show a certificate with an accepted flaw", |flaws| flaws != "0x0"),
    names!(
        "TLS12SignatureAlgorithms",
        "IANA names such as ecdsa_secp256r1_sha256 with ; between, or nothing for the engine's own",
        "The signature algorithms of TLS 1.2, the best first.",
        network.tls.signature_algorithms_12
    ),
    names!(
        "TLS12SupportedGroups",
        "IANA names such as secp256r1 with ; between, or nothing for the engine's own",
        "The groups of key exchanges in TLS 1.2, the best first.",
        network.groups_12
    ),
    names!(
        "TLS13KeyShareGroups",
        "IANA names such as x25519 with ; between, or nothing",
        "The groups whose key shares are sent along: the first one's is, and the others cost a round trip.",
        network.key_share_groups
    ),
    names!(
        "TLS13SignatureAlgorithms",
        "IANA names such as ecdsa_secp256r1_sha256 with ; between, or nothing for the engine's own",
        "The signature algorithms of TLS 1.3, the best first.",
        network.tls.signature_algorithms_13
    ),
    names!(
        "TLS13SupportedGroups",
        "IANA names such as x25519 with ; between, or nothing for the engine's own",
        "The groups of key exchanges in TLS 1.3, the best first.",
        network.groups_13
    ),
];

fn path(path: Option<&PathBuf>) -> String {
    path.map_or_else(String::new, |path| path.display().to_string())
}

fn security_flags(values: &Values) -> u32 {
    let flaws = values.network.tls.dangerously_accepted_flaws;
    [
        (flaws.out_of_date, OUT_OF_DATE),
        (flaws.unknown_issuer, UNKNOWN_ISSUER),
        (flaws.wrong_usage, WRONG_USAGE),
        (flaws.unknown_revocation, UNKNOWN_REVOCATION),
        (flaws.wrong_name, WRONG_NAME),
    ]
    .into_iter()
    .filter_map(|(accepted, bits)| accepted.then_some(bits))
    .sum()
}

fn flaws(flags: u32) -> Result<Flaws, ComponentError> {
    let known = OUT_OF_DATE | UNKNOWN_ISSUER | WRONG_USAGE | UNKNOWN_REVOCATION | WRONG_NAME;
    if flags & !known != 0 {
        return Err(ComponentError::refused(
            "SSLSecurityFlags",
            format_args!("0x{:X} has no meaning in this TLS; take it out", flags & !known),
        ));
    }
    let revocation = flags & UNKNOWN_REVOCATION;
    if revocation != 0 && revocation != UNKNOWN_REVOCATION {
        return Err(ComponentError::refused(
            "SSLSecurityFlags",
            format_args!(
                "0x{revocation:X} is a part of 0xF00, and whose revocation is unknown cannot be told apart; add the rest to accept it \
                 of every certificate, or take it out"
            ),
        ));
    }
    let mut flaws = Flaws::default();
    flaws.out_of_date = flags & OUT_OF_DATE != 0;
    flaws.unknown_issuer = flags & UNKNOWN_ISSUER != 0;
    flaws.wrong_usage = flags & WRONG_USAGE != 0;
    flaws.unknown_revocation = revocation != 0;
    flaws.wrong_name = flags & WRONG_NAME != 0;
    Ok(flaws)
}
