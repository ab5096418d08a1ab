//! `oauth explain` as people and programs meet it: the sample of its repository, captures, hostile input.
//!
//! The verdicts of `examples/explain.jsonl` stand in `examples/explain.verdicts.jsonl` and are compared byte by byte.
//! `EXPLAIN=write cargo test` writes them anew, fails, and leaves the difference to be judged.
#![allow(missing_docs, reason = "a test")]

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const KINDS: [&str; 15] = [
    "token_response",
    "token_error",
    "refresh_response",
    "token_exchange",
    "device_authorization",
    "device_poll",
    "metadata",
    "introspection",
    "revocation",
    "registration",
    "www_authenticate",
    "callback",
    "jwks",
    "id_token",
    "key_file",
];
const UNSUPPORTED: [&str; 3] = ["browser_url", "par", "dpop"];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn oauth(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oauth"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The command with this on its standard input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = oauth(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A command line that is wrong reads nothing.
    let _read_or_not = writer.join().unwrap();
    output
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn sample() -> (String, Vec<Value>) {
    let text = std::fs::read_to_string(example("explain.jsonl")).unwrap();
    let cases = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    (text, cases)
}

fn verdicts(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

// --- the sample -----------------------------------------------------------------------------------------------------

#[test]
fn every_case_of_the_sample_gets_the_verdict_that_is_written() {
    let path = example("explain.jsonl");
    let output = run(&["explain", "--jsonl", path.to_str().unwrap()], b"");
    assert_eq!(stderr(&output), "");
    // Some of its lines are no cases.
    assert_eq!(output.status.code(), Some(2));
    let file = example("explain.verdicts.jsonl");
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if std::env::var_os("EXPLAIN").is_some_and(|mode| mode == "write") {
        std::fs::write(&file, stdout(&output)).unwrap();
    }
    let (expected, happened): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), stdout(&output).lines().collect());
    for (at, line) in happened.iter().enumerate() {
        // The order of members is that of a feature of the JSON library, which another program may turn on.
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
        let wanted = expected.get(at).copied().unwrap_or_default();
        assert_eq!(read(line), read(wanted), "line {} of {}", at + 1, file.display());
    }
    assert_eq!(happened.len(), expected.len());
}

#[test]
fn the_sample_has_cases_of_every_kind_and_each_kind_is_both_accepted_and_rejected() {
    let (text, cases) = sample();
    assert!(cases.len() >= 120, "only {}", cases.len());
    let output = run(&["explain", "--jsonl", "-", "-o", "jsonl"], text.as_bytes());
    let verdicts = verdicts(&output);
    let mut names = BTreeSet::new();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(&verdicts) {
        assert_eq!(case["name"], verdict["name"]);
        assert!(names.insert(case["name"].as_str().unwrap()), "{} comes twice", case["name"]);
        seen.entry(case["kind"].as_str().unwrap()).or_default().insert(verdict["verdict"].as_str().unwrap());
    }
    for kind in KINDS {
        assert_eq!(seen[kind].len(), 2, "{kind} is not both accepted and rejected");
    }
    for kind in UNSUPPORTED {
        assert!(seen.contains_key(kind), "{kind}");
    }
}

#[test]
fn a_verdict_has_every_member_and_a_rejection_says_by_which_rule() {
    let (text, _) = sample();
    let output = run(&["explain", "--jsonl", "-"], text.as_bytes());
    for verdict in verdicts(&output) {
        let members: BTreeSet<_> = verdict.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            members.iter().copied().collect::<Vec<_>>(),
            ["error", "fields", "name", "notes", "timeline", "verdict"]
        );
        let error = &verdict["error"];
        assert_eq!(error.is_null(), verdict["verdict"] == "accept", "{verdict}");
        let ruled = !matches!(error["class"].as_str(), None | Some("usage" | "setup" | "unsupported"));
        if ruled {
            let rule = verdict["notes"][0]["rule"].as_str().unwrap_or_default();
            let cited =
                ["RFC ", "OpenID ", "OAuth 2.0 ", "a limit "].iter().any(|begin| rule.starts_with(begin));
            assert!(cited, "{verdict}");
        }
        if !error.is_null() {
            let remedies = ["try_again", "sign_in_again", "fix_setup", "report_server"];
            assert!(remedies.contains(&error["remedy"].as_str().unwrap()), "{verdict}");
        }
    }
}

