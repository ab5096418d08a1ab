use super::{
    Browser, CommandLine, CommandLineError, Launch, LaunchError, RefusedUrl, Surroundings, check, open,
    open_within,
};
use std::ffi::{OsStr, OsString};
use std::path::Path;
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
fn lb_32_a_command_is_split_before_the_url_is_put_in() {
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
fn lb_32_what_is_no_command_is_refused() {
    for (template, error) in [
        ("", CommandLineError::Empty),
        ("  ", CommandLineError::Empty),
        ("'' x", CommandLineError::Empty),
        ("firefox \"%s", CommandLineError::OpenQuote),
        // LB-32: they end a URL at its first &.
        ("cmd /c start %s", CommandLineError::CutsUrls),
        (r"C:\Windows\explorer.exe", CommandLineError::CutsUrls),
        ("/mnt/c/Windows/System32/CMD.EXE /c start", CommandLineError::CutsUrls),
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
fn lb_31_lb_32_an_opener_is_silent_and_takes_the_url_as_one_argument() {
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

/// As the system says it: noise in a test's own output is seen by nobody.
#[cfg(target_os = "linux")]
#[test]
fn lb_31_an_opener_has_nothing_to_read_from_and_nothing_to_write_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said");
    // Of the shell itself: `readlink` has an output of its own.
    let script = format!(
        r#"sh -c 'a="$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)"; echo "$a" > {}' opener"#,
        file.display()
    );
    assert!(matches!(open_within(&url(), &commands(&[&script]), LONG).unwrap().wait(), Launch::Opened));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "/dev/null\n".repeat(3));
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

#[cfg(target_os = "linux")]
#[test]
fn lb_30_a_ctrl_c_is_not_for_the_browser() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group");
    // The fields of stat(5) after the name in brackets: state, parent, process group.
    let script = format!("sh -c 'cut -d \")\" -f 2 /proc/$$/stat > {}' opener", file.display());
    assert!(matches!(open_within(&url(), &commands(&[&script]), LONG).unwrap().wait(), Launch::Opened));
    let group = |stat: &str| stat.split_whitespace().nth(2).unwrap().to_owned();
    let own = std::fs::read_to_string("/proc/self/stat").unwrap();
    let theirs = group(&std::fs::read_to_string(file).unwrap());
    assert_ne!(theirs, group(own.rsplit(')').next().unwrap()));
}

#[test]
fn lb_33_text_browsers_are_known_by_name_and_by_where_links_lead() {
    for name in [
        "lynx",
        "w3m",
        "links",
        "links2",
        "elinks",
        "www-browser",
        "/usr/bin/lynx",
        "Lynx.exe",
        "lynx -vikeys %s",
    ] {
        assert!(CommandLine::parse(name).unwrap().is_text_browser(), "{name}");
        assert!(Browser::command(name).unwrap().is_text_browser(), "{name}");
    }
    for name in ["firefox", "true", "xdg-open", "lynxes", "sh -c lynx"] {
        assert!(!CommandLine::parse(name).unwrap().is_text_browser(), "{name}");
    }
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w3m"), "").unwrap();
        let link = folder.path().join("x-www-browser");
        std::os::unix::fs::symlink(folder.path().join("w3m"), &link).unwrap();
        assert!(CommandLine::parse(link.to_str().unwrap()).unwrap().is_text_browser());
    }
}

#[cfg(unix)]
#[test]
fn lb_33_a_text_browser_of_the_environment_is_refused_and_the_next_command_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let lynx = script(folder.path(), "lynx", &format!("touch {}", said.display()));
    let of_value = |value: &str| Browser::from_value(Some(OsStr::new(value))).unwrap();

    let launch = open_within(&url(), &of_value(&lynx), LONG).unwrap().wait();
    assert!(matches!(&launch, Launch::Failed(LaunchError::TextBrowser { program }) if *program == lynx));
    assert!(launch.to_string().contains("left alone; open the address yourself"), "{launch}");
    assert!(!said.exists());
    let launch = open_within(&url(), &of_value(&format!("{lynx}:true")), LONG).unwrap().wait();
    assert!(matches!(launch, Launch::Opened), "{launch}");
    assert!(!said.exists());
}

