"""Materials computed once a session by the small independent trainer."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_trainer

from bpsvc.reporting import Material, history


@pytest.fixture(scope="session")
def xor() -> Material:
    """Both losses on XOR, squared also with four times the step; late and stuck runs are among them."""
    return tiny_trainer.xor(seeds=10, epochs=3000)


@pytest.fixture(scope="session")
def vanishing() -> Material:
    """Two activations by three depths."""
    return tiny_trainer.vanishing(seeds=6, epochs=100, depths=(2, 5, 10), activations=("logistic", "tanh"))


@pytest.fixture(scope="session")
def many() -> Material:
    """Sixteen configurations: activation by depth."""
    return tiny_trainer.vanishing(seeds=3, epochs=40, depths=(1, 2, 3, 4))


@pytest.fixture(scope="session")
def clouds() -> Material:
    """Three classes with a split for every seed."""
    return tiny_trainer.clouds(seeds=8, epochs=60)


@pytest.fixture(scope="session")
def exploding() -> Material:
    """A step so large that the numbers overflow, beside one that is fine; runs stop when solved."""
    tasks = [
        tiny_trainer.Task(
            {"learning_rate": rate},
            (8,) * 6,
            "leaky_relu",
            rate=rate,
            epochs=200,
            span=1.0,
            every=10,
            stop=True,
        )
        for rate in (0.05, 1e60)
    ]
    return tiny_trainer.material("exploding", tasks, 8)


@pytest.fixture(scope="session")
def drawn_at_random(xor: Material) -> Material:
    """Thirty draws of two axes, five seeds each."""
    runs = xor.runs[xor.runs["loss"].eq("log_likelihood") & xor.runs["seed"].lt(5)]
    rng = np.random.default_rng(3)
    draws = zip(10 ** rng.uniform(-2, 1, 30), rng.uniform(0.1, 3, 30), strict=True)
    parts = [
        runs.assign(learning_rate=rate, range=span, run_id=runs["run_id"] + 100 * k)
        for k, (rate, span) in enumerate(draws)
    ]
    epochs = xor.epochs[xor.epochs["run_id"].isin(runs["run_id"])]
    names = ("learning_rate", "range")
    return replace(
        xor,
        runs=pd.concat(parts, ignore_index=True),
        epochs=pd.concat([epochs.assign(run_id=epochs["run_id"] + 100 * k) for k in range(30)]),
        factors=names,
        drawn=frozenset(names),
    )


EXPECT = [
    {"metric": "solved", "statistic": "mean", "at_least": 0.1},
    {"metric": "solved_epoch", "statistic": "max", "below": 3000},
    {"metric": "final_validation_accuracy", "statistic": "median", "at_least": 0.9},
]


@pytest.fixture(scope="session")
def scheduled(xor: Material) -> Material:
    """The eighth occurrence of a schedule; seven went before it, ever slower and with higher losses."""
    text = json.dumps({**json.loads(xor.experiments["spec"].iloc[0]), "expect": EXPECT})
    names = [f"{xor.names[0].split('@')[0]}@{number}" for number in range(1, 9)]
    experiments = pd.concat([xor.experiments.assign(experiment=name) for name in names], ignore_index=True)
    runs = pd.concat(
        [
            xor.runs.assign(experiment=name, final_loss=xor.runs["final_loss"] * 1.1**k, seconds=1.0 + k)
            for k, name in enumerate(names)
        ],
        ignore_index=True,
    )
    occurrences = pd.DataFrame(
        {"instant": [f"2026-03-{k + 1:02}T02:00:00.000Z" for k in range(8)], "experiment": names}
    )
    return replace(
        xor,
        experiments=xor.experiments.assign(spec=text),
        history=history(occurrences, experiments, runs),
    )
