"""A small independent numpy trainer: the reports' tests read numbers that a computation made, not numbers
typed in.

It shares no code with `bpsvc.nn`. A stack of runs (one a seed) of one network trains by full-batch gradient
descent, and its records have the columns of the public tables `runs`, `epochs` and `layer_gradients`.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.reporting import Material

Floats = NDArray[np.float64]

XOR_X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def logistic(z: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * z))


ACTIVATIONS = {
    "logistic": (logistic, lambda z: logistic(z) * (1 - logistic(z)), 0.25),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, 1.0),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z >= 0).astype(float), 1.0),
    "leaky_relu": (lambda z: np.where(z >= 0, z, 0.01 * z), lambda z: np.where(z >= 0, 1.0, 0.01), 1.0),
}


@dataclass(frozen=True)
class Task:
    """One configuration: everything but the seeds."""

    factors: Mapping[str, Any]
    hidden: tuple[int, ...] = (2,)
    activation: str = "logistic"
    loss: str = "log_likelihood"
    rate: float = 1.0
    epochs: int = 1000
    span: float = 0.5
    data: str = "xor"
    every: int | str = "decades"
    stop: bool = False
    series: Mapping[str, Any] = field(default_factory=dict)


def recorded(epoch: int, task: Task) -> bool:
    if task.every == "decades":
        return epoch % 10 ** max(0, len(str(max(epoch - 1, 1))) - 2) == 0
    return epoch % int(task.every) == 0


def blobs(seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Three overlapping clouds of 50 points and a seeded split of 120 and 30."""
    rng = np.random.default_rng(7)
    centres = np.array([[-2.0, 0.0], [0.8, 0.8], [2.0, -0.6]])
    x = np.repeat(centres, 50, axis=0) + rng.normal(size=(150, 2))
    y = np.repeat(np.eye(3), 50, axis=0)
    order = np.random.default_rng(seed).permutation(150)
    return x[order[30:]], y[order[30:]], x[order[:30]], y[order[:30]]


def problem(task: Task, seeds: Sequence[int]) -> tuple[Floats, Floats, Floats | None, Floats | None]:
    if task.data == "xor":
        return XOR_X[None], XOR_Y[None], None, None
    parts = [blobs(seed) for seed in seeds]
    x, y, vx, vy = (np.stack(list(column)) for column in zip(*parts, strict=True))
    return x, y, vx, vy


def judge(task: Task, h: Floats, y: Floats) -> dict[str, Floats]:
    """Loss and accuracy of outputs h (R, N, O) for targets y: each (R,)."""
    if h.shape[-1] > 1:
        logp = np.log(np.clip(h, 1e-300, None))
        likelihood = (y * logp).sum((-1, -2))
        right = (h.argmax(-1) == y.argmax(-1)).mean(-1)
    else:
        likelihood = np.log(np.where(y > 0.5, h, 1 - h)).sum((-1, -2))
        right = (np.abs(y - h) < 0.5).all(-1).mean(-1)
    error = np.abs(y - h)
    squared = 0.5 * ((y - h) ** 2).sum(-1).mean(-1)
    return {
        "loss": squared if task.loss == "squared" else -likelihood / h.shape[1],
        "log_likelihood": likelihood,
        "accuracy": right,
        "mean_abs_error": error.mean((-1, -2)),
        "max_error": error.max((-1, -2)),
    }


def forward(
    task: Task, weights: list[Floats], biases: list[Floats], x: Floats
) -> tuple[list[Floats], list[Floats]]:
    f = ACTIVATIONS[task.activation][0]
    a, z = [x], []
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z.append(a[-1] @ w + b[:, None, :])
        if layer < len(weights) - 1:
            a.append(f(z[-1]))
        elif z[-1].shape[-1] > 1:
            e = np.exp(z[-1] - z[-1].max(-1, keepdims=True))
            a.append(e / e.sum(-1, keepdims=True))
        else:
            a.append(logistic(z[-1]))
    return z, a


class Trained(NamedTuple):
    """The frames of one task for some seeds, and its final parameters by layer."""

    runs: pd.DataFrame
    epochs: pd.DataFrame
    layers: pd.DataFrame
    weights: list[Floats]
    biases: list[Floats]


