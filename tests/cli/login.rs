//! `wreg login` and `wreg logout`.

use wreg_harness::RegistryProcess;

use crate::wreg::{User, names, read};

#[test]
fn a_token_is_kept_where_docker_keeps_it_and_found_again() {
    let registry = RegistryProcess::start();
    let host = registry.address().to_string();
    let user = User::new();
    user.run(&["repository", "list", &host])
        .unknown()
        .saying(&format!("wreg login {host}"));
    let run = user
        .run_with_input(&["login", &host, "--token-stdin"], registry.admin_token().as_bytes())
        .yes();
    assert_eq!(run.line(), format!("logged in to {host}"));
    assert!(run.stderr.contains("/.docker/config.json"), "{run:?}");
    assert!(!run.stderr.contains(&registry.admin_token()), "{run:?}");
    user.run(&["repository", "list", &host]).yes();

    let config = user.docker().join("config.json");
    assert!(String::from_utf8_lossy(&read(&config)).contains(&format!("\"{host}\"")));
    assert_eq!(names(&user.docker()), ["config.json"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = config.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    assert_eq!(
        user.run(&["logout", &host]).yes().line(),
        format!("logged out of {host}")
    );
    assert_eq!(
        user.run(&["logout", &host]).yes().line(),
        format!("was not logged in to {host}")
    );
    user.run(&["repository", "list", &host]).unknown();
}

#[test]
fn a_token_that_is_not_good_is_not_kept() {
    let registry = RegistryProcess::start();
    let user = User::new();
    let host = registry.address().to_string();
    let run = user
        .run_with_input(&["login", &host, "--token-stdin"], b"wreg_pat_wrong\n")
        .no();
    assert!(!run.stderr.contains("wreg_pat_wrong"), "{run:?}");
    assert_eq!(names(&user.docker()), [""; 0]);
}

#[test]
fn the_token_of_the_environment_can_be_kept_too() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let host = registry.address().to_string();
    let json = user.run(&["login", &host, "--format", "json"]).yes().json();
    assert_eq!(json["registry"], host);
    assert!(
        json["stored_in"]
            .as_str()
            .is_some_and(|place| place.ends_with("config.json"))
    );
    user.run(&["logout", &host]).yes().saying("WREG_TOKEN is still set");
}

#[test]
fn a_token_for_another_registry_is_not_sent() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry).with("WREG_REGISTRY", "registry.example");
    let host = registry.address().to_string();
    user.run(&["repository", "list", &host])
        .unknown()
        .saying(&format!("wreg login {host}"));
    user.run(&["login", &host]).unknown().saying("--token-stdin");
}

#[test]
fn without_a_token_and_a_terminal_it_is_said_how_to_give_one() {
    let user = User::new();
    user.run(&["login", "localhost:1"])
        .unknown()
        .saying("hint: pipe the token to `wreg login --token-stdin`");
    user.run_with_input(&["login", "localhost:1", "--token-stdin"], b"\n")
        .unknown()
        .saying("the token is empty");
}
