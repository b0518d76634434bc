-- Alerts of screening: a party whose name is near a listed one, and what a named person decided of it.

CREATE TABLE alerts (
    alert_id      TEXT PRIMARY KEY,
    environment   TEXT NOT NULL,
    party         TEXT NOT NULL,
    list          TEXT NOT NULL,
    entry         TEXT NOT NULL,
    content       TEXT NOT NULL,
    party_name    TEXT NOT NULL,
    country       TEXT NOT NULL,
    listed_name   TEXT NOT NULL,
    score         TEXT NOT NULL,
    list_version  TEXT NOT NULL,
    state         TEXT NOT NULL,
    first_seen    TEXT NOT NULL,
    last_seen     TEXT NOT NULL,
    first_run     TEXT NOT NULL REFERENCES runs (run_id),
    last_run      TEXT NOT NULL REFERENCES runs (run_id),
    decided_by    TEXT,
    decided_at    TEXT,
    comment       TEXT
);
CREATE INDEX alerts_of_state ON alerts (state, first_seen, alert_id);
