"""The memory that training is said to take, held against what it allocates."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from nn_building import draw, network, problem

from bpsvc import nn
from bpsvc.nn import footprint
from bpsvc.nn.training import RECORD_BYTES, chunk_width


def peak(given: nn.Problem) -> int:
    """Bytes allocated at most by the start and an epoch."""
    theta = draw(given, 0.1)
    tracemalloc.start()
    try:
        state, _ = nn.start(given, theta)
        nn.advance(given, state, 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def table(sizes: list[int], runs: int, examples: int, validation: int = 0, **choices: Any) -> nn.Problem:
    """A problem on drawn data; so many more examples are set aside."""
    draws = np.random.default_rng(5)
    x = draws.normal(size=(examples + validation, sizes[0]))
    y = (draws.random((examples + validation, sizes[-1])) < 0.5).astype(float)
    aside = {"validation_x": x[examples:], "validation_y": y[examples:]} if validation else {}
    return problem(network(sizes, "logistic"), x[:examples], y[:examples], runs, **aside, **choices)


@pytest.mark.parametrize(
    ("sizes", "examples", "more"),
    [
        ([20, 300, 300, 1], 2000, {}),
        ([20, 500, 1], 5000, {"batch_size": 32}),
        ([1, 5000, 1], 500, {"batch_size": 10}),
        ([10, 200, 100, 5], 100, {"validation": 4000}),
        ([300, 700, 10], 50, {}),
        ([40, 60, 60, 60, 10], 3000, {"batch_size": 1000, "validation": 1000}),
        ([3, 400, 1], 3000, {"optimizer": "adam", "hyper": {"learning_rate": np.array([0.01])}}),
    ],
)
def test_a_run_takes_what_is_said(sizes: list[int], examples: int, more: dict[str, Any]) -> None:
    given = table(sizes, 1, examples, **more)
    said = footprint.of_run(
        sizes[1:],
        sizes[0],
        given.network.parameters,
        examples,
        batch=more.get("batch_size"),
        validation=more.get("validation", 0),
    )
    assert 0.5 < said / peak(given) < 2.0


def test_many_runs_stay_within_a_chunk() -> None:
    """Also where few examples train and many are set aside."""
    given = table([2, 20, 1], 200, 10, validation=20_000)
    assert chunk_width(given) < 10 and peak(given) < 2 * RECORD_BYTES


def test_it_is_counted_in_whole_numbers() -> None:
    huge = footprint.of_run([10**9], 10**9, 10**12, 10**12)
    assert isinstance(huge, int) and huge > 10**22
