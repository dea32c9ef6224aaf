//! `wreg admin keys`.

use wreg_harness::RegistryProcess;

use crate::wreg::User;

#[test]
fn keys_are_listed_and_rotated() {
    let registry = RegistryProcess::start();
    let host = registry.address().to_string();
    let user = User::of(&registry);
    let line = user.run(&["admin", "keys", "list", &host]).yes().line();
    assert!(
        line.contains("  active   made ") && line.ends_with("  signing"),
        "{line}"
    );
    let json = user
        .run(&["admin", "keys", "rotate", &host, "--format", "json"])
        .yes()
        .saying("six minutes")
        .json();
    let states: Vec<_> = json["keys"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|key| &key["state"])
        .collect();
    assert_eq!(states, ["active", "retired"]);
    assert_eq!(
        (&json["keys"][0]["signing"], &json["keys"][1]["signing"]),
        (&true.into(), &false.into())
    );
    // What needs registry tokens goes on.
    user.run(&["tags", &format!("{host}/acme/absent")])
        .no()
        .saying("has no");
}
