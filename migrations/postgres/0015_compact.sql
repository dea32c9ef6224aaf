-- Indexes hold only what is looked up in them.
DROP INDEX manifests_by_subject;
CREATE INDEX manifests_by_subject ON manifests (repository, subject, digest) WHERE subject IS NOT NULL;
DROP INDEX events_by_subject;
CREATE INDEX events_of_deleted_tags ON events (repository, subject, sequence) WHERE kind = 'tag-deleted';
