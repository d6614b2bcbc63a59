"""The section `training`: how weights change, and for how long."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, model_validator

from bpsvc.nn.optimizers import OPTIMIZERS
from bpsvc.nn.schedules import SCHEDULES
from bpsvc.spec import near
from bpsvc.spec.base import MAX_EPOCHS, Frozen, complain, missing
from bpsvc.spec.choices import Choice, menu_of

OPTIMIZER = menu_of(OPTIMIZERS, near.OPTIMIZERS, without=frozenset({"learning_rate"}))
SCHEDULE = menu_of(SCHEDULES, near.SCHEDULES)


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
    """Whether biases and learned knobs decay too."""
    clip: float | None = Field(None, gt=0)
    """Largest length of the whole gradient in a step, before weight decay; null: any."""
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
