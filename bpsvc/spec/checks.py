"""What has to fit together: network and data, loss and output, training and examples."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bpsvc import data
from bpsvc.data import Dataset
from bpsvc.errors import Finding
from bpsvc.nn import footprint
from bpsvc.nn.activations import ACTIVATIONS
from bpsvc.nn.cadence import Cadence
from bpsvc.nn.losses import LOSSES
from bpsvc.spec.choices import Choice
from bpsvc.spec.document import LOSS, Spec
from bpsvc.spec.init_section import Explicit
from bpsvc.spec.limits import Limits
from bpsvc.spec.located import At
from bpsvc.spec.record_section import MAX_RECORDED_PARAMETERS
from bpsvc.spec.run_spec import RunLayer, network_of
from bpsvc.wording import plural

_ROUNDING: Final = 1e-9
"""How far from 1 the shares of an example may add up."""


@dataclass(frozen=True)
class Subject:
    """One spec as it was given and completed, with its data and layers; `examples` are those of the training
    part.
    """

    given: Spec
    spec: Spec
    dataset: Dataset
    layers: tuple[RunLayer, ...]
    examples: int
    limits: Limits

    @property
    def loss(self) -> Choice:
        """The loss, which a completed spec has."""
        return self.spec.loss or LOSS.pick("log_likelihood")

    @property
    def parameters(self) -> int:
        """How many a run has."""
        return network_of(self.layers, self.dataset.inputs).parameters

    @property
    def output(self) -> Choice:
        return self.layers[-1].activation

    @property
    def output_path(self) -> At:
        if self.spec.network.layers is not None:
            return ("network", "layers", len(self.layers) - 1, "activation")
        return ("network", "output")

    @property
    def layers_path(self) -> At:
        """Where the layers are said."""
        return ("network", "layers" if self.spec.network.layers is not None else "hidden")

    def activation_path(self, layer: int) -> At:
        """Where hidden layer `layer` (from 0) has its activation."""
        if self.spec.network.layers is not None:
            return ("network", "layers", layer, "activation")
        return (
            ("network", "activation", layer)
            if isinstance(self.spec.network.activation, tuple)
            else _ACTIVATION
        )


Check = Callable[[Subject], Iterator[Finding]]
_ACTIVATION: Final = ("network", "activation")


def output_layer(subject: Subject) -> Iterator[Finding]:
    """Its units are the targets' width; softmax stands there alone, and over more than one unit."""
    width = data.output_width(subject.dataset, subject.output.name)
    units = subject.layers[-1].units
    if units != width:
        path = ("network", "layers", len(subject.layers) - 1, "units")
        what = f"{plural(units, 'output unit')} for {_targets(subject.dataset, width)}"
        yield Finding(what, path, f"{width}", "leave it out: it follows from the data")
    for index, layer in enumerate(subject.layers[:-1]):
        if ACTIVATIONS[layer.activation.name].output_only:
            what = f"{layer.activation.name} belongs to the output layer only"
            yield Finding(what, subject.activation_path(index))
            if not isinstance(subject.spec.network.activation, tuple) and subject.spec.network.layers is None:
                break
    if ACTIVATIONS[subject.output.name].output_only and width == 1:
        what = f"{subject.output.name} over a single unit is always 1"
        yield Finding(what, subject.output_path, "logistic for a single 0/1 target, identity for a number")


def _targets(dataset: Dataset, width: int) -> str:
    if dataset.classes is None:
        return f"{plural(width, 'target')} in the data"
    return f"{len(dataset.classes)} classes, which take {width}"


def loss_and_output(subject: Subject) -> Iterator[Finding]:
    """The loss knows this output activation, and the likelihood these targets."""
    loss = LOSSES[subject.loss.name]
    if loss.for_output(subject.output.name) is None:
        others = [name for name, other in LOSSES.items() if other.for_output(subject.output.name) is not None]
        what = f"{loss.name} is not defined for {subject.output.name} outputs"
        remedy = f"for {subject.output.name} outputs there is {' or '.join(others)}"
        path = ("loss",) if subject.given.loss is not None else subject.output_path
        yield Finding(what, path, f"{', '.join(loss.terms)} outputs", remedy)
    elif loss.terms:
        yield from _likelihood(subject)


