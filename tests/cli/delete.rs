//! `wreg delete` and `wreg tags`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::User;

#[test]
fn a_tag_goes_and_its_manifest_stays() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = format!("{}/acme/hello", registry.address());
    let file = user.file("hello.wasm", wat::component());
    let pushed = user
        .run(&["push", &file, &format!("{repository}:1.0.0"), "--tag", "canary"])
        .yes()
        .line();
    let canary = format!("{repository}:canary");
    let run = user
        .run(&["delete", &canary])
        .yes()
        .saying("deleted the tag canary, which pointed to sha256:");
    assert_eq!(run.line(), canary);
    assert_eq!(user.run(&["tags", &repository]).yes().line(), "1.0.0");
    user.run(&["delete", &canary])
        .no()
        .saying(&format!("there is no {canary}"));

    let json = user.run(&["delete", &pushed, "--format", "json"]).yes().json();
    assert_eq!(
        (&json["deleted"], &json["reference"]),
        (&"manifest".into(), &pushed.as_str().into())
    );
    assert_eq!(user.run(&["tags", &repository]).yes().text(), "");
    user.run(&["inspect", &pushed]).no();
}

#[test]
fn only_what_is_named_is_deleted() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = format!("{}/acme/hello", registry.address());
    let file = user.file("hello.wasm", wat::component());
    let pushed = user.run(&["push", &file, &repository]).yes().line();
    user.run(&["delete", &repository])
        .unknown()
        .saying("names no tag and no digest");
    let both = pushed.replace('@', ":latest@");
    user.run(&["delete", &both]).unknown().saying("both a tag and a digest");
    assert_eq!(user.run(&["tags", &repository]).yes().line(), "latest");
}

#[test]
fn tags_are_json_where_json_is_asked_for() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry).with("WREG_REGISTRY", registry.address().to_string());
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, "acme/hello:2"]).yes();
    let json = user.run(&["tags", "acme/hello", "--format", "json"]).yes().json();
    assert_eq!(json["tags"], serde_json::json!(["2"]));
    assert_eq!(json["repository"], format!("{}/acme/hello", registry.address()));
    user.run(&["tags", "acme/nothing"]).no();
}
