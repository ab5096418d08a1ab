//! The page that the person sees: one small file, fixed text, no script, nothing from the request.

use crate::text;

/// Which of its texts the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Success,
    Failure,
    AlreadyUsed,
    NotOurs,
    Neutral,
}

impl Page {
    /// The page as HTML. The application's name is escaped.
    pub(crate) fn html(self, application: Option<&str>) -> String {
        let name = application.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("the program");
        let name = text::for_html(name);
        let text = self.text();
        let (title, class, mark) = (text.title, text.class, text.mark);
        let body = text.body.replace("{name}", &name);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n\
             <body>\n<main class=\"{class}\">\n<p class=\"mark\" aria-hidden=\"true\">{mark}</p>\n\
             <h1>{title}</h1>\n<p>{body}</p>\n</main>\n</body>\n</html>\n"
        )
    }

    const fn text(self) -> Text {
        match self {
            Self::Success => Text {
                class: "good",
                mark: "&#10003;",
                title: "You are signed in",
                body: "You can close this tab and return to {name}.",
            },
            Self::Failure => Text {
                class: "bad",
                mark: "&#10007;",
                title: "The sign-in did not work",
                body: "Return to {name}: it says what went wrong and what to do. You can close this tab.",
            },
            Self::AlreadyUsed => Text {
                class: "plain",
                mark: "&#8635;",
                title: "This answer has been used already",
                body: "It works only once. Return to {name}: it says how the sign-in ended. \
                       You can close this tab.",
            },
            Self::NotOurs => Text {
                class: "plain",
                mark: "&#8212;",
                title: "This is not the sign-in that is expected here",
                body: "Nothing was done. It may be an old tab, which you can close. \
                       To sign in, use the address that {name} shows.",
            },
            Self::Neutral => Text {
                class: "plain",
                mark: "&#8594;",
                title: "Your answer has arrived",
                body: "Return to {name}: it says how the sign-in ends. You can close this tab.",
            },
        }
    }
}

struct Text {
    class: &'static str,
    mark: &'static str,
    title: &'static str,
    body: &'static str,
}

/// The style, which the page's policy admits by this very text: [`STYLE_SHA256`] changes with it.
const STYLE: &str = "\
:root{color-scheme:light dark;--back:#f4f5f7;--card:#fff;--ink:#1c2024;--soft:#5a6069;--line:#e1e4e8;\
--tone:#5a6069;--tint:#eceef1}\
.good{--tone:#176b3a;--tint:#e2f3e8}.bad{--tone:#a62b1f;--tint:#fbe7e4}\
@media(prefers-color-scheme:dark){:root{--back:#121417;--card:#1b1e23;--ink:#eceef1;--soft:#a3abb6;--line:#2c3138;\
--tone:#a3abb6;--tint:#272b31}\
.good{--tone:#74d69c;--tint:#173425}.bad{--tone:#ff9d90;--tint:#42201c}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1.25rem;\
background:var(--back);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;\
-webkit-text-size-adjust:100%}\
main{width:100%;max-width:26rem;padding:2.25rem 1.75rem;text-align:center;background:var(--card);\
border:1px solid var(--line);border-radius:1rem;overflow-wrap:anywhere}\
.mark{width:3.5rem;height:3.5rem;margin:0 auto 1.25rem;border-radius:50%;display:grid;place-items:center;\
background:var(--tint);color:var(--tone);font-size:1.6rem;line-height:1}\
h1{margin:0 0 .6rem;font-size:1.35rem;line-height:1.3;font-weight:650;text-wrap:balance}\
p{margin:0;color:var(--soft);text-wrap:pretty}";

/// The SHA-256 of [`STYLE`] in base64. A test computes it again.
pub(crate) const STYLE_SHA256: &str = "xJqYc5Wbfzh8UKxTqcG9ift7Z8pXJPUTJCF6YkqUpGM=";

#[cfg(test)]
mod tests {
    use super::{Page, STYLE, STYLE_SHA256};
    use base64::Engine as _;
    use sha2::Digest as _;

    const ALL: [Page; 5] = [Page::Success, Page::Failure, Page::AlreadyUsed, Page::NotOurs, Page::Neutral];

    #[test]
    fn lb_22_the_policy_admits_this_style() {
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(STYLE));
        assert_eq!(STYLE_SHA256, hash);
    }

    #[test]
    fn lb_22_nothing_is_loaded_and_nothing_runs() {
        for page in ALL {
            let html = page.html(None);
            for forbidden in ["<script", "http:", "https:", "//", "style=", "onload", "@import", "url("] {
                assert!(!html.contains(forbidden), "{page:?} holds {forbidden}");
            }
            assert_eq!(html.matches("href=").count(), 1, "the icon alone: {html}");
            assert!(html.contains(r#"<link rel="icon" href="data:,">"#));
            assert!(html.len() < 4096, "{page:?} has {} bytes", html.len());
        }
    }

    #[test]
    fn lb_21_the_application_is_named_and_escaped() {
        let html = Page::Success.html(Some("<img src=x onerror=alert(1)>"));
        assert!(html.contains("return to &lt;img src=x onerror=alert(1)&gt;."), "{html}");
        assert!(!html.contains("<img"));
        assert!(Page::Success.html(Some(" ")).contains("return to the program."));
    }

    #[test]
    fn each_state_says_another_thing() {
        let pages: std::collections::BTreeSet<_> = ALL.map(|page| page.html(None)).into_iter().collect();
        assert_eq!(pages.len(), ALL.len());
        for page in ALL {
            let html = page.html(None);
            assert!(html.contains("prefers-color-scheme:dark") && html.contains("width=device-width"));
        }
    }
}
