//! The contract of every transport, on isahc, on an executor of the test's choice.

use oauth_transport::contract::Engine;
use oauth_transport::{Setting, Settings, SettingsError, Support, Transport};
use oauth_transport_isahc::IsahcTransport;
use std::marker::PhantomData;

/// Anything that drives a future to its end.
pub(crate) trait Executor {
    fn block_on<T>(future: impl Future<Output = T>) -> T;
}

pub(crate) struct Isahc<E>(PhantomData<E>);

impl<E: Executor> Engine for Isahc<E> {
    fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError> {
        Ok(Box::new(IsahcTransport::new(settings)?))
    }

    fn supports(setting: Setting) -> Support {
        IsahcTransport::supports(setting)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        E::block_on(future)
    }
}

/// The cases of the contract that hold for isahc: all but six.
///
/// The others are in `isahc.rs` and `connections.rs`, where each is asserted as what libcurl does instead:
/// - `not_http_is_told`: broken chunks cannot be told from a broken connection (`broken_chunks_are_a_broken_connection`,
///   and the rest of the case in `other_nonsense_is_not_http`);
/// - `extra_root_is_trusted`: extra roots alone are refused when the transport is made (`extra_roots_alone_are_refused`),
///   and of roots of one name OpenSSL finds the right one by its identifier (`extra_roots_are_trusted_beside_each_other`);
/// - `digest_is_answered_to_a_proxy_that_is_sent_the_request`: libcurl would send a request with a body twice, the first time
///   without it (`a_body_is_not_left_out_to_be_asked_for_digest`, and for one without a body
///   `digest_proves_the_password_and_does_not_tell_it`);
/// - `http_2_connection_takes_several_requests_at_once`: here each has a connection of its own
///   (`requests_of_http_2_at_once_have_a_connection_each`);
/// - `lines_of_a_head_are_as_long_as_they_may_be`: isahc keeps the words of the first line to itself
///   (`a_line_of_a_head_may_be_as_long_as_is_set`, of every other line);
/// - `refusal_by_the_proxy_is_told`: isahc keeps the status to itself (`refusal_by_the_proxy_is_told_without_its_status`).
macro_rules! contract_tests {
    ($executor:ty) => {
        engine::contract_tests! { @cases $executor:
            // What arrives, and what comes back.
            get_arrives_as_described
            post_arrives_as_described
            t12_nothing_is_added
            user_agent_is_as_set
            every_status_comes_back
            every_header_comes_back
            bodies_come_back_however_they_are_framed
            encoded_bodies_are_not_decoded
            t1_redirects_are_not_followed
            challenges_are_not_answered
            // Redirects that a session follows.
            t1_no_credential_follows_a_redirect_to_another_server
            plain_documents_follow_redirects
            redirects_never_lead_from_https_to_http
            what_a_session_adds_reaches_the_server
            // Limits.
            body_of_the_limit_comes_back
            t4_body_over_the_limit_is_refused
            endless_body_is_cut_off
            huge_head_is_refused
            t4_floods_are_refused_in_little_memory
            silent_server_runs_into_the_total_timeout
            dripping_head_runs_into_the_total_timeout
            dripping_body_runs_into_the_total_timeout
            silent_handshake_runs_into_the_connect_timeout
            silence_runs_into_the_inactivity_timeout
            steady_bytes_keep_a_request_alive
            total_timeout_can_be_taken_away
            connecting_is_no_silence
            bytes_move_as_fast_as_they_may
            // Versions of HTTP.
            http_1_0_is_spoken_where_it_is_set
            each_request_has_a_connection_where_it_is_set
            body_goes_in_chunks_where_it_is_set
            http_2_is_spoken_where_the_server_chooses_it
            http_2_alone_is_spoken_or_nothing
            headers_are_kept_out_of_the_index
            dropping_the_future_closes_what_is_half_made
            dropping_the_future_sends_no_more_of_the_request
            t10_http_2_connection_shows_one_certificate
            // Events.
            request_is_told_step_by_step
            connection_is_told_once
            failed_connection_is_told
            way_through_a_proxy_is_told
            firewall_and_proxy_are_logged
            request_from_inside_a_handler_is_refused
            // TCP.
            connections_come_from_the_local_address
            connections_come_from_the_local_port
            addresses_are_of_the_family_that_is_set
            connections_end_as_they_are_told
            sockets_are_told_what_is_set
            // Faults.
            refused_connection_is_told_and_nothing_delivered
            unknown_name_is_told_and_nothing_delivered
            closed_before_the_response_is_told
            reset_before_the_response_is_told
            closed_in_the_head_is_told
            t5_short_body_is_told
            missing_last_chunk_is_told
            half_closed_connection_serves_no_other
            interim_responses_do_not_count
            endless_interim_responses_end
            t5_faults_at_any_byte_are_told
            t5_faults_at_any_byte_of_chunks_are_told
            t5_faults_at_any_byte_of_tls_are_told
            faults_in_the_middle_of_a_long_request_are_told
            // Connections.
            sequential_requests_share_a_connection
            each_server_has_connections_of_its_own
            one_shot_requests_go_through_one_after_another
            connection_closed_while_idle_does_not_matter
            dead_connection_costs_no_second_copy
            closed_connection_is_not_used_again
            dropping_the_future_closes_the_connection
            many_requests_at_once_keep_apart
            // Giving up.
            giving_up_after_any_poll_leaves_nothing
            giving_up_at_any_time_leaves_nothing
            giving_up_at_any_step_sends_nothing_more
            giving_up_while_connecting_leaves_nothing
            interrupt_ends_a_call_at_once
            // TLS.
            t3_unknown_issuer_is_refused
            another_extra_root_does_not_help
            wrong_host_is_refused
            expired_certificate_is_refused
            certificate_of_the_future_is_refused
            old_tls_is_refused
            server_without_tls_is_refused
            broken_handshake_is_told_and_nothing_delivered
            truncated_tls_body_is_told
            whole_tls_body_needs_no_close_notify
            t10_client_certificate_that_is_not_held_is_refused
            settings_that_trust_nobody_are_refused
            unreadable_root_is_refused
            // Client certificates.
            client_certificate_is_shown_to_servers_that_ask
            named_client_certificate_is_shown_where_it_is_named
            sessions_of_one_certificate_serve_no_other
            client_certificate_is_not_left_out_over_plain_http
            client_key_that_cannot_be_used_is_refused
            client_keys_of_each_kind_are_used
            servers_with_keys_of_rsa_are_served
            client_key_in_a_token_is_asked_to_sign
            client_key_in_a_token_signs_as_the_server_takes_it
            client_key_in_a_token_of_another_certificate_is_told
            client_key_in_a_token_that_gives_no_signature_is_told
            client_key_in_a_token_that_cannot_fit_is_refused
            // Settings of TLS.
            tls_versions_are_as_set
            cipher_suites_of_tls_1_2_are_as_set
            cipher_suites_of_tls_1_3_are_as_set
            cipher_suites_that_there_are_not_are_refused
            cipher_strength_is_as_set
            groups_are_as_set
            groups_that_there_are_not_are_refused
            signature_algorithms_are_as_set
            signature_algorithms_hold_for_their_version
            sessions_are_taken_up_again_or_not
            cipher_lists_of_openssl_are_as_set
            // Servers' certificates that are good enough.
            accepted_flaws_hide_no_other
            accepted_flaws_of_authorities_hide_no_other
            accepted_flaws_are_of_either_date
            accepted_certificate_may_be_as_bad_as_it_likes
            key_is_proved_whatever_is_accepted
            handler_decides_on_certificates_where_it_may
            handler_that_may_refuse_is_shown_every_certificate
            handler_that_panicked_accepts_no_certificate
            handler_is_told_of_certificates
            handler_is_told_of_handshakes
            tls_records_are_logged_by_their_headers
            // Revocation.
            revoked_certificate_is_refused
            revocation_lists_are_fetched_once
            revocation_lists_that_are_given_are_asked
            unreadable_revocation_list_is_refused
            revocation_lists_that_cannot_be_had_count_where_they_are_required
            certificates_above_are_asked_about_too
            revocation_lists_of_strangers_are_not_fetched
            // What is wrong, by name.
            bad_certificates_are_told_apart
            bad_handshakes_are_told_apart
            client_certificates_that_are_missing_or_refused_are_told_apart
            // Proxies.
            t11_environment_is_not_asked_for_proxies
            https_goes_through_a_tunnel
            http_goes_to_a_proxy_on_this_machine_in_absolute_form
            exceptions_go_straight_to_the_server
            unreachable_proxy_is_told
            proxy_is_spoken_to_over_tls
            proxy_that_does_not_speak_http_is_told
            plain_http_goes_through_a_tunnel_where_it_is_set
            socks_proxy_is_told_what_its_scheme_says
            // What proxies are shown.
            digest_is_answered_to_a_proxy
            stale_nonce_of_a_proxy_is_answered_once_more
            digest_ends_where_the_proxy_does_not_believe_it
            authorization_of_ones_own_goes_to_the_proxy_alone
            proxy_is_shown_nothing_where_it_is_set
            proxy_schemes_that_are_not_carried_are_refused
            ntlm_is_spoken_on_one_connection
            ntlm_is_spoken_to_a_proxy_that_is_sent_the_request
            ntlm_ends_where_the_proxy_does_not_keep_to_it
            negotiate_without_a_ticket_shows_nothing
            // Proxies that fail.
            proxy_that_dies_before_the_tunnel_is_used_is_told
            proxy_that_dies_in_a_body_is_told
            page_in_place_of_a_tunnel_is_told
            proxy_that_goes_round_in_circles_is_told
            redirects_in_a_circle_end
            // Firewalls.
            socks4_firewall_is_told_an_address
            socks4a_firewall_is_told_a_name
            socks5_firewall_is_told_who_and_where
            https_goes_through_a_firewall
            tunnelling_firewall_is_told_who_and_where
            refusal_by_a_firewall_is_told
            firewall_lies_under_the_proxy
            plain_http_does_not_leave_this_machine_for_a_firewall
        }
    };
    (@cases $executor:ty: $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                oauth_transport::contract::$case::<engine::Isahc<$executor>>();
            }
        )+

        /// A case that is new in the suite has to come here as well.
        #[test]
        fn no_case_is_left_out() {
            let here = [
                $(stringify!($case),)+
                "not_http_is_told",
                "digest_is_answered_to_a_proxy_that_is_sent_the_request",
                "extra_root_is_trusted",
                "http_2_connection_takes_several_requests_at_once",
                "lines_of_a_head_are_as_long_as_they_may_be",
                "refusal_by_the_proxy_is_told",
            ];
            let suite = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-transport/src/contract.rs"));
            let (_, cases) = suite.split_once("@cases $engine:").expect("the suite lists its cases");
            let there = cases.lines().map(str::trim).take_while(|line| *line != "}");
            let missing: Vec<_> =
                there.filter(|line| !line.is_empty() && !line.starts_with("//") && !here.contains(line)).collect();
            assert!(missing.is_empty(), "these cases of the suite do not run here: {missing:?}");
        }
    };
}
pub(crate) use contract_tests;
