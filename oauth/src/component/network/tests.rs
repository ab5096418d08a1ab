//! What each row comes to: the settings that are made differ from the default ones there, and nowhere else.
//!
//! What each row does to a call of the component, `oauth/tests/component` shows for every one of them; what a transport makes of
//! every value, its contract suite.

use super::super::config::{ConfigSetting, Line};
use super::super::error::ComponentError;
use super::super::values::{ProxySsl, Values};
use super::{OWN_GROUPS, named, protocol, set_name, settings_in};
use oauth_transport::{EventSink, FirewallKind, Setting, SettingsError};
use url::Url;

fn set(lines: &[&str]) -> Result<Values, ComponentError> {
    let mut values = Values::default();
    for line in lines {
        let line = Line::read(line)?;
        line.setting.set(&mut values, line.index, line.value.unwrap_or_default())?;
    }
    Ok(values)
}

fn shown(values: &Values, environment: &[(&str, &str)]) -> Result<Vec<String>, ComponentError> {
    let lookup =
        |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
    let (settings, session) = settings_in(&values.network, EventSink::none(), &lookup)?;
    let text = format!("{settings:#?}\n{session:#?}");
    let lines = text.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
    Ok(lines.filter(|line| line.contains(char::is_alphanumeric)).collect())
}

/// The lines of the settings that are not there by default.
fn new_lines(values: &Values, environment: &[(&str, &str)]) -> Result<Vec<String>, ComponentError> {
    let mut before = shown(&Values::default(), environment)?;
    let after = shown(values, environment)?;
    Ok(after
        .into_iter()
        .filter(|line| match before.iter().position(|known| known == line) {
            Some(at) => {
                before.remove(at);
                false
            }
            None => true,
        })
        .collect())
}

#[track_caller]
fn comes_to(lines: &[&str], expected: &[&str]) {
    let values = set(lines).unwrap_or_else(|error| panic!("{lines:?}: {error}"));
    assert_eq!(
        new_lines(&values, &[]).unwrap_or_else(|error| panic!("{lines:?}: {error}")),
        expected,
        "{lines:?}"
    );
    // What was set can be read, and set again.
    for line in lines {
        let row = Line::read(line).unwrap().setting;
        let value = row.get(&values, None).unwrap();
        set(&[&format!("{}={}", row.name(), value.as_str())]).unwrap();
    }
}

/// Refused when it is set or when the engine is to be made: with the name, one line, and a way out.
#[track_caller]
fn is_refused(lines: &[&str], name: &str, why: &str) {
    let error = set(lines)
        .and_then(|values| protocol(&values).and_then(|_| new_lines(&values, &[])))
        .expect_err("it is refused");
    let text = error.to_string();
    let named = [format!("{name} is refused: "), format!("this is no value of {name}: ")];
    assert!(named.iter().any(|beginning| text.starts_with(beginning)), "{lines:?}: {text}");
    assert!(text.contains(why) && !text.contains('\n'), "{lines:?}: {text}");
}

macro_rules! rows {
    ($($row:ident: $([$($line:literal),+] => [$($expected:literal),* $(,)?];)+ $(! [$($bad:literal),+] $name:literal $why:literal;)*)+) => {$(
        #[test]
        fn $row() {
            $(comes_to(&[$($line),+], &[$($expected),*]);)+
            $(is_refused(&[$($bad),+], $name, $why);)*
        }
    )+};
}

