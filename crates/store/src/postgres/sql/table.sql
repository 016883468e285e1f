CREATE TABLE doorward.{table} (
    tenant text COLLATE "C" NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (tenant, key)
);
ALTER TABLE doorward.{table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE doorward.{table} FORCE ROW LEVEL SECURITY;
-- A session sees and writes the tenant that it has named, and nothing where it has named none.
CREATE POLICY own ON doorward.{table}
    USING (tenant = current_setting('doorward.tenant', true))
    WITH CHECK (tenant = current_setting('doorward.tenant', true));
-- The owner may read, for the list of tenants and for `pg_dump`; it never serves.
CREATE POLICY names ON doorward.{table} FOR SELECT TO CURRENT_USER USING (true);
