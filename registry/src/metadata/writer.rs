//! SQLite's one writer: a task that owns the only writing connection, and commits together what came while it was busy.
//!
//! A single writer cannot meet a lock, so nothing ever waits for `BEGIN IMMEDIATE` and no write fails as busy. Most of the time of a
//! commit is its sync, which costs the same for one operation as for a hundred: while one is under way the next operations gather,
//! and share the next one. Nobody waits for company: an operation that comes alone is committed alone.
//!
//! Operations of a batch see the changes of those that are done before them. Their order is free, since nobody was told yet that any of
//! them is done. If one of them fails, all are undone and each is done again by itself, so that the failure is its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{
    Dialect, Error, Operation, Result, Trips, Tx,
    facts::{Facts, Touched},
    group::{Answers, Group},
    wal::Wal,
};

/// Writes that may wait. A full queue makes callers wait, each with a small operation in its hands.
const QUEUE: usize = 1024;
/// The most operations that are committed together: what the last of them waits for stays some tens of milliseconds.
const TOGETHER: usize = 256;
/// The most operations of one trip that take it together; a power of two.
const MOST_IN_ONE_TRIP: usize = 8;

/// What comes through the door.
enum Message {
    Write(Box<dyn Job>),
    /// Close the connection, and say when that is done.
    Stop(oneshot::Sender<()>),
}

