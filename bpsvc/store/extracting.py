"""Taking experiments out of a store whole: every public relation, the weights and the data, in one read
transaction and in batches, so that memory does not grow with the store.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from bpsvc.data import Dataset
from bpsvc.store import naming, sound
from bpsvc.store.catalog import PUBLIC
from bpsvc.store.engine import raw
from bpsvc.store.removing import Pairs

_BATCH: Final = 50_000
_NAMED: Final = "t.experiment IN (SELECT value FROM json_each(:experiments))"
_CHOSEN: Final = "t.run_id IN (SELECT value FROM json_each(:runs))"
_PAIR: Final = f"""{_CHOSEN} AND (t.experiment, t.run_id) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:pairs)
)"""
_DATA: Final = f"SELECT data_digest FROM runs t WHERE {_CHOSEN}"
_FIRED: Final = f"SELECT t.schedule FROM occurrences t WHERE {_NAMED}"

# Which rows of each public relation belong to the experiments and runs, and the order that never changes.
_PARTS: Final = {
    "experiments": (_NAMED, "name, revision"),
    "experiment_runs": (_PAIR, "experiment, run_id"),
    "runs": (_CHOSEN, "run_id"),
    "results": (_PAIR, "experiment, run_id"),
    "factors": (_PAIR, "experiment, run_id, name"),
    "epochs": (_CHOSEN, "run_id, epoch"),
    "layer_gradients": (_CHOSEN, "run_id, epoch, layer"),
    "parameters": (_CHOSEN, "run_id, epoch, name"),
    "datasets": (f"t.digest IN ({_DATA})", "data, digest"),
    "schedules": (f"t.schedule IN ({_FIRED})", "schedule"),
    "occurrences": (_NAMED, "schedule, instant"),
}


class Stored(NamedTuple):
    """The state of a run as its last segment committed it, and what is needed to read it."""

    run_id: int
    spec: str
    inputs: int
    checkpoint: bytes


class Extraction:
    """Experiments with all of their runs, or with those only that `pairs` has of each, by full name and
    run_id, as one read transaction sees them.

    Runs are whole: when another experiment trains one further, its later epochs are there too, and
    `experiment_runs.epochs` says where this experiment ends.
    """

    def __init__(self, connection: Connection, experiments: Sequence[str], pairs: Pairs | None) -> None:
        self._connection = connection
        found = [naming.experiment(raw(connection), name).experiment for name in experiments]
        self.experiments = tuple(dict.fromkeys(found))
        names = json.dumps(self.experiments)
        members = f"SELECT experiment, run_id FROM experiment_runs t WHERE {_NAMED}"
        known = set(raw(connection).execute(members, {"experiments": names}))
        chosen = sorted(known if pairs is None else known.intersection(pairs))
        self.runs = tuple(sorted({run for _, run in chosen}))
        self._values = {"experiments": names, "pairs": json.dumps(chosen), "runs": json.dumps(self.runs)}

    def rows(self, relation: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a public relation that belong to the experiments, in batches, with the catalogue's
        columns.
        """
        condition, order = _PARTS[relation]
        columns = ", ".join(f"t.{name}" for name in PUBLIC[relation].names)
        cursor = self._ask(f"SELECT {columns} FROM {relation} t WHERE {condition} ORDER BY {order}")
        while batch := cursor.fetchmany(_BATCH):
            yield batch

    def states(self) -> Iterator[Stored]:
        """Every run that has begun, by its number; DamagedError at one whose state is not what its digest
        says.
        """
        sql = f"""
            SELECT t.run_id, t.spec, d.inputs, t.epochs_done, c.epoch, c.digest, c.state FROM runs t
            JOIN datasets d ON d.digest = t.data_digest LEFT JOIN _checkpoint c ON c.run_id = t.run_id
            WHERE {_CHOSEN} ORDER BY t.run_id
        """
        for run_id, spec, inputs, *state in self._ask(sql):
            if (checkpoint := sound.state(run_id, *state)) is not None:
                yield Stored(run_id, spec, inputs, checkpoint)

    def datasets(self) -> Iterator[Dataset]:
        """The data of the runs, one set after the other; DamagedError at one that is not what its digest
        says.
        """
        wanted = f"t.digest IN ({_DATA}) ORDER BY t.label, t.digest"
        sql = f"SELECT t.content, t.digest FROM _dataset t WHERE {wanted}"
        for content, digest in self._ask(sql):
            yield sound.dataset(content, digest)

    def _ask(self, sql: str) -> sqlite3.Cursor:
        return raw(self._connection).execute(sql, self._values)
