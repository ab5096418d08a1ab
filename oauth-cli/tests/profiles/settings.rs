//! The settings of a profile, and what the command makes of each.

use super::{Home, printed};
use base64::Engine as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-jwt/tests/keys");

/// Answers one token request, and gives it.
fn one_request() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        let mut buffer = [0; 4096];
        while !is_whole(&request) {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "{request}");
            request.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        let body = r#"{"access_token":"a-token","token_type":"Bearer"}"#;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        request
    });
    (url, server)
}

/// Whether the body that its head announces is there.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    head.lines().find_map(length).is_some_and(|length: usize| body.len() >= length)
}

fn speaking_to(url: &str, settings: &str) -> String {
    format!(
        "[profile.work]\ntoken_endpoint = \"{url}\"\nclient_id = \"x\"\ngrant_type = \"client-credentials\"\n\
         allow_http_loopback = true\nclient_secret_cmd = \"echo s\"\n\n[profile.work.settings]\n{settings}\n"
    )
}

#[test]
fn the_settings_of_the_network_are_those_of_the_commands_own_requests() {
    let (url, server) = one_request();
    let settings =
        "useragent = \"probe/7\"\nOtherHeaders = \"X-Probe: 1\"\nAcceptEncoding = \"br\"\nKeepAlive = false";
    let home = Home::new(&speaking_to(&url, settings));
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let head = server.join().unwrap().to_ascii_lowercase();
    for line in ["\r\nuser-agent: probe/7\r\n", "\r\nx-probe: 1\r\n", "\r\naccept-encoding: br\r\n"] {
        assert!(head.contains(line), "{line:?} is not in {head}");
    }
}

#[test]
fn form_variables_of_the_settings_go_with_token_requests() {
    let (url, server) = one_request();
    let settings = "\"FormVarName[0]\" = \"tenant\"\n\"FormVarValue[0]\" = \"a b\"\nFormVarCount = 1";
    let home = Home::new(&speaking_to(&url, settings));
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let request = server.join().unwrap();
    assert!(request.ends_with("grant_type=client_credentials&tenant=a+b"), "{request}");
}

#[test]
fn the_settings_that_a_flag_has_too_are_that_flag() {
    let home = Home::new(
        "[profile.work]\nauthorization_endpoint = \"https://as.example/a\"\ntoken_endpoint = \"https://as.example/t\"\n\
         client_id = \"x\"\nno_browser = true\n\n[profile.work.settings]\nwebserverhost = \"localhost\"\n\
         BrowserResponseTimeout = 1\n",
    );
    let told = home.fails(&["authorize", "work", "--grant-type", "code"], 6, "in time");
    assert!(told.contains("redirect_uri=http%3A%2F%2Flocalhost%3A"), "{told}");
}

#[test]
fn a_proxy_of_the_settings_is_used_unless_a_flag_names_one() {
    // A port that nobody listens on.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    // The scheme empties what is there before it, and may stand after it all the same.
    let settings = format!(
        "ProxyUser = \"ada\"\nProxyPassword = \"pw-of-ada\"\nProxyAuthScheme = 1\nProxyServer = \"127.0.0.1\"\nProxyPort = {}",
        closed.port()
    );
    let home = Home::new(&speaking_to("https://as.example/token", &settings));
    assert_eq!(home.prints(&["config", "get", "ProxyUser", "--profile", "work"]), "ada\n");
    let told = home.fails(&["token", "work"], 8, "proxy");
    assert!(!told.contains("pw-of-ada"), "{told}");
    let proxy = format!("http://{}", open.local_addr().unwrap());
    let seen = thread::spawn(move || {
        let (mut stream, _) = open.accept().unwrap();
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    });
    home.fails(&["token", "work", "--proxy", &proxy], 8, "proxy");
    // The profile's own is on no command line, and nobody is warned of one.
    let text = format!("proxy = \"http://ada:pw-of-ada@{closed}\"\n[profile.work.settings]");
    fs::write(home.file(), home.text().replace("[profile.work.settings]", &text)).unwrap();
    let told = home.fails(&["token", "work"], 8, "proxy");
    assert!(!told.contains("warning: a password") && !told.contains("pw-of-ada"), "{told}");
    let seen = seen.join().unwrap();
    assert!(seen.starts_with("CONNECT as.example:443 ") && !seen.contains("ada"), "{seen}");
}

