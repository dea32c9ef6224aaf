//! What a rule asks for, looked for in what is there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{OptionFuture, join};
use wreg_trust::{
    log::{Checkpoint, SignedNote, Verifier},
    logged::{Logged, NotLogged, Wanted},
    policy::{LogRule, Requirement, Rule},
    publication::{self, Publication},
    signature::{Bundle, PublicKey, Statement, Unproven, statement},
};

use super::{
    LogReader, Memory, Pins, Refuted, Used,
    evidence::{Evidence, MAX_LOOKED_AT},
};
use crate::{Error, Registry, registry::Trusted};

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) proven: Vec<String>,
    pub(super) failures: Vec<String>,
    /// Whether nothing is wrong, and something not there: it may come.
    pub(super) is_early: bool,
    /// Whether something is signed by a key that is not known.
    pub(super) is_foreign_key: bool,
}

impl Checked {
    fn missing(&mut self, what: String) {
        self.is_early = true;
        self.failures.push(what);
    }
}

pub(super) async fn check(
    registry: &Registry,
    rule: &Rule,
    memory: &mut Memory,
    used: Used<'_>,
) -> Result<Checked, Error> {
    let mut checked = Checked::default();
    let pins = memory.pins.clone();
    let log = rule.log.as_ref().map(|log| (log, key_of(log, pins.as_ref())));
    let reader = log.as_ref().and_then(|(log, key)| {
        let path = pins.as_ref().and_then(|pins| pins.log.as_ref());
        log.online.then_some(LogReader {
            registry,
            path: path.map_or("/log", |log| &log.path),
            key: key.as_ref()?,
        })
    });
    // Both at once: each takes a way to the registry and back.
    let head = OptionFuture::from(reader.as_ref().map(LogReader::head));
    let (evidence, head) = join(registry.evidence(used.repository, used.digest), head).await;
    let evidence = evidence?;
    let pinned = pins.as_ref().map_or_else(Vec::new, Pins::public_keys);
    for requirement in &rule.require {
        one(registry, requirement, &pinned, &evidence, used, &mut checked).await?;
    }
    match &log {
        Some((log, Some(key))) => {
            let online = reader.as_ref().zip(head);
            logged((log, key), online, memory, &evidence, used, &mut checked).await?;
        }
        Some((_, None)) => checked.failures.push("no key of a log is trusted".to_owned()),
        None => {}
    }
    if evidence.is_cut && !checked.failures.is_empty() {
        let cut = format!("there is more beside it than is looked at, which is {MAX_LOOKED_AT} of each kind");
        checked.failures.push(cut);
    }
    Ok(checked)
}

/// One thing that must have been signed.
async fn one(
    registry: &Registry,
    requirement: &Requirement,
    pinned: &[PublicKey],
    evidence: &Evidence,
    used: Used<'_>,
    checked: &mut Checked,
) -> Result<(), Error> {
    let mut keys = requirement.keys.clone();
    if requirement.registry {
        keys.extend_from_slice(pinned);
    }
    let wanted = requirement.predicate_type.as_deref();
    let what = wanted.map_or_else(|| "a signature".to_owned(), |wanted| format!("a statement {wanted}"));
    let mut best = None;
    for bundle in &evidence.bundles {
        match proven(bundle, requirement, &keys, used) {
            Ok((statement, by)) if wanted.is_none_or(|wanted| wanted == statement.predicate_type) => {
                match belongs(&statement, used) {
                    Ok(()) => {
                        checked
                            .proven
                            .push(format!("{} signed by {by}", statement.predicate_type));
                        return Ok(());
                    }
                    Err(why) => best = Some(why),
                }
            }
            Ok(_) => {}
            Err(Unproven::Signature) if bundle.hint().is_some() => {
                checked.is_foreign_key |= requirement.registry;
                best.get_or_insert_with(|| Unproven::Signature.to_string());
            }
            Err(why) => {
                best.get_or_insert_with(|| why.to_string());
            }
        }
    }
    if wanted.is_none_or(|wanted| wanted == statement::SIGNED) && !keys.is_empty() {
        let trusted = Trusted {
            keys: keys.clone(),
            identity: None,
        };
        let found = registry
            .tagged_signatures(used.repository, used.digest, &trusted.keys)
            .await?;
        if found.iter().any(|found| found.proven.is_ok()) {
            checked.proven.push("a signature of cosign's older form".to_owned());
            return Ok(());
        }
    }
    match best {
        Some(why) => {
            // What others have put there does not say that nothing else will come.
            checked.missing(format!("{what} is not proven: {why}"));
        }
        None => checked.missing(format!("{what} is not there")),
    }
    Ok(())
}

