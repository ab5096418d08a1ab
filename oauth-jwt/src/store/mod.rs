//! Certificate stores: keys and certificates, from whatever holds them.
//!
//! `kind` has the kinds and their numbers, `sniff` tells one from another, `entry` is what is in a store and `assemble`
//! puts keys and certificates together, `subject` finds an entry by its name. A file for each family of formats: `pkcs12`,
//! `java`, `pem` (private keys; DER as well), `public` (public keys and certificates), `pkcs7`, `ssh`, `ppk`, `xml`, `jwk`;
//! `token` speaks to what keeps its keys. Below them `certificate`, `wire` (how SSH writes numbers and texts) and `numbers`
//! (a private key from its numbers).

mod assemble;
mod certificate;
mod entry;
mod error;
mod java;
mod jwk;
mod kind;
mod numbers;
mod pem;
mod pkcs12;
mod pkcs7;
mod ppk;
mod public;
mod sniff;
mod ssh;
mod subject;
#[cfg(feature = "pkcs11")]
pub(crate) mod token;
mod wire;
mod xml;

pub use entry::Entry;
pub use error::StoreError;
pub use kind::StoreKind;

use kind::{Format, Place};
use oauth_core::Password;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// How much is read of a file.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How many keys and certificates there may be in it.
const MAX_ENTRIES: usize = 1000;
/// How long a path may be.
const MAX_PATH: usize = 4096;
/// How long the Base64 of a private key is, at least.
const SHORTEST_KEY: usize = 40;

/// Keys and certificates from one place, each key parsed once.
///
/// Nothing is verified: not who signed a certificate, nor whether it has expired. The copies made while a store is read
/// are wiped where they hold a private key.
///
/// ```
/// use oauth_jwt::{CertificateStore, StoreKind};
///
/// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/p256.pkcs8.pem"));
/// let store = CertificateStore::read(StoreKind::Auto, pem, None)?;
/// let key = store.take("*")?.into_signing_key()?;
/// # assert_eq!(key.algorithm(), oauth_core::Algorithm::ES256);
/// # Ok::<(), oauth_jwt::StoreError>(())
/// ```
#[derive(Debug)]
pub struct CertificateStore {
    kind: StoreKind,
    entries: Vec<Entry>,
}

impl CertificateStore {
    /// Opens the store that `locator` tells: a path for the kinds that are files; for the others the contents, or the
    /// contents as Base64. [`StoreKind::Auto`] takes either.
    ///
    /// For [`StoreKind::SecurityKey`] it is the path of a PKCS#11 module, or a URI of RFC 7512 with `module-path`, and `token`
    /// and `object` to choose by; the password is the PIN. The module is a library that this process loads: take its name
    /// from nobody else. Each signature is made in the token, which the caller waits for.
    ///
    /// A file is read by blocking I/O, 16 MiB of it at most; [`read`](Self::read) does none. A path has to be UTF-8.
    ///
    /// # Errors
    /// The file cannot be read, or as `read`; there is no store of the system that is supported.
    pub fn open(
        kind: StoreKind,
        locator: impl AsRef<[u8]>,
        password: Option<&Password>,
    ) -> Result<Self, StoreError> {
        let locator = locator.as_ref();
        match kind.place() {
            Place::File(_) => Self::read(kind, &*file(locator)?, password),
            Place::Auto if is_path(locator) => {
                let contents = file(locator)?;
                let contents = unarmored(&contents);
                let format = sniff::format(contents.bytes())?;
                Self::of(format.file(), format, contents.bytes(), password)
            }
            #[cfg(feature = "pkcs11")]
            Place::Token => Ok(Self { kind, entries: token::open(kind, locator, password)? }),
            #[cfg(not(feature = "pkcs11"))]
            Place::Token => Err(StoreError::FeatureDisabled("pkcs11")),
            Place::System | Place::Blob(_) | Place::Auto => Self::read(kind, locator, password),
        }
    }

    /// Reads the contents of a store, or their Base64, without any I/O.
    ///
    /// # Errors
    /// The contents are not of this kind, not whole, or too many; the password is missing or wrong; or the one key in them
    /// is protected in a way that is not known. Where there are several keys, one that cannot be used is told when it is
    /// asked for.
    pub fn read(
        kind: StoreKind,
        contents: impl AsRef<[u8]>,
        password: Option<&Password>,
    ) -> Result<Self, StoreError> {
        let contents = contents.as_ref();
        if contents.len() as u64 > MAX_BYTES {
            return Err(StoreError::TooLarge);
        }
        let contents = unarmored(contents);
        let contents = contents.bytes();
        match kind.place() {
            Place::System => Err(StoreError::NoSystemStore { kind }),
            Place::Token => {
                Err(StoreError::Malformed { kind, why: "it is opened by its module, and has no contents" })
            }
            Place::File(format) | Place::Blob(format) => Self::of(kind, format, contents, password),
            Place::Auto => {
                let format = sniff::format(contents)?;
                Self::of(format.blob(), format, contents, password)
            }
        }
    }

