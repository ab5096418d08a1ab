//! That each of the 204 names has a test that shows what it does: by its own name, or in the table below.

use std::collections::BTreeSet;

/// The files with tests in which the component itself shows what its names do.
const TESTS: &[&str] = &[
    include_str!("cookies.rs"),
    include_str!("events.rs"),
    include_str!("handshake.rs"),
    include_str!("http2.rs"),
    include_str!("network.rs"),
    include_str!("profiles.rs"),
    include_str!("properties.rs"),
    include_str!("proxy_auth.rs"),
    include_str!("services.rs"),
    include_str!("settings.rs"),
    include_str!("sockets.rs"),
    include_str!("tls.rs"),
    include_str!("transcript.rs"),
    include_str!("way.rs"),
    include_str!("web_server.rs"),
    include_str!("../component_config.rs"),
];

/// Names that are shown together with others. Properties and settings are not among them.
const TOGETHER: &[(&str, &str)] = &[
    ("method add_cookie", "row_cookie_name"),
    ("method add_param", "row_param_count"),
    ("method config", "what_a_setting_reads_it_takes_and_reads_again_whatever_was_set_before"),
    ("method do_events", "queued_events_wait_for_do_events_and_come_on_its_thread"),
    ("method get_authorization", "an_application_opens_the_browser_and_renews_without_it"),
    ("method get_authorization_url", "a_web_site_finishes_in_another_process_what_it_began_in_one"),
    ("method interrupt", "another_thread_interrupts_and_a_second_call_is_told_to_wait"),
    ("method reset", "reset_ends_the_call_wipes_the_secrets_stops_the_server_and_keeps_the_handler"),
    ("method start_web_server", "row_web_server_port"),
    ("method stop_web_server", "row_web_server_port"),
    ("event on_connected", "events_are_told_in_their_order"),
    ("event on_connection_status", "events_are_told_in_their_order"),
    ("event on_disconnected", "events_are_told_in_their_order"),
    ("event on_end_transfer", "events_are_told_in_their_order"),
    ("event on_error", "events_are_told_in_their_order"),
    ("event on_header", "observers_see_everything_without_a_secret_and_cost_nothing_when_they_are_gone"),
    ("event on_launch_browser", "a_handler_empties_the_launch_and_sets_the_page"),
    ("event on_log", "secrets_are_in_the_log_where_that_was_asked_for_by_its_name"),
    ("event on_redirect", "redirects_can_be_refused_and_allowed_one_by_one"),
    ("event on_return_url", "a_handler_empties_the_launch_and_sets_the_page"),
    ("event on_set_cookie", "observers_see_everything_without_a_secret_and_cost_nothing_when_they_are_gone"),
    (
        "event on_ssl_server_authentication",
        "a_handler_refuses_any_certificate_and_accepts_bad_ones_where_it_may",
    ),
    ("event on_ssl_status", "events_are_told_in_their_order"),
    ("event on_start_transfer", "events_are_told_in_their_order"),
    ("event on_status", "observers_see_everything_without_a_secret_and_cost_nothing_when_they_are_gone"),
    ("event on_transfer", "observers_see_everything_without_a_secret_and_cost_nothing_when_they_are_gone"),
    ("profile cfApplication", "an_application_opens_the_browser_and_renews_without_it"),
    ("profile cfWebServer", "a_web_site_finishes_in_another_process_what_it_began_in_one"),
    ("profile cfDevice", "a_device_polls_no_faster_than_the_server_asks_for"),
    ("profile cfMobile", "a_mobile_app_is_told_the_address_and_nothing_is_opened"),
    ("profile cfBrowser", "a_program_in_a_browser_has_no_secret_and_is_handed_what_came_back"),
    ("profile cfJWT", "a_service_signs_with_a_key_of_each_kind_of_store"),
    ("grant ogtAuthorizationCode", "an_application_opens_the_browser_and_renews_without_it"),
    ("grant ogtImplicit", "an_application_takes_a_token_from_the_fragment_and_is_warned"),
    ("grant ogtPassword", "a_password_is_sent_once_and_the_rule_that_it_breaks_is_told"),
    ("grant ogtClientCredentials", "row_grant_type"),
];

/// A name without what the ways of writing it differ in.
fn bare(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

#[test]
fn each_of_the_204_names_has_a_test_that_shows_what_it_does() {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let tests: BTreeSet<_> = TESTS
        .iter()
        .flat_map(|text| text.split("#[test]\n").skip(1))
        .filter_map(|rest| rest.split("fn ").nth(1)?.split(|c| !is_of_name(c)).next())
        .collect();
    let rows: BTreeSet<_> = tests
        .iter()
        .filter_map(|name| Some(bare(name.strip_prefix("row_")?.trim_end_matches("_on_the_wire"))))
        .collect();
    let is_shown = |item: &str| {
        let (kind, name) = item.split_once(' ').expect("a kind and a name");
        match kind {
            "property" | "setting" => rows.contains(&bare(name.trim_end_matches("[i]"))),
            _ => TOGETHER.iter().any(|(known, test)| *known == item && tests.contains(test)),
        }
    };
    let missing: Vec<_> = super::NAMES.lines().filter(|item| !is_shown(item)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
