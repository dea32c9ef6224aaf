//! Servers that are processes of their own, on one database and one bucket, with nothing else between them: one is killed, and all are
//! restarted one after the other. These run where the tests are on PostgreSQL and object storage.

mod killed;
mod load;
mod restarted;

use std::{net::SocketAddr, path::Path};

use tempfile::TempDir;
use wreg_harness::RegistryProcess;

use crate::{
    bucket::{TestBucket, on_files},
    registry::TestDatabase,
};

/// The servers. Each has a data folder of its own, which it finds again when it is started again.
struct Fleet {
    servers: Vec<RegistryProcess>,
    folders: TempDir,
    database: String,
    bucket: TestBucket,
    /// The administrator's token, which all of them know.
    token: String,
}

impl Fleet {
    /// So many of them; `None` where this run has no database or bucket to share.
    async fn start(count: usize) -> Option<Self> {
        if on_files() {
            return None;
        }
        let TestDatabase::Postgres(database) = TestDatabase::new().await else {
            return None;
        };
        let folders = tempfile::tempdir().expect("a temporary folder");
        let bucket = TestBucket::of(&database)?;
        let start = |index| start(&folders, index, &database, &bucket);
        // The first makes the tables and the token.
        let servers: Vec<_> = (0..count).map(start).collect();
        Some(Self {
            token: servers[0].admin_token(),
            servers,
            folders,
            database,
            bucket,
        })
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(RegistryProcess::address).collect()
    }

    /// Starts one again in the place of one that has ended.
    fn start_again(&mut self, index: usize) -> SocketAddr {
        self.servers[index] = start(&self.folders, index, &self.database, &self.bucket);
        self.servers[index].address()
    }
}

fn start(folders: &TempDir, index: usize, database: &str, bucket: &TestBucket) -> RegistryProcess {
    let folder = folders.path().join(Path::new(&index.to_string()));
    let builder = RegistryProcess::builder()
        .data_dir(folder)
        .env("WREG_DATABASE", database)
        // A second signal ends it.
        .env("WREG_SHUTDOWN_DELAY_SECONDS", "86400");
    let variables = bucket.variables().into_iter();
    variables
        .fold(builder, |builder, (name, value)| builder.env(name, value))
        .start()
}
