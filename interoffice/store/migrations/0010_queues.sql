-- Queues: what a dispatcher put there for performers. An entry that is taken is a work item of the run that took it,
-- and its state is that item's; `item_id` is NULL while it waits, and again once it was given back.

CREATE TABLE queue_entries (
    entry_id   INTEGER PRIMARY KEY,
    queue      TEXT NOT NULL,
    key        TEXT NOT NULL,
    row        TEXT NOT NULL,
    deadline   TEXT NOT NULL DEFAULT '9999',
    priority   INTEGER NOT NULL DEFAULT 0,
    added_at   TEXT NOT NULL,
    added_by   TEXT NOT NULL,
    item_id    TEXT REFERENCES items (item_id),
    UNIQUE (queue, key)
);
CREATE INDEX queue_entries_to_take ON queue_entries (queue, item_id, deadline, priority DESC, entry_id);
CREATE INDEX queue_entries_by_item ON queue_entries (item_id);
