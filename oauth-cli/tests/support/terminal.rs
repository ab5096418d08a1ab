//! The command at a terminal that a test sits at.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// `script` of util-linux makes it.
pub(crate) struct Terminal {
    child: Child,
    shown: mpsc::Receiver<Vec<u8>>,
    pub(crate) seen: String,
}

impl Terminal {
    pub(crate) fn start(command: &Command, folder: &Path) -> Self {
        // The exit code and what a shell would get on standard output go into files.
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let quoted: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        // So do its own number and what the terminal is like afterwards. Ctrl-C goes to the shell, too, which stays.
        let (folder, quoted) = (folder.display(), quoted.join(" "));
        let line = format!(
            "trap : INT; sh -c 'echo $$ > \"$0\"; exec \"$@\"' {folder}/number {quoted} > {folder}/stdout; code=$?; \
             stty -a > {folder}/terminal; exit $code"
        );
        Self::run(command, &line)
    }

    /// A shell with job control, in which this command is `$oauth`. It ends with `exit`.
    pub(crate) fn shell(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        let mut shell = Command::new("bash");
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("oauth", words.join(" ")).env("HISTFILE", "");
        Self::run(&shell, "PS1='ready> ' exec bash --norc --noprofile --noediting -i")
    }

    fn run(command: &Command, line: &str) -> Self {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", line, "/dev/null"]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let mut child = script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script, of util-linux, is installed");
        let mut screen = child.stdout.take().unwrap();
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, shown, seen: String::new() }
    }

    /// Looks at the screen until this is on it.
    pub(crate) fn shows(&mut self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.seen.contains(wanted) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(more) = self.shown.recv_timeout(left) else { panic!("no {wanted:?} on: {}", self.seen) };
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    pub(crate) fn url(&mut self) -> String {
        self.shows("press Enter");
        let url = self.seen.lines().map(str::trim).find(|line| line.starts_with("http")).unwrap();
        url.to_owned()
    }

    pub(crate) fn types(&mut self, text: &str) {
        let keys = self.child.stdin.as_mut().unwrap();
        keys.write_all(text.as_bytes()).unwrap();
        keys.flush().unwrap();
    }

    /// The exit code, what a shell got, and what was on the screen. The terminal is as it was.
    pub(crate) fn end(mut self, folder: &Path) -> (Option<i32>, String, String) {
        // Whoever waits for a child closes its standard input first, which would be a Ctrl-D.
        let _keys = self.child.stdin.take();
        let code = self.child.wait().unwrap().code();
        let terminal = std::fs::read_to_string(folder.join("terminal")).unwrap();
        let is = |mode: &str| terminal.split_whitespace().any(|word| word == mode);
        assert!(is("icanon") && is("echo"), "{terminal}");
        for more in self.shown.iter() {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        (code, std::fs::read_to_string(folder.join("stdout")).unwrap(), self.seen)
    }
}
