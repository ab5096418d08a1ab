//! Whether a server's certificate is good, or good enough.
//!
//! The first word has the platform's verifier, or rustls' own where extra roots alone are trusted. Both tell the first
//! flaw they find and no other. So where that one is accepted, everything is checked again piece by piece by webpki: each
//! piece without the flaws that are accepted, and with all others.

use super::certificate::Certificate;
use super::choices::Schemes;
use super::fault::{self, Fault, from_webpki};
use super::revocation::{Lists, Path};
use oauth_transport::{Decision, EventSink, Flaws, ServerCertificate};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore, SignatureScheme,
};
use std::fmt;
use std::sync::Arc;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage};

pub(super) struct Verifier {
    /// The platform's, or rustls'.
    pub(super) base: Arc<dyn ServerCertVerifier>,
    /// The trusted roots as webpki takes them. Read only where a flaw is accepted or lists are asked.
    pub(super) roots: RootCertStore,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) schemes: Schemes,
    pub(super) flaws: Flaws,
    pub(super) accepted: Option<Vec<u8>>,
    pub(super) lists: Option<Arc<Lists>>,
    pub(super) events: EventSink,
    pub(super) handler_accepts: bool,
    pub(super) chain_in_event: bool,
}

/// What a server shows.
struct Shown<'a> {
    certificate: &'a CertificateDer<'a>,
    above: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

/// A certificate without a flaw that is not accepted.
struct Passed {
    /// The flaws that are.
    flaws: Vec<String>,
    /// Whether it leads to a trusted root.
    is_trusted: bool,
    /// When it was valid: now, or the time that comes closest.
    time: UnixTime,
}

impl Verifier {
    /// Everything but revocation.
    fn examine(&self, shown: &Shown<'_>) -> Result<Passed, Error> {
        let Shown { certificate, above, name, now } = *shown;
        let first = match self.base.verify_server_cert(certificate, above, name, &[], now) {
            Ok(_) => return Ok(Passed { flaws: Vec::new(), is_trusted: true, time: now }),
            Err(error) => name_it(error, certificate),
        };
        if !self.accepts(&first) {
            return Err(first);
        }
        let mut flaws = Vec::new();
        let mut accept = |error: Error| {
            let error = name_it(error, certificate);
            if !self.accepts(&error) {
                return Err(error);
            }
            if let Error::InvalidCertificate(error) = &error {
                let flaw = fault::what(error);
                if !flaws.contains(&flaw) {
                    flaws.push(flaw);
                }
            }
            Ok(())
        };
        accept(first)?;
        let parsed = EndEntityCert::try_from(certificate).map_err(from_webpki)?;
        let is_named = verify_server_name(&ParsedCertificate::try_from(certificate)?, name);
        let named = is_named.is_ok();
        is_named.or_else(&mut accept)?;
        if !Certificate::read(certificate).is_some_and(|certificate| certificate.is_for_servers()) {
            accept(Fault::NotForServers.into())?;
        }
        let usage = Usage { any: self.flaws.wrong_usage };
        let mut passed = Passed { flaws: Vec::new(), is_trusted: true, time: now };
        // Each step goes to the end, or the beginning, of some certificate's time. As many as there can be certificates.
        for step in 0.. {
            let path = Path { anchors: &self.roots.roots, above, time: passed.time, usage };
            let Err(error) = path.verify(&parsed, self.algorithms.all, None) else { break };
            match &error {
                webpki::Error::CertExpired { not_after: time, .. }
                | webpki::Error::CertNotValidYet { not_before: time, .. }
                    if step < MOST_STEPS =>
                {
                    passed.time = *time;
                    accept(from_webpki(error))?;
                }
                webpki::Error::UnknownIssuer
                | webpki::Error::InvalidSignatureForPublicKey
                | webpki::Error::CaUsedAsEndEntity => {
                    passed.is_trusted = false;
                    accept(from_webpki(error))?;
                    break;
                }
                _ => return Err(name_it(from_webpki(error), certificate)),
            }
        }
        // What the operating system alone knows must not hide behind a flaw that is accepted.
        let own_name = if named { Some(name.to_owned()) } else { own_name(&parsed) };
        if passed.is_trusted
            && !usage.any
            && let Some(name) = own_name
        {
            self.base
                .verify_server_cert(certificate, above, &name, &[], passed.time)
                .map_err(|error| name_it(error, certificate))?;
        }
        passed.flaws = flaws;
        Ok(passed)
    }

