-- Indexes hold only what is looked up in them, and the key of what repositories hold serves who asks for a digest, too.
ALTER TABLE repository_blobs DROP CONSTRAINT repository_blobs_pkey;
ALTER TABLE repository_blobs ADD PRIMARY KEY (digest, repository);
DROP INDEX repository_blobs_by_digest;
CREATE INDEX repository_blobs_by_repository ON repository_blobs (repository);

DROP INDEX manifests_by_subject;
CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
DROP INDEX events_by_subject;
CREATE INDEX events_of_deleted_tags ON events (repository, subject, sequence) WHERE kind = 'tag-deleted';
