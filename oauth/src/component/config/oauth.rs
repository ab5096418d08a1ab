//! The settings of the protocol and of the embedded web server.

use super::{Access, ConfigSetting, has_user_info, seconds};
use crate::component::error::ComponentError;
use crate::component::login::Begun;
use crate::component::run;
use crate::component::values::{Secret, StoreValues};
use oauth_core::CodeChallenge;
use oauth_jwt::StoreKind;

/// A row that a call leaves behind.
macro_rules! result {
    ($name:literal, $how:literal, $about:literal, $get:expr) => {
        ConfigSetting::new($name, $about, Access::Result { how: $how, get: $get, secret: false })
    };
}

/// The kinds of certificate stores, by their numbers.
pub(super) const STORE_KINDS: &[(i64, &str)] = &[
    (0, "user"),
    (1, "machine"),
    (2, "PFX file"),
    (3, "PFX blob"),
    (4, "JKS file"),
    (5, "JKS blob"),
    (6, "PEM key file"),
    (7, "PEM key blob"),
    (8, "public key file"),
    (9, "public key blob"),
    (10, "SSH public key blob"),
    (11, "P7B file"),
    (12, "P7B blob"),
    (13, "SSH public key file"),
    (14, "PPK file"),
    (15, "PPK blob"),
    (16, "XML file"),
    (17, "XML blob"),
    (18, "JWK file"),
    (19, "JWK blob"),
    (20, "security key"),
    (99, "auto"),
];

