//! Scopes as text, and what they give.

use proptest::prelude::*;

use super::*;

fn scopes(text: &str) -> TokenScopes {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn name(text: &str) -> RepositoryName {
    text.parse().expect("a name")
}

#[test]
fn a_pattern_matches_what_it_says_and_nothing_beside_it() {
    let pull = |text: &str, repository: &str| scopes(text).allow(Action::Pull, &name(repository));
    for (scope, repository) in [
        ("*:pull", "hello"),
        ("*:pull", "acme/team/hello"),
        ("acme/*:pull", "acme/hello"),
        ("acme/*:pull", "acme/team/hello"),
        ("acme/hello:pull", "acme/hello"),
        ("other:push acme/hello:pull", "acme/hello"),
    ] {
        assert!(pull(scope, repository), "{scope} {repository}");
    }
    for (scope, repository) in [
        ("acme/*:pull", "acme"),
        ("acme/*:pull", "acme-labs/hello"),
        ("acme/*:pull", "acmeb"),
        ("acme/*:pull", "not/acme/hello"),
        ("acme/hello:pull", "acme/hello2"),
        ("acme/hello:pull", "acme/hello/world"),
        ("acme/hello:push,delete,repo:admin", "acme/hello"),
        ("*:server:admin", "acme/hello"),
    ] {
        assert!(!pull(scope, repository), "{scope} {repository}");
    }
}

#[test]
fn push_is_the_word_for_creating_and_updating_tags() {
    assert_eq!(scopes("a:push"), scopes("a:tag:update,tag:create"));
    assert_eq!(scopes("a:tag:update,pull,tag:create").to_string(), "a:pull,push");
    let create_only = scopes("a:pull,tag:create");
    assert_eq!(create_only.to_string(), "a:pull,tag:create");
    assert!(create_only.allow(Action::CreateTag, &name("a")) && !create_only.allow(Action::UpdateTag, &name("a")));
}

#[test]
fn what_is_no_scope_is_refused_with_what_one_looks_like() {
    for (text, words) in [
        ("acme/hello", "REPOSITORIES:ACTIONS"),
        ("acme/hello:", "is no action"),
        ("acme/hello:read", "pull, push"),
        ("acme/hello:pull,", "is no action"),
        ("acme/hello: pull", "is no action"),
        ("acme/hello:PULL", "is no action"),
        (":pull", "is no pattern"),
        ("**:pull", "is no pattern"),
        ("/*:pull", "is no pattern"),
        ("acme/**:pull", "is no pattern"),
        ("acme*:pull", "is no pattern"),
        ("*/hello:pull", "is no pattern"),
        ("acme/*/hello:pull", "is no pattern"),
        ("Acme/*:pull", "is no pattern"),
        ("acme/*:server:admin", "write *:server:admin"),
    ] {
        let error = text.parse::<TokenScope>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    assert_eq!("".parse::<TokenScopes>(), Err(InvalidScope::Count));
    let many = "a:pull ".repeat(MAX_SCOPES + 1);
    assert_eq!(many.parse::<TokenScopes>(), Err(InvalidScope::Count));
    assert!(many[7..].parse::<TokenScopes>().is_ok());
    let error = "x".repeat(10_000).parse::<RepositoryPattern>().expect_err("too long");
    assert!(error.to_string().len() < 300);
}

#[test]
fn json_is_a_list_of_texts() {
    let json = r#"["acme/*:pull,push","acme/hello:delete"]"#;
    let parsed: TokenScopes = serde_json::from_str(json).expect("scopes");
    assert_eq!(parsed, scopes("acme/*:pull,push acme/hello:delete"));
    assert_eq!(serde_json::to_string(&parsed).expect("text"), json);
    for json in [
        "[]",
        r#""a:pull""#,
        r#"["a"]"#,
        "[1]",
        r#"[{"pattern":"a","actions":"pull"}]"#,
    ] {
        assert!(serde_json::from_str::<TokenScopes>(json).is_err(), "{json}");
    }
}

fn any_name() -> impl Strategy<Value = String> {
    // Short, of few letters: names that lie below each other have to come up.
    "[ab](-[ab])?(/[ab]{1,2}){0,2}"
}

fn any_pattern() -> impl Strategy<Value = RepositoryPattern> {
    let one = any_name().prop_map(|text| RepositoryPattern::One(name(&text)));
    let below = any_name().prop_map(|text| RepositoryPattern::Below(name(&text)));
    prop_oneof![1 => Just(RepositoryPattern::All), 3 => one, 3 => below]
}

fn any_scope() -> impl Strategy<Value = TokenScope> {
    (any_pattern(), proptest::sample::subsequence(&Action::ALL[..5], 1..=5)).prop_map(|(pattern, actions)| {
        let words: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
        TokenScope::new(pattern, words.join(",").parse().expect("actions")).expect("a scope")
    })
}

fn any_scopes() -> impl Strategy<Value = TokenScopes> {
    proptest::collection::vec(any_scope(), 1..4).prop_map(|scopes| scopes.try_into().expect("scopes"))
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(scopes in any_scopes()) {
        prop_assert_eq!(scopes.to_string().parse::<TokenScopes>(), Ok(scopes));
    }

    #[test]
    fn any_text_is_a_scope_or_is_refused(text in ".{0,40}") {
        if let Ok(scope) = text.parse::<TokenScope>() {
            prop_assert_eq!(scope.to_string().parse::<TokenScope>(), Ok(scope));
        }
    }

    #[test]
    fn what_is_covered_gives_nothing_more(ours in any_scopes(), theirs in any_scopes(), repository in any_name()) {
        let repository = name(&repository);
        for action in Action::ALL {
            if ours.cover(&theirs) && theirs.allow(action, &repository) {
                prop_assert!(ours.allow(action, &repository), "{} does not give {:?} on {}", ours, action, repository);
            }
        }
        prop_assert!(ours.cover(&ours));
        prop_assert!(TokenScopes::everything().cover(&ours));
    }
}
