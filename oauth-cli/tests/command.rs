//! The command as scripts and people meet it: streams, exit codes, and one line to act on.
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_testserver::{Browser, Client, Endpoint, Fault, TestServer};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Waiting, fails, is_bearer_line, oauth, run, stderr, stdout};

// --- the demo -------------------------------------------------------------------------------------------------------

#[test]
fn d5_demo_yes_prints_one_line_and_nothing_else() {
    for arguments in [&["demo", "--yes"][..], &["demo", "--yes", "--device"], &["--quiet", "demo", "--yes"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(is_bearer_line(stdout(&output)), "{:?}", stdout(&output));
        let token = stdout(&output).trim().trim_start_matches("Bearer ");
        assert!(!stderr(&output).contains(token));
        for name in ["demo-at-", "demo-rt-", "demo-code-", "demo-dc-"] {
            assert!(!stderr(&output).contains(name), "{name} in {}", stderr(&output));
        }
    }
    assert_eq!(stderr(&run(&["--quiet", "demo", "--yes"])), "");
}

#[test]
fn demo_waits_for_whoever_opens_its_address() {
    let waiting = Waiting::start(&["demo", "--no-browser"]);
    let landing = Browser::new().sign_in("grace", &waiting.url()).unwrap();
    assert_eq!(landing.status, Some(200), "{}", landing.body);
    let (code, stdout, _) = waiting.end();
    assert_eq!(code, Some(0));
    assert!(is_bearer_line(&stdout), "{stdout}");
}

#[test]
fn demo_on_a_device_completes_when_its_code_is_entered() {
    let waiting = Waiting::start(&["demo", "--device"]);
    let page = waiting.url();
    let code = waiting.line(|line| line.trim().len() == 9 && line.trim().as_bytes()[4] == b'-');
    assert_eq!(Browser::new().approve_device(&page, &code).unwrap().status, Some(200));
    let (exit, stdout, _) = waiting.end();
    assert_eq!(exit, Some(0));
    assert!(is_bearer_line(&stdout), "{stdout}");
}

/// RFC 8628 section 5.4: a person who is sent a code by a stranger can tell what it lets in.
#[test]
fn d3_a_device_login_says_who_is_let_in_where_and_for_what() {
    let server = TestServer::start().unwrap();
    let arguments = [&["authorize", server.issuer(), "--device", "--scope", "profile"][..], &PUBLIC].concat();
    let waiting = Waiting::start(&arguments);
    let page = waiting.url();
    let code = waiting.line(|line| line.trim().len() == 9 && line.trim().as_bytes()[4] == b'-');
    let told = waiting.line(|line| line.starts_with("It lets "));
    assert_eq!(told, format!("It lets {} in at {}, for: profile", PUBLIC[1], server.issuer()));
    assert!(waiting.line(|line| line.contains("Agree only")).contains("you began yourself"));
    assert_eq!(Browser::new().approve_device(&page, code.trim()).unwrap().status, Some(200));
    let (exit, _, told) = waiting.end();
    assert_eq!(exit, Some(0), "{told}");
}

/// RFC 8628 section 5.4: it is the person who opens the page, after reading what it is for.
#[test]
fn d3_a_device_login_opens_no_browser() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (device, opens) in [(&[][..], true), (&["--device"], false)] {
        let mark = folder.path().join(if opens { "browser" } else { "device" });
        let flags = ["--client-id", "demo", "--allow-http-loopback", "--timeout", "2s"];
        let output = oauth(&[&["authorize", server.issuer()][..], &flags, device].concat())
            .env("BROWSER", format!("touch {}", mark.display()))
            .output()
            .unwrap();
        fails(&output, 6, "in time");
        assert_eq!(mark.exists(), opens, "{}", stderr(&output));
    }
}

