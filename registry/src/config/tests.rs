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
    assert!(refusal("witnesses = [\"https://witness.example\"]").contains("a space and its key"));
    assert!(refusal("witnesses = [{ url = \"ftp://witness.example\", key = \"a\" }]").contains("https://"));
    assert!(refusal("witnesses = [{ url = \"https://witness.example\", key = \"a\" }]").contains("name+hash+base64"));
    assert!(refusal("witness_interval_seconds = 0").contains("line 1"));
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
fn witnesses_are_tables_or_texts() {
    let key = "witness.example+4245df43+BB+mUkhTSxww73S6aW/MB5X0iyXHKWwNKxK/xXKKlpYp";
    let one = format!("https://witness.example {key}");
    for text in [
        format!("[{{ url = \"https://witness.example/\", key = \"{key}\" }}]"),
        format!("[\"{one}\"]"),
        one,
    ] {
        let partial = parse_variable("witnesses", &text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        let config = Config::from_partial(partial).expect("valid");
        assert_eq!(config.witnesses().len(), 1, "{text}");
    }
}

#[test]
fn a_password_in_the_database_url_is_never_shown() {
    let config = Config::parse("data", "database = \"postgres://u:hunter2@h/d\"").expect("valid");
    assert!(!format!("{config:?}").contains("hunter2"));
}

/// The variables of the service `wreg` in the compose file, as they are where nothing is set outside.
fn variables_of_compose_file() -> Vec<(String, String)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker-compose.yml");
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|mut file| std::io::Read::read_to_string(&mut file, &mut text));
    read.expect("the compose file is there");
    let service = text.split("\n  wreg:\n").nth(1).expect("a service of that name");
    let environment = service.split("\n    environment:\n").nth(1).expect("its environment");
    let lines = environment.lines().map_while(|line| line.strip_prefix("      "));
    lines
        .map(|line| {
            let (name, value) = line.split_once(": ").expect("a variable a line");
            let value = value.trim_matches('"');
            // Of "${NAME:-default}" the default.
            let value = value.split("${").map(|part| match part.split_once('}') {
                Some((variable, rest)) => variable.split_once(":-").expect("a default").1.to_owned() + rest,
                None => part.to_owned(),
            });
            (name.to_owned(), value.collect())
        })
        .collect()
}

#[test]
fn the_compose_file_sets_what_is_read_and_makes_a_valid_configuration() {
    let mut all = Partial::default();
    let variables = variables_of_compose_file();
    assert!(variables.len() > 5, "{variables:?}");
    for (name, value) in &variables {
        let key = KEYS
            .iter()
            .find(|key| *name == format!("WREG_{}", key.name.to_uppercase()));
        let key = key.unwrap_or_else(|| panic!("{name} is no variable that is read"));
        all = parse_variable(key.name, value)
            .unwrap_or_else(|reason| panic!("{name}: {reason}"))
            .or(all);
    }
    let config = Config::from_partial(all).expect("they fit together");
    assert!(matches!(config.database, Database::Postgres(_)));
    let Blobs::S3(settings) = config.blobs else {
        panic!("no object storage: {variables:?}")
    };
    assert_eq!((&*settings.bucket, settings.path_style), ("wreg", true));
    let database = variables.iter().find(|(name, _)| name == "WREG_DATABASE");
    assert_eq!(
        database.map(|(_, url)| &**url),
        Some("postgres://wreg:for-trying-out@postgres/wreg")
    );
}

#[test]
fn settings_of_object_storage_that_do_not_fit_together_are_refused() {
    assert!(refusal("s3_region = \"x\"").contains("need s3_bucket"));
    assert!(refusal("s3_bucket = \"b\"\ns3_access_key_id = \"k\"").contains("go together"));
    assert!(refusal("s3_bucket = \"b\"\ns3_endpoint = \"host:3900\"").contains("https://"));
    assert!(refusal("s3_bucket = \"b\"\ns3_prefix = \"ä\"").contains("letters"));
}

/// **O10** A limit for blobs above what a bucket can hold → refused at start, so that no upload meets the limits of S3.
#[test]
fn a_limit_that_no_bucket_can_hold_is_refused() {
    assert!(refusal("s3_bucket = \"b\"\nmax_blob_size = 16777216001").contains("16777216000"));
    assert!(Config::parse("data", "s3_bucket = \"b\"\nmax_blob_size = 16777216000").is_ok());
    assert!(Config::parse("data", "max_blob_size = 16777216001").is_ok());
}

#[test]
fn a_secret_of_object_storage_is_never_shown() {
    let settings = "s3_bucket = \"b\"\ns3_access_key_id = \"k\"\ns3_secret_access_key = \"hunter2\"";
    let config = Config::parse("data", settings).expect("valid");
    assert!(!format!("{config:?}").contains("hunter2"));
}
