//! All that is said to the database about runs, each a transaction of its own.
//!
//! What changes a run reads its row under the token of the claim, and keeps others from it meanwhile: who has lost the
//! claim changes nothing. A commit is not answered before it is on the disk, whatever the database was told to do
//! otherwise.

/// Makes this transaction's commit wait for the disk where the database is set up not to.
macro_rules! durable {
    () => {
        "(SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN \
         ('off', 'local', 'remote_write') THEN 'on' ELSE current_setting('synchronous_commit') END, true)) IS NOT NULL"
    };
}

/// The end of a claim that is given or renewed now.
macro_rules! until {
    ($milliseconds:literal) => {
        concat!(
            "clock_timestamp() + ",
            $milliseconds,
            " * interval '1 millisecond'"
        )
    };
}

/// Who has a run alone, or else one of the workers that have something of it under way.
macro_rules! holder {
    () => {
        "CASE WHEN run.until >= clock_timestamp() THEN run.holder ELSE (SELECT claim.holder FROM runbook.claim \
         WHERE claim.run = run.id AND claim.until >= clock_timestamp() ORDER BY instance LIMIT 1) END"
    };
}

pub(super) mod workers;

/// A new run: its row, its first entries and its summary; a row with what stands there if it is there already.
pub(super) const CREATE: &str = concat!(
    "WITH made AS (
        INSERT INTO runbook.run (id, next, head, token, holder, until)
        SELECT $1, $4, $5, $2, $3, ",
    until!("$6"),
    " WHERE ",
    durable!(),
    "
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    ), shown AS (
        INSERT INTO runbook.summary (run, content) SELECT id, $8 FROM made WHERE $8 IS NOT NULL
    )
    INSERT INTO runbook.entry (run, seq, record)
    SELECT made.id, entry.place - 1, entry.record
    FROM made, unnest($7) WITH ORDINALITY AS entry (record, place)
    RETURNING seq"
);

/// Takes a run that nobody holds, or whose claim has ended; again with the same token, if the answer was lost.
pub(super) const CLAIM: &str = concat!(
    "UPDATE runbook.run SET token = $2, holder = $3, until = ",
    until!("$4"),
    "
    WHERE id = $1 AND NOT copy AND (token IS NULL OR token = $2 OR until < clock_timestamp())
        AND NOT EXISTS (SELECT 1 FROM runbook.claim WHERE run = $1 AND claim.until >= clock_timestamp()) AND ",
    durable!(),
    "
    RETURNING next, head"
);

/// Adds entries, and what was printed before them, if the claim holds and they come next.
pub(super) const APPEND: &str = "SELECT runbook.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Adds what was printed.
pub(super) const PRINT: &str = concat!(
    "WITH held AS (
        UPDATE runbook.run SET until = ",
    until!("$3"),
    " WHERE id = $1 AND token = $2 RETURNING id
    ), printed AS (
        INSERT INTO runbook.chunk (run, activity, number, content)
        SELECT held.id, chunk.activity, chunk.number, chunk.content
        FROM held, unnest($4, $5, $6) AS chunk (activity, number, content)
        ON CONFLICT (run, activity, number) DO NOTHING
    )
    SELECT id FROM held"
);

/// Keeps a claim.
pub(super) const RENEW: &str = concat!(
    "UPDATE runbook.run SET until = ",
    until!("$3"),
    " WHERE id = $1 AND token = $2 RETURNING id"
);

/// Gives a claim back, with what lists show from now on.
pub(super) const RELEASE: &str = concat!(
    "WITH freed AS (
        UPDATE runbook.run SET token = NULL, holder = NULL, until = NULL, shared = coalesce($4, shared)
        WHERE id = $1 AND token = $2 AND ",
    durable!(),
    " RETURNING id
    ), shown AS (
        INSERT INTO runbook.summary (run, content) SELECT id, $3 FROM freed WHERE $3 IS NOT NULL
        ON CONFLICT (run) DO UPDATE SET content = excluded.content
    )
    SELECT id FROM freed"
);

/// Replaces what lists show.
pub(super) const SUMMARISE: &str = "INSERT INTO runbook.summary (run, content)
    SELECT id, $3 FROM runbook.run WHERE id = $1 AND token = $2
    ON CONFLICT (run) DO UPDATE SET content = excluded.content
    RETURNING run";

/// Adds a piece of an attachment.
pub(super) const PIECE: &str = "INSERT INTO runbook.piece (run, sha256, number, content)
    SELECT id, $3, $4, $5 FROM runbook.run WHERE id = $1 AND token = $2
    ON CONFLICT (run, sha256, number) DO UPDATE SET content = excluded.content
    RETURNING run";

/// Says that all pieces of an attachment are there.
pub(super) const ATTACH: &str = concat!(
    "INSERT INTO runbook.attachment (run, sha256, bytes)
    SELECT id, $3, $4 FROM runbook.run WHERE id = $1 AND token = $2 AND ",
    durable!(),
    "
    ON CONFLICT (run, sha256) DO UPDATE SET bytes = excluded.bytes
    RETURNING run"
);

