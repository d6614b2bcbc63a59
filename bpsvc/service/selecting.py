"""Which runs: one filter for every command that takes some, over `runs` with one column per factor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from bpsvc.errors import NotFoundError
from bpsvc.store import PUBLIC, Answer, Snapshot, Store, Table

_BRIEF: Final = (
    "run_id",
    'substr(run_key, 1, 8) AS "key"',
    "status",
    "outcome",
    "data",
    "hidden",
    "activation",
    "output",
    "loss",
    "optimizer",
    "learning_rate",
    "seed",
    "epochs_done",
    "epochs",
    "final_loss",
    "final_accuracy",
    "final_validation_accuracy",
    "solved_epoch",
    "round(seconds, 2) AS seconds",
)


_LONG: Final = ("spec", "environment", "scaling")  # handed over only if somebody asks for them
_MOST: Final = 10**7

NEWEST_FIRST: Final = "run_id DESC"

Pairs = list[tuple[str, int]]
"""Runs as experiments see them: full name of an experiment, run_id."""


@dataclass(frozen=True)
class Filter:
    """The runs for which the SQL condition `where` holds, in the order `sort` (by default the newest first),
    the first `limit` of them.

    `where` and `sort` are SQL over the columns of `runs`, and the experiments' factors by their labels, such
    as `"solved_epoch IS NULL AND depth > 2"`. What a run is, is what a report says of it: as of the
    experiment's own last epoch. (Other relations, which a condition may ask too, are as they are.)
    """

    where: str | None = None
    sort: str | None = None
    limit: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lets all runs through."""
        return self.where is None and self.limit is None

    def __str__(self) -> str:
        return "any" if self.where is None else repr(self.where)


ALL: Final = Filter()


def listed(store: Store, experiment: str | None, which: Filter) -> Answer:
    """The runs of an experiment (None: all there are) that a filter lets through, with their chief columns.

    Raises:
        NotFoundError: there is no such experiment.
        QueryError: the filter is not valid SQL.
    """
    with store.snapshot() as now:
        if experiment is None:
            return _asked(store, now, None, which)
        answer = _asked(store, now, [experiment], which)
    rows = [row[:-1] for row in answer.rows]
    return Answer(answer.columns[:-1], rows, answer.truncated)


def chosen(store: Store, now: Snapshot, experiments: Sequence[str] | None, which: Filter) -> Pairs:
    """The runs of experiments (None: of all) that a filter lets through, at least one.

    Raises:
        NotFoundError: there is no such experiment, or no run fits.
        QueryError: the filter is not valid SQL.
    """
    answer = _asked(store, now, experiments, which)
    if not answer.rows:
        raise NotFoundError(f"no run fits {which}", remedy="`bpsvc runs --where …` tries conditions")
    runs = [int(row[0]) for row in answer.rows]
    if experiments is not None:
        return [(str(row[-1]), run) for row, run in zip(answer.rows, runs, strict=True)]
    return now.containing(runs)


def _asked(store: Store, now: Snapshot, experiments: Sequence[str] | None, which: Filter) -> Answer:
    """The chief columns of the runs, their factors, and last (of experiments) the experiment."""
    columns, table = list(_BRIEF), None
    if experiments is not None:
        asked = f"{which.where} {which.sort}".lower()
        runs = now.runs(experiments)
        runs = runs.drop(columns=[name for name in _LONG if name not in asked])
        kinds = {"target_epochs": "INTEGER", **{one.name: one.kind for one in PUBLIC["runs"].columns}}
        columns += [f'"{name}"' for name in runs.columns if name not in (*kinds, "experiment")]
        columns.append("experiment")
        table = Table("runs", [(name, kinds.get(name, "")) for name in runs.columns], _plain(runs))
    if which.where:  # alone, where no parenthesis stands for it to close
        bare = None if table is None else replace(table, rows=())
        store.query(f"SELECT 1 FROM runs WHERE {which.where}\nLIMIT 0", table=bare)
    sql = f"SELECT {', '.join(columns)} FROM runs"
    sql += f" WHERE ({which.where}\n)" if which.where else ""
    sql += f" ORDER BY {which.sort or NEWEST_FIRST}\n/**/"  # a comment left open ends before the limit
    limit = -1 if which.limit is None else which.limit
    return store.query(f"{sql} LIMIT :limit", {"limit": limit}, max_rows=_MOST, table=table)


def _plain(frame: pd.DataFrame) -> list[list[object]]:
    """The rows in Python's own types, None for what is missing."""
    rows: list[list[object]] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return rows
