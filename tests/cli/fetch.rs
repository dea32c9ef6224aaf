//! `wreg fetch`.

use std::fs;

use wreg_harness::{
    RegistryProcess,
    fixtures::{wat, wit},
};
use wreg_oci::{Descriptor, MediaType};

use crate::{
    project::{
        GREET, TYPES, WORLD, damage_store, deps, let_versions_change, push, push_types, text, user_of, with_packages,
    },
    registry::Raw,
    wreg::{User, names},
};

const GREET_FILE: &str = "wit/deps/acme-greet-1.0.0/package.wit";
const TYPES_FILE: &str = "wit/deps/acme-types-1.0.0/package.wit";

#[test]
fn a_package_and_what_it_refers_to_are_fetched() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    let run = user.run(&["fetch"]).yes().saying("wrote wkg.lock");
    assert_eq!(run.text(), format!("{GREET_FILE}\n{TYPES_FILE}\n"));
    assert_eq!(text(&user, GREET_FILE).trim_end(), GREET.trim_end());
    assert_eq!(text(&user, TYPES_FILE).trim_end(), TYPES.trim_end());
    // What the project itself refers to is locked; the rest is part of its content.
    assert_eq!(text(&user, "wkg.lock").matches("[[packages]]").count(), 1);
    let packages = wit::packages(&user.work().join("wit"));
    assert_eq!(
        packages.expect("it resolves"),
        ["acme:app", "acme:greet@1.0.0", "acme:types@1.0.0"]
    );
}

#[test]
fn a_second_fetch_touches_nothing_and_asks_nobody() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    let first = user.run(&["fetch"]).yes();
    let files = ["wkg.lock", GREET_FILE, TYPES_FILE].map(|name| user.work().join(name));
    let touched = || {
        files.clone().map(|file| {
            file.metadata()
                .and_then(|metadata| metadata.modified())
                .expect("a time")
        })
    };
    let before = touched();
    assert!(registry.terminate().success());
    let second = user.run(&["fetch"]).yes();
    assert_eq!((second.text(), second.stderr.as_str()), (first.text(), ""));
    assert_eq!(touched(), before);
}

#[test]
fn a_lock_that_is_not_up_to_date_is_left_alone_where_it_is_to_be_used() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["fetch", "--locked"]).no().saying("there is no wkg.lock");
    assert_eq!(user.names(), ["wit"]);
    user.run(&["fetch"]).yes();
    let lock = text(&user, "wkg.lock");
    user.run(&["fetch", "--locked"]).yes();

    push_types(&registry, "1.1.0");
    let more = WORLD.replace("import", "import acme:types/names@1.1.0;\n  import");
    user.file("wit/world.wit", more);
    user.run(&["fetch", "--locked"])
        .no()
        .saying("acme:types =1.1.0 of 127.0.0.1")
        .saying("is not in it");
    user.file("wit/world.wit", "package acme:app; world app {}");
    user.run(&["fetch", "--locked"]).no().saying("is not wanted");
    assert_eq!(text(&user, "wkg.lock"), lock);
    assert_eq!(names(&deps(&user)), ["acme-greet-1.0.0", "acme-types-1.0.0"]);
}

#[test]
fn offline_is_enough_once_everything_was_there() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["fetch"]).yes();
    assert!(registry.terminate().success());
    fs::remove_dir_all(deps(&user)).expect("it was filled");
    user.run(&["fetch", "--locked", "--offline"]).yes();
    assert_eq!(text(&user, TYPES_FILE).trim_end(), TYPES.trim_end());
    // What the lock does not say cannot be found out.
    user.file("wit/world.wit", WORLD.replace("greet/greeting", "types/names"));
    user.run(&["fetch", "--offline"])
        .no()
        .saying("which version of acme:types")
        .saying("hint: run `wreg lock`");
}

#[test]
fn offline_an_empty_or_damaged_store_is_told_with_the_package() {
    for is_to_be_empty in [true, false] {
        let registry = RegistryProcess::start();
        let user = with_packages(&registry);
        user.run(&["fetch"]).yes();
        damage_store(&user, is_to_be_empty);
        fs::remove_dir_all(deps(&user)).expect("it was filled");
        let run = user
            .run(&["fetch", "--offline"])
            .saying("error: acme:greet@1.0.0 is not in the local store")
            .saying("hint: run `wreg fetch` once");
        assert_eq!((run.code, run.text().as_str()), (1, ""));
        assert!(!deps(&user).exists());
    }
}

