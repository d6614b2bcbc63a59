"""Queries worth asking, under names: `bpsvc query --list` shows them, `bpsvc query fastest` asks one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bpsvc.errors import UsageError
from bpsvc.registry import Table, did_you_mean
from bpsvc.service.describing import assignments
from bpsvc.store import Store

_PARAMETER: Final = re.compile(r"[:@$](\w+)")
_WORD: Final = re.compile(r"[\w-]{1,80}")


@dataclass(frozen=True)
class Canned:
    """A named query; `parameters` are its own with their defaults, set by `-p NAME=VALUE`."""

    name: str
    doc: str
    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    also_called: tuple[str, ...] = ()


QUERIES: Final = Table(
    "canned query",
    [
        Canned(
            "success",
            "Runs of each configuration, how many met the criterion once, and the median epoch of that over "
            "all of them: null unless more than half did. Of an experiment: as of its own last epoch.",
            """
            WITH asked AS (
                SELECT activation, hidden, loss, optimizer, learning_rate, data, data_digest, spec, status,
                    solved_epoch FROM results WHERE experiment = :experiment
                UNION ALL
                SELECT activation, hidden, loss, optimizer, learning_rate, data, data_digest, spec, status,
                    solved_epoch FROM runs WHERE :experiment IS NULL
            )
            SELECT data, activation, hidden, loss, optimizer, learning_rate, spec -> '$.init' AS init,
                count(*) AS runs, count(solved_epoch) AS solved, sum(status = 'diverged') AS diverged,
                CASE WHEN 2 * count(solved_epoch) > count(*)
                    THEN median(coalesce(solved_epoch, 9e18)) END AS median_epoch
            FROM asked GROUP BY data_digest, spec ORDER BY solved DESC
            """,
            {"experiment": None},
        ),
        Canned(
            "first-epoch-below",
            "The first recorded epoch at which each run's loss was below :loss.",
            """
            SELECT run_id, seed, activation, loss, learning_rate, (
                SELECT min(epoch) FROM epochs e WHERE e.run_id = r.run_id AND e.loss < :loss
            ) AS epoch
            FROM runs r ORDER BY epoch IS NULL, epoch
            """,
            {"loss": 0.05},
        ),
        Canned(
            "gradient-decay",
            "How much of the last hidden layer's signal reaches the first one at epoch :epoch, by depth.",
            """
            SELECT r.activation, r.spec -> '$.init' AS init, r.depth, count(*) AS runs,
                median(f.delta_rms / l.delta_rms) AS first_over_last
            FROM runs r
            JOIN layer_gradients f ON f.run_id = r.run_id AND f.epoch = :epoch AND f.layer = 1
            JOIN layer_gradients l ON l.run_id = r.run_id AND l.epoch = :epoch AND l.layer = r.depth
            WHERE r.depth > 1 GROUP BY 1, 2, 3
            """,
            {"epoch": 0},
        ),
        Canned(
            "fastest",
            "The :count runs that first met their criterion after the fewest epochs; how many did untrained.",
            """
            SELECT run_id, solved_epoch, final_loss, seed, data, activation, hidden, loss, optimizer,
                learning_rate, (SELECT count(*) FROM runs WHERE solved_epoch = 0) AS solved_untrained
            FROM runs WHERE solved_epoch > 0 ORDER BY solved_epoch LIMIT :count
            """,
            {"count": 10},
        ),
        Canned(
            "saturated",
            "The share of saturated and of dead units in each layer at epoch :epoch.",
            """
            SELECT r.activation, r.spec -> '$.init' AS init, r.depth, g.layer, count(*) AS runs,
                avg(g.saturated) AS saturated, avg(g.dead) AS dead
            FROM layer_gradients g JOIN runs r USING (run_id)
            WHERE g.epoch = :epoch GROUP BY 1, 2, 3, 4
            """,
            {"epoch": 0},
        ),
        Canned(
            "diverged",
            "Runs that diverged: when, and in which layer.",
            """
            SELECT run_id, diverged_epoch, diverged_layer, activation, hidden, loss, optimizer, learning_rate,
            seed FROM runs WHERE status = 'diverged' ORDER BY diverged_epoch
            """,
        ),
        Canned(
            "paired-losses",
            "From the same start: how many runs each loss solves, and the median of the epochs that loss :b "
            "needs as a multiple of what :a needs, over all ended pairs but those right before training; not "
            "solved counts as 1e9 epochs.",
            """
            SELECT x.activation, x.hidden, x.learning_rate AS rate_a, y.learning_rate AS rate_b,
                count(*) AS pairs, count(x.solved_epoch) AS solved_a, count(y.solved_epoch) AS solved_b,
                median(1.0 * coalesce(y.solved_epoch, 1e9) / coalesce(x.solved_epoch, 1e9)) AS times
            FROM runs x JOIN runs y USING (seed, data, hidden, activation, init)
            WHERE x.loss = :a AND y.loss = :b AND x.solved_epoch IS NOT 0 AND y.solved_epoch IS NOT 0
                AND x.status IN ('done', 'diverged') AND y.status IN ('done', 'diverged')
                AND x.spec -> '$.init' = y.spec -> '$.init'
                AND x.spec ->> '$.success' IS NOT NULL AND y.spec ->> '$.success' IS NOT NULL
            GROUP BY 1, 2, 3, 4
            """,
            {"a": "log_likelihood", "b": "squared"},
        ),
        Canned(
            "throughput",
            "Epochs a second by network and batch size.",
            """
            SELECT hidden, activation, batch_size, count(*) AS runs, sum(epochs_done) AS epochs,
                round(sum(seconds), 2) AS seconds, round(sum(epochs_done) / sum(seconds)) AS epochs_a_second
            FROM runs WHERE seconds > 0 GROUP BY hidden, activation, batch_size ORDER BY seconds DESC
            """,
        ),
    ],
)


def resolved(text: str, settings: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """SQL and parameters of a canned query's name, or of SQL itself; `settings` are `name=value`.

    Raises:
        UsageError: a setting is none or no number, or the SQL has no such parameter; or a single word is no
            name.
    """
    given = assignments(settings, "a parameter is a name and a value", "run=12")
    sql, defaults = (QUERIES[text].sql, QUERIES[text].parameters) if text in QUERIES else (text, {})
    if _WORD.fullmatch(sql):
        raise UsageError(
            f"there is no canned query called {text!r}",
            allowed=", ".join(QUERIES),
            remedy=did_you_mean(text, QUERIES) or "SQL is more than a word: bpsvc query --list has examples",
        )
    known = list(dict.fromkeys(_PARAMETER.findall(sql)))
    for name in given:
        if name not in known:
            raise UsageError(
                f"the query has no parameter {name[:80]!r}",
                allowed=", ".join(known) or "none",
                remedy=did_you_mean(name, known),
            )
        if isinstance(default := defaults.get(name), int | float):
            _check_number(name, given[name], default)
    return sql, {**defaults, **given}


def _check_number(name: str, value: Any, default: float) -> None:
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        rule = f"the parameter {name} is a {'whole ' if whole else ''}number"
        raise UsageError(rule, value=value, allowed=f"such as {name}={default}")


def named(store: Store, text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a canned query with `experiment` as its full name: `xor` is the newest revision.

    Raises:
        NotFoundError: there is no such experiment.
    """
    if text not in QUERIES or values.get("experiment") is None:
        return dict(values)
    with store.snapshot() as now:
        return {**values, "experiment": now.experiment(str(values["experiment"])).experiment}
