-- Which OCPP version an attempt went out in: what counts as evidence of it depends on that.

ALTER TABLE job_attempts ADD COLUMN version TEXT;  -- null: nothing was sent to a station
