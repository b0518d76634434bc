-- The audit is append-only, and a confirmed intent stays what it is: the database itself refuses the rest.

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only: an entry is never changed');
END;

CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only: an entry is never deleted');
END;

CREATE TRIGGER confirmed_intents_stay BEFORE UPDATE OF state, posting_key ON intents WHEN OLD.state = 'confirmed'
BEGIN
    SELECT RAISE(ABORT, 'a confirmed intent stays confirmed');
END;

CREATE TRIGGER intents_are_never_deleted BEFORE DELETE ON intents
BEGIN
    SELECT RAISE(ABORT, 'an intent is never deleted');
END;
