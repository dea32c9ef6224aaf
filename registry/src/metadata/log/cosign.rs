//! Adding signatures of witnesses to the checkpoint that is published.

use wreg_trust::log::{SignedNote, note::NoteSignature};

use super::super::{Error, Operation, Result, Touched, Tx, on_db, signed};
use crate::clock::Millis;

/// The job of asking witnesses about a checkpoint that has been published for a while.
pub(crate) const JOB: &str = "cosign";

/// Adds signatures to the checkpoint, if it still is the one that they are of. Says whether it was.
pub(crate) struct CosignLog {
    /// What the checkpoint covers.
    pub(crate) size: u64,
    /// What is signed.
    pub(crate) text: String,
    pub(crate) signatures: Vec<NoteSignature>,
    pub(crate) now: Millis,
}

impl Operation for CosignLog {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let before: Option<(String,)> = on_db!(tx, db => sqlx::query_as("SELECT checkpoint FROM log WHERE size = $1")
            .bind(signed(self.size))
            .fetch_optional(db)
            .await)?;
        let Some((before,)) = before else { return Ok(false) };
        let mut note: SignedNote = before.parse().map_err(|_| Error::Corrupt {
            table: "log",
            column: "checkpoint",
        })?;
        if note.text() != self.text {
            return Ok(false);
        }
        for signature in &self.signatures {
            note.add(signature.clone());
        }
        // Another server may have added others meanwhile: those are not to be lost.
        Ok(on_db!(tx, db => sqlx::query(
            "UPDATE log SET checkpoint = $2, published_at = $3 WHERE size = $1 AND checkpoint = $4",
        )
        .bind(signed(self.size))
        .bind(note.to_string())
        .bind(self.now)
        .bind(&before)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1))?)
    }
}
