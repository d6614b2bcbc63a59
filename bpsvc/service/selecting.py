"""Which runs: one filter for every command that takes some, over `runs` with one column per factor."""

from typing import Final

from bpsvc.store import Answer, Store

BRIEF: Final = (
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
    "solved_epoch",
    "round(seconds, 2) AS seconds",
)


def select(
    store: Store,
    experiment: str | None = None,
    *,
    where: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    brief: bool = False,
) -> Answer:
    """The runs of an experiment (None: all) for which the SQL condition `where` holds.

    `where` and `sort` are SQL over the columns of `runs`, and the experiment's factors by their labels, such
    as `"solved_epoch IS NULL AND depth > 2"`; without `sort` the newest come first. `brief` leaves out long
    columns.

    Raises:
        NotFoundError: there is no such experiment.
        QueryError: the condition is not valid SQL.
    """
    name = None if experiment is None else store.experiment(experiment).experiment
    factors = [] if name is None else _factors(store, name)
    own = [
        f"(SELECT value FROM factors f WHERE f.experiment = :experiment AND f.run_id = r.run_id"
        f" AND f.name = '{path}') AS \"{label}\""
        for path, label in factors
    ]
    base = f"""
        SELECT {", ".join(["r.*", *own])} FROM runs r WHERE :experiment IS NULL
        OR r.run_id IN (SELECT run_id FROM experiment_runs WHERE experiment = :experiment)
    """
    labels = [f'"{label}"' for _, label in factors]
    columns = ", ".join([*BRIEF, *labels]) if brief else "*"
    sql = f"SELECT {columns} FROM ({base})"
    sql += f" WHERE ({where}\n)" if where else ""
    sql += f" ORDER BY {sort}\n" if sort else " ORDER BY run_id DESC"
    sql += " LIMIT :limit"
    return store.query(sql, {"experiment": name, "limit": -1 if limit is None else limit}, max_rows=10**7)


def _factors(store: Store, experiment: str) -> list[tuple[str, str]]:
    """(path, label) of each factor that is not called like a column of `runs`, which says it already."""
    sql = """
        SELECT DISTINCT name, label FROM factors WHERE experiment = :experiment
        AND label NOT IN (SELECT name FROM pragma_table_info('runs')) ORDER BY label
    """
    return [(path, label) for path, label in store.query(sql, {"experiment": experiment}).rows]