rows! {
    // HTTP.
    row_allow_http_fallback:
        ["HTTPVersion=2.0", "AllowHTTPFallback=false"] => ["version: Http2Alone"];
        ["AllowHTTPFallback=false"] => [];
        ! ["AllowHTTPFallback=maybe"] "AllowHTTPFallback" "true or false";
    row_http_version:
        ["HTTPVersion=1.0"] => ["version: Http10"];
        ["HTTPVersion=2.0"] => ["version: Http2"];
        ! ["HTTPVersion=3"] "HTTPVersion" "1.0, 1.1 or 2.0";
    row_http2_headers_without_indexing:
        ["HTTP2HeadersWithoutIndexing=X-One, x-two"] => ["unindexed: [", "\"x-one\"", "\"x-two\""];
        ! ["HTTP2HeadersWithoutIndexing=a b"] "HTTP2HeadersWithoutIndexing" "names of headers";
    row_get_on302_redirect:
        ["GetOn302Redirect=false"] => [];
        ! ["GetOn302Redirect=true"] "GetOn302Redirect" "leave it false";
    row_max_redirect_attempts:
        ["MaxRedirectAttempts=3"] => ["max_redirects: 3"];
        ! ["MaxRedirectAttempts=-1"] "MaxRedirectAttempts" "from 0 to 1000";
    row_chunk_size:
        ["ChunkSize=100", "UseChunkedEncoding=true"] => ["upload_chunk: Some(", "100"];
        ["ChunkSize=100"] => [];
        ! ["ChunkSize=0"] "ChunkSize" "from 1 to";
    row_kerberos_spn:
        ["ProxyServer=127.0.0.1", "ProxyAuthScheme=5", "KerberosSPN=HTTP/p.example"] => [
            "http: Some(", "Proxy {", "url: \"http://127.0.0.1/\"", "credentials: None",
            "https: Some(", "Proxy {", "url: \"http://127.0.0.1/\"", "credentials: None",
            "authentication: Negotiate {", "service: Some(", "\"HTTP/p.example\"",
        ];

    // TCP and sockets.
    row_connection_timeout:
        ["ConnectionTimeout=7"] => ["connect_timeout: 7s"];
        ! ["ConnectionTimeout=-1"] "ConnectionTimeout" "seconds from 0";
    row_absolute_timeout:
        ["AbsoluteTimeout=true"] => ["total_timeout: Some(", "inactivity_timeout: None"];
    row_tcp_keep_alive:
        ["TCPKeepAlive=true"] => ["keep_alive: Some(", "KeepAlive {", "time: None", "interval: None"];
    row_keep_alive_time:
        ["TCPKeepAlive=1", "KeepAliveTime=5000"] =>
            ["keep_alive: Some(", "KeepAlive {", "time: Some(", "5s", "interval: None"];
        ["KeepAliveTime=5000"] => [];
    row_keep_alive_interval:
        ["TCPKeepAlive=1", "KeepAliveInterval=1500"] =>
            ["keep_alive: Some(", "KeepAlive {", "time: None", "interval: Some(", "1.5s"];
    row_linger:
        ["Linger=false"] => ["linger: Reset"];
        ["Linger=false", "LingerTime=3"] => ["linger: Reset"];
    row_linger_time:
        ["LingerTime=3"] => ["linger: Wait(", "3s"];
        ! ["LingerTime=65536"] "LingerTime" "to 65535";
    row_max_line_length:
        ["MaxLineLength=2048"] => ["max_line: Some(", "2048"];
    row_max_transfer_rate:
        ["MaxTransferRate=1000"] => ["rate: Some(", "BytesPerSecond(", "1000"];
    row_tcp_no_delay:
        ["TcpNoDelay=false"] => ["nagle: true"];
    row_use_ipv6:
        ["UseIPv6=0"] => ["addresses: V4"];
        ["UseIPv6=2"] => ["addresses: V6"];
        ! ["UseIPv6=3"] "UseIPv6" "1 (both)";
    row_in_buffer_size:
        ["InBufferSize=4096"] => ["receive_buffer: Some(", "4096"];
    row_out_buffer_size:
        ["OutBufferSize=4096"] => ["send_buffer: Some(", "4096"];

    // TLS.
    row_reuse_ssl_session:
        ["ReuseSSLSession=true"] => ["resume_sessions: true"];
    row_ssl_check_crl:
        ["SSLCheckCRL=1"] => ["revocation: WhereKnown"];
        ["SSLCheckCRL=2"] => ["revocation: Required"];
        ! ["SSLCheckCRL=3"] "SSLCheckCRL" "2 (required)";
    row_ssl_cipher_strength:
        ["SSLCipherStrength=256"] => ["min_cipher_bits: Some(", "256"];
        ! ["SSLCipherStrength=257"] "SSLCipherStrength" "to 256";
    row_tls12_signature_algorithms:
        ["TLS12SignatureAlgorithms=rsa_pkcs1_sha256"] => ["signature_algorithms_12: Some(", "\"rsa_pkcs1_sha256\""];
    row_tls13_signature_algorithms:
        ["TLS13SignatureAlgorithms=ed25519"] => ["signature_algorithms_13: Some(", "\"ed25519\""];
    row_tls12_supported_groups:
        ["TLS12SupportedGroups=secp384r1"] => ["groups: Some(", "\"secp384r1\""];
        ["TLS12SupportedGroups=secp384r1", "SSLEnabledProtocols=12288"] => ["versions: V13"];
    row_tls13_supported_groups:
        ["TLS13SupportedGroups=x25519;secp256r1"] => ["groups: Some(", "\"x25519\"", "\"secp256r1\""];
        ["TLS13SupportedGroups=x25519", "TLS12SupportedGroups=secp384r1"] =>
            ["groups: Some(", "\"x25519\"", "\"secp384r1\""];
        ["TLS13SupportedGroups=x25519", "SSLEnabledProtocols=3072"] => ["versions: V12"];
    row_tls13_key_share_groups:
        ["TLS13KeyShareGroups=secp384r1"] => ["groups: Some(", "\"secp384r1\"", "\"x25519\"", "\"secp256r1\""];
        ["TLS13KeyShareGroups=secp256r1", "TLS13SupportedGroups=x25519;secp256r1"] =>
            ["groups: Some(", "\"secp256r1\"", "\"x25519\""];
    row_ssl_enabled_protocols:
        ["SSLEnabledProtocols=3072"] => ["versions: V12"];
        ["SSLEnabledProtocols=12288"] => ["versions: V13"];
        ["SSLEnabledProtocols=4032"] => ["versions: V12"];
        ["SSLEnabledProtocols=16320"] => [];
        ! ["SSLEnabledProtocols=140"] "SSLEnabledProtocols" "RFC 8996";
        ! ["SSLEnabledProtocols=0"] "SSLEnabledProtocols" "no version is left";
    row_ssl_security_flags:
        ["SSLSecurityFlags=0x1"] => ["out_of_date: true"];
        ["SSLSecurityFlags=0x10"] => ["unknown_issuer: true"];
        ["SSLSecurityFlags=32"] => ["wrong_usage: true"];
        ["SSLSecurityFlags=0xF00"] => ["unknown_revocation: true"];
        ["SSLSecurityFlags=0x80000000"] => ["wrong_name: true"];
        ["SSLSecurityFlags=0"] => [];
        ! ["SSLSecurityFlags=0x4000"] "SSLSecurityFlags" "0x4000 has no meaning";
        ! ["SSLSecurityFlags=0x100"] "SSLSecurityFlags" "0x100 is a part of 0xF00";
        ! ["SSLSecurityFlags=0x200"] "SSLSecurityFlags" "0x200 is a part of 0xF00";
        ! ["SSLSecurityFlags=0x400"] "SSLSecurityFlags" "0x400 is a part of 0xF00";
        ! ["SSLSecurityFlags=0x80000801"] "SSLSecurityFlags" "0x800 is a part of 0xF00";
        ! ["SSLSecurityFlags=0xE00"] "SSLSecurityFlags" "0xE00 is a part of 0xF00";
        ! ["SSLSecurityFlags=all"] "SSLSecurityFlags" "hexadecimal";
    row_ssl_enabled_cipher_suites:
        ["SSLEnabledCipherSuites=TLS_AES_128_GCM_SHA256"] => ["cipher_suites: Some(", "\"TLS_AES_128_GCM_SHA256\""];
        ["SSLEnabledCipherSuites=*"] => [];
    row_ssl_enable_renegotiation:
        ["SSLEnableRenegotiation=true"] => [];
        ! ["SSLEnableRenegotiation=false"] "SSLEnableRenegotiation" "leave it true";
    row_open_ssl_prng_seed_data:
        ["OpenSSLPrngSeedData="] => [];
        ! ["OpenSSLPrngSeedData=entropy"] "OpenSSLPrngSeedData" "leave it empty";
    row_ssl_provider:
        ["SSLProvider=rustls"] => [];
        ["SSLProvider=ring"] => [];
        ["SSLProvider=*"] => [];
        ["SSLProvider=openssl", "UsePlatformHTTPClient=true"] => [];
        ! ["SSLProvider=schannel"] "SSLProvider" "openssl";
        ! ["SSLProvider=openssl"] "SSLProvider" "UsePlatformHTTPClient";
        ! ["UsePlatformHTTPClient=true", "SSLProvider=openssl", "UsePlatformHTTPClient=false"] "SSLProvider" "rustls";
}

