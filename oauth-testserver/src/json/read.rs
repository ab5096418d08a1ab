//! Reading JSON (RFC 8259), strictly: no member comes twice, and nothing stands behind the value.

/// How deep objects and lists may stand in one another.
const DEPTH: usize = 16;

/// A value that was read.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(f64),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Value {
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        let mut reader = Reader { left: std::str::from_utf8(json).ok()? };
        let value = reader.value(DEPTH)?;
        reader.space();
        reader.left.is_empty().then_some(value)
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

struct Reader<'a> {
    left: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.left = self.left.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Passes over this text, if it is what comes next.
    fn take(&mut self, text: &str) -> Option<()> {
        self.left = self.left.strip_prefix(text)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        match self.left.as_bytes().first()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Value::String),
            b't' => self.take("true").map(|()| Value::Boolean(true)),
            b'f' => self.take("false").map(|()| Value::Boolean(false)),
            b'n' => self.take("null").map(|()| Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members: Vec<(String, Value)> = Vec::new();
        self.take("{")?;
        self.space();
        if self.take("}").is_some() {
            return Some(Value::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            // RFC 7515 section 4 and RFC 7519 section 4: names MUST be unique
            if members.iter().any(|(other, _)| *other == name) {
                return None;
            }
            self.space();
            self.take(":")?;
            members.push((name, self.value(depth)?));
            self.space();
            if self.take("}").is_some() {
                return Some(Value::Object(members));
            }
            self.take(",")?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut values = Vec::new();
        self.take("[")?;
        self.space();
        if self.take("]").is_some() {
            return Some(Value::Array(values));
        }
        loop {
            values.push(self.value(depth)?);
            self.space();
            if self.take("]").is_some() {
                return Some(Value::Array(values));
            }
            self.take(",")?;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            match self.character()? {
                '"' => return Some(text),
                '\\' => text.push(match self.character()? {
                    plain @ ('"' | '\\' | '/') => plain,
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => self.escaped()?,
                    _ => return None,
                }),
                // RFC 8259 section 7: control characters MUST be escaped
                '\0'..='\u{1f}' => return None,
                plain => text.push(plain),
            }
        }
    }

    fn character(&mut self) -> Option<char> {
        let mut characters = self.left.chars();
        let character = characters.next()?;
        self.left = characters.as_str();
        Some(character)
    }

    /// What four digits mean, or twice four for a character beyond them.
    fn escaped(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take("\\u")?;
        let second = self.unit()?.checked_sub(0xdc00).filter(|second| *second < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.character()?.to_digit(16)?))
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.left.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)));
        let (number, left) = self.left.split_at(end.unwrap_or(self.left.len()));
        let digits = number.strip_prefix('-').unwrap_or(number);
        let (whole, rest) = digits.split_at(digits.find(['.', 'e', 'E']).unwrap_or(digits.len()));
        // RFC 8259 section 6; the rest of its grammar is what Rust reads, save for a point without digits
        let strict = whole.bytes().all(|byte| byte.is_ascii_digit())
            && !whole.is_empty()
            && (whole == "0" || !whole.starts_with('0'))
            && rest.strip_prefix('.').is_none_or(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        self.left = left;
        number.parse().ok().filter(|number: &f64| strict && number.is_finite()).map(Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn what_is_json_is_read() {
        let read = Value::read(
            br#" {"a": ["x", 1, -2.5e1, true, false, null, {}, []], "b\u00e9\ud83d\ude00": "\"\\\/\b\f\n\r\t"} "#,
        )
        .unwrap();
        let Some(Value::Array(values)) = read.member("a") else { panic!("{read:?}") };
        assert_eq!(values[0].text(), Some("x"));
        assert_eq!(
            values.iter().filter_map(Value::number).collect::<Vec<_>>(),
            [1.0, -25.0],
            "a number is a number"
        );
        assert_eq!(
            values[3..],
            [
                Value::Boolean(true),
                Value::Boolean(false),
                Value::Null,
                Value::Object(Vec::new()),
                Value::Array(Vec::new())
            ]
        );
        let odd = read.member("b\u{e9}\u{1f600}").and_then(Value::text);
        assert_eq!(odd, Some("\"\\/\u{8}\u{c}\n\r\t"));
        assert_eq!(read.member("c"), None);
    }

    #[test]
    fn what_is_not_json_is_not() {
        let deep = "[".repeat(17) + &"]".repeat(17);
        for bad in [
            "",
            "{",
            "{}}",
            "{} {}",
            "{\"a\":1,}",
            "[1,]",
            "{\"a\":1,\"a\":2}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e999",
            "--1",
            "NaN",
            "inf",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\u12\"",
            "\"\n\"",
            "\"a",
            "tru",
            "nul",
            &deep,
        ] {
            assert_eq!(Value::read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Value::read(b"\"\xff\""), None);
        assert!(Value::read(&deep.as_bytes()[1..33]).is_some());
    }
}
