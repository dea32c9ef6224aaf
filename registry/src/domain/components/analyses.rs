//! Finding out what layers are: while somebody waits for it, or as a job that outlives the server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, future, stream};
use quick_cache::sync::Cache;
use tokio::{
    sync::{Notify, watch},
    time::MissedTickBehavior,
};
use wreg_component::Comparison;
use wreg_oci::{Digest, RepositoryName};

use super::super::{BoxError, Error, Registry, Result, blobs::BlobBytes, error::with_sources};
use crate::{
    analyser::{Analyser, Input, Outcome, Unanswered, VERSION},
    clock::millis,
    metadata::{
        components::{AnalysisRecord, AnalysisState, ForgetAnalysis, PutAnalysis},
        jobs::{Claim, Once},
    },
};

/// How long a server may be busy with one job before another takes it over.
pub(super) const LEASE: Duration = Duration::from_mins(3);
/// How often a job is tried. What cannot be read so often is not analysed.
const ATTEMPTS: i64 = 5;
/// The pause after the first attempt; it doubles with each.
const PAUSE: Duration = Duration::from_secs(2);
/// How many analyses may be asked for at a time by those who wait for them. What comes on top is done as a job.
const MAX_WAITING: usize = 64;
/// How often a server looks whether a job is due that another one left.
const TICK: Duration = Duration::from_secs(1);
/// How many comparisons are kept.
const COMPARISONS: usize = 100;
/// How many jobs are looked at together.
const AT_ONCE: i64 = 16;

/// What came of it: the outcome, or in words why there is none yet.
pub(super) type Verdict = Result<Arc<Outcome>, String>;

/// The analyses of this server.
pub(crate) struct Analyses {
    pub(super) analyser: Analyser,
    /// What changed between two layers, as far as it was asked for lately.
    pub(super) compared: Cache<(Digest, Digest), Option<Arc<Comparison>>>,
    under_way: Mutex<HashMap<Digest, watch::Receiver<Option<Verdict>>>>,
    /// Told when there may be something to do.
    wake: Notify,
}

impl Analyses {
    pub(crate) fn new(analyser: Analyser) -> Arc<Self> {
        Arc::new(Self {
            analyser,
            compared: Cache::new(COMPARISONS),
            under_way: Mutex::default(),
            wake: Notify::new(),
        })
    }

    /// Says that there may be a job.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Registry {
    /// The outcome of a layer's analysis that has been made, if it has.
    pub(super) async fn known_outcome(&self, layer: &Digest) -> Result<Option<Arc<Outcome>>> {
        let record = self.metadata.find_analysis(layer, VERSION).await?;
        Ok(record.as_ref().map(outcome).transpose()?.map(Arc::new))
    }

    /// Begins to analyse a layer that the repository holds, or joins those who wait for it. It goes on when the future is dropped, and
    /// writes down what it finds. `None` where too many wait already.
    pub(super) fn analyse(
        &self,
        repository: &RepositoryName,
        layer: &Digest,
    ) -> Option<impl Future<Output = Verdict> + use<>> {
        let mut under_way = self.analyses.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let mut verdict = match under_way.get(layer) {
            Some(verdict) => verdict.clone(),
            None if under_way.len() >= MAX_WAITING => return None,
            None => {
                let (tell, verdict) = watch::channel(None);
                under_way.insert(layer.clone(), verdict.clone());
                let (registry, repository, layer) = (self.clone(), repository.clone(), layer.clone());
                tokio::spawn(async move {
                    let found = registry.find_out(&repository, &layer).await;
                    let found = found.map_err(|error| with_sources(&error));
                    let mut under_way = registry
                        .analyses
                        .under_way
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    under_way.remove(&layer);
                    drop(under_way);
                    tell.send_replace(Some(found));
                });
                verdict
            }
        };
        Some(async move {
            match verdict.wait_for(Option::is_some).await {
                Ok(found) => (*found).clone().unwrap_or_else(|| Err("it was not made".to_owned())),
                Err(_) => Err("it was not made".to_owned()),
            }
        })
    }

    async fn find_out(&self, repository: &RepositoryName, layer: &Digest) -> Result<Arc<Outcome>> {
        let open = || async {
            let blob = self.find_blob(repository, layer).await?;
            if let Some(file) = self.blob_file(&blob).await? {
                return Ok(Input::File(file));
            }
            Ok(Input::Stream(match self.read_blob(&blob, 0..blob.size()).await? {
                BlobBytes::Whole(bytes) => stream::iter([Ok(bytes)]).boxed(),
                BlobBytes::Stream(stream) => stream,
            }))
        };
        let outcome = self.analyses.analyser.analyse(open).await;
        let outcome = outcome.map_err(|error| Error::Unavailable(error.into()))?;
        self.put_outcome(layer, &outcome).await?;
        Ok(Arc::new(outcome))
    }