#[test]
fn a_person_who_says_no_is_exit_5() {
    let waiting = Waiting::start(&["demo", "--no-browser"]);
    let landing = Browser::new().deny(&waiting.url()).unwrap();
    assert!(landing.body.contains("not"), "the page tells the truth: {}", landing.body);
    let (code, stdout, told) = waiting.end();
    assert_eq!((code, stdout.as_str()), (Some(5), ""), "{told}");
    assert!(told.contains("access_denied"), "{told}");
}

#[test]
fn authorize_without_a_server_is_the_demo_only_where_a_person_sees_it() {
    fails(&run(&["authorize"]), 3, "no server was named");
    let waiting = Waiting::start(&["authorize", "--demo", "--no-browser", "-o", "header"]);
    Browser::new().sign_in("ada", &waiting.url()).unwrap();
    let (code, stdout, _) = waiting.end();
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("Authorization: Bearer demo-at-"), "{stdout}");
}

// --- authorize, token -----------------------------------------------------------------------------------------------

const PUBLIC: [&str; 4] = ["--client-id", "demo", "--allow-http-loopback", "--no-browser"];

#[test]
fn authorize_signs_in_by_the_printed_address() {
    let server = TestServer::start().unwrap();
    let flags = ["--scope", "openid,profile", "--login-hint", "ada", "-o", "json"];
    let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC, &flags].concat());
    let url = waiting.url();
    assert!(url.contains("login_hint=ada") && url.contains("code_challenge_method=S256"), "{url}");
    Browser::new().sign_in("ada", &url).unwrap();
    let (code, stdout, told) = waiting.end();
    assert_eq!(code, Some(0), "{told}");
    let tokens: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["id_token"].is_string() && tokens["expires_at"].is_u64(), "{tokens}");
    for secret in server.issued_secrets() {
        assert!(!told.contains(&secret));
    }
}

#[test]
fn an_answer_by_form_post_and_a_fixed_redirect_uri_work() {
    let server = TestServer::start().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redirect_uri = format!("http://localhost:{port}/back");
    let flags = ["--response-mode", "form_post", "--redirect-uri", &redirect_uri];
    let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC, &flags].concat());
    let landing = Browser::new().sign_in("ada", &waiting.url()).unwrap();
    assert_eq!(
        (landing.status, landing.url.as_str()),
        (Some(200), redirect_uri.as_str()),
        "{}",
        landing.body
    );
    let (code, stdout, told) = waiting.end();
    assert!(code == Some(0) && is_bearer_line(&stdout), "{told}");
}

#[test]
fn token_uses_a_secret_without_asking_anybody() {
    let server = TestServer::builder().client(Client::basic("o:d d", "s%&+: é!").loopback()).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    for (id, text) in [("demo-basic", "demo-basic-secret\n"), ("o:d d", "s%&+: é!")] {
        std::fs::write(&secret, text).unwrap();
        let file = secret.to_str().unwrap();
        let arguments = [
            "token",
            server.issuer(),
            "--allow-http-loopback",
            "--client-id",
            id,
            "--client-secret-file",
            file,
        ];
        let output = run(&arguments);
        assert!(is_bearer_line(stdout(&output)), "{}", stderr(&output));
        assert!(!stderr(&output).contains(text.trim()));
    }
    fails(&run(&[&["token", server.issuer()][..], &PUBLIC].concat()), 4, "a person has to sign in");
    fails(
        &run(&[&["authorize", "--no-prompt", server.issuer()][..], &PUBLIC].concat()),
        4,
        "a person has to sign in",
    );
}

/// A login whose refresh token is in a file, and the command that refreshes it.
fn refreshing(server: &TestServer, folder: &std::path::Path) -> (std::path::PathBuf, Vec<String>) {
    let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC, &["-o", "json"]].concat());
    Browser::new().sign_in("ada", &waiting.url()).unwrap();
    let tokens: serde_json::Value = serde_json::from_str(&waiting.end().1).unwrap();
    let file = folder.join("refresh");
    std::fs::write(&file, tokens["refresh_token"].as_str().unwrap()).unwrap();
    let name = file.to_str().unwrap();
    let arguments = [&["token", server.issuer(), "--refresh-token-file", name][..], &PUBLIC].concat();
    let arguments = arguments.into_iter().map(String::from).collect();
    (file, arguments)
}

