"""Losses, gradients and signals of the engine against JAX's autodiff, in float64."""

from typing import NamedTuple

import jax
import numpy as np
import pytest
from engine_side import RUNS, Case, gradients
from jax_reference import flat

from bpsvc.nn import ACTIVATIONS, LOSSES, start

pytestmark = pytest.mark.oracle

TOLERANCE = 1e-10

SMALL = (3, 4, 2)
DEEP = (3, 5, 4, 3, 2)
WIDE = (12, 16, 9, 3)  # large enough for the layout with one matrix product a run

KNOBS = {"leaky_relu": {"alpha": (0.01, 0.5)}, "elu": {"alpha": (1.0, 0.7)}}
HIDDEN = [name for name, record in ACTIVATIONS.items() if not record.output_only]
PAIRS = [
    (name, loss)
    for name in ACTIVATIONS
    for loss, record in LOSSES.items()
    if record.for_output(name) is not None
]


def with_knobs(case: Case) -> Case:
    return Case(**{**case.__dict__, "knobs": KNOBS.get(case.hidden, {})})


HIDDEN_CASES = [
    with_knobs(Case(hidden=name, widths=widths, examples=examples, reduction=reduction))
    for name in HIDDEN
    for widths, examples, reduction in ((SMALL, 6, "mean"), (DEEP, 5, "sum"), (WIDE, 23, "mean"))
]
OUTPUT_CASES = [
    Case(output=output, loss=loss, widths=widths, examples=examples, delta=0.8)
    for output, loss in PAIRS
    for widths, examples in ((DEEP, 6), (WIDE, 23))
]
OTHER_CASES = [
    Case(bias=False),
    Case(bias=False, widths=WIDE, examples=23, reduction="sum"),
    Case(widths=(4, 3), output="softmax"),
    Case(widths=(2, 1)),
    Case(widths=(3, *(4,) * 12, 1)),
]
CASES = HIDDEN_CASES + OUTPUT_CASES + OTHER_CASES


def identity(case: Case) -> str:
    widths = "x".join(map(str, case.widths))
    return (
        f"{case.hidden}-{case.output}-{case.loss}-{widths}-{case.reduction}{'' if case.bias else '-no-bias'}"
    )


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Within TOLERANCE of the largest entry: what cancels to almost nothing has few digits in either."""
    scale = np.max(np.abs(theirs), initial=0.0)
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=TOLERANCE * scale if scale else 0.0)


class Found(NamedTuple):
    """What JAX finds for one run: the loss, and by layer the gradient (flat) and the signal (N, D)."""

    loss: float
    gradients: list[np.ndarray]
    signals: list[np.ndarray]


def reference(case: Case, run: int) -> Found:
    (x, y), parameters, net = case.data(), case.parameters()[run], case.net(run)
    loss, by_parameter, signals = jax.jit(
        lambda p: (*jax.value_and_grad(net.total_loss)(p, x, y), net.signals(p, x, y))
    )(parameters)
    return Found(float(loss), [flat([layer]) for layer in by_parameter], [np.asarray(s) for s in signals])


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_loss_gradient_and_what_is_recorded_of_them(case: Case) -> None:
    theta = np.stack([flat(p) for p in case.parameters()])
    descended = gradients(case, theta)
    _, records = start(case.problem(), theta)
    assert list(records.run) == list(range(RUNS))
    for run in range(RUNS):
        found = reference(case, run)
        np.testing.assert_allclose(records.epochs["loss"][run], found.loss, rtol=TOLERANCE)
        close(records.epochs["gradient_l2"][run], np.linalg.norm(np.concatenate(found.gradients)))
        recorded = {name: values[run] for name, values in records.layers.items()}
        for k, at in enumerate(case.network.slices):
            gradient, signal = found.gradients[k], found.signals[k]
            close(descended[run, at.whole], gradient)
            close(recorded["delta_rms"][k], np.sqrt(np.mean(signal**2)))
            close(recorded["gradient_l2"][k], np.linalg.norm(gradient))
            close(recorded["gradient_mean_abs"][k], np.mean(np.abs(gradient)))
            close(recorded["gradient_max_abs"][k], np.max(np.abs(gradient)))
            close(recorded["weight_l2"][k], np.linalg.norm(theta[run, at.whole]))


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_what_is_recorded_of_the_outputs(output: str, loss: str) -> None:
    case = Case(output=output, loss=loss, widths=(3, 4, 3), delta=0.8)
    x, y = case.data()
    parameters = case.parameters()
    _, records = start(case.problem(), np.stack([flat(p) for p in parameters]))
    for run in range(RUNS):
        net = case.net(run)
        a = np.asarray(jax.vmap(lambda row, n=net, p=parameters[run]: n.outputs(p, row)[-1][1])(x))
        close(records.epochs["mean_abs_error"][run], np.mean(np.abs(y - a)))
        close(records.epochs["max_error"][run], np.max(np.abs(y - a)))
        if loss == "log_likelihood":
            total = case.examples * records.epochs["loss"][run]
            close(records.epochs["log_likelihood"][run], -total)
