//! Collection: what goes, what stays, and that nothing is lost to whoever was told that it is there.
//!
//! Steps of a pass are called directly, between requests, and the clock is moved by hand: each interleaving here is chosen.

mod faults;
mod leases;
mod races;
mod scale;
mod time;
mod undelete;

use std::time::Duration;

use reqwest::StatusCode;
use wreg_api::Counts;
use wreg_oci::Digest;
use wreg_registry::{
    Clock, Faults, Surroundings,
    domain::collection::{Collection, Progress, When},
};

use crate::{
    registry::{Options, TestRegistry},
    resume::until,
};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// When the tests begin, in milliseconds since 1970.
const BEGIN: i64 = 1_800_000_000_000;
/// By itself the server collects once, and never again while a test runs.
/// Blobs are files, however small.
const CONFIG: &str = "collection_interval_seconds = 3153600000\nsmall_blob_bytes = 0\n";

/// A registry that collects when it is told, and whose time passes when it is told.
struct Collecting {
    registry: TestRegistry,
    clock: Clock,
}

impl Collecting {
    async fn start() -> Self {
        Self::with(CONFIG, Faults::NONE).await
    }

    async fn with(config: &'static str, faults: Faults) -> Self {
        let clock = Clock::manual(BEGIN);
        let options = Options {
            config,
            surroundings: Surroundings {
                clock: clock.clone(),
                faults,
                ..Surroundings::default()
            },
            ..Options::default()
        };
        let collecting = Self {
            registry: TestRegistry::with(options).await,
            clock,
        };
        until(async || collecting.registry.count("SELECT COUNT(*) FROM collection_clock").await == 1).await;
        // A clock that nobody has seen before is believed after a lease.
        collecting.pass(DAY).await;
        collecting.collect().await;
        collecting
    }

    /// Lets time pass as it does where a server runs: somebody looks at the clock now and then.
    async fn pass(&self, time: Duration) {
        let mut left = time;
        while left > Duration::ZERO {
            let step = left.min(6 * HOUR);
            self.clock.advance(step);
            left -= step;
            let noted = self.registry.app.registry().note_time().await;
            noted.expect("the database answers");
        }
    }

    /// Begins a pass.
    async fn begin(&self) -> Collection {
        let mut begun = None;
        until(async || {
            let collection = self
                .registry
                .app
                .registry()
                .begin_collection("test", When::Now, None)
                .await;
            begun = collection.expect("the database answers");
            begun.is_some()
        })
        .await;
        begun.expect("until it has begun")
    }

    /// One whole pass.
    async fn collect(&self) -> Counts {
        finish(self.begin().await).await
    }

    /// A pass, and another one when the bytes of what was given up may go.
    async fn collect_bytes(&self) -> Counts {
        let mut counts = self.collect().await;
        self.pass(2 * MINUTE).await;
        counts.add(&self.collect().await);
        counts
    }

    /// Whether a GET of the blob gives `content`; anything but that and 404 is wrong.
    async fn has(&self, repository: &str, content: &[u8]) -> bool {
        let digest = Digest::sha256(content);
        let answer = self
            .registry
            .send("GET", &format!("/v2/{repository}/blobs/{digest}"))
            .await;
        if answer.status() == StatusCode::NOT_FOUND {
            return false;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.bytes().await.expect("a body"), content);
        true
    }

    async fn head(&self, repository: &str, content: &[u8]) -> StatusCode {
        let digest = Digest::sha256(content);
        let answer = self
            .registry
            .send("HEAD", &format!("/v2/{repository}/blobs/{digest}"))
            .await;
        answer.status()
    }

    async fn status(&self, method: &str, target: &str) -> u16 {
        self.registry.send(method, target).await.status().as_u16()
    }
}

/// The rest of a pass.
async fn finish(mut collection: Collection) -> Counts {
    while collection.step().await.expect("a step") == Progress::More {}
    collection.finish().await.expect("the database answers")
}

/// At most `steps` steps. Says whether there are more.
async fn steps(collection: &mut Collection, steps: usize) -> bool {
    for _ in 0..steps {
        if collection.step().await.expect("a step") != Progress::More {
            return false;
        }
    }
    true
}
