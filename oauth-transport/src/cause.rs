//! The one line that says what a transport knows.

use std::error::Error;
use std::fmt::{self, Write as _};

/// What a transport knows about a failure, as one line that a person can act on.
///
/// Made for [`Unreachable::because`](oauth_core::Unreachable::because). Text that a server had a hand in is safe for a
/// terminal: what is not printable is escaped, and it ends after 300 characters.
pub struct Cause {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Cause {
    /// A line of the transport's own. It must hold no secret.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { text: one_line(text.as_ref()), source: None }
    }

    /// Adds the engine's own error, for whoever walks [`source`](Error::source). Its text must hold no secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cause").field("text", &self.text).field("source", &self.source).finish()
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

const LONGEST: usize = 300;

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST {
            line.push('…');
            break;
        }
        if is_printable(character) {
            line.push(character);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(line, "{}", character.escape_unicode());
        }
    }
    line
}

/// Neither a control character nor one that reorders or hides its neighbours (CWE-150).
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let cause = Cause::new("for \u{1b}[2Jevil\n\u{202e}moc.elpmaxe");
        assert_eq!(cause.to_string(), "for \\u{1b}[2Jevil\\u{a}\\u{202e}moc.elpmaxe");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(Cause::new("é".repeat(10_000)).to_string().chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_engine_s_error_is_the_source() {
        let cause = Cause::new("refused").with_source(fmt::Error);
        assert!(cause.source().is_some_and(|source| source.is::<fmt::Error>()));
        assert!(Cause::new("refused").source().is_none());
    }
}
