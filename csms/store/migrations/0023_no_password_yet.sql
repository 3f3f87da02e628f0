-- A station that a person accepted without a password may come back until it has been told one.
ALTER TABLE credentials ADD COLUMN origin TEXT;    -- from where alone; null: from everywhere
ALTER TABLE credentials ADD COLUMN until INTEGER;  -- null: for good
