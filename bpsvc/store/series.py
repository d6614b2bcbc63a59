"""What is measured, and what a run's row says of it: names of columns, in the order of the tables."""

from typing import Final

from sqlalchemy import REAL, Integer

# What an epoch and a layer have measured, in the order of the columns; the last ones only on request.
EPOCH_SERIES: Final = (
    "loss",
    "log_likelihood",
    "accuracy",
    "mean_abs_error",
    "max_error",
    "gradient_l2",
    "validation_loss",
    "validation_accuracy",
    "sharpness",
)
LAYER_SERIES: Final = (
    "delta_rms",
    "gradient_l2",
    "gradient_mean_abs",
    "gradient_max_abs",
    "weight_l2",
    "saturated",
    "dead",
    "w_dot_g",
    "b_dot_g",
)

PARAMETER_SERIES: Final = ("value", "gradient")

# What a run's row says of its training so far; a segment commits new values of these.
SUMMARY: Final = {
    "initial_loss": REAL,
    "final_loss": REAL,
    "best_loss": REAL,
    "best_epoch": Integer,
    "final_accuracy": REAL,
    "final_mean_abs_error": REAL,
    "final_validation_loss": REAL,
    "final_validation_accuracy": REAL,
    "best_validation_loss": REAL,
    "best_validation_epoch": Integer,
    "solved_epoch": Integer,
    "diverged_epoch": Integer,
    "diverged_layer": Integer,
}
