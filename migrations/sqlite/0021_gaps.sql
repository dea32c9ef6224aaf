-- Numbers of events that are missing. waits_to: up to where they were looked for. waits_from: the transaction that did: once every one that
-- began before it has ended, what is missing will not come any more. Only where transactions run beside each other.
ALTER TABLE log ADD COLUMN waits_from BIGINT;
ALTER TABLE log ADD COLUMN waits_to BIGINT;
