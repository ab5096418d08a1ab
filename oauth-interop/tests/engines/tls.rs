//! TLS with nginx, which is OpenSSL, at the other end.

use crate::peers::nginx;
use crate::subject::{Flaw, Subject, fails, get, post, seen, send, succeeds, transport, trusting};
use oauth_core::{KeyId, UnreachableKind};
use oauth_interop::Site;
use oauth_transport::{Identity, Revocation, Settings, Tls, TlsVersions};

/// Refused for that reason, and nothing of the request arrived.
#[track_caller]
fn refused<E: Subject>(settings: Settings, site: Site, flaw: Flaw) {
    let Some(message) = fails::<E>(settings, &nginx().url(site, "/"), UnreachableKind::Tls) else { return };
    assert!(message.contains(E::words(flaw)), "{flaw:?}: {message}");
    let port = format!("{} \"POST", nginx().port(site));
    assert!(!nginx().log().text().contains(&port), "the server was sent a request");
}

pub(crate) fn a_server_of_a_trusted_root_is_spoken_to<E: Subject>() {
    for host in ["127.0.0.1", "localhost"] {
        let response = succeeds::<E>(trusting(), &nginx().url_at(host, Site::Https, "/")).unwrap();
        assert_eq!(seen(&response, "x-tls"), "TLSv1.3");
        assert!(seen(&response, "x-cipher").starts_with("TLS_"), "{}", seen(&response, "x-cipher"));
    }
    let alone = trusting().without_platform_roots();
    let _ = succeeds::<E>(alone, &nginx().url(Site::Https, "/"));
}

pub(crate) fn each_version_is_spoken<E: Subject>() {
    for (site, version) in [(Site::Tls12, "TLSv1.2"), (Site::Tls13, "TLSv1.3")] {
        let response = succeeds::<E>(trusting(), &nginx().url(site, "/")).unwrap();
        assert_eq!(seen(&response, "x-tls"), version);
    }
}

pub(crate) fn one_version_alone<E: Subject>() {
    for (versions, same, other, name) in [
        (TlsVersions::V12, Site::Tls12, Site::Tls13, "TLSv1.2"),
        (TlsVersions::V13, Site::Tls13, Site::Tls12, "TLSv1.3"),
    ] {
        let mut tls = Tls::default();
        tls.versions = versions;
        let settings = trusting().with_tls(tls);
        for site in [same, Site::Https] {
            let Some(response) = succeeds::<E>(settings.clone(), &nginx().url(site, "/")) else { continue };
            assert_eq!(seen(&response, "x-tls"), name);
        }
        let _ = fails::<E>(settings, &nginx().url(other, "/"), UnreachableKind::Tls);
    }
}

pub(crate) fn an_old_version_is_refused<E: Subject>() {
    refused::<E>(trusting(), Site::OldTls, Flaw::OldTls);
}

pub(crate) fn an_unknown_root_is_refused<E: Subject>() {
    let url = nginx().url(Site::Https, "/");
    let message = fails::<E>(Settings::new(), &url, UnreachableKind::Tls).unwrap();
    assert!(message.contains(E::words(Flaw::UnknownRoot)), "{message}");
}

pub(crate) fn an_expired_certificate_is_refused<E: Subject>() {
    refused::<E>(trusting(), Site::Expired, Flaw::Expired);
}

pub(crate) fn a_certificate_for_another_name_is_refused<E: Subject>() {
    refused::<E>(trusting(), Site::WrongHost, Flaw::WrongName);
}

pub(crate) fn a_self_signed_certificate_is_refused<E: Subject>() {
    let url = nginx().url(Site::SelfSigned, "/");
    let message = fails::<E>(trusting(), &url, UnreachableKind::Tls).unwrap();
    assert!(message.contains(E::words(Flaw::SelfSigned)), "{message}");
}

/// What somebody does who has a test server at hand.
pub(crate) fn a_self_signed_certificate_can_be_trusted_as_a_root<E: Subject>() {
    let own = nginx().authority().self_signed().certificate_pem();
    let settings = Settings::new().with_extra_roots_pem(own.as_bytes()).unwrap();
    let _ = succeeds::<E>(settings, &nginx().url(Site::SelfSigned, "/")).unwrap();
}

pub(crate) fn a_revoked_certificate_passes_unless_lists_are_asked<E: Subject>() {
    let _ = succeeds::<E>(trusting(), &nginx().url(Site::Revoked, "/hello")).unwrap();
}

fn asking(revocation: Revocation, lists: &[&[u8]]) -> Settings {
    let mut tls = Tls::default();
    tls.revocation = revocation;
    tls.revocation_lists = lists.iter().map(|list| list.to_vec()).collect();
    trusting().with_tls(tls)
}