def train(task: Task, seeds: Sequence[int], first_id: int) -> Trained:
    """One task for some seeds, run ids from `first_id`."""
    x, y, vx, vy = problem(task, seeds)
    sizes = [x.shape[-1], *task.hidden, y.shape[-1]]
    weights, biases = [], []
    draws = [np.random.default_rng(seed) for seed in seeds]
    for fan_in, units in itertools.pairwise(sizes):
        weights.append(np.stack([rng.uniform(-1, 1, (fan_in, units)) for rng in draws]) * task.span)
        biases.append(np.stack([rng.uniform(-1, 1, units) for rng in draws]) * task.span)
    derivative, peak = ACTIVATIONS[task.activation][1:]
    runs = len(seeds)
    alive = np.ones(runs, bool)
    solved = np.full(runs, -1)
    ended = np.full(runs, task.epochs)
    diverged = np.full(runs, -1)
    epochs: list[dict[str, Any]] = []
    layers: list[dict[str, Any]] = []
    first: dict[str, Floats] = {}
    last: dict[str, Floats] = {}
    for epoch in range(task.epochs + 1):
        with np.errstate(all="ignore"):
            z, a = forward(task, weights, biases, x)
            now = judge(task, a[-1], y)
            if vx is not None and vy is not None:
                seen = judge(task, forward(task, weights, biases, vx)[1][-1], vy)
                now |= {"validation_loss": seen["loss"], "validation_accuracy": seen["accuracy"]}
            else:
                now |= {
                    "validation_loss": np.full(runs, np.nan),
                    "validation_accuracy": np.full(runs, np.nan),
                }
            delta = a[-1] - y
            if task.loss == "squared":
                delta = delta * a[-1] * (1 - a[-1])
            deltas, gradients = [delta], []
            for layer in reversed(range(len(weights))):
                gradients.append(
                    (np.swapaxes(a[layer], -1, -2) @ deltas[-1] / x.shape[1], deltas[-1].mean(1))
                )
                if layer:
                    deltas.append(deltas[-1] @ np.swapaxes(weights[layer], -1, -2) * derivative(z[layer - 1]))
        deltas.reverse()
        gradients.reverse()
        norms = [np.sqrt((w**2).sum((-1, -2)) + (b**2).sum(-1)) for w, b in gradients]
        bad = alive & ~np.isfinite(now["loss"] + sum(norms))
        diverged[bad], ended[bad] = epoch, epoch
        alive &= ~bad
        if task.data == "xor":
            fresh = alive & (solved < 0) & (now["accuracy"] >= 1)
            solved[fresh] = epoch
            if task.stop:
                ended[fresh] = epoch
        if epoch == 0:
            first = now
        last = {k: np.where(alive, v, last.get(k, v)) for k, v in now.items()}
        for run in np.flatnonzero(alive | bad):
            if recorded(epoch, task) or bad[run] or (ended[run] == epoch):
                good = not bad[run]
                row = {k: float(v[run]) if good and np.isfinite(v[run]) else np.nan for k, v in now.items()}
                total = float(np.sqrt(sum(n[run] ** 2 for n in norms))) if good else np.nan
                epochs.append({"run_id": first_id + run, "epoch": epoch, **row, "gradient_l2": total})
                for layer in range(len(weights)):
                    w, b = gradients[layer]
                    flat = np.abs(np.concatenate([w[run].ravel(), b[run]]))
                    hidden = layer < len(weights) - 1
                    slope = np.abs(derivative(z[layer][run])) if hidden else np.ones_like(z[layer][run])
                    layers.append(
                        {
                            "run_id": first_id + run,
                            "epoch": epoch,
                            "layer": layer + 1,
                            "delta_rms": float(np.sqrt((deltas[layer][run] ** 2).mean())) if good else np.nan,
                            "gradient_l2": float(norms[layer][run]) if good else np.nan,
                            "gradient_mean_abs": float(flat.mean()) if good else np.nan,
                            "gradient_max_abs": float(flat.max()) if good else np.nan,
                            "weight_l2": float(
                                np.sqrt((weights[layer][run] ** 2).sum() + (biases[layer][run] ** 2).sum())
                            ),
                            "saturated": float((slope < 0.05 * peak).mean()) if hidden else np.nan,
                            "dead": float((slope == 0).all(0).mean()) if hidden else np.nan,
                        }
                    )
        alive &= ended > epoch
        step = task.rate * alive
        for layer, (w, b) in enumerate(gradients):
            weights[layer] = weights[layer] - np.where(alive, step, 0)[:, None, None] * np.nan_to_num(w)
            biases[layer] = biases[layer] - np.where(alive, step, 0)[:, None] * np.nan_to_num(b)
        if not alive.any():
            break
    init = {"scheme": "uniform", "range": task.span}
    parts = [{"units": units, "activation": task.activation} for units in task.hidden]
    output = {"units": y.shape[-1], "activation": "logistic" if y.shape[-1] == 1 else "softmax"}
    spec = {
        "init": init,
        "network": {"layers": [*parts, output]},
        "loss": task.loss,
        "success": {"metric": "accuracy", "at_least": 1.0} if task.data == "xor" else None,
        "training": {"optimizer": "sgd", "learning_rate": task.rate, "reduction": "mean"},
    }
    outcome = np.where(
        diverged >= 0, "diverged", np.where((ended < task.epochs) & (solved >= 0), "solved", "horizon")
    )
    table = pd.DataFrame(
        {
            "run_id": first_id + np.arange(runs),
            "run_key": [f"{first_id + run:064x}" for run in range(runs)],
            "status": np.where(diverged >= 0, "diverged", "done"),
            "outcome": outcome,
            "data": task.data,
            "loss": task.loss,
            "hidden": json.dumps(list(task.hidden)),
            "depth": len(task.hidden),
            "activation": task.activation,
            "output": "logistic" if y.shape[-1] == 1 else "softmax",
            "init": f"uniform(range={task.span:g})",
            "optimizer": "sgd",
            "learning_rate": task.rate,
            "batch_size": None,
            "seed": list(seeds),
            "epochs": task.epochs,
            "epochs_done": ended,
            "initial_loss": first["loss"],
            "final_loss": np.where(diverged >= 0, np.nan, last["loss"]),
            "final_accuracy": last["accuracy"],
            "final_mean_abs_error": last["mean_abs_error"],
            "final_validation_loss": last["validation_loss"],
            "final_validation_accuracy": last["validation_accuracy"],
            "solved_epoch": np.where(solved >= 0, solved, np.nan),
            "diverged_epoch": np.where(diverged >= 0, diverged, np.nan),
            "diverged_layer": np.where(diverged >= 0, 1, np.nan),
            "error": None,
            "seconds": 1e-5 * ended,
            "spec": json.dumps(spec, sort_keys=True),
            "target_epochs": task.epochs,
            **{name: [value] * runs for name, value in task.factors.items()},
        }
    )
    return Trained(table, pd.DataFrame(epochs), pd.DataFrame(layers), weights, biases)


