//! Signatures beside an artifact: found wherever sigstore's tools put them, and checked.

use serde_json::Value;
use wreg_oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName, manifest::Content};
use wreg_trust::{
    attachment::signature_tag,
    signature::{
        Bundle, Identity, PublicKey, Signature, SimpleSigning, TrustRoot, Unproven,
        artifact::bundle_layer,
        bundle::MAX_BUNDLE,
        simple::{self, MAX_PAYLOAD},
        statement,
    },
};

use super::Registry;
use crate::Error;

/// How many of each form are looked at. Whoever may push can add any number.
const MAX_SIGNATURES: usize = 100;

/// Whose signatures count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    /// These keys'.
    pub keys: Vec<PublicKey>,
    /// Those of an identity, as the authorities and logs of a trust root prove them.
    pub identity: Option<(TrustRoot, Identity)>,
}

/// Who has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The key at that place among the trusted ones.
    Key(usize),
    /// The trusted identity.
    Identity(Identity),
}

/// A signature that is there, and what it proves.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSignature {
    /// The manifest of the artifact that it is in.
    pub artifact: Digest,
    /// What it proves, if it does.
    pub proven: Result<Proven, Unproven>,
}

/// What one that is trusted has signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// What kind of thing is said of the artifact: a URI; that of cosign's signatures says nothing but that it is signed.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
    /// Who has signed it.
    pub signer: Signer,
}

impl Trusted {
    /// What a bundle proves of the manifest with that digest.
    fn proven(&self, bundle: &Bundle, digest: &Digest) -> Result<Proven, Unproven> {
        let (statement, signer) = match (bundle.verify(digest, &self.keys), &self.identity) {
            (Err(Unproven::Signature), Some((root, identity))) if bundle.is_keyless() || self.keys.is_empty() => {
                let statement = bundle.verify_keyless(digest, root, identity)?;
                (statement, Signer::Identity(identity.clone()))
            }
            (proven, _) => {
                let (statement, key) = proven?;
                (statement, Signer::Key(key))
            }
        };
        Ok(Proven {
            predicate_type: statement.predicate_type,
            predicate: statement.predicate,
            signer,
        })
    }
}

impl Registry {
    /// The signatures of a manifest: bundles among its referrers, and what stands under its tag `sha256-….sig`; of each at most 100 are
    /// looked at. What is malformed, too large or gone proves nothing, and is no error. Identities are looked for in bundles only.
    pub async fn signatures(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        trusted: &Trusted,
    ) -> Result<Vec<FoundSignature>, Error> {
        let mut found = Vec::new();
        let referrers = self.referrers(repository, digest).await?;
        let bundles = referrers
            .into_iter()
            .filter(|referrer| referrer.artifact_type.as_ref() == Some(&MediaType::SIGSTORE_BUNDLE));
        for referrer in bundles.take(MAX_SIGNATURES) {
            let bundle = passing_over(self.bundle(repository, &referrer.digest).await)?.flatten();
            let bundle = bundle.ok_or(Unproven::Malformed);
            let proven = bundle.and_then(|bundle| trusted.proven(&bundle, digest));
            found.push(FoundSignature {
                artifact: referrer.digest,
                proven,
            });
        }
        found.extend(self.tagged_signatures(repository, digest, &trusted.keys).await?);
        Ok(found)
    }

    async fn bundle(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<Bundle>, Error> {
        let manifest = self.manifest(repository, &digest.clone().into()).await?;
        let parsed = Manifest::parse(&manifest.bytes, &manifest.descriptor.media_type).ok();
        let Some(layer) = parsed.as_ref().and_then(bundle_layer) else {
            return Ok(None);
        };
        let bytes = self.blob_bytes(repository, layer, MAX_BUNDLE as u64).await?;
        Ok(Bundle::parse(&bytes).ok())
    }

    /// Those of cosign's older form.
    pub(crate) async fn tagged_signatures(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        keys: &[PublicKey],
    ) -> Result<Vec<FoundSignature>, Error> {
        let Some(tag) = signature_tag(digest) else {
            return Ok(Vec::new());
        };
        let Some(manifest) = passing_over(self.manifest(repository, &tag.into()).await)? else {
            return Ok(Vec::new());
        };
        let parsed = Manifest::parse(&manifest.bytes, &manifest.descriptor.media_type).map(|manifest| manifest.content);
        let Ok(Content::Image { layers, .. }) = parsed else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let signed = |layer: &&Descriptor| layer.media_type == MediaType::SIMPLE_SIGNING;
        for layer in layers.iter().filter(signed).take(MAX_SIGNATURES) {
            let payload = passing_over(self.blob_bytes(repository, layer, MAX_PAYLOAD).await)?;
            let signature = layer.annotations.get(simple::SIGNATURE);
            let signature: Option<Signature> = signature.and_then(|text| text.parse().ok());
            let proven = match (payload, signature) {
                (Some(payload), Some(signature)) => {
                    let place = |key: &PublicKey| {
                        SimpleSigning::verify(&payload, &signature, digest, std::slice::from_ref(key)).is_some()
                    };
                    keys.iter().position(place).ok_or(Unproven::Signature)
                }
                _ => Err(Unproven::Malformed),
            };
            found.push(FoundSignature {
                artifact: manifest.descriptor.digest.clone(),
                proven: proven.map(|key| Proven {
                    predicate_type: statement::SIGNED.to_owned(),
                    predicate: Value::Object(serde_json::Map::new()),
                    signer: Signer::Key(key),
                }),
            });
        }
        Ok(found)
    }
}

/// What is not there, or not what it should be, is nothing; that the registry cannot be asked is an error.
pub(crate) fn passing_over<T>(asked: Result<T, Error>) -> Result<Option<T>, Error> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(
            Error::NotFound { .. } | Error::TooLarge { .. } | Error::DigestMismatch { .. } | Error::SizeMismatch { .. },
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