/// The environment of a process as a test makes it up.
fn surroundings(variables: &[(&str, &str)], files: &[&str]) -> Surroundings {
    let variable = |name: &str| {
        let found = variables.iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Surroundings::detect(variable, |path: &Path| files.iter().any(|file| path == Path::new(file)))
}

#[test]
fn lb_33_surroundings_are_read_from_the_environment() {
    const DESKTOP: (&str, &str) = ("DISPLAY", ":0");
    let connection = ("SSH_CONNECTION", "198.51.100.7 50000 192.0.2.1 22");
    let screen = cfg!(any(windows, target_os = "macos"));
    for (variables, files, ssh, display, container, workspace, wsl) in [
        (&[][..], &[][..], false, screen, false, false, false),
        (&[("DISPLAY", "")], &[], false, screen, false, false, false),
        (&[DESKTOP], &[], false, true, false, false, false),
        (&[("WAYLAND_DISPLAY", "wayland-0")], &[], false, true, false, false, false),
        (&[connection], &[], true, screen, false, false, false),
        (&[("SSH_TTY", "/dev/pts/0"), DESKTOP], &[], true, true, false, false, false),
        (&[("container", "podman")], &[], false, screen, true, false, false),
        (&[("container", "flatpak"), DESKTOP], &[], false, true, false, false, false),
        (&[], &["/.dockerenv"], false, screen, true, false, false),
        (&[], &["/run/.containerenv"], false, screen, true, false, false),
        (&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], &[], false, screen, true, false, false),
        (&[("CODESPACES", "true")], &["/.dockerenv"], false, screen, true, true, false),
        (&[("WSL_DISTRO_NAME", "Debian")], &[], false, screen, false, false, true),
    ] {
        let found = surroundings(variables, files);
        assert_eq!(
            (found.ssh, found.display, found.container, found.workspace, found.wsl),
            (ssh, display, container, workspace, wsl),
            "{variables:?} {files:?}"
        );
        let elsewhere = ssh || workspace || !display && !wsl;
        assert_eq!(found.browser_is_elsewhere(), elsewhere, "{variables:?} {files:?}");
    }
}

#[test]
fn lb_33_the_tunnel_names_this_machine_as_the_person_reached_it() {
    let callback = Url::parse("http://127.0.0.1:4321/callback").unwrap();
    let tunnel = |variables: &[(&str, &str)]| surroundings(variables, &[]).tunnel(&callback, 4321);
    let connection = |text| ("SSH_CONNECTION", text);
    let ada = ("USER", "ada");
    assert_eq!(
        tunnel(&[connection("198.51.100.7 50000 192.0.2.1 22"), ada]).as_deref(),
        Some("ssh -L 4321:127.0.0.1:4321 ada@192.0.2.1")
    );
    assert_eq!(
        tunnel(&[connection("2001:db8::7 50000 2001:db8::1 2222")]).as_deref(),
        Some("ssh -L 4321:127.0.0.1:4321 -p 2222 2001:db8::1")
    );
    // What is no address, or no plain name, is not put into a command.
    for connection in [connection("a b $(reboot) 22"), connection("x"), ("SSH_TTY", "/dev/pts/0")] {
        assert_eq!(tunnel(&[connection, ada]).as_deref(), Some("ssh -L 4321:127.0.0.1:4321 HOST"));
    }
    for user in ["-oProxyCommand=x", "a b", "a;b"] {
        let tunnel = tunnel(&[connection("198.51.100.7 1 192.0.2.1 22"), ("USER", user)]);
        assert_eq!(tunnel.as_deref(), Some("ssh -L 4321:127.0.0.1:4321 192.0.2.1"), "{user}");
    }
    assert_eq!(tunnel(&[("DISPLAY", ":0")]), None);
    let v6 = Url::parse("http://[::1]:4321/callback").unwrap();
    let over_ssh = surroundings(&[("SSH_TTY", "x")], &[]);
    assert_eq!(over_ssh.tunnel(&v6, 4321).as_deref(), Some("ssh -L 4321:[::1]:4321 HOST"));
    assert_eq!(over_ssh.tunnel(&callback, 9100).as_deref(), Some("ssh -L 4321:127.0.0.1:9100 HOST"));
    let proxied = Url::parse("https://desk.example/callback").unwrap();
    assert_eq!(over_ssh.tunnel(&proxied, 9100), None, "the browser reaches that from anywhere");
}

