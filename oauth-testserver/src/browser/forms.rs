//! Finding the form in a page: tolerant, and no more than our own pages need.

/// A form, as far as a browser has to know it to send it.
pub(super) struct HtmlForm {
    pub(super) post: bool,
    pub(super) action: String,
    /// Names and values of the inputs, hidden or not.
    pub(super) inputs: Vec<(String, String)>,
    /// Names and values of the buttons, of which one is pressed; the name is empty if it has none.
    pub(super) buttons: Vec<(String, String)>,
}

impl HtmlForm {
    /// The first form of a page.
    pub(super) fn first(html: &str) -> Option<Self> {
        let mut form: Option<Self> = None;
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            rest = &rest[start + 1..];
            let (tag, after) = tag(rest);
            rest = after;
            match (&mut form, tag.name.as_str()) {
                (None, "form") => {
                    form = Some(Self {
                        post: tag.value("method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                        action: tag.value("action").unwrap_or_default().to_owned(),
                        inputs: Vec::new(),
                        buttons: Vec::new(),
                    });
                }
                (Some(form), "input") => form.inputs.extend(tag.pair().filter(|(name, _)| !name.is_empty())),
                (Some(form), "button") => form.buttons.extend(tag.pair()),
                (Some(_), "/form") => break,
                _ => {}
            }
        }
        form
    }
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn pair(&self) -> Option<(String, String)> {
        let value = |name| self.value(name).unwrap_or_default().to_owned();
        Some((value("name"), value("value")))
    }
}

/// Takes one tag apart; `text` begins behind its `<`.
fn tag(text: &str) -> (Tag, &str) {
    let name_end = text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len());
    let mut found = Tag { name: text[..name_end].to_ascii_lowercase(), attributes: Vec::new() };
    let mut rest = &text[name_end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '>').unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = attribute_value(after.trim_start());
        }
        if rest.is_empty() {
            return (found, rest);
        }
        if !name.is_empty() {
            found.attributes.push((name, unescape(value)));
        }
    }
}

/// A value, quoted or bare, and what follows it.
fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len()))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::HtmlForm;

    fn pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn the_first_form_is_found() {
        let form = HtmlForm::first(
            "<!doctype html><style>a>b{}</style><input name=outside value=1>\n\
             <FORM method='POST' action=\"/a?b&amp;c\"><input type=hidden name=x value=\"&lt;&amp;quot;&#39;>\" />\
             <input\n name = spaced><input type=text name='y'><button name=p value=1>One</button>\
             <button>Two</button></form><form action=/second><input name=z></form>",
        )
        .unwrap();
        assert!(form.post);
        assert_eq!(form.action, "/a?b&c");
        assert_eq!(pairs(&form.inputs), [("x", "<&quot;'>"), ("spaced", ""), ("y", "")]);
        assert_eq!(pairs(&form.buttons), [("p", "1"), ("", "")]);
    }

    #[test]
    fn broken_pages_end_somewhere() {
        for html in [
            "",
            "<",
            "<form",
            "<form action=\"",
            "<form a=",
            "<form =",
            "<form>",
            "<form><input",
            "<a <b <c",
            "é<é",
        ] {
            assert_eq!(HtmlForm::first(html).is_some(), html.starts_with("<form"), "{html}");
        }
    }
}
