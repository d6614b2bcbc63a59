"""What trained networks answer, for the report: over the plane of two inputs, and by class."""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc import data, nn
from bpsvc.service.networks import after
from bpsvc.spec import RunSpec
from bpsvc.store import Snapshot
from bpsvc.work import checkpoint, stacking

_GRID: Final = 41
_MARGIN: Final = 0.25  # of the inputs' range, beyond the examples
_PANELS: Final = 12
_MOST_RUNS: Final = 1000


def surface(now: Snapshot, runs: pd.DataFrame, factors: tuple[str, ...]) -> pd.DataFrame | None:
    """Outputs on a grid of the two inputs, and the examples with their target, for the first seed of each
    configuration: experiment, run_id, x1, x2, output, target. None unless there are runs of two inputs and
    one output.
    """
    begun = runs[runs["final_loss"].notna()]
    first = begun.sort_values("seed", kind="stable").drop_duplicates([*factors]) if factors else begun.head(1)
    frames = []
    for row in first.head(_PANELS).to_dict("records"):
        dataset = now.dataset(row["data_digest"])
        if dataset.inputs != 2:
            continue
        trained = _Net(now, row, dataset)
        if trained.network.outputs == 1:
            frames.append(_plane(trained).assign(experiment=row["experiment"], run_id=row["run_id"]))
    return pd.concat(frames, ignore_index=True) if frames else None


def confusion(now: Snapshot, runs: pd.DataFrame) -> pd.DataFrame | None:
    """Counts of actual and predicted classes on the validation part (without one, on all examples), for each
    experiment and run: experiment, run_id, actual, predicted, examples. None without classes.
    """
    rows: list[tuple[str, int, str, str, int]] = []
    begun = runs[runs["final_loss"].notna()]
    for row in begun.head(_MOST_RUNS).to_dict("records"):
        dataset = now.dataset(row["data_digest"])
        if dataset.classes is None:
            continue
        trained = _Net(now, row, dataset)
        held_out = trained.prepared.validation_x is not None
        x = trained.prepared.validation_x if held_out else trained.prepared.x
        index = trained.prepared.validation_index if held_out else trained.prepared.training_index
        actual = dataset.y[index, 0].astype(np.int64)
        predicted = classes_of(trained.outputs(x))
        counts = np.zeros((len(dataset.classes),) * 2, dtype=np.int64)
        np.add.at(counts, (actual, predicted), 1)
        rows += [
            (row["experiment"], row["run_id"], a, p, int(counts[i, j]))
            for i, a in enumerate(dataset.classes)
            for j, p in enumerate(dataset.classes)
        ]
    columns = ["experiment", "run_id", "actual", "predicted", "examples"]
    return pd.DataFrame(rows, columns=columns) if rows else None


def inputs(now: Snapshot, runs: pd.DataFrame) -> pd.DataFrame:
    """What the nets with two hidden layers or more are given: run_id, inputs (how many), mean_square (over
    the training examples and inputs, as scaled; of a split for every seed, that of one of them).
    """
    deep = runs[runs["initial_loss"].notna() & (runs["depth"] >= 2)].drop_duplicates("run_id")
    kinds = deep["spec"].map(lambda text: json.dumps(json.loads(text)["data"], sort_keys=True))
    frames = [pd.DataFrame(columns=["run_id", "inputs", "mean_square"])]
    for (digest, _), members in deep.groupby([deep["data_digest"], kinds], sort=False):
        row = members.iloc[0]
        x = stacking.prepared(
            RunSpec.from_canonical(row["spec"]), int(row["seed"]), now.dataset(str(digest))
        ).x
        about = {"inputs": x.shape[1], "mean_square": float((x**2).mean())}
        frames.append(members[["run_id"]].assign(**about))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def classes_of(outputs: nn.Floats) -> Any:
    """The class (N,) that outputs (N, O) mean: the largest, or with one output whether it is above ½."""
    return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


class _Net:
    """A stored network with the data it was trained on."""

    def __init__(self, now: Snapshot, row: Mapping[Any, Any], dataset: data.Dataset) -> None:
        run = RunSpec.from_canonical(row["spec"])
        packed = now.checkpoint(int(row["run_id"]))
        assert packed is not None  # a run with a loss has begun
        state, epoch = checkpoint.unpack([packed]), int(row["epochs_done"])
        # Another experiment may have gone on with the run: this one's report ends where this one does.
        self.theta = state.theta[0] if state.epoch == epoch else after(run, int(row["seed"]), dataset, epoch)
        self.network = stacking.network(run, dataset.inputs)
        self.knobs = [dict(layer.activation.knobs) for layer in run.network.layers]
        self.prepared = stacking.prepared(run, int(row["seed"]), dataset)
        self.dataset = dataset

    def outputs(self, x: Any) -> nn.Floats:
        """(N, O) for scaled inputs (N, I)."""
        return nn.forward(self.network, self.theta, self.knobs, x)[-1][1]


def _plane(trained: _Net) -> pd.DataFrame:
    x, scaling = trained.dataset.x, trained.prepared.scaling
    low, high = x.min(axis=0), x.max(axis=0)
    margin = _MARGIN * np.where(high > low, high - low, 1.0)
    axes = [np.linspace(a - m, b + m, _GRID) for a, b, m in zip(low, high, margin, strict=True)]
    points = np.stack([grid.ravel() for grid in np.meshgrid(*axes)], axis=1)
    outputs = trained.outputs(points if scaling is None else scaling.apply(points))[:, 0]
    grid = pd.DataFrame({"x1": points[:, 0], "x2": points[:, 1], "output": outputs})
    examples = pd.DataFrame({"x1": x[:, 0], "x2": x[:, 1], "target": trained.dataset.y[:, 0]})
    return pd.concat([grid, examples], ignore_index=True)
