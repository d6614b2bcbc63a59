"""Names that are nearly right: they mean something a little different, or several things."""

from collections.abc import Mapping
from typing import Final

_LIKELIHOOD: Final = (
    "it is `log_likelihood`: Bernoulli for logistic, categorical for softmax, Gaussian for identity outputs"
)
_SQUARED: Final = (
    "`squared` here is ½ Σ over outputs, averaged over examples: half the usual mean squared error"
)

LOSSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("mse", "mean_squared_error", "l2", "rmse", "sse", "quadratic", "squared_error"), _SQUARED
    ),
    **dict.fromkeys(
        (
            "bce",
            "cross_entropy",
            "crossentropy",
            "binary_cross_entropy",
            "binary_crossentropy",
            "log_loss",
            "logloss",
        ),
        _LIKELIHOOD,
    ),
    **dict.fromkeys(
        (
            "categorical_crossentropy",
            "categorical_cross_entropy",
            "nll",
            "negative_log_likelihood",
            "likelihood",
        ),
        _LIKELIHOOD,
    ),
    **dict.fromkeys(("mae", "l1", "absolute"), "`huber` with a small delta is close to the absolute error"),
}

ACTIVATIONS: Final[Mapping[str, str]] = {
    "gelu_tanh": "only the exact `gelu` is offered, not its tanh approximation",
    "hard_sigmoid": "`logistic` is the smooth one",
    "rrelu": "`prelu` learns its slope, `leaky_relu` fixes it",
    "none": "no activation is `identity`",
}

INITIALIZERS: Final[Mapping[str, str]] = {
    "xavier": "xavier is called `glorot_uniform` or `glorot_normal` here",
    "glorot": "`glorot_uniform` or `glorot_normal`?",
    "kaiming": "kaiming is called `he_uniform` or `he_normal` here",
    "he": "`he_uniform` or `he_normal`?",
    "lecun": "it is called `lecun_normal` here",
    "gaussian": "it is called `normal` here",
    "random": "`uniform` or `normal`?",
    "weights": 'given weights are {"scheme": "explicit", "layers": [{"weights": [[…]], "bias": […]}]}',
}

OPTIMIZERS: Final[Mapping[str, str]] = {
    "gd": 'gradient descent on the full batch is `sgd` with "batch_size": null',
    "batch": 'the full batch is `sgd` with "batch_size": null',
    "online": 'online learning is `sgd` with "batch_size": 1',
    "adamw": "decoupled weight decay is not offered; `adam` with `weight_decay` is L2",
    "lbfgs": "only first-order methods are offered",
}

SCHEDULES: Final[Mapping[str, str]] = {
    "none": "no schedule is null, or `constant`",
    "linear": "a linear start is `warm_up` epochs of any schedule",
    "warmup": "a linear start is `warm_up` epochs of any schedule",
    "warm_up": 'a linear start: {"name": "constant", "warm_up": 10}',
    "plateau": "schedules are functions of the epoch alone, so that runs can go on from a checkpoint",
}

SOURCES: Final[Mapping[str, str]] = {
    "file": "a file is `csv` or `npz`",
    "tsv": '{"source": "csv", "path": …, "delimiter": "\\t"}',
    "numpy": "numpy arrays come from an `npz` file",
    "npy": "numpy arrays come from an `npz` file",
    "array": "arrays in the spec are `inline`",
}

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "learning_rate": ("lr", "eta", "epsilon", "eps", "alpha", "step", "step_size"),
    "epochs": ("iterations", "n_epochs", "num_epochs", "max_epochs", "max_iter", "steps"),
    "batch_size": ("batch", "minibatch", "mini_batch", "batchsize"),
    "hidden": ("hidden_layers", "hidden_layer_sizes", "sizes", "architecture", "neurons"),
    "init": ("weights", "initialization", "initializer", "initialisation", "weight_init"),
    "network": ("model", "net"),
    "data": ("dataset", "input", "inputs"),
    "loss": ("objective", "cost", "criterion"),
    "optimizer": ("solver", "method", "algorithm"),
    "seeds": ("seed", "repeats", "replicates", "random_state", "n_seeds"),
    "path": ("file", "filename"),
    "target": ("label", "labels", "y_column", "class"),
    "features": ("columns", "x_columns"),
    "record": ("log", "logging", "save"),
    "stop": ("early_stopping", "early_stop", "stopping"),
    "units": ("size", "neurons", "width", "n"),
    "depth": ("layers", "n_layers"),
    "activation": ("function", "activations", "nonlinearity"),
    "name": ("experiment", "title", "id"),
    "every": ("interval", "frequency", "cadence"),
    "validation": ("test", "test_size", "validation_split", "share"),
    "scale": ("scaling", "normalize", "standardize", "scaler"),
    "description": ("parameters", "comment", "notes", "note", "_comment", "//"),
}
"""What a field is called here -> what others call it; used only where that field is allowed."""