def _likelihood(subject: Subject) -> Iterator[Finding]:
    y, name = subject.dataset.y, subject.output.name
    if subject.dataset.classes is not None or name == "identity":
        return
    if ACTIVATIONS[name].output_only:
        if y.shape[1] == 1:
            return
        rows = np.flatnonzero((np.abs(y.sum(axis=1) - 1) > _ROUNDING) | (y.min(axis=1) < 0))
        if len(rows):
            what = f"the targets of example {rows[0] + 1} are {_row(y[rows[0]])}, which is no class"
            remedy = "the categorical likelihood needs a target of classes, or one 1 among 0s in each example"
            yield Finding(what, ("data",), "one 1, the rest 0, or shares that add up to 1", remedy)
        return
    odd = np.argwhere((y != 0) & (y != 1))
    if len(odd):
        row, column = odd[0]
        what = f"target {subject.dataset.targets[column]!r} of example {row + 1} is {y[row, column]:g}"
        remedy = (
            'numbers take "output": "identity", or "loss": "squared"; labels other than 0 and 1 take text'
        )
        yield Finding(f"{what}: the Bernoulli likelihood is of 0 and 1", ("data",), "0 or 1", remedy)


def _row(values: Any) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:6])
    return f"[{shown}{', …' if len(values) > 6 else ''}]"


def batches(subject: Subject) -> Iterator[Finding]:
    """A batch is at most the training part."""
    size = subject.spec.training.batch_size
    if size is not None and size > subject.examples:
        what = f"a batch of {size:,} from {subject.examples:,} training examples"
        yield Finding(what, ("training", "batch_size"), f"1 to {subject.examples:,}, or null for all")


def cadence(subject: Subject) -> Iterator[Finding]:
    """The last epoch is recorded: extended is the same as trained in one go."""
    epochs, every = subject.spec.training.epochs, subject.spec.record.every
    rule = Cadence(every)
    if not rule.records(epochs):
        below, above = rule.neighbours(epochs)
        what = f'epoch {epochs:,} is not recorded with "record.every" {every}'
        yield Finding(what, ("training", "epochs"), f"{below} or {above} (the nearest)", "or another cadence")


def success_and_stop(subject: Subject) -> Iterator[Finding]:
    """What is judged exists."""
    spec = subject.spec
    success, stop, split = spec.success, spec.training.stop, spec.data.split
    if success is not None and success.metric.startswith("validation_") and split is None:
        what = f"{success.metric} needs validation examples"
        yield Finding(what, ("success", "metric"), remedy='as in "data": {…, "validation": 0.2}')
    if success is not None and success.metric.endswith("accuracy") and subject.dataset.kind == "real":
        yield Finding(
            "real targets have no accuracy", ("success", "metric"), "loss, max_error, mean_abs_error"
        )
    if stop is not None and stop.when == "validation_loss" and split is None:
        what = "stopping by the validation loss needs validation examples"
        yield Finding(what, ("training", "stop"), remedy='as in "data": {…, "validation": 0.2}')
    if stop is not None and stop.when == "solved" and success is None:
        what = '"stop" at "solved" needs "success", which says what that is'
        yield Finding(
            what, ("training", "stop"), remedy='as in "success": {"metric": "max_error", "below": 0.5}'
        )


def expectations(subject: Subject) -> Iterator[Finding]:
    """What is expected of the runs is known of them, and can be."""
    spec = subject.spec
    for index, one in enumerate(spec.expect):
        metric: At = ("expect", index, "metric")
        if "validation" in one.metric and spec.data.split is None:
            what = f"{one.metric} needs validation examples"
            yield Finding(what, metric, remedy='as in "data": {…, "validation": 0.2}')
        if one.metric.endswith("accuracy") and subject.dataset.kind == "real":
            yield Finding("real targets have no accuracy", metric)
        if one.metric.startswith("solved") and spec.success is None:
            what = f'{one.metric} needs "success", which says what that is'
            yield Finding(what, metric, remedy='as in "success": {"metric": "max_error", "below": 0.5}')
        high = 1 if one.metric == "solved" or one.metric.endswith("accuracy") else math.inf
        if one.metric in ("solved_epoch", "best_epoch", "best_validation_epoch", "epochs_done"):
            high = spec.training.epochs
        if one.at_least is not None and one.at_least > high:
            what = f"{one.metric} never is {one.at_least:g} or more"
            yield Finding(what, ("expect", index, "at_least"), f"at most {high:,}")
        if one.below is not None and one.below <= 0:
            yield Finding(f"{one.metric} never is below {one.below:g}", ("expect", index, "below"), "above 0")


