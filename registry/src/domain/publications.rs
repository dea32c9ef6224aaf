//! What the registry vouches for: each tag that is put is stated, signed and proved to be in the log, beside the manifest that it points to.
//!
//! Four things, all of them the same whenever they are made: the statement of the [publication](wreg_trust::publication) and cosign's own
//! statement that it is signed, each a sigstore bundle; a signature of cosign's older form; and the entry of the log with its proof.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use wreg_api::{LogSalt, Publication as State};
use wreg_component::Kind;
use wreg_oci::{Attachment, Descriptor, Digest, Manifest, MediaType, Tag, TagOrDigest};
use wreg_trust::{
    attachment::{self, TaggedSignature, docker_reference, signature_tag},
    log::Entry,
    publication::{Component, MAX_NAMES, Publication},
    signature::{Bundle, Signature, Statement, statement},
};

use super::{Error, Registry, Result, components::outcome};
use crate::{
    analyser::Outcome,
    auth::{Permit, permit::Pull},
    clock::millis,
    metadata::{
        attachments::{Attached, NewAttachment, PutAttachments},
        components::AnalysisState,
        jobs::{Claim, Once},
        log::{LogRecord, TagEntry, ToSign, digest_of},
        publications::{Publishable, Signatures},
    },
    signer::{Signer, SignerError},
};

/// How long a server may be busy with one job before another takes it over.
const LEASE: Duration = Duration::from_mins(1);
/// The pause before something is tried again that could not be signed yet; it grows with each attempt.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// How many jobs are looked up at a time, and how many are done together.
const AT_ONCE: i64 = 200;
const TOGETHER: usize = 16;
/// How often a tag is tried that moves meanwhile.
const TRIES: usize = 5;
/// The longest time that somebody may wait for a signature.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// How often somebody who waits is looked after, where another server signs.
const TICK: Duration = Duration::from_millis(100);

