CREATE SCHEMA IF NOT EXISTS doorward;
REVOKE ALL ON SCHEMA doorward FROM PUBLIC;

-- The version of this schema. One row.
CREATE TABLE doorward.schema (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);
INSERT INTO doorward.schema (version) VALUES (0);

-- Which broker writes. Its epoch grows with every broker that takes over. One row.
CREATE TABLE doorward.leader (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL,
    who text NOT NULL,
    since timestamptz NOT NULL
);
INSERT INTO doorward.leader (epoch, who, since) VALUES (0, 'nobody', now());

-- A row for each connection that commits, with the number of its last commit. It is what a commit whose answer was lost is found
-- out by, and what keeps a broker from writing that was followed by another: whoever takes over removes all of them.
CREATE TABLE doorward.slots (
    slot bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch bigint NOT NULL,
    last bigint NOT NULL DEFAULT 0,
    closed boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
