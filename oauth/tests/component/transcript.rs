//! What went over the wire, as the properties and settings show it, the log, and the file for responses.

use crate::wire::*;
use oauth::OAuth;
use oauth::component::Event;
use oauth::transport::LogLevel;
use std::collections::BTreeSet;
use std::fs;

fn server() -> Server {
    Server::answering(response("200 OK", "x-one: 1\r\nx-one: 2\r\n", &token_body()))
}

#[test]
fn row_status_line() {
    let server = server();
    let refusing = Server::answering(response("400 Whatever", "", br#"{"error":"invalid_client"}"#));
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        assert_eq!(read(&oauth, "StatusLine"), "");
        oauth.get_authorization().unwrap();
        assert_eq!(read(&oauth, "StatusLine"), "HTTP/1.1 200 OK");
        oauth.set_server_token_url(refusing.url("/token"));
        oauth.get_authorization().unwrap_err();
        assert_eq!(read(&oauth, "StatusLine"), "HTTP/1.1 400 Bad Request");
    }
}

#[test]
fn row_negotiated_http_version() {
    let old = String::from_utf8(token()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    let (new, old) = (server(), Server::answering(old));
    for engine in ENGINES {
        let oauth = client_with(&new.url("/token"), engine, &[]);
        oauth.get_authorization().unwrap();
        assert_eq!(read(&oauth, "NegotiatedHTTPVersion"), "1.1");
        oauth.set_server_token_url(old.url("/token"));
        oauth.get_authorization().unwrap();
        assert_eq!(read(&oauth, "NegotiatedHTTPVersion"), "1.0");
    }
}

#[test]
fn row_sent_headers() {
    let server = server();
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &["OtherHeaders=X-Tenant: 42"]);
        oauth.add_cookie("own", "v");
        oauth.get_authorization().unwrap();
        // Every header that was sent is shown, with its value; names have no upper and lower case.
        let lines = |head: &str| -> BTreeSet<String> {
            let pairs = head.lines().skip(1).filter_map(|line| line.split_once(": "));
            pairs.map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase())).collect()
        };
        let value = oauth.config("SentHeaders").unwrap();
        assert!(value.is_secret() && !format!("{value:?}").contains("Basic"));
        assert!(value.as_str().starts_with("POST /token HTTP"), "{}", value.as_str());
        assert_eq!(lines(value.as_str()), lines(&server.last().head), "{engine}");
    }
}

#[test]
fn row_transferred_headers() {
    let server = server();
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.get_authorization().unwrap();
        let headers = read(&oauth, "TransferredHeaders");
        assert!(headers.contains("x-one: 1\r\nx-one: 2\r\n") && !headers.contains("200 OK"), "{headers}");
        assert_eq!(oauth.transferred_headers().expose(), headers);
    }
}

#[test]
fn row_transferred_data() {
    let server = server();
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.get_authorization().unwrap();
        assert_eq!(oauth.transferred_data().expose(), token_body());
        let value = oauth.config("TransferredData").unwrap();
        assert!(value.as_str().contains(ACCESS_TOKEN) && value.is_secret());
        assert!(!format!("{value:?} {:?}", oauth.transferred_data()).contains(ACCESS_TOKEN));
    }
}

#[test]
fn row_transferred_request() {
    let server = server();
    for engine in ENGINES {
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.get_authorization().unwrap();
        assert_eq!(read(&oauth, "TransferredRequest"), "", "it is not kept unless that was asked for");
        set(&oauth, &["TransferredRequest=ON"]);
        oauth.get_authorization().unwrap();
        let value = oauth.config("TransferredRequest").unwrap();
        assert!(value.is_secret() && value.as_str().starts_with("POST /token HTTP"));
        assert!(value.as_str().ends_with("grant_type=client_credentials"), "{}", value.as_str());
        set(&oauth, &["TransferredRequest=off"]);
        assert_eq!(read(&oauth, "TransferredRequest"), "");
        let error = oauth.config("TransferredRequest=maybe").unwrap_err().to_string();
        assert_eq!(error, "this is no value of TransferredRequest: it takes ON or OFF");
    }
}

#[test]
fn row_append() {
    let folder = tempfile::tempdir().unwrap();
    let server = server();
    for engine in ENGINES {
        let file = folder.path().join(format!("response-{engine}"));
        let oauth = client_with(&server.url("/token"), engine, &["Append=true"]);
        refused(&oauth, "Append", "set_local_file");
        oauth.set_local_file(Some(file.clone()));
        for _ in 0..2 {
            oauth.get_authorization().unwrap();
        }
        assert_eq!(fs::read(&file).unwrap(), [token_body(), token_body()].concat());
        set(&oauth, &["Append=false"]);
        oauth.get_authorization().unwrap();
        assert_eq!(fs::read(&file).unwrap(), token_body());
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o077, 0, "the file holds tokens: it is its owner's alone");
        }
    }
}

#[test]
fn row_log_level() {
    let server = server();
    let logged = |engine, lines: &[&str]| -> Vec<(LogLevel, String)> {
        let oauth = client_with(&server.url("/token"), engine, lines);
        let events = oauth.observe();
        oauth.get_authorization().unwrap();
        let entries = events.try_iter().filter_map(|event| match event {
            Event::Log(level, _, text) => Some((level, text)),
            _ => None,
        });
        entries.collect()
    };
    assert_eq!(read(&OAuth::new(), "LogLevel"), "1");
    for engine in ENGINES {
        assert!(logged(engine, &["LogLevel=0"]).is_empty());
        let verbose = logged(engine, &["LogLevel=2"]);
        assert!(verbose.iter().any(|(_, text)| text.starts_with("POST /token")), "{verbose:?}");
        assert!(verbose.iter().all(|(level, _)| *level <= LogLevel::Verbose));
        let debug = logged(engine, &["LogLevel=debug"]);
        assert!(debug.iter().any(|(_, text)| text.contains("grant_type=client_credentials")), "{debug:?}");
    }
}
