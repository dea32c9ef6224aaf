-- What has been said of a manifest after it was pushed, JSON: yanked, deprecated, advisories. NULL: nothing.
ALTER TABLE manifests ADD COLUMN marks TEXT;
ALTER TABLE deleted_manifests ADD COLUMN marks TEXT;

-- For each repository with WebAssembly the version that search shows. languages: in lower case, with a space before and behind each.
CREATE TABLE heads (
    id INTEGER NOT NULL PRIMARY KEY,
    repository TEXT NOT NULL UNIQUE,
    manifest TEXT NOT NULL,
    tag TEXT NOT NULL,
    kind TEXT NOT NULL,
    world TEXT,
    description TEXT,
    licenses TEXT,
    languages TEXT NOT NULL,
    size BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What they import, export and target. version: empty without one.
CREATE TABLE head_items (
    direction TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    repository TEXT NOT NULL,
    PRIMARY KEY (direction, name, version, repository)
) WITHOUT ROWID;
CREATE INDEX head_items_by_repository ON head_items (repository, direction, name);

-- The words that they are found by, in the full-text search that SQLite has. The texts themselves are not kept.
CREATE VIRTUAL TABLE head_words USING fts5 (
    name, description, items, docs, content = '', contentless_delete = 1, tokenize = 'unicode61', prefix = '2 3'
);
