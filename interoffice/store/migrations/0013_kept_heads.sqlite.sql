-- What was kept of the audit outside the database, and where: a file of heads that is gone or cut off is missed.
-- `file` counts from the project, or is the file in state/ itself; `number` counts the heads that were kept in it.

CREATE TABLE kept_heads (
    file    TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    hash    TEXT    NOT NULL,
    at      TEXT    NOT NULL,
    PRIMARY KEY (file, number)
);

CREATE TRIGGER kept_heads_are_never_changed BEFORE UPDATE ON kept_heads
BEGIN
    SELECT RAISE(ABORT, 'what was kept of the audit is never changed');
END;

CREATE TRIGGER kept_heads_are_never_deleted BEFORE DELETE ON kept_heads
BEGIN
    SELECT RAISE(ABORT, 'what was kept of the audit is never deleted');
END;

CREATE TRIGGER kept_heads_only_grow BEFORE INSERT ON kept_heads
WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM kept_heads WHERE file = NEW.file)
BEGIN
    SELECT RAISE(ABORT, 'what was kept of the audit is counted on from the last');
END;
