//! Who is asked, and what each refuses: the columns of the table.

use super::verifier::{Tool, Verifier};
use crate::{
    go_tools::GoLibrary,
    interop::{
        client::Install,
        versions::{COSIGN, COSIGN_2},
    },
};

/// What both of wreg's refuse: every lie about what they go by.
const BY_WREG: &[(&str, &str)] = &[
    ("artifact", "is not what was asked for"),
    ("config", "is not what was asked for"),
    ("manifest", "it is about another artifact"),
    ("payload", "none of the keys that are trusted has signed it"),
    ("signature", "none of the keys that are trusted has signed it"),
    ("bundle", "a statement urn:wreg:publish:v1 is not there"),
    ("proof", "the proof does not show the entry to be in the log"),
    ("checkpoint", "the checkpoint is not signed by the log that is trusted"),
    ("tile", "the log was rewritten"),
];

const ABOUT_ANOTHER: &str = "provided artifact digest does not match any digest in statement";
const NOT_ACCEPTED: &str = "accepted signatures do not match threshold";
const INVALID: &str = "invalid signature when validating ASN.1 encoded signature";

/// What any verifier of bundles by cosign refuses.
const BY_COSIGN: &[(&str, &str)] = &[
    ("manifest", ABOUT_ANOTHER),
    ("payload", NOT_ACCEPTED),
    ("signature", NOT_ACCEPTED),
];

/// In the order of the page.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "wreg",
        about: "By the keys of the registry and its log, which were pinned by `wreg trust init`; the local store is empty.",
        install: None,
        program: None,
        verifiers: &[
            Verifier {
                name: "wreg pull",
                run: "wreg pull $ARTIFACT --output pulled.wasm",
                refuses: BY_WREG,
            },
            Verifier {
                name: "wreg verify",
                run: "wreg verify $ARTIFACT",
                refuses: BY_WREG,
            },
        ],
    },
    Tool {
        name: "cosign",
        about: "It goes by bundles if there are any that it can read, else by the older form, and reads no content.",
        install: Some(Install::Go(COSIGN)),
        program: None,
        verifiers: &[
            Verifier {
                name: "cosign 3",
                run: "\
cosign verify --key registry.pub --insecure-ignore-tlog --allow-http-registry $ARTIFACT",
                refuses: BY_COSIGN,
            },
            Verifier {
                name: "cosign 3, statement",
                run: "\
cosign verify-attestation --type urn:wreg:publish:v1 \\
  --key registry.pub --insecure-ignore-tlog --allow-http-registry $ARTIFACT",
                refuses: &[
                    ("manifest", ABOUT_ANOTHER),
                    ("payload", NOT_ACCEPTED),
                    ("signature", NOT_ACCEPTED),
                    ("bundle", "no matching attestations"),
                ],
            },
            Verifier {
                name: "cosign 3, older form",
                run: "\
cosign verify --new-bundle-format=false \\
  --key registry.pub --insecure-ignore-tlog --allow-http-registry $ARTIFACT",
                refuses: &[
                    ("manifest", INVALID),
                    ("older-payload", INVALID),
                    ("older-signature", INVALID),
                ],
            },
        ],
    },
    Tool {
        name: "cosign",
        about: "The last cosign 2, here by the name `cosign2`. As cosign 3 it goes by bundles first, and then wants the trusted root of a Sigstore, which it would \
                fetch; one that names nobody will do for a key. The older form alone it reads in what it has saved.",
        install: Some(Install::Go(COSIGN_2)),
        program: Some("cosign2"),
        verifiers: &[
            Verifier {
                name: "cosign 2",
                run: "\
cosign2 verify --trusted-root root.json \\
  --key registry.pub --insecure-ignore-tlog --allow-http-registry $ARTIFACT",
                refuses: BY_COSIGN,
            },
            Verifier {
                name: "cosign 2, older form",
                run: "\
cosign2 save --allow-http-registry --dir saved $ARTIFACT
cosign2 verify --local-image --trusted-root root.json --key registry.pub --insecure-ignore-tlog saved",
                refuses: &[
                    ("artifact", "error verifying sha256 checksum"),
                    ("config", "error verifying sha256 checksum"),
                    ("manifest", INVALID),
                    ("older-payload", INVALID),
                    ("older-signature", INVALID),
                ],
            },
        ],
    },
    Tool {
        name: "@sigstore/verify",
        about: "By `xtask/src/interop/verifiers/sigstore.mjs`, which compares the digest too. The library takes bundles of older versions.",
        install: Some(Install::Npm {
            name: "@sigstore/verify",
            version: "4.1.3",
            besides: "@sigstore/bundle@5.0.1",
            script: include_str!("sigstore.mjs"),
        }),
        program: Some("sigstore-js"),
        verifiers: &[Verifier {
            name: "@sigstore/verify",
            run: "\
bundles $ARTIFACT
sigstore-js registry.pub $(cat digest) bundles/*",
            refuses: &[
                ("manifest", "it is about another artifact"),
                ("payload", "signature verification failed"),
                ("signature", "signature verification failed"),
            ],
        }],
    },
    Tool {
        name: "sigstore-verify",
        about: "By `crates/trust/examples/sigstore_verify.rs`, from the parts of the library: its own `verify` takes no bundle without an entry of a log of \
                Sigstore or a timestamp (\"bundle must have at least one tlog entry or timestamp verification data\"), also where the policy asks for neither.",
        install: Some(Install::Library {
            name: "sigstore-verify",
            example: "sigstore_verify",
        }),
        program: Some("sigstore-rs"),
        verifiers: &[Verifier {
            name: "sigstore-verify",
            run: "\
bundles $ARTIFACT
sigstore-rs registry.pub $(cat digest) bundles/*",
            refuses: &[
                ("manifest", "it is about another artifact"),
                ("payload", "ECDSA_P256_SHA256 signature invalid"),
                ("signature", "ECDSA_P256_SHA256 signature invalid"),
                ("bundle", "Invalid media type"),
            ],
        }],
    },
    Tool {
        name: "containers/image",
        about: "What podman, skopeo and buildah are made of, by `xtask/src/interop/verifiers/policy.go`, which does what `skopeo copy` does. Debian's own builds \
                cannot: \"Source image rejected: Debian-local change: sigstore disabled\".",
        install: Some(Install::GoLibrary(GoLibrary {
            module: "go.podman.io/image/v5",
            version: "v5.42.1",
            tags: "containers_image_openpgp",
            program: "policy",
            source: include_str!("policy.go"),
        })),
        program: Some("policy"),
        verifiers: &[Verifier {
            name: "sigstoreSigned",
            run: "policy policy.json registries.d $ARTIFACT copied",
            refuses: &[
                ("artifact", "Digest did not match"),
                ("config", "config validation failed: blob digest"),
                ("manifest", INVALID),
                ("older-payload", INVALID),
                ("older-signature", INVALID),
            ],
        }],
    },
];
