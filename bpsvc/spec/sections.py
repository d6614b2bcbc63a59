"""The smaller sections of a spec: training, success, record, seeds, expectations."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, model_validator

from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.schedules import SCHEDULES
from bpsvc.spec import near
from bpsvc.spec.base import MAX_EPOCHS, MAX_SEED, Checked, Frozen, Seed, complain, complain_at, missing
from bpsvc.spec.choices import Choice, kind, menu_of

OPTIMIZER = menu_of(OPTIMIZERS, near.OPTIMIZERS, without=frozenset({"learning_rate"}))
SCHEDULE = menu_of(SCHEDULES, near.SCHEDULES)

Metric = Literal[
    "accuracy",
    "loss",
    "max_error",
    "mean_abs_error",
    "validation_accuracy",
    "validation_loss",
    "validation_max_error",
    "validation_mean_abs_error",
]


class Stop(Frozen):
    """When a run ends before its last epoch."""

    when: Literal["solved", "validation_loss"]
    """`solved`: at the first epoch that meets `success`; `validation_loss`: when it no longer improves."""
    patience: int | None = Field(None, ge=1, le=MAX_EPOCHS)
    """Epochs after the best validation loss so far at which a run ends, judged at recorded epochs."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"when": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _patience(self) -> Self:
        if self.when == "validation_loss" and self.patience is None:
            raise complain(
                '"patience" is missing: after how many epochs without a new best to stop',
                allowed="1 or more",
            )
        if self.when == "solved" and self.patience is not None:
            raise complain('"patience" belongs to {"when": "validation_loss"}')
        return self


class RunTraining(Frozen):
    """How the weights change."""

    optimizer: Annotated[SerializeAsAny[Choice], OPTIMIZER.checks] = Field(
        default_factory=lambda: OPTIMIZER.pick("sgd")
    )
    """The update rule: a name, or an object with its own parameters."""
    learning_rate: float | None = Field(None, gt=0)
    """Step size, the lecture's epsilon. Needed by every optimizer that has one."""
    batch_size: int | None = Field(None, ge=1)
    """Examples an update: null = all (full batch), 1 = online."""
    shuffle: bool = True
    """A new order each epoch; false keeps the data's order. Without effect on a full batch."""
    reduction: Literal["mean", "sum"] = "mean"
    """How the losses of the examples become one number: the lecture's 1/N, or their sum."""
    schedule: Annotated[SerializeAsAny[Choice], SCHEDULE.checks] | None = None
    """How the learning rate changes with the epochs; null: it does not."""
    weight_decay: float = Field(0.0, ge=0)
    """λ of the penalty ½ λ |W|², whose gradient is added to the loss's; biases and learned knobs are exempt.
    """
    decay_biases: bool = False
    """Whether biases decay too."""
    clip: float | None = Field(None, gt=0)
    """Largest length of the whole gradient in a step; null: any."""
    stop: Stop | None = None
    """null: all epochs are trained."""

    @property
    def takes_learning_rate(self) -> bool:
        """Whether the optimizer has a learning rate."""
        return any(knob.name == "learning_rate" for knob in OPTIMIZERS[self.optimizer.name].knobs)

    @model_validator(mode="after")
    def _learning_rate(self) -> Self:
        if self.learning_rate is None and self.takes_learning_rate:
            raise missing(("learning_rate",), "step size, the lecture's epsilon")
        return self

    def effective(self, examples: int) -> "RunTraining":
        """The same training of `examples` examples with nothing in it that has no effect."""
        full = self.batch_size is None or self.batch_size == examples
        constant = SCHEDULE.pick("constant")
        return RunTraining(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate if self.takes_learning_rate else None,
            batch_size=None if full else self.batch_size,
            shuffle=full or self.shuffle,
            reduction=self.reduction,
            schedule=None if self.schedule == constant or not self.takes_learning_rate else self.schedule,
            weight_decay=self.weight_decay,
            decay_biases=self.decay_biases and self.weight_decay > 0,
            clip=self.clip,
            stop=self.stop,
        )


class Training(RunTraining):
    """How the weights change, and for how long."""

    epochs: int = Field(ge=0, le=MAX_EPOCHS)
    """Passes over the training set; 0 only evaluates the initial weights."""


