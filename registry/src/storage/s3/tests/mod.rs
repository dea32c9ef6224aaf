//! The contract on a real S3 server, and what only object storage can show.

mod faults;
mod large;
mod memory;

use uuid::Uuid;

use super::*;
use crate::storage::contract::{self, Store};

/// A store of its own in the bucket of the task runner, if there is one.
fn settings() -> Option<S3Settings> {
    let Some(storage) = wreg_harness::object_storage_for_units() else {
        wreg_harness::note_not_run("a test of the S3 backend: no bucket is given");
        return None;
    };
    Some(S3Settings {
        bucket: storage.bucket,
        endpoint: Some(storage.endpoint),
        region: Some("garage".to_owned()),
        prefix: format!("units/{}/", Uuid::new_v4()),
        credentials: Some((storage.access_key_id, storage.secret_access_key)),
        path_style: true,
        redirect: false,
        memory: 64 << 20,
    })
}

async fn make() -> Option<((), Store)> {
    Some(((), Arc::new(S3Store::open(&settings()?, Faults::NONE).await)))
}

contract::contract_suite!(make);
