//! WebAssembly that was written to do harm, or by mistake.

use serde_json::json;
use wreg_harness::fixtures::wat;

use super::{artifact, config_of, push, set, settled, shown};
use crate::registry::{TestRegistry, refused};

/// A number as WebAssembly writes it (LEB128).
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).expect("seven bits");
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

/// So many components, each in the one before.
fn nested(levels: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    let mut heads = Vec::new();
    let mut size = HEADER.len();
    for _ in 1..levels {
        let head = [HEADER, &[4], &number(size)].concat();
        size += head.len();
        heads.push(head);
    }
    heads.reverse();
    [heads.concat(), HEADER.to_vec()].concat()
}

/// A component with a custom section.
fn with_section(name: &[u8], content: &[u8]) -> Vec<u8> {
    let section = [&number(name.len()), name, content].concat();
    [&wat::component()[..], &[0], &number(section.len()), &section].concat()
}

/// Twenty thousand components in one another, in 238 kB → 201, refused by the analysis before it costs anything, and 400 where the policy demands valid wasm.
#[tokio::test]
async fn a_bomb_of_nested_components_costs_nothing() {
    let registry = TestRegistry::start().await;
    let bomb = nested(20_000);
    assert!((200_000..300_000).contains(&bomb.len()), "{}", bomb.len());
    assert_eq!(push(&registry, "acme/hello", "bomb", &bomb).await.status(), 201);
    let shown = shown(&registry, "acme/hello", "bomb").await;
    assert_eq!(shown["state"], "invalid");
    set(&registry, "acme", &json!({ "components": "enforce" })).await;
    refused(
        push(&registry, "acme/hello", "again", &bomb).await,
        400,
        "MANIFEST_INVALID",
    )
    .await;
}

/// **W05** A name section that is no UTF-8, and a custom section of megabytes → 201, and what can be known is known.
#[tokio::test]
async fn sections_that_cannot_be_read_do_not_matter() {
    let registry = TestRegistry::start().await;
    for (tag, layer) in [
        ("name", with_section(b"component-name", &[0xff; 100])),
        ("authors", with_section(b"authors", &[0xc3, 0x28])),
        ("dependencies", with_section(b".dep-v0", b"no zlib")),
        ("large", with_section(b"filler", &vec![7; 3 << 20])),
    ] {
        assert_eq!(push(&registry, "acme/hello", tag, &layer).await.status(), 201);
        let shown = shown(&registry, "acme/hello", tag).await;
        assert_eq!(
            (&shown["state"], &shown["findings"]),
            (&json!("analysed"), &json!([])),
            "{tag}"
        );
        assert_eq!(shown["analysis"]["exports"][0]["name"], "wreg:demo/adder@0.1.0");
    }
}

/// **W07** A proposal beyond the accepted set → 201, and the finding names it.
#[tokio::test]
async fn a_feature_that_is_not_accepted_is_named() {
    let registry = TestRegistry::start().await;
    // A memory with pages of one byte: the proposal "custom page sizes".
    let layer = wat::encode("(module (memory 1 (pagesize 1)))");
    assert_eq!(push(&registry, "acme/hello", "latest", &layer).await.status(), 201);
    let shown = shown(&registry, "acme/hello", "latest").await;
    let message = shown["findings"][0]["message"].as_str().expect("text");
    assert!(message.contains("custom-page-sizes"), "{message}");
}

/// **W10** A name inside that claims another package, and texts that steer a terminal or a page → shown as its claim, printable, and used for nothing.
#[tokio::test]
async fn what_a_component_says_of_itself_is_shown_and_believed_by_nobody() {
    let registry = TestRegistry::start().await;
    let text = "wasi:http \u{1b}[31m<script>alert(1)</script>\u{202e}\r\nSet-Cookie: a=b";
    let layer = with_section(b"description", text.as_bytes());
    let manifest = artifact(&registry, "acme/hello", &layer, &config_of(&layer)).await;
    assert_eq!(
        registry.put_manifest("acme/hello", "1.0.0", &manifest).await.status(),
        201
    );
    settled(&registry).await;
    let shown = shown(&registry, "acme/hello", "1.0.0").await;
    let said = shown["analysis"]["metadata"]["description"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(
        said.contains("<script>") && !said.contains(['\u{1b}', '\u{202e}', '\r', '\n']),
        "{said:?}"
    );
    let answer = registry.send("GET", "/api/v1/search?q=script").await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let found = answer.text().await.expect("a body");
    assert!(
        found.contains("acme/hello") && !found.contains(['\u{1b}', '\u{202e}']),
        "{found}"
    );
    let answer = registry.send("GET", "/api/v1/search?exports=wasi:http").await;
    assert!(!answer.text().await.expect("a body").contains("acme/hello"));
}
