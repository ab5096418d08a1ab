//! The peers do what their documentation says: shown by libcurl, or by the browser itself: no engine of ours is needed for it, and what
//! an engine learns to do later already has a peer that is known to work.
#![allow(missing_docs, reason = "these are tests")]
#![allow(clippy::print_stdout, reason = "a test says which browser it was")]

use curl::easy::{Auth, Easy, List, ProxyType, SslVersion};
use oauth_interop::{
    Access, Account, Authority, Chromium, Dante, Identity, Kerberos, Microsocks, Nginx, Openssh, Scheme,
    Site, Softhsm, Squid, StartError, Tinyproxy,
};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, thread};

const CHILD: &str = "OAUTH_INTEROP_CHILD";

fn nginx() -> &'static Nginx {
    static NGINX: LazyLock<Result<Nginx, StartError>> = LazyLock::new(Nginx::start);
    NGINX.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

/// What came of a request: the status, the head, and libcurl's code where it failed.
#[derive(Debug)]
struct Outcome {
    status: u32,
    head: String,
    body: Vec<u8>,
    error: Option<u32>,
}

impl Outcome {
    fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// A client that trusts the authority of [`nginx`], and asks no proxy of the environment's.
fn client() -> Easy {
    let mut easy = Easy::new();
    easy.timeout(Duration::from_secs(10)).unwrap();
    easy.noproxy("").unwrap();
    easy.proxy("").unwrap();
    easy.ssl_cainfo_blob(nginx().authority().root_pem().as_bytes()).unwrap();
    easy.proxy_ssl_cainfo_blob(nginx().authority().root_pem().as_bytes()).unwrap();
    easy
}

fn get(easy: &mut Easy, url: &str) -> Outcome {
    easy.url(url).unwrap();
    let (mut head, mut body) = (Vec::new(), Vec::new());
    let result = {
        let mut transfer = easy.transfer();
        transfer
            .header_function(|line| {
                head.extend_from_slice(line);
                true
            })
            .unwrap();
        transfer
            .write_function(|bytes| {
                body.extend_from_slice(bytes);
                Ok(bytes.len())
            })
            .unwrap();
        transfer.perform()
    };
    let error = result.err().map(|error| error.code());
    Outcome {
        status: easy.response_code().unwrap(),
        head: String::from_utf8_lossy(&head).into_owned(),
        body,
        error,
    }
}

fn through(url: &str, account: Option<Account>, auth: &Auth) -> Easy {
    let mut easy = client();
    easy.proxy(url).unwrap();
    if let Some(account) = account {
        easy.proxy_username(account.user()).unwrap();
        easy.proxy_password(account.password()).unwrap();
        easy.proxy_auth(auth).unwrap();
    }
    easy
}

fn as_client(identity: &Identity) -> Easy {
    let mut easy = client();
    easy.ssl_cert_type("PEM").unwrap();
    easy.ssl_cert_blob(identity.certificate_pem().as_bytes()).unwrap();
    easy.ssl_key_blob(identity.key_pem().as_bytes()).unwrap();
    easy
}

// --- how they end -----------------------------------------------------------------------------------------------------

fn listens(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
}

#[test]
fn a_peer_ends_when_it_is_dropped() {
    let nginx = Nginx::start().unwrap();
    let port = nginx.port(Site::Plain);
    assert!(listens(port));
    drop(nginx);
    assert!(!listens(port));
}

#[test]
fn a_peer_ends_when_a_test_panics() {
    let port = thread::spawn(|| {
        let nginx = Nginx::start().unwrap();
        std::panic::panic_any(nginx.port(Site::Plain));
    });
    let port = *port.join().unwrap_err().downcast::<u16>().unwrap();
    assert!(!listens(port));
}

/// What is left in a static is not dropped, and what is killed drops nothing. Runs itself again in a process of its own.
#[test]
fn a_peer_ends_with_the_process_however_that_ends() {
    if env::var_os(CHILD).is_some() {
        let file = env::var_os("OAUTH_INTEROP_PORT").unwrap();
        let squid = Squid::start(&[Scheme::Basic], Authority::new("http://127.0.0.1/").server()).unwrap();
        std::fs::write(file, squid.url()).unwrap();
        std::mem::forget(squid);
        if env::var_os(CHILD).is_some_and(|how| how == "abort") {
            std::process::abort();
        }
        std::process::exit(0);
    }
    for how in ["exit", "abort"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        let start = Instant::now();
        // Waits until nobody holds its output any more, which a peer that inherited it would do.
        Command::new(env::current_exe().unwrap())
            .arg("a_peer_ends_with_the_process_however_that_ends")
            .env(CHILD, how)
            .env("OAUTH_INTEROP_PORT", &file)
            .output()
            .unwrap();
        let url = std::fs::read_to_string(file).unwrap();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        while listens(port) {
            assert!(start.elapsed() < Duration::from_secs(20), "{url} is still there");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Runs itself again where nothing is on the path.
#[test]
fn a_missing_program_is_an_error_that_names_its_package() {
    if env::var_os(CHILD).is_some() {
        let error = Microsocks::start().unwrap_err();
        assert!(matches!(error, StartError::Missing { program: "microsocks", .. }), "{error:?}");
        assert!(error.to_string().contains("install the Debian package microsocks"), "{error}");
        let error = Chromium::start().unwrap_err();
        assert!(error.to_string().contains("install the Debian package chromium"), "{error}");
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .arg("a_missing_program_is_an_error_that_names_its_package")
        .env(CHILD, "missing")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

// --- SoftHSM ----------------------------------------------------------------------------------------------------------

/// Shown by a program of others, which never gets to see the key.
#[test]
fn a_token_signs_by_the_key_of_its_certificate() {
    let alice = nginx().authority().client();
    let token = Softhsm::new(alice.certificate_pem(), alice.key_pem()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &str, arguments: &str, more: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments.split(' ')).args(more).envs([token.environment()]).current_dir(&folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for (name, text) in [("message", "to be signed"), ("client.pem", alice.certificate_pem())] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let uri = token.uri();
    let (_, module) = uri.split_once("module-path=").unwrap();
    let _ = run("openssl", "dgst -sha256 -binary -out digest message", &[]);
    let sign = "--sign --mechanism ECDSA --signature-format openssl --id 01 -i digest -o signature --login";
    let _ = run("pkcs11-tool", sign, &["--module", module, "--pin", Softhsm::PIN]);
    std::fs::write(
        folder.path().join("public.pem"),
        run("openssl", "x509 -pubkey -noout -in client.pem", &[]),
    )
    .unwrap();
    let said = run("openssl", "dgst -sha256 -verify public.pem -signature signature message", &[]);
    assert!(said.contains("Verified OK"), "{said}");
}

// --- nginx ------------------------------------------------------------------------------------------------------------

#[test]
fn each_version_of_tls_has_a_server() {
    for (site, sees) in [(Site::Https, "TLSv1.3"), (Site::Tls12, "TLSv1.2"), (Site::Tls13, "TLSv1.3")] {
        let outcome = get(&mut client(), &nginx().url(site, "/"));
        assert_eq!((outcome.status, outcome.header("x-tls")), (200, sees), "{outcome:?}");
        assert!(
            !outcome.header("x-cipher").is_empty() && !outcome.header("x-curve").is_empty(),
            "{outcome:?}"
        );
    }
    assert_eq!(get(&mut client(), &nginx().url(Site::OldTls, "/")).error, Some(35));
    let mut old = client();
    old.ssl_min_max_version(SslVersion::Tlsv10, SslVersion::Tlsv11).unwrap();
    old.ssl_cipher_list("DEFAULT:@SECLEVEL=0").unwrap();
    let outcome = get(&mut old, &nginx().url(Site::OldTls, "/"));
    assert_eq!((outcome.status, outcome.header("x-tls")), (200, "TLSv1.1"), "{outcome:?}");
}

#[test]
fn each_bad_certificate_has_a_server() {
    for site in [Site::Expired, Site::WrongHost, Site::SelfSigned] {
        let outcome = get(&mut client(), &nginx().url(site, "/"));
        assert_eq!(outcome.error, Some(60), "{site:?}: {outcome:?}");
        let mut careless = client();
        careless.ssl_verify_peer(false).unwrap();
        careless.ssl_verify_host(false).unwrap();
        assert_eq!(get(&mut careless, &nginx().url(site, "/")).status, 200, "{site:?}");
    }
}

#[test]
fn the_list_of_the_revoked_is_served_and_counts() {
    let outcome = get(&mut client(), &nginx().url(Site::Plain, "/list"));
    assert_eq!(outcome.body, nginx().authority().revocation_list());
    assert_eq!(outcome.header("content-type"), "application/pkix-crl");

    assert_eq!(get(&mut client(), &nginx().url(Site::Revoked, "/")).status, 200);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.pem");
    std::fs::write(&list, nginx().authority().revocation_list_pem()).unwrap();
    for (site, error) in [(Site::Https, None), (Site::Revoked, Some(60))] {
        let mut careful = client();
        careful.crlfile(&list).unwrap();
        let outcome = get(&mut careful, &nginx().url(site, "/"));
        assert_eq!(outcome.error, error, "{site:?}: {outcome:?}");
    }
}

#[test]
fn clients_are_known_by_their_certificates() {
    let authority = nginx().authority();
    let none = client();
    let clients = [
        (none, 400, "NONE", ""),
        (as_client(authority.client()), 200, "SUCCESS", "CN=alice"),
        (as_client(authority.revoked_client()), 400, "FAILED:certificate revoked", "CN=mallory"),
        (as_client(authority.stranger()), 400, "FAILED:unable to", "CN=eve"),
    ];
    for (mut client, status, verdict, name) in clients {
        let outcome = get(&mut client, &nginx().url(Site::ClientRequired, "/"));
        assert_eq!(outcome.status, status, "{outcome:?}");
        assert!(outcome.header("x-client").starts_with(verdict), "{outcome:?}");
        assert_eq!(outcome.header("x-client-name"), name);
    }
    let outcome = get(&mut client(), &nginx().url(Site::ClientOptional, "/"));
    assert_eq!((outcome.status, outcome.header("x-client")), (200, "NONE"));

    let pkcs12 = authority.client().pkcs12("planted-file").unwrap();
    let mut easy = client();
    easy.ssl_cert_type("P12").unwrap();
    easy.ssl_cert_blob(&pkcs12).unwrap();
    easy.key_password("planted-file").unwrap();
    assert_eq!(get(&mut easy, &nginx().url(Site::ClientRequired, "/")).header("x-client-name"), "CN=alice");
}

#[test]
fn odd_answers_are_there() {
    let at = |path| get(&mut client(), &nginx().url(Site::Plain, path));
    let outcome = at("/redirect/3");
    assert_eq!((outcome.status, outcome.header("location")), (302, "/redirect/2"));
    let mut follows = client();
    follows.follow_location(true).unwrap();
    let outcome = get(&mut follows, &nginx().url(Site::Plain, "/redirect/3"));
    assert_eq!((outcome.status, &outcome.body[..]), (200, &br#"{"answer":"nginx"}"#[..]));
    assert_eq!(get(&mut follows, &nginx().url(Site::Plain, "/redirect/loop")).error, Some(47));
    let outcome = at("/busy");
    assert_eq!((outcome.status, outcome.header("retry-after")), (503, "1"));
    assert_eq!(at("/silent").error, Some(52));

    let plain = at("/gzip");
    let mut easy = client();
    let mut headers = List::new();
    headers.append("Accept-Encoding: gzip").unwrap();
    easy.http_headers(headers).unwrap();
    let packed = get(&mut easy, &nginx().url(Site::Plain, "/gzip"));
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert!(packed.body.len() < plain.body.len());

    let mut hasty = client();
    hasty.timeout(Duration::from_secs(1)).unwrap();
    let outcome = get(&mut hasty, &nginx().url(Site::Plain, "/slow"));
    assert_eq!((outcome.error, outcome.status), (Some(28), 200));
    assert!(!outcome.body.is_empty() && outcome.body.len() < plain.body.len());
}

// --- proxies ----------------------------------------------------------------------------------------------------------

/// A name that the proxy looks up, and a server that only the proxy's log tells from the rest.
fn target() -> String {
    nginx().url_at("localhost", Site::Https, "/")
}

#[test]
fn squid_asks_in_each_way() {
    let target = target();
    let identity = nginx().authority().server();
    for (schemes, offered) in [
        (&[Scheme::Basic][..], &["Basic"][..]),
        (&[Scheme::Digest], &["Digest"]),
        (&[Scheme::Digest, Scheme::Basic], &["Digest", "Basic"]),
    ] {
        let squid = Squid::start(schemes, identity).unwrap();
        let watch = squid.log().watch();
        for url in [squid.url(), squid.tls_url()] {
            let outcome = get(&mut through(&url, None, &Auth::new()), &target);
            assert!(outcome.error.is_some(), "{outcome:?}");
            let asks: Vec<_> = outcome
                .head
                .lines()
                .filter_map(|line| line.strip_prefix("Proxy-Authenticate: "))
                .filter_map(|line| line.split(' ').next())
                .collect();
            assert_eq!(asks, offered);
            let mut any = Auth::new();
            any.basic(true).digest(true);
            let account = squid.account();
            let outcome = get(&mut through(&url, Some(account), &any), &target);
            assert_eq!(outcome.status, 200, "{outcome:?}");
            assert_eq!(outcome.header("x-proxy-authorization"), "");
            let wrong = account.with_wrong_password();
            assert!(get(&mut through(&url, Some(wrong), &any), &target).head.contains(" 407 "));
            let blocked = get(&mut through(&url, Some(account), &any), "https://blocked.test/");
            assert!(blocked.head.contains(" 403 "), "{blocked:?}");
        }
        let _ = watch.line(&["TCP_TUNNEL/200", "CONNECT localhost:", " user "]);
        let _ = watch.line(&["TCP_DENIED/407", "CONNECT localhost:"]);
        let _ = watch.line(&["TCP_DENIED/403", "CONNECT blocked.test:443"]);
    }
}

#[test]
fn a_nonce_of_squid_s_goes_stale() {
    let squid = Squid::start(&[Scheme::Digest], nginx().authority().server()).unwrap();
    let watch = squid.log().watch();
    let mut digest = Auth::new();
    digest.digest(true);
    let mut easy = through(&squid.url(), Some(squid.account()), &digest);
    // A tunnel for each, all by one nonce until it is refused.
    easy.fresh_connect(true).unwrap();
    easy.forbid_reuse(true).unwrap();
    let stale = (0..6)
        .map(|_| {
            let outcome = get(&mut easy, &target());
            assert_eq!(outcome.status, 200, "{outcome:?}");
            outcome.head.matches("stale=true").count()
        })
        .sum::<usize>();
    assert!(stale >= 1, "no nonce went stale");
    let _ = watch.lines(6, &["TCP_TUNNEL/200", " user "]);
}

/// MS-NLMP section 2.2.1.1: a negotiation, by which nothing is negotiated but that we would like to begin.
const NTLM_NEGOTIATE: &str = "TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn squid_answers_ntlm_with_a_challenge() {
    let squid = Squid::start(&[Scheme::Ntlm], nginx().authority().server()).unwrap();
    let outcome = get(&mut through(&squid.url(), None, &Auth::new()), &target());
    assert!(outcome.head.contains("Proxy-Authenticate: NTLM\r\n"), "{outcome:?}");
    let mut easy = through(&squid.url(), None, &Auth::new());
    let mut headers = List::new();
    headers.append(&format!("Proxy-Authorization: NTLM {NTLM_NEGOTIATE}")).unwrap();
    easy.proxy_headers(headers).unwrap();
    let outcome = get(&mut easy, &target());
    // The second kind of message, and it begins with the same signature.
    assert!(outcome.head.contains("Proxy-Authenticate: NTLM TlRMTVNTUAAC"), "{outcome:?}");
}

/// By Debian's `curl`, which speaks Kerberos: the libcurl that is built here does not.
#[test]
fn squid_takes_a_ticket() {
    let realm = Kerberos::start().unwrap();
    let squid = Squid::start_with_negotiate(&realm, nginx().authority().server()).unwrap();
    let (tickets, tunnels) = (realm.log().watch(), squid.log().watch());
    let curl = |environment| {
        let output = Command::new("/usr/bin/curl")
            .args([
                "-q",
                "-k",
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_connect} %{http_code}",
                "--noproxy",
                "",
            ])
            .args(["--proxy-negotiate", "-U", ":", "-x", &squid.url().replace("127.0.0.1", "localhost")])
            .arg(target())
            .env_remove("KRB5CCNAME")
            .envs::<Vec<(&str, std::ffi::OsString)>, _, _>(environment)
            .output()
            .expect("install the Debian package curl");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(curl(vec![("KRB5CCNAME", "FILE:/nowhere/tickets".into())]), "407 000");
    assert_eq!(curl(realm.environment().unwrap()), "200 200");
    let _ = tickets.line(&["AS_REQ", "ISSUE", "alice@INTEROP.TEST"]);
    let _ = tickets.line(&["TGS_REQ", "ISSUE", "for HTTP/localhost@INTEROP.TEST"]);
    let _ = tunnels.line(&["TCP_TUNNEL/200", "alice@INTEROP.TEST"]);
}

#[test]
fn tinyproxy_asks_with_407_and_refuses_with_401() {
    let tinyproxy = Tinyproxy::start().unwrap();
    let watch = tinyproxy.log().watch();
    let target = target();
    let mut basic = Auth::new();
    basic.basic(true);
    let account = tinyproxy.account();
    for (account, status) in
        [(None, "407"), (Some(account.with_wrong_password()), "401"), (Some(account), "200")]
    {
        let outcome = get(&mut through(&tinyproxy.url(), account, &basic), &target);
        let first = outcome.head.lines().next().unwrap_or_default();
        assert_eq!(first.split(' ').nth(1), Some(status), "{outcome:?}");
    }
    let _ = watch.line(&["CONNECT localhost:"]);
    let _ = watch.line(&["Established connection to host \"localhost\""]);
}

#[test]
fn dante_speaks_socks_4_and_5() {
    let dante = Dante::start(Access::Anyone).unwrap();
    let watch = dante.log().watch();
    for (scheme, kind) in
        [("socks4", ProxyType::Socks4), ("socks5", ProxyType::Socks5), ("socks5h", ProxyType::Socks5Hostname)]
    {
        let mut easy = through(&dante.url(scheme), None, &Auth::new());
        easy.proxy_type(kind).unwrap();
        // By address: a name would be looked up here, and may be ::1 first.
        let outcome = get(&mut easy, &nginx().url(Site::Https, "/"));
        assert_eq!(outcome.status, 200, "{scheme}: {outcome:?}");
    }
    let _ = watch.lines(3, &["pass(1): tcp/connect", &format!(".{}", nginx().port(Site::Https))]);
}

#[test]
fn openssh_speaks_socks_4a() {
    let openssh = Openssh::start().unwrap();
    let watch = openssh.log().watch();
    for (scheme, kind) in [("socks4a", ProxyType::Socks4a), ("socks5h", ProxyType::Socks5Hostname)] {
        let mut easy = through(&openssh.url(scheme), None, &Auth::new());
        easy.proxy_type(kind).unwrap();
        let outcome = get(&mut easy, &target());
        assert_eq!(outcome.status, 200, "{scheme}: {outcome:?}");
    }
    let _ = watch.lines(2, &[&format!("for localhost port {},", nginx().port(Site::Https))]);
}

#[test]
fn socks_servers_know_an_account() {
    let (dante, microsocks) = (Dante::start(Access::Account).unwrap(), Microsocks::start().unwrap());
    let (passes, connects) = (dante.log().watch(), microsocks.log().watch());
    for (url, account) in
        [(dante.url("socks5h"), dante.account()), (microsocks.url("socks5h"), microsocks.account())]
    {
        let outcome = get(&mut through(&url, Some(account), &Auth::new()), &target());
        assert_eq!(outcome.status, 200, "{outcome:?}");
        for account in [None, Some(account.with_wrong_password())] {
            let outcome = get(&mut through(&url, account, &Auth::new()), &target());
            assert_eq!(outcome.error, Some(97), "{outcome:?}");
        }
    }
    let _ = passes.line(&["pass(1): tcp/connect", "username%interop@"]);
    let _ = connects.line(&["connected to localhost:", &nginx().port(Site::Https).to_string()]);
}

// --- the browser ------------------------------------------------------------------------------------------------------

#[test]
fn chromium_is_told_what_to_do_and_says_what_it_sees() {
    let chromium = Chromium::start().unwrap_or_else(|why| panic!("{why}"));
    println!("{}", chromium.version());
    assert!(chromium.version().starts_with("Chromium 1"), "{}", chromium.version());

    // Its own name and address, a certificate of nobody's, and a page without a title.
    let url = nginx().url(Site::Https, "/page");
    chromium.open(&url);
    assert_eq!((chromium.url(), chromium.text()), (url.clone(), r#"{"answer":"nginx"}"#.to_owned()));

    let page = "data:text/html,<meta name=viewport content=width=device-width><title>one</title><input>\
                <button onclick='document.title=document.querySelector(`input`).value;console.error(`pressed`)'>\
                Go</button>";
    chromium.open(page);
    chromium.type_into("input", "two");
    chromium.click("button");
    assert_eq!(chromium.title(), "two");
    let console = chromium.console();
    assert!(console.len() == 1 && console[0].contains("pressed"), "{console:?}");
    chromium.reload();
    assert_eq!(chromium.title(), "one");
    chromium.back();
    assert_eq!(chromium.url(), url);

    let first = chromium.tab();
    let second = chromium.open_tab();
    assert!(chromium.tab() == second && first != second);
    chromium.open(page);
    chromium.switch_to(&first);
    assert_eq!(chromium.url(), url);

    chromium.switch_to(&second);
    let file = tempfile::NamedTempFile::new().unwrap();
    for (width, dark) in [(390, true), (1280, false)] {
        chromium.show_as(width, 700, dark);
        let seen =
            chromium.run("return innerWidth + ' ' + matchMedia('(prefers-color-scheme: dark)').matches");
        assert_eq!(seen, format!("{width} {dark}"));
        chromium.screenshot(file.path());
        let picture = std::fs::read(file.path()).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        assert_eq!(picture[16..20], width.to_be_bytes(), "the width of a PNG");
    }
}

/// With what the driver has started, which is a dozen processes.
#[test]
fn chromium_ends_with_its_driver() {
    let chromium = Chromium::start().unwrap_or_else(|why| panic!("{why}"));
    chromium.open("chrome://version");
    let text = chromium.text();
    let profile =
        text.split_whitespace().find(|word| word.contains("oauth-interop-")).expect("it has a profile");
    let folder = profile.split("/org.").next().unwrap();
    let processes = || {
        let all = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        String::from_utf8_lossy(&all.stdout).lines().filter(|line| line.contains(folder)).count()
    };
    assert!(processes() > 1, "{folder}");
    drop(chromium);
    assert_eq!((processes(), std::fs::exists(folder).unwrap()), (0, false), "{folder}");
}
