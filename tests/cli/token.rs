//! `wreg token`: made, used, listed, revoked; and what is said to those whose token lacks a right.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::User;

/// A token made by the administrator, as a shell would take it.
fn create(admin: &User, registry: &RegistryProcess, name: &str, scopes: &[&str]) -> String {
    let host = registry.address().to_string();
    let mut arguments = vec!["token", "create", name, &host];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    admin.run(&arguments).yes().line()
}

#[test]
fn a_token_is_made_used_listed_and_revoked() {
    let registry = RegistryProcess::start();
    let host = registry.address().to_string();
    let admin = User::of(&registry);
    let run = admin
        .run(&[
            "token",
            "create",
            "ci",
            &host,
            "--scope",
            "acme/*:pull,push",
            "--expires",
            "30d",
        ])
        .yes()
        .saying("token ci for")
        .saying("hint: it is told this once");
    let secret = run.line();
    assert!(
        secret.starts_with("wreg_pat_") && !run.stderr.contains(&secret),
        "{run:?}"
    );

    let user = User::new();
    user.run_with_input(&["login", &host, "--token-stdin"], secret.as_bytes())
        .yes();
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, &format!("{host}/acme/hello:1.0.0")]).yes();
    let listed = user.run(&["repository", "list", &host]).yes().line();
    assert!(listed.starts_with(&format!("{host}/acme/hello ")), "{listed}");

    let text = admin.run(&["token", "list", &host]).yes().text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("acme/*:pull,push") && text.contains("ends never") && !text.contains(&secret),
        "{text}"
    );
    let json = admin.run(&["token", "list", &host, "--format", "json"]).yes().json();
    let [_, ci] = &json["tokens"].as_array().expect("a list")[..] else {
        panic!("{json}");
    };
    assert_eq!(
        (&ci["name"], &ci["scopes"][0]),
        (&"ci".into(), &"acme/*:pull,push".into())
    );
    assert!(ci.get("secret").is_none() && ci["last_used"].is_string(), "{ci}");

    assert_eq!(admin.run(&["token", "revoke", "ci", &host]).yes().line(), "ci");
    admin
        .run(&["token", "revoke", "ci", &host])
        .no()
        .saying("has no token ci");
    user.run(&["push", &file, &format!("{host}/acme/hello:2.0.0")])
        .no()
        .saying("does not accept the credentials");
    let id = admin
        .run(&["token", "create", "x", &host, "--scope", "*:pull", "--format", "json"])
        .yes()
        .json();
    assert!(
        id["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("wreg_pat_"))
    );
    let id = id["id"].as_str().expect("an id");
    assert_eq!(admin.run(&["token", "revoke", id, &host]).yes().line(), "x");
    admin
        .run(&["token", "revoke", "admin", &host])
        .no()
        .saying("cannot be revoked");
}

#[test]
fn who_lacks_a_right_is_told_which_token_would_have_it() {
    let registry = RegistryProcess::start();
    let host = registry.address().to_string();
    let admin = User::of(&registry);
    let file = admin.file("hello.wasm", wat::component());
    let reference = format!("{host}/acme/hello:1.0.0");
    admin.run(&["push", &file, &reference]).yes();

    let reader = User::new().with("WREG_TOKEN", create(&admin, &registry, "reader", &["acme/*:pull"]));
    reader.run(&["pull", &reference]).yes();
    let other = reader.file("other.wasm", wat::component_with("other"));
    reader
        .run(&["push", &other, &reference])
        .no()
        .saying("the token does not give push on acme/hello")
        .saying(&format!("wreg token create NAME {host} --scope 'acme/hello:pull,push'"));
    reader
        .run(&["delete", &reference])
        .no()
        .saying("the token does not give delete on acme/hello")
        .saying("--scope 'acme/hello:pull,delete'");
    reader
        .run(&[
            "repository",
            "set",
            &format!("{host}/acme/hello"),
            "--visibility",
            "public",
        ])
        .no()
        .saying("--scope 'acme/hello:pull,repo:admin'");
    reader
        .run(&["token", "list", &host])
        .no()
        .saying("the token does not give server:admin")
        .saying("--scope '*:server:admin'");

    let creator = create(&admin, &registry, "creator", &["acme/*:pull,tag:create"]);
    let creator = User::new().with("WREG_TOKEN", creator);
    let other = creator.file("other.wasm", wat::component_with("other"));
    creator
        .run(&["push", &other, &format!("{host}/acme/hello:2.0.0")])
        .yes();
    creator
        .run(&["push", &other, &reference])
        .no()
        .saying("tag:update")
        .saying("--scope 'acme/hello:pull,tag:update'");
}

#[test]
fn what_is_no_token_to_make_is_refused_with_what_one_is() {
    let user = User::new();
    let create = |arguments: &[&str]| user.run(&[&["token", "create"], arguments].concat());
    create(&["ci", "localhost:1"]).ended_in_usage("--scope");
    create(&["c i", "localhost:1", "--scope", "a:pull"]).ended_in_usage("letters, digits");
    create(&["ci", "localhost:1", "--scope", "acme/hello"]).ended_in_usage("REPOSITORIES:ACTIONS");
    create(&["ci", "localhost:1", "--scope", "**:pull"]).ended_in_usage("acme/*");
    create(&["ci", "localhost:1", "--scope", "a:read"]).ended_in_usage("pull, push");
    create(&["ci", "localhost:1", "--scope", "a:pull", "--expires", "2y"]).ended_in_usage("such as 30d");
    create(&["ci", "localhost:1", "--scope", "a:pull", "--expires", "366d"]).ended_in_usage("365d");
}