/// The server ends a login whose refresh token is spent twice: none of these does.
#[test]
fn r2_processes_that_share_a_refresh_token_take_turns() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, arguments) = refreshing(&server, folder.path());
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let processes: Vec<_> = (0..8)
        .map(|_| oauth(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(is_bearer_line(stdout(&output)), "{}", stderr(&output));
    }
    assert!(is_bearer_line(stdout(&run(&arguments))), "the login lives");
    #[cfg(unix)]
    for name in [file.clone(), folder.path().join("refresh.lock")] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&name).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            name.display()
        );
    }
    // One that is of no use is told, and stays where it is.
    std::fs::write(&file, "spent").unwrap();
    fails(&run(&arguments), 4, "invalid_grant");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "spent");
}

#[test]
fn r4_trouble_leaves_the_refresh_token_where_it_is() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, arguments) = refreshing(&server, folder.path());
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let before = std::fs::read_to_string(&file).unwrap();
    for fault in [
        Fault::ServerError,
        Fault::Status(503, r#"{"error":"invalid_grant"}"#.into()),
        Fault::Status(404, "gone".into()),
        Fault::NotJson,
        Fault::CloseBeforeResponse,
    ] {
        server.fault_once(Endpoint::Token, fault);
        assert_eq!(run(&arguments).status.code(), Some(8));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    }
    assert!(is_bearer_line(stdout(&run(&arguments))), "the login lives");
}

#[test]
fn a_rotated_refresh_token_is_written_back_even_when_its_answer_is_refused() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, arguments) = refreshing(&server, folder.path());
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let read = || std::fs::read_to_string(&file).unwrap().trim().to_owned();

    let before = read();
    assert!(is_bearer_line(stdout(&run(&arguments))));
    let after = read();
    assert_ne!(before, after);

    server.fault_once(Endpoint::Token, Fault::AccessTokenWithCrLf);
    fails(&run(&arguments), 8, "access_token");
    assert_ne!(after, read());
    assert!(is_bearer_line(stdout(&run(&arguments))), "the rescued refresh token is the live one");

    // A server that says no replaces nothing.
    let live = read();
    let refusal = r#"{"error":"temporarily_unavailable","refresh_token":"demo-rt-of-nobody"}"#;
    for status in [400, 200] {
        server.fault_once(Endpoint::Token, Fault::Status(status, refusal.into()));
        assert!(!run(&arguments).status.success());
        assert_eq!(read(), live);
    }

    let from_stdin = [&["token", server.issuer(), "--refresh-token-file", "-"][..], &PUBLIC].concat();
    fails(&run(&from_stdin), 2, "would be lost");
}

/// The server has replaced the refresh token when it answers: whoever does not wait for that loses the login.
#[cfg(unix)]
#[test]
fn r3_an_end_that_is_asked_for_waits_for_the_new_refresh_token() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, arguments) = refreshing(&server, folder.path());
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let read = || std::fs::read_to_string(&file).unwrap();
    let on_the_wire = || {
        let before = server.count(Endpoint::Token);
        let waiting = Waiting::start(&arguments);
        while server.count(Endpoint::Token) == before {
            std::thread::sleep(Duration::from_millis(5));
        }
        waiting
    };
    for name in ["INT", "TERM"] {
        let before = read();
        server.fault_once(Endpoint::Token, Fault::Slow(Duration::from_millis(1500)));
        let waiting = on_the_wire();
        support::signal(name, waiting.id());
        let (code, stdout, told) = waiting.end();
        assert_eq!(code, Some(130), "{told}");
        assert!(is_bearer_line(&stdout) && told.contains("was waited for"), "{told}");
        assert_ne!(read(), before);
    }
    assert!(is_bearer_line(stdout(&run(&arguments))), "the login lives");

    // It does not wait for ever, and not at all for whoever asks twice.
    for (asked, least, most) in [(1, 4, 10), (2, 0, 3)] {
        server.fault_once(Endpoint::Token, Fault::Slow(Duration::from_secs(20)));
        let waiting = on_the_wire();
        let begun = Instant::now();
        for _ in 0..asked {
            support::signal("INT", waiting.id());
            std::thread::sleep(Duration::from_millis(100));
        }
        let (code, stdout, told) = waiting.end();
        assert_eq!((code, stdout.as_str()), (Some(130), ""), "{told}");
        assert!(told.contains("no answer came") && told.contains("sign in again"), "{told}");
        assert!((least..most).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }
}

