//! The way back as the flags want it: where to listen, or where the browser is sent when nobody listens.

use crate::args::{BrowserFlags, Listen, RedirectFlags};
use crate::exit::Problem;
use crate::report::Report;
use oauth::SignIn;
use oauth::loopback::{Address, Host};
use std::fmt;
use url::Url;

/// A sign-in that comes back as the flags say.
pub(crate) fn way_back(
    flags: &RedirectFlags,
    browser: &BrowserFlags,
    report: &Report,
) -> Result<SignIn, Problem> {
    if browser.paste {
        return Ok(SignIn::new().without_listener(unattended(flags)?));
    }
    Ok(SignIn::new().addresses(addresses(flags, report)?))
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
