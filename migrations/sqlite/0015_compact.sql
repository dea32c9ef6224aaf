-- Fewer pages to write for each row: tables that are asked for by their key alone are kept in its order, without a tree beside them, and
-- indexes hold only what is looked up in them.

CREATE TABLE new_blobs (
    digest TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    location TEXT NOT NULL,
    state TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    content BLOB
) WITHOUT ROWID;
INSERT INTO new_blobs SELECT digest, size, location, state, leased_until, created_at, content FROM blobs ORDER BY digest;

-- Rows come in the order of time, so that only the key is all over the place; it serves who asks for a digest, too.
CREATE TABLE new_repository_blobs (
    repository TEXT NOT NULL REFERENCES repositories (name),
    digest TEXT NOT NULL REFERENCES new_blobs (digest),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (digest, repository)
);
INSERT INTO new_repository_blobs SELECT repository, digest, created_at FROM repository_blobs ORDER BY rowid;

-- Those that refer to a table go before it. A new name of a table is its name in all that refers to it.
DROP TABLE repository_blobs;
DROP TABLE blobs;
ALTER TABLE new_blobs RENAME TO blobs;
ALTER TABLE new_repository_blobs RENAME TO repository_blobs;
CREATE INDEX repository_blobs_by_repository ON repository_blobs (repository);

CREATE TABLE new_manifest_references (
    repository TEXT NOT NULL,
    manifest TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, kind, digest),
    FOREIGN KEY (repository, manifest) REFERENCES manifests (repository, digest)
) WITHOUT ROWID;
INSERT INTO new_manifest_references SELECT repository, manifest, kind, digest FROM manifest_references ORDER BY 1, 2, 3, 4;
DROP TABLE manifest_references;
ALTER TABLE new_manifest_references RENAME TO manifest_references;
CREATE INDEX manifest_references_by_digest ON manifest_references (repository, kind, digest);

CREATE TABLE new_tags (
    repository TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifests (repository, digest)
) WITHOUT ROWID;
INSERT INTO new_tags SELECT repository, name, digest, created_at, updated_at FROM tags ORDER BY repository, name;
DROP TABLE tags;
ALTER TABLE new_tags RENAME TO tags;
CREATE INDEX tags_by_digest ON tags (repository, digest);

DROP INDEX manifests_by_subject;
CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
DROP INDEX events_by_subject;
CREATE INDEX events_of_deleted_tags ON events (repository, subject, sequence) WHERE kind = 'tag-deleted';
