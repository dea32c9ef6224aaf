//! Servers that are processes of their own, on one database and one bucket, with nothing else between them: one is killed, and all are
//! restarted one after the other. These run where the tests are on PostgreSQL and object storage.

mod killed;
mod load;
mod restarted;

use std::{
    fmt,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use wreg_harness::{Log, RegistryProcess};

use self::load::Load;
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
    logs: Logs,
}

/// The logs of all servers that were started, also of those that have ended.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<Log>>>);

impl Logs {
    fn add(&self, server: &RegistryProcess) {
        self.0.lock().expect("nobody panics").push(server.log());
    }
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let logs = self.0.lock().expect("nobody panics").clone();
        logs.iter().try_for_each(|log| writeln!(f, "{log}"))
    }
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
        let logs = Logs::default();
        for server in &servers {
            logs.add(server);
        }
        Some(Self {
            token: servers[0].admin_token(),
            servers,
            folders,
            database,
            bucket,
            logs,
        })
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(RegistryProcess::address).collect()
    }

    /// Clients of these servers, one of which may go away.
    fn load(&self, servers: Vec<SocketAddr>, doomed: Option<SocketAddr>) -> Arc<Load> {
        Load::new(servers, doomed, &self.token, self.logs.clone())
    }

    /// Starts one again in the place of one that has ended.
    fn start_again(&mut self, index: usize) -> SocketAddr {
        self.servers[index] = start(&self.folders, index, &self.database, &self.bucket);
        self.logs.add(&self.servers[index]);
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
