//! The way back as the flags want it: where to listen, or where the browser is sent when nobody listens.

use crate::args::{BrowserFlags, CallbackTls, Listen, RedirectFlags, ResponseMode};
use crate::exit::Problem;
use crate::network;
use crate::report::Report;
use oauth::jwt::StoreKind;
use oauth::loopback::{Address, Certificate, Host, Listener, ResponseMode as Mode};
use oauth::{Error, SignIn};
use std::fmt;
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
    let host = match flags.redirect_host.as_str() {
        "localhost" => Host::Localhost,
        "::1" => Host::V6,
        _ => Host::V4,
    };
    let redirect_uri = match &flags.redirect_uri {
        None => None,
        Some(redirect_uri) => Some(Url::parse(redirect_uri).map_err(|error| wrong(&error))?),
    };
    if flags.listen.is_empty() {
        return Ok(vec![match &redirect_uri {
            Some(redirect_uri) => Address::from_redirect_uri(redirect_uri).map_err(|error| wrong(&error))?,
            None => Address::new().host(host),
        }]);
    }
    let address = |listen: &Listen| {
        let mut address = Address::new().host(host).port(listen.port);
        if let Some(redirect_uri) = &redirect_uri {
            address = address.advertised_as(redirect_uri.clone());
        }
        match listen.address {
            Some(ip) if !ip.is_loopback() => {
                report.note(format_args!(
                    "warning: listening on {ip}, every machine that reaches it may knock"
                ));
                address.exposed_to_the_network(ip)
            }
            Some(ip) if ip.is_ipv6() && host == Host::V4 => address.host(Host::V6),
            _ => address,
        }
    };
    Ok(flags.listen.iter().map(address).collect())
}

fn wrong(error: &dyn fmt::Display) -> Problem {
    Problem::usage(error, "check --redirect-uri")
}
