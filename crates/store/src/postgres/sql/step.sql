-- True, so that a batch calls it without a query of its own.
DROP FUNCTION IF EXISTS doorward.step_{table}(smallint, text, bytea, bytea, bytea);
CREATE FUNCTION doorward.step_{table}(p_deed smallint, p_tenant text, p_key bytea, p_value bytea, p_old bytea)
RETURNS boolean LANGUAGE plpgsql AS $step$
BEGIN
    CASE p_deed
        WHEN 0 THEN
            INSERT INTO doorward.{table} AS held VALUES (p_tenant, p_key, p_value)
                ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value;
            RETURN true;
        WHEN 1 THEN
            INSERT INTO doorward.{table} VALUES (p_tenant, p_key, p_value) ON CONFLICT (tenant, key) DO NOTHING;
        WHEN 2 THEN
            IF p_value = p_old THEN
                -- A fence: the row has to be so until the end of this commit. Locked, not written anew, and others may look as well.
                PERFORM 1 FROM doorward.{table} WHERE {own} AND key = p_key AND value = p_old FOR SHARE;
            ELSE
                UPDATE doorward.{table} SET value = p_value WHERE {own} AND key = p_key AND value = p_old;
            END IF;
        WHEN 3 THEN
            DELETE FROM doorward.{table} WHERE {own} AND key = p_key;
            RETURN true;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conflict' USING ERRCODE = 'DW001';
    END IF;
    RETURN true;
END
$step$;
