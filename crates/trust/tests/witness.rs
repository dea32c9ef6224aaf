//! What a witness is asked, and what it answers.

use proptest::prelude::*;
use wreg_trust::log::{
    AddCheckpoint, Checkpoint, Hash, NoteKey, SignedNote, Verifier,
    merkle::consistency,
    note::Kind,
    witness::{Decision, Known, MAX_PROOF, checkpoint_path, decide, read_cosignatures},
};

use crate::log::{Log, checkpoint, key};

const ORIGIN: &str = "reg.example/log";

fn signed(checkpoint: &Checkpoint, by: &NoteKey) -> SignedNote {
    let text = checkpoint.to_string();
    SignedNote::new(text.clone(), by.sign(&text, 0))
}

/// From a tree of `old` entries to one of `new`, signed by the log.
fn request(old: u64, new: u64) -> AddCheckpoint {
    let runs = consistency(old, new).unwrap_or_default();
    AddCheckpoint {
        old,
        proof: Log::of(new).hashes(runs),
        checkpoint: signed(&checkpoint(new), &key(ORIGIN, Kind::Plain)),
    }
}

fn known(size: u64) -> Known {
    let root = Log::of(size).frontier.root();
    Known { size, root }
}

fn logs() -> [Verifier; 2] {
    ["other.example/log", ORIGIN].map(|name| key(name, Kind::Plain).verifier().clone())
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(old in 0_u64..40, more in 0_u64..40) {
        let request = request(old, old + more);
        prop_assert!(request.proof.len() <= MAX_PROOF);
        prop_assert_eq!(request.to_string().parse(), Ok(request));
    }

    #[test]
    fn a_tree_that_goes_on_is_signed_and_no_other_is(old in 0_u64..40, more in 0_u64..40, last in 0_u64..40, bit in 0_usize..256) {
        let new = old + more;
        let right = request(old, new);
        prop_assert_eq!(decide(&right, known(old), &logs()), Decision::Sign(known(new)));
        if last != old {
            prop_assert_eq!(decide(&right, known(last), &logs()), Decision::Conflict(last));
        }
        // The same log says something else over as many entries.
        let mut root = Log::of(new).frontier.root();
        root.0[bit / 8] ^= 1 << (bit % 8);
        let other = AddCheckpoint {
            checkpoint: signed(&Checkpoint { root, ..checkpoint(new) }, &key(ORIGIN, Kind::Plain)),
            ..right.clone()
        };
        let answer = decide(&other, known(old), &logs());
        match (old, more) {
            (_, 0) => prop_assert_eq!(answer, Decision::Fork),
            // Whatever comes first is believed.
            (0, _) => prop_assert_eq!(answer, Decision::Sign(Known { size: new, root })),
            _ => prop_assert_eq!(answer, Decision::NotProven),
        }
        // What the witness has signed was something else.
        if old > 0 {
            let mut forked = known(old);
            forked.root.0[bit / 8] ^= 1 << (bit % 8);
            let answer = decide(&right, forked, &logs());
            prop_assert_eq!(answer, if more == 0 { Decision::Fork } else { Decision::NotProven });
        }
        let longer = AddCheckpoint {
            proof: [right.proof.clone(), vec![Hash::empty()]].concat(),
            ..right
        };
        prop_assert_eq!(decide(&longer, known(old), &logs()), Decision::NotProven);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(old [0-9]{1,22}\\n)?\\PC{0,100}(\\n\\n)?\\PC{0,100}") {
        let _ = (text.parse::<AddCheckpoint>(), read_cosignatures(&text));
    }
}

#[test]
fn each_refusal_has_its_own_status() {
    let right = request(3, 7);
    let logs = logs();
    let answer = |request: &AddCheckpoint, size: u64| decide(request, known(size), &logs).status();
    assert_eq!(answer(&right, 3), 200);
    assert_eq!(answer(&right, 4), 409);
    assert_eq!(
        answer(
            &AddCheckpoint {
                proof: Vec::new(),
                ..right.clone()
            },
            3
        ),
        422
    );
    // Smaller than what it is said to go on from, even where the witness has signed just that.
    assert_eq!(
        answer(
            &AddCheckpoint {
                old: 8,
                ..right.clone()
            },
            8
        ),
        400
    );
    let by = |name: &str, kind| AddCheckpoint {
        checkpoint: signed(&checkpoint(7), &key(name, kind)),
        ..right.clone()
    };
    assert_eq!(answer(&by(ORIGIN, Kind::Witness), 3), 403);
    // A key of another log that is known is not one of this log.
    assert_eq!(answer(&by("other.example/log", Kind::Plain), 3), 403);
    let elsewhere = Checkpoint {
        origin: "else.example/log".to_owned(),
        ..checkpoint(7)
    };
    let elsewhere = AddCheckpoint {
        checkpoint: signed(&elsewhere, &key("else.example/log", Kind::Plain)),
        ..right.clone()
    };
    assert_eq!(answer(&elsewhere, 3), 404);
    let text = "no checkpoint\n".to_owned();
    let signature = key(ORIGIN, Kind::Plain).sign(&text, 0);
    let nonsense = AddCheckpoint {
        checkpoint: SignedNote::new(text, signature),
        ..right
    };
    assert_eq!(answer(&nonsense, 3), 400);
    assert_eq!(
        decide(&request(0, 0), Known::nothing(), &logs),
        Decision::Sign(Known::nothing())
    );
}

#[test]
fn what_is_written_in_another_way_is_no_request() {
    let right = request(3, 7).to_string();
    let hash = Hash::empty().to_string();
    for wrong in [
        right.replacen("old 3", "old 03", 1),
        right.replacen("old 3", "old +3", 1),
        right.replacen("old 3", "old  3", 1),
        right.replacen("old 3", "size 3", 1),
        right.replacen("old 3\n", "", 1),
        right.replacen("old 3\n", &format!("old 3\n{}", format!("{hash}\n").repeat(64)), 1),
        right.replace('\n', "\r\n"),
        right.trim_end().to_owned(),
        String::new(),
    ] {
        assert!(wrong.parse::<AddCheckpoint>().is_err(), "{wrong}");
    }
}

#[test]
fn an_answer_is_read_past_what_is_not_known() {
    let text = checkpoint(7).to_string();
    let witness = key("witness.example", Kind::Witness);
    let signature = witness.sign(&text, 1_795_000_000);
    let answer = format!("— witness.example !!!\nnonsense\n{signature}\n");
    assert_eq!(read_cosignatures(&answer), [signature]);
    assert_eq!(
        checkpoint_path("example.com/behind-the-sofa").len(),
        "//checkpoint".len() + 64
    );
}
