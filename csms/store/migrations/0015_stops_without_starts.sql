-- What a stop of OCPP 1.6 with a strange id is compared with, and a start that comes after it: each
-- look-up reads no more rows of the station than it finds.

-- Few rows are in these two: ends that we found out ourselves, and transactions without a start.
CREATE INDEX transactions_guessed ON transactions (station_id, id)
    WHERE (instr(flags, 'inferred_end') OR instr(flags, 'paired'));
CREATE INDEX transactions_startless ON transactions (station_id, id)
    WHERE instr(flags, 'start_missing');
CREATE INDEX transactions_ended ON transactions (station_id, ended_at)
    WHERE ended_at IS NOT NULL AND last_seq_no IS NULL;
