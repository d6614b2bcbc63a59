"""What is judged: the sections `success` (of a run) and `expect` (of all runs together)."""

from typing import Literal, Self

from pydantic import model_validator

from bpsvc.spec.base import Frozen, complain

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
