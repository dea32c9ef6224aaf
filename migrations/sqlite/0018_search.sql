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

-- What any of them ever imported, exported or targeted. version: empty without one.
CREATE TABLE items (
    id INTEGER NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (direction, name, version)
);

-- Which head has what.
CREATE TABLE head_items (
    item BIGINT NOT NULL,
    head BIGINT NOT NULL,
    PRIMARY KEY (item, head)
) WITHOUT ROWID;
CREATE INDEX head_items_by_head ON head_items (head, item);

-- The words that they are found by, in the full-text search that SQLite has. The texts themselves are not kept.
CREATE VIRTUAL TABLE head_words USING fts5 (
    name, description, items, docs, content = '', contentless_delete = 1, tokenize = 'unicode61', prefix = '2 3'
);