/// Refused, and the good one beside it is not.
fn lists_are_asked<E: Subject>(settings: Settings) {
    let url = nginx().url(Site::Revoked, "/");
    if let Some(message) = fails::<E>(settings.clone(), &url, UnreachableKind::Tls) {
        assert!(message.contains(E::words(Flaw::Revoked)), "{message}");
    }
    let _ = succeeds::<E>(settings, &nginx().url(Site::Https, "/"));
}

pub(crate) fn a_revoked_certificate_is_refused_where_lists_are_asked<E: Subject>() {
    let list = nginx().authority().revocation_list();
    for revocation in [Revocation::WhereKnown, Revocation::Required] {
        lists_are_asked::<E>(asking(revocation, &[list]));
    }
}

/// RFC 5280 section 4.2.1.13.
pub(crate) fn a_list_is_fetched_where_the_certificate_says<E: Subject>() {
    if transport::<E>(asking(Revocation::Required, &[])).is_none() {
        return;
    }
    let watch = nginx().log().watch();
    lists_are_asked::<E>(asking(Revocation::Required, &[]));
    let _ = watch.line(&["\"GET /list HTTP/1.", "200"]);
}

pub(crate) fn a_server_that_wants_a_certificate_answers_400<E: Subject>() {
    let response = send::<E>(trusting(), post(&nginx().url(Site::ClientRequired, "/"))).unwrap().unwrap();
    assert_eq!((response.status().as_u16(), seen(&response, "x-client")), (400, "NONE"));
    let response = succeeds::<E>(trusting(), &nginx().url(Site::ClientOptional, "/")).unwrap();
    assert_eq!(seen(&response, "x-client"), "NONE");
}

fn identity(of: &oauth_interop::Identity) -> Identity {
    Identity::from_pem(format!("{}{}", of.certificate_pem(), of.key_pem()).as_bytes()).unwrap()
}

pub(crate) fn a_client_certificate_is_shown<E: Subject>() {
    let alice = identity(nginx().authority().client());
    for site in [Site::ClientRequired, Site::ClientOptional] {
        let settings = trusting().with_client_certificate(alice.clone());
        let Some(response) = succeeds::<E>(settings, &nginx().url(site, "/")) else { continue };
        assert_eq!((seen(&response, "x-client"), seen(&response, "x-client-name")), ("SUCCESS", "CN=alice"));
    }
}

/// RFC 8705: the certificate is for the requests of one client, and the next one may not show it.
pub(crate) fn a_client_certificate_can_be_named_by_the_request<E: Subject>() {
    let alice = identity(nginx().authority().client());
    let settings = trusting().with_named_client_certificate(KeyId::new("alice's"), alice);
    let Some(transport) = transport::<E>(settings) else { return };
    let url = nginx().url(Site::ClientOptional, "/");
    for (named, name) in [(true, "CN=alice"), (false, ""), (true, "CN=alice")] {
        let request =
            if named { get(&url).with_client_certificate(KeyId::new("alice's")) } else { get(&url) };
        let response = E::block_on(transport.send(request)).unwrap();
        assert_eq!(seen(&response, "x-client-name"), name);
    }
}

pub(crate) fn a_bad_client_certificate_is_refused_by_the_server<E: Subject>() {
    let authority = nginx().authority();
    for (who, verdict) in [
        (authority.revoked_client(), "FAILED:certificate revoked"),
        (authority.stranger(), "FAILED:unable to"),
    ] {
        let settings = trusting().with_client_certificate(identity(who));
        let Some(response) = send::<E>(settings, post(&nginx().url(Site::ClientRequired, "/"))) else {
            continue;
        };
        let response = response.unwrap();
        assert_eq!(response.status().as_u16(), 400);
        assert!(seen(&response, "x-client").starts_with(verdict), "{}", seen(&response, "x-client"));
    }
}

/// A connection for each request, so that there is something to resume.
pub(crate) fn a_session_is_taken_up_again_unless_that_is_off<E: Subject>() {
    for (resumes, second) in [(true, "r"), (false, ".")] {
        let (mut tls, mut http) = (Tls::default(), oauth_transport::Http::default());
        tls.resume_sessions = resumes;
        http.reuse_connections = false;
        let Some(transport) = transport::<E>(trusting().with_tls(tls).with_http(http)) else { continue };
        let url = nginx().url(Site::Tls13, "/");
        let seen = E::block_on(async {
            let mut resumed = Vec::new();
            for _ in 0..2 {
                resumed.push(seen(&transport.send(get(&url)).await.unwrap(), "x-resumed").to_owned());
            }
            resumed
        });
        assert_eq!(seen, [".", second], "resumption {resumes}");
    }
}
