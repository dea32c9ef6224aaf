-- What the store must know to go on with an upload; only the store reads it. Files need nothing.
ALTER TABLE uploads ADD COLUMN storage_state TEXT COLLATE "C" NOT NULL DEFAULT '';
