"""Merge: take over what another store has, run by run key; thirty students' stores become one.

Of a run that both have, the one that has come further stays, whole: its records, segments and state. One that
is being trained here stays as it is, and one that is damaged there is left there. Experiments of equal name
and content are one; of equal name and other content, the next revision.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Final

from bpsvc.store.describing import BETTER_LABEL
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES, SUMMARY

# How far a run is: one that has ended for good is further than any that may go on; having reached some
# horizon is no end, since more epochs may be asked of it.
_RANK: Final = """
    (({0}.outcome IN ('solved', 'early_stop', 'diverged')) IS TRUE) * 4611686018427387904
        + coalesce({0}c.epoch + 1, 0)
"""

_PICK: Final = f"""
    CREATE TEMP TABLE picked AS
    SELECT o.id AS theirs, r.id AS ours, o.key,
        CASE WHEN r.id IS NULL THEN 'new'
            WHEN r.status <> 'running' AND {_RANK.format("o")} > {_RANK.format("r")} THEN 'further'
            ELSE 'kept' END AS how
    FROM other._run o LEFT JOIN other._checkpoint oc ON oc.run_id = o.id
    LEFT JOIN main._run r ON r.key = o.key LEFT JOIN main._checkpoint rc ON rc.run_id = r.id
    WHERE o.id NOT IN (SELECT value FROM json_each(?))
"""
_SHARED: Final = (
    f"""
    INSERT INTO main._dataset (
        digest, label, examples, inputs, targets, features, target_names, classes, content
    )
    SELECT digest, label, examples, inputs, targets, features, target_names, classes, content
    FROM other._dataset
    WHERE true ON CONFLICT (digest) DO UPDATE SET label = excluded.label WHERE {BETTER_LABEL}
    """,
    """
    INSERT INTO main._recipe (
        digest, spec, loss, hidden, depth, activation, output, init, optimizer, learning_rate, batch_size
    )
    SELECT digest, spec, loss, hidden, depth, activation, output, init, optimizer, learning_rate, batch_size
    FROM other._recipe WHERE true ON CONFLICT (digest) DO NOTHING
    """,
    """
    INSERT INTO main._environment (content) SELECT content FROM other._environment
    WHERE true ON CONFLICT (content) DO NOTHING
    """,
    """
    INSERT INTO main._scaling (dataset_id, content)
    SELECT d.id, s.content FROM other._scaling s JOIN other._dataset x ON x.id = s.dataset_id
    JOIN main._dataset d ON d.digest = x.digest
    WHERE true ON CONFLICT (dataset_id, content) DO NOTHING
    """,
)
_NEW: Final = """
    INSERT INTO main._run (key, recipe_id, dataset_id, scaling_id, seed, stack, epochs, created_at)
    SELECT o.key, p.id, d.id, s.id, o.seed, o.stack, o.epochs, o.created_at
    FROM temp.picked k JOIN other._run o ON o.id = k.theirs
    JOIN other._recipe op ON op.id = o.recipe_id JOIN main._recipe p ON p.digest = op.digest
    JOIN other._dataset od ON od.id = o.dataset_id JOIN main._dataset d ON d.digest = od.digest
    LEFT JOIN other._scaling os ON os.id = o.scaling_id
    LEFT JOIN main._scaling s ON s.dataset_id = d.id AND s.content = os.content
    WHERE k.how = 'new' ORDER BY o.id
"""
_TAKEN: Final = "(SELECT ours FROM temp.picked WHERE how <> 'kept')"
_STATE: Final = (
    "outcome",
    "epochs_done",
    "environment_changed",
    "finished_at",
    "seconds",
    *SUMMARY,
)
# A run that is further there but has not ended is still ours to queue, cancel or retry.
_THEIRS: Final = "(k.how = 'new' OR o.status IN ('done', 'diverged'))"
_ADVANCE: Final = f"""
    UPDATE main._run SET
        epochs = max(main._run.epochs, o.epochs),
        {", ".join(f"{name} = o.{name}" for name in _STATE)},
        status = CASE WHEN {_THEIRS} THEN replace(o.status, 'running', 'queued')
            WHEN main._run.status = 'done' THEN 'queued' ELSE main._run.status END,
        error = CASE WHEN {_THEIRS} THEN o.error ELSE main._run.error END,
        attempts = 0,
        environment_id = (
            SELECT v.id FROM main._environment v JOIN other._environment w ON w.content = v.content
            WHERE w.id = o.environment_id
        ),
        fence = main._run.fence + 1
    FROM temp.picked k JOIN other._run o ON o.id = k.theirs
    WHERE main._run.id = k.ours AND k.how <> 'kept'
        AND NOT (o.outcome IS 'horizon' AND o.epochs < main._run.epochs)
"""
# One that was done there, and is wanted further here, waits here.
_ADVANCE_ON: Final = (
    _ADVANCE.replace("NOT (o.outcome IS 'horizon'", "(o.outcome IS 'horizon'")
    .replace("outcome = o.outcome", "outcome = NULL")
    .replace("finished_at = o.finished_at", "finished_at = NULL")
    .replace("replace(o.status, 'running', 'queued')", "'queued'")
)
# What their experiments ask of a run that stays as it is here (theirs may be further than anybody asks).
_RAISE: Final = """
    UPDATE main._run SET
        epochs = o.asked,
        status = CASE WHEN main._run.outcome IS 'horizon' THEN 'queued' ELSE main._run.status END,
        finished_at = CASE WHEN main._run.outcome IS 'horizon' THEN NULL ELSE main._run.finished_at END,
        outcome = CASE WHEN main._run.outcome IS 'horizon' THEN NULL ELSE main._run.outcome END
    FROM temp.picked k JOIN (
        SELECT run_id, max(epochs) AS asked FROM other._membership GROUP BY run_id
    ) o ON o.run_id = k.theirs
    WHERE main._run.id = k.ours AND k.how = 'kept' AND o.asked > main._run.epochs