#[test]
fn row_open_ssl_cipher_list() {
    let values = set(&["OpenSSLCipherList=ECDHE-RSA-AES256-GCM-SHA384"]).unwrap();
    let lines = new_lines(&values, &[]).unwrap();
    let suites: Vec<_> = lines.iter().filter(|line| line.contains("_WITH_")).collect();
    assert_eq!(suites, ["\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\""], "{lines:?}");
    comes_to(&["OpenSSLCipherList=DEFAULT"], &[]);
    is_refused(&["OpenSSLCipherList=RUBBISH"], "OpenSSLCipherList", "RUBBISH");
}

#[test]
fn row_open_ssl_ca_dir() {
    comes_to(&["OpenSSLCADir="], &[]);
    is_refused(&["OpenSSLCADir=/nonexistent/folder"], "OpenSSLCADir", "/nonexistent/folder");
    is_refused(&["OpenSSLCAFile=/nonexistent/file"], "OpenSSLCAFile", "/nonexistent/file");
    is_refused(&["SSLCACertFilePaths=/nonexistent/file"], "SSLCACertFilePaths", "/nonexistent/file");
}

#[test]
fn row_firewall_auto_detect() {
    let socks = [("ALL_PROXY", "socks5h://ada:s3cret@127.0.0.1:1081")];
    let values = set(&["FirewallAutoDetect=true"]).unwrap();
    let lines = new_lines(&values, &socks).unwrap();
    for line in ["kind: Socks5", "host: \"127.0.0.1\"", "port: 1081", "resolves_names: true"] {
        assert!(lines.iter().any(|known| known == line), "{line}: {lines:?}");
    }
    assert!(!lines.concat().contains("s3cret"), "{lines:?}");
    // One that is set counts, and an HTTP proxy is none.
    let both = set(&["FirewallAutoDetect=true", "FirewallType=1", "FirewallHost=other.example"]).unwrap();
    assert!(new_lines(&both, &socks).unwrap().contains(&"kind: Tunnel".to_owned()));
    assert_eq!(new_lines(&values, &[("ALL_PROXY", "http://127.0.0.1:3128")]).unwrap(), Vec::<String>::new());
    assert_eq!(new_lines(&set(&[]).unwrap(), &socks).unwrap(), Vec::<String>::new());
    let error = new_lines(&values, &[("ALL_PROXY", "http://127.0.0.1/proxy.pac")]).unwrap_err().to_string();
    assert!(error.starts_with("FirewallAutoDetect is refused") && error.contains("PAC"), "{error}");
}

