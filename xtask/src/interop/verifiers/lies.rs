//! What is told of what: the rows of the table.

/// A row: what the proxy tells of the version 1.0.0 in a repository.
pub(super) struct Lie {
    /// What the proxy calls it, and the page.
    pub(super) name: &'static str,
    pub(super) repository: &'static str,
    /// What it is, for readers.
    pub(super) about: &'static str,
}

/// The truth: every verifier must accept it, or a refusal would show nothing.
pub(super) const TRUTH: &str = "nothing";

const fn truth(repository: &'static str, about: &'static str) -> Lie {
    Lie {
        name: TRUTH,
        repository,
        about,
    }
}

const fn lie(name: &'static str, about: &'static str) -> Lie {
    Lie {
        name,
        repository: "acme/wreg",
        about,
    }
}

/// In the order of the page.
pub(super) const LIES: &[Lie] = &[
    truth("acme/wreg", "pushed by wreg"),
    truth("acme/oras", "pushed by oras"),
    truth("acme/wkg", "pushed by wkg"),
    truth("acme/own", "signed with another key too"),
    lie("artifact", "a bit of the component, on its way"),
    lie("config", "a bit of the artifact's config, on its way"),
    lie(
        "manifest",
        "a bit of the manifest's last text, the file name of the component",
    ),
    lie(
        "payload",
        "a bit of what is signed, in both bundles: of the time of publication, and of the version of cosign's type",
    ),
    lie("signature", "a bit of the signature, in both bundles"),
    lie(
        "bundle",
        "a bit of what is not signed, in both bundles: of the version in the media type, 0.2 for 0.3",
    ),
    lie("proof", "a bit of a hash in the proof that the log has it"),
    lie("checkpoint", "a bit of the root hash in the log's checkpoint"),
    lie("tile", "a bit of a hash in each tile of the log"),
    lie(
        "older-payload",
        "a bit of what is signed in the older form: of the type that it names",
    ),
    lie("older-signature", "a bit of the signature in the older form"),
];
