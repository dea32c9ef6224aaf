//! Trees, tiles, notes and proofs, beside `tlog_tiles` and `signed_note`.

use std::{collections::BTreeMap, ops::Range};

use proptest::prelude::*;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    HashReader, check_record, check_tree, prove_record, prove_tree, stored_hash_index, stored_hashes, tree_hash,
};
use wreg_trust::log::{
    Checkpoint, Frontier, Hash, NoteKey, Proof, SignedNote, Tile, Verifier,
    merkle::{self, Node},
    note::{Kind, NoteSignature},
    tile::{self, Row},
};

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// A log in memory: all full subtrees.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) frontier: Frontier,
    hashes: BTreeMap<Node, Hash>,
}

impl Log {
    pub(crate) fn of(size: u64) -> Self {
        let mut log = Self::default();
        for index in 0..size {
            let leaf = Hash::leaf(&entry(index));
            log.frontier.append(leaf, |node, hash| {
                assert_eq!(log.hashes.insert(node, hash), None);
            });
        }
        log
    }

    fn hash(&self, entries: Range<u64>) -> Hash {
        let nodes = merkle::nodes(entries);
        merkle::root(nodes.iter().map(|node| self.hashes[node]))
    }

    pub(crate) fn hashes(&self, runs: Vec<Range<u64>>) -> Vec<Hash> {
        runs.into_iter().map(|run| self.hash(run)).collect()
    }
}

/// The same for the other implementation.
struct Others(Vec<tlog_tiles::Hash>);

impl HashReader for Others {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let place = |index: &u64| usize::try_from(*index).expect("it is small");
        Ok(indexes.iter().map(|index| self.0[place(index)]).collect())
    }
}

fn others(size: u64) -> Others {
    let mut all = Others(Vec::new());
    for index in 0..size {
        let new = stored_hashes(index, &entry(index), &all).expect("it is the next one");
        all.0.extend(new);
    }
    all
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

#[test]
fn trees_and_proofs_are_those_of_another_implementation() {
    let (most, theirs_of) = (70, others(70));
    for size in 0..=most {
        let log = Log::of(size);
        let root = log.frontier.root();
        assert_eq!(root, log.hash(0..size));
        if size == 0 {
            assert_eq!(root, Hash::empty());
            continue;
        }
        let their_root = tree_hash(size, &theirs_of).expect("it is there");
        assert_eq!(root.0, their_root.0, "{size}");
        for (node, hash) in &log.hashes {
            let place = usize::try_from(stored_hash_index(node.level, node.index)).expect("it is small");
            assert_eq!(theirs_of.0[place].0, hash.0, "{node:?}");
        }
        for index in 0..size {
            let proof = log.hashes(merkle::inclusion(index, size).expect("it is in it"));
            assert_eq!(
                prove_record(size, index, &theirs_of).expect("it is in it"),
                theirs(&proof)
            );
            let leaf = Hash::leaf(&entry(index));
            assert_eq!(merkle::root_of_inclusion(index, size, leaf, &proof), Some(root));
            check_record(&theirs(&proof), size, their_root, index, tlog_tiles::Hash(leaf.0)).expect("they agree");
        }
        assert_eq!(merkle::inclusion(size, size), None);
        for old in 1..=size {
            let proof = log.hashes(merkle::consistency(old, size).expect("it is the beginning"));
            let old_root = log.hash(0..old);
            if old < size {
                assert_eq!(
                    prove_tree(size, old, &theirs_of).expect("it is the beginning"),
                    theirs(&proof)
                );
                let their_old = tlog_tiles::Hash(old_root.0);
                check_tree(&theirs(&proof), size, their_root, old, their_old).expect("they agree");
            }
            assert!(merkle::is_consistent(old, old_root, size, root, &proof), "{old} {size}");
        }
        assert!(merkle::is_consistent(0, Hash::empty(), size, root, &[]));
        assert!(!merkle::is_consistent(size + 1, root, size, root, &[]));
    }
}

#[test]
fn a_frontier_goes_on_from_the_hashes_of_its_nodes() {
    for size in 0..40 {
        let log = Log::of(size);
        let hashes: Vec<_> = merkle::nodes(0..size).iter().map(|node| log.hashes[node]).collect();
        let mut frontier = Frontier::new(size, hashes.clone()).expect("these are all");
        frontier.append(Hash::leaf(&entry(size)), |_, _| {});
        assert_eq!(frontier, Log::of(size + 1).frontier);
        assert_eq!(Frontier::new(size, [hashes, vec![Hash::empty()]].concat()), None);
    }
}

proptest! {
    #[test]
    fn a_proof_that_was_changed_proves_nothing(size in 2_u64..300, index: prop::sample::Index, place: prop::sample::Index, bit in 0_usize..256) {
        let log = Log::of(size);
        let root = log.frontier.root();
        let index = index.index(usize::try_from(size).expect("it is small")) as u64;
        let leaf = Hash::leaf(&entry(index));
        let proof = log.hashes(merkle::inclusion(index, size).expect("it is in it"));
        let mut changed = proof.clone();
        changed[place.index(proof.len())].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(merkle::root_of_inclusion(index, size, leaf, &changed), Some(root));
        prop_assert_eq!(merkle::root_of_inclusion(index, size, leaf, &proof[1..]), None);
        prop_assert_eq!(merkle::root_of_inclusion(index, size, leaf, &[proof.clone(), vec![root]].concat()), None);
        prop_assert_ne!(merkle::root_of_inclusion(index ^ 1, size, leaf, &proof), Some(root));
        let old = index.max(1);
        let proof = log.hashes(merkle::consistency(old, size).expect("it is the beginning"));
        let old_root = log.hash(0..old);
        prop_assert!(merkle::is_consistent(old, old_root, size, root, &proof));
        if !proof.is_empty() {
            let mut changed = proof.clone();
            changed[place.index(proof.len())].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!merkle::is_consistent(old, old_root, size, root, &changed));
            prop_assert!(!merkle::is_consistent(old, root, size, root, &proof));
        }
    }

    #[test]
    fn no_text_makes_them_panic(text in "\\PC{0,200}", bytes: Vec<u8>) {
        let _ = (text.parse::<Tile>(), text.parse::<SignedNote>(), text.parse::<Proof>(), text.parse::<Checkpoint>());
        let _ = (text.parse::<Verifier>(), text.parse::<Hash>(), text.parse::<NoteSignature>());
        let tile = Tile { row: Row::Entries, index: 0, width: 3 };
        let _ = (tile::entries(tile, &bytes), tile::hashes(tile, &bytes));
    }
}

