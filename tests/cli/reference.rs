//! `wreg reference`, the page docs/reference/cli.md.

use crate::wreg::User;

#[test]
fn the_page_does_not_depend_on_the_machine() {
    let user = User::new();
    let plain = user.run(&["reference"]).yes();
    assert!(!plain.text().contains(&user.work().display().to_string()));
    let other = User::new()
        .with("COLUMNS", "40")
        .with("WREG_REGISTRY", "registry.example")
        .with("WREG_TOKEN", "secret")
        .with("NO_COLOR", "1")
        .with("XDG_CACHE_HOME", "/elsewhere");
    assert_eq!(
        other.run(&["reference", "--color", "always"]).yes().text(),
        plain.text()
    );
}

#[test]
fn the_page_has_every_command_and_option() {
    let user = User::new();
    let page = user.run(&["reference"]).yes().text();
    let help = user.run(&["--help"]).yes().text();
    let verbs = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let verbs: Vec<_> = verbs
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() > 10, "{verbs:?}");
    for verb in verbs {
        assert!(page.contains(&format!("\n## wreg {verb}\n")), "{verb}");
        let help = user.run(&[verb, "--help"]).yes().text();
        for option in help
            .split_whitespace()
            .filter(|word| word.starts_with("--") && word.len() > 2)
        {
            let option = option.trim_end_matches([',', ':', '.', ')', '…']);
            assert!(option == "--help" || page.contains(option), "{verb} {option}");
        }
    }
}
