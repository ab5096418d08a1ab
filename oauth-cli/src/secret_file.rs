//! Files that hold one secret.

use crate::exit::{Exit, Problem};
use crate::terminal::{self, Manner, Silent};
use std::fs::{File, Metadata, TryLockError};
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

/// Refuses what is no file to keep a refresh token in: a pipe is waited at for ever, and what comes in its place is lost there.
pub(crate) fn check_file(path: &Path) -> Result<(), Problem> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(Problem::configuration(
            format_args!(
                "{}: it is no regular file, and a refresh token may be replaced by a new one",
                path.display()
            ),
            "name a file, or use - (standard input) with -o json, and keep the refresh_token that is printed",
        )),
        // What is not there is told when it is read.
        _ => Ok(()),
    }
}

/// Reads a secret, as [`read_text`] does, and refuses what none can be: with a second line or a control character, as a file
/// of another kind has them, it would be sent as it is.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let text = read_text(path)?;
    if text.contains(['\r', '\n']) {
        Err(unreadable(path, &"it has more than one line, and a secret has one"))
    } else if text.contains(char::is_control) {
        Err(unreadable(path, &"it has a control character in it, which no secret has"))
    } else {
        Ok(text)
    }
}

/// Reads a refresh token: a secret without blanks around it, which are no part of one.
pub(crate) fn read_token(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let text = read(path)?;
    match text.trim_matches(' ') {
        "" => Err(unreadable(path, &"it is empty")),
        trimmed => Ok(Zeroizing::new(trimmed.to_owned())),
    }
}

/// Reads a file's text, or standard input's for `-`, without a byte order mark and the last line end. At a terminal that is one
/// line, and it is not shown.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let mut text = Zeroizing::new(String::new());
    let read = if is_stdin(path) && io::stdin().is_terminal() {
        ask(&mut text)
    } else if is_stdin(path) {
        io::stdin().lock().take(MAX + 1).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(MAX + 1).read_to_string(&mut text))
    };
    let length = read.map_err(|error| unreadable(path, &error))?;
    if length as u64 > MAX {
        return Err(unreadable(path, &"it is longer than 1 MiB, and so no secret"));
    }
    let trimmed = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(trimmed);
    // Editors on Windows begin a text with it.
    if text.starts_with('\u{FEFF}') {
        let _mark = text.remove(0);
    }
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
    _beside: File,
    /// The file itself, where it has another name as well: what is mounted in two places has two files beside it.
    _itself: Option<File>,
}

/// How long another process may take for one refresh.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Waits until no other process uses the file: two that spend one rotating refresh token end the login, and of two that write
/// settings one loses them.
///
/// The lock is on a file beside it, which stays: the file itself is replaced while it is held.
pub(crate) async fn lock(path: &Path) -> Result<Lock, Problem> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = Path::new(&beside);
    let problem = |what: &dyn std::fmt::Display| {
        Problem::new(
            Exit::Other,
            format_args!("{}: {what}; without it another process could come in between", beside.display()),
            "make the folder writable, or use a file of its own for each process",
        )
    };
    let file = open_beside(beside, path).map_err(|error| problem(&error))?;
    let until = Instant::now() + LONGEST_WAIT;
    wait_for(&file, beside, until).await?.map_err(|error| problem(&error))?;
    Ok(Lock { _beside: file, _itself: lock_itself(path, until).await? })
}

/// Opens the file with the lock. It is its owner's and its group's whose the secret is, whoever makes it: a lock that root made
/// for itself would shut them out.
fn open_beside(beside: &Path, secret: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(beside) {
        Ok(file) => {
            if let Ok(secret) = secret.metadata() {
                // Where that cannot be, it is a lock all the same.
                let _ours = give_to_the_owner(&file, &secret);
            }
            Ok(file)
        }
        // To lock it nothing needs to be written.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::options().write(true).open(beside).or_else(|_| File::open(beside))
        }
        Err(error) => Err(error),
    }
}

/// Waits for a lock; the error within is that there can be none.
async fn wait_for(file: &File, named: &Path, until: Instant) -> Result<io::Result<()>, Problem> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Ok(())),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::new(
                    Exit::TimedOut,
                    format_args!("another process has held {} for a minute", named.display()),
                    "end it and try again",
                ));
            }
            Err(TryLockError::Error(error)) => return Ok(Err(error)),
        }
    }
}

/// Locks the file itself, which may have been replaced by the time that it is free.
#[cfg(unix)]
async fn lock_itself(path: &Path, until: Instant) -> Result<Option<File>, Problem> {
    use std::os::unix::fs::MetadataExt as _;
    loop {
        let Ok(file) = File::open(path) else { return Ok(None) };
        // Some file systems of the network lock only what is open for writing: the one beside has to do.
        if wait_for(&file, path, until).await?.is_err() {
            return Ok(None);
        }
        let is_it = |one: &Metadata, other: &Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        match (file.metadata(), path.metadata()) {
            (Ok(locked), Ok(now)) if !is_it(&locked, &now) => {}
            _ => return Ok(Some(file)),
        }
    }
}

