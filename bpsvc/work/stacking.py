"""From run specs to the stacked problems of the engine.

Runs of one shape train together along the run axis. What must be the same for all runs of a stack is its key;
what may differ (seeds, learning rates, ranges, knobs, splits) becomes an array over the runs.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from bpsvc import data, nn
from bpsvc.spec import Experiment, PlannedRun, RunSpec, network_of, split_of
from bpsvc.spec.choices import Choice
from bpsvc.store import Claim
from bpsvc.work import checkpoint
from bpsvc.work.segments import Task

MAX_STACK: Final = 4096
_BYTES: Final = 256 * 2**20  # what the states of one stack may take


def network(run: RunSpec, inputs: int) -> nn.Network:
    """The network that a run trains on data of so many inputs."""
    return network_of(run.network.layers, inputs)


def prepared(run: RunSpec, seed: int, dataset: data.Dataset) -> data.Prepared:
    """The arrays a run trains on: encoded, split (by its own seed when the spec says "run") and scaled."""
    output = run.network.layers[-1].activation.name
    return data.prepare(dataset, output=output, split=split_of(run.data, seed), scale=run.data.scale)


def keys(experiment: Experiment) -> dict[str, str]:
    """The stack key of each run, by run key: equal keys may train together."""
    shapes: dict[int, tuple[str, int]] = {}
    stacks = {}
    for planned in experiment.runs:
        if id(planned.run) not in shapes:  # the runs of one point share their spec
            shapes[id(planned.run)] = _shape(planned.run, planned.dataset)
        shape, capacity = shapes[id(planned.run)]
        stacks[planned.key] = shape if capacity >= MAX_STACK else f"{shape}.{planned.seed // capacity}"
    return stacks


def _shape(run: RunSpec, dataset: data.Dataset) -> tuple[str, int]:
    """The key of all stacks that this run may join, and how many runs one of them should hold at most."""
    content = run.model_dump(mode="json", exclude={"init", "network", "loss", "training"})
    varying = {"optimizer", "learning_rate", "schedule", "weight_decay", "clip"}
    training = run.training.model_dump(mode="json", exclude=varying)
    training |= {"schedule": _schedule(run)[0], "decay": run.training.weight_decay > 0}
    training |= {"clip": run.training.clip is not None}
    layers = [(layer.units, layer.activation.name, layer.bias) for layer in run.network.layers]
    shape = [dataset.digest, content, training, layers, run.loss.name, run.training.optimizer.name]
    net = network(run, len(dataset.features))
    numbers = 4 * net.parameters + len(dataset.x) * len(dataset.features)
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
    return digest, max(1, _BYTES // (8 * numbers))


def scalings(experiment: Experiment) -> dict[str, str]:
    """How each run scales its features, as JSON, by run key; runs that do not scale are left out."""

    @functools.cache
    def scaling(preparation: int, seed: int | None, digest: str) -> str:
        planned = examples[preparation]
        fitted = prepared(planned.run, planned.seed if seed is None else seed, planned.dataset).scaling
        assert fitted is not None
        return fitted.to_json()

    examples: dict[int, PlannedRun] = {}
    found = {}
    for planned in experiment.runs:
        section = planned.run.data
        if section.scale is not None:
            examples.setdefault(id(planned.run), planned)
            own = section.split is not None and section.split.seed == "run"
            found[planned.key] = scaling(
                id(planned.run), planned.seed if own else None, planned.dataset.digest
            )
    return found


def task(claims: Sequence[Claim], dataset: data.Dataset) -> Task:
    """The stacked problem of runs that were claimed together, and where it stands."""
    runs = [run_spec(claim.spec) for claim in claims]
    problem = stack(runs, [claim.seed for claim in claims], dataset)
    checkpoints = [claim.checkpoint for claim in claims if claim.checkpoint is not None]
    begin = checkpoint.unpack(checkpoints) if checkpoints else initial(problem.network, runs, problem.seeds)
    return Task(problem, begin, claims[0].epochs)


@functools.lru_cache(maxsize=4096)
def run_spec(canonical: str) -> RunSpec:
    """The run spec of its canonical JSON; the runs of one point share it."""
    return RunSpec.from_canonical(canonical)


def stack(runs: Sequence[RunSpec], seeds: Sequence[int], dataset: data.Dataset) -> nn.Problem:
    """The problem of R runs of one stack key."""
    first = runs[0]
    own = first.data.split is not None and first.data.split.seed == "run"
    parts = [prepared(run, seed, dataset) for run, seed in zip(runs, seeds, strict=True)] if own else None
    shared = prepared(first, seeds[0], dataset)

    def arrays(name: str) -> Any:
        if parts is None or getattr(shared, name) is None:
            return getattr(shared, name)
        return np.stack([getattr(part, name) for part in parts])

    training, success, stop = first.training, first.success, first.training.stop
    rates = {}
    if training.learning_rate is not None:
        rates["learning_rate"] = np.array([run.training.learning_rate for run in runs], dtype=np.float64)
    return nn.Problem(
        network=network(first, len(dataset.features)),
        loss=first.loss.name,
        loss_knobs=_knobs(run.loss for run in runs),
        reduction=training.reduction,
        x=arrays("x"),
        y=arrays("y"),
        validation_x=arrays("validation_x"),
        validation_y=arrays("validation_y"),
        seeds=np.array(seeds, dtype=np.uint64),
        knobs=tuple(
            _knobs(run.network.layers[layer].activation for run in runs)
            for layer in range(len(first.network.layers))
        ),
        optimizer=training.optimizer.name,
        hyper={**_knobs(run.training.optimizer for run in runs), **rates},
        batch_size=training.batch_size,
        shuffle=training.shuffle,
        cadence=nn.Cadence(first.record.every),
        series=(*nn.EPOCH_SERIES, *nn.LAYER_SERIES, *first.record.series),
        record_parameters=first.record.parameters,
        success=None if success is None else nn.Criterion(success.metric, success.at_least, success.below),
        stop=None if stop is None else nn.Stop(stop.when, stop.patience or 0),
        schedule=_schedule(first)[0],
        schedule_knobs=_arrays(_schedule(run)[1] for run in runs),
        weight_decay=np.array([run.training.weight_decay for run in runs]) if training.weight_decay else None,
        decay_biases=training.decay_biases,
        clip=None if training.clip is None else np.array([run.training.clip for run in runs]),
    )


def initial(network: nn.Network, runs: Sequence[RunSpec], seeds: Iterable[int]) -> nn.Floats:
    """theta (R, P) at epoch 0. The runs of a stack may start by different schemes."""
    seeds = np.asarray(seeds, dtype=np.uint64)
    theta = np.empty((len(runs), network.parameters))
    groups: dict[object, list[int]] = {}
    for lane, run in enumerate(runs):
        kind = id(run) if run.init.name == "explicit" else (run.init.name, *sorted(run.init.knobs))
        groups.setdefault(kind, []).append(lane)
    for lanes in groups.values():
        inits = [runs[lane].init for lane in lanes]
        if inits[0].name == "explicit":
            theta[lanes] = _explicit(network, runs[lanes[0]])
        else:
            starts = [
                _knobs(runs[lane].network.layers[k].activation for lane in lanes)
                for k in range(len(network.layers))
            ]
            theta[lanes] = nn.initialize(network, inits[0].name, _knobs(inits), seeds[lanes], starts)
    return theta


def _explicit(network: nn.Network, run: RunSpec) -> nn.Floats:
    layers = []
    for given, layer in zip(run.init.layers, run.network.layers, strict=True):  # type: ignore[attr-defined]
        bias = None if given.bias is None else np.array(given.bias)
        knobs = {name: np.asarray(value) for name, value in {**layer.activation.knobs, **given.knobs}.items()}
        layers.append(nn.LayerParameters(np.array(given.weights), bias, knobs))
    return network.pack(layers)


def _schedule(run: RunSpec) -> tuple[str, Mapping[str, Any]]:
    schedule = run.training.schedule
    return ("constant", {}) if schedule is None else (schedule.name, schedule.knobs)


def _knobs(choices: Iterable[Choice]) -> Mapping[str, nn.Floats]:
    """The numeric knobs of a stack's choices of one record, each (R,)."""
    return _arrays(choice.knobs for choice in choices)


def _arrays(knobs: Iterable[Mapping[str, Any]]) -> Mapping[str, nn.Floats]:
    """The same for the knobs alone."""
    rows = list(knobs)
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
