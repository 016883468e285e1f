-- The names of the tenants that have rows in a table. The one thing that is seen across tenants, and so as the owner.
CREATE OR REPLACE FUNCTION doorward.tenants(p_table text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $tenants$
BEGIN
    IF p_table NOT IN ({names}) THEN
        RAISE EXCEPTION 'no such table' USING ERRCODE = 'DW003';
    END IF;
    -- From one tenant to the next by the index: DISTINCT would read every row.
    RETURN QUERY EXECUTE format(
        'WITH RECURSIVE found(tenant) AS (
            (SELECT min(tenant) FROM doorward.%1$I)
            UNION ALL
            SELECT (SELECT min(later.tenant) FROM doorward.%1$I later WHERE later.tenant > found.tenant)
            FROM found WHERE found.tenant IS NOT NULL
        ) SELECT tenant::text FROM found WHERE tenant IS NOT NULL', p_table);
END
$tenants$;
