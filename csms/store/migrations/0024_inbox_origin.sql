-- The address, or the network of one who has many: nobody may fill the inbox from several.
ALTER TABLE inbox ADD COLUMN origin TEXT NOT NULL DEFAULT '';
