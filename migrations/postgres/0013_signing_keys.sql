-- The public halves of the keys that sign registry tokens; the private ones are in the data folders of their servers. Any server accepts
-- what any of these signed. retired_at: from then on nothing is signed with it, and what was is accepted for a few minutes more.
CREATE TABLE signing_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    public_key TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE INDEX signing_keys_by_age ON signing_keys (created_at);
