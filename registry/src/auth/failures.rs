//! How often wrong credentials were tried, by whom: in the memory of this server.
//!
//! A good token always passes. It has 256 random bits, so nobody finds one by trying, and whoever shares an address with somebody that
//! keeps failing is not locked out. What is limited is how long the failing go on being told that they are wrong.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::clock::{Clock, Millis};

/// How long a failure counts.
const WINDOW: Millis = 15 * 60 * 1000;
/// The most addresses with accounts that are remembered; beyond it some are forgotten.
const MAX_REMEMBERED: usize = 10_000;
/// The most bytes of an account's name that count.
const MAX_ACCOUNT: usize = 64;

/// Who tries: an address, and the user name that comes with the credentials.
type Who = (IpAddr, String);

pub(super) struct Failures {
    limit: usize,
    clock: Clock,
    /// When each failed, oldest first; no more than `limit` times each.
    seen: Mutex<HashMap<Who, VecDeque<Millis>>>,
}

impl Failures {
    /// Takes `limit` failures in 15 minutes; any number for 0.
    pub(super) fn new(limit: usize, clock: Clock) -> Self {
        Self {
            limit,
            clock,
            seen: Mutex::default(),
        }
    }

    /// Notes a failure. `Err` is the number of seconds until the next one is heard again.
    pub(super) fn note(&self, address: Option<IpAddr>, account: &str) -> Result<(), u64> {
        let Some(address) = address.filter(|_| self.limit > 0) else {
            return Ok(());
        };
        let now = self.clock.now();
        let counts = |at: &Millis| *at > now - WINDOW;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, times| times.back().is_some_and(counts));
            let some = seen.keys().next().filter(|_| seen.len() >= MAX_REMEMBERED).cloned();
            some.map(|some| seen.remove(&some));
        }
        let times = seen
            .entry((address, account.chars().take(MAX_ACCOUNT).collect()))
            .or_default();
        while times.front().is_some_and(|at| !counts(at)) {
            times.pop_front();
        }
        match times.front() {
            Some(oldest) if times.len() >= self.limit => {
                let millis = (oldest + WINDOW - now).max(0);
                Err(u64::try_from(millis).unwrap_or_default().div_ceil(1000))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    #[test]
    fn memory_is_bounded_whatever_is_tried() {
        let clock = Clock::manual(0);
        let failures = Failures::new(1, clock.clone());
        for i in 0..2 * u32::try_from(MAX_REMEMBERED).expect("a small number") {
            let address = IpAddr::V4(Ipv4Addr::from(i));
            assert_eq!(failures.note(Some(address), &"x".repeat(10_000)), Ok(()));
        }
        let seen = failures.seen.lock().expect("nobody panicked");
        assert_eq!(seen.len(), MAX_REMEMBERED);
        assert!(seen.keys().all(|(_, account)| account.len() == MAX_ACCOUNT));
        drop(seen);
        clock.advance(Duration::from_mins(15));
        assert_eq!(failures.note(Some(Ipv4Addr::LOCALHOST.into()), ""), Ok(()));
        assert_eq!(failures.seen.lock().expect("nobody panicked").len(), 1);
    }
}