#[test]
fn an_environment_s_socks_server_is_firewall_or_proxy_and_not_both() {
    let environment = [("ALL_PROXY", "socks5h://127.0.0.1:1081"), ("HTTPS_PROXY", "http://127.0.0.1:3128")];
    let mut values = set(&["ProxyServer=*"]).unwrap();
    let lines = new_lines(&values, &environment).unwrap().join(" ");
    assert!(lines.contains("socks5h://") && lines.contains("http://127.0.0.1:3128/"), "{lines}");
    values.network.firewall.auto_detect = true;
    let lines = new_lines(&values, &environment).unwrap().join(" ");
    assert!(lines.contains("kind: Socks5") && !lines.contains("socks5h://"), "{lines}");
    assert!(lines.contains("http://127.0.0.1:3128/"), "{lines}");
}

#[test]
fn row_proxy_auto_detect() {
    let environment = [("https_proxy", "http://127.0.0.1:3128"), ("no_proxy", "here.example")];
    let mut values = Values::default();
    values.network.proxy.auto_detect = true;
    "ada".clone_into(&mut values.network.proxy.user);
    let lines = new_lines(&values, &environment).unwrap().join(" ");
    for part in ["https: Some( Proxy { url: \"http://127.0.0.1:3128/\"", "[redacted]", "here.example"] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    // As with firewalls, the one that is set counts.
    let mut both = set(&["ProxyServer=set.example", "ProxyPort=8080"]).unwrap();
    both.network.proxy.auto_detect = true;
    let told = new_lines(&both, &environment).unwrap().join(" ");
    assert!(told.contains("\"http://set.example:8080/\"") && !told.contains("3128"), "{told}");
    assert!(!told.contains("here.example"), "nor are the environment's exceptions its own: {told}");
    let star = set(&["ProxyServer=*", "ProxyUser=ada"]).unwrap();
    assert_eq!(new_lines(&star, &environment).unwrap().join(" "), lines);
    let error = new_lines(&star, &[("https_proxy", "ftp://x")]).unwrap_err().to_string();
    assert!(error.starts_with("proxy_auto_detect is refused: the proxy of https_proxy"), "{error}");
}