#[test]
fn a_damaged_store_is_mended_from_the_registry() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["fetch"]).yes();
    damage_store(&user, false);
    fs::remove_dir_all(deps(&user)).expect("it was filled");
    user.run(&["fetch", "--locked"]).yes();
    assert_eq!(text(&user, GREET_FILE).trim_end(), GREET.trim_end());
    user.run(&["fetch", "--locked", "--offline"]).yes();
}

/// **K04** A lock whose digest is not that of the content → refused with both, and nothing is written.
#[test]
fn content_that_is_not_what_the_lock_says_is_refused() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["fetch"]).yes();
    fs::remove_dir_all(deps(&user)).expect("it was filled");
    let lock = text(&user, "wkg.lock");
    let at = lock.find("sha256:").expect("a digest") + "sha256:".len();
    let other = if &lock[at..=at] == "0" { "1" } else { "0" };
    let tampered = format!("{}{other}{}", &lock[..at], &lock[at + 1..]);
    user.file("wkg.lock", &tampered);
    user.run(&["fetch", "--locked"])
        .no()
        .saying("acme:greet@1.0.0 is not what wkg.lock says")
        .saying(&lock[at..at + 64])
        .saying(&tampered[at..at + 64]);
    assert_eq!((text(&user, "wkg.lock"), deps(&user).exists()), (tampered, false));
}

#[test]
fn a_version_whose_content_was_replaced_is_refused() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["lock"]).yes();
    let changed = GREET.replace("greet: func", "hello: func");
    let_versions_change(&registry);
    push(&registry, "acme/greet:1.0.0", &wit::package(&[TYPES], &changed));
    user.run(&["fetch"]).no().saying("is not what wkg.lock says");
    user.run(&["lock", "--update"]).yes();
    user.run(&["fetch", "--locked"]).yes();
    assert!(text(&user, GREET_FILE).contains("hello: func"));
}

#[test]
fn content_that_is_no_package_of_that_name_is_refused() {
    let registry = RegistryProcess::start();
    let user = user_of(&registry);
    let_versions_change(&registry);
    let evil = GREET.replace("acme:greet@1.0.0", "wasi:http@1.0.0");
    let newer = GREET.replace("greet@1.0.0", "greet@1.0.1");
    for (bytes, words) in [
        (wit::package(&[TYPES], &evil), "calls itself \"wasi:http@1.0.0\""),
        (wit::package(&[TYPES], &newer), "calls itself \"acme:greet@1.0.1\""),
        (wat::component(), "is a component, not a WIT package"),
        (wat::module(), "is a core module, not a WIT package"),
    ] {
        push(&registry, "acme/greet:1.0.0", &bytes);
        user.run(&["lock", "--update"]).yes();
        user.run(&["fetch"]).no().saying(words);
        assert_eq!(names(&user.work().join("wit")), ["world.wit"]);
    }
}

#[test]
fn names_cannot_leave_the_folder() {
    let registry = RegistryProcess::start();
    let user = user_of(&registry);
    let_versions_change(&registry);
    let raw = Raw::new(&registry);
    for name in [
        "../../acme:greet/greeting@1.0.0",
        "acme:greet/../../x@1.0.0",
        "acme:greet/greeting@1.0.0/../../x",
    ] {
        let bytes = wat::encode(&format!(
            "(component (type (component (type (instance)) (export \"{name}\" (instance (type 0))))) (export \"greeting\" (type 0)))"
        ));
        raw.push("acme/greet", "{}", &Descriptor::of(MediaType::WASM, &bytes), &bytes);
        user.run(&["lock", "--update"]).yes();
        user.run(&["fetch"]).no().saying("acme:greet@1.0.0");
        assert_eq!(names(&user.work().join("wit")), ["world.wit"]);
    }
}

#[test]
fn packages_that_would_share_a_folder_are_refused() {
    let registry = RegistryProcess::start();
    let user = user_of(&registry);
    let other = "package acme-greet:more@1.0.0; interface i { type t = u8; }";
    let same = GREET
        .replace("acme:greet@", "acme:greet-more@")
        .replace("acme:types/names@1.0.0.{name}", "acme-greet:more/i@1.0.0.{t as name}");
    push(&registry, "acme/greet-more:1.0.0", &wit::package(&[other], &same));
    user.file("wit/world.wit", WORLD.replace("acme:greet/", "acme:greet-more/"));
    user.run(&["fetch"]).no().saying("would have the same folder");
    assert!(!deps(&user).exists());
}

