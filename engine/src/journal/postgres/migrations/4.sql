-- Appending is all that has to be fast: what stands in a function is planned once a connection, and not each time.
-- In both, the commit waits for the disk where the database is set up not to.

-- Adds entries, and what was printed before them, if the claim holds and they come next. Tells whether it has.
CREATE FUNCTION runbook.append(
    its_run uuid, its_token uuid, lasts bigint,
    first bigint, then_next bigint, then_head bytea, records bytea[],
    printed_by bigint[], numbers integer[], contents bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runbook.run
        SET next = then_next, head = then_head, until = clock_timestamp() + lasts * interval '1 millisecond'
        WHERE id = its_run AND token = its_token AND next = first;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF cardinality(printed_by) > 0 THEN
        INSERT INTO runbook.chunk (run, activity, number, content)
            SELECT its_run, chunk.* FROM unnest(printed_by, numbers, contents) AS chunk
            ON CONFLICT (run, activity, number) DO NOTHING;
    END IF;
    FOR place IN 1 .. cardinality(records) LOOP
        INSERT INTO runbook.entry (run, seq, record) VALUES (its_run, first + place - 1, records[place]);
    END LOOP;
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN true;
END $$;

-- The same by a worker, with its claims on what is under way afterwards: if the entries come next, nobody has the run
-- alone, and the claims that the append builds upon are this worker's.
CREATE FUNCTION runbook.append_by_worker(
    its_run uuid, its_worker uuid, its_holder text, lasts bigint,
    first bigint, then_next bigint, then_head bytea, then_shared boolean, records bytea[],
    builds_on bigint[], instances text[], activities bigint[],
    printed_by bigint[], numbers integer[], contents bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    mine bigint[];
BEGIN
    SELECT coalesce(array_agg(claim.activity), '{}') INTO mine FROM (
        SELECT activity FROM runbook.claim WHERE run = its_run AND worker = its_worker FOR UPDATE
    ) AS claim;
    IF NOT mine @> builds_on THEN
        RETURN false;
    END IF;
    UPDATE runbook.run SET next = then_next, head = then_head, shared = then_shared
        WHERE id = its_run AND next = first AND NOT copy AND (token IS NULL OR until < clock_timestamp());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF cardinality(mine) > 0 THEN
        DELETE FROM runbook.claim
            WHERE run = its_run AND worker = its_worker AND NOT instance = ANY (instances);
    END IF;
    IF cardinality(instances) > 0 THEN
        INSERT INTO runbook.claim (run, instance, activity, worker, holder, until)
            SELECT its_run, call.instance, call.activity, its_worker, its_holder,
                clock_timestamp() + lasts * interval '1 millisecond'
            FROM unnest(instances, activities) AS call (instance, activity)
            ON CONFLICT (run, instance) DO UPDATE SET activity = excluded.activity, worker = excluded.worker,
                holder = excluded.holder, until = excluded.until;
    END IF;
    IF cardinality(printed_by) > 0 THEN
        INSERT INTO runbook.chunk (run, activity, number, content)
            SELECT its_run, chunk.activity, chunk.number, chunk.content
            FROM unnest(printed_by, numbers, contents) AS chunk (activity, number, content)
            WHERE chunk.activity = ANY (mine)
            ON CONFLICT (run, activity, number) DO NOTHING;
    END IF;
    FOR place IN 1 .. cardinality(records) LOOP
        INSERT INTO runbook.entry (run, seq, record) VALUES (its_run, first + place - 1, records[place]);
    END LOOP;
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN true;
END $$;
