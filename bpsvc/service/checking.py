"""Gradcheck: is backpropagation right on the very networks of a spec?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bpsvc import nn
from bpsvc.errors import UsageError
from bpsvc.service.networks import after
from bpsvc.spec import Experiment, PlannedRun
from bpsvc.work import stacking


@dataclass(frozen=True)
class Checked:
    """One layer of one network: `difference` is the largest one between backpropagation and finite
    differences, relative to the layer's largest slope; `at_kinks` parameters have no derivative to compare
    with, and the slopes of `too_small` ones drown in the rounding of the loss.
    """

    experiment: str
    network: str
    layer: int
    parameters: int
    checked: int
    at_kinks: int
    too_small: int
    difference: float
    ok: bool
    note: str

    def row(self) -> tuple[Any, ...]:
        verdict = "ok" if self.ok else "MISMATCH"
        return (*list(vars(self).values())[:8], verdict)


def gradcheck(experiment: Experiment, seed: int | None, epoch: int) -> Iterator[Checked]:
    """Check every layer of each different network and loss of an experiment, from one seed's start (or
    later).
    """
    fitting = [run for run in experiment.runs if seed is None or run.seed == seed]
    if not fitting:
        raise UsageError(f"no run of {experiment.name} has this seed", value=seed)
    for planned in {_identity(run): run for run in reversed(fitting)}.values():
        theta = after(planned.run, planned.seed, planned.dataset, epoch)
        problem = stacking.stack([planned.run], [planned.seed], planned.dataset)
        with threadpool_limits(limits=1):
            answer = nn.gradcheck(problem, theta)
        note = ""
        if answer.conventions:
            names = ", ".join(answer.conventions)
            note = f"{names}: the gradient is, on purpose, not the derivative of the loss"
        for layer in answer.layers:
            ok = layer.ok or layer.layer <= _reach(problem, answer.conventions)
            yield Checked(
                experiment.name,
                _kind(planned),
                layer.layer,
                layer.parameters,
                layer.checked,
                layer.at_kinks,
                layer.too_small,
                layer.worst,
                ok,
                note,
            )


def _reach(problem: nn.Problem, conventions: tuple[str, ...]) -> int:
    """The last layer whose gradient a convention changes: its own, or all for one of the loss."""
    if "atanh_error" in conventions:
        return len(problem.knobs)
    return max(
        (k for k, knobs in enumerate(problem.knobs, 1) if np.any(knobs.get("derivative_offset", 0.0))),
        default=0,
    )


def _identity(planned: PlannedRun) -> str:
    """What one check answers for: layers, loss, reduction and data."""
    parts = {"network", "loss"}
    about = planned.run.model_dump_json(include=parts)
    return f"{about} {planned.run.training.reduction} {planned.dataset.digest}"


def _kind(planned: PlannedRun) -> str:
    """The network and its loss in words."""
    layers = planned.run.network.layers
    shape = "-".join(str(layer.units) for layer in layers)
    names = ", ".join(dict.fromkeys(layer.activation.text() for layer in layers))
    return f"{len(planned.dataset.features)}-{shape} {names}, {planned.run.loss.text()}"
