"""Reading: what is asked of a store, all from one read transaction.

DataFrames have the columns of the public views (see `catalog`).
"""

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from bpsvc.data import Dataset
from bpsvc.errors import NotFoundError
from bpsvc.store import naming, sound
from bpsvc.store.catalog import PUBLIC
from bpsvc.store.engine import raw
from bpsvc.store.extracting import Extraction
from bpsvc.store.frames import frame, numbers
from bpsvc.store.naming import Named
from bpsvc.store.progress import Holder, holders, progress, status
from bpsvc.store.records import Progress
from bpsvc.store.removing import Pairs
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES

if TYPE_CHECKING:  # pandas takes long to load, and few commands need it
    import pandas as pd

Which = str | Iterable[str] | None

_RUNS_OF: Final = f"""
    SELECT v.experiment, v.target_epochs, {", ".join(f"v.{name}" for name in PUBLIC["runs"].names)}
    FROM json_each(:experiments) i
    JOIN _experiment x ON x.id = i.value
    JOIN results v ON v.experiment = x.name || '@' || x.revision
    JOIN _membership m ON m.experiment_id = x.id AND m.run_id = v.run_id
    ORDER BY i.key, m.position
"""
# Which runs are wanted, and up to which epoch: :experiments and :runs are JSON lists or null.
_WANTED: Final = """
    WITH wanted (run_id, last) AS (
        SELECT r.id, coalesce(max(m.epochs), 9223372036854775807)
        FROM _run r LEFT JOIN _membership m ON m.run_id = r.id AND :experiments IS NOT NULL
            AND m.experiment_id IN (SELECT value FROM json_each(:experiments))
        WHERE (:experiments IS NULL OR m.experiment_id IS NOT NULL)
        AND (:runs IS NULL OR r.id IN (SELECT value FROM json_each(:runs)))
        GROUP BY r.id
    )
"""


