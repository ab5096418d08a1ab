//! The pages of the component are made of its tables: `PAGES=write cargo test -p oauth --features component pages`.

use oauth::component::{ConfigGroup, ConfigSetting, ITEMS, Item, ItemKind};
use std::fmt::Write as _;
use std::path::Path;

/// The page, as it is in the source, is this text; or is made so.
fn page(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/component").join(name);
    if std::env::var_os("PAGES").is_some_and(|mode| mode == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    let differs = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == text,
        "{name} is not what the tables say, first at {differs:?}: run this test with PAGES=write"
    );
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;").replace('[', "\\[")
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn name(setting: &ConfigSetting) -> String {
    format!("`{}{}`", setting.name(), if setting.is_indexed() { "[i]" } else { "" })
}

#[test]
fn pages_reference() {
    let mut text = String::from(
        "Every configuration setting: its name, what it takes, its default, what its number counts, what it is, and what it puts at risk.\n\
         \n\
         [`OAuth::config`](crate::OAuth::config) sets one by `Name=Value` and reads it by `Name`, in upper or lower case. A list takes an\n\
         index from 0, as in `FormVarName[0]`. Switches take `true`, `false`, `1` and `0`; a choice takes its number or its word. What\n\
         is empty here is empty by default. The command has the same table as `oauth config list`.\n",
    );
    let mut count = 0;
    for group in ConfigGroup::ALL {
        let title = match group {
            ConfigGroup::OAuth => "The protocol and the embedded web server",
            ConfigGroup::Http => "HTTP and proxies",
            ConfigGroup::Connection => "Connections, sockets and firewalls",
            ConfigGroup::Tls => "TLS",
            other => panic!("{other:?} has no title"),
        };
        writeln!(text, "\n# {title}\n\n| name | takes | default | unit | what it is | danger |\n|---|---|---|---|---|---|").unwrap();
        for setting in group.settings() {
            assert_eq!(setting.group(), *group, "{setting:?}");
            let takes = match setting.form() {
                _ if setting.is_read_only() => {
                    format!("nothing, it is read: {}", setting.form().trim_start_matches("nothing: "))
                }
                form if setting.is_secret() && !form.contains("secret") => {
                    format!("{form}, which is kept secret")
                }
                form => form,
            };
            let about = setting.about();
            assert!(about.ends_with('.'), "{setting:?} is told in sentences");
            let cells = [
                name(setting),
                cell(&takes),
                code(&setting.default()),
                setting.unit().unwrap_or_default().to_owned(),
                cell(about),
                cell(setting.danger().unwrap_or_default()),
            ];
            writeln!(text, "| {} |", cells.join(" | ")).unwrap();
            count += 1;
        }
    }
    assert_eq!(count, 113);
    page("reference.md", &text);
}

/// A link for each of the Rust names of an item.
fn links(item: &Item) -> String {
    let link = |path: &str| {
        let target = match path.split_once("::") {
            Some(("EventHandler", method)) => format!("crate::transport::EventHandler::{method}"),
            _ => format!("crate::component::{path}"),
        };
        let shown = path.strip_prefix("OAuth::").unwrap_or(path);
        format!("[`{shown}`]({target})")
    };
    item.rust.split(", ").map(link).collect::<Vec<_>>().join(", ")
}

/// What the samples set, as `oauth/tests/component` runs it: a block without its braces.
fn sample(block: &str) -> String {
    let lines = block.trim().trim_start_matches("{\n").trim_end_matches('}').lines();
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

/// The page's samples.
fn samples() -> String {
    format!(
        r#"
# A desktop program

The browser opens, the person agrees, and the string goes into a header. Before, that was six assignments and two calls:

```no_run
use oauth::OAuth;

let oauth = OAuth::new();
{}let authorization = oauth.get_authorization()?;
// With any HTTP client: GET https://www.googleapis.com/oauth2/v1/userinfo
let header = ("Authorization", authorization.header_value());
# Ok::<(), oauth::component::ComponentError>(())
```

`openid` is not among the scopes: it asks for an ID token, which the component does not read. `oauth::Authorizer` does.

# A service

Nobody is asked: a key signs an assertion, and the server gives a token for it.

```no_run
use oauth::OAuth;
use oauth::component::ClientProfile;

let oauth = OAuth::new();
{}let authorization = oauth.get_authorization()?;
# Ok::<(), oauth::component::ComponentError>(())
```
"#,
        sample(include_str!("desktop.rs")),
        sample(include_str!("service.rs")),
    )
}

#[test]
fn pages_migration() {
    let mut text = String::from(
        "From the component of old: each of its 204 names, where it is here, and what is other.\n\
         \n\
         Three things hold throughout. A method that can fail gives a `Result`, where there was an exception. What would weaken\n\
         security has to be asked for by a name that says so. And what cannot be done is refused with the reason, never ignored.\n",
    );
    text.push_str(&samples());
    let mut count = 0;
    for (kind, title) in [
        (ItemKind::Profile, "Client profiles"),
        (ItemKind::Grant, "Grant types"),
        (ItemKind::Property, "Properties"),
        (ItemKind::Method, "Methods"),
        (ItemKind::Event, "Events"),
    ] {
        writeln!(text, "\n# {title}\n\n| was | is | note |\n|---|---|---|").unwrap();
        for item in ITEMS.iter().filter(|item| item.kind == kind) {
            // Notes are Markdown already.
            writeln!(text, "| `{}` | {} | {} |", item.name, links(item), item.note).unwrap();
            count += 1;
        }
    }
    text.push_str("\n# Configuration settings\n\nWhat each takes is in the [reference](mod@crate::component::reference).\n\n| was | is | note |\n|---|---|---|\n");
    for setting in ConfigSetting::all() {
        let how = match (setting.is_read_only(), setting.is_indexed()) {
            (true, false) => format!("`config(\"{}\")`", setting.name()),
            (true, true) => format!("`config(\"{}[0]\")`", setting.name()),
            (false, true) => format!("`config(\"{}[0]=…\")`", setting.name()),
            (false, false) => format!("`config(\"{}=…\")`", setting.name()),
        };
        writeln!(text, "| {} | {how} | {} |", name(setting), setting.note().unwrap_or_default()).unwrap();
        count += 1;
    }
    assert_eq!(count, 204);
    page("migration.md", &text);
}
