//! Revocation lists (RFC 5280 section 5): those that are known, those that were fetched, and what they say.
//!
//! A verifier cannot wait. Where a list is missing it says so, and the handshake ends; the lists are fetched, and the
//! handshake is begun once more.

use super::certificate::{Certificate, next_update};
use super::fault::Fault;
use super::verify::Usage;
use oauth_transport::{Revocation, Setting, SettingsError, Tls};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use rustls::{CertificateError, Error};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use webpki::{
    CertRevocationList, EndEntityCert, OwnedCertRevocationList, RevocationCheckDepth, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};

/// How long it is before a list is asked for again that could not be had, or was out of date already.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many lists are fetched for one certificate, those of the certificates above it among them.
const MOST_LISTS: usize = 8;
/// How many lists are kept.
const MOST_KEPT: usize = 64;

type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// The lists of one transport.
pub(crate) struct Lists {
    is_required: bool,
    known: Vec<Arc<List>>,
    fetched: Mutex<HashMap<String, Fetched>>,
}

struct List {
    list: CertRevocationList<'static>,
    next_update: UnixTime,
}

struct Fetched {
    at: Instant,
    list: Result<Arc<List>, String>,
}

/// How a certificate leads to a root, or to one that is taken for a root.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) anchors: &'a [TrustAnchor<'a>],
    pub(super) above: &'a [CertificateDer<'a>],
    pub(super) time: UnixTime,
    pub(super) usage: Usage,
}

impl<'a> Path<'a> {
    pub(super) fn verify(
        &self,
        certificate: &'a EndEntityCert<'a>,
        algorithms: Algorithms<'_>,
        revocation: Option<RevocationOptions<'_>>,
    ) -> Result<VerifiedPath<'a>, webpki::Error> {
        certificate.verify_for_usage(
            algorithms,
            self.anchors,
            self.above,
            self.time,
            self.usage,
            revocation,
            None,
        )
    }
}

impl Lists {
    /// `None` where lists are not asked.
    pub(super) fn new(tls: &Tls) -> Result<Option<Self>, SettingsError> {
        let refuse = |index: usize, why: &str| SettingsError::Value {
            setting: Setting::Revocation,
            value: format!("list {}", index + 1),
            expected: format!("a revocation list as DER or PEM; {why}"),
        };
        let known = tls
            .revocation_lists
            .iter()
            .enumerate()
            .map(|(index, list)| read(list).map(Arc::new).map_err(|why| refuse(index, why)))
            .collect::<Result<Vec<_>, _>>()?;
        match tls.revocation {
            // Lists that are given and never asked would be ignored.
            Revocation::Unchecked if known.is_empty() => Ok(None),
            Revocation::Unchecked => Err(SettingsError::Value {
                setting: Setting::Revocation,
                value: "unchecked".to_owned(),
                expected: "another where revocation lists are given".to_owned(),
            }),
            mode => {
                Ok(Some(Self { is_required: mode == Revocation::Required, known, fetched: Mutex::default() }))
            }
        }
    }

    /// Keeps what came of fetching a list.
    pub(super) fn keep(&self, url: String, list: Result<Vec<u8>, String>) {
        let list = list.and_then(|list| read(&list).map(Arc::new).map_err(ToOwned::to_owned));
        let mut fetched = self.fetched();
        if fetched.len() >= MOST_KEPT
            && let Some(oldest) =
                fetched.iter().min_by_key(|(_, fetched)| fetched.at).map(|(url, _)| url.clone())
        {
            fetched.remove(&oldest);
        }
        fetched.insert(url, Fetched { at: Instant::now(), list });
    }

