use super::{
    Browser, CommandLine, CommandLineError, Launch, LaunchError, RefusedUrl, check, open, open_within,
};
use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};
use url::Url;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(20);

fn url() -> Url {
    Url::parse("https://as.example/authorize?a=b&c=%73%25&d='x'$(y)").unwrap()
}

fn commands(templates: &[&str]) -> Browser {
    Browser::Commands(templates.iter().map(|template| CommandLine::parse(template).unwrap()).collect())
}

#[test]
fn lb_35_https_or_http_that_stays_here() {
    for (text, taken) in [
        ("https://as.example/", true),
        ("http://127.0.0.1:1/", true),
        ("http://[::1]/", true),
        ("http://localhost/", true),
        ("http://as.example/", false),
        ("http://localhost.evil/", false),
        ("file:///etc/passwd", false),
        ("javascript:alert(1)", false),
        ("ms-word:ofe|u|https://x", false),
    ] {
        assert_eq!(check(&Url::parse(text).unwrap()).is_ok(), taken, "{text}");
    }
    let refused = open(&Url::parse("file:///etc/passwd").unwrap(), &commands(&["true"])).unwrap_err();
    assert_eq!(refused, RefusedUrl { scheme: "file".to_owned() });
    assert!(!refused.to_string().contains("passwd"), "{refused}");
}

#[test]
fn a_command_is_split_before_the_url_is_put_in() {
    let arguments = |template: &str| -> Vec<String> {
        let command = CommandLine::parse(template).unwrap();
        command.arguments(&url()).into_iter().map(|argument| argument.into_string().unwrap()).collect()
    };
    let url = url().to_string();
    assert_eq!(arguments("firefox"), [url.as_str()]);
    assert_eq!(arguments("firefox -P work %s"), ["-P", "work", &url]);
    assert_eq!(arguments("x --url=%s --load=100%% %s"), [&format!("--url={url}"), "--load=100%", &url]);
    assert_eq!(arguments("x '%s' \"a b\" ''"), [&url, "a b", ""]);
    assert_eq!(arguments("x %c 50%"), ["%c", "50%", &url]);
    assert_eq!(
        CommandLine::parse(r#""C:\Program Files\b.exe" %s"#).unwrap().program(),
        r"C:\Program Files\b.exe"
    );
}

#[test]
fn what_is_no_command_is_refused() {
    for (template, error) in [
        ("", CommandLineError::Empty),
        ("  ", CommandLineError::Empty),
        ("'' x", CommandLineError::Empty),
        ("firefox \"%s", CommandLineError::OpenQuote),
    ] {
        assert_eq!(CommandLine::parse(template), Err(error), "{template:?}");
    }
}

#[test]
fn the_environment_names_commands() {
    assert!(matches!(Browser::from_value(None), Ok(Browser::System)));
    assert!(matches!(Browser::from_value(Some(OsStr::new(" : "))), Ok(Browser::System)));
    let Ok(Browser::Commands(commands)) = Browser::from_value(Some(OsStr::new("firefox -P x:lynx"))) else {
        panic!("no commands");
    };
    let programs: Vec<_> = commands.iter().map(CommandLine::program).collect();
    assert_eq!(programs, if cfg!(windows) { vec!["firefox"] } else { vec!["firefox", "lynx"] });
}

#[cfg(unix)]
#[test]
fn a_browser_is_opened_with_the_url_as_one_argument() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said");
    // `cat` would wait for a terminal: standard input has to be empty.
    let script = format!(r#"sh -c 'cat; echo noise; printf "%%s|" "$@" > {}' opener"#, file.display());
    let opening = open_within(&url(), &commands(&[&script]), LONG).unwrap();
    assert_eq!(opening.url(), &url());
    assert!(!format!("{opening:?}").contains("authorize"));
    assert!(matches!(opening.wait(), Launch::Opened));
    assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{}|", url()));
}

#[cfg(unix)]
#[test]
fn failures_are_typed_and_the_next_command_is_tried() {
    let launch = open_within(&url(), &commands(&["false"]), LONG).unwrap().wait();
    assert!(matches!(&launch, Launch::Failed(LaunchError::Exit { program, .. }) if program == "false"));
    assert!(launch.to_string().contains("open the address yourself"), "{launch}");
    let launch = open_within(&url(), &commands(&["/nowhere/browser"]), LONG).unwrap().wait();
    assert!(matches!(&launch, Launch::Failed(LaunchError::Start { .. })), "{launch}");
    assert!(!launch.to_string().contains("as.example"), "{launch}");
    let launch = open_within(&url(), &commands(&["/nowhere/browser", "false", "true"]), LONG).unwrap().wait();
    assert!(matches!(launch, Launch::Opened), "{launch}");
}

#[cfg(unix)]
#[test]
fn lb_30_a_launcher_that_stays_is_not_waited_for() {
    let began = Instant::now();
    let hanging = commands(&["sh -c 'exec sleep 5' opener"]);
    let launch = open_within(&url(), &hanging, Duration::from_millis(30)).unwrap().wait();
    assert!(matches!(launch, Launch::StillRunning), "{launch}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[cfg(unix)]
#[test]
fn the_system_browser_is_opened() {
    const CHILD: &str = "OAUTH_LOOPBACK_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let launch = open_within(&url(), &Browser::System, LONG).unwrap().wait();
        assert!(matches!(launch, Launch::Opened), "{launch}");
        return;
    }
    // In a process of its own, since the environment says which browser that is.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("browser");
    let said = folder.path().join("said");
    std::fs::write(
        &script,
        format!("#!/bin/sh\nprintf %s \"$1\" > {}.part\nmv {0}.part {0}\n", said.display()),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "browser::tests::the_system_browser_is_opened"])
        .env(CHILD, "1")
        .env("BROWSER", &script)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    // The system's opener is not waited for, so the file may come a little later.
    let until = Instant::now() + LONG;
    while !said.exists() && Instant::now() < until {
        std::thread::yield_now();
    }
    assert_eq!(std::fs::read_to_string(said).unwrap(), url().to_string());
}
