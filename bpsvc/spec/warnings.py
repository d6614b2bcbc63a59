"""What is allowed but hardly meant: sentences that begin with the field."""

from collections.abc import Iterator

import numpy as np

from bpsvc.errors import dotted
from bpsvc.nn.activations import ACTIVATIONS
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.spec.checks import Subject
from bpsvc.spec.init_section import Explicit


def warnings_of(subject: Subject, seeds: int) -> Iterator[str]:
    """All warnings about one completed spec."""
    yield from _no_gradient(subject)
    yield from _one_trajectory(subject, seeds)
    yield from _out_of_reach(subject)
    yield from _without_effect(subject)
    yield from _no_curvature(subject)


def _no_gradient(subject: Subject) -> Iterator[str]:
    """A unit whose derivative is 0 everywhere passes nothing back."""
    if subject.spec.training.epochs == 0:
        return
    for index, layer in enumerate(subject.layers):
        record = ACTIVATIONS[layer.activation.name]
        if record.steepest(layer.activation.knobs) != 0:
            continue
        last = index == len(subject.layers) - 1
        path = subject.output_path if last else subject.activation_path(index)
        below = "no weight is" if last else f"the weights of layers 1 to {index + 1} are not"
        if index == 0 and not last:
            below = "the weights of layer 1 are not"
        yield (
            f"{dotted(path)}: the derivative of {record.name} is 0 everywhere: no gradient passes, {below} "
            f'learned; with "epochs": 0 it only evaluates'
        )
        return


def _one_trajectory(subject: Subject, seeds: int) -> Iterator[str]:
    """Given weights and nothing else that is random: every seed is the same run again."""
    training, split = subject.spec.training, subject.spec.data.split
    random = (training.batch_size is not None and training.shuffle) or (
        split is not None and split.seed == "run"
    )
    if isinstance(subject.spec.init, Explicit) and seeds > 1 and not random:
        yield (
            f"seeds: the weights are given and nothing else is random: {seeds} seeds are one trajectory "
            f'counted {seeds} times; "seeds": 1 is enough'
        )


def _out_of_reach(subject: Subject) -> Iterator[str]:
    """Targets beyond the range of the output."""
    record, y = ACTIVATIONS[subject.output.name], subject.dataset.y
    if subject.dataset.classes is not None:
        return
    least, most = float(np.min(y)), float(np.max(y))
    if least < record.low or most > record.high:
        yield (
            f"{dotted(subject.output_path)}: targets go from {least:g} to {most:g}, {record.name} only from "
            f"{record.low:g} to {record.high:g}; identity reaches every number"
        )


def _without_effect(subject: Subject) -> Iterator[str]:
    """A schedule for an optimizer that finds its steps itself."""
    training = subject.spec.training
    if training.schedule is not None and OPTIMIZERS[training.optimizer.name].own_steps:
        yield (
            f"training.schedule: {training.optimizer.name} takes the learning rate for its first step and "
            f"finds all others itself: the schedule has no effect after epoch 1"
        )


def _no_curvature(subject: Subject) -> Iterator[str]:
    """Sharpness where a slope jumps."""
    if "sharpness" not in subject.spec.record.series:
        return
    for index, layer in enumerate(subject.layers):
        record, knobs = ACTIVATIONS[layer.activation.name], layer.activation.knobs
        slopes = [record.prime(np.array([kink - 1e-9, kink + 1e-9]), **knobs) for kink in record.kinks]
        if any(abs(right - left) > 1e-6 for left, right in slopes):
            last = index == len(subject.layers) - 1
            path = subject.output_path if last else subject.activation_path(index)
            yield (
                f"{dotted(path)}: the slope of {record.name} jumps: where a unit stands at its kink, "
                f"sharpness is of the jump, not of the curvature"
            )
            return
