-- What schedules did: one row per schedule (`off_since`: schedules.yaml switches it off, or has it no more), one per firing, and what has arrived. A firing's occasion (its planned time,
-- the content of a file, the id of a mail, of a run) is what makes it the same firing for every scheduler.

CREATE TABLE schedules (
    schedule_id    TEXT PRIMARY KEY,
    armed_at       TEXT NOT NULL,
    planned_up_to  TEXT NOT NULL,
    looked_at      TEXT,
    off_since      TEXT,
    problem        TEXT NOT NULL DEFAULT '',
    problem_since  TEXT,
    paused_by      TEXT,
    paused_at      TEXT
);

CREATE TABLE firings (
    schedule_id  TEXT NOT NULL REFERENCES schedules (schedule_id),
    occasion     TEXT NOT NULL,
    planned_at   TEXT NOT NULL,
    not_before   TEXT NOT NULL,
    noticed_at   TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('due', 'started', 'missed', 'failed')),
    brought      TEXT NOT NULL DEFAULT '{}',
    run_id       TEXT REFERENCES runs (run_id),
    why          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (schedule_id, occasion)
);
CREATE INDEX firings_by_state ON firings (state, not_before);
CREATE INDEX firings_by_notice ON firings (schedule_id, noticed_at);
CREATE INDEX firings_by_time ON firings (planned_at);

CREATE TABLE arrivals (
    schedule_id  TEXT NOT NULL REFERENCES schedules (schedule_id),
    content      TEXT NOT NULL,
    name         TEXT NOT NULL,
    occasion     TEXT NOT NULL,
    arrived_at   TEXT NOT NULL,
    PRIMARY KEY (schedule_id, content)
);

CREATE TABLE schedule_alarms (
    schedule_id  TEXT NOT NULL,
    occasion     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    raised_at    TEXT NOT NULL,
    said         TEXT NOT NULL,
    mailed_at    TEXT,
    PRIMARY KEY (schedule_id, occasion, kind)
);
