-- What has been said of a manifest after it was pushed, JSON: yanked, deprecated, advisories. NULL: nothing.
ALTER TABLE manifests ADD COLUMN marks TEXT COLLATE "C";
ALTER TABLE deleted_manifests ADD COLUMN marks TEXT COLLATE "C";

-- For each repository with WebAssembly the version that search shows. languages: in lower case, with a space before and behind each.
CREATE TABLE heads (
    id BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    repository TEXT COLLATE "C" NOT NULL UNIQUE,
    manifest TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    world TEXT COLLATE "C",
    description TEXT COLLATE "C",
    licenses TEXT COLLATE "C",
    languages TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What they import, export and target. version: empty without one.
CREATE TABLE head_items (
    direction TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    repository TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (direction, name, version, repository)
);
CREATE INDEX head_items_by_repository ON head_items (repository, direction, name);

-- The words that they are found by, in the full-text search that PostgreSQL has. The texts themselves are not kept.
CREATE TABLE head_words (
    id BIGINT NOT NULL PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX head_words_by_word ON head_words USING gin (words);