    async fn put_outcome(&self, layer: &Digest, outcome: &Outcome) -> Result<()> {
        let operation = PutAnalysis {
            layer: layer.clone(),
            analysis: record(outcome)?,
            analyser: VERSION,
            now: self.clock.now(),
        };
        self.metadata.write(operation).await?;
        self.analyses.wake();
        // What waits for it may be signed now.
        self.log.wake();
        Ok(())
    }

    /// Does what is due, and then waits until there may be something. Never ends.
    pub(in super::super) async fn analyse_forever(&self, owner: &str) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = match self.analyse_due(owner).await {
                Ok(analysed) => self.index_due(owner).await.map(|indexed| analysed || indexed),
                error => error,
            };
            match done {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "looking for layers to analyse failed; it will be tried again"
                ),
            }
            tokio::select! {
                () = self.analyses.wake.notified() => {}
                _ = ticks.tick() => {}
            }
        }
    }

    /// Does some of what is due. Says whether there was anything.
    pub async fn analyse_due(&self, owner: &str) -> Result<bool> {
        let due = self
            .metadata
            .list_due_jobs(Once::Analyse, self.clock.now(), AT_ONCE)
            .await?;
        let is_some = !due.is_empty();
        let jobs: Vec<_> = due.into_iter().map(|name| self.analyse_one(owner, name)).collect();
        let done = future::join_all(jobs).await;
        done.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(is_some)
    }

    async fn analyse_one(&self, owner: &str, name: String) -> Result<()> {
        let layer: Option<Digest> = Once::Analyse.subject(&name).and_then(|layer| layer.parse().ok());
        let now = self.clock.now();
        let claim = self
            .metadata
            .take_job(&name, owner, now, now.saturating_add(millis(LEASE)))
            .await?;
        let (Some(layer), Some(claim)) = (layer, claim) else {
            return Ok(());
        };
        let Some((repository, _)) = self.metadata.find_layer(&layer).await? else {
            return Ok(self.metadata.write(ForgetAnalysis { layer }).await?);
        };
        let verdict = match self.analyse(&repository, &layer) {
            Some(verdict) => verdict.await,
            None => Err("others are analysed first".to_owned()),
        };
        match verdict {
            Ok(_) => Ok(()),
            Err(why) => self.try_again(&layer, claim, why).await,
        }
    }

    async fn try_again(&self, layer: &Digest, claim: Claim, why: String) -> Result<()> {
        if claim.attempts >= ATTEMPTS {
            tracing::warn!(%layer, why, "a layer could not be analysed, and will not be");
            return self.put_outcome(layer, &Outcome::Failed(why)).await;
        }
        tracing::info!(%layer, why, attempt = claim.attempts, "a layer could not be analysed; it will be tried again");
        let exponent = u32::try_from(claim.attempts).unwrap_or(1).saturating_sub(1);
        let pause = PAUSE.saturating_mul(2_u32.saturating_pow(exponent));
        self.metadata
            .retry_job(claim, self.clock.now().saturating_add(millis(pause)))
            .await?;
        Ok(())
    }
}

/// As it is kept. The WIT stands beside it: most who ask for the rest do not want it.
fn record(outcome: &Outcome) -> Result<AnalysisRecord> {
    let json = |error: serde_json::Error| Error::Unavailable(BoxError::from(error));
    let (state, document, wit) = match outcome {
        Outcome::Analysed(analysis) => {
            let mut analysis = analysis.clone();
            let wit = analysis.wit.take().map(|wit| serde_json::to_string(&wit)).transpose();
            let document = serde_json::to_string(&analysis).map_err(json)?;
            (AnalysisState::Analysed, document, wit.map_err(json)?)
        }
        Outcome::Invalid(invalid) => (
            AnalysisState::Invalid,
            serde_json::to_string(invalid).map_err(json)?,
            None,
        ),
        Outcome::Failed(why) => (AnalysisState::Failed, serde_json::to_string(why).map_err(json)?, None),
    };
    Ok(AnalysisRecord { state, document, wit })
}

/// What was kept. Without the WIT.
pub(in super::super) fn outcome(record: &AnalysisRecord) -> Result<Outcome> {
    let json = |error: serde_json::Error| Error::Unavailable(BoxError::from(error));
    Ok(match record.state {
        AnalysisState::Analysed => Outcome::Analysed(serde_json::from_str(&record.document).map_err(json)?),
        AnalysisState::Invalid => Outcome::Invalid(serde_json::from_str(&record.document).map_err(json)?),
        AnalysisState::Failed => Outcome::Failed(serde_json::from_str(&record.document).map_err(json)?),
        AnalysisState::Pending => Outcome::Failed("it is still to be made".to_owned()),
    })
}

impl From<Unanswered> for Error {
    fn from(error: Unanswered) -> Self {
        Self::Unavailable(error.into())
    }
}
