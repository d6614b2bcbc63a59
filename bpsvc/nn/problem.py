"""What a stack of runs computes: everything that `advance` needs besides the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from bpsvc.errors import UsageError
from bpsvc.nn.arrays import Floats, Words
from bpsvc.nn.cadence import Cadence, Criterion, Stop
from bpsvc.nn.layout import Layout, choose
from bpsvc.nn.network import Network
from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.records import EPOCH_SERIES, EXTRA_EPOCH_SERIES, EXTRA_LAYER_SERIES, LAYER_SERIES

PerRun = Mapping[str, Floats]  # name -> (R,)


@dataclass(frozen=True)
class Problem:
    """R runs of one shape. x (N, I) and y (N, O) are shared by all runs, or (R, N, I) and (R, N, O); so is
    validation.

    `seeds` (R,) draw the order of mini-batches; `knobs` has each layer's fixed activation knobs, `hyper` the
    learning rate and the optimizer's own, `schedule_knobs` the schedule's, all (R,), as are `weight_decay`
    and `clip`.
    """

    network: Network
    loss: str
    reduction: Literal["mean", "sum"]
    x: Floats
    y: Floats
    seeds: Words
    knobs: tuple[PerRun, ...]
    optimizer: str
    hyper: PerRun
    loss_knobs: PerRun = field(default_factory=dict)
    validation_x: Floats | None = None
    validation_y: Floats | None = None
    batch_size: int | None = None
    shuffle: bool = True
    cadence: Cadence = field(default_factory=Cadence)
    success: Criterion | None = None
    stop: Stop | None = None
    schedule: str = "constant"
    schedule_knobs: PerRun = field(default_factory=dict)
    weight_decay: Floats | None = None
    decay_biases: bool = False
    clip: Floats | None = None
    series: tuple[str, ...] = (*EPOCH_SERIES, *LAYER_SERIES)
    record_parameters: bool = False

    @property
    def runs(self) -> int:
        return len(self.seeds)

    @property
    def examples(self) -> int:
        return int(self.x.shape[-2])

    @property
    def full_batch(self) -> bool:
        return self.batch_size is None or self.batch_size >= self.examples

    @property
    def batch(self) -> int:
        """Examples in a step."""
        return self.examples if self.batch_size is None else min(self.batch_size, self.examples)

    @property
    def layout(self) -> Layout:
        return choose(self.network, self.batch)

    @property
    def epoch_series(self) -> tuple[str, ...]:
        """What is recorded of an epoch. (gradient_l2 is a series of epochs and of layers.)"""
        return tuple(name for name in (*EPOCH_SERIES, *EXTRA_EPOCH_SERIES) if name in self.series)

    @property
    def layer_series(self) -> tuple[str, ...]:
        """What is recorded of each layer."""
        return tuple(name for name in (*LAYER_SERIES, *EXTRA_LAYER_SERIES) if name in self.series)

    def check(self) -> None:
        """UsageError where shapes and names do not go together: numpy would repeat what is too narrow."""
        net, sets = self.network, {"": (self.x, self.y)}
        if self.validation_x is not None and self.validation_y is not None:
            sets["validation_"] = (self.validation_x, self.validation_y)
        for name, (x, y) in sets.items():
            for values, what, width in ((x, "x", net.inputs), (y, "y", net.outputs)):
                shapes = [(x.shape[-2], width), (self.runs, x.shape[-2], width)]
                if values.shape not in shapes:
                    allowed = " or ".join(map(str, shapes))
                    raise UsageError(f"{name}{what} has the shape {values.shape}", allowed=allowed)
        if len(self.knobs) != len(net.layers):
            raise UsageError(f"knobs are given for {len(self.knobs)} of {len(net.layers)} layers")
        optimizer = OPTIMIZERS[self.optimizer]
        known = {knob.name: knob for knob in optimizer.knobs}
        if unknown := sorted(self.hyper.keys() - known.keys()):
            raise UsageError(f"{optimizer.name} has no {unknown[0]!r}", allowed=", ".join(known))
        if missing := [name for name, knob in known.items() if knob.required and name not in self.hyper]:
            raise UsageError(f"{optimizer.name} needs {', '.join(missing)} in `hyper`")

    def take(self, index: Any) -> "Problem":
        """The stack of these runs, in this order."""

        def rows(values: Floats) -> Floats:
            return values[index] if values.ndim == 3 else values

        def each(values: PerRun) -> PerRun:
            return {name: np.asarray(value)[index] for name, value in values.items()}

        return replace(
            self,
            x=rows(self.x),
            y=rows(self.y),
            validation_x=None if self.validation_x is None else rows(self.validation_x),
            validation_y=None if self.validation_y is None else rows(self.validation_y),
            seeds=np.asarray(self.seeds)[index],
            knobs=tuple(each(layer) for layer in self.knobs),
            hyper=each(self.hyper),
            loss_knobs=each(self.loss_knobs),
            schedule_knobs=each(self.schedule_knobs),
            weight_decay=None if self.weight_decay is None else np.asarray(self.weight_decay)[index],
            clip=None if self.clip is None else np.asarray(self.clip)[index],
        )
