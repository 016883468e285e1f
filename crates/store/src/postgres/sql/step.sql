CREATE OR REPLACE FUNCTION doorward.step_{table}(p_deed smallint, p_tenant text, p_key bytea, p_value bytea, p_old bytea)
RETURNS void LANGUAGE plpgsql AS $step$
BEGIN
    CASE p_deed
        WHEN 0 THEN
            INSERT INTO doorward.{table} AS held VALUES (p_tenant, p_key, p_value)
                ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value;
            RETURN;
        WHEN 1 THEN
            INSERT INTO doorward.{table} VALUES (p_tenant, p_key, p_value) ON CONFLICT (tenant, key) DO NOTHING;
        WHEN 2 THEN
            UPDATE doorward.{table} SET value = p_value WHERE {own} AND key = p_key AND value = p_old;
        WHEN 3 THEN
            DELETE FROM doorward.{table} WHERE {own} AND key = p_key;
            RETURN;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conflict' USING ERRCODE = 'DW001';
    END IF;
END
$step$;
