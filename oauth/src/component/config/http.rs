//! The settings of HTTP.

use super::{Access, ConfigSetting, list, names_a_user};
use crate::component::error::ComponentError;
use crate::component::network;
use crate::component::values::{ProxyScheme, Secret, Values};
use http::{HeaderName, Version};
use oauth_transport::session::{ExtraHeaders, Hop, Recording, Redirects};
use oauth_transport::{HttpVersion, LogLevel};
use std::num::NonZeroUsize;

/// How many bytes of a response are taken, unless it is said otherwise: what the core's requests say.
const BODY_LIMIT: i64 = 1 << 20;

pub(super) const ROWS: &[ConfigSetting] = &[
    ConfigSetting::new(
        "AcceptEncoding",
        "The encodings to ask for, the best first. With AllowHTTPCompression.",
        Access::Text {
            form: "a list of gzip, deflate and br, with commas between",
            get: |values| values.network.accept_encoding.clone(),
            set: |values, text| {
                let _known = network::codings(text)?;
                text.clone_into(&mut values.network.accept_encoding);
                Ok(())
            },
        },
    ),
    flag!("AllowHTTPCompression", "Whether compressed responses are asked for, and decoded.", network.compression),
    flag!(
        "AllowHTTPFallback",
        "Whether a server that has no HTTP/2 is spoken to by HTTP/1.1. With HTTPVersion=2.0.",
        network.http_fallback
    ),
    flag!("Append", "Whether responses are added to the local file, rather than put in its place.", network.append),
    secret!(
        "Authorization",
        "The Authorization header of token requests, in place of the client's own authentication.",
        network.authorization
    ),
    ConfigSetting::new(
        "BytesTransferred",
        "How many bytes of the last response's body have come.",
        Access::Result {
            how: "the last response tells it",
            get: |values| Secret::new(values.results.bytes_transferred.to_string()),
            secret: false,
        },
    ),
    ConfigSetting::new(
        "ChunkSize",
        "The size of the chunks that bodies are sent in. With UseChunkedEncoding.",
        Access::Number {
            unit: "bytes",
            range: (1, 1 << 24),
            get: |values| i64::try_from(values.network.chunk_size.get()).unwrap_or(i64::MAX),
            set: |values, count| {
                if let Some(size) = usize::try_from(count).ok().and_then(NonZeroUsize::new) {
                    values.network.chunk_size = size;
                }
                Ok(())
            },
        },
    ),
    flag!(
        "CompressHTTPRequest",
        "Whether bodies are sent compressed by gzip. Most token endpoints refuse that.",
        network.session.compress_requests
    ),
    flag!(
        "EncodeURL",
        "Whether characters that no URL may have are escaped in the addresses that are set, rather than refused.",
        network.encode_url
    ),
    choice!(
        "FollowRedirects",
        "Which redirects are followed. No credential leaves its origin, and no token request is redirected.",
        network.session.redirects,
        {
            0 "never" => Redirects::Never,
            1 "always" => Redirects::Always,
            2 "same scheme" => Redirects::SameScheme,
        }
    ),
    ConfigSetting::new(
        "GetOn302Redirect",
        "Whether a 302 turns another method into a GET without a body, as browsers do. No request here is one that it could turn.",
        Access::Flag(
            |_| false,
            |_, on| {
                if !on {
                    return Ok(());
                }
                Err(ComponentError::refused(
                    "GetOn302Redirect",
                    "a request with a body holds a credential here, and no redirect takes it elsewhere (RFC 9700); leave it \
                     false, and set the URL that the server redirects to",
                ))
            },
        ),
    ),
    ConfigSetting::new(
        "HTTP2HeadersWithoutIndexing",
        "Headers that HTTP/2's compression never remembers.",
        Access::Text {
            form: "names of headers, with commas between",
            get: |values| {
                values.network.http.unindexed.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(",")
            },
            set: |values, text| {
                let names = list(text).iter().map(|name| HeaderName::try_from(name.as_str())).collect();
                let names: Result<Vec<_>, _> = names;
                values.network.http.unindexed = names.map_err(|_| {
                    ComponentError::value("HTTP2HeadersWithoutIndexing", "names of headers, with commas between")
                })?;
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "HTTPVersion",
        "The version of HTTP to speak.",
        Access::Text {
            form: "1.0, 1.1 or 2.0",
            get: |values| {
                match values.network.http_version {
                    HttpVersion::Http10 => "1.0",
                    HttpVersion::Http2 | HttpVersion::Http2Alone => "2.0",
                    _ => "1.1",
                }
                .to_owned()
            },
            set: |values, text| {
                values.network.http_version = match text.trim() {
                    "1.0" => HttpVersion::Http10,
                    "1.1" => HttpVersion::Http11,
                    "2.0" | "2" => HttpVersion::Http2,
                    _ => return Err(ComponentError::value("HTTPVersion", "1.0, 1.1 or 2.0")),
                };
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "IfModifiedSince",
        "Asks servers to send what is new since then alone.",
        Access::Text {
            form: "a date as HTTP writes it, such as Sun, 06 Nov 1994 08:49:37 GMT, or nothing",
            get: |values| values.network.session.if_modified_since.map_or_else(String::new, httpdate::fmt_http_date),
            set: |values, text| {
                let date = match text.trim() {
                    "" => None,
                    text => Some(httpdate::parse_http_date(text).map_err(|_| {
                        ComponentError::value("IfModifiedSince", "a date such as Sun, 06 Nov 1994 08:49:37 GMT, or nothing")
                    })?),
                };
                values.network.session.if_modified_since = date;
                Ok(())
            },
        },
    ),
    flag!("KeepAlive", "Whether a connection serves further requests.", network.http.reuse_connections),
    text!(
        "KerberosSPN",
        "a service name such as HTTP/proxy.example, or nothing",
        "The name of the proxy's Kerberos service; empty is that of its host.",
        network.proxy.kerberos_spn
    ),
    choice!("LogLevel", "How much the log tells.", network.log_level, {
        0 "none" => LogLevel::None,
        1 "info" => LogLevel::Info,
        2 "verbose" => LogLevel::Verbose,
        3 "debug" => LogLevel::Debug,
    }),
    ConfigSetting::new(
        "MaxRedirectAttempts",
        "How many redirects are followed for one request.",
        Access::Number {
            unit: "",
            range: (0, 1000),
            get: |values| values.network.session.max_redirects.into(),
            set: |values, count| {
                values.network.session.max_redirects = u32::try_from(count).unwrap_or(u32::MAX);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "NegotiatedHTTPVersion",
        "The version of HTTP that the last request was answered in.",
        Access::Result {
            how: "the last response tells it",
            get: |values| {
                Secret::new(match last(values).and_then(Hop::version) {
                    Some(Version::HTTP_10) => "1.0",
                    Some(Version::HTTP_11) => "1.1",
                    Some(Version::HTTP_2) => "2.0",
                    _ => "",
                })
            },
            secret: false,
        },
    ),
    ConfigSetting::new(
        "OtherHeaders",
        "Header lines for every request, each as Name: value.",
        Access::Text {
            form: "header lines, each as Name: value",
            get: |values| values.network.other_headers.clone(),
            set: |values, text| {
                let _fit = ExtraHeaders::from_lines(text)
                    .map_err(|error| ComponentError::refused("OtherHeaders", error))?;
                text.clone_into(&mut values.network.other_headers);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "ProxyAuthorization",
        "The Proxy-Authorization header as it is, for proxies alone. Setting it sets ProxyAuthScheme to 2.",
        Access::Secret(
            |values| values.network.proxy.authorization.clone(),
            |values, text| {
                values.network.proxy.authorization = Secret::new(text);
                if !text.is_empty() {
                    values.network.proxy.scheme = ProxyScheme::Proprietary;
                }
                Ok(())
            },
        ),
    ),
    ConfigSetting::new(
        "ProxyAuthScheme",
        "How the proxy is shown who we are. Changing it empties the user name, the password and the authorization.",
        Access::Choice {
            of: &[(0, "Basic"), (1, "Digest"), (2, "proprietary"), (3, "none"), (4, "NTLM"), (5, "Negotiate")],
            get: |values| values.network.proxy.scheme as i64,
            set: |values, number| {
                values.network.proxy.set_scheme(ProxyScheme::of_number(number));
                Ok(())
            },
        },
    ),
    secret!("ProxyPassword", "The password for the proxy.", network.proxy.password),
    ConfigSetting::new(
        "ProxyPort",
        "The proxy's port.",
        Access::Number {
            unit: "",
            range: (1, 65_535),
            get: |values| values.network.proxy.port.into(),
            set: |values, port| {
                values.network.proxy.port = u16::try_from(port).unwrap_or(80);
                Ok(())
            },
        },
    ),
    text!(
        "ProxyServer",
        "a name, an address or a URL; * for the environment's; or nothing",
        "The proxy that requests go through. The port of a URL counts before ProxyPort.",
        network.proxy.server
    )
    .without_password(names_a_user, "take them out, and set ProxyUser and ProxyPassword"),
    text!("ProxyUser", "a text", "The user name for the proxy; empty shows it none.", network.proxy.user),
    ConfigSetting::new(
        "SentHeaders",
        "The head of the last request, as it was sent.",
        Access::Result {
            how: "the last request tells it",
            get: |values| last(values).map_or_else(|| Secret::new(""), |hop| text(hop.exposed_request_head().expose())),
            secret: true,
        },
    ),
    ConfigSetting::new(
        "StatusLine",
        "The first line of the last response.",
        Access::Result {
            how: "the last response tells it",
            get: |values| Secret::new(last(values).and_then(Hop::status_line).unwrap_or_default()),
            secret: false,
        },
    ),
    ConfigSetting::new(
        "TransferredData",
        "The body of the last response. A token response holds tokens.",
        Access::Result {
            how: "the last response tells it",
            get: |values| text(last(values).and_then(Hop::exposed_response_body).unwrap_or_default()),
            secret: true,
        },
    ),
    ConfigSetting::new(
        "TransferredDataLimit",
        "How many bytes a response's body may have, encoded and decoded; more is an error. 0 does not limit it.",
        Access::Number {
            unit: "bytes",
            range: (0, i64::MAX),
            get: |values| match values.network.session.max_body {
                None => BODY_LIMIT,
                Some(usize::MAX) => 0,
                Some(limit) => i64::try_from(limit).unwrap_or(i64::MAX),
            },
            set: |values, count| {
                let limit = usize::try_from(count).unwrap_or(usize::MAX);
                values.network.session.max_body = Some(if limit == 0 { usize::MAX } else { limit });
                Ok(())
            },
        },
    )
    .risking("without a limit a server can fill the memory", |limit| limit == "0"),
    ConfigSetting::new(
        "TransferredHeaders",
        "The head of the last response without its first line.",
        Access::Result {
            how: "the last response tells it",
            get: |values| {
                let headers = last(values).and_then(Hop::received_headers);
                let lines = headers.into_iter().flatten().map(|(name, value)| {
                    format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()))
                });
                Secret::new(lines.collect::<String>())
            },
            secret: true,
        },
    ),
    ConfigSetting::new(
        "TransferredRequest",
        "The whole of the last request, once it was set to ON: it holds client secrets and codes.",
        Access::Secret(
            |values| {
                let is_on = values.network.session.recording == Recording::Everything;
                let whole = last(values).filter(|hop| is_on && hop.exposed_request_body().is_some());
                let Some(hop) = whole else { return Secret::new("") };
                let (head, body) = (hop.exposed_request_head(), hop.exposed_request_body().unwrap_or_default());
                text(&[head.expose(), body].concat())
            },
            |values, text| {
                values.network.session.recording = match text.trim() {
                    on if on.eq_ignore_ascii_case("on") => Recording::Everything,
                    off if off.eq_ignore_ascii_case("off") => Recording::Responses,
                    _ => return Err(ComponentError::value("TransferredRequest", "ON or OFF")),
                };
                Ok(())
            },
        ),
    ),
    flag!(
        "UseChunkedEncoding",
        "Whether bodies are sent in chunks, rather than with their length. HTTP/1.1 only, and some token endpoints refuse it.",
        network.chunked
    ),
    flag!(
        "UseIDNs",
        "Whether names with other letters than those of ASCII are written in those (IDNA), rather than refused.",
        network.idns
    ),
    flag!(
        "UsePlatformHTTPClient",
        "Whether requests go over isahc (libcurl and OpenSSL), rather than hyper and rustls.",
        network.platform_client
    ),
    ConfigSetting::new(
        "UserAgent",
        "The name of the program in the User-Agent header; empty sends none.",
        Access::Text {
            form: "a text without line breaks, or nothing",
            get: |values| {
                values.network.user_agent.clone().unwrap_or_else(|| concat!("oauth/", env!("CARGO_PKG_VERSION")).to_owned())
            },
            set: |values, text| {
                values.network.user_agent = Some(text.to_owned());
                Ok(())
            },
        },
    ),
];

/// The last request of the last call, and its response.
fn last(values: &Values) -> Option<&Hop> {
    values.results.transcript.hops().last()
}

fn text(bytes: &[u8]) -> Secret {
    Secret::new(String::from_utf8_lossy(bytes))
}
