-- name: insert
INSERT INTO queue_entries (queue, key, row, deadline, priority, added_at, added_by)
VALUES (:queue, :key, :row, :deadline, :priority, :now, :added_by)

-- name: one
SELECT queue_entries.*, items.state, items.ended_at FROM queue_entries
LEFT JOIN items ON items.item_id = queue_entries.item_id
WHERE queue_entries.queue = :queue AND queue_entries.key = :key

-- name: again
UPDATE queue_entries SET row = :row, deadline = :deadline, priority = :priority, added_at = :now, added_by = :added_by,
                         item_id = NULL
WHERE entry_id = :entry_id

-- name: first
SELECT * FROM queue_entries
WHERE queue = :queue AND item_id IS NULL AND (CAST(:key AS TEXT) IS NULL OR key = :key)
  AND NOT EXISTS (SELECT 1 FROM items
                  WHERE items.run_id = :run_id AND items.loop = :loop AND items.key = queue_entries.key)
ORDER BY deadline, priority DESC, entry_id LIMIT :limit

-- name: take
UPDATE queue_entries SET item_id = :item_id WHERE entry_id = :entry_id AND item_id IS NULL

-- name: not_begun
SELECT items.* FROM items JOIN queue_entries ON queue_entries.item_id = items.item_id
WHERE items.run_id = :run_id AND items.state = 'cancelled'

-- name: free
UPDATE queue_entries SET item_id = NULL WHERE item_id = :item_id

-- name: entries
SELECT queue_entries.*, items.state, items.run_id, items.attempts, items.ended_at, items.error FROM queue_entries
LEFT JOIN items ON items.item_id = queue_entries.item_id
WHERE queue_entries.queue = :queue AND (CAST(:state AS TEXT) IS NULL OR COALESCE(items.state, 'new') = :state)
  AND (CAST(:words AS TEXT) IS NULL OR queue_entries.row LIKE :words OR queue_entries.key LIKE :words)
ORDER BY queue_entries.deadline, queue_entries.priority DESC, queue_entries.entry_id

-- name: counts
SELECT queue_entries.queue, COALESCE(items.state, 'new') AS state, COUNT(*) AS number FROM queue_entries
LEFT JOIN items ON items.item_id = queue_entries.item_id
GROUP BY queue_entries.queue, COALESCE(items.state, 'new') ORDER BY 1, 2

-- name: of_item
SELECT queue FROM queue_entries WHERE item_id = :item_id

-- name: added_by
SELECT COUNT(*) AS number FROM queue_entries WHERE queue = :queue AND added_by = :added_by
