"""scikit-learn's MLPClassifier, float64, run after run. A subclass watches its gradients."""

import os
import warnings
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.cases import Case, Floats, Trace, Weights
from benchmarks.peers import Ready

HIDDEN = {"logistic": "logistic", "relu": "relu", "tanh": "tanh", "identity": "identity"}


def version() -> str:
    return f"scikit-learn {sklearn.__version__}"


class Watched(MLPClassifier):
    """Starts from given weights; keeps loss and gradient norms of every `_backprop` while `watching`."""

    def watch(self, layers: list[Weights], run: int, every_step: bool) -> None:
        self.given = [(layer.w[run].copy(), layer.b[run].copy()) for layer in layers][::-1]
        self.watching = every_step
        self.losses: list[float] = []
        self.norms: list[list[float]] = []

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Floats, Floats]:
        return self.given.pop()

    def _backprop(self, *args: Any) -> Any:
        loss, d_weights, d_biases = found = super()._backprop(*args)
        if self.watching:
            self.losses.append(loss)
            self.norms.append(
                [np.sqrt(np.vdot(w, w) + np.vdot(b, b)) for w, b in zip(d_weights, d_biases, strict=True)]
            )
        return found

    def look_at_all(self, x: Floats, y: Floats) -> None:
        """Loss and gradients on the whole training set, as its own step finds them."""
        activations = [x, *(np.empty((len(x), w.shape[1])) for w in self.coefs_)]
        deltas = [np.empty_like(a) for a in activations[1:]]
        d_weights, d_biases = ([np.empty_like(p) for p in part] for part in (self.coefs_, self.intercepts_))
        self.watching = True
        self._backprop(x, y, None, activations, deltas, d_weights, d_biases)
        self.watching = False


def prepare(case: Case, runs: int, epochs: int) -> Ready:
    threadpool_limits(len(os.sched_getaffinity(0)))
    x, y = case.examples()
    weights = case.weights(runs)

    def train() -> list[Watched]:
        return [train_one(case, weights, run, x, y, epochs) for run in range(runs)]

    def trace(models: list[Watched]) -> Trace:
        losses = np.array([model.losses for model in models]).T
        return Trace(losses, np.array([model.norms for model in models]).transpose(1, 2, 0))

    return Ready(train, trace)


def train_one(case: Case, weights: list[Weights], run: int, x: Floats, y: Floats, epochs: int) -> Watched:
    full = case.batch_size is None
    model = Watched(
        case.widths[1:-1], activation=HIDDEN[case.hidden], solver="sgd", alpha=0.0,
        batch_size=len(x) if full else case.batch_size, learning_rate_init=case.learning_rate, momentum=0.0,
        nesterovs_momentum=False, shuffle=case.shuffle and not full, max_iter=epochs if full else case.every,
        n_iter_no_change=epochs + 1, tol=0.0, warm_start=not full, random_state=run,
    )  # fmt: skip
    model.watch(weights, run, every_step=full)
    labels = y.argmax(1) if case.output == "softmax" else y.ravel() if y.shape[1] == 1 else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(1 if full else epochs // case.every):
            model.fit(x, labels)
            if not full:
                model.look_at_all(x, y)
    return model
