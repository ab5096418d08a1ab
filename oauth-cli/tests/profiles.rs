//! Profile files, and the settings in them.
#![allow(missing_docs, reason = "a test")]

#[path = "profiles/settings.rs"]
mod settings;

use oauth_testserver::{Client, TestServer};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder in the place of `$XDG_CONFIG_HOME`, with a profile file in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.0.path().join("oauth")).unwrap();
        fs::write(home.file(), text).unwrap();
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("oauth").join("config.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oauth"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OAUTH_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).env("XDG_CONFIG_HOME", self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, where it succeeds.
    fn prints(&self, arguments: &[&str]) -> String {
        printed(&self.run(arguments))
    }

    /// What it says, where it fails so.
    fn fails(&self, arguments: &[&str], code: i32, what: &str) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty());
        assert!(told.contains(what), "expected {what:?} in: {told}");
        assert!(told.contains("\n  next: ") && !told.contains("panicked"), "{told}");
        told
    }
}

fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A profile for the test server's client with a secret.
fn work(server: &TestServer, more: &str) -> String {
    format!(
        "default = \"work\"\n\n[profile.work]\nissuer = \"{}\"\nclient_id = \"demo-basic\"\nallow_http_loopback = true\n{more}\n",
        server.issuer()
    )
}

const SECRET: &str = "client_secret_cmd = \"printf 'demo-basic-%s\\\\n' secret\"";

// --- profiles -------------------------------------------------------------------------------------------------------

#[test]
fn a_profile_says_what_the_flags_would_and_the_default_one_needs_no_name() {
    let server = TestServer::start().unwrap();
    let home = Home::new(&work(&server, SECRET));
    for arguments in [&["token", "work"][..], &["token"], &["-v", "authorize", "--no-prompt", "work"]] {
        assert!(home.prints(arguments).starts_with("Bearer demo-at-"), "{arguments:?}");
    }
    // By its file's name, and with the secret in a file.
    let secret = home.0.path().join("secret");
    fs::write(&secret, "demo-basic-secret\n").unwrap();
    let elsewhere = home.0.path().join("elsewhere.toml");
    fs::write(&elsewhere, work(&server, &format!("client_secret_file = '{}'", secret.display()))).unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    fs::remove_file(home.file()).unwrap();
    home.fails(&["token", "work"], 3, "there is no profile \"work\"");
    home.fails(&["token"], 4, "a person has to sign in");
    assert!(home.prints(&["token", "--config", elsewhere]).starts_with("Bearer "));
    let output = home.command(&["token", "work"]).env("OAUTH_CONFIG", elsewhere).output().unwrap();
    assert!(printed(&output).starts_with("Bearer "));
}

