//! The page that the person sees: one small file, fixed text, nothing from the request.

mod assets;

use crate::text;
pub(crate) use assets::{HAND_OVER, STYLE_SHA256};
use assets::{SCRUB, SCRUB_AND_CLOSE, STYLE, Script};

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
        let Text { class, mark, title, body } = self.text();
        let name = Name::new(application);
        let body = body.replace("{name}", &name.in_text);
        let script = self.script().text;
        // A line breaks after a hyphen, and "sign-" at its end reads badly.
        let heading = title.replace('-', "&#8209;");
        document(
            title,
            &format!(
                "<main class=\"{class}\">\n{}{}<h1>{heading}</h1>\n<p>{body}</p>\n</main>\n<script>{script}</script>",
                svg(mark),
                name.above,
            ),
        )
    }

    /// What runs on it.
    pub(crate) const fn script(self) -> &'static Script {
        match self {
            Self::Success => &SCRUB_AND_CLOSE,
            Self::Failure | Self::AlreadyUsed | Self::NotOurs | Self::Neutral => &SCRUB,
        }
    }

    const fn text(self) -> Text {
        match self {
            Self::Success => Text {
                class: "good",
                mark: "<path d=\"M4.5 12.5l5 5 10-11\"/>",
                title: "You are signed in",
                body: "You can close this tab and return to {name}.",
            },
            Self::Failure => Text {
                class: "bad",
                mark: "<path d=\"M6 6l12 12M18 6L6 18\"/>",
                title: "The sign-in did not work",
                body: "Return to {name}: it says what went wrong and what to do. You can close this tab.",
            },
            Self::AlreadyUsed => Text {
                class: "plain",
                mark: "<path d=\"M20 12a8 8 0 1 1-2.6-5.9M20 3v5h-5\"/>",
                title: "This answer has been used already",
                body: "It works only once. Return to {name}: it says how the sign-in ended. \
                       You can close this tab.",
            },
            Self::NotOurs => Text {
                class: "plain",
                mark: "<path d=\"M9 9a3 3 0 1 1 4.2 2.7c-.8.4-1.2 1-1.2 1.9v.4M12 18.5v.01\"/>",
                title: "This is not the sign-in that is expected here",
                body: "Nothing was done. It may be an old tab. You can close this tab. \
                       To sign in, use the address that {name} shows.",
            },
            Self::Neutral => Text {
                class: "plain",
                mark: "<path d=\"M4 12h15M13 6l6 6-6 6\"/>",
                title: "Your answer has arrived",
                body: "Return to {name}: it says how the sign-in ends. You can close this tab.",
            },
        }
    }
}

/// The page between a redirect with a fragment and the end of the login: its script posts the fragment to this path.
pub(crate) fn hand_over(application: Option<&str>, path: &str) -> String {
    let name = Name::new(application);
    let (mark, above, name) =
        (svg("<path class=\"turn\" d=\"M12 4a8 8 0 1 1-8 8\"/>"), &name.above, &name.in_text);
    let paste = format!("copy the address of this page, all of it, and paste it into {name}.");
    document(
        "One moment",
        &format!(
            "<main class=\"plain\">\n{mark}{above}<div class=\"wait\" role=\"status\">\n<h1>One moment</h1>\n\
             <p class=\"way\">Your answer is on its way to {name}.</p>\n\
             <noscript><p>Without JavaScript your answer does not get there by itself: {paste}</p></noscript>\n</div>\n\
             <div class=\"gone\" role=\"alert\">\n<h1>The answer did not get through</h1>\n\
             <p>It may be that {name} waits no more. If it does, {paste}</p>\n</div>\n</main>\n\
             <script data-to=\"{}\">{}</script>",
            text::for_html(path),
            HAND_OVER.text,
        ),
    )
}

struct Text {
    class: &'static str,
    mark: &'static str,
    title: &'static str,
    body: &'static str,
}

/// What the program calls itself, escaped.
struct Name {
    /// Over the title, where there is a name.
    above: String,
    in_text: String,
}

