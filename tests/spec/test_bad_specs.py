# ruff: noqa: E501 (a table with one case a line)
"""Wrong turns and their answers: what is wrong, where, what is allowed, what was perhaps meant."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_help import SMALL, SPECS, changed, refusal, resolved, small, training

from bpsvc import spec
from bpsvc.errors import SpecError
from bpsvc.nn import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS
from bpsvc.spec import near
from bpsvc.spec.data_section import DATA

INLINE = {"source": "inline", "x": [[0], [1]], "y": [0, 1]}
CSV = {"source": "csv", "path": "iris.csv", "target": "species"}
W22 = {"weights": [[1, 1], [1, 1]], "bias": [0, 0]}
W21 = {"weights": [[1], [1]], "bias": [0]}


def explicit(*layers: Any, **more: Any) -> dict[str, Any]:
    return {"init": {"scheme": "explicit", "layers": list(layers), **more}}


# What is written into the small spec, and what must be in the answer.
WRONG: list[tuple[dict[str, Any], str]] = [
    # fields
    ({"training": {"lerning_rate": 1, "epochs": 1}}, "training.lerning_rate: there is no such field here"),
    ({"training": {"lerning_rate": 1, "epochs": 1}}, "did you mean 'learning_rate'?"),
    ({"training": {"lr": 1, "epochs": 1}}, "did you mean 'learning_rate'?"),
    ({"training": {"learning_rate": 1, "iterations": 1}}, "did you mean 'epochs'?"),
    ({"reduction": "sum"}, "it belongs into `training`"),
    ({"epochs": 10}, "it belongs into `training`"),
    ({"hidden": [2]}, "it belongs into `network`"),
    ({"every": 10}, "it belongs into `record`"),
    ({"training": training(loss="squared")}, "it belongs to the top of the spec"),
    ({"dataset": "xor"}, "did you mean 'data'?"),
    ({"sweeps": {}}, "did you mean 'sweep'?"),
    ({"Loss": "squared"}, "did you mean 'loss'?"),
    ({"_comment": "why"}, "did you mean 'description'?"),
    ({"seed": 3}, "did you mean 'seeds'?"),
    ({"": 1}, "there is no such field here"),
    ({"network": {"hidden": [2], "activations": "relu"}}, "did you mean 'activation'?"),
    ({"network": {"hiden": [2]}}, "network.hiden: there is no such field here"),
    ({"network": {}}, "network.hidden: is missing"),
    ({"training": {"epochs": 1}}, "training.learning_rate: is missing"),
    ({"training": {"learning_rate": 1}}, "training.epochs: is missing"),
    ({"data": {}}, "data.source: is missing"),
    ({"data": {"path": "iris.csv", "target": "species"}}, "data.source: is missing"),
    ({"data": {"source": "csv", "target": "species"}}, "data.path: is missing"),
    ({"data": {"source": "csv", "path": "iris.csv"}}, "data.target: is missing"),
    ({"data": {"source": "inline", "x": [[1]]}}, "data.y: is missing"),
    ({"data": {**INLINE, "x": [[0], [2**53 + 1]]}}, f"data.x.2.1: {2**53 + 1} is an integer that float64"),
    ({"data": {**INLINE, "y": [0, -(2**53) - 1]}}, f"data.y.2: {-(2**53) - 1} is an integer that float64"),
    ({"data": {"source": "xor", "bits": 3}}, "data.bits: there is no such field here"),
    ({"network": {"hidden": {"depth": 2}}}, "network.hidden.units: is missing"),
    ({"network": {"hidden": {"dept": 2, "units": 2}}}, "did you mean 'depth'?"),
    ({"network": {"hidden": [2], "activation": {"name": "relu", "alpha": 1}}}, "network.activation.alpha: there is no such"),
    ({"network": {"hidden": [2], "activation": {"alpha": 0.1}}}, "network.activation.name: is missing"),
    ({"init": {"scheme": "uniform", "rang": 1}}, "did you mean 'range'?"),
    ({"success": {"at_least": 1}}, "success.metric: is missing"),
    ({"record": {"evry": 1}}, "did you mean 'every'?"),
    ({"network": {"neurons": [2]}}, "did you mean 'hidden'?"),
    ({"network": {"hidden": {"depth": 2, "neurons": 2}}}, "did you mean 'units'?"),
    # types
    ({"training": training(epochs=1.5)}, "training.epochs: 1.5 is not a whole number"),
    ({"training": training(epochs=10.0)}, "write 10"),
    ({"training": training(epochs=1e12)}, "training.epochs: 1000000000000.0 is not a whole number"),
    ({"training": training(epochs=True)}, "training.epochs: true is not a whole number"),
    ({"training": training(epochs="10")}, "without quotes: 10"),
    ({"training": training(epochs=None)}, "training.epochs: null is not a whole number"),
    ({"training": training(epochs=[10])}, "training.epochs: a list is not a whole number"),
    ({"training": training(learning_rate="0.1")}, "without quotes: 0.1"),
    ({"training": training(learning_rate="1-2")}, '"1-2" is not a number\n'),
    ({"training": training(learning_rate="-1e-3")}, "without quotes: -1e-3"),
    ({"training": training(learning_rate=True)}, "training.learning_rate: true is not a number"),
    ({"training": training(learning_rate=[1])}, "training.learning_rate: a list is not a number"),
    ({"training": training(shuffle=1)}, "training.shuffle: 1 is not true or false"),
    ({"training": training(shuffle="yes")}, 'training.shuffle: "yes" is not true or false'),
    ({"training": training(batch_size="all")}, 'training.batch_size: "all" is not a whole number'),
    ({"training": 3}, "training: 3 is not an object"),
    ({"training": []}, "training: a list is not an object"),
    ({"network": [2]}, "network: a list is not an object"),
    ({"network": "2-2-1"}, 'network: "2-2-1" is not an object'),
    ({"data": 3}, "data: a data source is named, or given as an object, not a number"),
    ({"data": ["xor"]}, "data: a data source is named, or given as an object, not a list"),
    ({"data": {"source": 3}}, "the name of a data source is text, not a number"),
    ({"loss": 3}, "loss: a loss is named, or given as an object, not a number"),
    ({"loss": True}, "loss: a loss is named, or given as an object, not true or false"),
    ({"init": 0.1}, "init: an init scheme is named"),
    ({"name": 3}, "name: 3 is not text"),
    ({"description": ["a"]}, "description: a list is not text"),
    ({"network": {"hidden": 2}}, "one hidden layer of 2 units: [2]"),
    ({"network": {"hidden": "2"}}, "network.hidden: this is text"),
    ({"network": {"hidden": [2.0]}}, "network.hidden.1: 2.0 is not a whole number"),
    ({"network": {"hidden": ["2"]}}, "network.hidden.1: \"2\" is not a whole number"),
    ({"network": {"hidden": [[2]]}}, "network.hidden.1: a list is not a whole number"),
    ({"network": {"hidden": [2], "bias": 0}}, "network.bias: 0 is not true or false"),
    ({"network": {"hidden": [2], "activation": 3}}, "network.activation: an activation is named"),
    ({"network": {"layers": {"units": 2}}}, "network.layers: an object is not a list"),
    ({"network": {"layers": [2, 1]}}, "network.layers.1: 2 is not an object"),
    ({"record": 10}, "record: 10 is not an object"),
    ({"record": {"every": 1.5}}, "record.every: this is 1.5"),
    ({"record": {"every": True}}, "record.every: this is true or false"),
    ({"record": {"every": "log"}}, "there is no cadence 'log'"),
    ({"seeds": 1.5}, "seeds: this is 1.5"),
    ({"seeds": "30"}, "seeds: this is text"),
    ({"seeds": True}, "seeds: this is true or false"),
    ({"seeds": [1, "2"]}, "seeds.2: text is no seed"),
    ({"seeds": {"first": 0}}, "seeds.count: is missing"),
    ({"seeds": {"start": 0, "count": 2}}, "seeds.start: there is no such field here"),
    # ranges
    ({"training": training(epochs=-1)}, "training.epochs: -1 is out of range"),
    ({"training": training(epochs=10**12)}, "allowed: at most 1,000,000,000"),
    ({"training": training(learning_rate=0)}, "allowed: greater than 0"),
    ({"training": training(learning_rate=-0.1)}, "training.learning_rate: -0.1 is out of range"),
    ({"training": training(batch_size=0)}, "training.batch_size: 0 is out of range"),
    ({"training": training(batch_size=5)}, "a batch of 5 from 4 training examples"),
    ({"data": {"source": "xor", "validation": 0.25}, "training": training(batch_size=4)}, "from 3 training examples"),
    ({"network": {"hidden": [0]}}, "network.hidden.1: 0 is out of range"),
    ({"network": {"hidden": [2, -3]}}, "network.hidden.2: -3 is out of range"),
    ({"network": {"hidden": [10**9]}}, "allowed: at most 10,000,000"),
    ({"network": {"hidden": [1] * 2000}}, "network.hidden: 2,000 hidden layers"),
    ({"network": {"hidden": {"depth": 100_000, "units": 1}}}, "network.hidden.depth: 100000 is out of range"),
    ({"network": {"hidden": {"depth": -1, "units": 1}}}, "network.hidden.depth: -1 is out of range"),
    ({"network": {"layers": []}}, "a network needs at least its output layer"),
    ({"network": {"layers": [{"units": 1}] * 1002}}, "network.layers: this has 1,002 entries"),
    ({"network": {"hidden": {"depth": 1000, "units": 3000}}}, "8,994,009,001 parameters in one run (67.0 GiB"),
    ({"network": {"hidden": [10_000_000, 10_000_000]}}, "100,000,050,000,001 parameters in one run"),
    ({"network": {"hidden": [2], "activation": {"name": "leaky_relu", "alpha": 1}}}, "allowed: less than 1"),
    ({"network": {"hidden": [2], "activation": {"name": "leaky_relu", "alpha": 0}}}, "allowed: greater than 0"),
    ({"init": {"scheme": "uniform", "range": -1}}, "init.range: -1 is out of range"),
    ({"loss": {"name": "huber", "delta": 0}}, "loss.delta: 0 is out of range"),
    ({"data": {"source": "parity", "bits": 1}}, "data.bits: 1 is out of range"),
    ({"data": {"source": "parity", "bits": 60}}, "data.bits: 60 is out of range"),
    ({"data": {"source": "xor", "validation": 0}}, "data.validation: 0 is out of range"),
    ({"data": {"source": "xor", "validation": 1}}, "allowed: less than 1"),
    ({"data": {"source": "xor", "split": {"validation": 20}}}, "data.split.validation: 20 is out of range"),
    ({"seeds": 0}, "seeds: 0 seeds are no runs"),
    ({"seeds": -1}, "seeds: -1 seeds are no runs"),
    ({"seeds": []}, "seeds: no seeds are no runs"),
    ({"seeds": [-1]}, "seeds.1: -1 is no seed"),
    ({"seeds": [3, 4, 3]}, "seeds.3: the seed 3 appears twice"),
    ({"seeds": {"first": -1, "count": 2}}, "seeds.first: -1 is out of range"),
    ({"seeds": {"first": 2**63 - 2, "count": 3}}, "the last seed would be 9,223,372,036,854,775,808"),
    ({"record": {"every": 0}}, "record.every: this is 0"),
    ({"record": {"every": -5}}, "record.every: this is -5"),
    ({"training": training(epochs=10**9)}, "3,000,000,003 records of all runs would take about"),
    ({"training": training(epochs=10**9)}, '"record": {"every": "decades"}'),
    ({"training": training(epochs=15), "record": {"every": 10}}, "allowed: 10 or 20 (the nearest)"),
    ({"training": training(epochs=1234), "record": {"every": "decades"}}, "allowed: 1200 or 1300 (the nearest)"),
    # names
    ({"data": "xorr"}, "there is no data source called 'xorr'"),
    ({"data": "xorr"}, "did you mean 'xor'?"),
    ({"data": {"source": "file", "path": "x"}}, "a file is `csv` or `npz`"),
    ({"network": {"hidden": [2], "activation": "rellu"}}, "network.activation: there is no activation called 'rellu'"),
    ({"network": {"hidden": [2], "activation": "rellu"}}, "allowed: identity, binary_step, logistic, tanh"),
    ({"network": {"hidden": [2], "activation": "Tanh"}}, "did you mean 'tanh'?"),
    ({"network": {"hidden": [2, 2], "activation": ["relu", "x"]}}, "network.activation.2: there is no activation called 'x'"),
    ({"network": {"hidden": [2], "output": "softmx"}}, "did you mean 'softmax'?"),
    ({"network": {"layers": [{"units": 2, "activation": "r"}, {}]}}, "network.layers.1.activation: there is no activation"),
    ({"loss": "mse"}, "`squared` here is ½ Σ"),
    ({"loss": "cross_entropy"}, "it is `log_likelihood`"),
    ({"loss": "bce"}, "it is `log_likelihood`"),
    ({"loss": "squares"}, "did you mean 'squared'?"),
    ({"init": "xavier"}, "`glorot_uniform` or `glorot_normal`"),
    ({"init": {"scheme": "he"}}, "init.scheme: there is no init scheme called 'he'"),
    ({"training": training(optimizer="adamw")}, "training.optimizer: there is no optimizer called 'adamw'"),
    ({"training": training(optimizer={"name": "sdg"})}, "did you mean 'sgd'?"),
    ({"training": training(reduction="average")}, "allowed: mean, sum"),
    ({"training": training(stop="converged")}, "allowed: solved, validation_loss"),
    ({"success": {"metric": "acuracy", "at_least": 1}}, "did you mean 'accuracy'?"),
    ({"data": {"source": "xor", "scale": "minmax"}}, '"minmax" is not one of the values here'),
    ({"data": {"source": "xor", "split": {"validation": 0.2, "seed": "each"}}}, "data.split.seed: 'each' is no seed"),
    ({"training": training(schedule="step")}, "training.schedule.every: is missing"),
    ({"training": training(schedule="plateau")}, "schedules are functions of the epoch alone"),
    ({"training": training(schedule={"name": "exponential", "gamma": 2})}, "training.schedule.gamma: 2 is out of range"),
    ({"training": training(weight_decay=-1)}, "training.weight_decay: -1 is out of range"),
    ({"training": training(weight_decay=None)}, "training.weight_decay: null is not a number"),
    ({"training": training(clip=0)}, "training.clip: 0 is out of range"),
    # texts
    ({"name": ""}, "name: this text is empty"),
    ({"name": "x" * 10_000}, "name: this text has 10,000 characters"),
    ({"name": "two\nlines"}, "holds the control character U+000A"),
    ({"name": "\x1b[31mred"}, "holds the control character U+001B"),
    ({"name": "\u202ereversed"}, "holds the control character U+202E"),
    ({"name": "a\0b"}, "holds the control character U+0000"),
    ({"name": " xor"}, "begins or ends with white space"),
    ({"name": "xor@2"}, "which separates name and revision"),
    ({"description": "bell \x07"}, "holds the control character U+0007"),
    ({"data": {**CSV, "path": ""}}, "data.path: this text is empty"),
    ({"data": {**CSV, "path": "a\0b"}}, "data.path: holds the control character U+0000"),
    ({"data": {**CSV, "delimiter": ";;"}}, "data.delimiter: this text has 2 characters"),
    # forms that exclude each other
    ({"network": {"hidden": [2], "layers": [{"units": 1}]}}, '"layers" names every layer'),
    ({"network": {"layers": [{"units": 1}], "activation": "relu"}}, 'leave out activation, or "layers"'),
    ({"network": {"layers": [{}, {}]}}, "network.layers.1.units: is missing"),
    ({"network": {"hidden": [2, 2], "activation": ["relu"]}}, "activations: 1, hidden layers: 2"),
    ({"network": {"hidden": [2], "activation": []}}, "activations: 0, hidden layers: 1"),
    ({"init": {"scheme": "uniform", "low": 0}}, '"high" is missing: the two go together'),
    ({"init": {"scheme": "uniform", "high": 0}}, '"low" is missing: the two go together'),
    ({"init": {"scheme": "uniform", "low": 1, "high": 0}}, "low 1 is above high 0"),
    ({"init": {"scheme": "uniform", "low": 0, "high": 1, "range": 1}}, '"low" and "high" say this too'),
    ({"data": {"source": "xor", "validation": 0.2, "split": {"validation": 0.2}}}, 'data.validation: "split" says this too'),
    ({"success": {"metric": "loss"}}, 'exactly one of "at_least" and "below" is needed'),
    ({"success": {"metric": "loss", "below": 1, "at_least": 0}}, 'exactly one of "at_least" and "below" is needed'),
    ({"success": {"metric": "accuracy", "at_least": 95}}, "an accuracy lies between 0 and 1, not at 95"),
    ({"training": training(stop={"when": "solved", "patience": 3})}, '"patience" belongs to'),
    ({"training": training(stop="validation_loss")}, '"patience" is missing'),
    ({"training": training(stop={"when": "validation_loss", "patience": 0})}, "training.stop.patience: 0 is out of range"),
    # what does not fit together
    ({"network": {"hidden": [2], "output": "relu"}}, "log_likelihood is not defined for relu outputs"),
    ({"network": {"hidden": [2], "output": "tanh"}}, "allowed: logistic, softmax, identity outputs"),
    ({"network": {"hidden": [2], "output": "tanh"}, "loss": "log_likelihood"}, "for tanh outputs there is squared or huber"),
    ({"network": {"hidden": [2], "output": "softmax"}}, "softmax over a single unit is always 1"),
    ({"network": {"hidden": [2], "activation": "softmax"}}, "softmax belongs to the output layer only"),
    ({"network": {"layers": [{"units": 2}, {"units": 3}]}}, "3 output units for 1 target in the data"),
    ({"data": CSV, "network": {"layers": [{"units": 2}]}}, "2 output units for 3 classes, which take 3"),
    ({"data": {**INLINE, "y": [0, 0.5]}, "network": {"hidden": [2], "output": "logistic"}, "loss": "log_likelihood"},
     "target 'y' of example 2 is 0.5: the Bernoulli likelihood is of 0 and 1"),
    ({"data": {**INLINE, "y": [[1, 1], [0, 1]]}, "network": {"hidden": [2], "output": "softmax"}},
     "the targets of example 1 are [1, 1], which is no class"),
    ({"data": {**INLINE, "y": [0.5, 2]}, "success": {"metric": "accuracy", "at_least": 1}}, "real targets have no accuracy"),
    ({"success": {"metric": "validation_loss", "below": 1}}, "validation_loss needs validation examples"),
    ({"training": training(stop={"when": "validation_loss", "patience": 3})}, "needs validation examples"),
    ({"data": CSV, "training": training(stop="solved")}, '"stop" at "solved" needs "success"'),
    # expectations
    ({"expect": {"metric": "final_loss"}}, "expect: an object is not a list"),
    ({"expect": [{"metric": "final_los", "statistic": "mean", "below": 1}]}, "did you mean 'final_loss'?"),
    ({"expect": [{"metric": "final_loss", "statistic": "average", "below": 1}]}, "allowed: mean, median, min, max"),
    ({"expect": [{"metric": "final_loss", "statistic": "mean"}]}, "expect.1: exactly one of"),
    ({"expect": [{"metric": "best_validation_loss", "statistic": "min", "below": 1}]},
     "expect.1.metric: best_validation_loss needs validation examples"),
    ({"expect": [{"metric": "final_accuracy", "statistic": "mean", "at_least": 2}]},
     "spec:18:16: expect.1.at_least: final_accuracy never is 2 or more"),
    ({"expect": [{"metric": "solved", "statistic": "mean", "at_least": 1.1}]}, "solved never is 1.1 or more"),
    ({"expect": [{"metric": "epochs_done", "statistic": "min", "at_least": 1e9}]}, "epochs_done never is 1e+09 or more"),
    ({"expect": [{"metric": "final_loss", "statistic": "min", "below": 0}]}, "final_loss never is below 0"),
    ({"success": None, "expect": [{"metric": "solved", "statistic": "mean", "at_least": 1}]},
     'solved needs "success", which says what that is'),
    ({"data": {**INLINE, "y": [0.5, 2]}, "expect": [{"metric": "final_accuracy", "statistic": "min", "at_least": 1}]},
     "expect.1.metric: real targets have no accuracy"),
    # series
    ({"record": {"series": "sharpness"}}, "record.series: this is text"),
    ({"record": {"series": ["sharpnes"]}}, "did you mean 'sharpness'?"),
    ({"record": {"series": ["sharpness", "loss"]}}, "record.series.2: loss is always recorded"),
    ({"record": {"series": ["w_dot_g", "w_dot_g"]}}, "record.series.2: w_dot_g appears twice"),
    ({"record": {"series": [3]}}, "record.series.1: there is no extra series 3"),
    # explicit weights
    (explicit(W22), "weights for 1 layers; the network has 2"),
    (explicit(), "init.layers: this is empty"),
    (explicit(W21, W21), "init.layers.1.weights: weights of shape (2, 1) for 2 inputs and 2 units"),
    (explicit({"weights": [[1, 1], [1]], "bias": [0, 0]}, W21), "weights of shape (2, ragged)"),
    (explicit({"weights": [], "bias": [0, 0]}, W21), "weights of shape (0, ragged)"),
    (explicit({"weights": [[1, 1], [1, 1]]}, W21), "init.layers.1.bias: no biases for 2 units"),
    (explicit(W22, {**W21, "bias": [0, 0]}), "init.layers.2.bias: a list of 2 as bias for 1 unit"),
    (explicit(W22, {**W21, "bias": 0}), "init.layers.2.bias: 0 is not a list"),
    (explicit(W22, {**W21, "weights": [["1"], [1]]}), "init.layers.2.weights.1.1: \"1\" is not a number"),
    (explicit(W22, {**W21, "knobs": {"alpha": 1}}), "logistic learns no 'alpha'"),
    (explicit(W22, W21, epoch="last"), 'init.epoch: "last" is not a whole number'),
    ({**explicit(W22, W21), "network": {"hidden": [2], "bias": False}}, "biases for a layer without"),
    # data
    ({"data": {**CSV, "path": "irs.csv"}}, "did you mean 'iris.csv'?"),
    ({"data": {**CSV, "path": "../iris.csv"}}, "lies outside the spec's folder"),
    ({"data": {**CSV, "path": "/etc/passwd"}}, "add the flag --allow-path"),
    ({"data": {**CSV, "path": "."}}, "directory"),
    ({"data": {**CSV, "target": "specis"}}, "data.target: "),
    ({"data": {**CSV, "target": "specis"}}, "did you mean 'species'?"),
    ({"data": {**CSV, "target": []}}, "data.target: no column is named"),
    ({"data": {**CSV, "target": 4}}, "a column is named by its heading, not by a number"),
    ({"data": {**CSV, "features": ["petal_length", "petal_length"]}}, "data.features: a column appears twice"),
    ({"data": {**CSV, "features": ["sepal_length", "petal"]}}, "data.features.2: "),
    ({"data": {**INLINE, "x": []}}, "data.x: this is empty"),
    ({"data": {**INLINE, "x": [[0], [1], [2]]}}, "x has 3 examples, y has 2"),
    ({"data": {**INLINE, "x": [[0, 1], [1]]}}, "x, row 2: 1 numbers, the first row has 2"),
    ({"data": {**INLINE, "x": [[0], ["1"]]}}, 'data.x.2.1: "1" is not a number'),
    ({"data": {**INLINE, "x": [[0], [None]]}}, "data.x.2.1: null is not a number"),
    ({"data": {**INLINE, "y": [0, True]}}, "data.y.2: a target is a number or a label, not true or false"),
    ({"data": {**INLINE, "y": ["a", "a"]}}, "every example has the class 'a'"),
    ({"data": {"source": "xor", "validation": 0.01}}, "holds out 0"),
    ({"data": {**INLINE, "y": [0.5, 2], "split": {"validation": 0.5, "stratify": True}}}, "stratified split needs classes"),
]  # fmt: skip


@pytest.mark.parametrize(("sections", "message"), WRONG, ids=[f"{i}: {m}" for i, (_, m) in enumerate(WRONG)])
def test_the_answer(sections: dict[str, Any], message: str) -> None:
    began = time.process_time()
    error = refusal({**SMALL, **sections})
    assert message in str(error)
    assert error.exit_code == 2
    assert all(finding.line for finding in error.findings), "a finding without its place"
    assert time.process_time() - began < 20


def test_missing_sections() -> None:
    error = refusal({"name": "x"})
    assert [finding.path for finding in error.findings] == [("data",), ("network",), ("training",)]
    assert {finding.what for finding in error.findings} == {"is missing"}


def test_everything_is_told_at_once_in_the_order_of_the_text() -> None:
    raw = changed(
        data="xorr",
        network={"hidden": [0], "activation": "rellu", "outputs": 1},
        training={"learning_rate": -1, "epochs": "10", "stop": "x"},
        loss="mse",
        seeds=0,
        record={"every": 0},
    )
    error = refusal(raw)
    assert len(error.findings) == 10
    assert [finding.line for finding in error.findings] == sorted(
        finding.line or 0 for finding in error.findings
    )


def test_what_does_not_fit_is_told_at_once() -> None:
    raw = changed(
        network={"layers": [{"units": 2, "activation": "softmax"}, {"units": 2, "activation": "relu"}]},
        training=training(epochs=15, batch_size=9, stop={"when": "validation_loss", "patience": 1}),
        record={"every": 10},
    )
    assert len(refusal(raw).findings) == 6


def test_an_error_looks_like_a_good_compilers(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text('{\n  "data": "xor",\n  "network": {"hidden": [2], "activation": "rellu"},\n'
                    '  "training": {"learning_rate": 1, "epochs": 10}\n}\n')  # fmt: skip
    with pytest.raises(SpecError) as caught:
        spec.resolve(spec.read(path), base=tmp_path, name="spec")
    assert str(caught.value) == (
        f"{path}:3:44: network.activation: there is no activation called 'rellu'\n"
        '      "network": {"hidden": [2], "activation": "rellu"},\n'
        "                                               ^\n"
        f"    allowed: {', '.join(ACTIVATIONS)}\n"
        "    did you mean 'relu'?"
    )


def test_names_that_are_hostile_elsewhere_are_just_names() -> None:
    for name in (
        "<script>alert(1)</script>",
        "=cmd|'/c calc'!A1",
        "$\\frac{",
        "a|b",
        "../../x",
        "Ünïcode ✓",
        "a" * 200,
    ):
        assert small(name=name).name == name


def test_the_name_comes_from_the_file_unless_given() -> None:
    raw = {key: value for key, value in SMALL.items() if key != "name"}
    assert resolved(raw, name="stem").name == "stem"
    assert resolved(SMALL, name="stem").name == "small"
    assert "name: is missing" in str(refusal(raw))
    assert "which separates name and revision" in str(refusal(raw, name="a@b"))


def test_a_path_outside_is_a_choice(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "iris.csv").write_text((SPECS / "iris.csv").read_text())
    (tmp_path / "inside" / "link.csv").symlink_to(tmp_path / "iris.csv")
    for path in ("../iris.csv", str(tmp_path / "iris.csv"), "link.csv"):
        raw = changed(data={**CSV, "path": path})
        assert "lies outside" in str(refusal(raw, base=tmp_path / "inside"))
        assert len(resolved(raw, base=tmp_path / "inside", allow_path=True).runs) == 3


def test_shares_of_classes_may_be_rounded() -> None:
    rows = [[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3], [0.0, 1.0 - 1e-12, 0.0]]
    assert any(sum(row) != 1 for row in rows)
    soft = {"source": "inline", "x": [[0.0], [1.0], [2.0]], "y": rows}
    network = {"hidden": [2], "output": "softmax"}
    assert len(resolved(changed(data=soft, network=network, loss="log_likelihood")).runs) == 3
    rows[2][1] = 1.0 - 1e-6
    assert "which is no class" in str(refusal(changed(data=soft, network=network, loss="log_likelihood")))


def test_limits_can_be_raised() -> None:
    big = changed(training=training(epochs=10**7))
    assert "allowed: at most 2 GiB" in str(refusal(big))
    assert resolved(big, limits=spec.Limits(record_bytes=None)).volume.records == 3 * (10**7 + 1)
    assert "allowed: at most 8" in str(refusal(changed(), limits=spec.Limits(parameters=8)))
    assert len(resolved(changed(), limits=spec.Limits(parameters=9)).runs) == 3


def test_a_schedule_for_an_optimizer_with_steps_of_its_own_is_told() -> None:
    schedule = {"name": "exponential", "gamma": 0.5}
    (told,) = small(training=training(optimizer="rprop", schedule=schedule)).warnings
    assert told.startswith("training.schedule: rprop") and "no effect" in told
    assert small(training=training(optimizer="quickprop", schedule=schedule)).warnings == ()
    assert small(training=training(optimizer="rprop")).warnings == ()


def test_sharpness_of_units_whose_slope_jumps_is_told() -> None:
    sharp = {"series": ["sharpness"]}

    def told(*activations: object) -> tuple[str, ...]:
        net = {"hidden": [2] * len(activations), "activation": list(activations)}
        return small(network=net, record=sharp).warnings

    assert [one.split(":")[0] for one in told("tanh", "relu", "prelu")] == ["network.activation.2"]
    assert told({"name": "elu", "alpha": 2.0}) and told("selu") and told("leaky_relu")
    assert told("elu", "tanh", "gelu") == ()
    assert small(network={"hidden": [2], "activation": "relu"}).warnings == ()


def test_warnings() -> None:
    hidden_step = small(network={"hidden": [2], "activation": "step"}).warnings
    assert len(hidden_step) == 1
    assert hidden_step[0].startswith("network.activation: the derivative of binary_step is 0 everywhere")
    assert small(network={"hidden": [2], "activation": "step"}, training=training(epochs=0)).warnings == ()
    output_step = small(network={"hidden": [2], "output": "step"}, loss="squared").warnings
    assert output_step[0].startswith("network.output: the derivative of binary_step is 0 everywhere")
    second = {"layers": [{"units": 2}, {"units": 2, "activation": "step"}, {}]}
    assert small(network=second).warnings[0].startswith("network.layers.2.activation: ")

    given = explicit(W22, W21)
    assert (
        small(**given)
        .warnings[0]
        .startswith("seeds: the weights are given and nothing else is random: 3 seeds")
    )
    assert small(**given, seeds=1).warnings == ()
    assert small(**given, training=training(batch_size=1)).warnings == ()
    assert len(small(**given, training=training(batch_size=1, shuffle=False)).warnings) == 1
    split = {"source": "xor", "split": {"validation": 0.5, "seed": "run"}}
    assert small(**given, data=split).warnings == ()

    far = {**INLINE, "y": [0.5, 20]}
    assert (
        "targets go from 0.5 to 20"
        in small(data=far, network={"hidden": [2], "output": "tanh"}, loss="squared").warnings[0]
    )
    assert small(data=far).warnings == ()


@pytest.mark.parametrize(
    ("answers", "table"),
    [
        (near.LOSSES, LOSSES),
        (near.ACTIVATIONS, ACTIVATIONS),
        (near.INITIALIZERS, INITIALIZERS),
        (near.OPTIMIZERS, OPTIMIZERS),
        (near.SOURCES, {**DATA.models, **dict.fromkeys(DATA.synonyms)}),
    ],
    ids=["losses", "activations", "initializers", "optimizers", "sources"],
)
def test_near_names_are_not_names(answers: Any, table: Any) -> None:
    assert not set(answers) & {*table, *getattr(table, "synonyms", {})}


SECTIONS = {key: value for sections, _ in WRONG for key, value in sections.items() if key}
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["relu", "xor", "run"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "source", "units", "x"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_a_document_or_a_spec_error(data: st.DataObject) -> None:
    """The shipped specs with one value anywhere replaced by another, dropped or renamed."""
    path = data.draw(st.sampled_from(sorted(SPECS.glob("*.json"))))
    raw = json.loads(path.read_text())
    inside: Any = raw
    while True:
        at = data.draw(
            st.sampled_from(list(inside) if isinstance(inside, dict) else list(range(len(inside))))
        )
        if not isinstance(inside[at], (dict, list)) or not inside[at] or data.draw(st.booleans()):
            break
        inside = inside[at]
    match data.draw(st.sampled_from(["replace", "drop", "rename"])):
        case "replace":
            inside[at] = data.draw(anything)
        case "drop":
            inside.pop(at)
        case "rename" if isinstance(inside, dict):
            inside[data.draw(st.text(max_size=8))] = inside.pop(at)
    text = json.dumps(raw)
    try:
        experiment = spec.resolve(spec.read(text), base=SPECS, name="any")
    except SpecError as error:
        assert error.findings and str(error).startswith("spec:")
    else:
        assert experiment.runs


@pytest.mark.parametrize("name", [{}, {"name": None}])
def test_a_spec_without_a_name_is_refused_where_it_stands(name: dict[str, Any]) -> None:
    raw = {key: value for key, value in changed().items() if key != "name"}
    (finding,) = refusal({**raw, **name}).findings
    assert (finding.what, finding.path) == ("is missing", ("name",)) and finding.line is not None
