#![allow(missing_docs, reason = "tests name what they check")]
//! The component's text front door, setting by setting, and the pages that are made of the tables.

mod component_pages;

use oauth::OAuth;
use oauth::component::{ComponentError, ConfigGroup, ConfigSetting};
use oauth::transport::EventSink;
use std::collections::{BTreeMap, BTreeSet};

fn refusal(oauth: &OAuth, text: &str) -> ComponentError {
    match oauth.config(text) {
        Ok(value) => panic!("{text} is taken: {value:?}"),
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains('\n') && told.len() < 400, "{told}");
            error
        }
    }
}

#[test]
fn a_name_counts_in_any_case_and_the_first_equals_sign_parts_it_from_the_value() {
    let oauth = OAuth::new();
    for text in ["UserAgent=a=b, c", "useragent=a=b, c", " USERAGENT =a=b, c"] {
        oauth.config("UserAgent=").unwrap();
        assert_eq!(oauth.config(text).unwrap().as_str(), "a=b, c");
        assert_eq!(oauth.config("uSeRaGeNt").unwrap().as_str(), "a=b, c");
    }
    // The blanks of a value are its own, and so is an empty one.
    assert_eq!(oauth.config("WebServerResponse= <p> ").unwrap().as_str(), " <p> ");
    assert_eq!(oauth.config("WebServerResponse=").unwrap().as_str(), "");
}

#[test]
fn switches_and_choices_are_read_in_each_of_their_spellings() {
    let oauth = OAuth::new();
    for (text, reads) in [
        ("Linger=0", "false"),
        ("Linger= TRUE ", "true"),
        ("Linger=False", "false"),
        ("Linger=1", "true"),
        ("LogLevel=3", "3"),
        ("LogLevel=verbose", "2"),
        ("FirewallType=socks4a", "10"),
        ("ProxyAuthScheme= Digest", "1"),
        ("CodeChallengeMethod=s256", "2"),
        ("SSLSecurityFlags=0x80000001", "0x80000001"),
        ("HTTPVersion=2", "2.0"),
    ] {
        assert_eq!(oauth.config(text).unwrap().as_str(), reads, "{text}");
    }
}

#[test]
fn lists_take_an_index_within_their_count() {
    let oauth = OAuth::new();
    let told = |text: &str| refusal(&oauth, text).to_string();
    assert!(told("FormVarName[0]=a").contains("nothing at all; set the count first"));
    oauth.config("FormVarCount=2").unwrap();
    oauth.config("formvarname[1]=resource").unwrap();
    oauth.config("FormVarValue[ 1 ] =https://api.example").unwrap();
    assert_eq!(oauth.config("FormVarName[1]").unwrap().as_str(), "resource");
    assert_eq!(oauth.config("FormVarValue[1]").unwrap().as_str(), "https://api.example");
    assert_eq!(oauth.config("FormVarName[0]").unwrap().as_str(), "");
    assert!(matches!(refusal(&oauth, "FormVarName[2]"), ComponentError::Index { index: 2, count: 2, .. }));
    assert!(told("FormVarName[2]=a").contains("the last is at 1"));
    // None, and what is none.
    for text in [
        "FormVarName",
        "FormVarName=a",
        "FormVarName[",
        "FormVarName[]",
        "FormVarName[-1]",
        "FormVarName[+1]=a",
    ] {
        assert!(matches!(refusal(&oauth, text), ComponentError::NoIndex { name: "FormVarName" }), "{text}");
    }
    for text in ["FormVarName[x]", "FormVarName[0", "FormVarName[99999999999999999999]", "FormVarName[0]]"] {
        assert!(matches!(refusal(&oauth, text), ComponentError::NoIndex { .. }), "{text}");
    }
    assert_eq!(
        told("FormVarName"),
        "FormVarName is a list: a whole number in brackets follows its name, as in FormVarName[0]"
    );
    assert_eq!(told("UserAgent[0]=a"), "UserAgent is one value: leave out the index");
}

