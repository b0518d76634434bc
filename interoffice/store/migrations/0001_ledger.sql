-- The ledger, the one truth: what runs, steps, items, attempts, intents and approvals are and were.
-- Portable SQL: times are UTC texts of one width (2026-11-22T06:30:00.000000Z), values are JSON texts, yes/no is 0 or 1.

CREATE TABLE engines (
    engine_id   TEXT PRIMARY KEY,
    host        TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT
);

CREATE TABLE runs (
    run_id         TEXT PRIMARY KEY,
    position       INTEGER NOT NULL UNIQUE,
    workflow       TEXT NOT NULL,
    workflow_name  TEXT NOT NULL,
    plan           TEXT NOT NULL,
    plan_digest    TEXT NOT NULL,
    inputs_digest  TEXT NOT NULL,
    environment    TEXT NOT NULL,
    started_by     TEXT NOT NULL,
    planned_at     TEXT NOT NULL,
    rehearse       INTEGER NOT NULL DEFAULT 0,
    overlap        TEXT NOT NULL DEFAULT 'skip',
    state          TEXT NOT NULL,
    created_at     TEXT NOT NULL,
    begun_at       TEXT,
    ended_at       TEXT,
    wake_at        TEXT,
    waiting_for    TEXT NOT NULL DEFAULT '',
    engine_id      TEXT REFERENCES engines (engine_id),
    cancel         TEXT CHECK (cancel IN ('soft', 'hard')),
    body_done      INTEGER NOT NULL DEFAULT 0,
    warned         INTEGER NOT NULL DEFAULT 0,
    error          TEXT,
    outputs        TEXT
);
CREATE INDEX runs_by_workflow ON runs (workflow, state);
CREATE INDEX runs_by_state ON runs (state);

CREATE TABLE items (
    item_id      TEXT PRIMARY KEY,
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    loop         TEXT NOT NULL,
    position     INTEGER NOT NULL,
    key          TEXT NOT NULL,
    parent_id    TEXT REFERENCES items (item_id),
    row          TEXT NOT NULL,
    posts        TEXT NOT NULL DEFAULT '',
    origin       TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL,
    lease_token  TEXT,
    engine_id    TEXT REFERENCES engines (engine_id),
    defer_until  TEXT,
    deadline     TEXT NOT NULL DEFAULT '9999',
    priority     INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    created_at   TEXT NOT NULL,
    claimed_at   TEXT,
    ended_at     TEXT,
    error        TEXT,
    result       TEXT,
    held_at      TEXT NOT NULL DEFAULT '',
    finished_later INTEGER NOT NULL DEFAULT 0,
    reviewer     TEXT,
    comment      TEXT,
    UNIQUE (run_id, loop, key)
);
CREATE INDEX items_to_work ON items (run_id, loop, state, deadline, priority DESC, position);
CREATE INDEX items_by_key ON items (key, state);
CREATE INDEX items_by_state ON items (state);

CREATE TABLE steps (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    path        TEXT NOT NULL,
    position    INTEGER NOT NULL,
    step_id     TEXT NOT NULL,
    item_id     TEXT REFERENCES items (item_id),
    kind        TEXT NOT NULL,
    bot         TEXT NOT NULL DEFAULT '',
    office      TEXT NOT NULL DEFAULT '',
    state       TEXT NOT NULL,
    inputs      TEXT,
    outputs     TEXT,
    error       TEXT,
    note        TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    started_at  TEXT,
    ended_at    TEXT,
    wake_at     TEXT,
    PRIMARY KEY (run_id, path)
);
CREATE INDEX steps_by_item ON steps (item_id);

CREATE TABLE attempts (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    path        TEXT NOT NULL,
    number      INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('call', 'look_up')),
    item_id     TEXT REFERENCES items (item_id),
    lane        TEXT NOT NULL,
    state       TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    inputs      TEXT,
    outputs     TEXT,
    error       TEXT,
    evidence    TEXT,
    PRIMARY KEY (run_id, path, number)
);
CREATE INDEX attempts_by_item ON attempts (item_id);

CREATE TABLE intents (
    intent_id    TEXT PRIMARY KEY,
    posting_key  TEXT NOT NULL,
    occasion     TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'withdrawn', 'in_doubt')),
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    path         TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    item_id      TEXT REFERENCES items (item_id),
    token        TEXT NOT NULL,
    engine_id    TEXT NOT NULL REFERENCES engines (engine_id),
    meant        TEXT NOT NULL,
    reference    TEXT NOT NULL DEFAULT '',
    outputs      TEXT,
    evidence     TEXT,
    why          TEXT NOT NULL DEFAULT '',
    written_at   TEXT NOT NULL,
    ended_at     TEXT,
    settled_by   TEXT,
    comment      TEXT
);
CREATE UNIQUE INDEX intents_unsettled ON intents (posting_key) WHERE state IN ('open', 'in_doubt');
CREATE UNIQUE INDEX intents_confirmed ON intents (posting_key, occasion) WHERE state = 'confirmed';
CREATE INDEX intents_by_path ON intents (run_id, path);
CREATE INDEX intents_by_state ON intents (state);

CREATE TABLE approvals (
    approval_id  TEXT PRIMARY KEY,
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    path         TEXT NOT NULL,
    workflow     TEXT NOT NULL,
    step_id      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'decided', 'late', 'cancelled')),
    terms        TEXT NOT NULL,
    digest       TEXT NOT NULL,
    binds        TEXT NOT NULL,
    opened_at    TEXT NOT NULL,
    expires_at   TEXT,
    ended_at     TEXT,
    UNIQUE (run_id, path)
);
CREATE INDEX approvals_by_state ON approvals (state);

CREATE TABLE approval_rows (
    approval_id  TEXT NOT NULL REFERENCES approvals (approval_id),
    key          TEXT NOT NULL,
    position     INTEGER NOT NULL,
    row          TEXT NOT NULL,
    digest       TEXT NOT NULL,
    by_person    TEXT,
    state        TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'already', 'late', 'cancelled')),
    decided_by   TEXT,
    decided_at   TEXT,
    comment      TEXT,
    fields       TEXT,
    decided_row  TEXT,
    PRIMARY KEY (approval_id, key)
);

CREATE TABLE paused_credentials (
    environment  TEXT NOT NULL,
    name         TEXT NOT NULL,
    paused_at    TEXT NOT NULL,
    run_id       TEXT,
    path         TEXT,
    reason       TEXT NOT NULL,
    PRIMARY KEY (environment, name)
);

CREATE TABLE locks (
    name       TEXT PRIMARY KEY,
    engine_id  TEXT NOT NULL REFERENCES engines (engine_id),
    run_id     TEXT NOT NULL,
    taken_at   TEXT NOT NULL
);

CREATE TABLE first_seen (
    digest   TEXT PRIMARY KEY,
    file     TEXT NOT NULL,
    person   TEXT NOT NULL,
    seen_at  TEXT NOT NULL
);

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,
    at        TEXT NOT NULL,
    actor     TEXT NOT NULL,
    act       TEXT NOT NULL,
    run_id    TEXT NOT NULL DEFAULT '',
    subject   TEXT NOT NULL DEFAULT '',
    details   TEXT NOT NULL,
    previous  TEXT NOT NULL,
    hash      TEXT NOT NULL
);
CREATE INDEX audit_by_run ON audit (run_id, seq);