#[test]
fn flags_win_over_the_environment_over_the_profile_over_the_defaults() {
    let server = TestServer::start().unwrap();
    let home = Home::new(&work(&server, &format!("{SECRET}\noutput = \"header\"")));
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["token", "work"], arguments].concat();
        home.command(&arguments).envs(variables.iter().copied()).output().unwrap()
    };
    let variable = ("OAUTH_OUTPUT", "token");
    assert!(printed(&run(&[], &[])).starts_with("Authorization: Bearer demo-at-"));
    assert!(printed(&run(&[], &[variable])).starts_with("demo-at-"));
    assert!(printed(&run(&["-o", "bearer"], &[variable])).starts_with("Bearer demo-at-"));
    // The client as well, whose id the profile has.
    let nobody = run(&["--client-id", "nobody"], &[("OAUTH_CLIENT_ID", "demo-basic")]);
    assert_eq!(nobody.status.code(), Some(5));
    assert!(printed(&run(&[], &[("OAUTH_CLIENT_ID", "demo-basic")])).starts_with("Authorization: "));
    // A secret that is given takes the place of the profile's, wherever either is.
    let wrong = home.0.path().join("wrong");
    fs::write(&wrong, "wrong").unwrap();
    assert_eq!(run(&["--client-secret-file", wrong.to_str().unwrap()], &[]).status.code(), Some(5));
    assert_eq!(run(&[], &[("OAUTH_CLIENT_SECRET", "wrong")]).status.code(), Some(5));
    // So does a grant.
    let output = run(&["--device"], &[]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn lists_and_tables_become_flags_that_repeat() {
    let server = TestServer::builder()
        .client(Client::basic("demo-basic", "demo-basic-secret").loopback())
        .start()
        .unwrap();
    let more = "browser = \"none\"\npaste = true\nscopes = [\"openid\", \"profile\"]\ntimeout = \"1s\"\n\
                grant_type = \"code\"\nredirect_host = \"localhost\"\nlisten = [\"127.0.0.1:7\", 8]\n\n\
                [profile.work.auth_params]\nlogin_hint = \"me@example.com\"\nmax = 7";
    let home = Home::new(&work(&server, &format!("{SECRET}\n{more}")));
    let told = home.fails(&["authorize", "work"], 4, "before the answer was pasted");
    let url = told.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap();
    for part in [
        "scope=openid%20profile",
        "login_hint=me%40example.com",
        "max=7",
        "redirect_uri=http%3A%2F%2Flocalhost%3A7",
    ] {
        assert!(url.contains(part), "{part} is not in {url}");
    }
    let told = home.fails(
        &["authorize", "work", "--scope", "email", "--auth-param", "a=b"],
        4,
        "before the answer was pasted",
    );
    assert!(told.contains("scope=email&") && !told.contains("login_hint") && told.contains("a=b"), "{told}");
}

/// A secret is for one server.
#[test]
fn another_server_is_told_nothing_of_the_default_profile() {
    let server = TestServer::start().unwrap();
    let home = Home::new(&work(&server, SECRET));
    let other = ["--client-id", "demo-basic", "--allow-http-loopback"];
    for server in [
        &[server.issuer()][..],
        &["--issuer", server.issuer()],
        &["--token-endpoint", "https://as.example/t"],
    ] {
        home.fails(&[&["token"], server, &other].concat(), 4, "a person has to sign in");
    }
    home.fails(&["token", server.issuer(), "--issuer", server.issuer()], 2, "given twice");
    assert!(home.prints(&["demo", "--yes"]).starts_with("Bearer "));
}

/// A variable that was set long ago sends it nowhere; a flag, which somebody types, does.
#[test]
fn a_variable_does_not_send_a_profiles_secret_to_another_server_or_under_another_name() {
    let (server, other) = (TestServer::start().unwrap(), TestServer::start().unwrap());
    let home = Home::new(&work(&server, SECRET));
    let with = |arguments: &[&str], variable: &str, value: &str| {
        home.command(arguments).env(variable, value).output().unwrap()
    };
    let elsewhere = format!("{}/token", other.issuer());
    let refuses = |arguments: &[&str], variable: &str, value: &str| {
        let output = with(arguments, variable, value);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains(&format!("unset {variable}")) && told.contains("profile work"), "{told}");
    };
    for (variable, value) in [
        ("OAUTH_ISSUER", other.issuer()),
        ("OAUTH_TOKEN_ENDPOINT", &elsewhere),
        ("OAUTH_AUTHORIZATION_ENDPOINT", &elsewhere),
        ("OAUTH_DEVICE_AUTHORIZATION_ENDPOINT", &elsewhere),
        ("OAUTH_CLIENT_ID", "demo-post"),
    ] {
        refuses(&["token", "work"], variable, value);
    }
    refuses(&["token"], "OAUTH_CLIENT_ID", "demo-post");
    assert!(other.log().is_empty() && server.log().is_empty());
    // The same, and what is typed, is no stray.
    assert!(printed(&with(&["token", "work"], "OAUTH_ISSUER", server.issuer())).starts_with("Bearer "));
    let typed = ["token", "work", "--issuer", other.issuer()];
    assert!(printed(&with(&typed, "OAUTH_ISSUER", "https://as.example")).starts_with("Bearer "));
    // One that names no server is for the one that is named.
    let issuer = format!("issuer = \"{}\"\n", server.issuer());
    fs::write(home.file(), home.text().replace(&issuer, "")).unwrap();
    assert!(printed(&with(&["token", "work"], "OAUTH_ISSUER", server.issuer())).starts_with("Bearer "));
}

/// What is typed wins.
#[test]
fn an_issuer_in_a_variable_gives_way_to_the_one_that_is_typed() {
    let server = TestServer::start().unwrap();
    let home = Home::new("");
    let arguments = ["token", server.issuer(), "--client-id", "demo-basic", "--allow-http-loopback"];
    let mut command = home.command(&arguments);
    command.env("OAUTH_ISSUER", "https://as.example").env("OAUTH_CLIENT_SECRET", "demo-basic-secret");
    assert!(printed(&command.output().unwrap()).starts_with("Bearer "));
}

