//! What is measured, and what it must reach: the table of goals.

use super::peers::Peer::{self, Anonymous, Distribution, Nginx};

/// A kind of load.
pub(super) struct Row {
    /// What `--filter` knows it by.
    pub(super) id: &'static str,
    pub(super) work: &'static str,
    /// What the load is told.
    pub(super) load: &'static [&'static str],
    pub(super) connections: usize,
    /// Whether it fills the disk, so that each turn begins with an empty registry.
    pub(super) writes: bool,
    /// Whom wreg is compared with, and the least ratio of its operations a second to theirs, if there is one.
    pub(super) against: &'static [(Peer, Option<f64>)],
    /// The least ratio to distribution where both are on object storage, if it is measured there.
    pub(super) on_bucket: Option<f64>,
}

impl Row {
    /// With one thread, the load would be what is measured wherever it costs more than the server.
    pub(super) fn threads(&self) -> &'static [&'static str] {
        if self.connections > 1 { &["--threads", "2"] } else { &[] }
    }

    /// Whether its figure is megabytes, not operations.
    pub(super) fn is_bulk(&self) -> bool {
        self.load.contains(&"32MiB")
    }
}

const fn read(id: &'static str, work: &'static str, load: &'static [&'static str], connections: usize) -> Row {
    Row {
        id,
        work,
        load,
        connections,
        writes: false,
        against: &[(Distribution, None), (Nginx, None)],
        on_bucket: None,
    }
}

const fn write(id: &'static str, work: &'static str, load: &'static [&'static str], connections: usize) -> Row {
    Row {
        writes: true,
        against: &[(Distribution, None)],
        ..read(id, work, load, connections)
    }
}

/// In the order of the goals; then what is only reported.
pub(super) const ROWS: &[Row] = &[
    Row {
        against: &[(Distribution, Some(3.5)), (Nginx, None)],
        on_bucket: Some(1.0),
        ..read(
            "manifest-by-tag",
            "manifest GET by tag",
            &["resolve", "--by", "tag"],
            32,
        )
    },
    Row {
        against: &[(Distribution, None), (Nginx, Some(1.0))],
        on_bucket: Some(1.0),
        ..read(
            "manifest-by-digest",
            "manifest GET by digest",
            &["resolve", "--by", "digest"],
            32,
        )
    },
    Row {
        against: &[(Distribution, Some(25.0)), (Nginx, Some(1.0))],
        on_bucket: Some(1.0),
        ..read("blob-100k", "blob GET 100 KiB", &["blob", "--size", "100KiB"], 32)
    },
    Row {
        against: &[(Distribution, Some(1.3)), (Nginx, Some(0.9))],
        on_bucket: Some(1.0),
        ..read("blob-32m", "blob GET 32 MiB", &["blob", "--size", "32MiB"], 8)
    },
    Row {
        against: &[(Distribution, Some(10.0)), (Nginx, None)],
        on_bucket: Some(1.0),
        ..read(
            "pull",
            "pull of an artifact, 100 KiB",
            &["pull", "--size", "100KiB"],
            32,
        )
    },
    Row {
        against: &[(Distribution, Some(28.0))],
        on_bucket: Some(2.0),
        ..write(
            "push-16",
            "push of an artifact, 100 KiB",
            &["push", "--size", "100KiB"],
            16,
        )
    },
    Row {
        against: &[(Distribution, Some(45.0))],
        on_bucket: Some(2.0),
        ..write(
            "push-64",
            "push of an artifact, 100 KiB",
            &["push", "--size", "100KiB"],
            64,
        )
    },
    Row {
        against: &[(Distribution, Some(1.6))],
        on_bucket: Some(1.0),
        ..write(
            "push-32m",
            "push of blobs, 32 MiB",
            &["push-blob", "--size", "32MiB"],
            4,
        )
    },
    Row {
        against: &[(Distribution, Some(8.0))],
        on_bucket: Some(1.0),
        ..write("tag", "manifest PUT of tags, one repository", &["tag"], 32)
    },
    Row {
        against: &[(Anonymous, Some(0.9))],
        ..read(
            "bearer-manifest",
            "manifest GET by tag, with a token",
            &["resolve", "--bearer"],
            32,
        )
    },
    Row {
        against: &[(Anonymous, Some(0.9))],
        ..read(
            "bearer-blob",
            "blob GET 100 KiB, with a token",
            &["blob", "--bearer"],
            32,
        )
    },
    read("head", "manifest HEAD by tag", &["resolve", "--by", "head"], 32),
    read("blob-4k", "blob GET 4 KiB", &["blob", "--size", "4KiB"], 32),
    // What is left when no client copies the bytes: the server's part.
    read(
        "discard-100k",
        "blob GET 100 KiB, thrown away",
        &["blob", "--discard"],
        32,
    ),
    read(
        "discard-32m",
        "blob GET 32 MiB, thrown away",
        &["blob", "--size", "32MiB", "--discard"],
        8,
    ),
    read("manifest-1", "manifest GET by tag", &["resolve"], 1),
    read("manifest-256", "manifest GET by tag", &["resolve"], 256),
    read("blob-256", "blob GET 100 KiB", &["blob"], 256),
    write("push-1", "push of an artifact, 100 KiB", &["push"], 1),
    write("push-256", "push of an artifact, 100 KiB", &["push"], 256),
    write(
        "push-single",
        "push of an artifact, 100 KiB, in single requests",
        &["push", "--single"],
        16,
    ),
    write(
        "push-artifact-32m",
        "push of an artifact, 32 MiB",
        &["push", "--size", "32MiB"],
        4,
    ),
    Row {
        against: &[],
        ..read("referrers", "10 referrers of a manifest", &["referrers"], 32)
    },
    Row {
        against: &[],
        ..read("token", "tokens", &["token"], 32)
    },
];
