//! The profiles of well-known providers, one file each.

macro_rules! profiles {
    ($($name:literal,)+) => {
        pub(super) const PROFILES: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../../providers/", $name, ".json")))),+];
    };
}

profiles! {
    "amazon",
    "amazon-seller",
    "apple",
    "asana",
    "atlassian",
    "auth0",
    "basecamp",
    "box",
    "clover",
    "discord",
    "dropbox",
    "facebook",
    "figma",
    "fitbit",
    "github",
    "gitlab",
    "google",
    "hubspot",
    "instagram",
    "kakao",
    "line",
    "linear",
    "linkedin",
    "mailchimp",
    "microsoft",
    "monday",
    "notion",
    "okta",
    "paypal",
    "quickbooks",
    "reddit",
    "salesforce",
    "shopify",
    "slack",
    "slack-user",
    "spotify",
    "strava",
    "stripe",
    "tiktok",
    "twitch",
    "wechat",
    "withings",
    "x",
    "yahoo",
    "zendesk",
    "zoho",
    "zoom",
    "zoom-server",
}
