-- The first parts of repository names for which something has been set: what is asked of what is pushed there.
CREATE TABLE namespaces (
    name TEXT NOT NULL PRIMARY KEY,
    components TEXT NOT NULL,
    versions TEXT NOT NULL,
    compatibility TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Instead of what the namespace says of components; or inherit.
ALTER TABLE repositories ADD COLUMN components TEXT NOT NULL DEFAULT 'inherit';

-- Those that have repositories already, with the settings of those for which nothing is set.
INSERT INTO namespaces SELECT DISTINCT substr(name, 1, instr(name || '/', '/') - 1), 'warn', 'wasm', 'warn', 0 FROM repositories;