#[test]
fn what_is_no_key_or_no_value_is_told_with_the_place_and_the_nearest_key() {
    for (more, what) in [
        ("isuer = \"x\"", "did you mean issuer?"),
        ("client-id = \"x\"", "did you mean client_id?"),
        ("clientsecret_file = \"x\"", "did you mean client_secret_file?"),
        ("demo = true", "demo: there is no such key"),
        ("pkce = true", "pkce: there is no such key"),
        ("quiet = true", "quiet: there is no such key"),
        ("help = true", "help: there is no such key"),
        ("timeout = \"soon\"", "invalid value 'soon' for '--timeout <TIME>': expected a number of seconds"),
        ("timeout = 1.5", "timeout: a text, a number, true or false, or a list of them is expected"),
        ("response_mode = \"magic\"", "invalid value 'magic' for '--response-mode"),
        ("no_prompt = \"yes\"", "no_prompt: true or false is expected"),
        ("client_secret_cmd = 7.5", "client_secret_cmd: a text is expected"),
        ("client_secret_cmd = \"exit 3\"", "the command of client_secret_cmd failed: exit status: 3"),
        ("client_secret_cmd = \"true\"", "the command of client_secret_cmd printed nothing"),
        ("client_secret_cmd = \"x\"\nclient_secret = \"hidden\"", "there is client_secret_cmd already"),
        ("auth_params = \"a=b\"", "auth_params: a table is expected"),
        ("settings = \"a=b\"", "settings: a table is expected"),
        ("proxy = \"http://a.example\"\nproxy_from_env = true", "cannot be used with"),
        ("[profile.work.settings]\nPolingInterval = 5", "did you mean PollingInterval?"),
        (
            "[profile.work.settings]\nLingerTime = \"long\"",
            "it takes a whole number of seconds from 0 to 65535",
        ),
        ("[profile.work.settings]\nStatusLine = \"x\"", "StatusLine cannot be set"),
        ("[profile.work.settings]\nValidateToken = \"x\"", "it is an action"),
        ("[profile.work.settings]\n\"LogLevel=1\" = 1", "a name has no = in it"),
        ("[profile.work.settings]\nLinger = []", "a text, a number, true or false is expected"),
        (
            "timeout = \"1m\"\n[profile.work.settings]\nBrowserResponseTimeout = 60",
            "the profile has the key timeout already",
        ),
        ("[profile.work.settings]\nBrowserResponseTimeout = 90000", "a day at most; never waits for ever"),
        (
            "signing_key = \"y\"\n[profile.work.settings]\nJWTJSONKey = \"x\"",
            "JWTJSONKey: the profile has the key signing_key already",
        ),
        ("[profile.work.settings]\nJWTJSONKey = \"x\"", "JWTJSONKey is refused: its file cannot be read"),
        ("[profile.work.settings]\nAuthorizationURL = \"https://x\"", "no login is under way"),
        ("[profile.work.settings]\nLogLevel = 4", "LogLevel"),
    ] {
        let text = format!("[profile.work]\nissuer = \"https://as.example\"\nclient_id = \"x\"\n{more}\n");
        let home = Home::new(&text);
        let told = home.fails(&["token", "work", "--grant-type", "client-credentials"], 3, what);
        assert!(told.contains("work") || told.contains("client_secret_cmd"), "{told}");
        assert!(!told.contains("hidden"), "{told}");
    }
    for (text, what) in [
        ("defualt = \"work\"\n", "\"defualt\" is not what is expected"),
        ("default = 1\n", "\"default\" is not what is expected"),
        ("[profile]\nwork = 1\n", "\"profile\" is not what is expected"),
        ("default = \"home\"\n[profile.work]\n", "there is no profile \"home\""),
        ("[profile.work]\nclient_id = \"x\"\nclient_secret = \"hidden\" \"\n", "line 3: "),
    ] {
        let told = Home::new(text).fails(&["token"], 3, what);
        assert!(told.contains("config.toml") && !told.contains("hidden"), "{told}");
    }
    let home = Home::new("[profile.work]\n[profile.play]\n");
    home.fails(&["token", "wrok"], 3, "use one of work, play");
    home.fails(&["token", "work", "--config", "/nowhere/config.toml"], 3, "/nowhere/config.toml");
    // A profile may leave the server to the flags, and an address is no profile.
    home.fails(&["token", "work", "--grant-type", "client-credentials"], 3, "no client was named");
    home.fails(&["authorize", "as.example", "--client-id", "x"], 3, "not an absolute URL");
}

#[test]
fn a_secret_in_the_file_works_with_a_warning() {
    let server = TestServer::start().unwrap();
    let home = Home::new(&work(&server, "client_secret = \"demo-basic-secret\""));
    let output = home.run(&["token"]);
    assert!(printed(&output).starts_with("Bearer "));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("prefer client_secret_cmd") && !told.contains("demo-basic-secret"), "{told}");
}

/// It names commands that are run.
#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new("[profile.work]\n");
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o662)).unwrap();
    home.fails(&["token", "work"], 3, "others may write it");
}

