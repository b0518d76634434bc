-- An entry that replaces another one (INSERT OR REPLACE), or that stands anywhere but at the end, is refused too.

CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only: an entry comes after the last one');
END;
