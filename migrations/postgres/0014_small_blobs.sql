-- The bytes of a small blob, which has no location in the store: its location is then empty.
ALTER TABLE blobs ADD COLUMN content BYTEA;