    /// Whether a flaw is among those that are accepted.
    fn accepts(&self, error: &Error) -> bool {
        use CertificateError as C;
        let Error::InvalidCertificate(error) = error else { return false };
        match error {
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
                self.flaws.out_of_date
            }
            // Signed by a stranger of a trusted authority's name.
            C::UnknownIssuer | C::BadSignature => self.flaws.unknown_issuer,
            C::NotValidForName | C::NotValidForNameContext { .. } => self.flaws.wrong_name,
            _ => match Fault::of(error) {
                Some(Fault::SelfSigned) => self.flaws.unknown_issuer,
                Some(Fault::NotForServers) => self.flaws.wrong_usage,
                Some(Fault::NoList(_)) => self.flaws.unknown_revocation,
                Some(Fault::KeyNotHeld | Fault::ListsNeeded(_) | Fault::Unjudged) | None => false,
            },
        }
    }

    /// Revocation.
    fn ask_lists(&self, shown: &Shown<'_>, passed: &mut Passed) -> Result<(), Error> {
        let Some(lists) = &self.lists else { return Ok(()) };
        let parsed = EndEntityCert::try_from(shown.certificate).map_err(from_webpki)?;
        // Where nobody is trusted, the certificates above it are the only ones that may have signed its list.
        let strangers: Vec<TrustAnchor<'_>>;
        let anchors = if passed.is_trusted {
            &self.roots.roots
        } else {
            strangers =
                shown.above.iter().filter_map(|above| webpki::anchor_from_trusted_cert(above).ok()).collect();
            &strangers
        };
        let path = Path {
            anchors,
            above: shown.above,
            time: passed.time,
            usage: Usage { any: self.flaws.wrong_usage },
        };
        match lists.ask(&parsed, &path, self.algorithms.all, passed.is_trusted, shown.now) {
            Err(error) if self.accepts(&error) => {
                if let Error::InvalidCertificate(error) = &error {
                    passed.flaws.push(fault::what(error));
                }
                Ok(())
            }
            result => result,
        }
    }

    /// Tells the handler. It may refuse any certificate, and accept a bad one where that is set.
    fn tell(&self, shown: &Shown<'_>, verdict: Result<Vec<String>, Error>) -> Result<(), Error> {
        if !self.events.is_active() {
            return verdict.map(drop);
        }
        let status = match &verdict {
            Ok(flaws) if flaws.is_empty() => "OK".to_owned(),
            Ok(flaws) => format!("it {}", flaws.join("; it ")),
            Err(Error::InvalidCertificate(error)) => format!("it {}", fault::what(error)),
            Err(error) => error.to_string(),
        };
        let host = shown.name.to_str();
        let read = Certificate::read(shown.certificate);
        let subject = read.as_ref().map(Certificate::subject).unwrap_or_default();
        let issuer = read.as_ref().map(Certificate::issuer).unwrap_or_default();
        let chain: Vec<&[u8]> =
            shown.above.iter().filter(|_| self.chain_in_event).map(|above| &**above).collect();
        let mut event = ServerCertificate::new(&host, shown.certificate, &status);
        event.subject = &subject;
        event.issuer = &issuer;
        event.chain = &chain;
        let decision = self.events.decide(&event, verdict.is_ok());
        match (verdict, decision) {
            (Ok(_), Decision::Accepted) => Ok(()),
            (Ok(_), Decision::Refused) => Err(CertificateError::ApplicationVerificationFailure.into()),
            (Ok(_), Decision::Unjudged) => Err(Fault::Unjudged.into()),
            (Err(_), Decision::Accepted) if self.handler_accepts => Ok(()),
            (Err(error), _) => Err(error),
        }
    }
}

/// Certificates do not come in longer chains: webpki takes six between the server's and the root.
const MOST_STEPS: usize = 8;

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown { certificate, above, name, now };
        let is_accepted = self.accepted.as_deref() == Some(certificate.as_ref());
        let verdict = match self.examine(&shown) {
            // Certificates are no secrets: comparing them may take what time it takes.
            Err(error) if is_accepted => Ok(vec![match &error {
                Error::InvalidCertificate(error) => fault::what(error),
                error => error.to_string(),
            }]),
            Ok(passed) if is_accepted => Ok(passed.flaws),
            Ok(mut passed) => self.ask_lists(&shown, &mut passed).map(|()| passed.flaws),
            Err(error) => Err(error),
        };
        if let Err(Error::InvalidCertificate(error)) = &verdict
            && let Some(Fault::ListsNeeded(_)) = Fault::of(error)
        {
            return Err(error.clone().into());
        }
        self.tell(&shown, verdict)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        is_offered(signed, &self.schemes.of_12)?;
        verify_tls12_signature(message, certificate, signed, &self.algorithms).map_err(of_handshake)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        is_offered(signed, &self.schemes.of_13)?;
        verify_tls13_signature(message, certificate, signed, &self.algorithms).map_err(of_handshake)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.advertised.clone()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("base", &self.base).finish_non_exhaustive()
    }
}

fn is_offered(signed: &DigitallySignedStruct, schemes: &[SignatureScheme]) -> Result<(), Error> {
    if schemes.contains(&signed.scheme) {
        return Ok(());
    }
    Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
}

/// Tells the signature of a handshake from that of a certificate.
fn of_handshake(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::BadSignature) => Fault::KeyNotHeld.into(),
        error => error,
    }
}

/// Says of an error what the verifiers have no word for, or no word that is the same everywhere.
fn name_it(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let Error::InvalidCertificate(found) = &error else { return error };
    let is_odd = matches!(found, CertificateError::Other(_)) && Fault::of(found).is_none();
    let Some(read) = Certificate::read(certificate) else { return error };
    match found {
        CertificateError::UnknownIssuer if read.is_self_issued() => Fault::SelfSigned.into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Fault::NotForServers.into()
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            // Most tools make a certificate that signs itself that of an authority.
            Some(webpki::Error::CaUsedAsEndEntity) if read.is_self_issued() => Fault::SelfSigned.into(),
            // What the platform's verifier makes of it.
            None if is_odd && !read.is_for_servers() => Fault::NotForServers.into(),
            _ => error,
        },
        _ => error,
    }
}

/// A name that the certificate is for.
fn own_name(parsed: &EndEntityCert<'_>) -> Option<ServerName<'static>> {
    parsed.valid_dns_names().find_map(|name| ServerName::try_from(name.replacen('*', "any", 1)).ok())
}

/// The usage that certificates of servers have, or any.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    any: bool,
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        if self.any { Ok(()) } else { KeyUsage::server_auth().validate(usages) }
    }
}
