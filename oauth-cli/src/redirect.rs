//! The way back as the flags want it: where to listen, or where the browser is sent when nobody listens.

use crate::args::{BrowserFlags, CallbackTls, Listen, RedirectFlags, ResponseMode};
use crate::exit::Problem;
use crate::network;
use crate::report::Report;
use oauth::jwt::StoreKind;
use oauth::loopback::{Address, Certificate, Host, Listener, ResponseMode as Mode};
use oauth::{Error, SignIn};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use url::Url;

/// A sign-in that comes back as the flags say.
pub(crate) fn way_back(
    flags: &RedirectFlags,
    browser: &BrowserFlags,
    report: &Report,
) -> Result<SignIn, Problem> {
    let sign_in = SignIn::new().response_mode(match flags.response_mode {
        ResponseMode::Query => Mode::Query,
        ResponseMode::FormPost => Mode::FormPost,
        ResponseMode::Fragment => Mode::Fragment,
    });
    if browser.paste {
        return Ok(sign_in.without_listener(unattended(flags)?));
    }
    let mut addresses = addresses(flags, report)?;
    if let Some(certificate) = certificate(flags)? {
        report.instruction(format_args!(
            "The browser comes back over https. The SHA-256 fingerprint of the certificate here is\n\n    {}\n",
            certificate.fingerprint()
        ));
        addresses = addresses.into_iter().map(|address| address.https(certificate.clone())).collect();
    }
    if flags.systemd_socket
        && let Some(address) = addresses.first()
    {
        return Ok(sign_in.listener(Listener::from_systemd(address).map_err(Error::from)?));
    }
    Ok(sign_in.addresses(addresses))
}

/// What the listener shows, where it speaks https.
fn certificate(flags: &RedirectFlags) -> Result<Option<Certificate>, Problem> {
    if flags.callback_tls == Some(CallbackTls::SelfSigned) {
        return Ok(Some(Certificate::throw_away().map_err(Error::from)?));
    }
    let Some(path) = &flags.callback_tls_cert else { return Ok(None) };
    let problem = |error: &dyn fmt::Display| {
        Problem::configuration(
            format_args!("{}: {error}", path.display()),
            "check --callback-tls-cert, --callback-tls-key and --callback-tls-password-file",
        )
    };
    let mut contents = network::file(path, "--callback-tls-cert")?;
    if let Some(key) = &flags.callback_tls_key {
        contents.push(b'\n');
        contents.extend_from_slice(&network::file(key, "--callback-tls-key")?);
    }
    let password = flags.callback_tls_password_file.as_deref();
    let entry = network::entry(StoreKind::Auto, &contents, password, "*", &|error| problem(&error))?;
    oauth::callback_certificate(entry).map(Some).map_err(|error| problem(&error))
}

/// Where the browser is sent when its address is pasted: whatever is registered, or a loopback address at which nobody
/// answers.
fn unattended(flags: &RedirectFlags) -> Result<String, Problem> {
    if let Some(redirect_uri) = &flags.redirect_uri {
        let _checked = Url::parse(redirect_uri).map_err(|error| wrong(&error))?;
        return Ok(redirect_uri.clone());
    }
    let host = if flags.redirect_host == "::1" { "[::1]" } else { flags.redirect_host.as_str() };
    let port = flags.listen.first().filter(|listen| listen.port != 0);
    let port = port.map(|listen| format!(":{}", listen.port)).unwrap_or_default();
    Ok(format!("http://{host}{port}/callback"))
}

/// In the order in which they are tried.
fn addresses(flags: &RedirectFlags, report: &Report) -> Result<Vec<Address>, Problem> {
    let redirect_uri = match &flags.redirect_uri {
        None => None,
        Some(redirect_uri) => Some(Url::parse(redirect_uri).map_err(|error| wrong(&error))?),
    };
    let speaks_https = flags.callback_tls.is_some() || flags.callback_tls_cert.is_some();
    if let Some(redirect_uri) = &redirect_uri {
        check_scheme(redirect_uri, flags, speaks_https)?;
    }
    if flags.listen.is_empty() {
        return Ok(vec![match (&redirect_uri, &flags.redirect_uri) {
            (Some(redirect_uri), Some(text)) => {
                let address = Address::from_redirect_uri(text).map_err(|error| wrong(&error))?;
                // The socket of systemd may have another port, and then something in between leads to it.
                match flags.systemd_socket && redirect_uri.port().is_some() {
                    true => address.advertised_as(text).map_err(|error| wrong(&error))?,
                    false => address,
                }
            }
            _ => Address::new().host(host(flags)),
        }]);
    }
    flags.listen.iter().map(|listen| address(listen, flags, redirect_uri.as_ref(), report)).collect()
}

