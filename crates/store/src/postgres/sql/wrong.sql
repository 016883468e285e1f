WITH me AS (
    SELECT oid, rolname, rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user
), tables AS (
    SELECT c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'doorward' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT format('the role `%s` is a superuser', rolname) FROM me WHERE rolsuper
UNION ALL
SELECT format('the role `%s` bypasses row-level security', rolname) FROM me WHERE rolbypassrls
UNION ALL
SELECT format('the role `%s` may become `%s`, which row-level security does not hold', me.rolname, other.rolname)
    FROM me, pg_catalog.pg_roles other
    WHERE (other.rolsuper OR other.rolbypassrls) AND other.oid <> me.oid AND pg_has_role(me.oid, other.oid, 'MEMBER')
UNION ALL
SELECT format('the role `%s` owns the table `%s`, or may become its owner', me.rolname, tables.relname)
    FROM me, tables WHERE pg_has_role(me.oid, tables.relowner, 'MEMBER')
UNION ALL
SELECT format('row-level security is not forced on the table `%s`', relname) FROM tables
    WHERE relname NOT IN ('schema', 'leader', 'slots') AND NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT format('the table `%s` has another policy, `%s`', tables.relname, p.polname)
    FROM tables JOIN pg_catalog.pg_policy p ON p.polrelid = tables.oid
    WHERE NOT CASE p.polname
        WHEN 'own' THEN p.polpermissive AND p.polcmd = '*' AND p.polroles = '{0}'
            AND pg_get_expr(p.polqual, p.polrelid) = '(tenant = current_setting(''doorward.tenant''::text, true))'
            AND pg_get_expr(p.polwithcheck, p.polrelid) = '(tenant = current_setting(''doorward.tenant''::text, true))'
        WHEN 'names' THEN p.polcmd = 'r' AND p.polroles = ARRAY[tables.relowner]
        ELSE false
    END
UNION ALL
SELECT format('`%s` is off, so what was committed may be lost', name) FROM pg_catalog.pg_settings
    WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
LIMIT 1
