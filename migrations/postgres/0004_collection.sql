-- What has been deleted and can be brought back, and bytes on their way out of the store.

-- As manifests. deleted_at: kept from then for as long as the configuration says. deleted_with: the subject that it followed.
CREATE TABLE deleted_manifests (
    repository TEXT COLLATE "C" NOT NULL REFERENCES repositories (name),
    digest TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    artifact_type TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    annotations TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL,
    deleted_with TEXT COLLATE "C",
    PRIMARY KEY (repository, digest)
);
CREATE INDEX deleted_manifests_by_time ON deleted_manifests (deleted_at);
CREATE INDEX deleted_manifests_by_subject ON deleted_manifests (repository, deleted_with, digest);

-- As manifest_references: what a deleted manifest is made of is kept as long as it is. held: a blob that the repository held then.
CREATE TABLE deleted_manifest_references (
    repository TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    held BOOLEAN NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest),
    FOREIGN KEY (repository, manifest) REFERENCES deleted_manifests (repository, digest)
);
CREATE INDEX deleted_manifest_references_by_digest ON deleted_manifest_references (digest, repository);

-- The last deletion of each tag: where it pointed.
CREATE TABLE deleted_tags (
    repository TEXT COLLATE "C" NOT NULL REFERENCES repositories (name),
    name TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    deleted_at BIGINT NOT NULL,
    PRIMARY KEY (repository, name)
);
CREATE INDEX deleted_tags_by_digest ON deleted_tags (repository, digest);
CREATE INDEX deleted_tags_by_time ON deleted_tags (deleted_at);

-- Generations of blobs that no row of blobs knows any more: their bytes go after a while, and then the row.
CREATE TABLE blob_removals (
    location TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    digest TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    marked_at BIGINT NOT NULL
);

-- One row. seen_at: when the collection last looked at the clock. held_until: it takes nothing before, because the clock jumped.
CREATE TABLE collection_clock (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    held_until BIGINT NOT NULL
);
