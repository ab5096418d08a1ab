//! The services that are asked beside the server: Office 365 discovery, and about a token.

use super::witness::{TOKENS, Witness, client_credentials, read, set};
use oauth::Error;
use oauth::OAuth;
use oauth::component::ComponentError;

/// What becomes of these settings without a server that knows; with how many requests.
fn office365(capability: &str, version: &str) -> (Result<String, ComponentError>, usize) {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    set(
        &oauth,
        &[
            &format!("Office365ServiceCapability={capability}"),
            &format!("Office365ServiceAPIVersion={version}"),
        ],
    );
    let result = oauth.get_authorization().map(|_| read(&oauth, "Office365ServiceEndpoint"));
    (result, witness.heard().len())
}

#[test]
fn row_office365_service_capability() {
    for (capability, path) in [
        ("Mail", "me/messages"),
        ("calendar", "me/events"),
        ("Contacts", "me/contacts"),
        ("MyFiles", "me/drive"),
        ("RootSite", "sites/root"),
    ] {
        let (endpoint, requests) = office365(capability, "");
        assert_eq!((endpoint.unwrap(), requests), (format!("https://graph.microsoft.com/v1.0/{path}"), 1));
    }
    let (retired, requests) = office365("Directory", "");
    let retired = retired.unwrap_err();
    assert!(matches!(&retired, ComponentError::DiscoveryRetired { .. }), "{retired}");
    assert!(retired.to_string().contains("ended the discovery service"), "{retired}");
    assert_eq!(requests, 0, "nobody was asked for a token that leads nowhere");
}

#[test]
fn row_office365_service_api_version() {
    for (version, shown) in [("v1.0", "v1.0"), ("v2.0", "v1.0"), ("beta", "beta")] {
        assert_eq!(
            office365("Mail", version).0.unwrap(),
            format!("https://graph.microsoft.com/{shown}/me/messages")
        );
    }
    assert!(matches!(office365("Mail", "v9").0, Err(ComponentError::DiscoveryRetired { .. })));
}

#[test]
fn row_office365_service_endpoint() {
    assert_eq!(office365("", "v1.0").0.unwrap(), "", "nothing is looked for");
    // That of one service is not that of the next, which is not known.
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    set(&oauth, &["Office365ServiceCapability=Mail"]);
    oauth.get_authorization().unwrap();
    assert_ne!(read(&oauth, "Office365ServiceEndpoint"), "");
    set(&oauth, &["Office365ServiceCapability=Directory"]);
    oauth.get_authorization().unwrap_err();
    assert_eq!(read(&oauth, "Office365ServiceEndpoint"), "");
    assert!(matches!(
        OAuth::new().config("Office365ServiceEndpoint=x"),
        Err(ComponentError::ReadOnly { .. })
    ));
}

#[test]
fn office365_s_own_protocol_is_spoken_to_a_server_that_is_named() {
    let services = |uri: &str| {
        format!(
            r#"{{"value":[
                {{"capability":"Calendar","serviceApiVersion":"v2.0","serviceEndpointUri":"https://a.example/"}},
                {{"capability":"Mail","serviceApiVersion":"v1.0","serviceEndpointUri":"https://b.example/"}},
                {{"Capability":"Mail","ServiceApiVersion":"v2.0","ServiceEndpointUri":"{uri}"}}]}}"#
        )
    };
    for (status, answer, good) in [
        (200, services("https://outlook.example/api/v2.0"), true),
        (200, services("http://outlook.example/api/v2.0"), false),
        (200, r#"{"value":[]}"#.to_owned(), false),
        (403, "{}".to_owned(), false),
        (200, "gone".to_owned(), false),
    ] {
        let witness = Witness::start(move |heard| match heard.line.starts_with("GET") {
            true => (status, answer.clone()),
            false => (200, TOKENS.to_owned()),
        });
        let oauth = client_credentials(&witness);
        set(&oauth, &["Office365ServiceCapability=Mail", "Office365ServiceAPIVersion=v2.0"]);
        oauth.set_office365_discovery_url(format!("{}/discovery/v1.0/me/services", witness.url));
        let result = oauth.get_authorization();
        let asked = &witness.heard()[1];
        assert_eq!(asked.line, "GET /discovery/v1.0/me/services HTTP/1.1");
        assert!(asked.head.to_ascii_lowercase().contains("authorization: bearer at-1"), "{}", asked.head);
        assert_eq!(result.is_ok(), good, "{result:?}");
        let found = read(&oauth, "Office365ServiceEndpoint");
        assert_eq!(found, if good { "https://outlook.example/api/v2.0" } else { "" });
        if !good {
            let refused = result.unwrap_err();
            assert!(
                matches!(&refused, ComponentError::Refused { name: "Office365ServiceEndpoint", .. }),
                "{refused}"
            );
        }
        // Whatever became of it, the tokens are there, and what the properties show is what came with them.
        assert_eq!((oauth.access_token().expose(), oauth.refresh_token().expose()), ("at-1", "rt-1"));
        assert_eq!(oauth.param_name(0).unwrap(), "access_token");
    }
    let plain = client_credentials(&Witness::of_tokens());
    set(&plain, &["Office365ServiceCapability=Mail"]);
    plain.set_office365_discovery_url("http://discovery.example/");
    assert!(matches!(plain.get_authorization(), Err(ComponentError::Refused { .. })));
}

