//! Finds an entry by a name that a person wrote.

use super::entry::Entry;
use super::error::StoreError;

/// How many names an error keeps.
const KEPT: usize = 10;

pub(super) fn find(entries: &[Entry], asked: &str) -> Result<usize, StoreError> {
    let parts = parts(asked);
    let part = parts.join(", ").to_lowercase();
    let whole = |entry: &Entry| {
        let own = self::parts(entry.subject());
        // RFC 4514 begins with the name that comes last in the certificate; many tools do not.
        entry.label() == Some(asked) || own == parts || own.iter().rev().eq(&parts)
    };
    let holds = |entry: &Entry| {
        let label = entry.label().unwrap_or_default().to_lowercase();
        let subject = self::parts(entry.subject()).join(", ").to_lowercase();
        asked == "*" || subject.contains(&part) || label.contains(&asked.to_lowercase())
    };
    first(entries, whole).or_else(|| first(entries, holds)).ok_or_else(|| StoreError::CertificateNotFound {
        subject: asked.to_owned(),
        there: entries.iter().take(KEPT).map(name).collect(),
    })
}

/// The first that fits and has a private key, or else the first that fits.
fn first(entries: &[Entry], fits: impl Fn(&Entry) -> bool) -> Option<usize> {
    let mut fitting = (0..entries.len()).filter(|at| fits(&entries[*at]));
    let first = fitting.next()?;
    Some(std::iter::once(first).chain(fitting).find(|at| entries[*at].has_private_key()).unwrap_or(first))
}

fn name(entry: &Entry) -> String {
    let name = if entry.subject().is_empty() { entry.label().unwrap_or_default() } else { entry.subject() };
    name.to_owned()
}

/// The names of a subject, without their quotes and escapes (RFC 4514 section 2.4, and the older RFC 1779).
fn parts(subject: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in subject.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '"' => {
                quoted = !quoted;
                continue;
            }
            ',' if !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}