/// What a bundle proves, and who says so.
fn proven(
    bundle: &Bundle,
    requirement: &Requirement,
    keys: &[PublicKey],
    used: Used<'_>,
) -> Result<(Statement, String), Unproven> {
    match (bundle.verify(used.digest, keys), &requirement.identity) {
        (Ok((statement, key)), _) => {
            let by = keys.get(key).map_or_else(String::new, PublicKey::hint);
            Ok((statement, format!("the key {by}")))
        }
        (Err(Unproven::Signature), Some((root, identity))) if bundle.is_keyless() => {
            let statement = bundle.verify_keyless(used.digest, root, identity)?;
            Ok((statement, identity.name.clone()))
        }
        (Err(why), _) => Err(why),
    }
}

/// Whether a statement of a publication is about this repository and tag, beside this digest.
fn belongs(statement: &Statement, used: Used<'_>) -> Result<(), String> {
    if statement.predicate_type != publication::PREDICATE_TYPE {
        return Ok(());
    }
    let Some(said) = Publication::of(statement) else {
        return Err("the statement of the registry is malformed".to_owned());
    };
    if said.repository != *used.repository {
        return Err(format!("it was published as {}", said.repository));
    }
    if used.tag.is_some_and(|tag| said.tag != *tag) {
        return Err(format!("it was published under the tag {}", said.tag));
    }
    Ok(())
}

/// Who checks the log.
fn key_of(rule: &LogRule, pins: Option<&Pins>) -> Option<Verifier> {
    rule.key.clone().or_else(|| pins?.verifier())
}

/// What a log says last, if it could be asked.
type Head = Result<Result<(SignedNote, Checkpoint), Refuted>, Error>;

/// Whether the log holds it.
async fn logged(
    (rule, key): (&LogRule, &Verifier),
    online: Option<(&LogReader<'_>, Head)>,
    memory: &mut Memory,
    evidence: &Evidence,
    used: Used<'_>,
    checked: &mut Checked,
) -> Result<(), Error> {
    let wanted = Wanted {
        repository: used.repository,
        tag: used.tag,
        digest: used.digest,
    };
    let mut best: Option<(Logged, SignedNote)> = None;
    let mut why = None;
    for (entry, proof) in &evidence.proofs {
        match wanted.check(entry, proof, key) {
            Ok(logged) if best.as_ref().is_none_or(|(best, _)| logged.index > best.index) => {
                let note = proof.parse().map(|proof: wreg_trust::log::Proof| proof.checkpoint);
                best = note.ok().map(|note| (logged, note)).or(best);
            }
            Ok(_) => {}
            Err(NotLogged::Subject) => {
                why.get_or_insert(NotLogged::Subject);
            }
            Err(other) => why = Some(other),
        }
    }
    let Some((logged, note)) = best else {
        checked.missing(match why {
            Some(why) => format!("it is not shown to be in the log: {why}"),
            None => "no proof that it is in the log is there".to_owned(),
        });
        return Ok(());
    };
    let mut newest = note;
    if let Some((reader, head)) = online {
        let mut head = head?;
        // The proof was made when the log had grown since it was asked.
        if head.as_ref().is_ok_and(|(_, head)| head.size < logged.checkpoint.size) {
            head = reader.head().await?;
        }
        let followed = match head {
            Ok(head) => reader.take_up(memory, head).await?,
            Err(refuted) => Err(refuted),
        };
        let (head_note, head) = match followed {
            Ok(found) => found,
            Err(refuted) => {
                checked.failures.push(refuted.0);
                return Ok(());
            }
        };
        if let Err(refuted) = reader.holds(memory, &logged.checkpoint, &head).await? {
            checked.failures.push(refuted.0);
            return Ok(());
        }
        newest = head_note;
    }
    if let Some(tag) = used.tag {
        if let Some(seen) = memory.place_of(used.repository, tag)
            && seen > logged.index
        {
            // Or it was moved back a moment ago, and what shows that is still to come.
            checked.missing(format!(
                "the tag {tag} was rolled back: it was at entry {seen} of the log, and what it points to now is of entry {}",
                logged.index
            ));
            return Ok(());
        }
        memory.note_place(used.repository, tag, logged.index);
    }
    if let Err(why) = witnessed(rule, &newest) {
        checked.failures.push(why);
        return Ok(());
    }
    checked
        .proven
        .push(format!("entry {} of the log {}", logged.index, key.name()));
    Ok(())
}

/// Whether a witness has seen the checkpoint, lately if that is asked for.
fn witnessed(rule: &LogRule, note: &SignedNote) -> Result<(), String> {
    if rule.witnesses.is_empty() {
        return Ok(());
    }
    let newest = rule.witnesses.iter().filter_map(|witness| witness.verify(note)).max();
    let Some(seen_at) = newest else {
        return Err("none of the witnesses that are trusted has signed the checkpoint of the log".to_owned());
    };
    let Some(max_age) = rule.max_age else { return Ok(()) };
    let now = now();
    if Duration::from_secs(seen_at) + max_age < now {
        let age = now.saturating_sub(Duration::from_secs(seen_at)).as_secs();
        return Err(format!(
            "the log may be frozen: a witness last signed its checkpoint {age} seconds ago, and {} are allowed",
            max_age.as_secs()
        ));
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how old a cosignature is can be told by nothing but the system's clock"
)]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