    /// Whether a certificate, or one above it, was revoked, by all lists that speak for them.
    ///
    /// Of certificates that lead nowhere no list is fetched: anybody could name any URL in them.
    pub(super) fn ask(
        &self,
        certificate: &EndEntityCert<'_>,
        path: &Path<'_>,
        algorithms: Algorithms<'_>,
        may_fetch: bool,
        now: UnixTime,
    ) -> Result<(), Error> {
        let lists = self.usable(certificate, path, algorithms)?;
        let fresh: Vec<_> =
            lists.iter().filter(|list| list.next_update > now).map(|list| &list.list).collect();
        if let Some(options) = options(&fresh, UnknownStatusPolicy::Deny) {
            match path.verify(certificate, algorithms, Some(options)) {
                Ok(_) => return Ok(()),
                Err(webpki::Error::CertRevoked) => return Err(CertificateError::Revoked.into()),
                // One of the certificates has no list.
                Err(_) => {}
            }
        }
        let urls = match path.verify(certificate, algorithms, None) {
            Ok(path) if may_fetch => urls(certificate, &path),
            _ => Vec::new(),
        };
        let needed: Vec<_> = urls.iter().filter(|url| self.is_needed(url, &lists, now)).cloned().collect();
        if !needed.is_empty() {
            return Err(Fault::ListsNeeded(needed).into());
        }
        if self.is_required { Err(Fault::NoList(self.explain(&urls, now)).into()) } else { Ok(()) }
    }

    /// The lists that an issuer of these certificates has signed. Each is tried by itself: a forged one beside a good one
    /// changes nothing, and one that is out of date may still tell that a certificate was revoked.
    fn usable(
        &self,
        certificate: &EndEntityCert<'_>,
        path: &Path<'_>,
        algorithms: Algorithms<'_>,
    ) -> Result<Vec<Arc<List>>, Error> {
        let above: Vec<_> =
            path.above.iter().filter_map(|above| EndEntityCert::try_from(above).ok()).collect();
        let mut lists = self.known.clone();
        lists.extend(self.fetched().values().filter_map(|fetched| fetched.list.as_ref().ok()).cloned());
        lists.retain(|list| {
            let issuer = list.list.issuer();
            certificate.issuer() == issuer || above.iter().any(|above| above.issuer() == issuer)
        });
        let mut usable = Vec::new();
        for list in lists {
            let alone = [&list.list];
            match path.verify(certificate, algorithms, options(&alone, UnknownStatusPolicy::Allow)) {
                Ok(_) => usable.push(list),
                Err(webpki::Error::CertRevoked) => return Err(CertificateError::Revoked.into()),
                Err(_) => continue,
            }
        }
        Ok(usable)
    }

    /// Whether a list is to be fetched. One that says nothing of this certificate is asked for again, too: whoever stands on
    /// the way may have put a forged one in its place.
    fn is_needed(&self, url: &str, usable: &[Arc<List>], now: UnixTime) -> bool {
        self.fetched().get(url).is_none_or(|fetched| {
            let tells = fetched.list.as_ref().is_ok_and(|list| {
                list.next_update > now && usable.iter().any(|usable| Arc::ptr_eq(usable, list))
            });
            !tells && fetched.at.elapsed() > PATIENCE
        })
    }

    /// What became of the lists that should have told.
    fn explain(&self, urls: &[String], now: UnixTime) -> String {
        let fetched = self.fetched();
        let mut text = String::new();
        for url in urls {
            let why = match fetched.get(url).map(|fetched| &fetched.list) {
                Some(Err(why)) => why,
                Some(Ok(list)) if list.next_update <= now => "it is out of date",
                Some(Ok(_)) => "it is not signed by the issuer, or for other certificates",
                None => "it was not asked",
            };
            // Writing to a String cannot fail.
            let _ = write!(text, "; {url}: {why}");
        }
        if urls.is_empty() {
            text.push_str(", and it does not say where there is one over plain http");
        }
        text
    }

    fn fetched(&self) -> MutexGuard<'_, HashMap<String, Fetched>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// DER, or PEM text.
fn read(list: &[u8]) -> Result<List, &'static str> {
    let pem = CertificateRevocationListDer::from_pem_slice(list).ok();
    let der = pem.as_deref().unwrap_or(list);
    let next_update = next_update(der).ok_or("it is no list, or does not say when the next one is due")?;
    let list = OwnedCertRevocationList::from_der(der).map_err(|error| match error {
        webpki::Error::UnsupportedDeltaCrl => "it tells changes alone",
        webpki::Error::UnsupportedIndirectCrl => "it is for the certificates of several issuers",
        _ => "it cannot be read",
    })?;
    Ok(List { list: list.into(), next_update })
}

fn options<'a>(
    lists: &'a [&'a CertRevocationList<'a>],
    policy: UnknownStatusPolicy,
) -> Option<RevocationOptions<'a>> {
    let options = RevocationOptionsBuilder::new(lists).ok()?;
    Some(options.with_depth(RevocationCheckDepth::Chain).with_status_policy(policy).build())
}