#[test]
fn row_proxy_ssl() {
    let url = |ssl, server: &str| {
        let mut values = set(&[&format!("ProxyServer={server}")])?;
        values.network.proxy.ssl = ssl;
        new_lines(&values, &[]).map(|lines| lines.join(" "))
    };
    assert!(url(ProxySsl::Automatic, "p.example").unwrap().contains("\"http://p.example/\""));
    assert!(url(ProxySsl::Always, "p.example").unwrap().contains("\"https://p.example:80/\""));
    let never = url(ProxySsl::Never, "p.example").unwrap();
    assert!(never.contains("\"http://p.example/\"") && !never.contains("tunnels_http: true"), "{never}");
    assert!(url(ProxySsl::Tunnel, "p.example").unwrap().contains("tunnels_http: true"));
    for (ssl, server) in [(ProxySsl::Always, "http://p.example"), (ProxySsl::Never, "https://p.example")] {
        let error = url(ssl, server).unwrap_err().to_string();
        assert!(error.starts_with("proxy_ssl is refused") && error.contains("0 (automatic)"), "{error}");
    }
}

#[test]
fn row_proxy_port() {
    let url = |lines: &[&str]| new_lines(&set(lines).unwrap(), &[]).unwrap().join(" ");
    for (server, expected) in [
        ("p.example", "\"http://p.example:3128/\""),
        ("::1", "\"http://[::1]:3128/\""),
        ("http://p.example", "\"http://p.example:3128/\""),
        ("http://p.example:8080/", "\"http://p.example:8080/\""),
        ("http://p.example:80", "\"http://p.example/\""),
        ("socks5://[::1]", "\"socks5://[::1]:3128\""),
    ] {
        let lines = url(&[&format!("ProxyServer={server}"), "ProxyPort=3128"]);
        assert!(lines.contains(expected), "{server}: {lines}");
    }
    assert!(url(&["ProxyServer=https://p.example"]).contains("\"https://p.example/\""));
    is_refused(&["ProxyPort=0"], "ProxyPort", "from 1 to 65535");
}

#[test]
fn row_proxy_auth_scheme() {
    let scheme = |lines: &[&str]| {
        let lines = [&["ProxyServer=127.0.0.1"], lines].concat();
        let values = set(&lines).unwrap();
        new_lines(&values, &[]).map(|lines| lines.join(" "))
    };
    for (number, word) in [(1, "Digest"), (3, "Never"), (4, "Ntlm"), (5, "Negotiate")] {
        let lines = scheme(&[&format!("ProxyAuthScheme={number}")]).unwrap();
        assert!(lines.contains(&format!("authentication: {word}")), "{lines}");
    }
    let error = scheme(&["ProxyAuthScheme=2"]).unwrap_err().to_string();
    assert!(
        error.starts_with("ProxyAuthScheme is refused") && error.contains("ProxyAuthorization"),
        "{error}"
    );
    // Changing it empties what was for another one; setting the authorization chooses 2.
    let values = set(&["ProxyUser=ada", "ProxyPassword=s3cret", "ProxyAuthScheme=1"]).unwrap();
    assert_eq!((values.network.proxy.user.as_str(), values.network.proxy.password.expose()), ("", ""));
    let values = set(&["ProxyAuthorization=Own s3cret"]).unwrap();
    let read = ConfigSetting::named("proxyauthscheme").unwrap().get(&values, None).unwrap();
    assert_eq!(read.as_str(), "2");
}

