-- The steps of a batch, in their order. Each is done under the row-level security of its own tenant.
CREATE OR REPLACE FUNCTION doorward.commit(
    p_slot bigint, p_number bigint, p_tables text[], p_tenants text[], p_deeds smallint[], p_keys bytea[], p_values bytea[], p_olds bytea[]
) RETURNS void LANGUAGE plpgsql AS $commit$
DECLARE
    named text := '';
    done boolean;
BEGIN
    UPDATE doorward.slots SET last = p_number WHERE slot = p_slot AND last = p_number - 1 AND NOT closed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such slot' USING ERRCODE = 'DW002';
    END IF;
    FOR n IN 1 .. cardinality(p_tables) LOOP
        IF p_tenants[n] <> named THEN
            named := set_config('doorward.tenant', p_tenants[n], true);
        END IF;
        CASE p_tables[n]
{steps}
        END CASE;
    END LOOP;
END
$commit$;
