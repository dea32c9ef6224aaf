-- The first parts of repository names for which something has been set: what is asked of what is pushed there.
CREATE TABLE namespaces (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    components TEXT COLLATE "C" NOT NULL,
    versions TEXT COLLATE "C" NOT NULL,
    compatibility TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

-- Instead of what the namespace says of components; or inherit.
ALTER TABLE repositories ADD COLUMN components TEXT COLLATE "C" NOT NULL DEFAULT 'inherit';

-- Those that have repositories already, with the settings of those for which nothing is set.
INSERT INTO namespaces SELECT DISTINCT split_part(name, '/', 1), 'warn', 'wasm', 'warn', 0 FROM repositories;