/// A link stays one, and two names of one file share its lock.
#[cfg(unix)]
#[test]
fn r3_a_refresh_token_behind_a_link_is_replaced_where_it_is() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, mut arguments) = refreshing(&server, folder.path());
    let (place, before) = (tempfile::tempdir().unwrap(), std::fs::read_to_string(&file).unwrap());
    let link = place.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    arguments[3] = link.to_str().unwrap().to_owned();
    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(is_bearer_line(stdout(&output)), "{}", stderr(&output));
    assert!(link.is_symlink());
    assert_ne!(std::fs::read_to_string(&file).unwrap(), before);
    assert!(folder.path().join("refresh.lock").exists() && !place.path().join("link.lock").exists());
}

#[cfg(unix)]
#[test]
fn r3_a_refresh_token_in_no_file_is_refused_before_anything_is_sent() {
    let server = TestServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [fifo.to_str().unwrap(), folder.path().to_str().unwrap(), "/dev/stdin"] {
        let mut command =
            oauth(&[&["token", server.issuer(), "--refresh-token-file", path][..], &PUBLIC].concat());
        fails(&command.stdin(Stdio::piped()).output().unwrap(), 3, "no regular file");
    }
    assert!(server.log().is_empty());
}

/// What was granted is printed, and nothing is lost in silence.
#[test]
fn r3_where_a_new_refresh_token_cannot_be_kept_the_access_token_is_printed_with_a_warning() {
    let server = TestServer::start().unwrap();
    server.fault_always(Endpoint::Token, Fault::Slow(Duration::from_millis(500)));
    for (more, said) in [(&["-q"][..], "it is lost"), (&["-o", "json"], "keep the one that is printed")] {
        let folder = tempfile::tempdir().unwrap();
        let (_, arguments) = refreshing(&server, folder.path());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let before = server.count(Endpoint::Token);
        let process = oauth(&arguments).spawn().unwrap();
        while server.count(Endpoint::Token) == before {
            std::thread::sleep(Duration::from_millis(5));
        }
        folder.close().unwrap();
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains("demo-at-"), "{}", stdout(&output));
        let told = stderr(&output);
        assert!(told.contains("could not be written") && told.contains(said), "{told}");
        assert!(!told.contains("demo-rt-"), "{told}");
    }
}

#[test]
fn outputs_are_made_for_the_next_tool() {
    let server = TestServer::start().unwrap();
    for (format, beginning) in [
        ("bearer", "Bearer demo-at-"),
        ("header", "Authorization: Bearer demo-at-"),
        ("token", "demo-at-"),
        ("json", "{\"access_token\":\"demo-at-"),
        ("env", "OAUTH_TOKEN='demo-at-"),
        ("curl", "header = \"Authorization: Bearer demo-at-"),
    ] {
        let arguments = ["token", server.issuer(), "--allow-http-loopback", "--client-id", "demo-post"];
        let output = oauth(&[&arguments[..], &["-o", format]].concat())
            .env("OAUTH_CLIENT_SECRET", "demo-post-secret")
            .env("OAUTH_AUTH_METHOD", "client_secret_post")
            .output()
            .unwrap();
        assert!(stdout(&output).starts_with(beginning), "{format}: {} {}", stdout(&output), stderr(&output));
        assert_eq!(stdout(&output).lines().count(), 1);
    }
}

// --- bad input ------------------------------------------------------------------------------------------------------

