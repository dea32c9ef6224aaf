//! The artifact that a bundle travels in: a manifest whose subject is what the statement is about.
//!
//! Source: cosign 3, `pkg/oci/remote/write.go`; OCI image specification 1.1, "Guidance for an Empty Descriptor".

use wreg_oci::{Annotations, Attachment, Descriptor, Manifest, MediaType, manifest::Content};

use super::{bundle::Bundle, statement::Statement};

const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

impl Bundle {
    /// Packs the bundle, which has this statement, to stand beside `subject`. What is signed again is the same artifact.
    pub fn beside(&self, statement: &Statement, subject: &Descriptor) -> Attachment {
        let annotations = [(CONTENT, "dsse-envelope"), (PREDICATE_TYPE, &*statement.predicate_type)];
        let annotations: Annotations = annotations
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into();
        let layers = vec![(MediaType::SIGSTORE_BUNDLE, self.to_bytes())];
        Attachment::about(subject, &MediaType::SIGSTORE_BUNDLE, layers, &annotations)
    }
}

/// The layer of a manifest that holds a bundle, if it is such an artifact: one layer, which is one.
pub fn bundle_layer(manifest: &Manifest) -> Option<&Descriptor> {
    let Content::Image { layers, .. } = &manifest.content else {
        return None;
    };
    match &**layers {
        [layer] if layer.media_type == MediaType::SIGSTORE_BUNDLE => Some(layer),
        _ => None,
    }
}