// --- oauth config, oauth profile ------------------------------------------------------------------------------------

#[test]
fn config_list_has_every_setting_in_columns_or_as_json() {
    let home = Home::new(
        "default = \"work\"\n[profile.work.settings]\nProxyPassword = \"pw-of-ada\"\nLinger = false\n",
    );
    let text = home.prints(&["config", "list"]);
    assert_eq!(text.lines().count(), 113);
    let start =
        |line: &str| line.find(' ').map(|end| end + line[end..].len() - line[end..].trim_start().len());
    let linger = text.lines().find(|line| line.starts_with("Linger ")).unwrap();
    assert!(linger.contains(" false ") && linger.ends_with(" true or false"), "{linger}");
    let column = start(linger).unwrap();
    assert!(text.lines().all(|line| line.chars().nth(column - 1) == Some(' ')), "{text}");
    assert!(text.contains("\nFormVarName[i] "));
    assert!(text.contains("[hidden]") && !text.contains("pw-of-ada"));
    assert!(home.prints(&["config", "list", "--show-secrets"]).contains("pw-of-ada"));

    let json = home.prints(&["config", "list", "-o", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), 113);
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((&row("Linger")["value"], &row("Linger")["default"]), (&"false".into(), &"true".into()));
    assert_eq!(row("ProxyPassword")["value"], "[hidden]");
    assert_eq!(row("LingerTime")["unit"], "seconds");
    assert_eq!(
        (&row("StatusLine")["read_only"], &row("FormVarName")["indexed"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&row("Linger")["for_the_command"], &row("ReUseWebServer")["for_the_command"]),
        (&true.into(), &false.into())
    );
    assert!(row("SSLSecurityFlags")["danger"].is_string());
}

#[test]
fn config_get_prints_the_profiles_value_or_the_default_and_a_secret_when_told_to() {
    let home = Home::new("[profile.work.settings]\nuseipv6 = 0\nProxyPassword = \"pw-of-ada\"\n");
    assert_eq!(home.prints(&["config", "get", "useipv6"]), "1\n");
    assert_eq!(home.prints(&["config", "get", "UseIPv6", "--profile", "work"]), "0\n");
    assert_eq!(home.prints(&["config", "get", "ProxyPassword"]), "\n");
    let secret = ["config", "get", "ProxyPassword", "--profile", "work"];
    let told = home.fails(&secret, 2, "ProxyPassword is a secret");
    assert!(!told.contains("pw-of-ada"), "{told}");
    assert_eq!(home.prints(&[&secret[..], &["--show-secrets"]].concat()), "pw-of-ada\n");
    home.fails(&["config", "get", "UseIPv7"], 2, "did you mean UseIPv6?");
    home.fails(&["config", "get", "UseIPv6=1"], 2, "takes a name alone");
    home.fails(&["config", "get", "ValidateToken"], 2, "is an action");
}

#[test]
fn config_set_writes_into_the_file_and_leaves_the_rest_as_it_is() {
    let kept = "# mine\ndefault = \"work\" # and this\n\n[profile.work]\nissuer = \"https://as.example\"\n";
    let home = Home::new(kept);
    let told = home.prints(&["config", "set", "linger=FALSE"]);
    assert!(told.starts_with("Linger is set in profile work of ") && told.contains("config.toml"), "{told}");
    home.prints(&["config", "set", "LingerTime=7"]);
    home.prints(&["config", "set", "UserAgent=a=b \"c\""]);
    assert_eq!(
        home.text(),
        format!("{kept}\n[profile.work.settings]\nLinger = false\nLingerTime = 7\nUserAgent = 'a=b \"c\"'\n")
    );
    // In another case it is the same; its comment stays.
    fs::write(home.file(), home.text().replace("Linger = false", "LINGER = false # why")).unwrap();
    home.prints(&["config", "set", "Linger=1"]);
    assert!(
        home.text().contains("LINGER = true # why\n") && !home.text().contains("Linger = "),
        "{}",
        home.text()
    );
    assert_eq!(home.prints(&["config", "get", "UserAgent"]), "a=b \"c\"\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(home.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        fs::read_dir(home.file().parent().unwrap()).unwrap().count(),
        2,
        "its lock alone is left beside it"
    );

    // A member of a list has its index in the file, too.
    home.prints(&["config", "set", "FormVarCount=2"]);
    home.prints(&["config", "set", "formvarname[1]=tenant"]);
    assert!(home.text().contains("\n\"FormVarName[1]\" = \"tenant\"\n"), "{}", home.text());
    assert_eq!(home.prints(&["config", "get", "FormVarName[1]"]), "tenant\n");

    let before = home.text();
    for (arguments, what) in [
        (&["LingerTime=long"][..], "it takes a whole number of seconds"),
        (&["LingerTime"], "there is no value"),
        (&["Nonsense=1"], "there is no setting"),
        (&["StatusLine=1"], "StatusLine cannot be set"),
        (&["SSLEnabledProtocols=192"], "RFC 8996"),
        (&["ValidateToken=a-token"], "is an action, and no value to keep"),
        (&["UserAgent[0]=x"], "leave out the index"),
    ] {
        let told = home.fails(&[&["config", "set"], arguments].concat(), 2, what);
        assert!(!told.contains("a-token"), "{told}");
        assert_eq!(home.text(), before);
    }
}

#[test]
fn config_set_makes_the_file_and_the_profile_and_reads_secrets_from_standard_input() {
    let home = Home(tempfile::tempdir().unwrap());
    home.fails(&["config", "set", "KeepAlive=true"], 3, "no profile was named");
    home.prints(&["config", "set", "KeepAlive=true", "--profile", "new"]);
    assert_eq!(home.text(), "[profile.new.settings]\nKeepAlive = true\n");
    let mut child = home
        .command(&["config", "set", "proxypassword", "--profile", "new"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"0042\n").unwrap();
    assert!(!printed(&child.wait_with_output().unwrap()).contains("0042"));
    assert!(home.text().ends_with("KeepAlive = true\nProxyPassword = \"0042\"\n"), "{}", home.text());
    let output = home.run(&["config", "set", "ProxyPassword=pw", "--profile", "new"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("warning: a secret on the command line"));
}

/// Each reads the file, and writes all of it.
#[test]
fn settings_that_are_set_at_once_are_all_kept() {
    let home = Home(tempfile::tempdir().unwrap());
    let settings = ["KeepAlive", "Linger", "UseIPv6", "LogLevel", "PollingInterval", "LingerTime"];
    for round in [1, 0] {
        let all: Vec<_> = settings
            .iter()
            .map(|name| {
                home.command(&["config", "set", &format!("{name}={round}"), "--profile", "new"])
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut one in all {
            assert!(one.wait().unwrap().success());
        }
        for name in settings {
            assert!(home.text().contains(&format!("\n{name} = ")), "{name} in {}", home.text());
        }
        fs::write(home.file(), "").unwrap();
    }
}

/// Whoever keeps such files elsewhere wants the text there, also before there is any.
#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_one() {
    let home = Home::new("");
    let elsewhere = home.0.path().join("elsewhere.toml");
    fs::rename(home.file(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, home.file()).unwrap();
    home.prints(&["config", "set", "KeepAlive=true", "--profile", "new"]);
    assert!(fs::symlink_metadata(home.file()).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "[profile.new.settings]\nKeepAlive = true\n");
    fs::remove_file(&elsewhere).unwrap();
    home.prints(&["config", "set", "KeepAlive=true", "--profile", "new"]);
    assert!(fs::symlink_metadata(home.file()).unwrap().is_symlink() && elsewhere.exists());
}

/// It is how somebody says that there are no profiles.
#[cfg(unix)]
#[test]
fn no_device_is_taken_for_a_file_that_others_may_write() {
    let home = Home::new("");
    home.fails(&["profile", "list", "--config", "/dev/null"], 3, "there is no profile yet");
}

#[test]
fn profile_tells_which_there_are_where_and_what_without_secrets() {
    let home = Home::new(
        "default = \"work\"\n[profile.play]\n[profile.work]\nclient_id = \"x\"\nclient_secret = \"hidden-1\"\n\
         proxy = \"http://u:hidden-2@p.example\"\n[profile.work.settings]\nproxypassword = \"hidden-3\"\nLinger = true\n",
    );
    assert_eq!(home.prints(&["profile", "path"]).trim(), home.file().to_str().unwrap());
    let listed = home.prints(&["profile", "list"]);
    assert_eq!(listed, "  play\n* work\n");
    let shown = home.prints(&["profile", "show"]);
    assert!(shown.contains("client_id = \"x\"") && shown.contains("Linger = true"), "{shown}");
    assert!(!shown.contains("hidden-") && shown.matches("[hidden]").count() == 3, "{shown}");
    home.fails(&["profile", "show", "nobody"], 3, "use one of play, work");
    fs::remove_file(home.file()).unwrap();
    home.fails(&["profile", "list"], 3, "there is no profile yet");
    home.fails(&["profile", "show"], 3, "no profile was named");
    home.fails(&["profile", "list", "--config", "/nowhere"], 3, "/nowhere");
}