/// Where a run stands: its next number, the hash of its last entry, and the token of its claim.
pub(super) const STANDS: &str = "SELECT next, head, token FROM runbook.run WHERE id = $1";

/// Who holds a run now, or has something of it under way.
pub(super) const HOLDER: &str = concat!("SELECT ", holder!(), " FROM runbook.run WHERE id = $1");

/// Which worker has something of a run under way.
pub(super) const AT_WORK: &str = "SELECT holder FROM runbook.claim WHERE run = $1 AND until >= clock_timestamp() ORDER BY instance LIMIT 1";

/// Entries, in order.
pub(super) const ENTRIES: &str =
    "SELECT seq, record FROM runbook.entry WHERE run = $1 AND seq >= $2 ORDER BY seq LIMIT $3";

/// Chunks of one transcript, in order.
pub(super) const CHUNKS: &str = "SELECT number, content FROM runbook.chunk
    WHERE run = $1 AND activity = $2 AND number >= $3 ORDER BY number LIMIT $4";

/// Chunks of all transcripts, in order.
pub(super) const ALL_CHUNKS: &str = "SELECT activity, number, content FROM runbook.chunk
    WHERE run = $1 AND (activity, number) > ($2, $3) ORDER BY activity, number LIMIT $4";

/// The attachments of a run.
pub(super) const ATTACHMENTS: &str =
    "SELECT sha256, bytes FROM runbook.attachment WHERE run = $1 ORDER BY sha256";

/// The size of one attachment.
pub(super) const ATTACHMENT: &str = "SELECT bytes FROM runbook.attachment WHERE run = $1 AND sha256 = $2";

/// Pieces of an attachment, in order.
pub(super) const PIECES: &str = "SELECT number, content FROM runbook.piece
    WHERE run = $1 AND sha256 = $2 AND number >= $3 ORDER BY number LIMIT $4";

/// Tells whoever listens.
pub(super) const NOTIFY: &str = "SELECT pg_notify('runbook', told) FROM unnest($1) AS told";

/// Listens.
pub(super) const LISTEN: &str = "LISTEN runbook";

/// What lists show of a run.
pub(super) const SUMMARY: &str = "SELECT content FROM runbook.summary WHERE run = $1";

/// All runs.
pub(super) const RUNS: &str = "SELECT id FROM runbook.run";

/// All runs, the newest first, as lists show them.
pub(super) const LIST: &str = concat!(
    "SELECT run.id, summary.content, ",
    holder!(),
    ", run.copy,
    (SELECT json_agg(json_build_array(claim.instance, claim.activity, claim.holder, 0, false) ORDER BY claim.instance)
        FROM runbook.claim WHERE claim.run = run.id AND claim.until >= clock_timestamp())::text
    FROM runbook.run LEFT JOIN runbook.summary ON summary.run = run.id ORDER BY run.id DESC"
);

/// Whether a run is a copy.
pub(super) const COPY: &str = "SELECT copy FROM runbook.run WHERE id = $1";

/// Where a run stands, whether somebody holds it, and who; kept from others until the transaction ends.
pub(super) const FREE: &str = "SELECT next, head, coalesce(until >= clock_timestamp(), false), holder
    FROM runbook.run WHERE id = $1 FOR UPDATE";

/// The row of a run that is taken in, new or not, claimed.
pub(super) const RESTORE: &str = concat!(
    "INSERT INTO runbook.run (id, next, head, token, holder, until, copy)
    SELECT $1, $4, $5, $2, $3, ",
    until!("$6"),
    ", $7 WHERE ",
    durable!(),
    "
    ON CONFLICT (id) DO UPDATE SET next = $4, head = $5, token = $2, holder = $3, until = excluded.until, copy = $7"
);

/// An entry that is taken in.
pub(super) const PUT_ENTRY: &str = "INSERT INTO runbook.entry (run, seq, record) VALUES ($1, $2, $3)";

/// A chunk that is taken in.
pub(super) const PUT_CHUNK: &str = "INSERT INTO runbook.chunk (run, activity, number, content)
    VALUES ($1, $2, $3, $4) ON CONFLICT (run, activity, number) DO NOTHING";

/// A piece of an attachment that is taken in.
pub(super) const PUT_PIECE: &str = "INSERT INTO runbook.piece (run, sha256, number, content)
    VALUES ($1, $2, $3, $4) ON CONFLICT (run, sha256, number) DO NOTHING";

/// An attachment that is taken in.
pub(super) const PUT_ATTACHMENT: &str = "INSERT INTO runbook.attachment (run, sha256, bytes)
    VALUES ($1, $2, $3) ON CONFLICT (run, sha256) DO NOTHING";

/// Everything that is kept of a run, its row last.
pub(super) const REMOVE: [&str; 7] = [
    "DELETE FROM runbook.claim WHERE run = $1",
    "DELETE FROM runbook.entry WHERE run = $1",
    "DELETE FROM runbook.chunk WHERE run = $1",
    "DELETE FROM runbook.piece WHERE run = $1",
    "DELETE FROM runbook.attachment WHERE run = $1",
    "DELETE FROM runbook.summary WHERE run = $1",
    "DELETE FROM runbook.run WHERE id = $1",
];