/// An action would be done before anybody hears of the index.
#[test]
fn an_index_after_what_is_no_list_is_refused_before_anything_is_done() {
    let oauth = OAuth::new();
    for text in ["LogLevel[x]", "LogLevel[", "LogLevel[0]=2"] {
        assert_eq!(refusal(&oauth, text).to_string(), "LogLevel is one value: leave out the index");
    }
    assert_eq!(oauth.config("LogLevel").unwrap().as_str(), "1");
    for text in ["ValidateToken[3]=an-access-token", "ValidateToken[x]=an-access-token"] {
        let error = refusal(&oauth, text);
        assert!(matches!(error, ComponentError::NotAList { name: "ValidateToken" }), "{error:?}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_with_its_place_and_hidden_where_a_property_put_it() {
    let oauth = OAuth::new();
    for (text, place) in [
        ("ProxyServer=http://u:tr0ub4dor@proxy.example", "ProxyPassword"),
        ("ProxyServer=u:tr0ub4dor@proxy.example:8080", "ProxyPassword"),
        // A slash in it hides the host from whoever looks for the authority.
        ("ProxyServer=http://u:tr0ub4dor/3@proxy.example", "ProxyPassword"),
        ("FirewallHost=u:tr0ub4dor@firewall.example", "FirewallPassword"),
        ("TokenInfoURL=https://u:tr0ub4dor@as.example/info", "take them out"),
    ] {
        let error = refusal(&oauth, text);
        let told = format!("{error} {error:?}");
        assert!(matches!(error, ComponentError::Refused { .. }), "{told}");
        assert!(told.contains(place) && !told.contains("tr0ub4dor"), "{told}");
        let (name, value) = text.split_once('=').unwrap();
        let setting = ConfigSetting::named(name).unwrap();
        assert!(setting.is_secret_with(value) && !setting.is_secret_with("https://host.example"), "{name}");
    }
    oauth.config("TokenInfoURL=https://as.example/@me?who=a@b").unwrap();
    oauth.config("ProxyServer=https://proxy.example:3128").unwrap();
    assert!(!oauth.config("ProxyServer").unwrap().is_secret());
    oauth.set_proxy_server("http://u:tr0ub4dor@proxy.example");
    oauth.set_firewall_host("u:tr0ub4dor@firewall.example");
    for name in ["ProxyServer", "FirewallHost"] {
        let read = oauth.config(name).unwrap();
        assert!(read.is_secret() && !format!("{read:?}").contains("tr0ub4dor"), "{read:?}");
    }
}

/// The defaults of the original, as far as they are known.
const ORIGINAL: &[(&str, &str)] = &[
    ("AbsoluteTimeout", "false"),
    ("AcceptEncoding", "gzip, deflate"),
    ("AllowHTTPCompression", "true"),
    ("AllowHTTPFallback", "true"),
    ("Append", "false"),
    ("BrowserResponseTimeout", "0"),
    ("ChunkSize", "16384"),
    ("CompressHTTPRequest", "false"),
    ("ConnectionTimeout", "0"),
    ("EncodeURL", "false"),
    ("FirewallAutoDetect", "false"),
    ("FirewallPort", "0"),
    ("FirewallType", "0"),
    ("FollowRedirects", "0"),
    ("FormVarCount", "0"),
    ("GetOn302Redirect", "false"),
    ("HTTPVersion", "1.1"),
    ("IncludeEmptyRedirectURI", "true"),
    ("JWTCertStore", "MY"),
    ("JWTCertStoreType", "0"),
    ("JWTSignatureAlgorithm", "RS256"),
    ("JWTValidityTime", "3600"),
    ("KeepAlive", "false"),
    ("KeepAliveInterval", "0"),
    ("KeepAliveTime", "0"),
    ("Linger", "true"),
    ("LingerTime", "0"),
    ("LocalPort", "0"),
    ("LogLevel", "1"),
    ("LogSSLPackets", "false"),
    ("MaxLineLength", "2048"),
    ("MaxRedirectAttempts", "20"),
    ("MaxTransferRate", "0"),
    ("OpenSSLCipherList", "DEFAULT"),
    ("PollingInterval", "5"),
    ("ProxyAuthScheme", "0"),
    ("ProxyPort", "80"),
    ("ReUseWebServer", "true"),
    ("ReuseSSLSession", "false"),
    ("SSLCheckCRL", "0"),
    ("SSLCipherStrength", "0"),
    ("SSLEnabledCipherSuites", "*"),
    ("SSLEnabledProtocols", "4032"),
    ("SSLIncludeCertChain", "false"),
    ("SSLProvider", "*"),
    ("TCPKeepAlive", "false"),
    ("TLS12SupportedGroups", "secp256r1;secp384r1;secp521r1"),
    ("TcpNoDelay", "false"),
    ("TransferredDataLimit", "0"),
    ("UseChunkedEncoding", "false"),
    ("UseIDNs", "false"),
    ("UseIPv6", "0"),
    ("UsePlatformHTTPClient", "false"),
    ("WebServerHost", "localhost"),
];

#[test]
fn a_default_that_is_not_the_originals_is_that_of_a_compatible_component_or_told_with_a_note() {
    let compatible = OAuth::compatible();
    let (mut differing, mut not_even_there) = (0, Vec::new());
    for (name, original) in ORIGINAL {
        let setting = ConfigSetting::named(name).unwrap();
        if setting.default() == *original {
            continue;
        }
        differing += 1;
        let note = setting.note().unwrap_or_default();
        assert!(note.contains("is the default, in place of "), "{name}: {note:?}");
        if compatible.config(name).unwrap().as_str() != *original {
            not_even_there.push(*name);
        }
    }
    assert_eq!(differing, 11);
    let with_a_reason = [
        "JWTSignatureAlgorithm",
        "MaxLineLength",
        "SSLEnabledProtocols",
        "TLS12SupportedGroups",
        "TcpNoDelay",
        "TransferredDataLimit",
    ];
    assert_eq!(not_even_there, with_a_reason);
}

#[test]
fn an_unknown_name_is_told_the_nearest_one_or_the_property_that_it_is() {
    let oauth = OAuth::new();
    for (text, told) in [
        ("PolingInterval=5", "there is no setting \"PolingInterval\"; did you mean PollingInterval?"),
        ("ssl_check_crl", "there is no setting \"ssl_check_crl\"; did you mean SSLCheckCRL?"),
        (
            "ClientId=x",
            "there is no setting \"ClientId\"; did you mean OAuth::client_id, OAuth::set_client_id?",
        ),
        ("timeout", "there is no setting \"timeout\"; did you mean OAuth::timeout, OAuth::set_timeout?"),
    ] {
        assert_eq!(refusal(&oauth, text).to_string(), told);
    }
    for text in ["", "=", "[0]=x", "Nothing of the kind", "\u{1b}[2J\u{7}", &"A".repeat(100_000)] {
        let error = refusal(&oauth, text);
        assert!(matches!(error, ComponentError::UnknownSetting { nearest: None, .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains("oauth::component::reference") && !told.contains(char::is_control), "{told}");
    }
}

#[test]
fn a_value_of_another_form_is_told_the_form() {
    let oauth = OAuth::new();
    for (text, expected) in [
        ("KeepAlive=yes", "true or false"),
        ("ConnectionTimeout=soon", "a whole number of seconds from 0 to 2147483647"),
        ("ConnectionTimeout=-1", "a whole number of seconds from 0 to 2147483647"),
        ("ProxyPort=0", "a whole number from 1 to 65535"),
        ("ProxyPort=65536", "a whole number from 1 to 65535"),
        ("UseIPv6=3", "0 (IPv4 alone), 1 (both), 2 (IPv6 alone)"),
        ("HTTPVersion=3", "1.0, 1.1 or 2.0"),
        ("LocalHost=somewhere", "an address such as 192.0.2.7, or nothing"),
        ("WebServerHost=0.0.0.0", "127.0.0.1, localhost or ::1"),
        ("IfModifiedSince=yesterday", "a date such as"),
        ("JWTSignatureAlgorithm=none", "RS256"),
        ("AcceptEncoding=zstd", "a list of gzip, deflate and br"),
        ("SSLSecurityFlags=0xG", "a number"),
    ] {
        let error = refusal(&oauth, text);
        let ComponentError::Value { expected: told, .. } = &error else { panic!("{text}: {error:?}") };
        assert!(told.contains(expected) && error.to_string().contains(expected), "{text}: {told}");
    }
}

#[test]
fn what_a_call_leaves_behind_is_read_only_and_an_action_has_no_value() {
    let oauth = OAuth::new();
    let mut read_only = 0;
    for setting in ConfigSetting::all().filter(|setting| setting.is_read_only() && !setting.is_indexed()) {
        let error = refusal(&oauth, &format!("{}=x", setting.name()));
        assert!(matches!(error, ComponentError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains("cannot be set: "), "{error}");
        read_only += 1;
    }
    assert_eq!(read_only, 11);
    for name in ["TokenInfoFieldName[0]", "TokenInfoFieldValue[0]"] {
        assert!(matches!(refusal(&oauth, &format!("{name}=x")), ComponentError::Index { count: 0, .. }));
    }
    assert!(matches!(refusal(&oauth, "ValidateToken"), ComponentError::Action { name: "ValidateToken" }));
    // Set, it asks at once; and there is nobody to ask.
    let error = refusal(&oauth, "ValidateToken=an-access-token");
    assert!(!format!("{error} {error:?}").contains("an-access-token"), "{error:?}");
}

#[test]
fn what_cannot_be_had_is_refused_with_a_way_out() {
    let oauth = OAuth::new();
    for (text, way_out) in [
        ("GetOn302Redirect=true", "leave it false"),
        ("OpenSSLPrngSeedData=dice", "leave it empty"),
        ("SSLEnabledProtocols=4032", ""),
        ("SSLEnabledProtocols=192", "add 3072 (1.2) or 12288 (1.3)"),
        ("SSLEnabledProtocols=0", "add 3072 (1.2) or 12288 (1.3)"),
        ("SSLEnableRenegotiation=false", "leave it true"),
        ("SSLSecurityFlags=0x4000", "take it out"),
        ("OtherHeaders=Host: elsewhere.example", ""),
    ] {
        match oauth.config(text) {
            Ok(value) => assert_eq!((text, value.as_str()), ("SSLEnabledProtocols=4032", "3072")),
            Err(error) => {
                assert!(matches!(error, ComponentError::Refused { .. }), "{text}: {error:?}");
                assert!(error.to_string().contains(way_out), "{text}: {error}");
            }
        }
    }
}

#[test]
fn a_refusal_is_one_line_whatever_was_set() {
    let name = format!("/no/\u{202e}such\u{1b}[2J/{}", "x".repeat(100_000));
    for setting in ["OpenSSLCADir", "OpenSSLCAFile", "SSLCACertFilePaths"] {
        let oauth = OAuth::new();
        oauth.config(&format!("{setting}={name}")).unwrap();
        oauth.set_server_token_url("https://as.example/token");
        oauth.set_client_id("c");
        oauth.set_grant_type(oauth::component::GrantType::ClientCredentials);
        let told = oauth.get_authorization().unwrap_err().to_string();
        assert!(told.starts_with(setting) && told.len() < 500, "{}", told.len());
        assert!(!told.contains(|c: char| c.is_control() || c == '\u{202e}'), "{told}");
    }
}

/// What an engine cannot carry it refuses before anything is sent: here nobody listens.
#[test]
fn what_the_engine_refuses_is_told_by_the_call_and_nothing_is_sent() {
    let oauth = OAuth::new();
    oauth.set_client_id("demo");
    oauth.set_server_token_url("https://nowhere.invalid/token");
    oauth.set_grant_type(oauth::component::GrantType::ClientCredentials);
    oauth.config("UsePlatformHTTPClient=true").unwrap();
    oauth.config("TLS13SupportedGroups=x25519").unwrap();
    let told = oauth.get_authorization().unwrap_err().to_string();
    if cfg!(feature = "isahc") {
        assert!(told.contains("isahc") && told.contains("groups"), "{told}");
    } else {
        assert!(
            told.contains("UsePlatformHTTPClient is refused") && told.contains("feature `isahc`"),
            "{told}"
        );
    }
}

/// Every value of a component; a list with those of each of its members.
fn everything(oauth: &OAuth) -> BTreeMap<String, String> {
    let names = ConfigSetting::all().filter(|setting| !setting.is_action()).flat_map(|setting| {
        if setting.is_indexed() {
            (0..2).map(|index| format!("{}[{index}]", setting.name())).collect()
        } else {
            vec![setting.name().to_owned()]
        }
    });
    names
        .map(|name| {
            (name.clone(), oauth.config(&name).map_or(String::new(), |value| value.as_str().to_owned()))
        })
        .collect()
}

/// A component on which each list has members.
fn with_members() -> OAuth {
    let oauth = OAuth::new();
    oauth.config("FormVarCount=2").unwrap();
    oauth
}

/// Each name as it is set.
fn settable() -> Vec<String> {
    let rows = ConfigSetting::all().filter(|setting| !setting.is_read_only() && !setting.is_action());
    let names: Vec<_> =
        rows.map(|row| format!("{}{}", row.name(), if row.is_indexed() { "[1]" } else { "" })).collect();
    assert_eq!(names.len(), 99);
    names
}

/// Texts that some setting or other takes, and some that none should.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "0",
        "1",
        "2",
        "3",
        "5",
        "10",
        "99",
        "100",
        "4032",
        "15360",
        "65535",
        "65536",
        "-1",
        "1e3",
        "0x10",
        "0xF31",
        "9223372036854775807",
        "9223372036854775808",
        "true",
        "false",
        "TRUE",
        "on",
        "OFF",
        "*",
        " ",
        " x ",
        "a=b",
        "[0]",
        "127.0.0.1",
        "::1",
        "[::1]",
        "localhost",
        "proxy.example",
        "https://as.example/token",
        "RS256",
        "es256",
        "none",
        "gzip",
        "gzip, deflate, br",
        "1.0",
        "2.0",
        "HTTP/1.1",
        "X-A: 1",
        "X-A: 1\r\nX-B: 2",
        "Host: a",
        "x25519;secp256r1",
        "rsa_pss_rsae_sha256",
        "TLS_AES_128_GCM_SHA256",
        "HIGH:!aNULL",
        "ALL:@STRENGTH",
        "DEFAULT",
        "rustls",
        "openssl",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "/etc/ssl/certs",
        "/a:/b",
        "accept,cookie",
        "Basic",
        "s256",
        "debug",
        "tunnel",
        "\u{0}",
        "\r\n",
        "é",
        "\u{202e}",
        "-----BEGIN CERTIFICATE-----",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(5000));
    texts
}

/// Two of them say one thing: setting the first changes the second.
fn belongs_to(changed: &str, set: &str) -> bool {
    changed == set
        || match set {
            "FormVarCount" => changed.starts_with("FormVar"),
            "ProxyAuthScheme" => matches!(changed, "ProxyUser" | "ProxyPassword" | "ProxyAuthorization"),
            "ProxyAuthorization" => changed == "ProxyAuthScheme",
            "FirewallType" => changed == "FirewallPort",
            _ => false,
        }
}

#[test]
fn what_a_setting_reads_it_takes_and_reads_again_whatever_was_set_before() {
    for name in settable() {
        for text in [None].into_iter().chain(texts().into_iter().map(Some)) {
            let oauth = with_members();
            if text.as_ref().is_some_and(|text| oauth.config(&format!("{name}={text}")).is_err()) {
                continue;
            }
            let before = everything(&oauth);
            let read = oauth.config(&name).unwrap();
            if name == "TransferredRequest" {
                // It is a switch, and reads what went over the wire.
                assert_eq!(read.as_str(), "");
                continue;
            }
            let again = oauth.config(&format!("{name}={}", read.as_str()));
            let again = again
                .unwrap_or_else(|error| panic!("{name} reads {:?} and refuses it: {error}", read.as_str()));
            assert_eq!(again, read, "{name}");
            assert_eq!(everything(&oauth), before, "{name}, {text:?}");
        }
    }
}

#[test]
fn a_value_that_is_taken_changes_its_setting_alone_and_one_that_is_not_changes_nothing() {
    let before = everything(&with_members());
    for name in settable() {
        let mut refused = 0;
        for text in texts() {
            let oauth = with_members();
            let result = oauth.config(&format!("{name}={text}"));
            let after = everything(&oauth);
            let changed = before.keys().filter(|key| before[*key] != after[*key]);
            match result {
                Err(_) => {
                    refused += 1;
                    assert_eq!(changed.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}={text:?}");
                }
                Ok(_) => {
                    changed.for_each(|key| assert!(belongs_to(key, &name), "{name}={text:?} changes {key}"))
                }
            }
        }
        let row = ConfigSetting::named(name.trim_end_matches("[1]")).unwrap();
        let strict = row.form() == "true or false"
            || row.form().starts_with("a whole number")
            || row.form().starts_with("0 (");
        assert!(!strict || refused > 20, "{name} takes almost everything: {refused} refused");
    }
}

/// D5: not in errors, which travel to logs; nor where a value is debugged.
#[test]
fn d5_no_value_is_in_an_error_and_no_secret_one_in_a_debug_text() {
    const VALUE: &str = "tr0ub4dor-and-3";
    let mut secrets = 0;
    let mut refused = 0;
    for setting in ConfigSetting::all().filter(|setting| !setting.is_action()) {
        let name =
            if setting.is_indexed() { format!("{}[1]", setting.name()) } else { setting.name().to_owned() };
        for value in
            [VALUE.to_owned(), format!("{VALUE}: {VALUE}"), format!("x\r\n{VALUE}"), format!("\u{0}{VALUE}")]
        {
            let oauth = with_members();
            match oauth.config(&format!("{name}={value}")) {
                Err(error) => {
                    refused += 1;
                    // Which of its words is none has to be told, and it is no secret.
                    let told = name == "OpenSSLCipherList";
                    assert!(told || !format!("{error} {error:?}").contains(VALUE), "{name}: {error:?}");
                }
                Ok(read) => {
                    assert_eq!(read.is_secret(), setting.is_secret());
                    let shown = format!("{read:?}").contains(VALUE);
                    assert!(!(setting.is_secret() && shown), "{name} is shown: {read:?}");
                    secrets += usize::from(setting.is_secret());
                }
            }
            assert!(!format!("{oauth:?} {setting:?}").contains(VALUE));
        }
    }
    assert!(secrets >= 9 * 4 && refused >= 60 * 4, "{secrets} {refused}");
}

/// A setting that nothing comes of would be ignored in silence.
#[test]
fn each_setting_of_the_network_comes_to_something() {
    let comes_to = |settings: &[&str]| {
        let oauth = OAuth::new();
        for setting in settings {
            oauth.config(setting).unwrap();
        }
        oauth.network_settings(EventSink::none()).map(|settings| format!("{settings:?}")).ok()
    };
    // What others hang on.
    let base = [
        "TCPKeepAlive=true",
        "UseChunkedEncoding=true",
        "HTTPVersion=2.0",
        "ProxyAuthScheme=5",
        "ProxyServer=proxy.example",
        "FirewallType=3",
        "FirewallHost=firewall.example",
        "FirewallUser=ada",
    ];
    let before = comes_to(&base).unwrap();
    let mut without = BTreeSet::new();
    for name in settable() {
        let setting = ConfigSetting::named(name.trim_end_matches("[1]")).unwrap();
        // What is secret is not seen in what is compared.
        if setting.group() == ConfigGroup::OAuth || setting.is_secret() {
            continue;
        }
        let counts = texts().iter().any(|text| {
            let line = format!("{name}={text}");
            OAuth::new().config(&line).is_ok()
                && comes_to(&[&base[..], &[&line]].concat()).as_ref() != Some(&before)
        });
        if !counts {
            without.insert(setting.name());
        }
    }
    let elsewhere = [
        // On addresses, on the choice of an engine, on events.
        "EncodeURL",
        "UseIDNs",
        "UsePlatformHTTPClient",
        "LogLevel",
        // Beside a client certificate; in place of a firewall that is named.
        "SSLCACerts",
        "FirewallAutoDetect",
        // There is one value that is not refused.
        "GetOn302Redirect",
        "SSLEnableRenegotiation",
        "SSLProvider",
    ];
    assert_eq!(without.difference(&BTreeSet::from(elsewhere)).collect::<Vec<_>>(), Vec::<&&str>::new());
}