def surface(task: Task, trained: Trained, points: int = 21) -> pd.DataFrame:
    """The outputs of nets with two inputs on a grid, and the examples of XOR."""
    ticks = np.linspace(-0.5, 1.5, points)
    x1, x2 = (side.ravel() for side in np.meshgrid(ticks, ticks))
    with np.errstate(all="ignore"):
        h = forward(task, trained.weights, trained.biases, np.stack([x1, x2], axis=1)[None])[1][-1][..., 0]
    examples = pd.DataFrame({"x1": XOR_X[:, 0], "x2": XOR_X[:, 1], "target": XOR_Y[:, 0]})
    parts = []
    for run_id, output in zip(trained.runs["run_id"], h, strict=True):
        grid = pd.DataFrame({"x1": x1, "x2": x2, "output": output})
        parts += [grid.assign(run_id=run_id), examples.assign(run_id=run_id)]
    return pd.concat(parts, ignore_index=True)


def confusion(task: Task, trained: Trained) -> pd.DataFrame:
    """Counts of actual and predicted classes on each run's validation examples."""
    _, _, x, y = problem(task, trained.runs["seed"])
    assert x is not None and y is not None
    said = forward(task, trained.weights, trained.biases, x)[1][-1].argmax(-1)
    rows = []
    for run_id, right, guess in zip(trained.runs["run_id"], y.argmax(-1), said, strict=True):
        for actual in range(y.shape[-1]):
            for predicted in range(y.shape[-1]):
                count = int(((right == actual) & (guess == predicted)).sum())
                rows.append((run_id, f"cloud {actual + 1}", f"cloud {predicted + 1}", count))
    return pd.DataFrame(rows, columns=["run_id", "actual", "predicted", "examples"])


