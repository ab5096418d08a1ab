//! HTTP with nginx at the other end.

use crate::peers::nginx;
use crate::subject::{Subject, get, post, presentable, seen, send, succeeds, transport, trusting};
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use oauth_core::{Delivered, UnreachableKind};
use oauth_interop::Site;
use oauth_transport::{Http, HttpVersion, Settings};
use std::time::{Duration, Instant};

pub(crate) fn each_method_arrives<E: Subject>() {
    let watch = nginx().log().watch();
    let transport = transport::<E>(trusting()).expect("these settings are everybody's");
    for site in [Site::Plain, Site::Https] {
        let url = nginx().url(site, "/token?a=b");
        for (request, method) in [(get(&url), "GET"), (post(&url), "POST")] {
            let response = E::block_on(transport.send(request)).unwrap();
            assert_eq!((seen(&response, "x-method"), seen(&response, "x-http")), (method, "HTTP/1.1"));
            assert_eq!(seen(&response, "x-host"), format!("127.0.0.1:{}", nginx().port(site)));
            let port = nginx().port(site).to_string();
            let line = watch.line(&[&port, &format!("\"{method} /token?a=b HTTP/1.1\" 200")]);
            assert!(line.ends_with("\"oauth/0.1.0\""), "{line}");
        }
    }
}

pub(crate) fn redirects_are_not_followed<E: Subject>() {
    for (path, status, location) in [
        ("/redirect/3", 302, "/redirect/2"),
        ("/redirect/2", 307, "/redirect/1"),
        ("/redirect/1", 301, "/"),
        ("/redirect/loop", 302, "/redirect/loop"),
    ] {
        let response = send::<E>(trusting(), get(&nginx().url(Site::Https, path))).unwrap().unwrap();
        assert_eq!((response.status().as_u16(), seen(&response, "location")), (status, location));
    }
}

pub(crate) fn nothing_is_compressed_unless_asked<E: Subject>() {
    let url = nginx().url(Site::Https, "/gzip");
    let plain = send::<E>(trusting(), get(&url)).unwrap().unwrap();
    assert!(seen(&plain, "content-encoding").is_empty() && plain.body().starts_with(b"{\"long\":"));
    let request = get(&url).with_header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    let packed = send::<E>(trusting(), request).unwrap().unwrap();
    assert_eq!(seen(&packed, "content-encoding"), "gzip");
    assert!(packed.body().starts_with(&[0x1f, 0x8b]), "it is handed on as it is");
}

pub(crate) fn a_slow_body_runs_into_the_total_timeout<E: Subject>() {
    let settings = trusting().with_total_timeout(Duration::from_secs(1));
    let start = Instant::now();
    let error = send::<E>(settings, get(&nginx().url(Site::Https, "/slow"))).unwrap().unwrap_err();
    assert_eq!((error.kind, error.delivered), (UnreachableKind::Timeout, Delivered::Unknown), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    presentable(&error);
}

pub(crate) fn a_server_that_hangs_up_is_told<E: Subject>() {
    for site in [Site::Plain, Site::Https] {
        let error = send::<E>(trusting(), post(&nginx().url(site, "/silent"))).unwrap().unwrap_err();
        assert_eq!((error.kind, error.delivered), (UnreachableKind::Broken, Delivered::Unknown), "{error:?}");
        presentable(&error);
    }
}

pub(crate) fn a_busy_server_is_heard<E: Subject>() {
    let response = send::<E>(trusting(), post(&nginx().url(Site::Https, "/busy"))).unwrap().unwrap();
    assert_eq!((response.status().as_u16(), seen(&response, "retry-after")), (503, "1"));
}

pub(crate) fn requests_share_a_connection<E: Subject>() {
    let transport = transport::<E>(trusting()).expect("these settings are everybody's");
    let url = nginx().url(Site::Https, "/");
    let numbers = E::block_on(async {
        let mut numbers = Vec::new();
        for _ in 0..3 {
            numbers.push(seen(&transport.send(get(&url)).await.unwrap(), "x-connection").to_owned());
        }
        numbers
    });
    assert!(!numbers[0].is_empty() && numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
}

pub(crate) fn http_2_is_spoken_where_it_is_set<E: Subject>() {
    let speaking = |version| {
        let mut http = Http::default();
        http.version = version;
        trusting().with_http(http)
    };
    let url = nginx().url(Site::Http2, "/");
    // Not offered by default, even to a server that has it.
    assert_eq!(seen(&succeeds::<E>(trusting(), &url).unwrap(), "x-http"), "HTTP/1.1");
    let settings: [Settings; 2] = [speaking(HttpVersion::Http2), speaking(HttpVersion::Http2Alone)];
    for settings in settings {
        let Some(response) = succeeds::<E>(settings, &url) else { continue };
        assert_eq!(seen(&response, "x-http"), "HTTP/2.0");
    }
    // A server that has no HTTP/2.
    let url = nginx().url(Site::Https, "/");
    if let Some(response) = succeeds::<E>(speaking(HttpVersion::Http2), &url) {
        assert_eq!(seen(&response, "x-http"), "HTTP/1.1");
    }
    if let Some(result) = send::<E>(speaking(HttpVersion::Http2Alone), post(&url)) {
        let error = result.expect_err("that server does not speak HTTP/2");
        assert_eq!(error.delivered, Delivered::No, "{error:?}");
        presentable(&error);
    }
}