// --- for people -----------------------------------------------------------------------------------------------------

fn explain(kind: &str, context: &[&str], message: &str) -> Output {
    let mut arguments = vec!["explain", "--kind", kind, "-"];
    for pair in context {
        arguments.extend(["--context", pair]);
    }
    run(&arguments, message.as_bytes())
}

#[test]
fn a_capture_of_curl_is_explained_in_one_screen() {
    let capture = "HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n\
                   {\"access_token\":\"abc\\r\\nX: y\",\"token_type\":\"Bearer\",\"refresh_token\":\"tGzv3JOkF0XG5Qx2\"}";
    let output = explain("token_response", &[], capture);
    assert_eq!(output.status.code(), Some(8), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "rejected: token_response (status 200, 87 bytes)\n\
         \x20 what      the response cannot be read: access_token has a value that it may not have (status 200)\n\
         \x20 rule      RFC 6749 appendix A.12: An access token is visible ASCII and spaces: a line break would split the\n\
         \x20           header that carries it.\n\
         \x20 at fault  the server\n\
         \x20 next      report it to whoever runs the server\n\
         \x20 received  …\"access_token\":\"[…]\\r\\n[…]: […]\",\"token_type\":\"Bearer\",\"refresh_token\":\"[…]\"}\n\
         \x20 fields    refresh_token  [redacted d607]\n\
         \x20 note      RFC 6749 section 6: A refresh token came with the refused answer, and the old one may be dead: store\n\
         \x20           it before anything else.\n\n"
    );
}

#[test]
fn an_accepted_message_exits_with_0_and_says_what_a_caller_gets() {
    let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"bearer","expires_in":3600}"#;
    let output = explain("token_response", &["scope=read"], body);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(
        text.starts_with("accepted: token_response (status 200, 81 bytes), as RFC 6749 section 5.1 has it\n"),
        "{text}"
    );
    assert!(text.contains("expires_in    3600") && text.contains("scope         read"), "{text}");
    assert!(text.contains("No status line"), "{text}");
}

