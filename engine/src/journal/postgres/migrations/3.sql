-- Whether workers may go on with the run: what its journal says, so that they need not read it.
ALTER TABLE runbook.run ADD COLUMN shared boolean NOT NULL DEFAULT false;

CREATE INDEX run_shared ON runbook.run (id) WHERE shared;

-- What workers have under way: that the one who makes the call lives. What became of it is in the entries alone.
CREATE TABLE runbook.claim (
    run uuid NOT NULL,
    instance text NOT NULL,
    -- The entry that started the call.
    activity bigint NOT NULL,
    -- What only the worker knows, who that is, and until when it holds unless it is renewed.
    worker uuid NOT NULL,
    holder text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (run, instance)
);

CREATE INDEX claim_worker ON runbook.claim (worker);
