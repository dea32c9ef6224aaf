//! SQLite's one writer: a task that owns the only writing connection and does one transaction at a time.
//!
//! A single writer cannot meet a lock, so nothing ever waits for `BEGIN IMMEDIATE` and no write fails as busy. The task is also
//! the place where many acknowledgements will come to share one sync; batches are of one for now.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{Dialect, Error, Operation, Result, Tx, wal::Wal};

/// Writes that may wait. A full queue makes callers wait, each with a small operation in its hands.
const QUEUE: usize = 1024;

type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, ()> + Send>;

/// What comes through the door.
enum Message {
    Write(Job),
    /// Close the connection, and say when that is done.
    Stop(oneshot::Sender<()>),
}

/// The door to the writing task. Cheap to clone; the task ends when it is stopped or all doors are gone.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Gives `connection` to a task of its own.
    pub(super) fn start(mut connection: SqliteConnection) -> Self {
        let (door, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut log = Wal::default();
            let stopped = loop {
                match queue.recv().await {
                    Some(Message::Write(job)) => {
                        job(&mut connection).await;
                        log.has_grown(&mut connection).await;
                    }
                    Some(Message::Stop(done)) => break Some(done),
                    None => break None,
                }
            };
            if let Err(error) = connection.close().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database did not close cleanly"
                );
            }
            let _ = stopped.map(|done| done.send(()));
        });
        Self(door)
    }

    /// Writes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    /// Waits for its turn, then for the commit. Going away while waiting does not undo what has been handed over.
    pub(super) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output> {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            async move {
                // Whoever asked may have gone away; the work is done all the same.
                let _ = reply.send(transact(connection, &operation).await);
            }
            .boxed()
        });
        self.0.send(Message::Write(job)).await.map_err(|_| Error::Lost)?;
        result.await.map_err(|_| Error::Lost)?
    }

    /// Waits until everything handed over before has been done and the connection is closed. What is handed over later fails.
    pub(super) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.0.send(Message::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
    }
}

/// Runs `operation` in a transaction.
///
/// In plain statements: SQLite ends a transaction by itself when the disk is full, and the driver's own transactions, which count how
/// deep the connection is in, would never begin another one after that.
async fn transact<O: Operation>(connection: &mut SqliteConnection, operation: &O) -> Result<O::Output> {
    let work = async {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let output = operation.run(&mut Tx(Dialect::Sqlite(connection))).await?;
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        Ok(output)
    };
    // A panic of the operation must not leave its transaction open for the next one.
    let result = AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(Error::Lost));
    if result.is_err() {
        // It fails only if there is nothing to roll back any more.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    result
}
