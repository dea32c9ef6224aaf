-- The registry's facts. Times are milliseconds since 1970-01-01T00:00:00Z. See ../README.md before you change anything.

CREATE TABLE repositories (
    name TEXT NOT NULL PRIMARY KEY,
    visibility TEXT NOT NULL,
    immutable_tags TEXT NOT NULL,
    missing_references TEXT NOT NULL,
    deletable BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- Content, once for all repositories. location: where the bytes are, a key in the blob store.
-- state: live or deleting. leased_until: not collected before, referenced or not.
CREATE TABLE blobs (
    digest TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    location TEXT NOT NULL,
    state TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Which repository holds which blob: what a reader's right to it rests on.
CREATE TABLE repository_blobs (
    repository TEXT NOT NULL REFERENCES repositories (name),
    digest TEXT NOT NULL REFERENCES blobs (digest),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest);

-- content: the bytes as they were pushed. annotations: JSON, an object of strings.
CREATE TABLE manifests (
    repository TEXT NOT NULL REFERENCES repositories (name),
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    annotations TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest);

-- The edges from a manifest to what it is made of, written at push. kind: blob or manifest.
CREATE TABLE manifest_references (
    repository TEXT NOT NULL,
    manifest TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifests (repository, digest)
);
CREATE INDEX manifest_references_by_digest ON manifest_references (repository, kind, digest);

CREATE TABLE tags (
    repository TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifests (repository, digest)
);
CREATE INDEX tags_by_digest ON tags (repository, digest);

-- Upload sessions. received: bytes that are durable. hasher: the state of the hash over exactly those.
CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    repository TEXT NOT NULL,
    actor TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    received BIGINT NOT NULL,
    hasher BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- Every change of a tag, manifest, setting or token, in the transaction of the change. Rows are never changed or removed.
CREATE TABLE events (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    occurred_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    repository TEXT,
    subject TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT
);
CREATE INDEX events_by_repository ON events (repository, sequence);
CREATE INDEX events_by_subject ON events (repository, subject, sequence);

-- Work that one server at a time does. owner, fence and leased_until are the lease; fence grows with every claim.
CREATE TABLE jobs (
    name TEXT NOT NULL PRIMARY KEY,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    owner TEXT,
    fence BIGINT NOT NULL,
    leased_until BIGINT NOT NULL
);

-- Personal tokens, by the SHA-256 of the secret: it has 256 random bits, so a slow hash would add nothing.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