#[test]
fn the_exit_code_tells_one_verdict_from_another() {
    for (kind, context, message, code) in [
        ("token_error", &[][..], r#"{"error":"invalid_client"}"#, 5),
        ("token_response", &["endpoint=http://as.example/token"], "{}", 3),
        ("token_response", &[], "HTTP/1.1 502 Bad Gateway\r\n\r\n", 8),
        ("dpop", &[], "{}", 1),
        ("token_response", &["now=soon"], "{}", 2),
        ("callback", &["state=s1"], "http://127.0.0.1/callback?code=c&state=s1", 0),
        ("callback", &["state=s1"], "http://127.0.0.1/callback?code=c&state=s2", 8),
        ("www_authenticate", &["access_token=mF_9.B5f-4.1JqM"], "Bearer error=\"invalid_token\"", 0),
        ("www_authenticate", &[], "WWW-Authenticate: Bearer realm=\"x", 8),
        ("metadata", &[], r#"{"issuer":"https://as.example"}"#, 0),
        ("metadata", &["issuer=https://as.example/"], r#"{"issuer":"https://as.example"}"#, 8),
        ("device_poll", &["interval=1"], "HTTP/1.1 400 Bad Request\n\n{\"error\":\"expired_token\"}", 6),
        (
            "refresh_response",
            &["old.scope=a"],
            r#"{"access_token":"a","token_type":"bearer","scope":"a b"}"#,
            8,
        ),
    ] {
        let output = explain(kind, context, message);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{kind} {message}: {}{}",
            stdout(&output),
            stderr(&output)
        );
    }
}

#[test]
fn a_key_file_is_opened_by_a_password_which_is_never_shown() {
    let pfx = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oauth-jwt/tests/keys/p256.chain.pfx");
    let explain = |password: Option<&str>, more: &[&str]| {
        let mut command = oauth(&["explain", "--kind", "key_file", pfx.to_str().unwrap()]);
        command
            .args(more)
            .env_remove("KEY_PASSWORD")
            .envs(password.map(|password| ("KEY_PASSWORD", password)));
        let output = command.output().unwrap();
        let shown = format!("{}{}", stdout(&output), stderr(&output));
        (output.status.code(), shown)
    };
    for (password, more) in [
        (Some("throw-away"), &[][..]),
        (None, &["--context", "password=throw-away"]),
        (Some("wrong"), &["--context", "password=throw-away"]),
    ] {
        let (code, shown) = explain(password, more);
        assert_eq!(code, Some(0), "{shown}");
        for told in [
            "a PKCS#12 file",
            "label=\"service\"",
            "CN=service.example.com",
            "certificates=2",
            "private=true",
        ] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert!(!shown.contains("throw-away"), "{shown}");
    }
    let (code, shown) = explain(Some("thrown-away"), &[]);
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("wrong") && !shown.contains("thrown-away"), "{shown}");
    let (code, shown) = explain(None, &[]);
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("KEY_PASSWORD"), "{shown}");
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn an_encrypted_id_token_is_opened_and_what_is_inside_is_judged() {
    use oauth::jwt::{ContentEncryption, Encryption, EncryptionKey, KeyManagement, SigningKey};
    let key = |name: &str| {
        std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../oauth-jwt/tests/keys").join(name),
        )
        .unwrap()
    };
    let (ours, other) = (key("p256.pkcs8.pem"), key("p384.pkcs8.pem"));
    // The algorithm of a key is that of its signatures, and is left out for another use.
    let public = SigningKey::from_pem(&ours).unwrap().public_key().unwrap().to_jwk();
    let mut public: Value = serde_json::from_str(&public).unwrap();
    public.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
    let public = EncryptionKey::from_jwk(public.to_string()).unwrap();
    let encryption = Encryption::new(KeyManagement::EcdhEs, ContentEncryption::A256Gcm).with_cty("JWT");

    let (_, cases) = sample();
    let case = |name: &str| cases.iter().find(|case| case["name"] == name).unwrap().clone();
    let judge = |mut case: Value, key: &str| {
        let jwt = encryption.encrypt(case["jwt"].as_str().unwrap(), &public).unwrap();
        (case["jwt"], case["context"]["decryption_key"]) = (json!(jwt), json!(key));
        let output = run(&["explain", "--jsonl", "-"], case.to_string().as_bytes());
        assert!(!stdout(&output).contains("PRIVATE KEY"));
        verdicts(&output).remove(0)
    };
    let good = case("id-token");
    let verdict = judge(good.clone(), &ours);
    assert_eq!((&verdict["verdict"], &verdict["fields"]["sub"]), (&json!("accept"), &json!("248289761001")));
    let mut changed = good.clone();
    changed["context"]["nonce"] = json!("another");
    assert_eq!(judge(changed, &ours)["error"]["class"], "rejected");
    assert_eq!(judge(good.clone(), &other)["error"]["class"], "key");
    assert_eq!(judge(good.clone(), "no key")["error"]["class"], "usage");
    // Encryption proves nothing about who sent it.
    let mut unsigned = good;
    unsigned["jwt"] = json!("{}");
    assert_eq!(judge(unsigned, &ours)["error"]["class"], "parse");
}

