//! How often, and after what pause, a request that met transient trouble is made again.

use std::{
    fmt,
    future::Future,
    hash::{BuildHasher as _, RandomState},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use crate::Error;

/// Waits for a duration. The default is the runtime's timer; tests give one that returns at once.
pub type Sleep = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The policy of repeating. Only what may be repeated without harm is: reading, and the steps of an upload.
#[derive(Clone)]
pub struct Retries {
    /// How often a request is made without any progress before its error is final; at least 1.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles with each further one, up to [`Retries::longest`], and a random part of up
    /// to half is taken off, so that many clients do not come back together.
    pub first: Duration,
    /// The longest pause. A registry that asks (`Retry-After`) for more is not waited for: its answer is the error.
    pub longest: Duration,
    /// How to wait.
    pub sleep: Sleep,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(300),
            longest: Duration::from_secs(30),
            sleep: Arc::new(by_timer),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is nothing here to wait for: the other end needs time"
)]
fn by_timer(pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(pause))
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries")
            .field("attempts", &self.attempts)
            .field("first", &self.first)
            .field("longest", &self.longest)
            .finish_non_exhaustive()
    }
}

/// The attempts at one thing.
pub(crate) struct Attempts<'a> {
    retries: &'a Retries,
    failed: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(retries: &'a Retries) -> Self {
        Self { retries, failed: 0 }
    }

    /// Some of it was done: what failed before does not count any more.
    pub(crate) fn progressed(&mut self) {
        self.failed = 0;
    }

    /// Waits before the next attempt; gives `error` back if there is to be none.
    pub(crate) async fn pause_or(&mut self, error: Error) -> Result<(), Error> {
        self.failed += 1;
        let asked = match &error {
            Error::Registry { retry_after, .. } => *retry_after,
            _ => None,
        };
        if self.failed >= self.retries.attempts || asked.is_some_and(|asked| asked > self.retries.longest) {
            return Err(error);
        }
        let pause = asked.unwrap_or_else(|| self.retries.pause(self.failed, random()));
        tracing::debug!(%error, ?pause, "trying again");
        (self.retries.sleep)(pause).await;
        Ok(())
    }
}

impl Retries {
    /// The pause after the `failed`th failure; `random` decides how much of the upper half is taken off.
    fn pause(&self, failed: u32, random: u64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        let whole = doubled.min(self.longest);
        let half = whole / 2;
        let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        half + Duration::from_millis(random % spread)
    }
}

/// A number that differs from call to call: the standard library seeds its hash maps with one.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let retries = Retries {
            first: Duration::from_millis(100),
            longest: Duration::from_millis(350),
            ..Retries::default()
        };
        let pauses = |random| [1, 2, 3, 4, 1000].map(|failed| retries.pause(failed, random).as_millis());
        assert_eq!(pauses(0), [50, 100, 175, 175, 175]);
        assert!(
            pauses(u64::MAX)
                .iter()
                .zip([100, 200, 350, 350, 350])
                .all(|(pause, most)| *pause <= most)
        );
        assert_eq!(retries.pause(1, 50).as_millis(), 100);
    }
}
