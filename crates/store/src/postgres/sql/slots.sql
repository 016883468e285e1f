-- A slot for a connection of the broker that leads with this epoch.
CREATE OR REPLACE FUNCTION doorward.open_slot(p_epoch bigint) RETURNS bigint LANGUAGE plpgsql AS $open$
DECLARE
    made bigint;
BEGIN
    -- Whoever takes over waits until this is done, and removes what it made.
    PERFORM 1 FROM doorward.leader WHERE epoch = p_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another epoch' USING ERRCODE = 'DW002';
    END IF;
    INSERT INTO doorward.slots (epoch) VALUES (p_epoch) RETURNING slot INTO made;
    RETURN made;
END
$open$;

-- Whether the commit with this number was done in this slot; NULL where there is no such slot. It is never done afterwards: one
-- that is on its way holds the row, and one that arrives later finds it closed. Asked again, it says the same.
CREATE OR REPLACE FUNCTION doorward.settle(p_slot bigint, p_number bigint) RETURNS boolean LANGUAGE plpgsql AS $settle$
DECLARE
    found_last bigint;
BEGIN
    UPDATE doorward.slots SET closed = true WHERE slot = p_slot RETURNING last INTO found_last;
    RETURN found_last >= p_number;
END
$settle$;

-- A new epoch, in which nobody else's slots are left.
CREATE OR REPLACE FUNCTION doorward.take_over(p_who text) RETURNS bigint LANGUAGE plpgsql AS $take$
DECLARE
    made bigint;
BEGIN
    UPDATE doorward.leader SET epoch = epoch + 1, who = p_who, since = now() RETURNING epoch INTO made;
    DELETE FROM doorward.slots;
    RETURN made;
END
$take$;
