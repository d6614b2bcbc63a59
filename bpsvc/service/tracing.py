"""Trace: one step of backpropagation the way the lecture does it by hand, number by number.

Terms are those of the lecture's ascent, ∂log L/∂w for one example (for other losses −∂loss/∂w): what is added
to a weight is ε times their mean or sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bpsvc import nn
from bpsvc.data import Dataset
from bpsvc.errors import UsageError
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.service.networks import Trained, after, load
from bpsvc.spec import Experiment, RunSpec
from bpsvc.store import Store
from bpsvc.work import stacking

WHOLE: Final = 40  # up to so many parameters all are shown, beyond one path


@dataclass(frozen=True)
class Weight:
    """One weight, bias or learned knob: what each example adds to its sum, the sum, what the engine uses, and
    the values before and after.
    """

    layer: int
    name: str
    terms: tuple[float, ...]
    total: float
    used: float
    old: float
    new: float


@dataclass(frozen=True)
class Example:
    """One example on its way forward, the pull at each output (y/h − (1−y)/(1−h) under the log-likelihood),
    and the signal −∂loss/∂z of each unit shown.
    """

    inputs: dict[str, float]
    units: dict[str, float]
    targets: dict[str, float]
    pull: dict[str, float]
    signals: dict[str, float]
    loss: float


@dataclass(frozen=True)
class Traced:
    """A step, ready to be printed. `path` names the unit shown of each layer, or is empty when all are;
    `scaled`: the inputs are shown as the network gets them, not as the data have them.
    """

    what: str
    epoch: int
    loss: str
    output: str
    learning_rate: float | None
    optimizer: str
    reduction: str
    examples: tuple[Example, ...]
    weights: tuple[Weight, ...]
    knobs: tuple[str, ...]
    path: tuple[int, ...]
    mean_loss: float
    count: int
    scaled: bool
    notes: tuple[str, ...] = field(default=())


def of_spec(experiment: Experiment, seed: int | None, epoch: int, path: Sequence[int] = ()) -> Traced:
    """The step that the first run of a spec (or its first with this seed) takes after `epoch` epochs."""
    fitting = [run for run in experiment.runs if seed is None or run.seed == seed]
    if not fitting:
        raise UsageError(f"no run of {experiment.name} has this seed", value=seed)
    planned = fitting[0]
    theta = after(planned.run, planned.seed, planned.dataset, epoch)
    what = f"{experiment.name}, seed {planned.seed}"
    return _traced(what, planned.run, planned.seed, planned.dataset, theta, epoch, path)


def of_run(store: Store, reference: str, epoch: int | None, path: Sequence[int] = ()) -> Traced:
    """The step that a stored run takes after `epoch` epochs, or from where it stands."""
    trained: Trained = load(store, reference, "final" if epoch is None else epoch)
    what = f"run {trained.run_id}, seed {trained.seed}"
    return _traced(what, trained.run, trained.seed, trained.dataset, trained.theta, trained.epoch, path)


def _traced(
    what: str, run: RunSpec, seed: int, dataset: Dataset, theta: nn.Floats, epoch: int, path: Sequence[int]
) -> Traced:
    problem = stacking.stack([run], [seed], dataset)
    step = nn.trace(problem, theta, epoch)
    network = problem.network
    units = _path(network, path)
    shown = [
        (place, parameter)
        for place, parameter in enumerate(nn.parameters(network))
        if _on_path(parameter, units)
    ]
    weights = tuple(_weight(step, place, parameter) for place, parameter in shown)
    return Traced(
        what=what,
        epoch=epoch,
        loss=run.loss.name,
        output=network.layers[-1].activation,
        learning_rate=run.training.learning_rate,
        optimizer=run.training.optimizer.name,
        reduction=run.training.reduction,
        examples=tuple(_examples(step, problem, dataset, units)),
        weights=weights,
        knobs=tuple(parameter.name for _, parameter in shown if parameter.unit is None),
        path=units,
        mean_loss=step.loss,
        count=problem.examples,
        scaled=run.data.scale is not None,
        notes=_notes(run, epoch),
    )


def _path(network: nn.Network, path: Sequence[int]) -> tuple[int, ...]:
    """The unit to show of each layer: as asked, or the first of each; empty for a small network, which is
    shown whole.
    """
    if not path and network.parameters <= WHOLE:
        return ()
    units = [layer.units for layer in network.layers]
    chosen = list(path) or [1] * len(units)
    if len(chosen) == len(units) - 1:
        chosen.append(1)
    if len(chosen) != len(units) or any(
        not 1 <= one <= most for one, most in zip(chosen, units, strict=False)
    ):
        raise UsageError(
            "a path names one unit of each layer",
            value=list(path),
            allowed=f"up to {', '.join(map(str, units))}",
        )
    return tuple(chosen)


def _on_path(parameter: nn.Parameter, path: tuple[int, ...]) -> bool:
    if not path or parameter.unit is None:  # a knob is its whole layer's
        return True
    if parameter.unit != path[parameter.layer - 1]:
        return False
    return parameter.layer == 1 or parameter.source in (0, path[parameter.layer - 2])


def _weight(step: nn.StepTrace, place: int, parameter: nn.Parameter) -> Weight:
    terms, used = _terms(step.layers[parameter.layer - 1], parameter)
    return Weight(
        parameter.layer,
        parameter.name,
        tuple(terms.tolist()),
        float(terms.sum()),
        used,
        float(step.theta_before[place]),
        float(step.theta_after[place]),
    )


def _terms(layer: nn.LayerTrace, parameter: nn.Parameter) -> tuple[nn.Floats, float]:
    """What each example adds (N,), and what the engine uses."""
    if parameter.source is None or parameter.unit is None:
        knob = parameter.name.rpartition("_")[0]
        return -layer.knob_terms[knob], -layer.gradient_knobs[knob]
    unit = parameter.unit - 1
    if parameter.source:
        source = parameter.source - 1
        return -layer.weight_terms[:, source, unit], -float(layer.gradient_weights[source, unit])
    assert layer.gradient_bias is not None
    return -layer.delta[:, unit], -float(layer.gradient_bias[unit])


def _examples(
    step: nn.StepTrace, problem: nn.Problem, dataset: Dataset, path: tuple[int, ...]
) -> list[Example]:
    x, y = _own(problem.x), _own(problem.y)
    features = dataset.features if not path or len(dataset.features) <= 4 else ()
    targets = dataset.targets if y.shape[1] == len(dataset.targets) else dataset.classes or ()
    names = _unit_names(problem.network, path)
    many = y.shape[1] > 1
    found = []
    for n in range(len(x)):
        units = {name: float(step.layers[layer].a[n, unit]) for name, (layer, unit) in names.items()}
        signals = {name: float(-step.layers[layer].delta[n, unit]) for name, (layer, unit) in names.items()}
        pull = {f"pull_{t}" if many else "pull": float(-step.pull[n, k]) for k, t in enumerate(targets)}
        found.append(
            Example(
                dict(zip(features, x[n].tolist(), strict=False)),
                units,
                dict(zip(targets, y[n].tolist(), strict=True)),
                pull,
                signals,
                float(step.terms[n]),
            )
        )
    return found


def _own(values: nn.Floats) -> nn.Floats:
    """The arrays of the problem's one run: (N, …)."""
    return values if values.ndim == 2 else values[0]


