//! The device flow's own endpoints (RFC 8628): where a device begins, and where its person enters the code.

use crate::authorize::begin;
use crate::http::{Request, Response};
use crate::json::Object;
use crate::pages;
use crate::scope;
use crate::server::Server;
use crate::state::{Decision, Device, Purpose};
use crate::token::{Refusal, named, read};

/// Answers a device authorization request (RFC 8628 section 3.1).
pub(crate) fn device_authorization(server: &Server, request: &Request) -> Response {
    if request.method != "POST" {
        return Response::method_not_allowed("POST");
    }
    start(server, request).unwrap_or_else(|refusal| refusal.response())
}

/// The page that takes a user code (RFC 8628 section 3.3), its form, and the page at the end.
pub(crate) fn page(server: &Server, request: &Request) -> Response {
    let form = match request.method.as_str() {
        "GET" => request.query(),
        "POST" => request.form(),
        _ => return Response::method_not_allowed("GET, POST"),
    };
    let Ok(form) = form else {
        return pages::message(400, "This does not work", "The parameters are not form-encoded.");
    };
    let user_code = form.value("user_code").unwrap_or_default();
    if request.method == "GET" {
        return match form.value("done") {
            Some("approved") => pages::message(200, "Your device is connected", "You can close this page."),
            Some("denied") => pages::message(200, "Nothing was connected", "You can close this page."),
            // RFC 8628 section 3.3.1: even a complete address shows the code, for the person to compare
            _ => pages::device(200, user_code, None),
        };
    }
    let now = server.clock.now();
    let asked = letters(user_code);
    let found = server
        .state()
        .devices
        .iter()
        .find(|(_, device)| {
            letters(&device.user_code) == asked
                && device.expires > now
                && matches!(device.decision, Decision::Pending)
        })
        .map(|(device_code, _)| device_code.clone());
    match found {
        Some(device_code) => begin(server, Purpose::Device { device_code }),
        None => pages::device(400, user_code, Some("No device waits with this code. It may have expired.")),
    }
}

fn start(server: &Server, request: &Request) -> Result<Response, Refusal> {
    let (form, client) = read(server, request)?;
    let client = named(client)?;
    let scope = scope::asked(&server.settings, &form).map_err(|why| Refusal::new("invalid_scope", why))?;
    let settings = &server.settings;
    let mut state = server.state();
    let (device_code, user_code) = (state.secret("demo-dc-"), state.fresh_user_code());
    state.counters.device_codes += 1;
    state.devices.insert(
        device_code.clone(),
        Device {
            user_code: user_code.clone(),
            client_id: client.id.clone(),
            scope,
            expires: server.clock.now().saturating_add(settings.device_code_lifetime),
            interval: settings.device_interval,
            polled: None,
            decision: Decision::Pending,
        },
    );
    let interval =
        settings.device_interval.as_secs() + u64::from(settings.device_interval.subsec_nanos() > 0);
    let verification_uri = format!("{}/device", server.issuer);
    let json = Object::new()
        .string("device_code", &device_code)
        .string("user_code", &user_code)
        .string("verification_uri", &verification_uri)
        .string("verification_uri_complete", &format!("{verification_uri}?user_code={user_code}"))
        .number("expires_in", settings.device_code_lifetime.as_secs())
        .number("interval", interval);
    Ok(Response::json(200, json.finish()))
}

/// RFC 8628 section 6.1: case and punctuation are the person's.
fn letters(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn people_type_codes_as_they_like() {
        assert_eq!(letters(" wdjb mjht."), letters("WDJB-MJHT"));
        assert_ne!(letters("WDJB-MJHX"), letters("WDJB-MJHT"));
    }
}
