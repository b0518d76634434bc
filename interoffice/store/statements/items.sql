-- name: insert
INSERT INTO items (item_id, run_id, loop, position, key, parent_id, row, posts, origin, state, defer_until, deadline,
                   priority, created_at, ended_at, error)
VALUES (:item_id, :run_id, :loop, :position, :key, :parent_id, :row, :posts, :origin, :state, :defer_until, :deadline,
        :priority, :now, :ended_at, :error)

-- name: last_position
SELECT COALESCE(MAX(position), 0) AS position FROM items WHERE run_id = :run_id

-- name: keys
SELECT key, item_id FROM items WHERE run_id = :run_id AND loop = :loop

-- name: first
SELECT * FROM items
WHERE run_id = :run_id AND loop = :loop AND state = 'new' AND (defer_until IS NULL OR defer_until <= :now)
ORDER BY deadline, priority DESC, position LIMIT 1

-- name: next_deferred
SELECT MIN(defer_until) AS at FROM items WHERE run_id = :run_id AND loop = :loop AND state = 'new'

-- name: one
SELECT * FROM items WHERE item_id = :item_id

-- name: of_run
SELECT * FROM items
WHERE run_id = :run_id AND (CAST(:state AS TEXT) IS NULL OR state = :state)
  AND (CAST(:loop AS TEXT) IS NULL OR loop = :loop)
  AND (CAST(:key AS TEXT) IS NULL OR key = :key)
  AND (CAST(:code AS TEXT) IS NULL OR error LIKE :code) AND (CAST(:words AS TEXT) IS NULL OR row LIKE :words)
ORDER BY position

-- name: search
SELECT items.* FROM items JOIN runs ON runs.run_id = items.run_id
WHERE (CAST(:run_id AS TEXT) IS NULL OR items.run_id = :run_id)
  AND (CAST(:workflow AS TEXT) IS NULL OR runs.workflow = :workflow)
  AND (CAST(:state AS TEXT) IS NULL OR items.state = :state)
  AND (CAST(:key AS TEXT) IS NULL OR items.key LIKE :key)
  AND (CAST(:code AS TEXT) IS NULL OR items.error LIKE :code)
  AND (CAST(:words AS TEXT) IS NULL OR items.row LIKE :words)
  AND (CAST(:queue AS TEXT) IS NULL OR items.origin = :queue)
ORDER BY runs.position DESC, items.position LIMIT :limit

-- name: page
SELECT * FROM items WHERE run_id = :run_id AND loop = :loop AND position > :after ORDER BY position LIMIT :limit

-- name: counts
SELECT state, COUNT(*) AS number FROM items WHERE run_id = :run_id AND loop = :loop GROUP BY state

-- name: in_live_run
SELECT items.item_id, items.run_id, items.posts FROM items JOIN runs ON runs.run_id = items.run_id
WHERE items.key = :key AND items.run_id <> :run_id AND items.posts <> ''
  AND items.state IN ('new', 'in_progress', 'on_hold', 'in_doubt')
  AND runs.state IN ('queued', 'running', 'waiting') AND runs.rehearse = 0
LIMIT 5

-- name: move
UPDATE items SET state = :state, lease_token = :lease_token, engine_id = :engine_id, claimed_at = :claimed_at,
                 attempts = :attempts, ended_at = :ended_at, error = :error, result = :result, held_at = :held_at,
                 defer_until = :defer_until, finished_later = :finished_later, reviewer = :reviewer,
                 comment = :comment
WHERE item_id = :item_id AND state = :before

-- name: row
UPDATE items SET row = :row WHERE item_id = :item_id

-- name: leased_by
SELECT * FROM items WHERE run_id = :run_id AND state = 'in_progress' ORDER BY position

-- name: cancel_new
SELECT * FROM items WHERE run_id = :run_id AND state = 'new' ORDER BY position