#[test]
fn cwe_150_what_the_server_says_moves_no_cursor() {
    let output = explain("token_response", &[], "<p>\x1b[2Jgone\u{202e}\u{7}</p>\0");
    let text = stdout(&output);
    assert!(text.contains("\\u{1b}[2Jgone\\u{202e}\\u{7}"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_prints_no_verdict() {
    for (arguments, told) in [
        (&["explain"][..], "--jsonl"),
        (&["explain", "-"], "--kind"),
        (&["explain", "--kind", "token_answer", "-"], "token_response"),
        (&["explain", "--kind", "token_response"], "FILE"),
        (&["explain", "--kind", "token_response", "--jsonl", "-"], "cannot be used with"),
        (&["explain", "--jsonl", "-", "--context", "a=b"], "cannot be used with"),
        (&["explain", "--jsonl", "/nowhere/at/all"], "next:"),
        (&["explain", "--kind", "callback", "/nowhere/at/all"], "next:"),
        (&["explain", "--kind", "callback", "-", "--context", "old=1"], "context.old"),
    ] {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn help_names_the_command_its_kinds_and_its_context() {
    let help = run(&["--help"], b"");
    assert!(stdout(&help).contains("\n  explain "), "{}", stdout(&help));
    let help = run(&["explain", "--help"], b"");
    for word in KINDS.iter().chain(&["old.refresh_token", "leniency", "--show-secrets", "--jsonl", "curl -i"])
    {
        assert!(stdout(&help).contains(word), "{word}");
    }
}

// --- secrets --------------------------------------------------------------------------------------------------------

/// Every secret of the sample: what the client knew, and what the servers sent.
fn secrets(cases: &[Value]) -> BTreeSet<String> {
    const NAMES: [&str; 9] = [
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "password",
        "registration_access_token",
        "device_code",
        "code",
        "state",
    ];
    fn collect(name: &str, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| collect(name, value, found)),
            Value::Array(values) => values.iter().for_each(|value| collect(name, value, found)),
            Value::String(text) => {
                if let Ok(Value::Object(body)) = serde_json::from_str(text) {
                    body.iter().for_each(|(name, value)| collect(name, value, found));
                } else if matches!(name, "body" | "target") {
                    for (name, value) in
                        url::form_urlencoded::parse(text.split(['?', '#']).next_back().unwrap().as_bytes())
                    {
                        collect(&name, &Value::from(&*value), found);
                    }
                } else if NAMES.contains(&name) && text.len() >= 6 && !text.contains("TOKEN_EXPIRED") {
                    found.insert(text.clone());
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for case in cases {
        collect("", case, &mut found);
    }
    found
}

#[test]
fn no_secret_of_the_sample_is_shown_unless_it_is_asked_for() {
    let (text, cases) = sample();
    let secrets = secrets(&cases);
    assert!(secrets.len() >= 30, "only {}", secrets.len());
    for output in [&["explain", "--jsonl", "-"][..], &["explain", "--jsonl", "-", "-o", "text"]] {
        let output = run(output, text.as_bytes());
        for secret in &secrets {
            assert!(!stdout(&output).contains(secret.as_str()), "{secret} is shown");
        }
        assert_eq!(stderr(&output), "");
    }
    let shown = run(&["--quiet", "explain", "--jsonl", "-", "--show-secrets"], text.as_bytes());
    assert!(stderr(&shown).contains("warning: --show-secrets"));
    for secret in ["2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "SplxlOBeZQQYbYS6WxSbIA"] {
        assert!(stdout(&shown).contains(secret), "{secret}");
    }
}

#[test]
fn a_fingerprint_tells_two_secrets_apart_and_is_no_part_of_either() {
    let case = |token: &str| json!({"kind": "token_response", "body": {"access_token": token, "token_type": "Bearer"}});
    let text = format!("{}\n{}\n{}\n", case("one-AAAAAA"), case("two-BBBBBB"), case("one-AAAAAA"));
    let output = run(&["explain", "--jsonl", "-"], text.as_bytes());
    let tokens: Vec<Value> =
        verdicts(&output).iter().map(|verdict| verdict["fields"]["access_token"].clone()).collect();
    assert_eq!(tokens[0], tokens[2]);
    assert_ne!(tokens[0], tokens[1]);
    let shown = tokens[0].as_str().unwrap().strip_prefix("[redacted ").unwrap().strip_suffix(']').unwrap();
    assert!(shown.len() == 4 && shown.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

// --- hostile input --------------------------------------------------------------------------------------------------

/// The command, line by line.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start() -> Self {
        let mut child = oauth(&["explain", "--jsonl", "-"]).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// One line in, one verdict out, in time.
    fn judge(&mut self, line: &[u8]) -> Value {
        let begun = Instant::now();
        self.stdin.write_all(line).unwrap();
        self.stdin.write_all(b"\n").unwrap();
        let mut verdict = String::new();
        self.stdout.read_line(&mut verdict).unwrap();
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?} for {shown}", begun.elapsed());
        assert!(!verdict.trim_end_matches('\n').chars().any(char::is_control), "{shown}");
        let verdict =
            serde_json::from_str(&verdict).unwrap_or_else(|error| panic!("{error}: {verdict:?} for {shown}"));
        no_control(&verdict, &shown);
        verdict
    }

    /// The most memory that it took so far, where the system tells.
    fn most_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
    }

    fn end(mut self) -> String {
        drop(self.stdin);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().code().is_some(), "it was killed");
        rest
    }
}

fn no_control(value: &Value, case: &str) {
    match value {
        Value::String(text) => {
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?} for {case}")
        }
        Value::Array(values) => values.iter().for_each(|value| no_control(value, case)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            no_control(&Value::from(name.as_str()), case);
            no_control(value, case);
        }),
        _ => {}
    }
}

/// Bytes of every bad sort, as text of JSON or as base64.
fn hostile() -> Vec<Value> {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut byte = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        u8::try_from(random & 0xFF).unwrap()
    };
    let binary: Vec<u8> = (0..4096).map(|_| byte()).collect();
    let text = |text: &str| json!({ "body": text });
    let bytes = |bytes: &[u8]| json!({ "body_b64": base64(bytes) });
    vec![
        json!({}),
        text(""),
        text("\0"),
        text("\u{1b}]0;title\u{7}\u{202e}\u{9b}31m"),
        bytes(&binary),
        bytes(b"\xff\xfe{\x00"),
        bytes(&[b'['; 1 << 20]),
        text(&"[".repeat(100_000)),
        text(&"{\"a\":".repeat(100_000)),
        text(&format!("{{\"access_token\":\"{}\"}}", "a".repeat(900_000))),
        text(&format!(
            "{{\"access_token\":\"{}\",\"token_type\":\"Bearer\",\"active\":true,\"client_id\":\"c\",\"issuer\":\"https://as.example\"}}",
            "a".repeat(900_000)
        )),
        text(&format!("{{{}\"active\":true}}", "\"x\":1,".repeat(100_000))),
        text(&format!("{{{}\"z\":1}}", (0..60_000).map(|n| format!("\"m{n}\":{n},")).collect::<String>())),
        text(&format!("{{\"error\":\"{}\"}}", "\\u001b\\u202e".repeat(20_000))),
        text(&format!("{{\"error\":\"x\",\"error_description\":\"{}\"}}", "\\r\\n\\u0000".repeat(20_000))),
        text(&"a=".repeat(200_000)),
        text(&"a=1&".repeat(200_000)),
        text(&"state=1&".repeat(100_000)),
        text(&"<".repeat(1_000_000)),
        text(&"<script>".repeat(100_000)),
        text(&format!("<p>{}", "a b c ".repeat(170_000))),
        text(
            "{\"\u{0}\u{1b}\":{\"\u{1b}\u{202e}\":\"\u{1b}\"},\"active\":true,\"client_id\":\"c\",\"registration_client_uri\":\"\u{7}\"}",
        ),
        text(&"x".repeat((1 << 20) + 1)),
        json!({ "http_status": 0 }),
        json!({ "http_status": 70_000 }),
        json!({ "http_status": 599, "headers": [["Retry-After", "99999999999999999999"]] }),
        json!({ "http_status": 401, "headers": [["WWW-Authenticate", "Bearer ".repeat(9_000)]] }),
        json!({ "http_status": 401, "headers": [["WWW-Authenticate", format!("Bearer {}", "a=\"\\\"\",".repeat(6_000))]] }),
        json!({ "http_status": 401, "headers": [["WWW-Authenticate", "\u{1b}[2J"], ["\n", "\r"]] }),
        json!({ "http_status": 401, "headers": (0..500).map(|_| ["WWW-Authenticate", "Bearer a=b"]).collect::<Vec<_>>() }),
        json!({ "http_status": 401, "headers": [["WWW-Authenticate", "Bearer realm=\"\u{e9}\u{202e}\", error=\"\u{85}\""]] }),
        json!({ "request": { "method": "GET", "target": "/callback?state=s&code=\u{1b}" } }),
        json!({ "request": { "method": "\r\n", "target": "\r\n\r\n", "headers": [["\r", "\n"]] } }),
        json!({ "request": { "method": "POST", "target": "*", "body": "state=".repeat(50_000) } }),
        json!({ "request": { "target": format!("/callback?{}", "state=s&".repeat(2_000)) } }),
        json!({ "request": { "target": format!("#{}", "%".repeat(500_000)) }, "context": {"response_mode": "fragment"} }),
        json!({ "responses": ["suspend_18446744073709551615", "wall_clock-9223372036854775808", "cancel"] }),
        json!({ "responses": vec![json!("reset"); 1_000], "context": {"interval": 0, "expires_in": 18_446_744_073_709_551_615_u64} }),
        json!({ "responses": [[400, {}, "{\"error\":\"slow_down\",\"interval\":1e308}"], "cancel"], "context": {"now": 18_446_744_073_709_551_615_u64} }),
        json!({ "responses": [[]] }),
        json!({ "context": {"state": "\u{1b}", "issuer": "https://\u{1b}", "redirect_uri": "\u{1b}:", "url": "https://[", "leniency": ["\u{1b}\u{202e}"]} }),
        json!({ "context": {"\u{1b}": 1, "old": {"\u{1b}": {}}}, "\u{202e}": 1 }),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

#[test]
fn every_kind_survives_every_bad_sort_of_message_within_a_second_and_8_mib() {
    let mut running = Running::start();
    // The pages of the program's own code are no memory that a message takes.
    for kind in KINDS.iter().chain(&UNSUPPORTED) {
        running.judge(json!({ "kind": kind, "name": "harmless", "body": "{}" }).to_string().as_bytes());
    }
    let before = running.most_memory();
    let cases = hostile();
    for kind in KINDS.iter().chain(&UNSUPPORTED) {
        for mut case in cases.iter().cloned() {
            case["kind"] = json!(kind);
            case["name"] = json!("hostile");
            let verdict = running.judge(case.to_string().as_bytes());
            assert_eq!(verdict["name"], "hostile");
            if UNSUPPORTED.contains(kind) && verdict["error"]["class"] != "usage" {
                assert_eq!(verdict["error"]["class"], "unsupported");
            }
        }
    }
    if let (Some(before), Some(after)) = (before, running.most_memory()) {
        let took = after.saturating_sub(before);
        assert!(took <= 8 << 20, "{} KiB", took >> 10);
    }
    assert_eq!(running.end(), "");
}

#[test]
fn a_line_that_is_no_case_gets_a_verdict_and_the_next_is_judged() {
    let mut running = Running::start();
    let nested = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    let long =
        format!("{{\"name\":\"long\",\"kind\":\"token_response\",\"body\":\"{}\"}}", "x".repeat(5 << 20));
    for (line, class) in [
        (&b"nonsense"[..], "usage"),
        (b"\xff\xfe\x00\x1b", "usage"),
        (b"[]", "usage"),
        (b"{}", "usage"),
        (b"{\"kind\":7}", "usage"),
        (b"{\"kind\":\"\\u001b\"}", "usage"),
        (b"{\"kind\":\"token_response\",\"body\":\"a\",\"body_b64\":\"YQ\"}", "usage"),
        (b"{\"kind\":\"token_response\",\"body_b64\":\"*\"}", "usage"),
        (b"{\"kind\":\"token_response\",\"headers\":[[\"a\"]]}", "usage"),
        (b"{\"kind\":\"token_response\",\"context\":[]}", "usage"),
        (b"{\"kind\":\"token_response\",\"context\":{\"old\":1}}", "usage"),
        (b"{\"kind\":\"device_poll\",\"responses\":[\"lightning\"]}", "usage"),
        (b"{\"kind\":\"callback\"}", "usage"),
        (b"{\"kind\":\"callback\",\"raw_request_b64\":\"R0VU\"}", "unsupported"),
        (&nested, "usage"),
        (long.as_bytes(), "too_large"),
    ] {
        let verdict = running.judge(line);
        assert_eq!(
            (&verdict["verdict"], &verdict["error"]["class"]),
            (&json!("reject"), &json!(class)),
            "{verdict}"
        );
    }
    let verdict = running.judge(br#"{"kind":"revocation"}"#);
    assert_eq!(verdict["verdict"], "accept");
    assert_eq!(running.end(), "");
}
