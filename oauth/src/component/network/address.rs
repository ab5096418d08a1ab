//! Addresses as they are set: what `EncodeURL` and `UseIDNs` have them written in.

use super::super::error::ComponentError;
use super::super::values::{NetworkValues, OAuthValues, Values};

/// What the protocol is told, with its addresses as URLs.
pub(crate) fn protocol(values: &Values) -> Result<OAuthValues, ComponentError> {
    let mut oauth = values.oauth.clone();
    for (name, text) in [
        ("server_auth_url", &mut oauth.server_auth_url),
        ("server_token_url", &mut oauth.server_token_url),
        ("TokenInfoURL", &mut oauth.token_info_url),
    ] {
        *text = address(name, text, &values.network)?;
    }
    Ok(oauth)
}

/// An address as a URL. What is wrong with it beside, is told when it is used.
pub(crate) fn address(
    name: &'static str,
    text: &str,
    values: &NetworkValues,
) -> Result<String, ComponentError> {
    let Some((before, authority, path)) = parts(text) else { return Ok(text.to_owned()) };
    check_host(name, authority, values.idns)?;
    if path.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    if !values.encode_url {
        return Err(ComponentError::refused(
            name,
            "it holds a character that no URL may have; escape it (a blank is %20), or set EncodeURL to true",
        ));
    }
    let mut url = format!("{before}{authority}");
    for byte in path.bytes() {
        if fits(byte) { url.push(char::from(byte)) } else { url.push_str(&format!("%{byte:02X}")) }
    }
    Ok(url)
}

/// What goes before the host of an address, the host with what belongs to it, and the rest; `None` where there is no scheme.
///
/// However many slashes there are: to a URL of the web, `https:host`, `https:/host` and `https:\\host` are `https://host`, and
/// tabs and line ends are nothing.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = text.split_once(':')?;
    let rest = rest.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    let (before, rest) = text.split_at(text.len() - rest.len());
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    Some((before, authority, path))
}

/// Refuses a host that is not written in ASCII, where it is to be.
pub(super) fn check_host(name: &'static str, host: &str, idns: bool) -> Result<(), ComponentError> {
    // An escaped letter is one, too.
    if idns || (host.is_ascii() && !host.contains('%')) {
        return Ok(());
    }
    Err(ComponentError::refused(
        name,
        "its host has letters beyond ASCII; write it in those (xn--), or set UseIDNs to true",
    ))
}

/// Whether a URL may have this byte (RFC 3986 section 2).
fn fits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}