    fn of(
        kind: StoreKind,
        format: Format,
        contents: &[u8],
        password: Option<&Password>,
    ) -> Result<Self, StoreError> {
        let entries = match format {
            Format::Pkcs12 => pkcs12::read(kind, contents, password),
            Format::Jks => java::read(kind, contents, password),
            Format::PrivateKeys => pem::read(kind, contents, password),
            Format::PublicKeys => public::read(kind, contents),
            Format::Ssh => ssh::read(kind, contents),
            Format::Pkcs7 => pkcs7::read(kind, contents),
            Format::Ppk => ppk::read(kind, contents, password),
            Format::Xml => xml::read(kind, contents),
            Format::Jwk => jwk::read(kind, contents),
        };
        match entries {
            Ok(entries) if entries.len() > MAX_ENTRIES => Err(StoreError::TooManyEntries),
            Ok(entries) => Ok(Self { kind, entries }),
            Err(StoreError::Malformed { kind: asked, why }) => match sniff::format(contents) {
                Ok(found) if found != format => Err(StoreError::OtherKind { asked, found: found.blob() }),
                Ok(_) | Err(_) => Err(StoreError::Malformed { kind: asked, why }),
            },
            Err(other) => Err(other),
        }
    }

    /// What kind of store it is: never [`StoreKind::Auto`], but what that turned out to be.
    #[must_use]
    pub const fn kind(&self) -> StoreKind {
        self.kind
    }

    /// What is in it, in its order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All of its entries, to keep.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// The entry of this subject or label.
    ///
    /// An entry whose whole subject or label it is comes first, then one of whose it is a part, in upper or lower case; `*`
    /// is any. Among several, the first that has a private key is taken. In a subject the names stand in either order, and
    /// a value with commas is quoted: `CN=my-app,O="Acme, Inc."`.
    ///
    /// # Errors
    /// There is none: the error names what there is.
    pub fn find(&self, subject: &str) -> Result<&Entry, StoreError> {
        subject::find(&self.entries, subject).map(|at| &self.entries[at])
    }

    /// The same entry, to keep, of a store that is not needed any more.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn take(mut self, subject: &str) -> Result<Entry, StoreError> {
        subject::find(&self.entries, subject).map(|at| self.entries.swap_remove(at))
    }
}

/// Whether a locator that may be anything is the path of a file: what is recognized as contents is none.
fn is_path(locator: &[u8]) -> bool {
    // PEM that is cut is not recognized.
    let pem = || locator.windows(10).any(|window| window == b"-----BEGIN");
    let contents = || pem() || sniff::format(unarmored(locator).bytes()).is_ok();
    locator.len() <= MAX_PATH && !locator.iter().any(u8::is_ascii_control) && !contents()
}

/// A path that is none may be a key, or a part of one: it is not shown.
fn file(locator: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let no_path = StoreError::Unrecognized { why: "where a path is due are contents, or what is no text" };
    let Some(name) = str::from_utf8(locator).ok().filter(|_| is_path(locator)) else { return Err(no_path) };
    let path = Path::new(name);
    let failed = |cause| StoreError::File { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Err(_) if locator.len() >= SHORTEST_KEY && locator.iter().all(is_base64) => return Err(no_path),
        opened => opened.map_err(failed)?,
    };
    // Room for all of it: a `Vec` that grows leaves an unwiped copy behind.
    let length = file.metadata().map_err(failed)?.len().min(MAX_BYTES);
    let mut contents = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 32));
    file.take(MAX_BYTES + 1).read_to_end(&mut contents).map_err(failed)?;
    if contents.len() as u64 > MAX_BYTES { Err(StoreError::TooLarge) } else { Ok(contents) }
}

/// Contents as they are, or out of their Base64.
enum Contents<'a> {
    Plain(&'a [u8]),
    Decoded(Zeroizing<Vec<u8>>),
}

impl Contents<'_> {
    fn bytes(&self) -> &[u8] {
        let bytes = match self {
            Self::Plain(bytes) => bytes,
            Self::Decoded(bytes) => &***bytes,
        };
        // What Windows writes before UTF-8.
        bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
    }
}

/// No format that is read has characters of Base64 alone, save in that very armor.
fn unarmored(contents: &[u8]) -> Contents<'_> {
    if contents.is_empty() || !contents.iter().all(is_base64) {
        return Contents::Plain(contents);
    }
    crate::pem::decode(contents).map_or(Contents::Plain(contents), Contents::Decoded)
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/= \t\r\n".contains(byte)
}