impl Name {
    fn new(application: Option<&str>) -> Self {
        match application.map(str::trim).filter(|name| !name.is_empty()).map(text::for_html) {
            Some(name) => Self { above: format!("<p class=\"app\">{name}</p>\n"), in_text: name },
            None => Self { above: String::new(), in_text: "the program".to_owned() },
        }
    }
}

fn svg(mark: &str) -> String {
    format!("<svg class=\"mark\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">{mark}</svg>\n")
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n\
         <body>\n{body}\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::assets::{SCRUB, SCRUB_AND_CLOSE, STYLE};
    use super::{HAND_OVER, Page, STYLE_SHA256, hand_over};
    use base64::Engine as _;
    use sha2::Digest as _;

    const ALL: [Page; 5] = [Page::Success, Page::Failure, Page::AlreadyUsed, Page::NotOurs, Page::Neutral];

    fn pages(application: Option<&str>) -> Vec<String> {
        let built_in = ALL.iter().map(|page| page.html(application));
        built_in.chain([hand_over(application, "/callback/t0")]).collect()
    }

    #[test]
    fn lb_22_the_policy_admits_this_style_and_these_scripts() {
        for (text, hash) in [
            (STYLE, STYLE_SHA256),
            (SCRUB.text, SCRUB.sha256),
            (SCRUB_AND_CLOSE.text, SCRUB_AND_CLOSE.sha256),
            (HAND_OVER.text, HAND_OVER.sha256),
        ] {
            assert_eq!(hash, base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text)));
            assert!(
                pages(None).iter().any(|page| page.contains(&format!(">{text}</"))),
                "{text} is on no page"
            );
        }
    }

    #[test]
    fn lb_22_nothing_is_loaded_from_anywhere() {
        for html in pages(None) {
            for forbidden in ["http:", "https:", "//", "style=", "onload", "@import", "url(", "src="] {
                assert!(!html.contains(forbidden), "{forbidden} in {html}");
            }
            assert_eq!(html.matches("href=").count(), 1, "the icon alone: {html}");
            assert_eq!(html.matches("<script").count(), 1, "{html}");
            assert!(html.contains(r#"<link rel="icon" href="data:,">"#));
            assert!(html.len() < 6144, "{} bytes", html.len());
        }
    }

    #[test]
    fn lb_21_the_application_is_named_and_escaped() {
        for html in pages(Some("<img src=x onerror=alert(1)>")) {
            assert!(html.contains(r#"<p class="app">&lt;img src=x onerror=alert(1)&gt;</p>"#), "{html}");
            assert!(!html.contains("<img"));
        }
        assert!(Page::Success.html(Some("<b>")).contains("return to &lt;b&gt;."));
        let nameless = Page::Success.html(Some(" "));
        assert!(nameless.contains("return to the program.") && !nameless.contains(r#"class="app""#));
        assert!(hand_over(None, "/a&b'/t").contains(r#"data-to="/a&amp;b&#39;/t""#));
    }

    #[test]
    fn lb_23_the_address_bar_is_scrubbed_on_every_page_that_stays() {
        for page in ALL {
            assert!(
                page.html(None).contains("history.replaceState(null,\"\",location.pathname)"),
                "{page:?}"
            );
        }
        // The page between is replaced by the one that stays; until then the address may have to be copied.
        assert!(hand_over(None, "/t").contains("location.replace(to)"));
    }

    #[test]
    fn lb_24_the_text_tells_to_close_and_success_alone_tries_to() {
        for page in ALL {
            let html = page.html(None);
            assert!(html.to_lowercase().contains("you can close this tab"), "{page:?}");
            assert!(!html.contains("<button") && !html.contains("onclick"), "{page:?}");
            assert_eq!(html.contains("window.close()"), page == Page::Success, "{page:?}");
        }
        assert!(!hand_over(None, "/t").contains("window.close()"));
    }

    #[test]
    fn each_state_says_another_thing() {
        let pages = pages(None);
        assert_eq!(pages.iter().collect::<std::collections::BTreeSet<_>>().len(), pages.len());
        for html in pages {
            assert!(html.contains("prefers-color-scheme:dark") && html.contains("width=device-width"));
            assert!(html.contains("<html lang=\"en\">") && html.contains("prefers-reduced-motion"));
        }
    }
}
