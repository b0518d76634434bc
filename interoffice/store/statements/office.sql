-- name: begin_engine
INSERT INTO engines (engine_id, host, pid, started_at) VALUES (:engine_id, :host, :pid, :now)

-- name: end_engine
UPDATE engines SET ended_at = :now WHERE engine_id = :engine_id

-- name: engine
SELECT * FROM engines WHERE engine_id = :engine_id

-- name: engines
SELECT engines.*, (SELECT COUNT(*) FROM runs WHERE runs.engine_id = engines.engine_id AND runs.state = 'running') AS runs
FROM engines WHERE ended_at IS NULL ORDER BY started_at

-- name: pause
INSERT INTO paused_credentials (environment, name, paused_at, run_id, path, reason)
VALUES (:environment, :name, :now, :run_id, :path, :reason)
ON CONFLICT (environment, name) DO NOTHING

-- name: paused
SELECT * FROM paused_credentials WHERE environment = :environment AND name = :name

-- name: all_paused
SELECT * FROM paused_credentials ORDER BY environment, name

-- name: unpause
DELETE FROM paused_credentials
WHERE name = :name AND (CAST(:environment AS TEXT) IS NULL OR environment = :environment)

-- name: lock
SELECT * FROM locks WHERE name = :name

-- name: take_lock
INSERT INTO locks (name, engine_id, run_id, taken_at) VALUES (:name, :engine_id, :run_id, :now)
ON CONFLICT (name) DO UPDATE SET engine_id = :engine_id, run_id = :run_id, taken_at = :now

-- name: free_lock
DELETE FROM locks WHERE name = :name AND engine_id = :engine_id AND run_id = :run_id

-- name: free_locks
DELETE FROM locks WHERE run_id = :run_id

-- name: see
INSERT INTO first_seen (digest, file, person, seen_at) VALUES (:digest, :file, :person, :now)
ON CONFLICT (digest) DO NOTHING

-- name: seen
SELECT person FROM first_seen WHERE digest = :digest

-- name: audit_head
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1

-- name: audit_insert
INSERT INTO audit (seq, at, actor, act, run_id, subject, details, previous, hash)
VALUES (:seq, :at, :actor, :act, :run_id, :subject, :details, :previous, :hash)

-- name: audit
SELECT * FROM (
    SELECT * FROM audit
    WHERE (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) AND (CAST(:act AS TEXT) IS NULL OR act = :act)
    ORDER BY seq DESC LIMIT :limit
) AS newest ORDER BY seq

-- name: triggers
SELECT name, sql FROM sqlite_master WHERE type = 'trigger'

-- name: audit_all
SELECT * FROM audit WHERE seq > :after ORDER BY seq LIMIT 1000

-- name: keep_head
INSERT INTO kept_heads (file, number, seq, hash, at)
SELECT :file, COALESCE(MAX(number), 0) + 1, :seq, :hash, :at FROM kept_heads WHERE file = :file

-- name: kept_heads
SELECT * FROM kept_heads ORDER BY file, number
