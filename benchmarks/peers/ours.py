"""bpsvc's engine: one stack, which records what the peers record."""

from importlib.metadata import version as metadata

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.cases import Case, Trace
from benchmarks.peers import Ready
from bpsvc.nn import Cadence, Layer, LayerParameters, Network, Problem, Records, advance, start

SERIES = ("loss", "gradient_l2")


def version() -> str:
    return f"bpsvc {metadata('bpsvc')}, numpy {np.__version__}"


def problem(case: Case, runs: int) -> Problem:
    x, y = case.examples()
    names = [*(case.hidden for _ in case.widths[1:-1]), case.output]
    layers = tuple(Layer(units, name) for units, name in zip(case.widths[1:], names, strict=True))
    return Problem(
        network=Network(case.widths[0], layers),
        loss="log_likelihood",
        reduction="mean",
        x=x,
        y=y,
        seeds=np.arange(runs, dtype=np.uint64),
        knobs=tuple({} for _ in layers),
        optimizer="sgd",
        hyper={"learning_rate": np.full(runs, case.learning_rate)},
        batch_size=case.batch_size,
        shuffle=case.shuffle,
        cadence=Cadence(case.every),
        series=SERIES,
    )


def prepare(case: Case, runs: int, epochs: int) -> Ready:
    work = problem(case, runs)
    theta = work.network.pack([LayerParameters(layer.w, layer.b) for layer in case.weights(runs)])
    threadpool_limits(1)

    def train() -> tuple[Records, Records]:
        state, first = start(work, theta)
        _, rest = advance(work, state, epochs)
        return first, rest

    return Ready(train, lambda records: trace(case, runs, *records))


def trace(case: Case, runs: int, first: Records, rest: Records) -> Trace:
    """The peers' order: (epochs, runs). Full batch: epochs 0 … E-1."""
    loss = rest.epochs["loss"].reshape(runs, -1).T
    gradients = rest.layers["gradient_l2"].reshape(runs, -1, case.layers).transpose(1, 2, 0)
    if case.batch_size is not None:
        return Trace(loss, gradients)
    loss = np.concatenate([first.epochs["loss"][None], loss[:-1]])
    return Trace(loss, np.concatenate([first.layers["gradient_l2"].T[None], gradients[:-1]]))
