"""Look at what is stored: how things stand, lists of runs, one run."""

from collections.abc import Sequence
from typing import Any, Final

from bpsvc.store import Store

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]

_RUNS: Final = """
    SELECT run_id, substr(run_key, 1, 8) AS "key", status, outcome, data, hidden, activation, output, loss, optimizer,
        learning_rate, seed, epochs_done, epochs, final_loss, final_accuracy, solved_epoch, round(seconds, 2) AS seconds
    FROM runs
    WHERE :experiment IS NULL OR run_id IN (SELECT run_id FROM experiment_runs WHERE experiment = :experiment)
    ORDER BY run_id DESC LIMIT :limit
"""


def runs(store: Store, experiment: str | None, limit: int) -> Rows:
    """The newest runs of an experiment, or of all."""
    name = None if experiment is None else store.experiment(experiment).experiment
    answer = store.query(_RUNS, {"experiment": name, "limit": limit})
    return answer.columns, answer.rows


def weight_rows(document: dict[str, Any]) -> Rows:
    """Weights in the lecture's notation: w_sd leads from source s (0 = bias) to unit d of the layer."""
    rows: list[tuple[Any, ...]] = []
    for number, layer in enumerate(document["layers"], 1):
        bias = [] if layer["bias"] is None else [layer["bias"]]
        sources = range(0 if bias else 1, len(layer["weights"]) + 1)
        for source, values in zip(sources, [*bias, *layer["weights"]], strict=True):
            rows += [(number, source, unit, f"w{source}{unit}", value) for unit, value in enumerate(values, 1)]
        rows += [(number, None, None, name, value) for name, value in layer.get("knobs", {}).items()]
    return ("layer", "source", "unit", "name", "value"), rows

