//! Text from the peer, before it reaches a terminal or a page.

/// At most this much of a peer's text is shown.
const SHOWN: usize = 100;

/// What may be written to a terminal: short, and nothing that moves the cursor or turns the text around.
pub(crate) fn for_terminal(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !turns_text(*c)).take(SHOWN).collect()
}

/// What may stand between tags.
pub(crate) fn for_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Marks that reorder what follows, so that a line reads as something else.
const fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, for_html, for_terminal};

    #[test]
    fn lb_21_a_terminal_sees_no_control_characters() {
        assert_eq!(for_terminal("a\x1b[2Jb\r\nc\u{9b}d\u{202e}e"), "a[2Jbcde");
        assert_eq!(for_terminal(&"x".repeat(1000)).len(), SHOWN);
    }

    #[test]
    fn lb_21_a_page_sees_no_markup() {
        assert_eq!(for_html("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
