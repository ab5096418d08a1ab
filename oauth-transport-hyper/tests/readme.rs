//! The table in the README is what the engine says. `TABLE=write cargo test -p oauth-transport-hyper --features http2,negotiate,ntlm --test readme` writes it.
#![allow(missing_docs, reason = "a test")]
#![cfg(all(feature = "http2", feature = "negotiate", feature = "ntlm", unix))]

use oauth_transport::{Setting, Support, capability_table};
use oauth_transport_hyper::HyperTransport;

const BEGIN: &str = "<!-- the table of settings, generated -->\n\n";
const END: &str = "\n<!-- its end -->\n";

#[test]
fn the_readme_has_the_table_of_settings() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let table = capability_table(&[("hyper", &HyperTransport::supports)]);
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
fn at_most_twelve_settings_are_refused_each_for_a_reason() {
    let refused: Vec<_> = Setting::ALL
        .iter()
        .filter_map(|setting| match HyperTransport::supports(*setting) {
            Support::Unsupported(why) => Some((setting, why)),
            _ => None,
        })
        .collect();
    assert!(refused.len() <= 12, "{refused:?}");
    assert!(refused.iter().all(|(_, why)| why.len() > 20), "{refused:?}");
}
