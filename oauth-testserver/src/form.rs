//! `application/x-www-form-urlencoded`, read strictly and written.

/// Why bytes are not a form; there is nothing more to tell than that.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The parameters of a query or of a body, in their order.
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, Malformed> {
        encoded
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let at = pair.iter().position(|byte| *byte == b'=');
                let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
                let name = decode(name)?;
                if name.is_empty() { Err(Malformed) } else { Ok((name, decode(value)?)) }
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }

    /// The value, if it is there once and says something.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        let value = values.next()?;
        // RFC 6749 section 3.1: parameters sent without a value are treated as if they were omitted
        (values.next().is_none() && !value.is_empty()).then_some(value)
    }

    /// The first name that is there more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names()
            .enumerate()
            .find(|(at, name)| names().take(*at).any(|other| other == *name))
            .map(|(_, name)| name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Decodes one name or value: `+` is a space, `%` takes two hexadecimal digits, and nothing raw is a space, a control
/// character or outside ASCII.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, Malformed> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit().ok_or(Malformed)?, digit().ok_or(Malformed)?);
                u8::try_from(high * 16 + low).map_err(|_| Malformed)?
            }
            b'!'..=b'~' => byte,
            _ => return Err(Malformed),
        });
    }
    String::from_utf8(decoded).map_err(|_| Malformed)
}

/// Writes parameters so that every reader agrees: all but the unreserved characters of RFC 3986 becomes `%XX`.
pub(crate) fn encode<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode_one(name.as_ref()), encode_one(value.as_ref())))
        .collect();
    pairs.join("&")
}

fn encode_one(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_decoded() {
        let form = Form::parse(b"a=1&b=x+y%2Bz%C3%A9&empty=&flag&eq=a=b").unwrap();
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.value("b"), Some("x y+z\u{e9}"));
        assert_eq!(form.value("eq"), Some("a=b"));
        for absent in ["empty", "flag", "other"] {
            assert_eq!(form.value(absent), None, "{absent}");
        }
        assert_eq!(form.repeated(), None);
        assert_eq!(form.names().collect::<Vec<_>>(), ["a", "b", "empty", "flag", "eq"]);
    }

    #[test]
    fn a_repeated_parameter_has_no_value() {
        let form = Form::parse(b"a=1&b=2&a=").unwrap();
        assert_eq!(form.value("a"), None);
        assert_eq!(form.repeated(), Some("a"));
    }

    #[test]
    fn what_is_not_a_form_is_refused() {
        for bad in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"a=%+1",
            b"a=b c",
            b"a=\x00",
            b"a=\xc3\xa9",
            b"a=%ff",
            b"=x",
            b"a=\n",
        ] {
            assert_eq!(Form::parse(bad).err(), Some(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let odd = "a b+c%&=\u{e9}\r\n\"<>:/?#[]@!$'()*,;~";
        let written = encode(&[("x", odd), (odd, "y")]);
        assert!(
            written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%&=".contains(&byte)),
            "{written}"
        );
        let form = Form::parse(written.as_bytes()).unwrap();
        assert_eq!(form.value("x"), Some(odd));
        assert_eq!(form.value(odd), Some("y"));
    }
}
