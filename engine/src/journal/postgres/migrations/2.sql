-- Whether the run goes on elsewhere, and can only be read here.
ALTER TABLE runbook.run ADD COLUMN copy boolean NOT NULL DEFAULT false;