impl Registry {
    /// Signs what has just been published, whose jobs this server has.
    pub(super) async fn sign_all(&self, jobs: Vec<ToSign>) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let with = With {
            log: self.published_log().await?,
            signer: self.keys.active().await?,
        };
        let with = &with;
        let signed = stream::iter(jobs).map(|job| self.sign_one(with, job));
        signed.buffer_unordered(TOGETHER).try_collect::<()>().await
    }

    /// Signs some of what others left, or what could not be signed yet.
    pub async fn sign_due(&self, owner: &str) -> Result<()> {
        let now = self.clock.now();
        let due = self.metadata.list_due_jobs(Once::Sign, now, AT_ONCE).await?;
        let mut taken = Vec::new();
        for name in due {
            let until = now.saturating_add(millis(LEASE));
            let Some(claim) = self.metadata.take_job(&name, owner, now, until).await? else {
                continue;
            };
            let place = Once::Sign.subject(&name).and_then(|place| place.parse().ok());
            let entry = match place {
                Some(place) => self.metadata.find_tag_entry(place).await?,
                None => None,
            };
            if let Some(entry) = entry {
                let found = None;
                taken.push(ToSign { claim, entry, found });
            } else {
                tracing::warn!(job = name, "there is no entry of the log about a tag for this job");
            }
        }
        self.sign_all(taken).await
    }

    async fn sign_one(&self, with: &With, to_sign: ToSign) -> Result<()> {
        let ToSign {
            claim,
            entry,
            mut found,
        } = to_sign;
        for _ in 0..TRIES {
            match self.attach(with, &claim, &entry, found.take()).await {
                Ok(Some(Attached::Done | Attached::Lost)) => {
                    self.signed.send_modify(|count| *count += 1);
                    return Ok(());
                }
                Ok(Some(Attached::TagMoved)) => {}
                Ok(None) => break,
                // It must not keep the others from being signed.
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        place = entry.place,
                        "signing what was published failed; it will be tried again"
                    );
                    break;
                }
            }
        }
        // Not all of what it takes is there yet.
        let attempts = u32::try_from(claim.attempts).unwrap_or(u32::MAX);
        let pause = PAUSE.saturating_mul(attempts).min(MAX_PAUSE);
        self.metadata
            .retry_job(claim, self.clock.now().saturating_add(millis(pause)))
            .await?;
        Ok(())
    }

    /// Makes what belongs beside a publication, and stores it. `None` if it cannot be made yet.
    async fn attach(
        &self,
        with: &With,
        claim: &Claim,
        entry: &TagEntry,
        found: Option<Publishable>,
    ) -> Result<Option<Attached>> {
        let says = Entry::parse(entry.entry.as_bytes()).map_err(|error| Error::Unavailable(error.into()))?;
        let Some(digest) = says.digest.clone() else {
            let why = format!("entry {} of the log puts a tag nowhere", entry.place);
            return Err(Error::Unavailable(why.into()));
        };
        let tag = signature_tag(&digest);
        let found = if found.is_some() {
            found
        } else {
            let wanted = (&entry.repository, &digest, tag.as_ref());
            self.metadata.find_publishable(wanted).await?
        };
        let attachments = match found {
            // It was deleted meanwhile: there is nothing to put anything beside.
            None => Vec::new(),
            Some(_) if entry.place >= with.log.size => return Ok(None),
            Some(found) => match self.attachments(with, entry, (says, &digest, tag), found).await? {
                Some(attachments) => attachments,
                None => return Ok(None),
            },
        };
        let now = self.clock.now();
        let operation = PutAttachments {
            claim: claim.clone(),
            repository: entry.repository.clone(),
            subject: digest,
            attachments,
            leased_until: now.saturating_add(millis(self.terms.blob_lease)),
            now,
        };
        Ok(Some(self.metadata.write(operation).await?))
    }

    async fn attachments(
        &self,
        With { log, signer }: &With,
        entry: &TagEntry,
        (says, digest, tag): (Entry, &Digest, Option<Tag>),
        found: Publishable,
    ) -> Result<Option<Vec<NewAttachment>>> {
        let Some(signer) = signer else { return Ok(None) };
        let component = match found.component {
            Some((_, analysis)) if analysis.state == AnalysisState::Pending => return Ok(None),
            Some((layer, analysis)) => Some(component(layer, outcome(&analysis)?)),
            None => None,
        };
        let publication = Publication {
            repository: entry.repository.clone(),
            tag: entry.tag.clone(),
            publisher: says.actor,
            identity: None,
            published: says.time,
            component,
        };
        let subject = Descriptor::new(found.media_type, digest.clone(), found.size);
        let mut attachments = Vec::new();
        for statement in [
            publication.statement(digest),
            Statement::new(digest, statement::SIGNED, json!({})),
        ] {
            let signature = signer.sign(&Bundle::message(&statement)).await?;
            let bundle = Bundle::signed(&statement, signer.public_key(), &signature);
            attachments.push(new(bundle.beside(&statement, &subject), None)?);
        }
        let proof = self.prove(log, entry.place, entry.salt.as_deref()).await?;
        attachments.push(new(attachment::proof(entry.entry.as_bytes(), &proof, &subject), None)?);
        if let Some(tag) = tag {
            let name = docker_reference(self.host.as_deref(), &entry.repository);
            attachments.extend(tagged(&**signer, &name, (tag, digest), found.signatures).await?);
        }
        Ok(Some(attachments))
    }

    /// How far the registry is with vouching for what a tag or digest selects, waiting up to `wait` for it to be done.
    pub async fn get_publication(
        &self,
        permit: &Permit<Pull>,
        selector: &TagOrDigest,
        wait: Duration,
    ) -> Result<State> {
        let until = Instant::now() + wait.min(MAX_WAIT);
        let mut signed = self.signed.subscribe();
        loop {
            signed.mark_unchanged();
            let state = self.publication(permit, selector).await?;
            if state.done || Instant::now() >= until {
                return Ok(state);
            }
            self.log.hurry();
            let tick = (Instant::now() + TICK).min(until);
            let _ = timeout_at(tick, signed.changed()).await;
        }
    }

    /// What the name of a repository is hashed with in the log, if it ever was.
    pub async fn get_log_salt(&self, permit: &Permit<Pull>) -> Result<LogSalt> {
        Ok(LogSalt {
            salt: self.metadata.find_salt(permit.repository().as_str()).await?,
        })
    }

    async fn publication(&self, permit: &Permit<Pull>, selector: &TagOrDigest) -> Result<State> {
        let manifest = self.get_manifest(permit, selector).await?;
        let mut state = State {
            digest: manifest.digest.clone(),
            place: None,
            signed: false,
            done: true,
        };
        if let TagOrDigest::Tag(tag) = selector {
            let entry = self.metadata.find_last_entry(permit.repository(), tag).await?;
            let entry = entry.filter(|entry| digest_of(entry).as_ref() == Some(&manifest.digest));
            let size = self.published_log().await?.size;
            // One that is not there, or not published, has not been taken up yet.
            state.place = entry.map(|entry| entry.place).filter(|place| *place < size);
            state.done = match state.place {
                Some(place) => !self.metadata.is_to_be_signed(place).await?,
                None => false,
            };
        }
        // Last: what the job stores is there when the job is not.
        let (repository, proof) = (permit.repository(), Some(&MediaType::LOG_PROOF));
        let proofs = self
            .metadata
            .list_referrers(repository, &manifest.digest, proof, "", 1)
            .await?;
        state.signed = !proofs.is_empty();
        Ok(state)
    }
}

