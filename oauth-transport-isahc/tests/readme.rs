//! The table in the README is what the engine says. `TABLE=write cargo test -p oauth-transport-isahc --test readme` writes it.
#![allow(missing_docs, reason = "a test")]

use oauth_transport::{Setting, Support, capability_table};
use oauth_transport_isahc::IsahcTransport;

const BEGIN: &str = "<!-- the table of settings, generated -->\n\n";
const END: &str = "\n<!-- its end -->\n";

#[test]
fn the_readme_has_the_table_of_settings() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let table = capability_table(&[("isahc", &IsahcTransport::supports)]);
    if std::env::var_os("TABLE").is_some_and(|value| value == "write") {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            there, table,
            "the engine says otherwise; see the head of this file for how to write it anew"
        );
    }
}

#[test]
fn what_is_refused_is_refused_for_a_reason_that_names_who_can() {
    for setting in Setting::ALL {
        if let Support::Unsupported(why) = IsahcTransport::supports(*setting) {
            assert!(why.contains("the transport hyper can"), "{setting}: {why}");
        }
    }
}
