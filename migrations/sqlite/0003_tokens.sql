-- Tokens beside the administrator's. scope: scopes as text, separated by spaces. owner: the token that it was made with, whose end is
-- its end too. last_used_at: to the hour.
ALTER TABLE tokens ADD COLUMN owner TEXT REFERENCES tokens (id);
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;
UPDATE tokens SET scope = '*:pull,push,delete,repo:admin,server:admin';
CREATE UNIQUE INDEX tokens_by_name ON tokens (name);
CREATE INDEX tokens_by_owner ON tokens (owner);

-- What everybody sees of the catalog, in its order.
CREATE INDEX repositories_by_visibility ON repositories (visibility, name);
