//! The lies, each of one bit. Where another digest follows from it, everything that names the digest is told accordingly, so that it is for
//! keys, not for digests, to notice.

use std::error::Error;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use wreg_harness::liar::{Lie, tell};

use crate::published::{Published, hex, text};

/// A text and what is told for it.
type Told = (String, String);

/// What the targets have in common that are lied about, and how.
pub(crate) fn make(lie: &str, published: &Published<'_>) -> Result<(String, Lie), Box<dyn Error>> {
    let one = |told| consistent(published, &[told]);
    match lie {
        "nothing" => Ok((String::new(), Lie::None)),
        "artifact" => blob(published, "/layers/0/digest"),
        "config" => blob(published, "/config/digest"),
        // The last text of the manifest.
        "manifest" => one(flipped(&published.manifest()?, r#"""#)?),
        "payload" => in_bundles(published, |envelope| {
            let payload = String::from_utf8(BASE64.decode(text(&envelope["payload"])?)?)?;
            // A digit of the time of publication, or of the version of the statement's type.
            let place = [r#""published":1"#, "/sign/v"].iter().find_map(|before| {
                let found = payload.find(before)?;
                Some(found + before.len())
            });
            in_base64(text(&envelope["payload"])?, place.ok_or("a payload of another kind")?)
        }),
        "signature" => in_bundles(published, |envelope| {
            let signature = text(&envelope["signatures"][0]["sig"])?;
            in_base64(signature, BASE64.decode(signature)?.len() - 1)
        }),
        // Its version: 0.2 in place of 0.3.
        "bundle" => one(flipped(
            r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3"#,
            "",
        )?),
        "proof" => {
            let blobs = published.everything()?;
            let proof = blobs.iter().find(|blob| blob.starts_with("c2sp.org/tlog-proof"));
            let mut lines = proof.ok_or("no proof")?.lines();
            let hash = lines.find(|line| BASE64.decode(line).is_ok_and(|hash| hash.len() == 32));
            one(in_base64(hash.ok_or("a proof without a hash")?, 0)?)
        }
        "older-payload" => one(flipped(r#""type":"cosign container image signature"#, "")?),
        "older-signature" => {
            let manifest: Value = serde_json::from_str(&published.tagged()?)?;
            let signature = text(&manifest["layers"][0]["annotations"]["dev.cosignproject.cosign/signature"])?;
            one(in_base64(signature, BASE64.decode(signature)?.len() - 1)?)
        }
        "checkpoint" => {
            let checkpoint = published.get("/log/checkpoint")?;
            let root = checkpoint.lines().nth(2).ok_or("no root")?;
            Ok(("/log/checkpoint".to_owned(), Lie::Told(vec![in_base64(root, 0)?])))
        }
        "tile" => Ok(("/log/tile/".to_owned(), Lie::Bit(3))),
        _ => Err(format!("no such lie: {lie}").into()),
    }
}

/// A bit of a blob on its way.
fn blob(published: &Published<'_>, pointer: &str) -> Result<(String, Lie), Box<dyn Error>> {
    let manifest: Value = serde_json::from_str(&published.manifest()?)?;
    let digest = text(manifest.pointer(pointer).ok_or("no such blob")?)?;
    Ok((format!("/blobs/{digest}"), Lie::Bit(40)))
}

/// A bit in the envelope of each bundle, told by `change`.
fn in_bundles(
    published: &Published<'_>,
    change: impl Fn(&Value) -> Result<Told, Box<dyn Error>>,
) -> Result<(String, Lie), Box<dyn Error>> {
    let mut told = Vec::new();
    for blob in published.everything()? {
        let bundle: Value = serde_json::from_str(&blob).unwrap_or_default();
        if let Some(envelope) = bundle.get("dsseEnvelope") {
            told.push(change(envelope)?);
        }
    }
    consistent(published, &told)
}

/// Those texts, and for all that holds them, and all that names that, the digests that follow.
fn consistent(published: &Published<'_>, told: &[Told]) -> Result<(String, Lie), Box<dyn Error>> {
    let everything = published.everything()?;
    let mut all = told.to_vec();
    loop {
        let digests = everything.iter().filter_map(|truth| {
            let lie = tell(truth.clone(), &all);
            (lie != *truth).then(|| (hex(truth), hex(&lie)))
        });
        let next: Vec<Told> = told.iter().cloned().chain(digests).collect();
        if next == all {
            return Ok(("/v2/".to_owned(), Lie::Told(all)));
        }
        all = next;
    }
}

/// A text up to the last `end`, with another bit in its last letter.
fn flipped(text: &str, end: &str) -> Result<Told, Box<dyn Error>> {
    let text = &text[..text.rfind(end).ok_or("no such text")?];
    let mut told = text.as_bytes().to_vec();
    *told.last_mut().ok_or("an empty text")? ^= 1;
    Ok((text.to_owned(), String::from_utf8(told)?))
}

/// Base64 with another bit in the byte at `place`.
fn in_base64(truth: &str, place: usize) -> Result<Told, Box<dyn Error>> {
    let mut bytes = BASE64.decode(truth)?;
    *bytes.get_mut(place).ok_or("no such byte")? ^= 1;
    Ok((truth.to_owned(), BASE64.encode(bytes)))
}