"""
_ROWS: Final = (
    ("epochs", ("epoch", *EPOCH_SERIES)),
    ("layer_gradients", ("epoch", "layer", *LAYER_SERIES)),
    ("parameters", ("epoch", "layer", "source", "unit", "name", "value", "gradient")),
    ("_checkpoint", ("epoch", "digest", "state")),
)
_SEGMENTS: Final = """
    INSERT INTO main._segment (
        run_id, to_epoch, from_epoch, digest, environment_id, owner, seconds, committed_at
    )
    SELECT k.ours, s.to_epoch, s.from_epoch, s.digest, v.id, s.owner, s.seconds, s.committed_at
    FROM temp.picked k CROSS JOIN other._segment s ON s.run_id = k.theirs
    LEFT JOIN other._environment w ON w.id = s.environment_id
    LEFT JOIN main._environment v ON v.content = w.content
    WHERE k.how <> 'kept'
"""
_EXPERIMENTS: Final = """
    SELECT o.id, e.id, o.name, o.digest, o.description, o.epochs, o.spec, o.submitted_at
    FROM other._experiment o LEFT JOIN main._experiment e ON e.name = o.name AND e.digest = o.digest
    ORDER BY o.submitted_at, o.id
"""
_EXPERIMENT: Final = """
    INSERT INTO main._experiment (name, revision, digest, description, epochs, spec, submitted_at)
    SELECT :name, 1 + coalesce(max(revision), 0), :digest, :description, :epochs, :spec, :submitted_at
    FROM main._experiment WHERE name = :name RETURNING id
"""
# Of an experiment that both have, each may lack runs that were removed there.
_OF_EXPERIMENT: Final = (
    """
    INSERT INTO main._membership (experiment_id, run_id, position, epochs)
    SELECT :here, k.ours, m.position, m.epochs
    FROM other._membership m JOIN temp.picked k ON k.theirs = m.run_id WHERE m.experiment_id = :there
    ON CONFLICT (experiment_id, run_id) DO NOTHING
    """,
    """
    INSERT INTO main._axis (experiment_id, name, label, position)
    SELECT :here, name, label, position FROM other._axis WHERE experiment_id = :there
    ON CONFLICT (experiment_id, name) DO NOTHING
    """,
    """
    INSERT INTO main._factor (experiment_id, run_id, name, value)
    SELECT :here, k.ours, f.name, f.value
    FROM other._factor f JOIN temp.picked k ON k.theirs = f.run_id WHERE f.experiment_id = :there
    ON CONFLICT (experiment_id, run_id, name) DO NOTHING
    """,
)


@dataclass(frozen=True)
class Merged:
    """What a merge brought: experiments that are new, and runs that are new, that had come further, or
    were here. Runs that are damaged there are left; `damaged` says each by its number there.
    """

    experiments: int
    new: int
    further: int
    kept: int
    damaged: dict[int, str]


def merge(cursor: sqlite3.Cursor, damaged: dict[int, str]) -> Merged:
    """Take over what the database attached as `other` has, but for what is damaged there (by run: how),
    inside the caller's transaction.
    """
    cursor.execute("DROP TABLE IF EXISTS temp.picked")
    cursor.execute(_PICK, (json.dumps(list(damaged)),))
    for sql in _SHARED:
        cursor.execute(sql)
    cursor.execute(_NEW)
    cursor.execute("UPDATE temp.picked SET ours = (SELECT id FROM main._run r WHERE r.key = picked.key)")
    for table in ("_segment", *(name for name, _ in _ROWS)):
        cursor.execute(f"DELETE FROM main.{table} WHERE run_id IN {_TAKEN}")
    for sql in (_ADVANCE_ON, _ADVANCE, _RAISE, _SEGMENTS):
        cursor.execute(sql)
    for table, columns in _ROWS:
        cursor.execute(
            f"INSERT INTO main.{table} (run_id, {', '.join(columns)})"
            f" SELECT k.ours, {', '.join(f't.{name}' for name in columns)}"
            f" FROM temp.picked k CROSS JOIN other.{table} t ON t.run_id = k.theirs WHERE k.how <> 'kept'"
            " ORDER BY k.ours, t.epoch"
        )
    experiments = cursor.execute(_EXPERIMENTS).fetchall()
    names = ("name", "digest", "description", "epochs", "spec", "submitted_at")
    for there, here, *values in experiments:
        if here is None:
            here = cursor.execute(_EXPERIMENT, dict(zip(names, values, strict=True))).fetchone()[0]
        for sql in _OF_EXPERIMENT:
            cursor.execute(sql, {"here": here, "there": there})
    counts = dict(cursor.execute("SELECT how, count(*) FROM temp.picked GROUP BY how").fetchall())
    cursor.execute("DROP TABLE temp.picked")
    fresh = sum(here is None for _, here, *_ in experiments)
    new, further, kept = (counts.get(how, 0) for how in ("new", "further", "kept"))
    return Merged(fresh, new, further, kept, damaged)
