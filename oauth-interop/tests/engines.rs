//! Both HTTP engines through servers and proxies that nobody here wrote.
//!
//! A case is written once, as a function of the engine, and its name stands once in a list below. A case whose settings an
//! engine does not carry shows that the engine says so before anything is sent; on the day it carries them, the same case
//! goes through the peer.
#![allow(missing_docs, reason = "these are tests")]

#[path = "engines/http.rs"]
mod http_cases;
#[path = "engines/peers.rs"]
mod peers;
#[path = "engines/proxies.rs"]
mod proxies;
#[path = "engines/socks.rs"]
mod socks;
#[path = "engines/subject.rs"]
mod subject;
#[path = "engines/tls.rs"]
mod tls;

macro_rules! on_each_engine {
    ($($group:ident: $($case:ident)+;)+) => {
        mod hyper {
            $(mod $group { $(#[test] fn $case() { crate::$group::$case::<crate::subject::Hyper>(); })+ })+
        }

        mod isahc {
            $(mod $group { $(#[test] fn $case() { crate::$group::$case::<crate::subject::Isahc>(); })+ })+
        }
    };
}

on_each_engine! {
    http_cases:
        each_method_arrives
        redirects_are_not_followed
        nothing_is_compressed_unless_asked
        a_slow_body_runs_into_the_total_timeout
        a_server_that_hangs_up_is_told
        a_busy_server_is_heard
        requests_share_a_connection
        http_2_is_spoken_where_it_is_set;
    tls:
        a_server_of_a_trusted_root_is_spoken_to
        each_version_is_spoken
        one_version_alone
        an_old_version_is_refused
        an_unknown_root_is_refused
        an_expired_certificate_is_refused
        a_certificate_for_another_name_is_refused
        a_self_signed_certificate_is_refused
        a_self_signed_certificate_can_be_trusted_as_a_root
        a_revoked_certificate_passes_unless_lists_are_asked
        a_revoked_certificate_is_refused_where_lists_are_asked
        a_list_is_fetched_where_the_certificate_says
        a_server_that_wants_a_certificate_answers_400
        a_client_certificate_is_shown
        a_client_certificate_can_be_named_by_the_request
        a_bad_client_certificate_is_refused_by_the_server
        a_session_is_taken_up_again_unless_that_is_off;
    proxies:
        squid_takes_a_password
        squid_refuses_a_wrong_password
        squid_refuses_who_says_nothing
        squid_refuses_a_host
        squid_passes_plain_http_on
        squid_is_spoken_to_over_tls
        squid_of_an_unknown_root_is_not_spoken_to
        digest_is_spoken
        digest_outlives_a_nonce
        digest_refuses_a_wrong_password
        digest_is_chosen_where_both_are_offered
        basic_is_not_what_a_proxy_wants_that_asks_for_digest
        ntlm_is_spoken
        ntlm_shows_the_password_without_telling_it
        ntlm_refuses_a_wrong_password
        a_ticket_is_shown
        the_service_that_is_named_is_asked_for
        tinyproxy_takes_a_password
        tinyproxy_refuses_a_wrong_password
        tinyproxy_refuses_who_says_nothing
        a_bad_server_behind_a_proxy_is_the_server_s_fault;
    socks:
        dante_lets_everybody_in_by_each_version
        dante_takes_a_password
        dante_refuses_a_wrong_password
        dante_refuses_who_says_nothing
        microsocks_takes_a_password
        microsocks_refuses_a_wrong_password
        microsocks_connects_to_nobody
        names_are_resolved_where_the_scheme_says
        openssh_speaks_each_version
        a_socks_firewall_is_gone_through
        a_socks_firewall_takes_a_password
        a_tunnelling_firewall_is_gone_through
        a_proxy_is_reached_through_a_firewall;
}
