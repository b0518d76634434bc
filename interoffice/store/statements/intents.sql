-- name: insert
INSERT INTO intents (intent_id, posting_key, occasion, state, run_id, path, attempt, item_id, token, engine_id, meant,
                     evidence, written_at)
VALUES (:intent_id, :posting_key, :occasion, 'open', :run_id, :path, :attempt, :item_id, :token, :engine_id, :meant,
        :evidence, :now)

-- name: end
UPDATE intents SET state = :state, reference = :reference, outputs = :outputs, why = :why, ended_at = :now,
                   evidence = COALESCE(:evidence, evidence), settled_by = :settled_by, comment = :comment
WHERE intent_id = :intent_id AND state IN ('open', 'in_doubt')

-- name: one
SELECT * FROM intents WHERE intent_id = :intent_id

-- name: unsettled
SELECT * FROM intents WHERE posting_key = :posting_key AND state IN ('open', 'in_doubt')

-- name: confirmed
SELECT * FROM intents WHERE posting_key = :posting_key AND state = 'confirmed' ORDER BY ended_at DESC LIMIT 1

-- name: references
SELECT DISTINCT reference FROM intents WHERE posting_key = :posting_key AND state = 'confirmed'

-- name: at_path
SELECT * FROM intents WHERE run_id = :run_id AND path = :path ORDER BY written_at DESC

-- name: of_item
SELECT * FROM intents WHERE item_id = :item_id ORDER BY written_at

-- name: in_state
SELECT * FROM intents
WHERE state = :state AND (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) ORDER BY written_at
