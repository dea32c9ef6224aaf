//! The library oci-client from a command line, so that it can be run beside the other clients of registries: `cargo xtask interop`.
//!
//! `oci_client push REFERENCE FILE`, `pull REFERENCE FILE`, `copy FROM TO`, `list REFERENCE`, `referrers REFERENCE`; the password is
//! taken from `TOKEN`, plain http is spoken with `PLAIN_HTTP` set.
#![expect(clippy::print_stdout, reason = "it is a command")]
#![expect(clippy::disallowed_methods, reason = "a command with small files")]

use std::{env, error::Error, fs};

use oci_client::{
    Reference,
    client::{Client, ClientConfig, ClientProtocol, Config, ImageLayer},
    manifest::{OciDescriptor, OciManifest},
    secrets::RegistryAuth,
};
use wreg_oci::MediaType;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let plain = env::var_os("PLAIN_HTTP").is_some();
    let client = Client::new(ClientConfig {
        protocol: if plain {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        },
        ..ClientConfig::default()
    });
    let auth = RegistryAuth::Basic("me".to_owned(), env::var("TOKEN")?);
    match arguments[..] {
        ["push", reference, file] => {
            let layer = ImageLayer::new(fs::read(file)?, MediaType::WASM.to_string(), None);
            let config = Config::new(&b"{}"[..], MediaType::WASM_CONFIG.to_string(), None);
            let pushed = client.push(&reference.parse()?, &[layer], config, &auth, None).await?;
            println!("{}", pushed.manifest_url);
        }
        ["pull", reference, file] => {
            let image = client
                .pull(&reference.parse()?, &auth, vec![MediaType::WASM.as_str()])
                .await?;
            fs::write(file, &image.layers[0].data)?;
        }
        ["copy", from, to] => copy(&client, &auth, &from.parse()?, &to.parse()?).await?,
        ["list", reference] => {
            let list = client.list_tags(&reference.parse()?, &auth, None, None).await?;
            println!("{}", list.tags.join("\n"));
        }
        ["referrers", reference] => {
            let subject: Reference = reference.parse()?;
            let digest = client.fetch_manifest_digest(&subject, &auth).await?;
            let index = client.pull_referrers(&subject.clone_with_digest(digest), None).await?;
            for referrer in index.manifests {
                println!("{} {}", referrer.digest, referrer.artifact_type.unwrap_or_default());
            }
        }
        _ => {
            return Err(
                "push REFERENCE FILE, pull REFERENCE FILE, copy FROM TO, list REFERENCE or referrers REFERENCE".into(),
            );
        }
    }
    Ok(())
}

/// Mounts the content from the one repository into the other, and pushes the manifest there.
async fn copy(client: &Client, auth: &RegistryAuth, from: &Reference, to: &Reference) -> Result<(), Box<dyn Error>> {
    client.store_auth_if_needed(to.resolve_registry(), auth).await;
    let (manifest, _) = client.pull_image_manifest(from, auth).await?;
    let blobs = [&manifest.config].into_iter().chain(&manifest.layers);
    for OciDescriptor { digest, .. } in blobs {
        client.mount_blob(to, from, digest).await?;
    }
    client.push_manifest(to, &OciManifest::Image(manifest)).await?;
    Ok(())
}