/// What somebody put into their profile long ago must not stand in the way of what they type.
#[test]
fn a_flag_wins_over_each_variable_and_an_empty_one_says_nothing() {
    let refused = ["token", "https://as.example", "--client-id", "x"];
    let with = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = oauth(&[&refused[..], flags].concat());
        command.envs(variables.iter().copied()).output().unwrap()
    };
    // It comes as far as to see that nobody may be asked.
    for (flags, variables) in [
        (&[][..], &[("OAUTH_NO_BROWSER", "1"), ("OAUTH_PASTE", "yes")][..]),
        (&[], &[("OAUTH_NO_BROWSER", "0"), ("OAUTH_BROWSER", "firefox")]),
        (&[], &[("OAUTH_LISTEN", ""), ("OAUTH_PASTE", ""), ("OAUTH_CONFIG", ""), ("OAUTH_PROXY", "")]),
        (&[], &[("OAUTH_REDIRECT_URI", ""), ("OAUTH_OUTPUT", ""), ("OAUTH_TIMEOUT", "")]),
        (&["--redirect-uri", "http://127.0.0.1/"], &[("OAUTH_REDIRECT_HOST", "localhost")]),
        (&["--paste"], &[("OAUTH_CALLBACK_TLS", "self-signed"), ("OAUTH_SYSTEMD_SOCKET", "1")]),
        (&["--no-browser"], &[("OAUTH_BROWSER", "true")]),
        (&["--browser", "true"], &[("OAUTH_NO_BROWSER", "true")]),
    ] {
        fails(&with(flags, variables), 4, "a person has to sign in");
    }
    // A switch that is on is on, and one that says no wins over a profile.
    for (value, code) in [("1", 2), ("yes", 2), ("0", 0), ("no", 0), ("off", 0), ("", 0)] {
        let output = oauth(&["demo", "--yes"]).env("OAUTH_PASTE", value).env("OAUTH_TIMEOUT", "20s").output();
        // The flag wins here, too.
        assert_eq!(output.unwrap().status.code(), Some(0), "{value}");
        let mut command = oauth(&[&refused[..], &["--client-secret-file", "-"]].concat());
        let output = command.args(["--allow-http-loopback"]).env("OAUTH_PASTE", value).output().unwrap();
        assert_eq!(output.status.code() == Some(2), code == 2, "{value}: {}", stderr(&output));
    }
    // Two that are typed exclude each other still, and so do two variables.
    assert_eq!(with(&["--no-browser", "--browser", "true"], &[]).status.code(), Some(2));
    let both = [("OAUTH_NO_BROWSER", "1"), ("OAUTH_BROWSER", "true")];
    assert_eq!(with(&[], &both).status.code(), Some(2));
    assert_eq!(run(&["demo", "--yes", "--paste"]).status.code(), Some(2));
    // The help names them all.
    let help = oauth(&["authorize", "--help"]).env("OAUTH_LISTEN", "").output().unwrap();
    assert!(stdout(&help).contains("[env: OAUTH_PASTE"), "{}", stdout(&help));
}

#[test]
fn where_nobody_may_be_asked_there_is_no_demo() {
    fails(&run(&["authorize", "--demo", "--no-prompt"]), 4, "the demo needs a person");
    fails(&run(&["authorize", "--no-prompt"]), 3, "no server was named");
}

