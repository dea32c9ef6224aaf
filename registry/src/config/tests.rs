//! Configurations that are taken, and those that are refused.

use super::{reference::KEYS, source::parse_variable, *};

fn refusal(text: &str) -> String {
    Config::parse("data", text).expect_err(text).to_string()
}

#[test]
fn every_key_of_the_reference_is_one_and_its_example_is_valid() {
    let lines: Vec<String> = KEYS
        .iter()
        .map(|key| format!("{} = {}", key.name, key.example))
        .collect();
    let file = lines.join("\n");
    let parsed: Partial = toml::from_str(&file).expect("the examples together are a file");
    // Debug prints every field: one that the reference lacks would still be None.
    assert!(!format!("{parsed:?}").contains(": None"), "{parsed:?}");
    for key in KEYS {
        parse_variable(key.name, key.example.trim_matches('"'))
            .unwrap_or_else(|reason| panic!("{}: {reason}", key.name));
    }
}

/// **L03** An unknown name, an impossible value, plain http or `dev` beyond loopback → refused at start, with the place and the reason.
#[test]
fn a_bad_configuration_is_refused_with_the_reason() {
    assert!(refusal("listen = \"127.0.0.1:5000\"\nlisen = 1").contains("line 2"));
    assert!(refusal("listen = \"localhost\"").contains("line 1"));
    assert!(refusal("default_visibility = \"secret\"").contains("private"));
    assert!(refusal("max_blob_size = -1").contains("line 1"));
    assert!(refusal("database = \"mysql://x\"").contains("postgres://"));
    assert!(refusal("listen = \"0.0.0.0:5000\"").contains("plain http"));
    assert!(refusal("listen = \"0.0.0.0:5000\"\ntls_in_front = true\ndev = true").contains("loopback"));
    assert!(refusal("metrics_listen = \"0.0.0.0:9500\"").contains("metrics_beyond_loopback"));
    assert!(refusal("tls_key = \"key.pem\"").contains("tls_certificate is missing"));
    assert!(refusal("trusted_proxies = [\"proxy.example\"]").contains("10.0.0.0/8"));
    assert!(refusal("public_url = \"https://host/path\"").contains("without a path"));
    assert!(Config::parse("data", "listen = \"[::1]:0\"\ndev = true").is_ok());
    assert!(Config::parse("data", "listen = \"0.0.0.0:5000\"\ntls_in_front = true").is_ok());
}

#[test]
fn a_wrong_variable_is_refused_with_the_reason() {
    assert!(parse_variable("listen", "localhost").is_err_and(|reason| !reason.is_empty()));
    assert!(parse_variable("default_deletable", "maybe").is_err());
    assert_eq!(
        parse_variable("data_dir", "true").map(|partial| partial.data_dir),
        Ok(Some(PathBuf::from("true")))
    );
}

#[test]
fn a_password_in_the_database_url_is_never_shown() {
    let config = Config::parse("data", "database = \"postgres://u:hunter2@h/d\"").expect("valid");
    assert!(!format!("{config:?}").contains("hunter2"));
}
