"""Submit: put an experiment into the store, and the runs that it does not have yet.

A set difference by run key, in one transaction: doing it twice, or twice at once, comes to the same as doing
it once.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from bpsvc import faults
from bpsvc.store import describing
from bpsvc.store.clock import STAMP
from bpsvc.store.describing import BETTER_LABEL
from bpsvc.store.engine import raw
from bpsvc.store.records import Experiment, PlannedRun, Receipt
from bpsvc.store.serving import SERVED

_NEW_REVISION: Final = f"""
    INSERT INTO _experiment (name, revision, digest, description, epochs, spec, submitted_at)
    SELECT :name, 1 + coalesce(max(revision), 0), :digest, :description, :epochs, :spec,
        coalesce(:at, {STAMP})
    FROM _experiment WHERE name = :name
"""
_REVISION: Final = """
    SELECT id, revision, (SELECT max(revision) FROM _experiment WHERE name = :name)
    FROM _experiment WHERE name = :name AND digest = :digest
"""
# The digest proves that these are the bytes that were stored once: damaged ones are mended.
_DATASET: Final = f"""
    INSERT INTO _dataset (digest, label, examples, inputs, targets, features, target_names, classes, content)
    VALUES (:digest, :label, :examples, :inputs, :targets, :features, :target_names, :classes, :content)
    ON CONFLICT (digest) DO UPDATE SET
        content = excluded.content, label = iif({BETTER_LABEL}, excluded.label, label)
    WHERE content IS NOT excluded.content OR {BETTER_LABEL}
"""
_RECIPE: Final = """
    INSERT INTO _recipe (
        digest, spec, loss, hidden, depth, activation, output, init, optimizer, learning_rate, batch_size
    )
    VALUES (
        :digest, :spec, :loss, :hidden, :depth, :activation, :output, :init, :optimizer, :learning_rate,
        :batch_size
    )
    ON CONFLICT (digest) DO NOTHING
"""
_SCALING: Final = """
    INSERT INTO _scaling (dataset_id, content)
    SELECT id, :content FROM _dataset WHERE digest = :dataset
    ON CONFLICT (dataset_id, content) DO NOTHING
"""
# Those of the runs (a JSON object, key to epochs) that are there.
_PRESENT: Final = f"""
    SELECT r.key, r.id, r.status, coalesce(r.outcome, ''), r.epochs, {SERVED}
    FROM (SELECT key, value AS epochs FROM json_each(:runs)) m JOIN _run r ON r.key = m.key
"""
_RUN: Final = f"""
    INSERT INTO _run (key, recipe_id, dataset_id, scaling_id, seed, stack, epochs, created_at)
    SELECT :key, p.id, d.id, s.id, :seed, :stack, :epochs, {STAMP}
    FROM _recipe p JOIN _dataset d ON d.digest = :dataset
    LEFT JOIN _scaling s ON s.dataset_id = d.id AND s.content = :scaling
    WHERE p.digest = :recipe
"""
_EXTEND: Final = """
    UPDATE _run SET epochs = :epochs, status = 'queued', outcome = NULL, finished_at = NULL
    WHERE id = :id AND status = 'done' AND outcome = 'horizon' AND epochs < :epochs
"""
_RAISE: Final = "UPDATE _run SET epochs = :epochs WHERE id = :id AND epochs < :epochs"
_REQUEUE: Final = """
    UPDATE _run SET status = 'queued', attempts = 0, error = NULL WHERE id = :id AND status = 'cancelled'
"""

_MEMBER: Final = """
    INSERT INTO _membership (experiment_id, run_id, position, epochs) VALUES (?, ?, ?, ?)
    ON CONFLICT (experiment_id, run_id) DO NOTHING
"""
_AXIS: Final = """
    INSERT INTO _axis (experiment_id, name, label, position) VALUES (?, ?, ?, ?)
    ON CONFLICT (experiment_id, name) DO NOTHING
"""
_FACTOR: Final = """
    INSERT INTO _factor (experiment_id, run_id, name, value) VALUES (?, ?, ?, ?)
    ON CONFLICT (experiment_id, run_id, name) DO NOTHING
