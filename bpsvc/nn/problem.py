"""What a stack of runs computes: everything that `advance` needs besides the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from bpsvc.nn.arrays import Floats, Words
from bpsvc.nn.cadence import Cadence, Criterion, Stop
from bpsvc.nn.layout import Layout, choose
from bpsvc.nn.network import Network
from bpsvc.nn.records import EPOCH_SERIES, EXTRA_EPOCH_SERIES, EXTRA_LAYER_SERIES, LAYER_SERIES

PerRun = Mapping[str, Floats]  # name -> (R,)


@dataclass(frozen=True)
class Problem:
    """R runs of one shape. x (N, I) and y (N, O) are shared by all runs, or (R, N, I) and (R, N, O); so is
    validation.

    `knobs` has each layer's fixed activation knobs, `hyper` the learning rate and the optimizer's own, all
    (R,).
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
