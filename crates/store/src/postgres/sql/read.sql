-- Reads of one table, each in one round trip: it names the tenant of which it reads for as long as it runs, so that between two of them a
-- session sees nobody's rows.
CREATE OR REPLACE FUNCTION doorward.get_{table}(p_tenant text, p_key bytea) RETURNS bytea LANGUAGE plpgsql AS $get$
DECLARE
    named text;
    found_value bytea;
BEGIN
    named := set_config('doorward.tenant', p_tenant, true);
    SELECT value INTO found_value FROM doorward.{table} WHERE {own} AND key = p_key;
    RETURN found_value;
END
$get$;
-- Two statements, so that the one with an end has it as a bound of the index and does not read on behind it.
CREATE OR REPLACE FUNCTION doorward.scan_{table}(p_tenant text, p_limit bigint, p_from bytea, p_until bytea)
RETURNS TABLE (found_key bytea, found_value bytea) LANGUAGE plpgsql AS $scan$
DECLARE
    named text;
BEGIN
    named := set_config('doorward.tenant', p_tenant, true);
    IF p_until IS NULL THEN
        RETURN QUERY SELECT key, value FROM doorward.{table} WHERE {own} AND key >= p_from ORDER BY key LIMIT p_limit;
    ELSE
        RETURN QUERY SELECT key, value FROM doorward.{table}
            WHERE {own} AND key >= p_from AND key < p_until ORDER BY key LIMIT p_limit;
    END IF;
END
$scan$;
CREATE OR REPLACE FUNCTION doorward.last_{table}(p_tenant text)
RETURNS TABLE (found_key bytea, found_value bytea) LANGUAGE plpgsql AS $last$
DECLARE
    named text;
BEGIN
    named := set_config('doorward.tenant', p_tenant, true);
    RETURN QUERY SELECT key, value FROM doorward.{table} WHERE {own} ORDER BY key DESC LIMIT 1;
END
$last$;