"""


@dataclass(frozen=True)
class _Row:
    """A run that is already there; `served`: it has what the experiment wants of it."""

    id: int
    status: str
    outcome: str
    epochs: int
    served: int


def submit(
    connection: Connection,
    experiment: Experiment,
    stacks: Mapping[str, str],
    scalings: Mapping[str, str],
    submitted_at: str | None,
) -> Receipt:
    """Store the experiment inside the caller's transaction; see `Store.submit`."""
    cursor = raw(connection)
    id_, revision, newest, unchanged = _experiment(cursor, experiment, submitted_at)
    faults.point("experiment")
    present = _present(cursor, experiment)
    planned = {run.key: run for run in experiment.runs}
    missing = [run for key, run in planned.items() if key not in present]
    _store_data(cursor, experiment)
    _insert(cursor, missing, stacks, scalings)
    faults.point("runs")
    extended, requeued = _go_on(cursor, planned, present)
    _enrol(cursor, id_, experiment, planned)
    faults.point("enrolled")
    failed = tuple(sorted(row.id for row in present.values() if row.status == "failed" and not row.served))
    return Receipt(
        experiment=f"{experiment.name}@{revision}",
        id=id_,
        new=len(missing),
        existing=len(present) - len(extended) - len(requeued) - len(failed),
        extended=len(extended),
        requeued=len(requeued),
        failed=failed,
        unchanged=unchanged,
        current=f"{experiment.name}@{newest}",
    )


def _experiment(cursor: sqlite3.Cursor, experiment: Experiment, at: str | None) -> tuple[int, int, int, bool]:
    """Its number, its revision, the newest revision of its name, and whether it was there already."""
    values = {
        "name": experiment.name,
        "digest": experiment.digest,
        "description": experiment.description or "",
        "epochs": experiment.epochs,
        "spec": _json(experiment.spec),
        "at": at,
    }
    found = cursor.execute(_REVISION, values).fetchone()
    unchanged = found is not None
    if not unchanged:
        cursor.execute(_NEW_REVISION, values)
        found = cursor.execute(_REVISION, values).fetchone()
    return found[0], found[1], found[2], unchanged


def _present(cursor: sqlite3.Cursor, experiment: Experiment) -> dict[str, _Row]:
    runs = json.dumps({run.key: int(run.epochs) for run in experiment.runs})
    return {key: _Row(*row) for key, *row in cursor.execute(_PRESENT, {"runs": runs})}


def _store_data(cursor: sqlite3.Cursor, experiment: Experiment) -> None:
    datasets = {run.dataset.digest: run.dataset for run in experiment.runs}
    for digest, dataset in datasets.items():
        cursor.execute(_DATASET, describing.dataset(dataset, experiment.data_labels[digest]))


def _insert(
    cursor: sqlite3.Cursor,
    missing: list[PlannedRun],
    stacks: Mapping[str, str],
    scalings: Mapping[str, str],
) -> None:
    stored: set[str] = set()
    for run in missing:
        data = run.dataset.digest
        recipe = hashlib.sha256(run.canonical.encode()).hexdigest()
        if recipe not in stored:
            stored.add(recipe)
            cursor.execute(_RECIPE, {"digest": recipe, **describing.recipe(run.canonical)})
        if (scaling := scalings.get(run.key)) is not None:
            cursor.execute(_SCALING, {"dataset": data, "content": scaling})
        values = {
            "key": run.key,
            "recipe": recipe,
            "dataset": data,
            "scaling": scaling,
            "seed": int(run.seed),
            "stack": stacks[run.key],
            "epochs": int(run.epochs),
        }
        cursor.execute(_RUN, values)


def _go_on(
    cursor: sqlite3.Cursor, planned: Mapping[str, PlannedRun], present: Mapping[str, _Row]
) -> tuple[list[int], list[int]]:
    """Raise the targets of runs that go further now, and queue cancelled ones again: the ids of either."""
    extended, requeued = [], []
    for key, row in present.items():
        values = {"id": row.id, "epochs": int(planned[key].epochs)}
        further = row.epochs < values["epochs"]
        if further:
            cursor.execute(_EXTEND, values)
            cursor.execute(_RAISE, values)
        if row.status == "cancelled" and not row.served:
            cursor.execute(_REQUEUE, values)
            requeued.append(row.id)
        elif further and (row.status in ("queued", "running") or row.outcome == "horizon"):
            extended.append(row.id)
    return extended, requeued


def _enrol(
    cursor: sqlite3.Cursor, id_: int, experiment: Experiment, planned: Mapping[str, PlannedRun]
) -> None:
    """Let the experiment contain its runs; submitted again, those that were taken away from it since."""
    ids = {key: row.id for key, row in _present(cursor, experiment).items()}
    cursor.executemany(
        _MEMBER,
        ((id_, ids[key], position, int(run.epochs)) for position, (key, run) in enumerate(planned.items())),
    )
    names = dict.fromkeys(name for run in planned.values() for name in run.factors)
    cursor.executemany(
        _AXIS,
        ((id_, name, experiment.labels.get(name, name), position) for position, name in enumerate(names)),
    )
    cursor.executemany(
        _FACTOR,
        (
            (id_, ids[key], name, describing.plain(value))
            for key, run in planned.items()
            for name, value in run.factors.items()
        ),
    )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