class Snapshot:
    """One state of a store, as of the first question: `with store.snapshot() as now: …`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = raw(connection)

    def experiment(self, reference: str) -> Named:
        """The experiment that `xor@2`, `xor` (its newest revision) or `@last` means; else NotFoundError."""
        return naming.experiment(self._cursor, reference)

    def run(self, reference: str | int) -> int:
        """The number of the run that an integer, at least 8 hex digits of its key or `@last` means; else
        NotFoundError.
        """
        return naming.run(self._cursor, reference)

    def experiments(self, which: Which = None) -> "pd.DataFrame":
        """The view `experiments`: all, in the order they were submitted, or those named, in that order."""
        table = frame(
            self._cursor, "SELECT * FROM experiments ORDER BY submitted_at, experiment", {}, "experiments"
        )
        if which is None:
            return table
        wanted = [named.experiment for named in self._named(which)]
        return table.set_index("experiment", drop=False).loc[wanted].reset_index(drop=True)

    def runs(self, which: Which = None) -> "pd.DataFrame":
        """The view `runs`; of experiments, a row for each experiment and run, in the order of the plan.

        Then there are also `experiment`, `target_epochs`, and a column for each factor, called by its label
        (one that is called like a column of the view takes its place in the experiments that sweep it); and
        every row is as of the experiment's own last epoch.
        """
        import pandas as pd

        if which is None:
            return frame(self._cursor, "SELECT * FROM runs ORDER BY run_id", {}, "runs")
        experiments = json.dumps([named.id for named in self._named(which)])
        table = frame(self._cursor, _RUNS_OF, {"experiments": experiments}, "results")
        factors = self.factors(which)
        for label, group in factors.groupby("label", sort=False):
            values = group.set_index(["experiment", "run_id"])["value"]
            index = pd.MultiIndex.from_frame(table[["experiment", "run_id"]])
            found = values.reindex(index).reset_index(drop=True)
            if label in table:  # an experiment that does not sweep it keeps what the view says
                swept = table["experiment"].isin(group["experiment"])
                found = found.astype(object).where(swept, table[label])
            table[label] = found.infer_objects().to_numpy()
        return table

    def factors(self, which: Which = None) -> "pd.DataFrame":
        """The view `factors`, by experiment, axis in the order of the spec, and run."""
        experiments = None if which is None else json.dumps([named.id for named in self._named(which)])
        sql = """
            SELECT e.name || '@' || e.revision AS experiment, f.run_id, f.name, a.label, f.value
            FROM _experiment e JOIN _axis a ON a.experiment_id = e.id
            JOIN _factor f ON f.experiment_id = e.id AND f.name = a.name
            WHERE :experiments IS NULL OR e.id IN (SELECT value FROM json_each(:experiments))
            ORDER BY e.id, a.position, f.run_id
        """
        return frame(self._cursor, sql, {"experiments": experiments}, "factors")

    def containing(self, runs: Iterable[int]) -> list[tuple[str, int]]:
        """Every experiment that has one of these runs, by full name, with the run's number."""
        sql = """
            SELECT e.name || '@' || e.revision, m.run_id FROM json_each(?) r
            JOIN _membership m ON m.run_id = r.value JOIN _experiment e ON e.id = m.experiment_id
            ORDER BY m.run_id, e.id
        """
        return self._cursor.execute(sql, (json.dumps(list(runs)),)).fetchall()

    def epochs(
        self, which: Which = None, *, runs: Iterable[int] | None = None, series: Sequence[str] = EPOCH_SERIES
    ) -> "pd.DataFrame":
        """The table `epochs`, by run and epoch: of all, of experiments (up to their own last epoch), or of
        certain runs.
        """
        return self._measured("epochs", ("run_id", "epoch"), series, EPOCH_SERIES, which, runs)

    def layer_gradients(
        self, which: Which = None, *, runs: Iterable[int] | None = None, series: Sequence[str] = LAYER_SERIES
    ) -> "pd.DataFrame":
        """The table `layer_gradients`, by run, epoch and layer; chosen as for `epochs`."""
        return self._measured(
            "layer_gradients", ("run_id", "epoch", "layer"), series, LAYER_SERIES, which, runs
        )

    def parameters(self, which: Which = None, *, runs: Iterable[int] | None = None) -> "pd.DataFrame":
        """The table `parameters`, by run, epoch, layer and name; chosen as for `epochs`."""
        sql = f"""
            {_WANTED} SELECT t.* FROM wanted w
            CROSS JOIN parameters t ON t.run_id = w.run_id AND t.epoch <= w.last
            ORDER BY t.run_id, t.epoch, t.layer, t.name
        """
        return frame(self._cursor, sql, self._chosen(which, runs), "parameters")

    def datasets(self) -> "pd.DataFrame":
        """The view `datasets`."""
        return frame(self._cursor, "SELECT * FROM datasets ORDER BY data, digest", {}, "datasets")

    def occurrences(self, schedule: str | None = None) -> "pd.DataFrame":
        """The view `occurrences` by instant: of all schedules, or of one."""
        sql = "SELECT * FROM occurrences WHERE :name IS NULL OR schedule = :name ORDER BY instant, schedule"
        return frame(self._cursor, sql, {"name": schedule}, "occurrences")

    def dataset(self, digest: str) -> Dataset:
        """The data with this digest, as they were when submitted; DamagedError when they are not."""
        found = self._cursor.execute("SELECT content FROM _dataset WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            raise NotFoundError(f"there are no data with the digest {digest!r}")
        return sound.dataset(found[0], digest)

    def checkpoint(self, run_id: int) -> bytes | None:
        """The state of a run at `epochs_done`, as its last segment committed it; None before the first.

        Raises:
            DamagedError: it is not what its digest says.
        """
        sql = """
            SELECT r.epochs_done, c.epoch, c.digest, c.state
            FROM _run r LEFT JOIN _checkpoint c ON c.run_id = r.id WHERE r.id = ?
        """
        found = self._cursor.execute(sql, (run_id,)).fetchone()
        return None if found is None else sound.state(run_id, *found)

    def standing(self, keys: Iterable[str]) -> dict[str, tuple[str, str | None, int, int]]:
        """Of the runs with these keys that there are: status, outcome, target epochs and epochs done."""
        sql = """
            SELECT r.key, r.status, r.outcome, r.epochs, r.epochs_done
            FROM json_each(?) k JOIN _run r ON r.key = k.value
        """
        return {key: tuple(row) for key, *row in self._cursor.execute(sql, (json.dumps(list(keys)),))}

    def segments(self, run_id: int) -> list[tuple[int, str]]:
        """Where each committed segment of a run ended, and the sha256 of the state there, in order."""
        sql = "SELECT to_epoch, digest FROM _segment WHERE run_id = ? ORDER BY to_epoch"
        return [(int(epoch), str(digest)) for epoch, digest in self._cursor.execute(sql, (run_id,))]

    def extraction(self, experiments: Sequence[str], pairs: Pairs | None = None) -> Extraction:
        """All that belongs to some experiments (and of each to these runs of it), in batches."""
        return Extraction(self._connection, experiments, pairs)

    def progress(self, experiments: Sequence[int] | None = None) -> Progress:
        """How many runs and epochs of these experiments (by number), or of all, are done and to do."""
        return progress(self._connection, experiments)

    def holders(self) -> list[Holder]:
        """Who has runs in hand: since when, how fast, how much is left."""
        return holders(self._connection)

    def status(self) -> "pd.DataFrame":
        """One row an experiment: runs by status; epochs done, to do in all, and left; and the seconds until
        its end, `eta_s`, at the speed of those who train its runs (NaN when nobody does).
        """
        import pandas as pd

        columns, rows = status(self._connection)
        return pd.DataFrame(rows, columns=columns).astype({"eta_s": "float64"})

    def _named(self, which: Which) -> list[Named]:
        names = [which] if isinstance(which, str) else list(which or ())
        return [self.experiment(name) for name in dict.fromkeys(names)]

    def _measured(
        self,
        table: str,
        keys: Sequence[str],
        series: Sequence[str],
        known: Sequence[str],
        which: Which,
        runs: Iterable[int] | None,
    ) -> "pd.DataFrame":
        if unknown := set(series) - set(known):
            raise NotFoundError(f"{table} has no {', '.join(sorted(unknown))}", allowed=", ".join(known))
        columns = [*keys, *series]
        # A run at a time: its rows come in the order of the key, so that nothing is sorted.
        sql = f"""
            SELECT {", ".join(columns)} FROM {table}
            WHERE run_id = ? AND epoch <= ? ORDER BY {", ".join(keys)}
        """
        wanted = self._cursor.execute(
            f"{_WANTED} SELECT run_id, last FROM wanted ORDER BY run_id", self._chosen(which, runs)
        ).fetchall()
        rows = chain.from_iterable(self._cursor.execute(sql, pair) for pair in wanted)
        return numbers(rows, columns, keys)

    def _chosen(self, which: Which, runs: Iterable[int] | None) -> dict[str, Any]:
        """The parameters of `_WANTED`."""
        return {
            "experiments": None if which is None else json.dumps([named.id for named in self._named(which)]),
            "runs": None if runs is None else json.dumps([int(run) for run in runs]),
        }
