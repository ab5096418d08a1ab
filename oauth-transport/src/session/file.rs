//! A file that responses are written to.

use super::refused;
use oauth_core::Unreachable;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that the body of each call's last response is written to, as it was decoded.
///
/// It is opened before anything is sent; where it cannot be, nothing is. A new one can be read by its owner alone, since
/// the body of a token response holds the tokens. A write that fails is told as an error event, and the response is still
/// handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseFile {
    path: PathBuf,
    append: bool,
}

impl ResponseFile {
    /// A file that each response replaces.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), append: false }
    }

    /// Keeps what is in the file, and adds each response at its end.
    #[must_use]
    pub fn appending(mut self) -> Self {
        self.append = true;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open(&self) -> Result<Open, Unreachable> {
        let mut options = OpenOptions::new();
        options.create(true).append(self.append).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let why = match self.waits_for_a_reader() {
            true => "it is a pipe, which waits until somebody reads".to_owned(),
            false => match options.open(&self.path) {
                Ok(file) => return Ok(Open { file, append: self.append }),
                Err(error) => error.to_string(),
            },
        };
        Err(refused(&format!(
            "the response's file {} cannot be written ({why}); name another one",
            self.path.display()
        )))
    }

    /// Whether opening it for writing would wait for a reader.
    fn waits_for_a_reader(&self) -> bool {
        #[cfg(unix)]
        return std::fs::metadata(&self.path)
            .is_ok_and(|about| std::os::unix::fs::FileTypeExt::is_fifo(&about.file_type()));
        #[cfg(not(unix))]
        return false;
    }
}

/// The file, with what was in it: a call that fails leaves it as it was.
pub(super) struct Open {
    file: File,
    append: bool,
}

impl Open {
    pub(super) fn write(&mut self, body: &[u8]) -> io::Result<()> {
        if !self.append {
            self.file.set_len(0)?;
        }
        self.file.write_all(body)?;
        self.file.flush()
    }
}