/// Where the lists are of the certificates on a path.
fn urls(certificate: &EndEntityCert<'_>, path: &VerifiedPath<'_>) -> Vec<String> {
    let own = certificate.der();
    let above: Vec<_> = path.intermediate_certificates().map(|above| above.der()).collect();
    let mut urls: Vec<String> = Vec::new();
    for der in std::iter::once(&own).chain(&above) {
        let lists = Certificate::read(der).map(|certificate| certificate.lists()).unwrap_or_default();
        urls.extend(lists.into_iter().map(ToOwned::to_owned));
    }
    urls.dedup();
    urls.truncate(MOST_LISTS);
    urls
}

/// The lists that a failed handshake asks for.
pub(super) fn needed(error: &Error) -> Option<&[String]> {
    match error {
        Error::InvalidCertificate(error) => match Fault::of(error)? {
            Fault::ListsNeeded(urls) => Some(urls),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
        CrlDistributionPoint, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
    };
    use webpki::anchor_from_trusted_cert;

    const URL: &str = "http://lists.example/list.crl";

    type Root = CertifiedIssuer<'static, KeyPair>;

    fn root() -> Root {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn leaf(root: &Root) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["as.example".to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(7));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![URL.to_owned()] }];
        params.signed_by(&KeyPair::generate().unwrap(), root).unwrap().der().clone()
    }

    fn list(root: &Root, revoked: u64, until: i32) -> Vec<u8> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(revoked),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(root).unwrap().der().to_vec()
    }

    fn lists(is_required: bool) -> Lists {
        Lists { is_required, known: Vec::new(), fetched: Mutex::default() }
    }

    /// What the lists say of a certificate: an error's fault or text, or nothing.
    fn ask(lists: &Lists, root: &Root, leaf: &CertificateDer<'_>) -> Result<(), String> {
        let anchors = [anchor_from_trusted_cert(root.der()).unwrap()];
        let certificate = EndEntityCert::try_from(leaf).unwrap();
        let now = UnixTime::now();
        let path = Path { anchors: &anchors, above: &[], time: now, usage: Usage::default() };
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
        lists.ask(&certificate, &path, algorithms, true, now).map_err(|error| match needed(&error) {
            Some(urls) => format!("needs {}", urls.join(" ")),
            None => error.to_string(),
        })
    }

    /// Lets a list be as old as if the patience were over.
    fn wait(lists: &Lists) {
        let long_ago = Instant::now().checked_sub(PATIENCE * 2).unwrap();
        for fetched in lists.fetched().values_mut() {
            fetched.at = long_ago;
        }
    }

    #[test]
    fn what_is_no_good_is_asked_for_again_after_a_while_and_what_is_good_is_not() {
        let (root, stranger) = (root(), root());
        let leaf = leaf(&root);
        let need = Err(format!("needs {URL}"));
        for bad in [
            Err("its server answers 503".to_owned()),
            Ok(b"no list".to_vec()),
            Ok(list(&root, 8, 2021)),
            // Forged: by another authority of the same name.
            Ok(list(&stranger, 8, 2099)),
        ] {
            let lists = lists(false);
            assert_eq!(ask(&lists, &root, &leaf), need);
            lists.keep(URL.to_owned(), bad);
            assert_eq!(ask(&lists, &root, &leaf), Ok(()), "it is not required");
            wait(&lists);
            assert_eq!(ask(&lists, &root, &leaf), need);
            lists.keep(URL.to_owned(), Ok(list(&root, 8, 2099)));
            wait(&lists);
            assert_eq!(ask(&lists, &root, &leaf), Ok(()));
            lists.keep(URL.to_owned(), Ok(list(&root, 7, 2099)));
            assert!(ask(&lists, &root, &leaf).is_err_and(|error| error.contains("Revoked")));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let lists = lists(true);
        for number in 0..MOST_KEPT + 10 {
            lists.keep(format!("http://lists.example/{number}"), Err("gone".to_owned()));
        }
        let fetched = lists.fetched();
        assert_eq!(fetched.len(), MOST_KEPT);
        assert!(fetched.contains_key(&format!("http://lists.example/{}", MOST_KEPT + 9)));
    }
}
