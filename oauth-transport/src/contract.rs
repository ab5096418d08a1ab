//! The contract of a transport as tests: run them over any engine with `contract_tests!`.
//!
//! Each case starts its own servers, on threads of their own and on free loopback ports: they speak raw bytes, so that they
//! can do what no real server does. Nothing outside this machine is asked, save that one case looks up a name that does
//! not exist.
//!
//! ```
//! use oauth_transport::contract::Engine;
//! use oauth_transport::{Setting, Settings, SettingsError, Support, Transport};
//!
//! struct Mine;
//!
//! impl Engine for Mine {
//!     fn transport(_: Settings) -> Result<Box<dyn Transport>, SettingsError> {
//!         // Ok(Box::new(MyTransport::new(settings)?))
//!         Err(SettingsError::NoRoots)
//!     }
//!
//!     fn supports(_: Setting) -> Support {
//!         // MyTransport::supports(setting)
//!         Support::Unsupported("there is no engine yet")
//!     }
//!
//!     fn block_on<T>(future: impl Future<Output = T>) -> T {
//!         // What the transport's futures need: a runtime, or just a thread that polls.
//!         let mut future = std::pin::pin!(future);
//!         let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//!         loop {
//!             if let std::task::Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
//!                 return outcome;
//!             }
//!         }
//!     }
//! }
//!
//! oauth_transport::contract_tests!(Mine);
//! # fn main() {}
//! ```

mod bad_tls;
mod cancellation;
mod client_certificates;
mod client_signers;
mod connections;
mod decisions;
mod events;
mod exchange;
mod faults;
mod faulty;
mod firewalls;
mod flaws;
mod floods;
mod http2;
mod limits;
mod proxied;
mod proxy_auth;
mod proxy_faults;
mod proxy_rounds;
mod redirects;
mod revocation;
mod secure;
mod server;
mod session;
mod subject;
mod sweep;
mod tcp;
mod timeouts;
mod tls;
mod tls_settings;
mod versions;

pub use bad_tls::*;
pub use cancellation::*;
pub use client_certificates::*;
pub use client_signers::*;
pub use connections::*;
pub use decisions::*;
pub use events::*;
pub use exchange::*;
pub use faults::*;
pub use firewalls::*;
pub use flaws::*;
pub use floods::*;
pub use limits::*;
pub use proxied::*;
pub use proxy_auth::*;
pub use proxy_faults::*;
pub use proxy_rounds::*;
pub use redirects::*;
pub use revocation::*;
pub use secure::*;
pub use session::*;
pub use sweep::*;
pub use tcp::*;
pub use timeouts::*;
pub use tls_settings::*;
pub use versions::*;

use crate::{Setting, Settings, SettingsError, Support, Transport};

/// How the suite makes and drives the transport under test.
pub trait Engine {
    /// Makes a transport.
    ///
    /// # Errors
    /// What the transport's own constructor says.
    fn transport(settings: Settings) -> Result<Box<dyn Transport>, SettingsError>;

    /// What the engine says to a setting.
    fn supports(setting: Setting) -> Support;

    /// Drives a future to its end, with whatever runtime the transport needs.
    fn block_on<T>(future: impl Future<Output = T>) -> T;
}

/// Emits one `#[test]` for each case of the contract, over the given [`Engine`].
#[macro_export]
macro_rules! contract_tests {
    ($engine:ty) => {
        $crate::contract_tests! { @cases $engine:
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
            lines_of_a_head_are_as_long_as_they_may_be
            // Versions of HTTP.
            http_1_0_is_spoken_where_it_is_set
            each_request_has_a_connection_where_it_is_set
            body_goes_in_chunks_where_it_is_set
            http_2_is_spoken_where_the_server_chooses_it
            http_2_alone_is_spoken_or_nothing
            http_2_connection_takes_several_requests_at_once
            headers_are_kept_out_of_the_index
            t10_http_2_connection_shows_one_certificate
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
            not_http_is_told
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
            dropping_the_future_closes_what_is_half_made
            dropping_the_future_sends_no_more_of_the_request
            many_requests_at_once_keep_apart
            // Giving up.
            giving_up_after_any_poll_leaves_nothing
            giving_up_at_any_time_leaves_nothing
            giving_up_at_any_step_sends_nothing_more
            giving_up_while_connecting_leaves_nothing
            interrupt_ends_a_call_at_once
            // TLS.
            extra_root_is_trusted
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
            client_keys_of_each_kind_are_used
            client_key_that_cannot_be_used_is_refused
            client_key_in_a_token_is_asked_to_sign
            client_key_in_a_token_signs_as_the_server_takes_it
            client_key_in_a_token_of_another_certificate_is_told
            client_key_in_a_token_that_gives_no_signature_is_told
            client_key_in_a_token_that_cannot_fit_is_refused
            // Settings of TLS.
            tls_versions_are_as_set
            cipher_suites_of_tls_1_2_are_as_set
            cipher_suites_of_tls_1_3_are_as_set
            cipher_lists_of_openssl_are_as_set
            cipher_suites_that_there_are_not_are_refused
            cipher_strength_is_as_set
            groups_are_as_set
            groups_that_there_are_not_are_refused
            servers_with_keys_of_rsa_are_served
            signature_algorithms_are_as_set
            signature_algorithms_hold_for_their_version
            sessions_are_taken_up_again_or_not
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
            proxy_is_spoken_to_over_tls
            exceptions_go_straight_to_the_server
            refusal_by_the_proxy_is_told
            unreachable_proxy_is_told
            proxy_that_does_not_speak_http_is_told
            plain_http_goes_through_a_tunnel_where_it_is_set
            socks_proxy_is_told_what_its_scheme_says
            // What proxies are shown.
            digest_is_answered_to_a_proxy
            stale_nonce_of_a_proxy_is_answered_once_more
            digest_ends_where_the_proxy_does_not_believe_it
            digest_is_answered_to_a_proxy_that_is_sent_the_request
            authorization_of_ones_own_goes_to_the_proxy_alone
            proxy_is_shown_nothing_where_it_is_set
            proxy_schemes_that_are_not_carried_are_refused
            // Proxies that fail.
            proxy_that_dies_before_the_tunnel_is_used_is_told
            proxy_that_dies_in_a_body_is_told
            page_in_place_of_a_tunnel_is_told
            proxy_that_goes_round_in_circles_is_told
            redirects_in_a_circle_end
            ntlm_is_spoken_on_one_connection
            ntlm_is_spoken_to_a_proxy_that_is_sent_the_request
            ntlm_ends_where_the_proxy_does_not_keep_to_it
            negotiate_without_a_ticket_shows_nothing
            // Firewalls.
            socks4_firewall_is_told_an_address
            socks4a_firewall_is_told_a_name
            socks5_firewall_is_told_who_and_where
            https_goes_through_a_firewall
            tunnelling_firewall_is_told_who_and_where
            refusal_by_a_firewall_is_told
            firewall_lies_under_the_proxy
            plain_http_does_not_leave_this_machine_for_a_firewall
            // Events.
            request_is_told_step_by_step
            connection_is_told_once
            failed_connection_is_told
            way_through_a_proxy_is_told
            firewall_and_proxy_are_logged
            request_from_inside_a_handler_is_refused
        }
    };
    (@cases $engine:ty: $($case:ident)+) => {$(
        #[test]
        fn $case() {
            $crate::contract::$case::<$engine>();
        }
    )+};
}
