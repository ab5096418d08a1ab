//! Trust roots in files.

use crate::settings::SettingsError;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// More than any bundle of roots has.
const LONGEST: u64 = 16 << 20;

type Cause = Box<dyn Error + Send + Sync>;

/// The certificates of a file: PEM, or one as DER.
pub(super) fn of_file(path: &Path) -> Result<Vec<Vec<u8>>, SettingsError> {
    let roots = read(path).and_then(|bytes| certificates(&bytes)).map_err(|cause| refuse(path, cause))?;
    if roots.is_empty() {
        return Err(refuse(path, "it holds no certificate"));
    }
    Ok(roots)
}

/// The certificates of the files in a folder, in the order of the files' names.
pub(super) fn of_folder(path: &Path) -> Result<Vec<Vec<u8>>, SettingsError> {
    let entries =
        path.read_dir().and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut files: Vec<_> = entries.map_err(|error: io::Error| refuse(path, error))?;
    files.sort();
    let mut roots = Vec::new();
    for file in files.into_iter().filter(|file| file.is_file()) {
        let found =
            read(&file).and_then(|bytes| certificates(&bytes)).map_err(|cause| refuse(&file, cause))?;
        for root in found {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
    }
    if roots.is_empty() {
        return Err(refuse(path, "none of its files holds a certificate"));
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err("it is too long for a file of certificates".into());
    }
    Ok(bytes)
}

fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Cause> {
    let roots: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .map(|root| root.map(|root| root.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| "its PEM text is broken")?;
    if roots.is_empty() && is_certificate(bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    Ok(roots)
}

/// Whether a file is one DER value that begins as a certificate does, and neither a key nor a revocation list: with the
/// version of what is signed (RFC 5280 section 4.1).
fn is_certificate(bytes: &[u8]) -> bool {
    let Some(([], signed_and_more)) = sequence(bytes).map(|(content, rest)| (rest, content)) else {
        return false;
    };
    sequence(signed_and_more).is_some_and(|(signed, _)| signed.starts_with(&[0xa0, 3, 2, 1]))
}

/// The content of a DER sequence, and what follows it.
fn sequence(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.strip_prefix(&[0x30])?.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(length.into());
    }
    let (length, rest) =
        rest.split_at_checked(usize::from(length & 0x7f)).filter(|(length, _)| length.len() <= 4)?;
    rest.split_at_checked(length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

fn refuse(path: &Path, cause: impl Into<Cause>) -> SettingsError {
    SettingsError::RootsFile { path: path.to_owned(), cause: cause.into() }
}

#[cfg(test)]
mod tests {
    use crate::{Settings, SettingsError};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use std::fs;
    use std::path::PathBuf;

    /// What a certificate begins with, with this in the place of its serial number.
    fn der(serial: u8) -> Vec<u8> {
        vec![0x30, 0x0a, 0x30, 0x08, 0xa0, 3, 2, 1, 2, 2, 1, serial]
    }

    fn pem(serial: u8) -> String {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            BASE64_STANDARD.encode(der(serial))
        )
    }

    /// A folder of its own, gone at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
            let path = std::env::temp_dir().join(format!("oauth-roots-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("a folder.pem")).unwrap();
            for (name, content) in files {
                fs::write(path.join(name), content).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn roots(settings: &Settings) -> Vec<Vec<u8>> {
        settings.extra_roots().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn files_are_pem_or_der() {
        let both = format!("{}text between them\n{}", pem(1), pem(2));
        let folder = Folder::new("files", &[("both.pem", both.as_bytes()), ("one.der", &der(3))]);
        let settings = Settings::new().with_extra_roots_file(folder.0.join("both.pem")).unwrap();
        let settings = settings.with_extra_roots_file(folder.0.join("one.der")).unwrap();
        assert_eq!(roots(&settings), [der(1), der(2), der(3)]);
    }

    #[test]
    fn folders_give_each_certificate_once() {
        let list = [0x30, 7, 0x30, 5, 2, 1, 1, 2, 0];
        let folder = Folder::new(
            "folder",
            &[
                ("2c543cd1.0", pem(2).as_bytes()),
                ("again.pem", pem(2).as_bytes()),
                ("first.crt", &der(1)),
                ("list.crl", &list),
                ("README", b"Not a certificate."),
                ("key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            ],
        );
        let settings = Settings::new().with_extra_roots_folder(&folder.0).unwrap();
        assert_eq!(roots(&settings), [der(2), der(1)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let cut = pem(1).replace("-----END CERTIFICATE-----\n", "");
        let folder = Folder::new("bad", &[("cut.pem", cut.as_bytes()), ("none.pem", b"Nothing.")]);
        for (result, place, why) in [
            (
                Settings::new().with_extra_roots_file(folder.0.join("none.pem")),
                "none.pem",
                "holds no certificate",
            ),
            (Settings::new().with_extra_roots_file(folder.0.join("cut.pem")), "cut.pem", "broken"),
            (Settings::new().with_extra_roots_file(folder.0.join("gone.pem")), "gone.pem", ""),
            (Settings::new().with_extra_roots_folder(folder.0.join("gone")), "gone", ""),
            (Settings::new().with_extra_roots_folder(&folder.0), "cut.pem", "broken"),
            (
                Settings::new().with_extra_roots_folder(folder.0.join("a folder.pem")),
                "a folder.pem",
                "none of its",
            ),
        ] {
            let error = result.unwrap_err();
            let SettingsError::RootsFile { path, .. } = &error else { panic!("{error:?}") };
            assert!(path.ends_with(place) && error.to_string().contains(why), "{error}");
        }
    }
}
