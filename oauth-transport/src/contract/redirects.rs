//! Redirects that a session follows, and those that it does not, whatever it is told.

use super::Engine;
use super::server::Server;
use super::subject::{BODY, endpoint, get, transport};
use super::tls::{Authority, Valid};
use crate::session::{Redirects, Session, SessionSettings};
use crate::{EventHandler, EventSink, LogLevel, Settings, Transport};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use oauth_core::{Purpose, Request, SecretBytes};
use std::io::Write as _;
use std::sync::Arc;
use url::Url;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// What carries a credential goes to no other server, whatever is set and whoever agrees: not a byte, not a connection
/// (RFC 9700 section 4.12).
pub fn t1_no_credential_follows_a_redirect_to_another_server<E: Engine>() {
    let transport: Arc<dyn Transport> = transport::<E>(Settings::new()).into();
    let mut cases = 0;
    for status in STATUSES {
        for carrier in Carrier::ALL {
            cases += 1;
            let stranger = Server::answering(OK);
            let server = Server::answering(redirect(status, &stranger.http("/stolen")));
            let mut calls = 0;
            for redirects in [Redirects::Always, Redirects::SameScheme] {
                for get_on_302 in [false, true] {
                    for willing in [false, true] {
                        calls += 1;
                        let mut settings = SessionSettings::new();
                        settings.redirects = redirects;
                        settings.get_on_302 = get_on_302;
                        let events =
                            if willing { EventSink::new(Willing, LogLevel::None) } else { EventSink::none() };
                        let session = Session::new(Arc::clone(&transport), settings, events);
                        let request = carrier.request(&server.http("/"));
                        let response =
                            E::block_on(session.send(request)).expect("a redirect is a response as well");
                        assert_eq!(response.status(), status, "{carrier:?}");
                        assert_eq!(stranger.connections(), 0, "{carrier:?} followed a {status}");
                    }
                }
            }
            assert_eq!(server.received().len(), calls, "{carrier:?}: each call is sent once");
        }
    }
    assert_eq!(cases, 20);
}

/// A document that anybody may read is followed, on its server and to another: what the case above would have seen.
pub fn plain_documents_follow_redirects<E: Engine>() {
    for status in STATUSES {
        for redirects in [Redirects::Always, Redirects::SameScheme] {
            let there = Server::answering(OK);
            let elsewhere = there.http("/there");
            let server = Server::new(move |connection| {
                while let Some(request) = connection.request()? {
                    let answer = match request.line.as_str() {
                        "GET /far HTTP/1.1" => redirect(status, &elsewhere),
                        "GET /near HTTP/1.1" => redirect(status, "here"),
                        _ => OK.to_vec(),
                    };
                    connection.write_all(&answer)?;
                }
                Ok(())
            });
            let session = following::<E>(Settings::new(), redirects);
            E::block_on(async {
                for path in ["/far", "/near"] {
                    let response = session.send(get(&server.http(path))).await.expect("the server answers");
                    assert_eq!((response.status().as_u16(), response.body()), (200, &b"{}"[..]), "{path}");
                }
            });
            assert_eq!(there.only().line, "GET /there HTTP/1.1", "{status}");
            let lines: Vec<_> = server.received().into_iter().map(|request| request.line).collect();
            assert_eq!(lines, ["GET /far HTTP/1.1", "GET /near HTTP/1.1", "GET /here HTTP/1.1"], "{status}");
        }
    }
}

/// From TLS nothing leads to where anybody can read along, not even on this machine; the other way there is no harm.
pub fn redirects_never_lead_from_https_to_http<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("127.0.0.1", Valid::Now);
    for status in STATUSES {
        let plain = Server::answering(OK);
        let location = plain.http("/plain");
        let secure = Server::tls(tls.clone(), move |connection| {
            while let Some(request) = connection.request()? {
                let leads_away = request.line.starts_with("GET /down");
                connection.write_all(&if leads_away { redirect(status, &location) } else { OK.to_vec() })?;
            }
            Ok(())
        });
        let up = Server::answering(redirect(status, &secure.https("/up")));
        let settings = Settings::new().with_extra_root_der(authority.der());
        for (redirects, leads_up) in [(Redirects::Always, 200), (Redirects::SameScheme, status)] {
            let session = following::<E>(settings.clone(), redirects);
            E::block_on(async {
                let down = session.send(get(&secure.https("/down"))).await.expect("the server answers");
                assert_eq!(down.status(), status, "{redirects:?}");
                let up = session.send(get(&up.http("/"))).await.expect("the server answers");
                assert_eq!(up.status(), leads_up, "{redirects:?}");
            });
        }
        assert_eq!(plain.connections(), 0, "{status} led from https to http");
    }
}

fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

fn following<E: Engine>(settings: Settings, redirects: Redirects) -> Session<Box<dyn Transport>> {
    let mut wanted = SessionSettings::new();
    wanted.redirects = redirects;
    Session::new(transport::<E>(settings), wanted, EventSink::none())
}

/// A request that holds what no other server may see.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    Token,
    Introspection,
    Resource,
    Registration,
}

impl Carrier {
    const ALL: [Self; 4] = [Self::Token, Self::Introspection, Self::Resource, Self::Registration];

    fn request(self, url: &str) -> Request {
        let endpoint = endpoint(url);
        let form = |purpose| Request::form(purpose, endpoint.clone(), SecretBytes::new(BODY));
        match self {
            Self::Token => form(Purpose::Token),
            Self::Introspection => {
                form(Purpose::Introspection).with_header(AUTHORIZATION, secret("Basic planted-basic"))
            }
            Self::Resource => bearing(Purpose::Resource, url),
            Self::Registration => bearing(Purpose::Registration, url),
        }
    }
}

fn bearing(purpose: Purpose, url: &str) -> Request {
    Request::get(purpose, endpoint(url)).with_header(AUTHORIZATION, secret("Bearer planted-token"))
}

fn secret(text: &'static str) -> HeaderValue {
    let mut value = HeaderValue::from_static(text);
    value.set_sensitive(true);
    value
}

/// A handler that has every redirect followed, as far as it is asked.
struct Willing;

impl EventHandler for Willing {
    fn on_redirect(&mut self, _: &Url, accept: &mut bool) {
        *accept = true;
    }
}
