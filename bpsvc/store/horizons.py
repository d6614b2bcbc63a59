"""An experiment's own view of its runs: what they were at its last epoch, whatever a later experiment has
added.
"""

import json
import sqlite3
from typing import Final

import numpy as np
import pandas as pd

# The runs (a JSON list of [run, last epoch]) as they stood when their last epoch was committed.
_BEYOND: Final = """
    SELECT json_extract(value, '$[0]') AS run_id, json_extract(value, '$[1]') AS last FROM json_each(:beyond)
"""
_FINAL: Final = f"""
    SELECT b.run_id, e.loss AS final_loss, e.accuracy AS final_accuracy,
        e.mean_abs_error AS final_mean_abs_error,
        e.validation_loss AS final_validation_loss, e.validation_accuracy AS final_validation_accuracy
    FROM ({_BEYOND}) b JOIN epochs e ON e.run_id = b.run_id
        AND e.epoch = (SELECT max(x.epoch) FROM epochs x WHERE x.run_id = b.run_id AND x.epoch <= b.last)
"""
# With min() SQLite takes the other columns from the row that has it: the earliest, in the order of the key.
_BEST: Final = f"""
    SELECT b.run_id, min(e.loss) AS best_loss, e.epoch AS best_epoch
    FROM ({_BEYOND}) b JOIN epochs e ON e.run_id = b.run_id AND e.epoch <= b.last GROUP BY b.run_id
"""
_BEST_VALIDATION: Final = f"""
    SELECT b.run_id, min(e.validation_loss) AS best_validation_loss,
        CASE WHEN e.validation_loss IS NOT NULL THEN e.epoch END AS best_validation_epoch
    FROM ({_BEYOND}) b JOIN epochs e ON e.run_id = b.run_id AND e.epoch <= b.last GROUP BY b.run_id
"""
_SEGMENTS: Final = f"""
    SELECT b.run_id, sum(s.seconds) AS seconds, max(s.committed_at) AS finished_at
    FROM ({_BEYOND}) b JOIN _segment s ON s.run_id = b.run_id AND s.to_epoch <= b.last GROUP BY b.run_id
"""


def as_of(cursor: sqlite3.Cursor, runs: pd.DataFrame, last: pd.Series, begun: pd.Series) -> pd.DataFrame:
    """`runs` with each one's row as it was after `last` epochs, where it has gone further or is to.

    `begun` says which have a state at all: one that waits for its first epoch has none, not even of epoch 0.
    """
    runs = runs.copy()
    served = (runs["epochs_done"] == last) & begun & (runs["epochs"] > last)
    beyond = (runs["epochs_done"] > last) | (served & ~runs["status"].isin(["done", "diverged"]))
    runs["epochs"] = np.where(runs["epochs"] > last, last, runs["epochs"])
    if not beyond.any():
        return runs
    pairs = [[int(run), int(end)] for run, end in zip(runs.loc[beyond, "run_id"], last[beyond], strict=True)]
    for sql in (_FINAL, _BEST, _BEST_VALIDATION, _SEGMENTS):
        table = pd.read_sql_query(sql, cursor.connection, params={"beyond": json.dumps(pairs)}).set_index(
            "run_id"
        )
        for name in table.columns:
            values = runs.loc[beyond, "run_id"].map(table[name])
            runs.loc[beyond, name] = values if name == "finished_at" else values.astype(float)
    runs.loc[beyond, "epochs_done"] = last[beyond]
    runs.loc[beyond, ["status", "outcome"]] = ["done", "horizon"]
    runs.loc[beyond, ["diverged_epoch", "diverged_layer"]] = np.nan
    runs.loc[beyond, "error"] = None
    runs.loc[beyond & (runs["solved_epoch"] > last), "solved_epoch"] = np.nan
    return runs