#[test]
fn what_nothing_wants_any_more_goes_and_what_was_changed_is_restored() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["fetch"]).yes();
    user.file(GREET_FILE, "package acme:greet@1.0.0; // changed");
    user.file("wit/deps/acme-greet-1.0.0.wasm", "as wkg can write it");
    user.file("wit/deps/README.md", "of no interest");
    user.run(&["fetch"]).yes();
    assert_eq!(text(&user, GREET_FILE).trim_end(), GREET.trim_end());
    assert_eq!(
        names(&deps(&user)),
        ["README.md", "acme-greet-1.0.0", "acme-types-1.0.0"]
    );
    user.file("wit/world.wit", WORLD.replace("greet/greeting", "types/names"));
    user.run(&["fetch"]).yes();
    assert_eq!(names(&deps(&user)), ["README.md", "acme-types-1.0.0"]);
}

#[test]
fn what_somebody_put_into_the_folder_is_not_touched() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    for name in [
        "wit/deps/mine/types.wit",
        "wit/deps/mine/package.wit",
        "wit/deps/acme-greet-1.0.0/more.wit",
        "wit/deps/mine.wit",
        "wit/deps/mine.wasm",
    ] {
        user.file(name, "package acme:mine@1.0.0;");
        user.run(&["fetch"])
            .no()
            .saying("was not put there by wreg or wkg")
            .saying("wkg.toml");
        assert_eq!(names(&user.work()), ["wit"]);
        assert_eq!(text(&user, name), "package acme:mine@1.0.0;");
        fs::remove_dir_all(deps(&user)).expect("it is there");
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.file("elsewhere/kept", "");
    let link =
        |at: &str| std::os::unix::fs::symlink(user.work().join("elsewhere"), user.work().join(at)).expect("a link");
    link("wit/deps");
    user.run(&["fetch"]).no().saying("wit/deps is no folder");
    fs::remove_file(deps(&user)).expect("the link");
    fs::create_dir(deps(&user)).expect("a folder");
    link("wit/deps/acme-greet-1.0.0");
    user.run(&["fetch"])
        .no()
        .saying("wit/deps/acme-greet-1.0.0 is neither a file nor a folder");
    assert_eq!(names(&user.work().join("elsewhere")), ["kept"]);
}

#[test]
fn packages_on_this_machine_are_used_where_the_manifest_names_them() {
    let registry = RegistryProcess::start();
    let user = user_of(&registry);
    push(&registry, "acme/types:1.0.0", &wit::package(&[], TYPES));
    user.file("greet/wit/greet.wit", GREET);
    user.file("wkg.toml", "[overrides]\n\"acme:greet\" = { path = \"greet/wit\" }\n");
    user.run(&["fetch"]).yes();
    assert_eq!(text(&user, GREET_FILE).trim_end(), GREET.trim_end());
    // What the text there refers to is of a registry again.
    assert!(text(&user, "wkg.lock").contains("acme:types") && !text(&user, "wkg.lock").contains("acme:greet"));
    wit::packages(&user.work().join("wit")).expect("it resolves");
}

#[test]
fn a_reference_that_leads_nowhere_is_told() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.file("wkg.toml", "[overrides]\n\"acme:types\" = { version = \"1\" }\n");
    user.file(
        "wit/world.wit",
        WORLD.replace("import", "import acme:types/names@1.2.3;\n  import"),
    );
    let run = user.run(&["fetch", "--format", "json"]).yes();
    let run = run.saying("warning: the WIT text refers to acme:types@1.2.3, and wit/deps has acme:types@1.0.0");
    assert_eq!(run.json()["missing"], serde_json::json!(["acme:types@1.2.3"]));
}

#[test]
fn the_registry_that_the_lock_names_is_asked_without_a_token_that_is_meant_for_another() {
    let registry = RegistryProcess::start();
    let user = with_packages(&registry);
    user.run(&["lock"]).yes();
    let lock = text(&user, "wkg.lock");
    // Nothing is configured here, so the token could be for anybody.
    let other = User::of(&registry);
    other.file("wit/world.wit", WORLD);
    other
        .run(&["fetch"])
        .ended_in_usage("no registry is configured for acme:greet");
    other.file("wkg.lock", lock);
    other
        .run(&["fetch", "--locked"])
        .unknown()
        .saying("wants credentials for manifest acme/greet:1.0.0");
    let login = ["login", &registry.address().to_string(), "--token-stdin"];
    other.run_with_input(&login, registry.admin_token().as_bytes()).yes();
    other.run(&["fetch", "--locked"]).yes();
}
