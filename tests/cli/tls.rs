//! A registry over TLS, whose certificate authority `--ca-file` names.

use wreg_harness::{RegistryProcess, certificates::Certificates, fixtures::wat};

use crate::wreg::User;

fn start(certificates: &Certificates) -> RegistryProcess {
    RegistryProcess::builder()
        .env("WREG_TLS_CERTIFICATE", certificates.certificate())
        .env("WREG_TLS_KEY", certificates.key())
        .start()
}

#[test]
fn a_component_goes_and_comes_over_tls_with_the_named_authority() {
    let certificates = Certificates::new();
    let registry = start(&certificates);
    assert!(
        registry
            .stdout()
            .starts_with(&format!("listening on https://{}\n", registry.address()))
    );
    let authority = certificates.authority();
    let authority = authority.to_str().expect("text");
    let user = User::of(&registry);
    let file = user.file("hello.wasm", wat::component());
    let port = registry.address().port();
    for (host, output) in [
        (format!("127.0.0.1:{port}"), "a.wasm"),
        (format!("localhost:{port}"), "b.wasm"),
    ] {
        let reference = format!("{host}/acme/hello:1.0.0");
        let pushed = user
            .run(&["push", &file, &reference, "--ca-file", authority])
            .yes()
            .line();
        assert!(pushed.starts_with(&format!("{host}/acme/hello@sha256:")), "{pushed}");
        let pulled = user.run(&["pull", &reference, "-o", output, "--ca-file", authority]);
        assert_eq!(pulled.yes().line(), pushed);
        assert_eq!(user.read(output), wat::component());
    }
}

/// **K07** A registry over TLS whose authority is not trusted, or plain http to it → an error with what to do, and no credentials sent.
#[test]
fn a_registry_with_an_unknown_authority_gets_nothing() {
    let (certificates, other) = (Certificates::new(), Certificates::new());
    let registry = start(&certificates);
    let user = User::of(&registry);
    let host = registry.address().to_string();
    let authority = other.authority();
    let authority = authority.to_str().expect("text");
    user.run(&["repository", "list", &host, "--ca-file", authority])
        .unknown()
        .saying("--ca-file");
    // Without the flag it is plain http that is spoken on loopback, which this server does not take.
    user.run(&["repository", "list", &host]).unknown();
}
