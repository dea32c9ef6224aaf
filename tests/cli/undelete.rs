//! `wreg undelete` and `wreg admin gc`.

use wreg_harness::{RegistryProcess, fixtures::wat};

use crate::wreg::User;

#[test]
fn what_was_deleted_comes_back() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let repository = format!("{}/acme/hello", registry.address());
    let file = user.file("hello.wasm", wat::component());
    let tagged = format!("{repository}:1.0.0");
    let pushed = user.run(&["push", &file, &tagged]).yes().line();
    user.run(&["delete", &pushed]).yes();
    user.run(&["pull", &tagged]).no();

    let listed = user.run(&["undelete", "--list", &repository]).yes().text();
    assert!(listed.contains(&pushed) && listed.contains(&tagged), "{listed}");
    assert_eq!(user.run(&["undelete", &tagged]).yes().line(), pushed);
    user.run(&["pull", &tagged]).yes();
    assert_eq!(user.read("hello.wasm"), wat::component());
    user.run(&["undelete", &pushed]).no();
    user.run(&["undelete", &tagged]).no();
    user.run(&["undelete", &repository]).unknown().saying("--list");
    assert_eq!(user.run(&["undelete", "--list", &repository]).yes().text(), "");
}

#[test]
fn a_collection_says_what_it_takes() {
    let registry = RegistryProcess::start();
    let user = User::of(&registry);
    let host = registry.address().to_string();
    let file = user.file("hello.wasm", wat::component());
    user.run(&["push", &file, &format!("{host}/acme/hello")]).yes();
    let json = user
        .run(&["admin", "gc", &host, "--dry-run", "--format", "json"])
        .yes()
        .json();
    assert_eq!((&json["dry_run"], &json["blobs"]), (&true.into(), &0.into()));
    // A registry that has just been made has no clock to be believed yet.
    let text = user.run(&["admin", "gc", &host]).yes().text();
    assert!(text.contains("nothing is collected before 2"), "{text}");
    user.run(&["pull", &format!("{host}/acme/hello")]).yes();
    User::new().run(&["admin", "gc", &host]).unknown();
}
