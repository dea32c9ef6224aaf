//! What a server does by itself: each job when it is due, by one server at a time.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::Registry;

/// How often a server looks whether a job is due.
const TICK: Duration = Duration::from_mins(1);
/// The same, where the collection is to begin again as soon as it has ended.
const SHORT_TICK: Duration = Duration::from_millis(10);

impl Registry {
    /// Works until the future is dropped. `owner` names this server among those that share a database.
    pub async fn work_forever(&self, owner: &str) {
        let sweeping = async {
            let mut ticks = every(TICK);
            loop {
                ticks.tick().await;
                warned("the sweep of uploads", self.sweep_if_due(owner).await);
            }
        };
        let watching = async {
            let mut ticks = every(TICK);
            loop {
                ticks.tick().await;
                warned("noting the time", self.note_time().await);
            }
        };
        let collecting = async {
            let mut ticks = every(self.terms.interval.clamp(SHORT_TICK, TICK));
            loop {
                ticks.tick().await;
                warned("the collection", self.collect_if_due(owner).await);
            }
        };
        tokio::join!(
            sweeping,
            watching,
            collecting,
            self.analyse_forever(owner),
            self.watch_events(),
            self.log_forever(owner),
            self.cosign_forever(owner)
        );
    }

    /// Leaves to others at once what `owner` was at, whose work has ended.
    pub async fn end_work(&self, owner: &str) {
        warned(
            "leaving the jobs to others",
            self.metadata.free_jobs(owner).await.map_err(Into::into),
        );
    }
}

fn every(tick: Duration) -> Interval {
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn warned<T>(job: &str, result: super::Result<T>) {
    if let Err(error) = result {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "{job} failed; it will be tried again"
        );
    }
}