/// A component that has asked about a token.
fn informed() -> (Witness, OAuth) {
    let answer = r#"{"aud":"client","scope":"read","expires_in":60,"nested":{"a":1}}"#;
    let witness = Witness::start(move |_| (200, answer.to_owned()));
    let oauth = witness.component();
    set(&oauth, &[&format!("TokenInfoURL={}/tokeninfo", witness.url), "ValidateToken=at-9"]);
    (witness, oauth)
}

#[test]
fn row_token_info_url() {
    let (witness, oauth) = informed();
    assert!(witness.only().line.starts_with("GET /tokeninfo?"));
    for (wrong, lacking) in [("", true), ("http://as.example/tokeninfo", false)] {
        set(&oauth, &[&format!("TokenInfoURL={wrong}")]);
        match oauth.config("ValidateToken=at-9") {
            Err(ComponentError::Setup(_)) => assert!(lacking),
            Err(ComponentError::OAuth(Error::Config(_))) => {
                assert!(!lacking, "it is not for everybody to read")
            }
            other => panic!("{wrong}: {other:?}"),
        }
    }
    assert_eq!(witness.heard().len(), 1);
}

#[test]
fn row_token_info_field_count() {
    assert_eq!(read(&OAuth::new(), "TokenInfoFieldCount"), "0");
    assert_eq!(read(&informed().1, "TokenInfoFieldCount"), "4");
}

#[test]
fn row_token_info_field_name() {
    let (_witness, oauth) = informed();
    assert_eq!(
        (read(&oauth, "TokenInfoFieldName[0]"), read(&oauth, "TokenInfoFieldName[1]")),
        ("aud".into(), "scope".into())
    );
    assert!(matches!(oauth.config("TokenInfoFieldName[4]"), Err(ComponentError::Index { count: 4, .. })));
    assert!(matches!(oauth.config("TokenInfoFieldName[0]=x"), Err(ComponentError::ReadOnly { .. })));
}

#[test]
fn row_token_info_field_value() {
    let (_witness, oauth) = informed();
    assert_eq!(read(&oauth, "TokenInfoFieldValue[1]"), "read");
    assert_eq!(read(&oauth, "TokenInfoFieldValue[3]"), r#"{"a":1}"#);
}

#[test]
fn row_validate_token() {
    let (witness, oauth) = informed();
    assert_eq!(witness.only().line, "GET /tokeninfo?access_token=at-9 HTTP/1.1");
    assert!(matches!(oauth.config("ValidateToken"), Err(ComponentError::Action { .. })));
    let events = oauth.observe();
    oauth.validate_token("at-9").unwrap();
    let told = events.try_iter().map(|event| format!("{event:?}")).collect::<String>();
    assert!(told.contains("warning: access tokens travel in URLs") && !told.contains("at-9"), "{told}");
    oauth.set_client_id("another");
    let refused = oauth.config("ValidateToken=at-9").unwrap_err();
    assert!(
        matches!(&refused, ComponentError::OAuth(Error::Failure(_))),
        "it was given to another: {refused}"
    );
    assert!(!refused.to_string().contains("at-9"));
}
