//! How far events are settled: which numbers may still come.
//!
//! On PostgreSQL an event takes its number before its transaction ends, so that it may come after one with a higher number (of one
//! repository they never do, whose row both lock), or never, if the transaction is undone. A number that is missing is waited for until
//! every transaction has ended that was under way when it was found missing: the one that has it is among them, since each writes the change
//! before the event of it, and by that has its own number in the order of transactions. What has a higher number is taken up meanwhile.

use sqlx::FromRow;

use super::super::{Dialect, Result, Tx, on_db};

/// How many numbers are looked over to find where to begin the next time.
const LOOKED_OVER: i64 = 2048;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub(super) struct Waiting {
    /// All events below it are taken up, or never will be.
    pub(super) next_event: i64,
    /// The transaction that has found numbers missing.
    pub(super) waits_from: Option<i64>,
    /// Those are below this one, or it.
    pub(super) waits_to: Option<i64>,
}

/// The transactions of PostgreSQL as one of them sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
struct Transactions {
    /// This one.
    own: i64,
    /// The oldest that is under way.
    oldest: i64,
}

/// Which numbers there are.
#[derive(Debug)]
pub(super) struct Numbers {
    before: Waiting,
    /// `None` on SQLite, where there is one at a time.
    transactions: Option<Transactions>,
    there: Vec<i64>,
}

impl Numbers {
    /// To be asked for before the events themselves are: each statement sees what has been committed by then, so that every event that is
    /// counted here is read there, and not the other way round.
    pub(super) async fn look(tx: &mut Tx<'_>, before: Waiting) -> Result<Self> {
        let mut transactions = None;
        if let Dialect::Postgres(connection) = &mut tx.0 {
            let statement = "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT) AS own,
                CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) AS oldest";
            transactions = Some(sqlx::query_as(statement).fetch_one(&mut **connection).await?);
        }
        let there: Vec<(i64,)> = on_db!(tx, db => sqlx::query_as(
            "SELECT sequence FROM events WHERE sequence >= $1 ORDER BY sequence LIMIT $2 + 0",
        )
        .bind(before.next_event)
        .bind(LOOKED_OVER)
        .fetch_all(db)
        .await)?;
        Ok(Self {
            before,
            transactions,
            there: there.into_iter().map(|(sequence,)| sequence).collect(),
        })
    }

    /// What is waited for once all events below `end` that have been read are taken up.
    pub(super) fn settle(self, end: i64) -> Waiting {
        let below = self.there.partition_point(|sequence| *sequence < end);
        after(self.before, self.transactions, &self.there[..below])
    }
}

fn after(before: Waiting, transactions: Option<Transactions>, there: &[i64]) -> Waiting {
    let last = there.last().copied().unwrap_or(0);
    let pending = before.waits_from.zip(before.waits_to);
    let settled_to = match (transactions, pending) {
        (None, _) => last,
        (Some(transactions), Some((from, to))) if transactions.oldest > from => to,
        _ => 0,
    };
    let mut next = before.next_event;
    for sequence in there {
        if *sequence != next && *sequence > settled_to {
            break;
        }
        next = sequence + 1;
    }
    // Those that were missing, and are not settled, or those beyond.
    let still = pending.filter(|(_, to)| *to >= next && settled_to == 0);
    let new = transactions
        .filter(|_| last >= next)
        .map(|transactions| (transactions.own, last));
    let waits = still.or(new);
    Waiting {
        next_event: next,
        waits_from: waits.map(|(from, _)| from),
        waits_to: waits.map(|(_, to)| to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(next_event: i64, waits: Option<(i64, i64)>) -> Waiting {
        Waiting {
            next_event,
            waits_from: waits.map(|(from, _)| from),
            waits_to: waits.map(|(_, to)| to),
        }
    }

    /// Where transaction `own` looks, and `oldest` is under way.
    fn look(before: Waiting, own: i64, oldest: i64, there: &[i64]) -> Waiting {
        after(before, Some(Transactions { own, oldest }), there)
    }

    #[test]
    fn what_is_missing_is_waited_for_until_whoever_may_have_it_has_ended() {
        // Nothing is missing.
        assert_eq!(look(waiting(5, None), 100, 99, &[5, 6]), waiting(7, None));
        // 7 is.
        let found = look(waiting(5, None), 100, 99, &[5, 6, 8, 9]);
        assert_eq!(found, waiting(7, Some((100, 9))));
        // Somebody is under way who was then; and what is missing beyond is looked after later.
        assert_eq!(look(found, 101, 99, &[8, 9, 12]), found);
        assert_eq!(look(found, 101, 100, &[8, 9, 12]), found);
        // Nobody is: it will not come. 10 and 11 may.
        let beyond = look(found, 105, 103, &[8, 9, 12]);
        assert_eq!(beyond, waiting(10, Some((105, 12))));
        // They come.
        assert_eq!(look(beyond, 106, 104, &[10, 11, 12]), waiting(13, None));
        // 7 came.
        assert_eq!(look(found, 101, 99, &[7, 8, 9]), waiting(10, None));
    }

    #[test]
    fn where_there_is_one_transaction_at_a_time_nothing_is_waited_for() {
        assert_eq!(after(waiting(5, None), None, &[5, 9]), waiting(10, None));
        assert_eq!(after(waiting(5, None), None, &[]), waiting(5, None));
    }
}
