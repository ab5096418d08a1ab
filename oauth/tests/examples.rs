//! The examples run, as they are.
#![allow(
    missing_docs,
    clippy::duplicate_mod,
    reason = "a test; two examples bring the same few lines of HTTP"
)]

use std::error::Error;

type Outcome = Result<(), Box<dyn Error>>;

#[path = "../examples/by_hand.rs"]
mod by_hand;
#[cfg(feature = "component")]
#[path = "../examples/component_application.rs"]
mod component_application;
#[cfg(feature = "component")]
#[path = "../examples/component_jwt.rs"]
mod component_jwt;
#[path = "../examples/custom_runtime.rs"]
mod custom_runtime;
#[path = "../examples/device.rs"]
mod device;
#[cfg(feature = "jwt")]
#[path = "../examples/remote_signer.rs"]
#[allow(dead_code, reason = "its main prints what a test compares")]
mod remote_signer;
#[cfg(feature = "stores")]
#[path = "../examples/service.rs"]
#[allow(dead_code, reason = "its main reads arguments, which a test has in hand")]
mod service;
#[cfg(feature = "loopback")]
#[path = "../examples/sign_in.rs"]
mod sign_in;
#[path = "../examples/web_server.rs"]
mod web_server;

#[test]
fn by_hand_completes() -> Outcome {
    by_hand::main()
}

#[cfg(feature = "component")]
#[test]
fn component_application_completes() -> Outcome {
    component_application::main()
}

#[cfg(feature = "component")]
#[test]
fn component_jwt_completes() -> Outcome {
    component_jwt::main()
}

#[test]
fn custom_runtime_completes() -> Outcome {
    custom_runtime::main()
}

#[test]
fn device_completes() -> Outcome {
    device::main()
}

#[cfg(feature = "jwt")]
#[tokio::test]
async fn a_remote_signer_refuses_in_each_way_and_signs_in_the_end() -> Outcome {
    let lines = remote_signer::tour().await?;
    let told: Vec<&str> = lines.iter().map(String::as_str).collect();
    let [algorithm, name, operator, reach, token] = told[..] else { panic!("{lines:#?}") };
    for (line, why) in [
        (algorithm, "the key holder cannot do what this flow needs: this key signs ES256 alone; "),
        (name, "the key that this flow needs is not here: there is no such key; "),
        (operator, "the key holder refused: the operator says no; "),
        // That it hung up, or what the system says of it.
        (reach, "the key holder is out of reach: "),
    ] {
        assert!(line.starts_with(why), "{line}");
    }
    assert!(token.starts_with("Bearer demo-at-"), "{token}");
    Ok(())
}

#[cfg(feature = "stores")]
mod service_accounts {
    use super::Outcome;
    use super::service::{Service, authorize_at_a_test_server};
    use oauth::core::Password;

    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth-jwt/tests/keys");

    fn open(
        file: &str,
        password: Option<&str>,
        subject: &str,
    ) -> Result<Service, Box<dyn std::error::Error>> {
        Service::open(&format!("{KEYS}/{file}"), password.map(Password::new).as_ref(), subject)
    }

    #[test]
    fn a_key_in_any_store_gets_a_token() -> Outcome {
        for (file, password) in [
            ("rsa-2048.pfx", Some("throw-away")),
            ("p256.chain.pfx", Some("throw-away")),
            ("rsa-2048.jks", Some("throw-away")),
            ("rsa-2048.pkcs8.pem", None),
            ("p256.sec1.pem", None),
            ("ed25519.pkcs8.pem", None),
            ("rsa-2048.encrypted.pkcs8.pem", Some("throw-away")),
            ("p256.openssh.pem", None),
            ("rsa-2048.encrypted.v3.ppk", Some("throw-away")),
            ("rsa-2048.xml", None),
            ("rsa-2048.jwk.json", None),
        ] {
            let authorization = authorize_at_a_test_server(open(file, password, "*")?)?;
            assert!(authorization.header_value().starts_with("Bearer demo-at-"), "{file}");
            assert_eq!(authorization.scope().map(|scope| scope.as_str()), Some("jobs"), "{file}");
        }
        Ok(())
    }

    #[test]
    fn the_file_of_a_service_account_gets_one_though_it_names_another_server() -> Outcome {
        for key in ["p256.pkcs8.pem", "rsa-2048.pkcs8.pem"] {
            let account = serde_json::json!({
                "type": "service_account",
                "client_email": "jobs@project.example",
                "private_key_id": "0123abcd",
                "private_key": std::fs::read_to_string(format!("{KEYS}/{key}"))?,
                "token_uri": "https://oauth2.googleapis.com/token",
            });
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("key.json");
            std::fs::write(&file, account.to_string())?;
            let service = Service::open(file.to_str().ok_or("the path is no text")?, None, "*")?;
            assert!(authorize_at_a_test_server(service)?.header_value().starts_with("Bearer demo-at-"));

            std::fs::write(&file, account.to_string().replace("https:", "http:"))?;
            let refused = Service::open(file.to_str().ok_or("the path is no text")?, None, "*").err();
            assert!(refused.ok_or("it was taken")?.to_string().contains("no https address"));
        }
        Ok(())
    }

    #[test]
    fn a_store_that_will_not_do_says_why() {
        for (file, password, subject, told) in [
            ("rsa-2048.pfx", None, "*", "password"),
            ("rsa-2048.pfx", Some("wrong"), "*", "password"),
            ("chain.p7b", None, "*", "no private key"),
            ("p256.pkcs8.pem", None, "CN=somebody", "CN=somebody"),
            ("no such file", None, "*", "cannot be read"),
        ] {
            let refused = open(file, password, subject).err().map(|error| error.to_string());
            assert!(refused.as_ref().is_some_and(|error| error.contains(told)), "{file}: {refused:?}");
        }
        let unsupported = open("p384.pkcs8.pem", None, "*").and_then(authorize_at_a_test_server);
        assert!(unsupported.is_err_and(|error| error.to_string().contains("P-256")));
    }
}

#[cfg(feature = "loopback")]
#[test]
fn sign_in_completes() -> Outcome {
    sign_in::main()
}

#[test]
fn web_server_completes_in_two_processes() -> Outcome {
    // Its second leg is a process of the example itself, which a run of this test alone has not built.
    let build = ["build", "--quiet", "-p", "oauth", "--example", "web_server"];
    if web_server::example().is_err()
        && !std::process::Command::new(env!("CARGO")).args(build).status()?.success()
    {
        return Err("the example does not build".into());
    }
    web_server::main()
}
