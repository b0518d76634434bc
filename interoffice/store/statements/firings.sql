-- name: know
INSERT INTO schedules (schedule_id, armed_at, planned_up_to) VALUES (:id, :now, :now) ON CONFLICT DO NOTHING

-- name: switch_on
UPDATE schedules SET off_since = NULL, armed_at = :now,
       planned_up_to = CASE WHEN planned_up_to > :now THEN planned_up_to ELSE :now END
WHERE schedule_id = :id AND off_since IS NOT NULL

-- name: switch_off
UPDATE schedules SET off_since = :now, problem = '', problem_since = NULL WHERE schedule_id = :id AND off_since IS NULL

-- name: drop_due
UPDATE firings SET state = 'missed', why = :why WHERE schedule_id = :id AND state = 'due'

-- name: schedule
SELECT * FROM schedules WHERE schedule_id = :id

-- name: schedules
SELECT * FROM schedules ORDER BY schedule_id

-- name: up_to
UPDATE schedules SET planned_up_to = :moment WHERE schedule_id = :id AND planned_up_to < :moment

-- name: looked
UPDATE schedules SET looked_at = :now, problem = :problem,
       problem_since = CASE WHEN :problem = '' THEN NULL ELSE COALESCE(problem_since, :now) END
WHERE schedule_id = :id

-- name: pause
UPDATE schedules SET paused_by = :person, paused_at = :now WHERE schedule_id = :id AND paused_at IS NULL

-- name: resume
UPDATE schedules SET paused_by = NULL, paused_at = NULL WHERE schedule_id = :id AND paused_at IS NOT NULL

-- name: add
INSERT INTO firings (schedule_id, occasion, planned_at, not_before, noticed_at, state, brought, why)
VALUES (:schedule_id, :occasion, :planned_at, :not_before, :now, :state, :brought, :why) ON CONFLICT DO NOTHING

-- name: due
SELECT * FROM firings WHERE state = 'due' AND not_before <= :now ORDER BY not_before, planned_at, schedule_id LIMIT :limit

-- name: started
UPDATE firings SET state = 'started', run_id = :run_id
WHERE schedule_id = :schedule_id AND occasion = :occasion AND state = 'due'

-- name: failed
UPDATE firings SET state = 'failed', why = :why
WHERE schedule_id = :schedule_id AND occasion = :occasion AND state = 'due'

-- name: of_schedule
SELECT firings.*, runs.state AS run_state, runs.begun_at, runs.ended_at FROM firings
LEFT JOIN runs ON runs.run_id = firings.run_id
WHERE firings.schedule_id = :id ORDER BY firings.noticed_at DESC, firings.planned_at DESC LIMIT :limit

-- name: unsettled
SELECT firings.*, runs.state AS run_state, runs.begun_at, runs.ended_at FROM firings
LEFT JOIN runs ON runs.run_id = firings.run_id
WHERE firings.planned_at >= :since
  AND (firings.state <> 'started' OR runs.state = 'failed' OR runs.ended_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM schedule_alarms
                  WHERE schedule_alarms.schedule_id = firings.schedule_id
                    AND schedule_alarms.occasion = firings.occasion
                    AND schedule_alarms.kind IN ('failed', 'run_failed', 'missed'))
ORDER BY firings.planned_at

-- name: missed
SELECT schedule_id, COUNT(*) AS number FROM firings WHERE state = 'missed' AND planned_at >= :since GROUP BY schedule_id

-- name: active
SELECT COUNT(*) AS number FROM firings LEFT JOIN runs ON runs.run_id = firings.run_id
WHERE firings.schedule_id = :id
  AND (firings.state = 'due' OR (firings.state = 'started' AND runs.state IN ('queued', 'running')))

-- name: last_of_queue
SELECT MAX(added_at) AS added_at FROM queue_entries WHERE queue = :queue AND item_id IS NULL

-- name: arrived
INSERT INTO arrivals (schedule_id, content, name, occasion, arrived_at)
VALUES (:id, :content, :name, :occasion, :now) ON CONFLICT DO NOTHING

-- name: has_arrived
SELECT 1 FROM arrivals WHERE schedule_id = :id AND content = :content

-- name: runs_after
SELECT run_id, planned_at, ended_at FROM runs
WHERE workflow = :workflow AND environment = :environment AND state IN ('succeeded', 'done_with_warnings')
  AND ended_at > :armed_at
  AND NOT EXISTS (SELECT 1 FROM firings
                  WHERE firings.schedule_id = :id AND firings.occasion = 'run ' || runs.run_id)
ORDER BY ended_at

-- name: alarm
INSERT INTO schedule_alarms (schedule_id, occasion, kind, raised_at, said)
VALUES (:schedule_id, :occasion, :kind, :now, :said) ON CONFLICT DO NOTHING

-- name: unmailed
SELECT * FROM schedule_alarms WHERE mailed_at IS NULL ORDER BY raised_at

-- name: mailed
UPDATE schedule_alarms SET mailed_at = :now
WHERE schedule_id = :schedule_id AND occasion = :occasion AND kind = :kind

-- name: alarms
SELECT * FROM schedule_alarms ORDER BY raised_at DESC LIMIT :limit
