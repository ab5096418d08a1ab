//! What the component has beside its settings, name by name: the pages that lead there from the names of old are made of it.

/// Something that the component has: a property, a method, an event, a profile or a grant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// The component's name for it.
    pub name: &'static str,
    /// Where it is in this crate.
    pub rust: &'static str,
    /// What to know about it; empty where there is nothing to say.
    pub note: &'static str,
}

/// What an [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ItemKind {
    /// A value that is set or read.
    Property,
    /// Something that is called.
    Method,
    /// Something that is told.
    Event,
    /// A kind of client.
    Profile,
    /// A way to tokens.
    Grant,
}

const fn item(kind: ItemKind, name: &'static str, rust: &'static str, note: &'static str) -> Item {
    Item { kind, name, rust, note }
}

use ItemKind::{Event, Grant, Method, Profile, Property};

/// Everything that the component has beside its [settings](super::ConfigSetting), in the order of its documentation.
#[rustfmt::skip]
pub const ITEMS: &[Item] = &[
    item(Property, "access_token", "OAuth::access_token, OAuth::set_access_token", ""),
    item(Property, "authorization_code", "OAuth::authorization_code, OAuth::set_authorization_code", "Exchanged once by the next call, and empty then; the embedded web server's is shown, and exchanged by none. `set_authorization_response` takes the whole address, whose `state` is checked."),
    item(Property, "authorization_scope", "OAuth::authorization_scope, OAuth::set_authorization_scope", "Shows what was granted, once the server says so."),
    item(Property, "client_id", "OAuth::client_id, OAuth::set_client_id", ""),
    item(Property, "client_profile", "OAuth::client_profile, OAuth::set_client_profile", "An enumeration with the same numbers."),
    item(Property, "client_secret", "OAuth::client_secret, OAuth::set_client_secret", "Goes into HTTP Basic, unless `set_credentials_in_body` says otherwise."),
    item(Property, "grant_type", "OAuth::grant_type, OAuth::set_grant_type", "An enumeration with the same numbers."),
    item(Property, "param_count", "OAuth::param_count, OAuth::set_param_count", "A `Result`: up to 100."),
    item(Property, "param_name", "OAuth::param_name, OAuth::set_param_name", "A `Result`: there may be nothing at the index."),
    item(Property, "param_value", "OAuth::param_value, OAuth::set_param_value", "A `Result`; its `Debug` is blind, since it may be a token."),
    item(Property, "refresh_token", "OAuth::refresh_token, OAuth::set_refresh_token", "Emptied where the server says that it is of no use; no browser opens then."),
    item(Property, "return_url", "OAuth::return_url, OAuth::set_return_url", "A set one is bound by the embedded web server, with its port."),
    item(Property, "server_auth_url", "OAuth::server_auth_url, OAuth::set_server_auth_url", "`https`, or `http` on this machine by `set_dangerously_plain_http_on_loopback`."),
    item(Property, "server_token_url", "OAuth::server_token_url, OAuth::set_server_token_url", "As `server_auth_url`."),
    item(Property, "timeout", "OAuth::timeout, OAuth::set_timeout", "A `Duration`; `None` waits for ever."),
    item(Property, "connected", "OAuth::connected, OAuth::disconnect", "Read; setting it to false is `disconnect`."),
    item(Property, "cookie_count", "OAuth::cookie_count, OAuth::set_cookie_count", "The cookies of servers, then the added ones: up to 100 of these."),
    item(Property, "cookie_domain", "OAuth::cookie_domain", ""),
    item(Property, "cookie_expiration", "OAuth::cookie_expiration", ""),
    item(Property, "cookie_name", "OAuth::cookie_name, OAuth::set_cookie_name", "Set for added ones alone."),
    item(Property, "cookie_path", "OAuth::cookie_path", ""),
    item(Property, "cookie_secure", "OAuth::cookie_secure", ""),
    item(Property, "cookie_value", "OAuth::cookie_value, OAuth::set_cookie_value", "Set for added ones alone; its `Debug` is blind."),
    item(Property, "firewall_auto_detect", "OAuth::firewall_auto_detect, OAuth::set_firewall_auto_detect", "The environment's `ALL_PROXY`."),
    item(Property, "firewall_type", "OAuth::firewall_type, OAuth::set_firewall_type", "`None`, or a `FirewallKind`."),
    item(Property, "firewall_host", "OAuth::firewall_host, OAuth::set_firewall_host", ""),
    item(Property, "firewall_password", "OAuth::firewall_password, OAuth::set_firewall_password", ""),
    item(Property, "firewall_port", "OAuth::firewall_port, OAuth::set_firewall_port", "`None` is the usual one of the type."),
    item(Property, "firewall_user", "OAuth::firewall_user, OAuth::set_firewall_user", ""),
    item(Property, "follow_redirects", "OAuth::follow_redirects, OAuth::set_follow_redirects", "No credential leaves its origin, and no token request is redirected, whatever is set."),
    item(Property, "idle", "OAuth::idle", ""),
    item(Property, "local_host", "OAuth::local_host, OAuth::set_local_host", "An address."),
    item(Property, "other_headers", "OAuth::other_headers, OAuth::set_other_headers", "A `Result`: what frames the request is refused."),
    item(Property, "proxy_auth_scheme", "OAuth::proxy_auth_scheme, OAuth::set_proxy_auth_scheme", "An enumeration with the same numbers."),
    item(Property, "proxy_auto_detect", "OAuth::proxy_auto_detect, OAuth::set_proxy_auto_detect", "The environment's `HTTPS_PROXY` and `NO_PROXY`, where no `proxy_server` is set."),
    item(Property, "proxy_password", "OAuth::proxy_password, OAuth::set_proxy_password", ""),
    item(Property, "proxy_port", "OAuth::proxy_port, OAuth::set_proxy_port", "A `Result`: 0 is no port."),
    item(Property, "proxy_server", "OAuth::proxy_server, OAuth::set_proxy_server", "A name, an address or a URL."),
    item(Property, "proxy_ssl", "OAuth::proxy_ssl, OAuth::set_proxy_ssl", "An enumeration with the same numbers."),
    item(Property, "proxy_user", "OAuth::proxy_user, OAuth::set_proxy_user", ""),
    item(Property, "transferred_data", "OAuth::transferred_data", "Bytes with a blind `Debug`: a token response holds tokens."),
    item(Property, "transferred_headers", "OAuth::transferred_headers", "A text with a blind `Debug`."),
    item(Property, "ssl_accept_server_cert_encoded", "OAuth::ssl_accept_server_cert_encoded, OAuth::set_ssl_accept_server_cert_encoded", ""),
    item(Property, "ssl_cert_encoded", "OAuth::ssl_cert_encoded, OAuth::set_ssl_cert_encoded", "A `Result`: the store has to have its key."),
    item(Property, "ssl_cert_store", "OAuth::ssl_cert_store, OAuth::set_ssl_cert_store", ""),
    item(Property, "ssl_cert_store_password", "OAuth::ssl_cert_store_password, OAuth::set_ssl_cert_store_password", ""),
    item(Property, "ssl_cert_store_type", "OAuth::ssl_cert_store_type, OAuth::set_ssl_cert_store_type", "`StoreKind`, with the same numbers."),
    item(Property, "ssl_cert_subject", "OAuth::ssl_cert_subject, OAuth::set_ssl_cert_subject", ""),
    item(Property, "ssl_server_cert_encoded", "OAuth::ssl_server_cert_encoded", "Can only be read; a `Result`: isahc does not show it."),
    item(Property, "web_server_port", "OAuth::web_server_port, OAuth::set_web_server_port", ""),
    item(Property, "web_server_ssl_cert_store", "OAuth::web_server_ssl_cert_store, OAuth::set_web_server_ssl_cert_store", "Empty makes a certificate for the occasion."),
    item(Property, "web_server_ssl_cert_store_password", "OAuth::web_server_ssl_cert_store_password, OAuth::set_web_server_ssl_cert_store_password", ""),
    item(Property, "web_server_ssl_cert_store_type", "OAuth::web_server_ssl_cert_store_type, OAuth::set_web_server_ssl_cert_store_type", "`StoreKind`, with the same numbers."),
    item(Property, "web_server_ssl_cert_subject", "OAuth::web_server_ssl_cert_subject, OAuth::set_web_server_ssl_cert_subject", ""),
    item(Property, "web_server_ssl_enabled", "OAuth::web_server_ssl_enabled, OAuth::set_web_server_ssl_enabled", ""),
    item(Method, "add_cookie", "OAuth::add_cookie", ""),
    item(Method, "add_param", "OAuth::add_param", "A claim of the assertion with the JWT profile."),
    item(Method, "config", "OAuth::config", "A `Result`, whose value has a blind `Debug` where it is a secret."),
    item(Method, "do_events", "OAuth::do_events", "Tells a handler that is served by it (`set_events_queued`) what has waited, and says how much."),
    item(Method, "get_authorization", "OAuth::get_authorization", "Gives an `Authorization`, whose `header_value` is the string. `get_authorization_async` is its twin."),
    item(Method, "get_authorization_url", "OAuth::get_authorization_url", "`get_authorization_url_async` is its twin."),
    item(Method, "interrupt", "OAuth::interrupt", "From any thread, event handlers included."),
    item(Method, "reset", "OAuth::reset", "Handlers of events stay."),
    item(Method, "start_web_server", "OAuth::start_web_server", ""),
    item(Method, "stop_web_server", "OAuth::stop_web_server", ""),
    item(Event, "on_connected", "EventHandler::on_connected", ""),
    item(Event, "on_connection_status", "EventHandler::on_connection_status", ""),
    item(Event, "on_disconnected", "EventHandler::on_disconnected", ""),
    item(Event, "on_end_transfer", "EventHandler::on_end_transfer", ""),
    item(Event, "on_error", "EventHandler::on_error", ""),
    item(Event, "on_header", "EventHandler::on_header", ""),
    item(Event, "on_launch_browser", "EventHandler::on_launch_browser", "The URL and the command are fields that can be set; no shell reads the command."),
    item(Event, "on_log", "EventHandler::on_log", "No secret is in it, at any level, unless `set_dangerously_log_secrets` says otherwise."),
    item(Event, "on_redirect", "EventHandler::on_redirect", "`accept` can narrow; it takes no credential to another origin."),
    item(Event, "on_return_url", "EventHandler::on_return_url", "The query comes without its values, unless `expose_query` asks for them."),
    item(Event, "on_set_cookie", "EventHandler::on_set_cookie", ""),
    item(Event, "on_ssl_server_authentication", "EventHandler::on_ssl_server_authentication", "`accept = false` counts always; `true` for a certificate that the checks refuse, with `set_dangerously_decide_on_certificates`."),
    item(Event, "on_ssl_status", "EventHandler::on_ssl_status", ""),
    item(Event, "on_start_transfer", "EventHandler::on_start_transfer", ""),
    item(Event, "on_status", "EventHandler::on_status", ""),
    item(Event, "on_transfer", "EventHandler::on_transfer", ""),
    item(Profile, "cfApplication", "ClientProfile::Application", ""),
    item(Profile, "cfWebServer", "ClientProfile::WebServer", "Two processes: `take_pending` and `restore_pending`."),
    item(Profile, "cfDevice", "ClientProfile::Device", ""),
    item(Profile, "cfMobile", "ClientProfile::Mobile", "The event alone tells the address."),
    item(Profile, "cfBrowser", "ClientProfile::Browser", "A public client: a secret is refused."),
    item(Profile, "cfJWT", "ClientProfile::Jwt", ""),
    item(Grant, "ogtAuthorizationCode", "GrantType::AuthorizationCode", "With PKCE and `state`, always."),
    item(Grant, "ogtImplicit", "GrantType::Implicit", "RFC 9700 advises against it: a warning is told."),
    item(Grant, "ogtPassword", "GrantType::Password", "The form variables `username` and `password`. RFC 9700 forbids it: a warning is told."),
    item(Grant, "ogtClientCredentials", "GrantType::ClientCredentials", ""),
];