#[cfg(target_os = "linux")]
#[test]
fn lb_32_lb_33_surroundings_order_the_openers_and_keep_them_all() {
    let desktop = super::openers::openers(&surroundings(&[("DISPLAY", ":0")], &[]));
    let bare = super::openers::openers(&surroundings(&[("SSH_TTY", "/dev/pts/0")], &["/.dockerenv"]));
    let wsl = super::openers::openers(&surroundings(&[("WSL_INTEROP", "/run/WSL/8_interop")], &[]));
    assert_eq!(desktop, bare);
    assert_eq!(wsl[..2], ["wslview %s", "rundll32.exe url.dll,FileProtocolHandler %s"]);
    assert_eq!(wsl[2..], desktop);
    for opener in wsl {
        // Each can be read, and hands the URL on as one argument.
        assert_eq!(CommandLine::parse(opener).unwrap().arguments(&url()).last().unwrap(), url().as_str());
    }
}

#[test]
fn lb_34_whatever_comes_of_a_launch_its_url_can_be_printed() {
    for command in ["true", "false", "/nowhere/browser"] {
        let opening = open_within(&url(), &commands(&[command]), LONG).unwrap();
        assert_eq!(opening.url(), &url());
        // And what is said of it never tells the person to wait for a window alone.
        assert!(opening.wait().to_string().contains("open the address yourself"), "{command}");
    }
}

#[test]
fn a_browser_reads_as_the_command_that_it_is() {
    for command in ["firefox -P work %s", "'/a b/c' \"it's\" '\"' \"\""] {
        let browser = Browser::command(command).unwrap();
        assert_eq!(Browser::command(&browser.to_string()).unwrap(), browser, "{command} as {browser}");
    }
    assert!(Browser::command(&Browser::System.to_string()).is_ok());
    assert_eq!(commands(&["a %s", "b"]).to_string(), "a %s:b");
}

/// A program of this name, and where it is.
#[cfg(unix)]
fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// In a process of its own, since the environment says which browser that is.
#[cfg(unix)]
#[test]
fn the_system_browser_is_opened() {
    const CHILD: &str = "OAUTH_LOOPBACK_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let launch = open_within(&url(), &Browser::System, LONG).unwrap().wait();
        assert!(matches!(launch, Launch::Opened), "{launch}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let tell = format!("printf '%s' \"$1 $BROWSER\" > {}", said.display());
    let browser = script(folder.path(), "browser", &tell);
    let _opener = script(folder.path(), "xdg-open", &tell);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    for (value, of_opener) in [(browser.as_str(), false), ("", true)] {
        if of_opener && cfg!(any(target_vendor = "apple", target_os = "android")) {
            continue;
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "browser::tests::the_system_browser_is_opened"])
            .envs([(CHILD, "1"), ("BROWSER", value), ("PATH", path.as_str())])
            .env_remove("WSL_DISTRO_NAME")
            .env_remove("WSL_INTEROP")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        let said = std::fs::read_to_string(&said).unwrap();
        let (opened, then) = said.split_once(' ').unwrap();
        assert_eq!(opened, url().as_str());
        // The opener's own list ends in text browsers.
        assert!(!of_opener || then.contains("firefox") && !then.contains("lynx"), "{then}");
    }
}