/// The redirect URI says what the browser speaks, and the flags what the listener does.
fn check_scheme(redirect_uri: &Url, flags: &RedirectFlags, speaks_https: bool) -> Result<(), Problem> {
    let https = redirect_uri.scheme() == "https";
    if speaks_https && !https {
        return Err(Problem::usage(
            "the redirect URI does not begin with https://, which is what a listener with a certificate speaks",
            "give the redirect URI as it is registered, or leave out --callback-tls and --callback-tls-cert",
        ));
    }
    // Elsewhere a proxy may take the https off.
    let straight = flags.listen.is_empty() && Host::of(redirect_uri).is_some()
        || flags.listen.iter().any(|listen| {
            is_straight(redirect_uri, listen) && listen.address.is_none_or(|ip| ip.is_loopback())
        });
    if https && !speaks_https && straight {
        return Err(Problem::usage(
            "the redirect URI begins with https://, and the listener there has no certificate",
            "add --callback-tls self-signed, or --callback-tls-cert PATH",
        ));
    }
    Ok(())
}

/// The host by which the browser is sent here.
fn host(flags: &RedirectFlags) -> Host {
    match flags.redirect_host.as_str() {
        "localhost" => Host::Localhost,
        "::1" => Host::V6,
        _ => Host::V4,
    }
}

/// Whether the redirect URI leads to this very port, with nothing in between.
fn is_straight(redirect_uri: &Url, listen: &Listen) -> bool {
    Host::of(redirect_uri).is_some() && redirect_uri.port_or_known_default() == Some(listen.port)
}

/// Whether the redirect URI is one of this machine without a port: it has the listener's then (RFC 8252 section 7.3), as it
/// has where nobody says where to listen. A [`Url`] does not tell port 80 from none.
fn leaves_the_port_to(listen: &Listen, redirect_uri: &str) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else { return false };
    let (_, rest) = redirect_uri.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let names_a_port = authority.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(':');
    url.scheme() == "http"
        && !names_a_port
        && !is_straight(&url, listen)
        && Host::of(&url).is_some()
        && listen.address.is_none_or(|ip| ip.is_loopback())
}

/// One of --listen, called as the redirect URI says.
fn address(
    listen: &Listen,
    flags: &RedirectFlags,
    redirect_uri: Option<&Url>,
    report: &Report,
) -> Result<Address, Problem> {
    let mut address = Address::new().host(host(flags)).port(listen.port);
    let fills_in = flags.redirect_uri.as_deref().is_some_and(|text| leaves_the_port_to(listen, text));
    if let (Some(redirect_uri), Some(text)) = (redirect_uri, &flags.redirect_uri) {
        let named = match fills_in {
            true => Address::from_redirect_uri(text).map(|address| address.port(listen.port)),
            false => address.advertised_as(text),
        };
        address = named.map_err(|error| wrong(&error))?;
        if redirect_uri.scheme() == "http" && Host::of(redirect_uri).is_none() {
            return Err(Problem::usage(
                "the redirect URI would carry the code to another machine in clear: http is for 127.0.0.1, [::1] and localhost",
                "register one that begins with https://, and have a proxy there",
            ));
        }
    }
    let Some(ip) = listen.address else { return Ok(address) };
    if !ip.is_loopback() {
        report.note(format_args!("warning: listening on {ip}, every machine that reaches it may knock"));
        return Ok(address.exposed_to_the_network(ip));
    }
    let bound = match ip {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Host::V4,
        IpAddr::V6(_) => Host::V6,
        IpAddr::V4(_) => {
            return Err(Problem::usage(
                format_args!("--listen {ip}: no redirect URI leads there"),
                "listen on 127.0.0.1 or on [::1]",
            ));
        }
    };
    let called = redirect_uri.and_then(Host::of).unwrap_or_else(|| host(flags));
    match redirect_uri {
        // Nothing else is sent there, or it says where it is sent.
        Some(redirect_uri) if !fills_in && !is_straight(redirect_uri, listen) => Ok(address.host(bound)),
        // The browser may take either.
        _ if called == Host::Localhost || called == bound => Ok(address),
        // The one that is the default, and gives way.
        None if called == Host::V4 => Ok(address.host(bound)),
        _ => Err(Problem::usage(
            format_args!("--listen {ip}: the redirect URI leads to another address of this machine"),
            "listen at the address that the redirect URI names, or by the port alone",
        )),
    }
}

fn wrong(error: &dyn fmt::Display) -> Problem {
    Problem::usage(error, "check --redirect-uri")
}