#[test]
fn tiles_have_the_paths_of_the_specification() {
    for (path, row, index, width) in [
        ("tile/0/000", Row::Hashes(0), 0, 256),
        ("tile/0/x001/x234/067", Row::Hashes(0), 1_234_067, 256),
        ("tile/3/x001/234.p/5", Row::Hashes(3), 1234, 5),
        ("tile/entries/012.p/255", Row::Entries, 12, 255),
    ] {
        let tile = Tile { row, index, width };
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    for path in [
        "tile/0/0",
        "tile/00/000",
        "tile/8/000",
        "tile/0/x000/001",
        "tile/0/001.p/256",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/+01",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(path.parse::<Tile>().is_err(), "{path}");
    }
}

#[test]
fn every_subtree_follows_from_one_tile() {
    let size = 70_000;
    let log = Log::of(size);
    for node in merkle::nodes(0..size).into_iter().chain(
        merkle::inclusion(4711, size)
            .expect("it is in it")
            .into_iter()
            .flat_map(merkle::nodes),
    ) {
        let (tile, places) = tile::tile_of(node, size).expect("it is in the tree");
        let Row::Hashes(level) = tile.row else { panic!("{tile}") };
        let bytes: Vec<u8> = (0..tile.width)
            .flat_map(|place| {
                let index = tile.index * tile::WIDTH + place;
                log.hashes[&Node {
                    level: level * tile::HEIGHT,
                    index,
                }]
                    .0
            })
            .collect();
        let hashes = tile::hashes(tile, &bytes).expect("it is full");
        assert_eq!(tile::fold(&hashes[places]), Some(log.hashes[&node]), "{node:?}");
    }
    assert_eq!(tile::tile_of(Node { level: 0, index: size }, size), None);
    assert_eq!(
        tile::tile_of(
            Node {
                level: 63,
                index: u64::MAX
            },
            size
        ),
        None
    );
}

#[test]
fn entries_come_back_out_of_their_tile() {
    let mut bytes = Vec::new();
    assert!(tile::push_entry(&mut bytes, b"one"));
    assert!(tile::push_entry(&mut bytes, b""));
    assert!(!tile::push_entry(&mut bytes, &vec![0; tile::MAX_ENTRY + 1]));
    let tile = |width| Tile {
        row: Row::Entries,
        index: 0,
        width,
    };
    assert_eq!(tile::entries(tile(2), &bytes), Some(vec![&b"one"[..], b""]));
    assert_eq!(tile::entries(tile(3), &bytes), None);
    assert_eq!(tile::entries(tile(2), &bytes[..bytes.len() - 1]), None);
}

pub(crate) fn key(name: &str, kind: Kind) -> NoteKey {
    NoteKey::new(name, kind, &[7; 32]).expect("the name is one")
}

pub(crate) fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint {
        origin: "reg.example/log".to_owned(),
        size,
        root: Log::of(size).frontier.root(),
        extensions: Vec::new(),
    }
}

