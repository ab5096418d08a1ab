//! Lines of any length, a bounded part of which is kept.

use super::kind::Kind;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::io::{self, BufRead};

/// The longest line that is a case: a body of 1 MiB, which is the largest that a client reads, and what goes with it.
pub(super) const MAX_LINE: usize = 2 << 20;

/// Reads line by line.
pub(super) struct Lines<R>(R);

/// One line, without its end.
pub(super) enum Line {
    Whole(Vec<u8>),
    /// Longer than is read: what of it stands at its beginning.
    TooLong {
        name: Option<String>,
        kind: Option<Kind>,
    },
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self(reader)
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut any = false;
        let mut too_long = false;
        loop {
            let bytes = self.0.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            any = true;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, used) = end.map_or((bytes, bytes.len()), |end| (&bytes[..end], end + 1));
            let room = MAX_LINE - line.len();
            too_long |= part.len() > room;
            line.extend_from_slice(&part[..part.len().min(room)]);
            self.0.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(match (any, too_long) {
            (false, _) => None,
            (true, false) => Some(Line::Whole(line)),
            (true, true) => {
                let mut head = Head::default();
                // It breaks off, of course: what came before that counts.
                let _broken = serde_json::Deserializer::from_slice(&line).deserialize_map(&mut head);
                Some(Line::TooLong { name: head.name, kind: head.kind })
            }
        })
    }
}

/// What the beginning of a line tells.
#[derive(Default)]
struct Head {
    name: Option<String>,
    kind: Option<Kind>,
}

impl<'de> Visitor<'de> for &mut Head {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a case")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(member) = members.next_key::<&str>()? {
            match member {
                "name" => self.name = Some(members.next_value()?),
                "kind" => self.kind = Kind::from_name(members.next_value()?),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_passed_over_and_its_name_is_not_lost() {
        let long =
            format!("{{\"name\":\"big\",\"kind\":\"callback\",\"body\":\"{}\"}}", "x".repeat(MAX_LINE));
        let text = format!("{{}}\n{long}\n\nlast");
        let mut lines = Lines::new(text.as_bytes());
        assert!(matches!(lines.next().unwrap(), Some(Line::Whole(line)) if line == b"{}"));
        let Some(Line::TooLong { name, kind }) = lines.next().unwrap() else { panic!("it is too long") };
        assert_eq!((name.as_deref(), kind), (Some("big"), Some(Kind::Callback)));
        assert!(matches!(lines.next().unwrap(), Some(Line::Whole(line)) if line.is_empty()));
        assert!(matches!(lines.next().unwrap(), Some(Line::Whole(line)) if line == b"last"));
        assert!(lines.next().unwrap().is_none());
    }
}
