-- name: insert
INSERT INTO alerts (alert_id, environment, party, list, entry, content, party_name, country, listed_name, score, list_version,
                    state, first_seen, last_seen, first_run, last_run)
VALUES (:alert_id, :environment, :party, :list, :entry, :content, :party_name, :country, :listed_name, :score, :list_version,
        'open', :day, :day, :run_id, :run_id)

-- name: seen_again
UPDATE alerts SET last_seen = :day, last_run = :run_id, score = :score, listed_name = :listed_name, list_version = :list_version
WHERE alert_id = :alert_id

-- name: open_again
UPDATE alerts SET state = 'open', content = :content, party_name = :party_name, country = :country,
                  decided_by = NULL, decided_at = NULL, comment = NULL
WHERE alert_id = :alert_id

-- name: one
SELECT * FROM alerts WHERE alert_id = :alert_id

-- name: listed
SELECT * FROM alerts
WHERE (:state = 'all' OR state = :state) AND (CAST(:party AS TEXT) IS NULL OR party = :party)
ORDER BY first_seen, alert_id LIMIT :limit

-- name: decide
UPDATE alerts SET state = :state, decided_by = :person, decided_at = :now, comment = :comment WHERE alert_id = :alert_id

-- name: comment
UPDATE alerts SET comment = :comment WHERE alert_id = :alert_id