#[test]
fn the_platforms_client_is_the_other_engine_and_a_flag_wins_over_it() {
    let (url, server) = one_request();
    let home = Home::new(&speaking_to(&url, "UsePlatformHTTPClient = true\nLogSSLPackets = true"));
    if cfg!(feature = "isahc") {
        home.fails(&["token", "work"], 3, "isahc");
    } else {
        home.fails(&["token", "work"], 2, "no engine isahc");
    }
    // Hyper can do what isahc cannot.
    assert_eq!(home.prints(&["token", "work", "--transport", "hyper"]), "Bearer a-token\n");
    server.join().unwrap();
}

/// The assertion of a token request: its header and its claims.
fn assertion(request: &str, parameter: &str) -> [serde_json::Value; 2] {
    let named = format!("{parameter}=");
    let assertion = request.split(['&', '\n']).find_map(|pair| pair.strip_prefix(&named)).unwrap();
    let mut parts = assertion.split('.').map(|part| {
        let json = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    [parts.next().unwrap(), parts.next().unwrap()]
}

fn service(url: &str, grant: &str, settings: &str) -> String {
    speaking_to(url, settings)
        .replace("client-credentials", grant)
        .replace("client_secret_cmd = \"echo s\"\n", "")
}

#[test]
fn the_key_of_a_store_signs_for_the_client_and_assertions() {
    let store = format!(
        "JWTCertStoreType = 6\nJWTCertStore = '{KEYS}/rsa-2048.pkcs8.pem'\nJWTSignatureAlgorithm = \"PS256\"\n\
         JWTIssuer = \"the-job\"\nJWTAudience = \"https://as.example\"\nJWTSubject = \"ada\"\nJWTValidityTime = 60"
    );
    let (url, server) = one_request();
    let home = Home::new(&service(&url, "jwt-bearer", &store));
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let [header, claims] = assertion(&server.join().unwrap(), "assertion");
    assert_eq!(header["alg"], "PS256");
    assert_eq!((&claims["iss"], &claims["sub"]), (&"the-job".into(), &"ada".into()));
    assert_eq!(claims["aud"], "https://as.example");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);

    let (url, server) = one_request();
    let home = Home::new(&service(&url, "client-credentials", &store));
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let [header, claims] = assertion(&server.join().unwrap(), "client_assertion");
    assert_eq!((&header["alg"], &claims["iss"]), (&"PS256".into(), &"x".into()));
    assert_eq!(claims["aud"], url, "the token endpoint, where nobody says the issuer");
    // A key that is given takes the place of the profile's.
    let (url, server) = one_request();
    let home = Home::new(&service(&url, "client-credentials", &store));
    let key = format!("{KEYS}/p256.pkcs8.pem");
    assert_eq!(home.prints(&["token", "work", "--signing-key", &key]), "Bearer a-token\n");
    let [header, _] = assertion(&server.join().unwrap(), "client_assertion");
    assert_eq!(header["alg"], "ES256");
}

/// Nothing is the default of these settings, and no claim without a text.
#[test]
fn an_empty_setting_is_its_default_and_no_empty_claim() {
    let empty = "JWTIssuer = ''\nJWTAudience = ''\nJWTSubject = ''\nJWTSignatureAlgorithm = ''";
    let store = format!("JWTCertStoreType = 6\nJWTCertStore = '{KEYS}/p256.pkcs8.pem'");
    for (issuer, more) in
        [("", empty), ("", ""), ("issuer = 'https://as.example'\nassertion_subject = 'ada'\n", empty)]
    {
        let (url, server) = one_request();
        let text = service(&url, "jwt-bearer", &format!("{store}\n{more}"));
        let home = Home::new(&text.replace("[profile.work]\n", &format!("[profile.work]\n{issuer}")));
        assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
        let [header, claims] = assertion(&server.join().unwrap(), "assertion");
        let (audience, subject) =
            if issuer.is_empty() { (&*url, "x") } else { ("https://as.example", "ada") };
        assert_eq!((&header["alg"], &claims["iss"]), (&"ES256".into(), &"x".into()));
        assert_eq!((&claims["aud"], &claims["sub"]), (&audience.into(), &subject.into()));
    }
}

/// What is read back of such a value is the default of today, and another one than what was given tomorrow.
#[test]
fn config_set_keeps_what_was_given_and_not_what_it_comes_to() {
    let (url, server) = one_request();
    let store = format!("JWTCertStoreType = 6\nJWTCertStore = '{KEYS}/p256.pkcs8.pem'");
    let home = Home::new(&service(&url, "jwt-bearer", &store));
    for (setting, line) in [
        ("jwtsignaturealgorithm=", "JWTSignatureAlgorithm = \"\""),
        ("PollingInterval=0", "PollingInterval = 0"),
        ("FirewallPort=0", "FirewallPort = 0"),
        ("SSLEnabledProtocols=4032", "SSLEnabledProtocols = 4032"),
        ("LogLevel=verbose", "LogLevel = \"verbose\""),
        ("Linger=0", "Linger = false"),
        ("HTTPVersion=1.1", "HTTPVersion = \"1.1\""),
        ("UserAgent=007", "UserAgent = \"007\""),
        ("FormVarCount=2", "FormVarCount = 2"),
        ("formvarname[ 01 ]=tenant", "\"FormVarName[1]\" = \"tenant\""),
        ("FormVarName[1]=renter", "\"FormVarName[1]\" = \"renter\""),
        ("FormVarName[0]=owner", "\"FormVarName[0]\" = \"owner\""),
    ] {
        home.prints(&["config", "set", setting, "--profile", "work"]);
        assert!(home.text().lines().any(|kept| kept == line), "{line} is not in {}", home.text());
    }
    assert!(!home.text().contains("tenant"));
    // The key still signs by its own algorithm.
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let [header, _] = assertion(&server.join().unwrap(), "assertion");
    assert_eq!(header["alg"], "ES256");
}

#[test]
fn two_keys_of_one_setting_are_refused_by_name() {
    for (settings, what) in [
        ("LogLevel = 3\nloglevel = 1", "loglevel: LogLevel is the same setting, and there already"),
        ("FormVarCount = 1\n\"FormVarName[0]\" = 'a'\n\"formvarname[0]\" = 'b'", "the same setting"),
        (
            "FormVarCount = 1\n\"FormVarName[ 0 ]\" = 'a'",
            "\"FormVarName[ 0 ]\" is written \"FormVarName[0]\"",
        ),
        ("FormVarCount = 1\n\"FormVarName[00]\" = 'a'", "\"FormVarName[00]\" is written \"FormVarName[0]\""),
        ("\" JWTIssuer \" = 'a'", "\" JWTIssuer \" is written \"JWTIssuer\""),
        ("\"JWTIssuer[0]\" = 'a'", "leave out the index"),
        ("\"FormVarName[x]\" = 'a'", "a whole number in brackets"),
    ] {
        let home = Home::new(&speaking_to("https://as.example/token", settings));
        home.fails(&["token", "work"], 3, what);
        let before = home.text();
        home.fails(&["config", "set", "LogLevel=1", "--profile", "work"], 3, what);
        assert_eq!(home.text(), before);
    }
}

#[test]
fn a_password_in_an_address_of_the_settings_is_refused_and_shown_by_no_command() {
    for line in [
        "ProxyServer = 'http://u:hidden-pw@proxy.example'",
        "proxyserver = 'u:hidden-pw@proxy.example'",
        "FirewallHost = 'u:hidden-pw@firewall.example'",
        "TokenInfoURL = 'https://u:hidden-pw@as.example/info'",
        // It may be meant for one that is a secret.
        "ProxyPasword = 'hidden-pw'",
    ] {
        let home = Home::new(&speaking_to("https://as.example/token", line));
        let shown = home.prints(&["profile", "show", "work"]);
        assert!(!shown.contains("hidden-pw") && shown.contains(" = \"[hidden]\""), "{shown}");
        let name = line.split(' ').next().unwrap();
        for arguments in [&["config", "list"][..], &["config", "get", name], &["config", "get", "LogLevel"]] {
            let arguments = [arguments, &["--profile", "work"]].concat();
            let told = home.fails(&arguments, 3, "settings: ");
            assert!(!told.contains("hidden-pw"), "{told}");
        }
        let told = home.fails(&["token", "work"], 3, "settings: ");
        assert!(!told.contains("hidden-pw"), "{told}");
    }
    let home = Home::new("");
    let arguments = ["config", "set", "ProxyServer=http://u:hidden-pw@proxy.example", "--profile", "work"];
    let told = home.fails(&arguments, 2, "set ProxyUser and ProxyPassword");
    assert!(!told.contains("hidden-pw") && home.text().is_empty(), "{told}");
}

/// As the page says of it; the flag has a word for that.
#[test]
fn a_person_has_for_ever_where_the_setting_is_0() {
    let text = "[profile.work]\nauthorization_endpoint = \"https://as.example/a\"\ntoken_endpoint = \"https://as.example/t\"\n\
                client_id = \"x\"\nno_browser = true\n";
    let forever = Home::new(&format!("{text}\n[profile.work.settings]\nBrowserResponseTimeout = 0\n"));
    let flag = Home::new(&format!("{text}timeout = \"never\"\n"));
    for home in [forever, flag] {
        let mut child = home
            .command(&["authorize", "work", "--grant-type", "code"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        while !told.contains("https://as.example/a?") {
            assert!(std::io::BufRead::read_line(&mut stderr, &mut told).unwrap() > 0, "{told}");
        }
        thread::sleep(std::time::Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "it waits: {told}");
        child.kill().unwrap();
        let _status = child.wait().unwrap();
    }
    let home = Home::new(&format!("{text}timeout = 0\n"));
    home.fails(
        &["authorize", "work", "--grant-type", "code"],
        3,
        "zero is no time at all; never waits for ever",
    );
}

#[test]
fn a_service_account_says_what_the_other_settings_do_not() {
    let (url, server) = one_request();
    let home = Home::new("");
    let file = home.0.path().join("account.json");
    let account = serde_json::json!({
        "type": "service_account",
        "client_email": "jobs@project.example",
        "private_key_id": "0123abcd",
        "private_key": fs::read_to_string(format!("{KEYS}/p256.pkcs8.pem")).unwrap(),
        "token_uri": "https://as.example/token",
    });
    fs::write(&file, account.to_string()).unwrap();
    let settings = format!("JWTJSONKey = '{}'", file.display());
    fs::write(home.file(), service(&url, "jwt-bearer", &settings)).unwrap();
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    let [header, claims] = assertion(&server.join().unwrap(), "assertion");
    assert_eq!((&header["kid"], &header["alg"]), (&"0123abcd".into(), &"ES256".into()));
    assert_eq!(claims["iss"], "jobs@project.example");
    assert_eq!(claims["aud"], "https://as.example/token");
    fs::remove_file(&file).unwrap();
    home.fails(&["token", "work"], 3, "JWTJSONKey is refused: its file cannot be read");
}

#[test]
fn the_log_level_is_that_of_the_flags_that_nobody_gave() {
    let told = |level: &str, flags: &[&str]| {
        let (url, server) = one_request();
        let home = Home::new(&speaking_to(&url, &format!("LogLevel = {level}")));
        let output = home.run(&[&["token", "work"], flags].concat());
        assert_eq!(printed(&output), "Bearer a-token\n");
        server.join().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        ["warning: ", " granted ", "> POST "].map(|part| told.contains(part))
    };
    assert_eq!(told("0", &[]), [false; 3]);
    assert_eq!(told("1", &[]), [true, false, false]);
    assert_eq!(told("2", &[]), [true, true, false]);
    assert_eq!(told("3", &[]), [true, true, true]);
    assert_eq!(told("3", &["-q"]), [false; 3]);
    assert_eq!(told("0", &["-v"]), [true, true, false]);
}

#[test]
fn a_weaker_code_challenge_is_taken_with_a_warning() {
    for (method, parameter, warning) in [
        ("0", None, Some("PKCE")),
        ("1", Some("code_challenge_method=plain"), Some("PKCE")),
        ("2", Some("code_challenge_method=S256"), None),
    ] {
        let home = Home::new(&format!(
            "[profile.work]\nauthorization_endpoint = \"https://as.example/a\"\ntoken_endpoint = \"https://as.example/t\"\n\
             client_id = \"x\"\nno_browser = true\ntimeout = \"1s\"\n[profile.work.settings]\nCodeChallengeMethod = {method}\n"
        ));
        let told = home.fails(&["authorize", "work", "--grant-type", "code"], 6, "in time");
        assert_eq!(told.contains("code_challenge"), parameter.is_some(), "{told}");
        assert!(parameter.is_none_or(|parameter| told.contains(parameter)), "{told}");
        assert_eq!(told.contains("warning: "), warning.is_some(), "{told}");
    }
}

#[test]
fn what_is_at_risk_or_left_out_is_told_when_it_is_set_and_when_it_is_used() {
    let (url, server) = one_request();
    let home = Home::new(&speaking_to(&url, "TransferredDataLimit = 4000"));
    let warned = |output: &std::process::Output| {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ["warning: SSLSecurityFlags", "warning: TransferredDataLimit", "warning: SSLEnabledProtocols"]
            .map(|part| told.contains(part))
    };
    for (setting, expected) in [
        ("SSLSecurityFlags=0x0", [false; 3]),
        ("SSLSecurityFlags=0x10", [true, false, false]),
        ("TransferredDataLimit=4000", [false; 3]),
        ("TransferredDataLimit=0", [false, true, false]),
        ("SSLEnabledProtocols=15360", [false; 3]),
        ("SSLEnabledProtocols=4032", [false, false, true]),
    ] {
        let output = home.run(&["config", "set", setting, "--profile", "work"]);
        assert!(output.status.success());
        assert_eq!(warned(&output), expected, "{setting}");
    }
    let output = home.run(&["token", "work"]);
    assert_eq!(printed(&output), "Bearer a-token\n");
    assert_eq!(warned(&output), [true; 3]);
    server.join().unwrap();
}

#[test]
fn addresses_are_written_as_the_settings_have_it() {
    let (url, server) = one_request();
    let home = Home::new(&speaking_to(&format!("{url}/a b"), "EncodeURL = true"));
    assert_eq!(home.prints(&["token", "work"]), "Bearer a-token\n");
    assert!(server.join().unwrap().starts_with("POST /token/a%20b HTTP/1.1\r\n"));
    let home = Home::new(&speaking_to("https://as.example/a b", "EncodeURL = false"));
    home.fails(&["token", "work"], 3, "token_endpoint is refused: it holds a character that no URL may have");
    let home = Home::new(&speaking_to("https://bücher.example/t", "UseIDNs = false"));
    home.fails(&["token", "work"], 3, "token_endpoint is refused: its host has letters beyond ASCII");
}

/// Every setting that can be set can stand in a profile; of what has no effect, the person hears.
#[test]
fn a_profile_may_have_every_setting() {
    let home = Home::new("");
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&home.prints(&["config", "list", "-o", "json"])).unwrap();
    let mut settings = String::new();
    let mut count = 0;
    for row in rows.iter().filter(|row| row["read_only"] == false && row["action"] == false) {
        let (name, default) = (row["name"].as_str().unwrap(), row["default"].as_str().unwrap());
        match name {
            "FormVarCount" => settings.push_str("FormVarCount = 1\n"),
            "FormVarName" | "FormVarValue" => settings.push_str(&format!("\"{name}[0]\" = \"x\"\n")),
            // One that is chosen is a key that signs.
            "JWTCertStore" => settings.push_str("JWTCertStore = \"\"\n"),
            // What is read there is a request.
            "TransferredRequest" => settings.push_str("TransferredRequest = \"OFF\"\n"),
            _ => settings.push_str(&format!("{name} = '{default}'\n")),
        }
        count += 1;
    }
    assert_eq!(count, 99, "{settings}");
    let (url, server) = one_request();
    fs::write(home.file(), speaking_to(&url, &settings)).unwrap();
    let output = home.run(&["token", "work"]);
    assert_eq!(printed(&output), "Bearer a-token\n");
    server.join().unwrap();

    let without_effect = [
        "Append = true",
        "IncludeEmptyRedirectURI = true",
        "Office365ServiceAPIVersion = 'v1.0'",
        "Office365ServiceCapability = 'Mail'",
        "ReUseWebServer = false",
        "TokenInfoURL = 'https://as.example/info'",
        "TransferredRequest = 'ON'",
    ];
    let (url, server) = one_request();
    fs::write(home.file(), speaking_to(&url, &without_effect.join("\n"))).unwrap();
    let output = home.run(&["token", "work"]);
    assert_eq!(printed(&output), "Bearer a-token\n");
    let told = String::from_utf8(output.stderr).unwrap();
    for line in without_effect {
        let name = line.split(' ').next().unwrap();
        assert!(told.contains(&format!("note: {name} of profile work has no effect: ")), "{name}: {told}");
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        assert_eq!(row["for_the_command"], false, "{name}");
    }
    server.join().unwrap();
    let others = rows.iter().filter(|row| row["for_the_command"] == false && row["read_only"] == false);
    let others: Vec<_> = others.map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(others.len(), without_effect.len() + 2, "the address of a login, and an action: {others:?}");
}
