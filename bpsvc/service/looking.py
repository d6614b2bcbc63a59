"""Look at what is stored: how things stand, lists of runs, one run."""

from collections.abc import Sequence
from typing import Any, Final

from bpsvc import nn
from bpsvc.service.networks import Trained
from bpsvc.store import Store

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]

_RUNS: Final = """
    SELECT run_id, substr(run_key, 1, 8) AS "key", status, outcome, data, hidden, activation, output, loss,
    optimizer,
        learning_rate, seed, epochs_done, epochs, final_loss, final_accuracy, solved_epoch, round(seconds, 2)
        AS seconds
    FROM runs
    WHERE :experiment IS NULL OR run_id IN (SELECT run_id FROM experiment_runs WHERE experiment = :experiment)
    ORDER BY run_id DESC LIMIT :limit
"""


def runs(store: Store, experiment: str | None, limit: int) -> Rows:
    """The newest runs of an experiment, or of all."""
    name = None if experiment is None else store.experiment(experiment).experiment
    answer = store.query(_RUNS, {"experiment": name, "limit": limit})
    return answer.columns, answer.rows


def weight_rows(trained: Trained) -> Rows:
    """Every parameter by the lecture's name, such as w13: from source 1 to unit 3."""
    values = zip(nn.parameters(trained.network), trained.theta.tolist(), strict=True)
    return ("layer", "source", "unit", "name", "value"), [(*parameter, value) for parameter, value in values]
