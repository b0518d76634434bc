-- name: insert
INSERT INTO breaks (break_id, environment, workflow, step, inputs, side, line, row, reason, first_seen, last_seen, first_run,
                    last_run)
VALUES (:break_id, :environment, :workflow, :step, :inputs, :side, :line, :row, :reason, :day, :day, :run_id, :run_id)

-- name: seen_again
UPDATE breaks SET reason = :reason, last_seen = :day, last_run = :run_id, inputs = :inputs WHERE break_id = :break_id

-- name: open_of_step
SELECT * FROM breaks
WHERE environment = :environment AND workflow = :workflow AND step = :step AND closed_at IS NULL ORDER BY break_id

-- name: listed
SELECT * FROM breaks
WHERE (CAST(:workflow AS TEXT) IS NULL OR workflow = :workflow)
  AND (:state = 'all' OR (:state = 'open') = (closed_at IS NULL))
ORDER BY first_seen, break_id LIMIT :limit

-- name: one
SELECT * FROM breaks WHERE break_id = :break_id

-- name: assign
UPDATE breaks SET assigned_to = :person WHERE break_id = :break_id

-- name: comment
UPDATE breaks SET comment = :comment WHERE break_id = :break_id

-- name: close
UPDATE breaks SET closed_by = :person, closed_at = :now, comment = COALESCE(:comment, comment)
WHERE break_id = :break_id AND closed_at IS NULL
