//! What workers say to the database: each append carries the claims that go with it.

/// Adds entries, what was printed before them, and the claims on what is under way after them: if they come next,
/// nobody has the run alone, and the claims that the append builds upon are this worker's.
pub(in crate::journal::postgres) const APPEND: &str =
    "SELECT runbook.append_by_worker($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Adds what was printed by calls that are this worker's.
pub(in crate::journal::postgres) const PRINT: &str = "WITH mine AS (
        SELECT activity FROM runbook.claim WHERE run = $1 AND worker = $2 FOR UPDATE
    )
    INSERT INTO runbook.chunk (run, activity, number, content)
    SELECT $1, chunk.activity, chunk.number, chunk.content
    FROM mine, unnest($3, $4, $5) AS chunk (activity, number, content)
    WHERE chunk.activity = mine.activity
    ON CONFLICT (run, activity, number) DO NOTHING";

/// Keeps all claims of a worker.
pub(in crate::journal::postgres) const RENEW: &str = concat!(
    "UPDATE runbook.claim SET until = ",
    until!("$2"),
    " WHERE worker = $1"
);

/// Takes calls over that nobody lives for, as they stand at this entry.
pub(in crate::journal::postgres) const TAKE_OVER: &str = concat!(
    "INSERT INTO runbook.claim (run, instance, activity, worker, holder, until)
    SELECT run.id, call.instance, call.activity, $2, $6, ",
    until!("$7"),
    "
    FROM runbook.run, unnest($4, $5) AS call (instance, activity)
    WHERE run.id = $1 AND run.next = $3 AND (run.token IS NULL OR run.until < clock_timestamp())
    ON CONFLICT (run, instance) DO UPDATE SET activity = excluded.activity, worker = excluded.worker,
        holder = excluded.holder, until = excluded.until
    WHERE claim.until < clock_timestamp() OR claim.worker = excluded.worker
    RETURNING instance"
);

/// What workers have to know of runs: how far each is, who has it alone, and what is under way; and what time it is.
pub(in crate::journal::postgres) const OUTLOOK: &str =
    "SELECT floor(extract(epoch FROM clock.now) * 1000000)::bigint, run.id, run.next, run.shared,
        CASE WHEN run.until >= clock.now THEN run.holder END,
        (SELECT json_agg(json_build_array(claim.instance, claim.activity, claim.holder,
            greatest(0, extract(epoch FROM claim.until - clock.now) * 1000), claim.worker = $2))::text
        FROM runbook.claim WHERE claim.run = run.id)
    FROM (SELECT clock_timestamp() AS now) AS clock
    LEFT JOIN runbook.run ON CASE WHEN $1::uuid IS NULL THEN run.shared ELSE run.id = $1 END";

/// Where a run stands, whether somebody has it alone, and who.
pub(in crate::journal::postgres) const STANDS: &str =
    "SELECT next, coalesce(until >= clock_timestamp(), false), holder FROM runbook.run WHERE id = $1";

/// Gives all claims on a run back.
pub(in crate::journal::postgres) const LEAVE: &str =
    "DELETE FROM runbook.claim WHERE run = $1 AND worker = $2";

/// Replaces what lists show, as it was at this entry.
pub(in crate::journal::postgres) const SUMMARISE: &str = "INSERT INTO runbook.summary (run, content)
    SELECT id, $3 FROM runbook.run WHERE id = $1 AND next = $2
    ON CONFLICT (run) DO UPDATE SET content = excluded.content";

/// Adds a piece of an attachment.
pub(in crate::journal::postgres) const PIECE: &str =
    "INSERT INTO runbook.piece (run, sha256, number, content)
    SELECT id, $2, $3, $4 FROM runbook.run WHERE id = $1
    ON CONFLICT (run, sha256, number) DO UPDATE SET content = excluded.content";

/// Says that all pieces of an attachment are there.
pub(in crate::journal::postgres) const ATTACH: &str = concat!(
    "INSERT INTO runbook.attachment (run, sha256, bytes)
    SELECT id, $2, $3 FROM runbook.run WHERE id = $1 AND ",
    durable!(),
    "
    ON CONFLICT (run, sha256) DO UPDATE SET bytes = excluded.bytes"
);