def material(
    name: str, tasks: Sequence[Task], seeds: int, *, description: str = "", first_id: int = 1
) -> Material:
    """A whole experiment as the service would hand it over."""
    parts = []
    for task in tasks:
        parts.append(train(task, range(seeds), first_id))
        first_id += seeds
    runs, epochs, layers = (
        pd.concat([part[place] for part in parts], ignore_index=True) for place in range(3)
    )
    experiment = f"{name}@1"
    runs.insert(0, "experiment", experiment)
    spec = {
        "name": name,
        "success": {"metric": "accuracy", "at_least": 1.0} if tasks[0].data == "xor" else None,
    }
    given = [problem(task, range(seeds))[0] for task in tasks]
    sizes = [{"inputs": x.shape[-1], "mean_square": float((x**2).mean())} for x in given]
    inputs = [part.runs[["run_id"]].assign(**size) for part, size in zip(parts, sizes, strict=True)]
    about = pd.DataFrame(
        {
            "experiment": [experiment],
            "name": [name],
            "description": [description],
            "submitted_at": ["2026-01-01T00:00:00Z"],
            "spec": [json.dumps(spec)],
        }
    )
    factors = tuple(dict.fromkeys(factor for task in tasks for factor in task.factors))
    pairs = list(zip(tasks, parts, strict=True))
    first_seeds = [part.runs["run_id"].iloc[:2] for part in parts]
    drawn = [surface(task, part) for task, part in pairs if task.data == "xor"]
    told = [confusion(task, part) for task, part in pairs if task.data == "blobs"]
    plains = pd.concat(drawn, ignore_index=True).assign(experiment=experiment) if drawn else None
    return Material(
        experiments=about,
        runs=runs,
        factors=factors,
        epochs=epochs,
        layers=layers,
        surface=None if plains is None else plains[plains["run_id"].isin(pd.concat(first_seeds))],
        confusion=pd.concat(told, ignore_index=True).assign(experiment=experiment) if told else None,
        inputs=pd.concat(inputs, ignore_index=True),
    )


def xor(seeds: int = 30, epochs: int = 10_000) -> Material:
    """DEMOS D1: both losses, and squared with four times the step."""
    points = [("log_likelihood", 1.0), ("squared", 1.0), ("squared", 4.0)]
    tasks = [Task({"loss": k, "learning_rate": e}, loss=k, rate=e, epochs=epochs) for k, e in points]
    return material("xor", tasks, seeds, description="The lecture's 2-2-1 net, two losses.")


def vanishing(
    seeds: int = 20,
    epochs: int = 1000,
    depths: Sequence[int] = (2, 5, 10, 20),
    activations: Sequence[str] = ("logistic", "tanh", "relu", "leaky_relu"),
    every: int = 20,
) -> Material:
    """DEMOS D3: activation by depth, the step travels with the activation."""
    rates = {"logistic": 1.0, "tanh": 0.05, "relu": 0.02, "leaky_relu": 0.02}
    tasks = [
        Task(
            {"activation": name, "depth": depth, "learning_rate": rates[name]},
            hidden=(8,) * depth,
            activation=name,
            rate=rates[name],
            epochs=epochs,
            span=1.0,
            every=every,
        )
        for name in activations
        for depth in depths
    ]
    return material("vanishing", tasks, seeds, description="Signal against depth.")


def clouds(seeds: int = 20, epochs: int = 300) -> Material:
    """Like DEMOS D5: three classes, a new split for every seed."""
    tasks = [
        Task({"activation": k}, hidden=(8,), activation=k, rate=0.5, epochs=epochs, data="blobs", every=5)
        for k in ("tanh", "logistic", "relu")
    ]
    return material("clouds", tasks, seeds, description="Three clouds, a new split for every seed.")
