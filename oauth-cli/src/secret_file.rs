//! Files that hold one secret.

use crate::exit::{Exit, Problem};
use crate::terminal::{self, Manner, Silent};
use std::fs::{File, TryLockError};
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// A secret is never this long: 1 MiB.
const MAX: u64 = 1 << 20;

/// Whether the path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The file that a path leads to, links followed: it is what is kept, and what others lock, whatever they call it.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Problem> {
    path.canonicalize().map_err(|error| unreadable(path, &error))
}

/// Reads a secret: a file's text, or standard input's for `-`, without the line end. At a terminal that is one line, and it
/// is not shown.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let mut text = Zeroizing::new(String::new());
    let read = if is_stdin(path) && io::stdin().is_terminal() {
        ask(&mut text)
    } else if is_stdin(path) {
        io::stdin().lock().take(MAX).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(MAX).read_to_string(&mut text))
    };
    let _length = read.map_err(|error| unreadable(path, &error))?;
    let trimmed = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(trimmed);
    if text.is_empty() { Err(unreadable(path, &"it is empty")) } else { Ok(text) }
}

fn unreadable(path: &Path, what: &dyn std::fmt::Display) -> Problem {
    Problem::configuration(
        format_args!("{}: {what}", path.display()),
        "name a file with the secret, or - for standard input",
    )
}

/// Asks the person at the terminal.
fn ask(text: &mut Zeroizing<String>) -> io::Result<usize> {
    let silent = Silent::new(Manner::Lines)?;
    let mut stderr = io::stderr();
    write!(stderr, "Type or paste the secret, which is not shown, and press Enter: ")?;
    stderr.flush()?;
    let mut line = Zeroizing::new([0; terminal::LONGEST_LINE + 1]);
    let length = terminal::read(&mut *line, || true)?;
    drop(silent);
    writeln!(stderr)?;
    let line = line.get(..length).unwrap_or_default();
    if length >= terminal::LONGEST_LINE {
        return Err(io::Error::other("a terminal cuts off so long a line"));
    }
    text.push_str(std::str::from_utf8(line).map_err(|_| io::Error::other("that is no text"))?);
    Ok(length)
}

/// Keeps other processes from the file for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// How long another process may take for one refresh.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Waits until no other process uses the secret: two that spend one rotating refresh token end the login.
///
/// The lock is on a file beside it, which stays: the secret itself is replaced while it is held.
pub(crate) async fn lock(path: &Path) -> Result<Lock, Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = Path::new(&beside);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let problem = |what: &dyn std::fmt::Display| {
        Problem::new(
            Exit::Other,
            format_args!(
                "{}: {what}; without it another process could spend the same refresh token",
                beside.display()
            ),
            "make the folder writable, or use a refresh token of its own for each process",
        )
    };
    let file = options.open(beside).map_err(|error| problem(&error))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::new(
                    Exit::TimedOut,
                    format_args!("another process has held {} for a minute", beside.display()),
                    "end it and try again",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(problem(&error)),
        }
    }
}

/// Replaces the file in one step: either the old text is in it or the new one, readable by its owner alone. A link is
/// replaced, and what it points to left alone.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A temporary file is made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name is on the disk as well, not only the new text.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Where a file cannot be replaced, as one that is mounted by itself: the text is written into it.
fn overwrite(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

fn line(secret: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{secret}\n"))
}

/// Finds out, before a refresh token is spent, whether the one that comes in its place can be kept.
pub(crate) fn check_replaceable(path: &Path, secret: &str) -> Result<(), Problem> {
    let opened = File::options().write(true).open(path).map(drop);
    // A file that may not be written may well be replaced, which only trying it tells.
    opened.or_else(|_| write(path, &line(secret))).map_err(|error| {
        Problem::configuration(
            format_args!(
                "{} cannot be written: {error}; a new refresh token would be lost, so none was asked for",
                path.display()
            ),
            "make the file writable, or give another",
        )
    })
}

/// Replaces the secret in a file.
pub(crate) fn replace(path: &Path, secret: &str) -> io::Result<()> {
    let line = line(secret);
    write(path, &line).or_else(|_| overwrite(path, &line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_a_secret_is_replaced_whole_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "old\r\n").unwrap();
        assert_eq!(read(&path).unwrap().as_str(), "old");
        replace(&path, "new").unwrap();
        assert_eq!(read(&path).unwrap().as_str(), "new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Nothing can be put into that folder, and what is in it leads to a file, as a mount does.
    #[cfg(target_os = "linux")]
    #[test]
    fn r3_where_a_file_cannot_be_replaced_the_secret_is_written_into_it() {
        use std::os::fd::AsRawFd as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a long old secret\n").unwrap();
        let open = File::open(file.path()).unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        assert!(write(&path, "new").is_err());
        check_replaceable(&path, "a long old secret").unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "a long old secret\n");
        replace(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "new\n");
    }

    #[test]
    fn r3_what_cannot_be_written_at_all_is_told_before_a_token_is_spent() {
        let folder = tempfile::tempdir().unwrap();
        let problem = check_replaceable(folder.path(), "s3cret").unwrap_err();
        assert_eq!(problem.exit, Exit::Configuration);
        let named = folder.path().to_str().unwrap();
        assert!(problem.what.contains(named) && !problem.what.contains("s3cret"), "{}", problem.what);
        assert!(replace(folder.path(), "s3cret").is_err());
    }

    #[test]
    fn an_empty_and_a_missing_file_are_configuration_problems() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert_eq!(read(&path).unwrap_err().exit, Exit::Configuration);
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(read(&path).unwrap_err().exit, Exit::Configuration);
    }
}