#[test]
fn standard_input_is_read_for_one_secret() {
    let mut command = oauth(&["token", "https://as.example", "--client-id", "x", "-o", "json"]);
    command.args(["--client-secret-file", "-", "--refresh-token-file", "-"]);
    fails(&command.output().unwrap(), 2, "for two secrets");
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    for arguments in [&[][..], &["nonsense"], &["demo", "--nonsense"], &["authorize", "--timeout", "soon"]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let redirect =
        ["authorize", "https://as.example", "--client-id", "x", "--redirect-uri", "https://app.example/cb"];
    let server = TestServer::start().unwrap();
    let arguments = [&["authorize", server.issuer()][..], &PUBLIC, &redirect[4..]].concat();
    fails(&run(&arguments), 2, "redirect URI");
}

#[test]
fn a_wrong_setup_is_exit_3_before_anything_is_sent() {
    let server = TestServer::start().unwrap();
    fails(&run(&["authorize", server.issuer()]), 3, "no client was named");
    fails(&run(&["authorize", server.issuer(), "--client-id", "demo"]), 3, "plain http on this machine");
    fails(&run(&["authorize", "http://as.example", "--client-id", "demo"]), 3, "not https");
    fails(&run(&["authorize", "as.example", "--client-id", "demo"]), 3, "not an absolute URL");
    fails(
        &run(&["authorize", "https://as.example", "--client-id", "x", "--ca-cert", "/nowhere"]),
        3,
        "/nowhere",
    );
    let method = ["--client-id", "x", "--auth-method", "client_secret_basic", "--allow-http-loopback"];
    fails(&run(&[&["authorize", server.issuer()][..], &method].concat()), 3, "client_secret_basic needs");
    let endpoint = ["authorize", "--client-id", "x", "--authorization-endpoint", "https://as.example/a"];
    fails(&run(&endpoint), 3, "no token endpoint");
    assert!(server.log().iter().all(|received| received.method == "GET"), "no form was sent");
}

#[test]
fn an_unreachable_server_is_exit_8() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let issuer = format!("http://{free}");
    fails(&run(&[&["authorize", &issuer][..], &PUBLIC].concat()), 8, "no connection to the server");
    fails(&run(&["authorize", "https://nowhere.invalid", "--client-id", "x"]), 8, "name cannot be resolved");
}

#[test]
fn metadata_that_cannot_be_used_is_exit_8_with_the_reason() {
    for (fault, what) in [
        (Fault::IssuerMismatch, "its issuer is"),
        (Fault::NotJson, "not JSON"),
        (Fault::Truncated, "ended before the response was whole"),
        (Fault::HugeBody, "too large"),
        (Fault::Redirect("https://elsewhere.example/".into()), "redirects"),
        (Fault::ServerError, "in trouble"),
        (Fault::CloseBeforeResponse, "ended before"),
        (Fault::Status(404, "nothing here".into()), "nothing here"),
    ] {
        let server = TestServer::start().unwrap();
        server.fault_always(Endpoint::Metadata, fault.clone());
        fails(&run(&[&["authorize", server.issuer()][..], &PUBLIC].concat()), 8, what);
    }
}

#[test]
fn a_slow_server_is_exit_8_in_the_time_given() {
    let server = TestServer::start().unwrap();
    server.fault_always(Endpoint::Metadata, Fault::Slow(Duration::from_secs(5)));
    let begun = Instant::now();
    fails(
        &run(&[&["authorize", server.issuer(), "--http-timeout", "1s"][..], &PUBLIC].concat()),
        8,
        "in time",
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_token_answer_that_cannot_be_used_says_why() {
    for (fault, code, what) in [
        (Fault::NoTokenType, 8, "token_type is missing"),
        (Fault::ErrorWith200, 5, "refused"),
        (Fault::HugeBody, 8, "too large"),
        (Fault::LostResponse, 8, "ended before"),
        (
            Fault::Status(400, r#"{"error":"invalid_grant","error_description":"gone\u001b[2J"}"#.into()),
            5,
            "invalid_grant (gone[2J)",
        ),
        (Fault::Status(401, r#"{"error":"invalid_client"}"#.into()), 5, "check --client-id"),
    ] {
        let server = TestServer::start().unwrap();
        server.fault_always(Endpoint::Token, fault);
        let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC].concat());
        let landing = Browser::new().sign_in("ada", &waiting.url()).unwrap();
        assert!(!landing.body.contains("You are signed in"), "the page tells the truth");
        let (exit, stdout, told) = waiting.end();
        assert_eq!((exit, stdout.as_str()), (Some(code), ""), "{told}");
        assert!(told.contains(what), "expected {what:?} in: {told}");
    }
}

#[test]
fn an_answer_of_another_server_is_refused_and_another_login_s_is_waited_over() {
    for (fault, what) in [
        (Fault::WrongIssuer, "its issuer is"),
        (Fault::MissingIssuer, "iss is missing"),
        (Fault::DuplicateParameter("code".into()), "code comes twice"),
    ] {
        let server = TestServer::start().unwrap();
        server.fault_always(Endpoint::Authorize, fault);
        let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC].concat());
        Browser::new().sign_in("ada", &waiting.url()).unwrap();
        let (code, stdout, told) = waiting.end();
        assert_eq!((code, stdout.as_str()), (Some(8), ""), "{told}");
        assert!(told.contains(what), "{told}");
        assert!(!told.contains("trust that server"), "a mix-up would be helped on: {told}");
        assert_eq!(server.count(Endpoint::Token), 0, "no code was sent anywhere");
    }
    let server = TestServer::start().unwrap();
    server.fault_once(Endpoint::Authorize, Fault::WrongState);
    let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &PUBLIC].concat());
    let url = waiting.url();
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(400));
    let note = waiting.line(|line| line.starts_with("note:"));
    assert!(note.contains("another login") && note.contains("still waiting"), "{note}");
    assert_eq!(Browser::new().sign_in("ada", &url).unwrap().status, Some(200));
    assert_eq!(waiting.end().0, Some(0));
}

