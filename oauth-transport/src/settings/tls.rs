//! What TLS is told, save whom it trusts: the roots are in [`Settings`](crate::Settings) itself.

use crate::setting::Setting;
use crate::settings::{SettingsError, cipher_list};
use std::fmt;

/// The settings of TLS.
///
/// The defaults are TLS 1.2 and 1.3 with what the engine holds to be strong, full checks of the server's certificate, and
/// no revocation lists.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// The protocol versions. Older ones than TLS 1.2 do not exist here (RFC 8996).
    pub versions: TlsVersions,
    /// The cipher suites of both versions by their IANA names, such as `TLS_AES_128_GCM_SHA256`, the best first. `None`
    /// takes the engine's own; a version without a suite in the list is not offered.
    pub cipher_suites: Option<Vec<String>>,
    /// The least bits that a cipher's key may have, such as 256.
    pub min_cipher_bits: Option<u16>,
    /// The groups of key exchanges by their IANA names, such as `x25519` and `secp256r1`, the best first: the first one's
    /// share is sent along. `None` takes the engine's own.
    pub groups: Option<Vec<String>>,
    /// The signature algorithms by their IANA names, such as `ecdsa_secp256r1_sha256`, for TLS 1.2. `None` takes the
    /// engine's own.
    pub signature_algorithms_12: Option<Vec<String>>,
    /// The same for TLS 1.3.
    pub signature_algorithms_13: Option<Vec<String>>,
    /// Whether a session is taken up again on the next connection to the same server (RFC 8446 section 2.2). On by
    /// default; the component `OAuth` has it off. Where a handler of events
    /// [may refuse](crate::EventSink::may_refuse) certificates, none is: it would be taken up without a certificate.
    pub resume_sessions: bool,
    /// Whether revocation lists are asked about a server's certificate and those above it. Where they are, no session is
    /// resumed: it would be taken up without a certificate.
    pub revocation: Revocation,
    /// Revocation lists that are known already, as DER or PEM. Those that certificates point to over plain `http` are
    /// fetched beside them.
    pub revocation_lists: Vec<Vec<u8>>,
    /// What may be wrong with a server's certificate. **Dangerous**: one accepted flaw leaves every other refused, and
    /// anybody on the way can show a certificate with that one.
    pub dangerously_accepted_flaws: Flaws,
    /// A server's certificate as DER that is accepted whatever is wrong with its chain, its name and its dates. The server
    /// still proves that it holds the key. Revocation lists are not asked about it. Other certificates are checked as ever.
    pub accepted_certificate: Option<Vec<u8>>,
    /// Whether the handler of the events may accept a server's certificate that the checks refuse, which is as **dangerous**
    /// as it sounds. It may refuse any without this.
    pub dangerously_handler_accepts: bool,
    /// Whether the event of a server's certificate carries its whole chain.
    pub chain_in_event: bool,
    /// Whether the headers of TLS records are logged, as [`LogType::Info`](crate::LogType::Info) at the level of debugging.
    pub log_records: bool,
}

/// The versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsVersions {
    /// TLS 1.3, and TLS 1.2 with servers that have no later one.
    #[default]
    V12AndV13,
    /// TLS 1.2 alone.
    V12,
    /// TLS 1.3 alone.
    V13,
}

/// Whether revocation lists are asked (RFC 5280 section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// No.
    #[default]
    Unchecked,
    /// Where a list can be had; a certificate without one passes.
    WhereKnown,
    /// Always; a certificate that no list speaks for is refused.
    Required,
}

/// What may be wrong with a certificate and be accepted nevertheless. Each is a flaw of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flaws {
    /// Its dates: it has expired, or is not valid yet.
    pub out_of_date: bool,
    /// No trusted root issued it, or no root at all.
    pub unknown_issuer: bool,
    /// It is not for servers (RFC 5280 section 4.2.1.12).
    pub wrong_usage: bool,
    /// Revocation is required, and no list speaks for it.
    pub unknown_revocation: bool,
    /// It is for another name.
    pub wrong_name: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

impl Tls {
    pub(super) const fn new() -> Self {
        Self {
            versions: TlsVersions::V12AndV13,
            cipher_suites: None,
            min_cipher_bits: None,
            groups: None,
            signature_algorithms_12: None,
            signature_algorithms_13: None,
            resume_sessions: true,
            revocation: Revocation::Unchecked,
            revocation_lists: Vec::new(),
            dangerously_accepted_flaws: Flaws {
                out_of_date: false,
                unknown_issuer: false,
                wrong_usage: false,
                unknown_revocation: false,
                wrong_name: false,
            },
            accepted_certificate: None,
            dangerously_handler_accepts: false,
            chain_in_event: false,
            log_records: false,
        }
    }