class Success(Frozen):
    """When a run counts as solved."""

    metric: Metric
    """What is judged; `max_error` is the largest |y − h|."""
    at_least: float | None = None
    """Solved when the metric is this or more."""
    below: float | None = None
    """Solved when the metric is less than this."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.below is None):
            raise complain('exactly one of "at_least" and "below" is needed')
        if self.metric.endswith("accuracy"):
            bound = self.at_least if self.at_least is not None else self.below
            if bound is not None and not 0 <= bound <= 1:
                raise complain(f"an accuracy lies between 0 and 1, not at {bound:g}")
        return self


def _every(value: Any) -> Any:
    if value == "decades" or (type(value) is int and 1 <= value <= MAX_EPOCHS):
        return value
    if isinstance(value, str):
        raise complain(
            f"there is no cadence {value!r}", allowed='"decades", or a number of epochs, 1 or more'
        )
    given = f"{value}" if isinstance(value, (int, float)) and not isinstance(value, bool) else kind(value)
    raise complain(f"this is {given}", allowed='a whole number of epochs, 1 or more, or "decades"')


Every = Annotated[
    int | Literal["decades"],
    Checked(_every, Annotated[int, Field(ge=1)] | Literal["decades"]),
]


class Record(Frozen):
    """What is kept of a run."""

    every: Every = 1
    """Epochs between records; "decades": every epoch to 100, every 10th to 1,000, every 100th to 10,000 …"""


class SeedBlock(Frozen):
    """Consecutive seeds."""

    first: Seed = 0
    """The first seed."""
    count: int = Field(ge=1)
    """How many."""

    @model_validator(mode="after")
    def _last(self) -> Self:
        last = self.first + self.count - 1
        if last > MAX_SEED:
            raise complain(f"the last seed would be {last:,}", allowed=f"at most {MAX_SEED:,}")
        return self


def _seeds(value: Any) -> Any:
    """`30`, `[3, 7]` or `{"first": 0, "count": 30}`."""
    if isinstance(value, SeedBlock):
        return value
    if isinstance(value, dict):
        return SeedBlock.model_validate(value)
    if isinstance(value, (list, tuple)):
        return _seed_list(value)
    if type(value) is not int:
        given = f"{value}" if isinstance(value, float) else kind(value)
        raise complain(
            f"this is {given}", allowed='how many (30), which ([3, 7]), or {"first": 0, "count": 30}'
        )
    if not 1 <= value <= MAX_SEED:
        raise complain(f"{value} seeds are no runs", allowed="1 or more", remedy="to name a single seed: [0]")
    return SeedBlock(first=0, count=value)


def _seed_list(value: Sequence[Any]) -> tuple[int, ...]:
    seen: set[int] = set()
    for index, seed in enumerate(value):
        if type(seed) is not int or not 0 <= seed <= MAX_SEED:
            given = seed if isinstance(seed, (int, float)) and not isinstance(seed, bool) else kind(seed)
            raise complain_at(
                (index,), complain(f"{given} is no seed", allowed="whole numbers, 0 or more"), seed
            )
        if seed in seen:
            raise complain_at((index,), complain(f"the seed {seed} appears twice"), seed)
        seen.add(seed)
    if not seen:
        raise complain("no seeds are no runs", allowed="at least one seed")
    return tuple(value)


Seeds = Annotated[
    SeedBlock | tuple[int, ...],
    Checked(_seeds, Annotated[int, Field(ge=1)] | SeedBlock | list[Seed]),
]


RunColumn = Literal[
    "solved",
    "solved_epoch",
    "initial_loss",
    "final_loss",
    "best_loss",
    "best_epoch",
    "final_accuracy",
    "final_mean_abs_error",
    "final_validation_loss",
    "final_validation_accuracy",
    "best_validation_loss",
    "best_validation_epoch",
    "epochs_done",
    "seconds",
]


class Expectation(Frozen):
    """What the runs of an experiment should show together."""

    metric: RunColumn
    """A column of `runs`, or `solved` (1 or 0)."""
    statistic: Literal["mean", "median", "min", "max"]
    """Of all runs of the experiment; the mean of `solved` is the share solved."""
    at_least: float | None = None
    """It holds when the statistic is this or more."""
    below: float | None = None
    """It holds when the statistic is less than this."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.below is None):
            raise complain('exactly one of "at_least" and "below" is needed')
        return self