#[test]
fn row_firewall_type() {
    for (number, kind, port) in [
        (1, FirewallKind::Tunnel, 80),
        (2, FirewallKind::Socks4, 1080),
        (3, FirewallKind::Socks5, 1080),
        (10, FirewallKind::Socks4a, 1080),
    ] {
        let values = set(&[&format!("FirewallType={number}"), "FirewallHost=f.example"]).unwrap();
        let lines = new_lines(&values, &[]).unwrap();
        for line in [format!("kind: {kind:?}"), format!("port: {port}")] {
            assert!(lines.contains(&line), "{line}: {lines:?}");
        }
    }
    is_refused(&["FirewallType=4"], "FirewallType", "10 (SOCKS4A)");
    is_refused(&["FirewallType=3"], "FirewallType", "FirewallHost");
    is_refused(&["FirewallType=3", "FirewallHost=a b"], "FirewallHost", "neither a name nor an address");
    let idn = set(&["FirewallType=3", "FirewallHost=bücher.example"]).unwrap();
    assert!(new_lines(&idn, &[]).unwrap().contains(&"host: \"xn--bcher-kva.example\"".to_owned()));
}

#[test]
fn row_use_idns() {
    let token_url = |text: &str, idns: bool| {
        let mut values = Values::default();
        text.clone_into(&mut values.oauth.server_token_url);
        values.network.idns = idns;
        protocol(&values).map(|oauth| oauth.server_token_url)
    };
    for text in [
        "https://bücher.example/token",
        "https://b%C3%BCcher.example/token",
        "https:/bücher.example/token",
        "https:bücher.example/token",
        "https:b%C3%BCcher.example",
        "https:///bücher.example/token",
        r"https:\\bücher.example\token",
        r"https:/\bücher.example/token",
        "https:\t//bücher.example/token",
        "https:/\t/\nbücher.example/token",
        " https://bücher.example/token",
        "https://me@bücher.example:443/token",
    ] {
        let url = Url::parse(text).unwrap();
        assert_eq!(url.host_str(), Some("xn--bcher-kva.example"), "it is a URL with such a host: {text:?}");
        let error = token_url(text, false).unwrap_err().to_string();
        assert!(error.starts_with("server_token_url is refused") && error.contains("UseIDNs"), "{error}");
    }
    assert!(token_url("https://bücher.example/token", true).is_ok());
    for text in [
        "https://xn--bcher-kva.example/token",
        "https:/xn--bcher-kva.example/token",
        "https:as.example/b%C3%BCcher",
        "",
    ] {
        assert!(token_url(text, false).is_ok(), "{text}");
    }
    is_refused(&["UseIDNs=false", "ProxyServer=bücher.example"], "ProxyServer", "UseIDNs");
    is_refused(
        &["UseIDNs=false", "FirewallType=1", "FirewallHost=bücher.example"],
        "FirewallHost",
        "UseIDNs",
    );
}

#[test]
fn the_groups_of_the_engine_are_those_that_hyper_has() {
    let list = format!("TLS13SupportedGroups={}", OWN_GROUPS.join(";"));
    let values = set(&[&list]).unwrap();
    let (settings, _) = settings_in(&values.network, EventSink::none(), &|_| None).unwrap();
    #[cfg(feature = "hyper")]
    crate::HyperHost::new(settings).unwrap();
    #[cfg(not(feature = "hyper"))]
    drop(settings);
}

#[test]
fn an_engine_s_refusal_is_told_under_the_name_that_was_set() {
    assert!(Setting::ALL.iter().all(|setting| !setting.component_names().is_empty()));
    let name = |setting, lines: &[&str]| set_name(setting, &set(lines).unwrap().network);
    assert_eq!(name(Setting::CipherSuites12, &["OpenSSLCipherList=HIGH"]), "OpenSSLCipherList");
    assert_eq!(name(Setting::CipherSuites12, &["SSLEnabledCipherSuites=X"]), "SSLEnabledCipherSuites");
    assert_eq!(name(Setting::Linger, &["LingerTime=3"]), "LingerTime");
    assert_eq!(name(Setting::ProxyTunnel, &[]), "proxy_ssl");
    let unsupported = SettingsError::Unsupported {
        engine: "isahc",
        setting: Setting::LocalPort.name(),
        why: "isahc does not pass it on",
    };
    let error = named(unsupported, &set(&["LocalPort=1"]).unwrap().network).to_string();
    assert!(
        error.starts_with("LocalPort is refused: the transport isahc cannot carry the local port"),
        "{error}"
    );
}
