-- What a station sent when it was not let in, without its secrets, for people to compare.
ALTER TABLE inbox ADD COLUMN sent TEXT;