/// What is other in the [settings](super::ConfigSetting) than it was in the component of old, name by name.
pub(crate) const NOTES: &[(&str, &str)] = &[
    ("Append", "The file is named by `set_local_file`."),
    ("AuthorizationTokenType", "A type that is no bearer token's is an error."),
    ("BrowserResponseTimeout", "300 is the default, in place of 0 (for ever)."),
    ("CodeChallengeMethod", "S256 is the default."),
    (
        "FollowRedirects",
        "No credential leaves its origin, and no token request is redirected, whatever is set.",
    ),
    ("FirewallHost", "User name and password are refused in it: `FirewallUser`, `FirewallPassword`."),
    ("FormVarName", "What the protocol sends itself is refused."),
    ("GetOn302Redirect", "`true` is refused: no request with a body is redirected."),
    ("IncludeEmptyRedirectURI", "`false` is the default, in place of `true`."),
    (
        "JWTSignatureAlgorithm",
        "Empty, the key's own, is the default, in place of RS256: the same for an RSA key. More of them; the key has to fit.",
    ),
    ("JWTValidityTime", "More than an hour is taken for an hour."),
    ("LocalPort", "May be set while there is a connection, and counts from the next one on."),
    ("MaxLineLength", "0 is the default, in place of 2048: a longer line of a head is an error here."),
    ("Office365ServiceEndpoint", "The service is retired: the endpoint is that of its successor."),
    ("OpenSSLPrngSeedData", "Anything but nothing is refused."),
    ("PollingInterval", "Never less than the server asks for."),
    ("ProxyAuthorization", "For proxies alone."),
    ("ProxyServer", "User name and password are refused in it: `ProxyUser`, `ProxyPassword`."),
    ("SSLCheckCRL", "A number, as before: 0, 1 or 2."),
    (
        "SSLEnabledProtocols",
        "15360 (1.2 and 1.3) is the default, in place of 4032. The versions before are refused.",
    ),
    ("SSLEnableRenegotiation", "`false` is refused; nothing renegotiates."),
    ("SSLProvider", "Another than the engine's own is refused."),
    (
        "SSLSecurityFlags",
        "The bits that have a meaning outside of Windows; the others are refused, as are parts of 0xF00, which cannot be told apart.",
    ),
    ("TcpNoDelay", "`true` is the default, in place of `false`, which isahc refuses."),
    (
        "TLS12SupportedGroups",
        "Empty, the engine's own, is the default, in place of P-256, P-384 and P-521; no engine here has the last.",
    ),
    ("TransferredDataLimit", "1 MiB is the default, in place of none. More is an error, and no cut."),
    ("TransferredRequest", "Kept once it is set to `ON`."),
    ("UseIDNs", "`true` is the default, in place of `false`."),
    ("UseIPv6", "1 (both) is the default, in place of 0."),
    ("UsePlatformHTTPClient", "Chooses isahc (libcurl and OpenSSL) in place of hyper and rustls."),
    ("UserAgent", "This crate's name is the default. Empty sends none."),
    ("ValidateToken", "Blocks; `validate_token_async` is its twin."),
    ("WebServerHost", "127.0.0.1 is the default, in place of localhost."),
];

#[cfg(test)]
mod tests {
    use super::NOTES;
    use crate::component::ConfigSetting;

    /// A note on a setting that is not there would be read by nobody.
    #[test]
    fn each_note_is_on_a_setting_and_each_setting_has_one_at_most() {
        for (name, note) in NOTES {
            let setting = ConfigSetting::named(name).unwrap();
            assert_eq!((setting.name(), setting.note()), (*name, Some(*note)));
        }
    }
}