#[test]
fn a_busy_port_and_a_browser_that_cannot_start() {
    let server = TestServer::start().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fails(&run(&[&["authorize", server.issuer(), "--listen", &port][..], &PUBLIC].concat()), 7, &port);

    // The address is printed, so a browser that does not start is a note and not the end.
    let browser = ["--client-id", "demo", "--allow-http-loopback", "-v", "--browser", "/nowhere/browser %s"];
    let waiting = Waiting::start(&[&["authorize", server.issuer()][..], &browser].concat());
    let url = waiting.url();
    let told = waiting.line(|line| line.contains("/nowhere/browser"));
    assert!(told.contains("open the address yourself"), "{told}");
    Browser::new().sign_in("ada", &url).unwrap();
    assert_eq!(waiting.end().0, Some(0));
}

#[test]
fn a_person_who_does_not_come_is_exit_6() {
    let server = TestServer::start().unwrap();
    fails(&run(&[&["authorize", server.issuer(), "--timeout", "1s"][..], &PUBLIC].concat()), 6, "in time");
    let device = [&["authorize", server.issuer(), "--device", "--timeout", "1s"][..], &PUBLIC].concat();
    fails(&run(&device), 6, "in time");
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_exit_130_and_frees_the_port() {
    let server = TestServer::start().unwrap();
    let waiting = Waiting::start(&[&["authorize", server.issuer(), "-v"][..], &PUBLIC].concat());
    let listen = waiting.line(|line| line.contains("listen "));
    let port: u16 = listen.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let _url = waiting.url();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    support::signal("INT", waiting.id());
    let (code, stdout, told) = waiting.end();
    assert_eq!((code, stdout.as_str()), (Some(130), ""), "{told}");
    assert!(told.contains("interrupted"), "{told}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the port is free");
}

#[cfg(not(feature = "isahc"))]
#[test]
fn the_other_engine_is_named_when_it_is_not_built_in() {
    let output = run(&[
        "token",
        "https://as.example",
        "--client-id",
        "x",
        "--client-secret",
        "y",
        "--transport",
        "isahc",
    ]);
    fails(&output, 2, "--features isahc");
}

#[test]
fn doctor_says_what_each_engine_carries() {
    let output = oauth(&["doctor", "--transports"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(table.starts_with("| setting | hyper |"), "{table}");
    assert_eq!(table.lines().next().unwrap().contains("isahc"), cfg!(feature = "isahc"));
    assert!(table.contains("| HTTP proxy | yes |") && table.contains("NTLM"), "{table}");
    assert_eq!(oauth(&["doctor"]).output().unwrap().status.code(), Some(2));
}
