"""What is in a store, to the bit, and what must hold of it at any time."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bpsvc.nn import Cadence

Contents = dict[str, list[tuple[Any, ...]]]

# All that training makes, under the key of the run: numbers of runs may differ between stores.
_WHAT = {
    "epochs": "SELECT r.key, e.* FROM epochs e JOIN _run r ON r.id = e.run_id ORDER BY r.key, epoch",
    "layers": """
        SELECT r.key, g.* FROM layer_gradients g JOIN _run r ON r.id = g.run_id ORDER BY r.key, epoch, layer
    """,
    "weights": "SELECT r.key, epoch, state FROM _checkpoint c JOIN _run r ON r.id = c.run_id ORDER BY r.key",
    "runs": """
        SELECT key, status, outcome, epochs_done, initial_loss, final_loss, best_loss, best_epoch,
            final_accuracy, final_validation_loss, best_validation_loss, best_validation_epoch,
            solved_epoch, diverged_epoch, diverged_layer
        FROM _run ORDER BY key
    """,
}


def contents(db: Path) -> Contents:
    """Everything that must come out the same, whatever happened on the way."""
    with closing(sqlite3.connect(db)) as connection:
        found = {name: connection.execute(sql).fetchall() for name, sql in _WHAT.items()}
    for name in ("epochs", "layers"):  # without the number of the run
        found[name] = [(key, *rest) for key, _, *rest in found[name]]
    return found


def check(db: Path) -> dict[int, int]:
    """Assert what holds after any accident: runs are whole up to `epochs_done`, which is returned for each
    run.
    """
    with closing(sqlite3.connect(db)) as connection:

        def all_of(sql: str, *values: Any) -> list[Any]:
            return connection.execute(sql, values).fetchall()

        assert all_of("PRAGMA integrity_check") == [("ok",)]
        assert all_of("PRAGMA foreign_key_check") == []
        runs = all_of(
            "SELECT r.id, r.epochs_done, r.outcome, p.spec FROM _run r JOIN _recipe p ON p.id = r.recipe_id"
        )
        for run, epochs_done, outcome, spec in runs:
            segments = all_of(
                "SELECT from_epoch, to_epoch, digest FROM _segment WHERE run_id = ? ORDER BY to_epoch", run
            )
            epochs = [e for (e,) in all_of("SELECT epoch FROM epochs WHERE run_id = ? ORDER BY epoch", run)]
            layers = all_of(
                "SELECT epoch, layer FROM layer_gradients WHERE run_id = ? ORDER BY epoch, layer", run
            )
            checkpoints = all_of("SELECT epoch, digest, state FROM _checkpoint WHERE run_id = ?", run)
            if not segments:
                assert (epochs_done, epochs, layers, checkpoints) == (0, [], [], [])
                continue
            assert [segment[0] for segment in segments] == [0, *(segment[1] for segment in segments[:-1])]
            assert segments[-1][1] == epochs_done
            document = json.loads(spec)
            planned = {0, *Cadence(document["record"]["every"]).epochs(0, epochs_done).tolist()}
            if outcome not in (None, "horizon"):
                planned.add(epochs_done)
            assert epochs == sorted(planned)
            depth = len(document["network"]["layers"])
            assert layers == [(epoch, layer) for epoch in epochs for layer in range(1, depth + 1)]
            ((epoch, digest, state),) = checkpoints
            assert (epoch, digest) == segments[-1][1:] and hashlib.sha256(state).hexdigest() == digest
        return {run: epochs_done for run, epochs_done, _, _ in runs}


def assert_part_of(part: Contents, whole: Contents) -> None:
    """Every record of `part` is one of `whole`, to the bit."""
    for name in ("epochs", "layers"):
        assert set(part[name]) <= set(whole[name])


def one(db: Path, sql: str) -> Any:
    """The single value that a query gives."""
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(sql).fetchone()[0]