/// The door to the writing task. Cheap to clone; the task ends when it is stopped or all doors are gone.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Gives `connection` to a task of its own. `facts` are those that its commits change.
    pub(super) fn start(mut connection: SqliteConnection, facts: Arc<Facts>) -> Self {
        let (door, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut log = Wal::default();
            let mut batch = Vec::new();
            let stopped = loop {
                let Some(first) = queue.recv().await else { break None };
                let stop = gather(first, &mut queue, &mut batch);
                if !batch.is_empty() {
                    let writes = batch.len();
                    commit(&mut connection, &facts, &mut batch).await;
                    log.has_grown(&mut connection, writes).await;
                }
                if stop.is_some() {
                    break stop;
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
        let job = Box::new(Asked {
            operation,
            output: None,
            reply,
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

/// An operation that somebody waits for, whatever its output is.
trait Job: Send {
    /// What of the facts in memory it changes.
    fn touched(&self) -> Touched<'_>;

    /// Does it in the transaction that is open, and keeps what it tells until that is committed. It may be done again.
    fn run<'a>(&'a mut self, connection: &'a mut SqliteConnection) -> BoxFuture<'a, Result<()>>;

    /// How it can be done.
    fn trips(&self) -> Trips;

    /// As the operation's own.
    fn ask(&self, group: &mut Group);

    /// As the operation's own, and keeps what it tells; false if it must be run.
    fn answered(&mut self, answers: &mut Answers, then: &mut Group) -> Result<bool>;

    /// Tells how it went: what it told last, or that it was not to be.
    fn reply(self: Box<Self>, outcome: Result<()>);
}

struct Asked<O: Operation> {
    operation: O,
    output: Option<O::Output>,
    reply: oneshot::Sender<Result<O::Output>>,
}

impl<O: Operation> Job for Asked<O> {
    fn touched(&self) -> Touched<'_> {
        self.operation.touched()
    }

    fn run<'a>(&'a mut self, connection: &'a mut SqliteConnection) -> BoxFuture<'a, Result<()>> {
        async move {
            let mut tx = Tx(Dialect::Sqlite(connection));
            // A panic of the operation must not leave its transaction open for the next one.
            let run = AssertUnwindSafe(self.operation.run(&mut tx)).catch_unwind();
            self.output = Some(run.await.unwrap_or(Err(Error::Lost))?);
            Ok(())
        }
        .boxed()
    }

    fn trips(&self) -> Trips {
        self.operation.trips()
    }

    fn ask(&self, group: &mut Group) {
        self.operation.ask(group);
    }

    fn answered(&mut self, answers: &mut Answers, then: &mut Group) -> Result<bool> {
        let answered = catch_unwind(AssertUnwindSafe(|| self.operation.answered(answers, then)));
        self.output = answered.unwrap_or(Err(Error::Lost))?;
        Ok(self.output.is_some())
    }

    fn reply(self: Box<Self>, outcome: Result<()>) {
        let Self { output, reply, .. } = *self;
        // Whoever asked may have gone away; the work is done all the same.
        let _ = reply.send(outcome.and_then(|()| output.ok_or(Error::Lost)));
    }
}

/// Takes what waits, `first` before all, as far as it may be committed together. What comes after a wish to stop is not done any more.
fn gather(
    first: Message,
    queue: &mut mpsc::Receiver<Message>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Option<oneshot::Sender<()>> {
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Write(job) => batch.push(job),
            Message::Stop(done) => return Some(done),
        }
        next = (batch.len() < TOGETHER).then(|| queue.try_recv().ok()).flatten();
    }
    None
}

/// Does everything in `batch` and tells everybody how it went.
async fn commit(connection: &mut SqliteConnection, facts: &Arc<Facts>, batch: &mut Vec<Box<dyn Job>>) {
    if batch.len() > 1 && transact(connection, facts, batch).await.is_ok() {
        batch.drain(..).for_each(|job| job.reply(Ok(())));
        return;
    }
    for mut job in batch.drain(..) {
        let outcome = transact(connection, facts, std::slice::from_mut(&mut job)).await;
        job.reply(outcome);
    }
}

/// Runs `jobs` in one transaction.
///
/// In plain statements: SQLite ends a transaction by itself when the disk is full, and the driver's own transactions, which count how
/// deep the connection is in, would never begin another one after that.
async fn transact(connection: &mut SqliteConnection, facts: &Arc<Facts>, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    let work = async {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let mut last = run_all(connection, jobs).await?;
        let _commit = facts.commit(jobs.iter().map(|job| job.touched()));
        last.add("COMMIT", []);
        last.send(&mut Tx(Dialect::Sqlite(&mut *connection))).await?;
        Ok(())
    };
    let result = work.await;
    if result.is_err() {
        // It fails only if there is nothing to roll back any more.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    result
}

/// Runs `jobs`, but for the statements that are given back. Each trip to the connection's thread serves as many as can be.
async fn run_all(connection: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> Result<Group> {
    let mut tx = Tx(Dialect::Sqlite(&mut *connection));
    let [mut one, two, mut alone] = [Trips::One, Trips::Two, Trips::OfItsOwn].map(|trips| {
        let those = (0..jobs.len()).filter(|index| jobs[*index].trips() == trips);
        those.collect::<Vec<_>>()
    });
    while !one.is_empty() {
        // Powers of two: their texts are few, so that they stay prepared.
        let count = MOST_IN_ONE_TRIP.min(1 << one.len().ilog2());
        let now = one.split_off(one.len() - count);
        let mut group = Group::default();
        for index in &now {
            jobs[*index].ask(&mut group);
        }
        let mut answers = group.send(&mut tx).await?;
        for index in now {
            if !jobs[index].answered(&mut answers, &mut Group::default())? {
                alone.push(index);
            }
        }
    }
    // What one of them writes goes with the questions of the next.
    let mut group = Group::default();
    for index in two {
        let before = group.len();
        jobs[index].ask(&mut group);
        let mut answers = std::mem::take(&mut group).send(&mut tx).await?;
        answers.skip(before);
        if !jobs[index].answered(&mut answers, &mut group)? {
            alone.push(index);
        }
    }
    if !alone.is_empty() {
        std::mem::take(&mut group).send(&mut tx).await?;
    }
    for index in alone {
        jobs[index].run(connection).await?;
    }
    Ok(group)
}

#[cfg(test)]
mod tests;