/// What all of one batch is signed with.
struct With {
    log: LogRecord,
    /// The active key, if this server has it.
    signer: Option<Arc<dyn Signer>>,
}

/// What a layer was found to be.
fn component(layer: Digest, outcome: Outcome) -> Component {
    let mut component = Component {
        layer,
        valid: None,
        kind: None,
        world: None,
        imports: Vec::new(),
        exports: Vec::new(),
    };
    match outcome {
        Outcome::Analysed(analysis) => {
            let inspection = analysis.inspection;
            let names = |names: Vec<&str>| names.into_iter().take(MAX_NAMES).map(str::to_owned).collect();
            component.valid = Some(true);
            component.kind = Some(
                match inspection.kind {
                    Kind::Module => "module",
                    Kind::Component => "component",
                    Kind::WitPackage => "wit-package",
                }
                .to_owned(),
            );
            component.imports = names(inspection.import_names());
            component.exports = names(inspection.export_names());
            component.world = inspection.world;
        }
        Outcome::Invalid(_) => component.valid = Some(false),
        Outcome::Failed(_) => {}
    }
    component
}

/// The signature of cosign's older form, beside those that are under its tag; `None` where that stays as it is.
async fn tagged(
    signer: &dyn Signer,
    name: &str,
    (tag, digest): (Tag, &Digest),
    there: Option<Signatures>,
) -> Result<Option<NewAttachment>> {
    let parsed = there
        .as_ref()
        .map(|there| Manifest::parse(&there.content, &there.media_type));
    let parsed = parsed.transpose()?;
    let payload = TaggedSignature::payload(name, digest);
    let signature: Signature = signer.sign(&payload).await?;
    let Some(attachment) = TaggedSignature::new(payload, &signature).beside(parsed.as_ref()) else {
        return Ok(None);
    };
    new(attachment, Some((tag, there.map(|there| there.digest)))).map(Some)
}

fn new(attachment: Attachment, tag: Option<(Tag, Option<Digest>)>) -> Result<NewAttachment> {
    let manifest = Manifest::parse(&attachment.manifest, &MediaType::IMAGE_MANIFEST)?;
    let blobs = attachment.blobs.into_iter();
    Ok(NewAttachment {
        blobs: blobs
            .map(|(descriptor, bytes)| (descriptor.digest, Bytes::from(bytes)))
            .collect(),
        digest: Digest::sha256(&attachment.manifest),
        manifest,
        content: attachment.manifest,
        tag,
    })
}

impl From<SignerError> for Error {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::Metadata(error) => error.into(),
            other => Self::SigningKey(other),
        }
    }
}
