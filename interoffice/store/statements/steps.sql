-- name: begin
INSERT INTO steps (run_id, path, position, step_id, item_id, kind, bot, office, state, inputs, started_at, attempts)
VALUES (:run_id, :path, :position, :step_id, :item_id, :kind, :bot, :office, 'running', :inputs, :now, 0)
ON CONFLICT (run_id, path) DO UPDATE SET state = 'running', inputs = COALESCE(:inputs, inputs), error = NULL,
    note = NULL, ended_at = NULL, wake_at = NULL, started_at = COALESCE(steps.started_at, :now)

-- name: end
INSERT INTO steps (run_id, path, position, step_id, item_id, kind, bot, office, state, inputs, outputs, error, note,
                   started_at, ended_at, wake_at, attempts)
VALUES (:run_id, :path, :position, :step_id, :item_id, :kind, :bot, :office, :state, :inputs, :outputs, :error, :note,
        :started_at, :ended_at, :wake_at, 0)
ON CONFLICT (run_id, path) DO UPDATE SET state = :state, inputs = COALESCE(:inputs, inputs), outputs = :outputs,
    error = :error, note = :note, ended_at = :ended_at, wake_at = :wake_at,
    started_at = COALESCE(steps.started_at, :started_at)

-- name: one
SELECT * FROM steps WHERE run_id = :run_id AND path = :path

-- name: of_run
SELECT * FROM steps WHERE run_id = :run_id ORDER BY position, path

-- name: outside_items
SELECT * FROM steps WHERE run_id = :run_id AND item_id IS NULL ORDER BY position

-- name: of_item
SELECT * FROM steps WHERE item_id = :item_id ORDER BY position

-- name: last_position
SELECT COALESCE(MAX(position), 0) AS position FROM steps WHERE run_id = :run_id

-- name: failed
SELECT * FROM steps WHERE run_id = :run_id AND item_id IS NULL AND state = 'failed' ORDER BY position

-- name: interrupt
UPDATE steps SET state = 'interrupted', ended_at = :now WHERE run_id = :run_id AND state = 'running'

-- name: begin_attempt
INSERT INTO attempts (run_id, path, number, kind, item_id, lane, state, started_at, inputs)
VALUES (:run_id, :path, :number, :kind, :item_id, :lane, 'running', :now, :inputs)

-- name: end_attempt
UPDATE attempts SET state = :state, ended_at = :now, outputs = :outputs, error = :error, evidence = :evidence
WHERE run_id = :run_id AND path = :path AND number = :number

-- name: count_attempts
SELECT COUNT(*) AS number FROM attempts WHERE run_id = :run_id AND path = :path

-- name: step_attempts
UPDATE steps SET attempts = :number WHERE run_id = :run_id AND path = :path

-- name: interrupt_attempts
UPDATE attempts SET state = 'interrupted', ended_at = :now WHERE run_id = :run_id AND state = 'running'

-- name: attempts
SELECT * FROM attempts
WHERE run_id = :run_id AND (CAST(:path AS TEXT) IS NULL OR path = :path)
  AND (CAST(:item_id AS TEXT) IS NULL OR item_id = :item_id)
ORDER BY started_at, path, number

-- name: forget_item
UPDATE steps SET state = 'pending', outputs = NULL, error = NULL, note = NULL WHERE item_id = :item_id
