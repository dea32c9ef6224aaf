//! `wreg completions`.

use crate::wreg::User;

#[test]
fn every_shell_gets_a_script() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(&["completions", shell]).yes().text();
        assert!(script.contains("validate") && script.contains("plain-http"), "{shell}");
    }
}