pub(super) const ROWS: &[ConfigSetting] = &[
    result!(
        "AccessTokenExp",
        "the token response tells it",
        "How many seconds the access token lives, counted from the response; 0 where the server does not say.",
        |values| Secret::new(values.results.expires_in.map_or(0, seconds::count).to_string())
    ),
    result!(
        "AuthorizationTokenType",
        "the token response tells it",
        "How the access token is presented, as the server says.",
        |values| Secret::new(values.results.token_type.as_str())
    ),
    ConfigSetting::new(
        "AuthorizationURL",
        "The address at which the person signs in. One that is set takes the place of the one that is made, and has to carry its state.",
        Access::Text {
            form: "an address",
            get: |values| match values.oauth.authorization_url.as_str() {
                "" => values.results.authorization_url.clone(),
                given => given.to_owned(),
            },
            set: |values, text| {
                if text.is_empty() {
                    values.oauth.authorization_url.clear();
                    return Ok(());
                }
                let Some(Begun { pending, .. }) = &values.results.pending else {
                    return Err(ComponentError::refused(
                        "AuthorizationURL",
                        "no login is under way that it could belong to; call get_authorization_url, and add to what that gives",
                    ));
                };
                values.oauth.authorization_url =
                    pending.open_at(text, &run::policy(&values.oauth))?.as_str().to_owned();
                Ok(())
            },
        },
    ),
    time!(
        "BrowserResponseTimeout",
        seconds,
        "How long the person has to come back from the browser: five minutes, by default; 0 is for ever.",
        web_server.browser_response_timeout
    ),
    choice!(
        "CodeChallengeMethod",
        "How a code is bound to this client (RFC 7636).",
        oauth.code_challenge_method,
        {
            0 "none" => CodeChallenge::None,
            1 "plain" => CodeChallenge::Plain,
            2 "S256" => CodeChallenge::S256,
        }
    )
    .risking("with anything but S256, whoever reads a code or the address can redeem the code", |method| {
        method != "2"
    }),
    result!(
        "DeviceUserCode",
        "get_authorization_url of the device profile tells it",
        "The code that the person enters on another device.",
        |values| Secret::new(values.results.device_user_code.as_str())
    ),
    ConfigSetting::new(
        "FormVarCount",
        "How many form variables there are beside those of the protocol.",
        Access::Number {
            unit: "",
            range: (0, 100),
            get: |values| i64::try_from(values.oauth.form_vars.len()).unwrap_or(i64::MAX),
            set: |values, count| {
                let count = usize::try_from(count).unwrap_or_default();
                values.oauth.form_vars.resize_with(count, || (String::new(), Secret::new("")));
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "FormVarName",
        "The name of a form variable of token requests.",
        Access::Indexed {
            form: "a name that the protocol does not use itself",
            count: |values| values.oauth.form_vars.len(),
            get: |values, index| Secret::new(values.oauth.form_vars[index].0.as_str()),
            set: Some(|values, index, text| {
                text.clone_into(&mut values.oauth.form_vars[index].0);
                Ok(())
            }),
            secret: false,
        },
    ),
    ConfigSetting::new(
        "FormVarValue",
        "The value of a form variable of token requests.",
        Access::Indexed {
            form: "a text",
            count: |values| values.oauth.form_vars.len(),
            get: |values, index| values.oauth.form_vars[index].1.clone(),
            set: Some(|values, index, text| {
                values.oauth.form_vars[index].1 = Secret::new(text);
                Ok(())
            }),
            secret: true,
        },
    ),
    flag!(
        "IncludeEmptyRedirectURI",
        "Whether an empty redirect_uri is sent where return_url is empty, rather than none.",
        oauth.include_empty_redirect_uri
    ),
    text!(
        "JWTAudience",
        "a text, or nothing for server_token_url",
        "Whom the assertion is for.",
        jwt.audience
    ),
    secret!(
        "JWTCertStore",
        "The store of the key that signs the assertion: a path, or the contents.",
        jwt.certificate.store
    ),
    secret!("JWTCertStorePassword", "The password of that store.", jwt.certificate.password),
    ConfigSetting::new(
        "JWTCertStoreType",
        "The kind of that store.",
        Access::Choice {
            of: STORE_KINDS,
            get: |values| store_kind(&values.jwt.certificate),
            set: |values, number| {
                set_store_kind(&mut values.jwt.certificate, number);
                Ok(())
            },
        },
    ),
    text!(
        "JWTCertSubject",
        "a subject or a part of one, or * for any",
        "Which certificate of that store it is.",
        jwt.certificate.subject
    ),
    text!("JWTIssuer", "a text, or nothing for client_id", "Who makes the assertion.", jwt.issuer),
    secret!("JWTJSONKey", "The key file of a service account: its path, or its text.", jwt.json_key),
    ConfigSetting::new(
        "JWTSignatureAlgorithm",
        "The algorithm that signs the assertion; empty is the key's own: RS256 of an RSA key, ES256 of one on P-256, say.",
        Access::Text {
            form: "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA, as the key can, or nothing",
            get: |values| values.jwt.algorithm.clone().unwrap_or_default(),
            set: |values, text| {
                let known = [
                    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
                ];
                let text = text.trim();
                values.jwt.algorithm = match known.iter().find(|known| known.eq_ignore_ascii_case(text)) {
                    Some(known) => Some((*known).to_owned()),
                    None if text.is_empty() => None,
                    None => {
                        return Err(ComponentError::value(
                            "JWTSignatureAlgorithm",
                            "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA, or nothing",
                        ));
                    }
                };
                Ok(())
            },
        },
    ),
    text!("JWTSubject", "a text, or nothing", "For whom the assertion speaks: a person, say.", jwt.subject),
    ConfigSetting::new(
        "JWTValidityTime",
        "How long the assertion is valid; more than an hour is taken for an hour, which is the most that servers take.",
        Access::Number {
            unit: "seconds",
            range: (1, 86_400),
            get: |values| seconds::count(values.jwt.validity),
            set: |values, count| {
                values.jwt.validity = seconds::time(count);
                Ok(())
            },
        },
    ),
    text!(
        "Office365ServiceAPIVersion",
        "a text such as v1.0",
        "The version of the service that is looked for.",
        office365.api_version
    ),
    text!(
        "Office365ServiceCapability",
        "a text such as Mail",
        "The service that is looked for.",
        office365.capability
    ),
    result!(
        "Office365ServiceEndpoint",
        "get_authorization tells it, with the two settings beside it",
        "Where the service is.",
        |values| Secret::new(values.results.office365_endpoint.as_str())
    ),
    ConfigSetting::new(
        "PollingInterval",
        "How long it is from one poll of the device profile to the next; never less than the server asks for.",
        Access::Number {
            unit: "seconds",
            range: (0, 3600),
            get: |values| {
                let interval = values.oauth.polling_interval.or(values.results.interval);
                interval.map_or(5, seconds::count)
            },
            set: |values, count| {
                values.oauth.polling_interval = Some(seconds::time(count)).filter(|time| !time.is_zero());
                Ok(())
            },
        },
    ),
    flag!(
        "ReUseWebServer",
        "Whether the embedded web server stays, with its port, for the next sign-in.",
        web_server.reuse
    ),
    result!(
        "TokenInfoFieldCount",
        "ValidateToken tells it",
        "How many fields the token info service answered with.",
        |values| Secret::new(values.results.token_info.len().to_string())
    ),
    ConfigSetting::new(
        "TokenInfoFieldName",
        "The name of a field of the token info service's answer.",
        Access::Indexed {
            form: "nothing: ValidateToken tells it",
            count: |values| values.results.token_info.len(),
            get: |values, index| Secret::new(values.results.token_info[index].0.as_str()),
            set: None,
            secret: false,
        },
    ),
    ConfigSetting::new(
        "TokenInfoFieldValue",
        "The value of a field of the token info service's answer; JSON where it is no text.",
        Access::Indexed {
            form: "nothing: ValidateToken tells it",
            count: |values| values.results.token_info.len(),
            get: |values, index| values.results.token_info[index].1.clone(),
            set: None,
            secret: true,
        },
    ),
    text!("TokenInfoURL", "an https address", "The token info service.", oauth.token_info_url)
        .without_password(has_user_info, "take them out: the token is all that the service is shown"),
    ConfigSetting::new(
        "ValidateToken",
        "Asks the token info service about an access token, at once.",
        Access::Action { form: "an access token" },
    )
    .risking("the token travels in an address, which logs keep", |token| !token.is_empty()),
    text!(
        "WebServerFailedResponse",
        "HTML, or nothing for the page of this crate",
        "The page for a sign-in that failed.",
        web_server.failed_response
    ),
    ConfigSetting::new(
        "WebServerHost",
        "The name of this machine in return_url, and what the embedded web server binds.",
        Access::Text {
            form: "127.0.0.1, localhost or ::1",
            get: |values| values.web_server.host.clone(),
            set: |values, text| {
                let host = text.trim().trim_start_matches('[').trim_end_matches(']');
                if !["127.0.0.1", "localhost", "::1"].contains(&host) {
                    return Err(ComponentError::value("WebServerHost", "127.0.0.1, localhost or ::1"));
                }
                host.clone_into(&mut values.web_server.host);
                Ok(())
            },
        },
    ),
    text!(
        "WebServerResponse",
        "HTML, or nothing for the page of this crate",
        "The page for a sign-in that succeeded.",
        web_server.response
    ),
];

fn store_kind(store: &StoreValues) -> i64 {
    store.kind.number().into()
}

fn set_store_kind(store: &mut StoreValues, number: i64) {
    if let Some(kind) = u32::try_from(number).ok().and_then(StoreKind::from_number) {
        store.kind = kind;
    }
}