    /// Takes the cipher suites of TLS 1.2 from a list as OpenSSL writes them, such as `HIGH:!aNULL` or
    /// `ECDHE+AESGCM:ECDHE+CHACHA20`.
    ///
    /// Those of TLS 1.3 are what they were: such lists do not speak of them. What OpenSSL calls by these words beyond the
    /// ciphers that are still strong is left out.
    ///
    /// # Errors
    /// A word of the list is unknown, or means no cipher that there is, or nothing is left.
    pub fn with_openssl_ciphers(mut self, list: &str) -> Result<Self, SettingsError> {
        let mut suites: Vec<String> = match self.cipher_suites.take() {
            None => SUITES_OF_13.map(str::to_owned).to_vec(),
            Some(suites) => suites.into_iter().filter(|name| !is_of_12(name)).collect(),
        };
        suites.extend(cipher_list::read(list)?);
        self.cipher_suites = Some(suites);
        Ok(self)
    }

    pub(super) fn used(&self, used: &mut Vec<Setting>) {
        let Self {
            versions,
            cipher_suites,
            min_cipher_bits,
            groups,
            signature_algorithms_12,
            signature_algorithms_13,
            resume_sessions,
            revocation,
            revocation_lists,
            dangerously_accepted_flaws,
            accepted_certificate,
            dangerously_handler_accepts,
            chain_in_event,
            log_records,
        } = self;
        let Flaws { out_of_date, unknown_issuer, wrong_usage, unknown_revocation, wrong_name } =
            dangerously_accepted_flaws;
        let suites = |of_12| cipher_suites.iter().flatten().filter(move |name| is_of_12(name) == of_12);
        // All that there are is no choice among them.
        let chooses_13 = suites(false).count() > 0
            && !SUITES_OF_13.iter().all(|name| suites(false).any(|chosen| chosen == name));
        used.extend(
            [
                (*versions != TlsVersions::V12AndV13, Setting::TlsVersions),
                (suites(true).count() > 0, Setting::CipherSuites12),
                (chooses_13, Setting::CipherSuites13),
                (min_cipher_bits.is_some(), Setting::CipherStrength),
                (groups.is_some(), Setting::Groups),
                (
                    signature_algorithms_12.is_some() || signature_algorithms_13.is_some(),
                    Setting::SignatureAlgorithms,
                ),
                (!resume_sessions, Setting::FreshSessions),
                (*revocation != Revocation::Unchecked || !revocation_lists.is_empty(), Setting::Revocation),
                (*out_of_date, Setting::AcceptOutOfDate),
                (*unknown_issuer, Setting::AcceptUnknownIssuer),
                (*wrong_usage, Setting::AcceptWrongUsage),
                (*unknown_revocation, Setting::AcceptUnknownRevocation),
                (*wrong_name, Setting::AcceptWrongName),
                (accepted_certificate.is_some(), Setting::Pin),
                (*dangerously_handler_accepts || *chain_in_event, Setting::CertificateDecisions),
                (*log_records, Setting::RecordLog),
            ]
            .into_iter()
            .filter_map(|(used, setting)| used.then_some(setting)),
        );
    }
}

/// The cipher suites of TLS 1.3 that every engine has, in the usual order.
const SUITES_OF_13: [&str; 3] =
    ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"];

/// The names of TLS 1.3's suites lack the key exchange (RFC 8446 section B.4).
fn is_of_12(suite: &str) -> bool {
    suite.contains("_WITH_")
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("versions", &self.versions)
            .field("cipher_suites", &self.cipher_suites)
            .field("min_cipher_bits", &self.min_cipher_bits)
            .field("groups", &self.groups)
            .field("signature_algorithms_12", &self.signature_algorithms_12)
            .field("signature_algorithms_13", &self.signature_algorithms_13)
            .field("resume_sessions", &self.resume_sessions)
            .field("revocation", &self.revocation)
            .field("revocation_lists", &format_args!("[{}]", self.revocation_lists.len()))
            .field("dangerously_accepted_flaws", &self.dangerously_accepted_flaws)
            .field("accepted_certificate", &self.accepted_certificate.is_some())
            .field("dangerously_handler_accepts", &self.dangerously_handler_accepts)
            .field("chain_in_event", &self.chain_in_event)
            .field("log_records", &self.log_records)
            .finish()
    }
}
