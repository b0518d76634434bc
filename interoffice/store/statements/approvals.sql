-- name: insert
INSERT INTO approvals (approval_id, run_id, path, workflow, step_id, state, terms, digest, binds, opened_at, expires_at,
                       ended_at)
VALUES (:approval_id, :run_id, :path, :workflow, :step_id, :state, :terms, :digest, :binds, :now, :expires_at,
        :ended_at)

-- name: insert_row
INSERT INTO approval_rows (approval_id, key, position, row, digest, by_person, state)
VALUES (:approval_id, :key, :position, :row, :digest, :by_person, :state)

-- name: one
SELECT * FROM approvals WHERE approval_id = :approval_id

-- name: at_path
SELECT * FROM approvals WHERE run_id = :run_id AND path = :path

-- name: in_state
SELECT * FROM approvals
WHERE (CAST(:state AS TEXT) IS NULL OR state = :state) AND (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id)
ORDER BY opened_at, approval_id

-- name: rows
SELECT * FROM approval_rows WHERE approval_id = :approval_id ORDER BY position

-- name: open_elsewhere
SELECT approval_rows.key FROM approval_rows JOIN approvals ON approvals.approval_id = approval_rows.approval_id
JOIN runs ON runs.run_id = approvals.run_id
WHERE approvals.workflow = :workflow AND approvals.step_id = :step_id AND approvals.run_id <> :run_id
  AND approval_rows.state = 'open' AND approvals.state = 'open' AND runs.state IN ('queued', 'running', 'waiting')
  AND runs.rehearse = 0

-- name: decide_row
UPDATE approval_rows SET state = :state, decided_by = :decided_by, decided_at = :now, comment = :comment,
                         fields = :fields, decided_row = :decided_row
WHERE approval_id = :approval_id AND key = :key AND state = 'open'

-- name: reopen_row
UPDATE approval_rows SET state = 'open', row = :row, digest = :digest, decided_by = NULL, decided_at = NULL,
                         comment = NULL, fields = NULL, decided_row = NULL
WHERE approval_id = :approval_id AND key = :key

-- name: end
UPDATE approvals SET state = :state, ended_at = :now WHERE approval_id = :approval_id AND state = 'open'

-- name: reopen
UPDATE approvals SET state = 'open', ended_at = NULL, expires_at = :expires_at, digest = :digest
WHERE approval_id = :approval_id

-- name: reopen_cancelled_rows
UPDATE approval_rows SET state = 'open', decided_at = NULL WHERE approval_id = :approval_id AND state = 'cancelled'

-- name: reopen_cancelled
UPDATE approvals SET state = 'open', ended_at = NULL, expires_at = :expires_at WHERE approval_id = :approval_id

-- name: rebind
UPDATE approvals SET binds = :binds, digest = :digest WHERE approval_id = :approval_id

-- name: approvers
SELECT DISTINCT approval_rows.decided_by AS person FROM approval_rows
JOIN approvals ON approvals.approval_id = approval_rows.approval_id
WHERE approvals.run_id = :run_id AND approvals.approval_id <> :approval_id AND approval_rows.decided_by IS NOT NULL
UNION
SELECT actor AS person FROM audit
WHERE run_id = :run_id AND subject <> :approval_id AND act IN ('approval.approved', 'approval.rejected')
