//! What every request costs before anything is looked up: `cargo bench -p wreg-oci`.

use divan::{Bencher, black_box, counter::BytesCount};
use wreg_oci::{Algorithm, Digest, Endpoint, Manifest, MediaType};

fn main() {
    divan::main();
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[divan::bench(args = ["1.0.0", DIGEST])]
fn parse_endpoint(selector: &str) -> Endpoint {
    let path = format!("/v2/acme/hello/manifests/{selector}");
    Endpoint::parse("GET", black_box(&path), None).expect("an endpoint")
}

#[divan::bench]
fn parse_endpoint_of_an_upload() -> Endpoint {
    let path = "/v2/acme/hello/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8";
    let query = format!("digest={DIGEST}");
    Endpoint::parse("PUT", black_box(path), Some(&query)).expect("an endpoint")
}

/// An image manifest with so many layers.
#[divan::bench(args = [1, 10, 1000])]
fn parse_manifest(bencher: Bencher<'_, '_>, layers: usize) {
    let descriptor = |media_type: &str| format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":0}}"#);
    let layers: Vec<_> = (0..layers)
        .map(|layer| {
            let digest = Digest::sha256(layer.to_string());
            format!(r#"{{"mediaType":"application/wasm","digest":"{digest}","size":{layer}}}"#)
        })
        .collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
        descriptor("application/vnd.wasm.config.v0+json"),
        layers.join(",")
    );
    let media_type: MediaType = "application/vnd.oci.image.manifest.v1+json".parse().expect("a type");
    bencher
        .counter(BytesCount::of_str(&manifest))
        .bench(|| Manifest::parse(black_box(manifest.as_bytes()), &media_type).expect("a manifest"));
}

#[divan::bench(args = [Algorithm::Sha256, Algorithm::Sha512])]
fn digest_of_a_hundred_kib(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let bytes = vec![7; 100 * 1024];
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| Digest::of(algorithm, black_box(&bytes)));
}
