-- Open exceptions of reconciliations (breaks): they keep the day on which they were first seen, from run to run.

CREATE TABLE breaks (
    break_id     TEXT PRIMARY KEY,
    environment  TEXT NOT NULL,
    workflow     TEXT NOT NULL,
    step         TEXT NOT NULL,
    inputs       TEXT NOT NULL,
    side         TEXT NOT NULL,
    line         TEXT NOT NULL,
    row          TEXT NOT NULL,
    reason       TEXT NOT NULL,
    first_seen   TEXT NOT NULL,
    last_seen    TEXT NOT NULL,
    first_run    TEXT NOT NULL REFERENCES runs (run_id),
    last_run     TEXT NOT NULL REFERENCES runs (run_id),
    assigned_to  TEXT,
    comment      TEXT,
    closed_by    TEXT,
    closed_at    TEXT
);
CREATE INDEX breaks_of_step ON breaks (environment, workflow, step, closed_at, line);