/// A lock there keeps this very process from reading it.
#[cfg(not(unix))]
async fn lock_itself(_: &Path, _: Instant) -> Result<Option<File>, Problem> {
    Ok(None)
}

/// Makes a new file its owner's and its group's whose the old one is. The group may do what it might, unless everybody might
/// read the old one: then that was nobody's choice, and the new one is for its owner alone.
#[cfg(unix)]
fn give_to_the_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    match fchown(file, Some(old.uid()), Some(old.gid())) {
        Ok(()) if old.mode() & 0o007 == 0 => file.set_permissions(Permissions::from_mode(old.mode() & 0o770)),
        Ok(()) => Ok(()),
        // It is in a group that we are not in: ours alone it stays.
        Err(_) if file.metadata()?.uid() == old.uid() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn give_to_the_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Replaces the file in one step: either the old text is in it or the new one, for those who might read the old one, and for
/// its owner alone where there was none. A link is replaced, and what it points to left alone.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A temporary file is made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = path.symlink_metadata()
        && old.is_file()
    {
        give_to_the_owner(file.as_file(), &old)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name is on the disk as well, not only the new text. Where that cannot be, the file is replaced all the same.
    #[cfg(unix)]
    let _late = File::open(folder).and_then(|folder| folder.sync_all());
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

    /// Root refreshes for somebody, and what they share with a group stays so.
    #[cfg(unix)]
    #[test]
    fn r3_whoever_replaces_a_secret_or_locks_it_first_takes_it_from_nobody() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let locked = folder.path().join("token.lock");
        // Only root can give a file away.
        let can_give =
            std::fs::write(&path, "old\n").and_then(|()| chown(&path, Some(65534), Some(8))).is_ok();
        for (mode, kept) in [(0o640, 0o640), (0o660, 0o660), (0o600, 0o600), (0o644, 0o600)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            drop(runtime.block_on(lock(&path)).unwrap());
            replace(&path, "new").unwrap();
            for path in [&path, &locked] {
                let now = std::fs::metadata(path).unwrap();
                assert_eq!(now.mode() & 0o777, kept, "{mode:o} {}", path.display());
                assert!(!can_give || (now.uid(), now.gid()) == (65534, 8), "{}", path.display());
            }
            std::fs::remove_file(&locked).unwrap();
        }
    }

    /// The file is replaced by then. Root may read every folder, and sees no difference.
    #[cfg(unix)]
    #[test]
    fn r3_a_folder_that_cannot_be_brought_to_the_disk_is_no_error() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o300)).unwrap();
        write(&path, "new").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    /// As a file that is mounted in two places: there are two files beside it.
    #[cfg(unix)]
    #[test]
    fn r2_a_file_of_two_names_is_locked_once_and_one_that_is_replaced_meanwhile_again() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        std::fs::write(&one, "old\n").unwrap();
        std::fs::hard_link(&one, &other).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let held = lock(&one).await.unwrap();
            let soon = Duration::from_millis(200);
            let mut waits = std::pin::pin!(lock(&other));
            assert!(tokio::time::timeout(soon, &mut waits).await.is_err());
            // Whoever waited for the old one has the new one.
            replace(&other, "new").unwrap();
            drop(held);
            let has_it = waits.await.unwrap();
            let itself = File::open(&other).unwrap();
            assert!(matches!(itself.try_lock(), Err(TryLockError::WouldBlock)));
            drop(has_it);
            itself.try_lock().unwrap();
        });
    }

    #[test]
    fn what_no_secret_has_in_it_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (text, what) in [
            ("\ns3cret\n".to_owned(), "more than one line"),
            ("s3cret\nanother\n".to_owned(), "more than one line"),
            ("s3cret\0\n".to_owned(), "control character"),
            ("s3\u{1b}cret".to_owned(), "control character"),
            ("s3cret".repeat(1 << 19), "longer than 1 MiB"),
            ("\u{feff}\r\n".to_owned(), "empty"),
        ] {
            std::fs::write(&path, &text).unwrap();
            let problem = read(&path).unwrap_err();
            assert_eq!(problem.exit, Exit::Configuration);
            assert!(problem.what.contains(what) && !problem.what.contains("s3cret"), "{}", problem.what);
        }
        for text in ["\u{feff} s3cr\u{e9}t \r\n", " s3cr\u{e9}t "] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap().as_str(), " s3cr\u{e9}t ");
            assert_eq!(read_token(&path).unwrap().as_str(), "s3cr\u{e9}t");
        }
        std::fs::write(&path, "  \n").unwrap();
        assert_eq!(read_token(&path).unwrap_err().exit, Exit::Configuration);
        // A key has lines.
        std::fs::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(read_text(&path).unwrap().as_str(), "one\ntwo");
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
