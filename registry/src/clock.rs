//! What time it is: the one place that asks the system.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Tells the time. Cheap to clone; clones of a manual clock share its hands.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `now` until it is moved, for tests.
    pub fn manual(now: Millis) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now))))
    }

    /// The time now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that the rule sends everybody to"
    )]
    pub fn now(&self) -> Millis {
        if let Some(hands) = &self.0 {
            return hands.load(Ordering::Relaxed);
        }
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        millis(since_epoch)
    }

    /// Moves a manual clock on; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Some(hands) = &self.0 {
            hands.fetch_add(millis(by), Ordering::Relaxed);
        }
    }

    /// Puts a manual clock back; does nothing to the system's.
    pub fn put_back(&self, by: Duration) {
        if let Some(hands) = &self.0 {
            hands.fetch_sub(millis(by), Ordering::Relaxed);
        }
    }
}

/// A duration in milliseconds, at most 2⁶³ − 1.
pub(crate) fn millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Clock::manual"
        } else {
            "Clock::system"
        })
    }
}