def weights(subject: Subject) -> Iterator[Finding]:
    """Explicit weights have the network's shapes."""
    init = subject.spec.init
    if not isinstance(init, Explicit):
        return
    if len(init.layers) != len(subject.layers):
        what = f"weights for {len(init.layers)} layers; the network has {len(subject.layers)}"
        yield Finding(what, ("init", "layers"), remedy="the output layer is one of them")
        return
    inputs = subject.dataset.inputs
    for index, (given, layer) in enumerate(zip(init.layers, subject.layers, strict=True)):
        path: At = ("init", "layers", index)
        rows, lengths = len(given.weights), {len(row) for row in given.weights}
        if rows != inputs or lengths != {layer.units}:
            shape = f"({rows}, {lengths.pop() if len(lengths) == 1 else 'ragged'})"
            what = f"weights of shape {shape} for {plural(inputs, 'input')} and {plural(layer.units, 'unit')}"
            yield Finding(what, (*path, "weights"), f"({inputs}, {layer.units}): a row for each input")
        if layer.bias and (given.bias is None or len(given.bias) != layer.units):
            found = "no biases" if given.bias is None else f"a list of {len(given.bias)} as bias"
            what = f"{found} for {plural(layer.units, 'unit')}"
            yield Finding(what, (*path, "bias"), "a number for each unit")
        if not layer.bias and given.bias is not None:
            yield Finding(
                "biases for a layer without", (*path, "bias"), 'leave them out, or set "bias" to true'
            )
        learned = ACTIVATIONS[layer.activation.name].learned
        for name in given.knobs.keys() - learned.keys():
            what = f"{layer.activation.name} learns no {name!r}"
            yield Finding(what, (*path, "knobs", name), ", ".join(learned) or "none")
        inputs = layer.units


def parameters(subject: Subject) -> Iterator[Finding]:
    """One run's parameters stay within the limit."""
    total = subject.parameters
    if total > subject.limits.parameters:
        what = f"{total:,} parameters in one run ({total * 8 / 2**30:,.1f} GiB of weights alone)"
        most = f"at most {subject.limits.parameters:,}"
        yield Finding(what, subject.layers_path, most, "fewer or smaller layers")
    elif subject.spec.record.parameters and total > MAX_RECORDED_PARAMETERS:
        yield Finding(
            f"this network has {total:,} parameters",
            ("record", "parameters"),
            f"recorded for at most {MAX_RECORDED_PARAMETERS}",
            "`bpsvc weights RUN --at EPOCH` gives them for one epoch",
        )


def memory(subject: Subject) -> Iterator[Finding]:
    """Training one run fits into memory."""
    data, limit, widths = subject.dataset, subject.limits.run_bytes, [layer.units for layer in subject.layers]
    needed = footprint.of_run(
        widths,
        data.inputs,
        subject.parameters,
        subject.examples,
        batch=subject.spec.training.batch_size,
        validation=data.examples - subject.examples,
    )
    if needed > limit and subject.parameters <= subject.limits.parameters:
        what = (
            f"{data.examples:,} examples through {sum(widths):,} units would take about "
            f"{needed / 2**30:,.1f} GiB of memory for one run: each record is of the whole training set"
        )
        yield Finding(what, subject.layers_path, f"at most {limit / 2**30:g} GiB", "fewer units or examples")


CHECKS: Final[tuple[Check, ...]] = (
    output_layer,
    loss_and_output,
    batches,
    cadence,
    success_and_stop,
    expectations,
    weights,
    parameters,
    memory,
)


def findings_in(subject: Subject) -> list[Finding]:
    """Everything that does not fit."""
    return [finding for check in CHECKS for finding in check(subject)]
