//! What is committed together, and what becomes of those in bad company.

use std::sync::Arc;

use tokio::{
    sync::Semaphore,
    task::{JoinHandle, yield_now},
};

use super::super::{Metadata, Operation, Result, Touched, Tx, collection::ClockNote, on_db};

/// Puts a row into a table that is not in use here.
const INSERT: &str = "INSERT INTO collection_clock (name, seen_at, held_until) VALUES ('collection', 1, 2)";

/// Operations of a test.
enum Act {
    /// Says that it has begun, and waits until the test says so.
    Wait(Arc<Semaphore>, Arc<Semaphore>),
    /// Adds a row.
    Insert,
    /// Tells what is seen of that row: within the transaction, and outside of it.
    Look(Metadata),
    Fail,
    Panic,
}

impl Operation for Act {
    type Output = Vec<bool>;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<bool>> {
        match self {
            Self::Wait(begun, until) => {
                begun.add_permits(1);
                until.acquire().await.expect("it is not closed").forget();
            }
            Self::Insert => on_db!(tx, db => sqlx::query(INSERT).execute(db).await.map(drop))?,
            Self::Look(metadata) => {
                let within = on_db!(tx, db => sqlx::query("SELECT 1 FROM collection_clock").fetch_optional(db).await.map(|row| row.is_some()))?;
                return Ok(vec![within, metadata.find_clock_note().await?.is_some()]);
            }
            Self::Fail => on_db!(tx, db => sqlx::query("INSERT INTO nowhere VALUES (1)").execute(db).await.map(drop))?,
            Self::Panic => panic!("as the test wants it"),
        }
        Ok(Vec::new())
    }
}

/// Hands over `acts` while the writer is busy, so that all of them are waiting when it comes to them.
async fn together(metadata: &Metadata, acts: Vec<Act>) -> Vec<Result<Vec<bool>>> {
    let until = Arc::new(Semaphore::new(0));
    let ask = |act| -> JoinHandle<_> {
        let metadata = metadata.clone();
        tokio::spawn(async move { metadata.write(act).await })
    };
    let begun = Arc::new(Semaphore::new(0));
    let busy = ask(Act::Wait(Arc::clone(&begun), Arc::clone(&until)));
    begun.acquire().await.expect("it is not closed").forget();
    let mut asked = Vec::new();
    for act in acts {
        asked.push(ask(act));
        while metadata.load().2 < asked.len() {
            yield_now().await;
        }
    }
    until.add_permits(1);
    busy.await.expect("no panic").expect("it is done");
    let mut told = Vec::new();
    for one in asked {
        told.push(one.await.expect("no panic"));
    }
    told
}

async fn database() -> (tempfile::TempDir, Metadata) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let metadata = Metadata::open_sqlite(&folder.path().join("wreg.db")).await;
    (folder, metadata.expect("a new database"))
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let (_folder, metadata) = database().await;
    let told = together(&metadata, vec![Act::Insert, Act::Look(metadata.clone())]).await;
    let [Ok(_), Ok(seen)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(seen[..], [true, false], "the row was there and not committed yet");
    assert!(metadata.find_clock_note().await.expect("an answer").is_some());
}

#[tokio::test]
async fn an_operation_that_fails_takes_no_other_one_with_it() {
    for bad in [Act::Fail, Act::Panic] {
        let (_folder, metadata) = database().await;
        let told = together(&metadata, vec![Act::Insert, bad, Act::Look(metadata.clone())]).await;
        let [Ok(_), Err(_), Ok(seen)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(seen[..], [true, true], "each was done again by itself");
        let note = metadata.find_clock_note().await.expect("an answer");
        assert_eq!(
            note,
            Some(ClockNote {
                seen_at: 1,
                held_until: 2
            })
        );
    }
}
