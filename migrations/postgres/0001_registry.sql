-- The registry's facts. Times are milliseconds since 1970-01-01T00:00:00Z. See ../README.md before you change anything.

CREATE TABLE repositories (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    visibility TEXT COLLATE "C" NOT NULL,
    immutable_tags TEXT COLLATE "C" NOT NULL,
    missing_references TEXT COLLATE "C" NOT NULL,
    deletable BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- Content, once for all repositories. location: where the bytes are, a key in the blob store.
-- state: live or deleting. leased_until: not collected before, referenced or not.
CREATE TABLE blobs (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Which repository holds which blob: what a reader's right to it rests on.
CREATE TABLE repository_blobs (
    repository TEXT COLLATE "C" NOT NULL REFERENCES repositories (name),
    digest TEXT COLLATE "C" NOT NULL REFERENCES blobs (digest),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest);

-- content: the bytes as they were pushed. annotations: JSON, an object of strings.
CREATE TABLE manifests (
    repository TEXT COLLATE "C" NOT NULL REFERENCES repositories (name),
    digest TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    artifact_type TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    annotations TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest);

-- The edges from a manifest to what it is made of, written at push. kind: blob or manifest.
CREATE TABLE manifest_references (
    repository TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifests (repository, digest)
);
CREATE INDEX manifest_references_by_digest ON manifest_references (repository, kind, digest);

CREATE TABLE tags (
    repository TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifests (repository, digest)
);
CREATE INDEX tags_by_digest ON tags (repository, digest);

-- Upload sessions. received: bytes that are durable. hasher: the state of the hash over exactly those.
CREATE TABLE uploads (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    repository TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    algorithm TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL,
    hasher BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- Every change of a tag, manifest, setting or token, in the transaction of the change. Rows are never changed or removed.
CREATE TABLE events (
    sequence BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    occurred_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    repository TEXT COLLATE "C",
    subject TEXT COLLATE "C" NOT NULL,
    old_value TEXT COLLATE "C",
    new_value TEXT COLLATE "C"
);
CREATE INDEX events_by_repository ON events (repository, sequence);
CREATE INDEX events_by_subject ON events (repository, subject, sequence);

-- Work that one server at a time does. owner, fence and leased_until are the lease; fence grows with every claim.
CREATE TABLE jobs (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    owner TEXT COLLATE "C",
    fence BIGINT NOT NULL,
    leased_until BIGINT NOT NULL
);

-- Personal tokens, by the SHA-256 of the secret: it has 256 random bits, so a slow hash would add nothing.
CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    scope TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