#[test]
fn another_implementation_accepts_our_notes_and_keys() {
    let key = key("reg.example/log", Kind::Plain);
    let text = checkpoint(3).to_string();
    let mut note = SignedNote::new(text.clone(), key.sign(&text, 0));
    note.add(self::key("witness.example", Kind::Witness).sign(&text, 1_795_000_000));
    let verifier = StandardVerifier::new(&key.verifier().to_string()).expect("they read the key");
    let theirs = Note::from_bytes(note.to_string().as_bytes()).expect("they read the note");
    let (known, unknown) = theirs
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .expect("they accept it");
    assert_eq!((known.len(), unknown.len()), (1, 1));
    let read = tlog_tiles::Checkpoint::from_bytes(theirs.text()).expect("they read the checkpoint");
    assert_eq!((read.origin(), read.size()), ("reg.example/log", 3));
}

#[test]
fn a_note_is_checked_by_its_keys_alone() {
    let (log, witness) = (
        key("reg.example/log", Kind::Plain),
        key("witness.example", Kind::Witness),
    );
    let text = checkpoint(5).to_string();
    let mut note = SignedNote::new(text.clone(), log.sign(&text, 0));
    note.add(witness.sign(&text, 1));
    note.add(witness.sign(&text, 1_795_000_000));
    let read: SignedNote = note.to_string().parse().expect("it is one");
    assert_eq!(read, note);
    assert_eq!(log.verifier().verify(&read), Some(0));
    assert_eq!(witness.verifier().verify(&read), Some(1_795_000_000));
    assert_eq!(read.text().parse(), Ok(checkpoint(5)));
    for other in [
        key("reg.example/other", Kind::Plain),
        key("reg.example/log", Kind::Witness),
    ] {
        assert_eq!(other.verifier().verify(&read), None);
        assert_eq!(other.verifier().to_string().parse(), Ok(other.verifier().clone()));
    }
    // Each bit of the text counts.
    for place in 0..text.len() {
        let mut bytes = note.to_string().into_bytes();
        bytes[place] ^= 1;
        let changed = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
        if let Some(changed) = changed {
            assert_eq!(log.verifier().verify(&changed), None, "{place}");
            assert_eq!(witness.verifier().verify(&changed), None, "{place}");
        }
    }
    for text in ["", "a+b", "a b"] {
        assert!(NoteKey::new(text, Kind::Plain, &[7; 32]).is_err(), "{text:?}");
    }
    let verifier = log.verifier().to_string();
    assert!(verifier.replacen("reg", "geg", 1).parse::<Verifier>().is_err());
}

#[test]
fn a_proof_is_all_that_it_takes() {
    let (size, index) = (11, 6);
    let log = Log::of(size);
    let key = key("reg.example/log", Kind::Plain);
    let text = checkpoint(size).to_string();
    let proof = Proof {
        extra: Some(b"a hint".to_vec()),
        index,
        hashes: log.hashes(merkle::inclusion(index, size).expect("it is in it")),
        checkpoint: SignedNote::new(text.clone(), key.sign(&text, 0)),
    };
    let read: Proof = proof.to_string().parse().expect("it is one");
    assert_eq!(read, proof);
    assert_eq!(read.check(&entry(index)), Some(checkpoint(size)));
    assert_eq!(read.check(&entry(index + 1)), None);
    for other in [
        proof.to_string().replace("index 6", "index 06"),
        proof.to_string().replace("@v1", "@v2"),
        proof.to_string().replace("index 6", "index -6"),
    ] {
        assert!(other.parse::<Proof>().is_err(), "{other}");
    }
}