def _unit_names(network: nn.Network, path: tuple[int, ...]) -> dict[str, tuple[int, int]]:
    """Units by the lecture's names (h1, h2, the output h), with layer and place."""
    names, number = {}, 0
    for k, layer in enumerate(network.layers):
        last = k == len(network.layers) - 1
        for unit in range(layer.units):
            number += 1
            if not path or unit + 1 == path[k]:
                names["h" if last and layer.units == 1 else f"h{number}"] = (k, unit)
    return names


def _notes(run: RunSpec, epoch: int) -> tuple[str, ...]:
    training, notes = run.training, []
    if OPTIMIZERS[training.optimizer.name].slots and epoch:
        notes.append(f"{training.optimizer.name} remembers steps: this is the step as if it began here")
    if training.batch_size is not None:
        notes.append("the run trains in mini-batches; this is the step on all examples")
    parts = (
        ("clip", training.clip),
        ("weight_decay", training.weight_decay),
        ("schedule", training.schedule),
    )
    if besides := ", ".join(f"training.{name}" for name, value in parts if value):
        notes.append(f"from the gradient to the new values also: {besides}")
    return tuple(notes)


def units(text: str | None) -> tuple[int, ...]:
    """`3,1` as the units of a path."""
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise UsageError("a path is numbers of units", value=text, allowed="3,1,1") from None


def document(traced: Traced) -> dict[str, Any]:
    """The step as JSON."""
    return {
        **vars(traced),
        "examples": [vars(one) for one in traced.examples],
        "weights": [vars(one) for one in traced.weights],
    }
