-- What the registry signs, and the log of its changes.

-- Keys that sign artifacts; the private ones are in the folders of those servers that sign. id: what bundles name it by.
-- state: next, active or retired. announcement: JSON, an envelope that another of them has signed.
CREATE TABLE attestation_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    public_key TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    announcement TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- One row. log_key: who checks its checkpoints, as text. size, frontier: what the checkpoint covers; frontier is JSON.
-- next_event: all events below it are in the log, or never will be.
CREATE TABLE log (
    origin TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    log_key TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    frontier TEXT COLLATE "C" NOT NULL,
    checkpoint TEXT COLLATE "C" NOT NULL,
    published_at BIGINT NOT NULL,
    next_event BIGINT NOT NULL
);

-- Entries by their place, which is never given twice. Those from log.size on are on their way. entry: the bytes, which are text.
CREATE TABLE log_entries (
    place BIGINT NOT NULL PRIMARY KEY,
    event BIGINT NOT NULL,
    repository TEXT COLLATE "C",
    tag TEXT COLLATE "C",
    entry TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX log_entries_by_event ON log_entries (event);
CREATE INDEX log_entries_by_tag ON log_entries (repository, tag, place) WHERE tag IS NOT NULL;

-- What the names of repositories that are not public are hashed with in the log.
CREATE TABLE log_salts (
    repository TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    salt TEXT COLLATE "C" NOT NULL
);

-- signing: what the registry signs: inherit, off, wasm or all. pull: whether what is pulled must be signed: off, warn or enforce.
-- signers: by whom, JSON, public keys.
ALTER TABLE namespaces ADD COLUMN signing TEXT COLLATE "C" NOT NULL DEFAULT 'inherit';
ALTER TABLE namespaces ADD COLUMN pull TEXT COLLATE "C" NOT NULL DEFAULT 'off';
ALTER TABLE namespaces ADD COLUMN signers TEXT COLLATE "C" NOT NULL DEFAULT '[]';
