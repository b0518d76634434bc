-- name: insert
INSERT INTO runs (run_id, position, workflow, workflow_name, plan, plan_digest, inputs_digest, environment, started_by,
                  planned_at, rehearse, overlap, state, created_at, ended_at, waiting_for)
VALUES (:run_id, (SELECT COALESCE(MAX(position), 0) + 1 FROM runs), :workflow, :workflow_name, :plan, :plan_digest,
        :inputs_digest, :environment, :started_by, :planned_at, :rehearse, :overlap, :state, :now, :ended_at,
        :waiting_for)

-- name: one
SELECT * FROM runs WHERE run_id = :run_id

-- name: like
SELECT run_id FROM runs WHERE run_id LIKE :pattern ORDER BY position DESC LIMIT 3

-- name: plan
SELECT plan FROM runs WHERE run_id = :run_id

-- name: newest
SELECT * FROM runs
WHERE (CAST(:workflow AS TEXT) IS NULL OR workflow = :workflow) AND (CAST(:state AS TEXT) IS NULL OR state = :state)
ORDER BY position DESC LIMIT :limit

-- name: of_workflow
SELECT * FROM runs WHERE workflow = :workflow AND state IN ('queued', 'running') AND run_id <> :run_id
ORDER BY planned_at, position

-- name: unfinished
SELECT * FROM runs WHERE state IN ('queued', 'running', 'waiting') ORDER BY planned_at, position

-- name: take
UPDATE runs SET state = 'running', engine_id = :engine_id, begun_at = COALESCE(begun_at, :now), ended_at = NULL,
                wake_at = NULL, waiting_for = '', body_done = :body_done
WHERE run_id = :run_id

-- name: reopen
UPDATE runs SET state = 'queued', cancel = NULL, engine_id = NULL, body_done = 0, ended_at = NULL, error = NULL
WHERE run_id = :run_id

-- name: hold
UPDATE runs SET engine_id = :engine_id WHERE run_id = :run_id

-- name: wait
UPDATE runs SET state = 'waiting', engine_id = NULL, wake_at = :wake_at, waiting_for = :waiting_for
WHERE run_id = :run_id

-- name: end
UPDATE runs SET state = :state, engine_id = NULL, wake_at = :wake_at, waiting_for = :waiting_for,
                ended_at = :ended_at, body_done = :body_done, warned = :warned, error = :error, outputs = :outputs
WHERE run_id = :run_id

-- name: settle
UPDATE runs SET state = :state, ended_at = :ended_at, waiting_for = :waiting_for WHERE run_id = :run_id

-- name: cancel
UPDATE runs SET cancel = :how WHERE run_id = :run_id

-- name: asked_to_cancel
SELECT run_id, cancel FROM runs WHERE engine_id = :engine_id AND cancel IS NOT NULL

-- name: item_counts
SELECT state, COUNT(*) AS number FROM items WHERE run_id = :run_id GROUP BY state
