-- One row a run: where its journal stands, and who holds it. The row is what writers of a run wait for.
CREATE TABLE runbook.run (
    id uuid PRIMARY KEY,
    -- The number that the next entry gets, and the hash of the last one.
    next bigint NOT NULL,
    head bytea NOT NULL,
    -- The claim: what only its holder knows, who that is, and until when it holds unless it is renewed.
    token uuid,
    holder text,
    until timestamptz
) WITH (fillfactor = 50);

-- The hash of an entry, then its stored form. Written once, never changed.
CREATE TABLE runbook.entry (
    run uuid NOT NULL,
    seq bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (run, seq)
);

-- What the activity printed that this entry started.
CREATE TABLE runbook.chunk (
    run uuid NOT NULL,
    activity bigint NOT NULL,
    number integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run, activity, number)
);

-- An attachment is there when its row is: its pieces are written before.
CREATE TABLE runbook.attachment (
    run uuid NOT NULL,
    sha256 bytea NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (run, sha256)
);

CREATE TABLE runbook.piece (
    run uuid NOT NULL,
    sha256 bytea NOT NULL,
    number integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run, sha256, number)
);

-- What lists show: a cache.
CREATE TABLE runbook.summary (
    run uuid PRIMARY KEY,
    content text NOT NULL
);
