-- What any head ever imported, exported or targeted. version: empty without one.
CREATE TABLE items (
    id BIGINT NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    direction TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    UNIQUE (direction, name, version)
);

-- Which head has what: by numbers, since search compares many.
ALTER TABLE head_items RENAME TO old_head_items;
DROP INDEX head_items_by_repository;
ALTER INDEX head_items_pkey RENAME TO old_head_items_pkey;
CREATE TABLE head_items (
    item BIGINT NOT NULL,
    head BIGINT NOT NULL,
    PRIMARY KEY (item, head)
);

INSERT INTO items (direction, name, version) SELECT DISTINCT direction, name, version FROM old_head_items;
INSERT INTO head_items (item, head)
SELECT i.id, h.id FROM old_head_items o
JOIN items i ON i.direction = o.direction AND i.name = o.name AND i.version = o.version
JOIN heads h ON h.repository = o.repository;

CREATE INDEX head_items_by_head ON head_items (head, item);
DROP TABLE old_head_items;
