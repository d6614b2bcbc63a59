"""Every short form means the same as its long form: the same canonical runs, the same keys."""

from typing import Any

import pytest
from spec_help import changed, keys, resolved, small, training

from bpsvc import spec
from bpsvc.data import SOURCES
from bpsvc.nn import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS

CSV = {"source": "csv", "path": "iris.csv", "target": "species"}
LAYERS = [{"weights": [[1, 2], [3, 4]], "bias": [5, 6]}, {"weights": [[7], [8]], "bias": [9]}]

EQUAL: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("data by name", {"data": "xor"}, {"data": {"source": "xor"}}),
    ("no scale", {"data": "xor"}, {"data": {"source": "xor", "scale": None, "split": None}}),
    ("data knobs", {"data": "parity"}, {"data": {"source": "parity", "bits": 3}}),
    ("validation", {"data": {**CSV, "validation": 0.2}}, {"data": {**CSV, "split": {"validation": 0.2}}}),
    ("no validation", {"data": {**CSV, "validation": None}}, {"data": CSV}),
    ("one target", {"data": CSV}, {"data": {**CSV, "target": ["species"]}}),
    (
        "all features",
        {"data": CSV},
        {"data": {**CSV, "features": ["sepal_length", "sepal_width", "petal_length", "petal_width"]}},
    ),
    (
        "flat y",
        {"data": {"source": "inline", "x": [[0, 1], [1, 1]], "y": [0, 1]}},
        {"data": {"source": "inline", "x": [[0.0, 1.0], [1.0, 1.0]], "y": [[0.0], [1.0]]}},
    ),
    ("depth", {"network": {"hidden": [3, 3]}}, {"network": {"hidden": {"depth": 2, "units": 3}}}),
    ("no depth", {"network": {"hidden": []}}, {"network": {"hidden": {"depth": 0, "units": 3}}}),
    (
        "layers",
        {"network": {"hidden": [3, 2], "activation": "tanh"}},
        {
            "network": {
                "layers": [
                    {"units": 3, "activation": "tanh"},
                    {"units": 2, "activation": "tanh"},
                    {"units": 1},
                ]
            }
        },
    ),
    (
        "output units",
        {"network": {"layers": [{"units": 2}, {}]}},
        {"network": {"layers": [{"units": 2}, {"units": 1}]}},
    ),
    (
        "output default",
        {"network": {"hidden": [2]}},
        {"network": {"hidden": [2], "activation": "logistic", "output": "logistic", "bias": True}},
    ),
    (
        "one activation for all",
        {"network": {"hidden": [2, 3], "activation": "tanh"}},
        {"network": {"hidden": [2, 3], "activation": ["tanh", {"name": "tanh"}]}},
    ),
    (
        "knobs at their defaults",
        {"network": {"hidden": [2], "activation": "leaky_relu"}},
        {
            "network": {
                "hidden": [2],
                "activation": {"name": "leaky_relu", "alpha": 0.01, "derivative_at_zero": 1},
            }
        },
    ),
    (
        "no bias",
        {"network": {"hidden": [2], "bias": False}},
        {"network": {"layers": [{"units": 2, "bias": False}, {"units": 1, "bias": False}]}},
    ),
    ("init by name", {"init": "he_normal"}, {"init": {"scheme": "he_normal"}}),
    ("init default", {}, {"init": {"scheme": "uniform", "range": 0.1}}),
    (
        "low and high",
        {"init": {"scheme": "uniform", "range": 2}},
        {"init": {"scheme": "uniform", "low": -2, "high": 2}},
    ),
    (
        "bias_std",
        {"init": {"scheme": "normal", "std": 1}},
        {"init": {"scheme": "normal", "std": 1, "bias_std": 1}},
    ),
    (
        "printed weights",
        {"init": {"scheme": "explicit", "layers": LAYERS}},
        {"init": {"scheme": "explicit", "run_id": 7, "epoch": 10, "layers": LAYERS}},
    ),
    ("loss default", {}, {"loss": "log_likelihood"}),
    ("loss by name", {"loss": "squared"}, {"loss": {"name": "squared"}}),
    ("loss knobs", {"loss": "huber"}, {"loss": {"name": "huber", "delta": 1}}),
    ("optimizer", {}, {"training": training(optimizer={"name": "sgd"})}),
    ("batch of all", {}, {"training": training(batch_size=4)}),
    ("batch of all, no order", {}, {"training": training(batch_size=4, shuffle=False)}),
    ("shuffle without batches", {}, {"training": training(shuffle=False)}),
    ("no schedule", {}, {"training": training(schedule=None, weight_decay=0, clip=None)}),
    ("constant schedule", {}, {"training": training(schedule="constant")}),
    ("decay of biases without decay", {}, {"training": training(decay_biases=True)}),
    (
        "schedule knobs",
        {"training": training(schedule={"name": "step", "every": 5})},
        {"training": training(schedule={"name": "step", "every": 5, "gamma": 0.1, "warm_up": 0})},
    ),
    ("stop", {"training": training(stop="solved")}, {"training": training(stop={"when": "solved"})}),
    ("success default", {}, {"success": {"metric": "accuracy", "at_least": 1}}),
    ("seeds", {"seeds": 3}, {"seeds": {"first": 0, "count": 3}}),
    ("seeds listed", {"seeds": 3}, {"seeds": [0, 1, 2]}),
    ("first seed", {"seeds": {"count": 3}}, {"seeds": 3}),
    ("no sweep", {}, {"sweep": None}),
    ("one block", {"sweep": {"grid": {"loss": ["squared"]}}}, {"sweep": [{"grid": {"loss": ["squared"]}}]}),
    ("record default", {}, {"record": {"every": 1}}),
    ("no series", {}, {"record": {"series": []}}),
    (
        "series in any order",
        {"record": {"series": ["w_dot_g", "sharpness"]}},
        {"record": {"series": ["sharpness", "w_dot_g"]}},
    ),
]


@pytest.mark.parametrize(("short", "long"), [pair[1:] for pair in EQUAL], ids=[pair[0] for pair in EQUAL])
def test_short_is_long(short: dict[str, Any], long: dict[str, Any]) -> None:
    one = resolved({**changed(), **short})
    two = resolved({**changed(), **long})
    assert [run.canonical for run in one.runs] == [run.canonical for run in two.runs]
    assert keys(one) == keys(two)
    assert one.digest == two.digest
    assert [dict(run.factors) for run in one.runs] == [dict(run.factors) for run in two.runs]


@pytest.mark.parametrize(
    "table", [ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SOURCES], ids=lambda t: t.what
)
def test_exact_synonyms_are_canonicalised(table: Any) -> None:
    place = {
        "activation": lambda name: {"network": {"hidden": [2], "activation": name}},
        "loss": lambda name: {"loss": name},
        "init scheme": lambda name: {"init": name},
        "optimizer": lambda name: {"training": training(optimizer=name)},
        "data source": lambda name: {"data": name},
    }[table.what]
    for synonym, name in table.synonyms.items():
        assert keys(small(**place(synonym))) == keys(small(**place(name)))


def test_the_lectures_other_names() -> None:
    for other, name in (("sigmoid", "logistic"), ("step", "binary_step"), ("linear", "identity")):
        one = small(network={"hidden": [2], "activation": other})
        assert one.runs[0].run.network.layers[0].activation.name == name


def test_defaults_from_the_data() -> None:
    classes = small(data=CSV)
    assert classes.runs[0].run.network.layers[-1].activation.name == "softmax"
    assert classes.runs[0].run.network.layers[-1].units == 3
    assert classes.runs[0].run.success is None
    real = small(data={"source": "inline", "x": [[0], [1]], "y": [0.5, 2]})
    assert real.runs[0].run.network.layers[-1].activation.name == "identity"
    assert real.runs[0].run.loss.name == "squared"
    bits = small()
    assert bits.runs[0].run.network.layers[-1].activation.name == "logistic"
    assert bits.runs[0].run.loss.name == "log_likelihood"


def test_null_success_is_not_the_default() -> None:
    experiment = resolved({**changed(), "success": None})
    assert experiment.runs[0].run.success is None
    assert experiment.spec["success"] is None
    assert keys(experiment) != keys(small())


@pytest.mark.parametrize(("short", "long"), [pair[1:] for pair in EQUAL], ids=[pair[0] for pair in EQUAL])
def test_what_is_stored_is_the_same_experiment(short: dict[str, Any], long: dict[str, Any]) -> None:
    for sections in (short, long):
        experiment = resolved({**changed(), **sections})
        again = resolved(dict(experiment.spec))
        assert again.digest == experiment.digest
        assert again.spec == experiment.spec


def test_the_stored_spec_says_every_default() -> None:
    stored = small(seeds=None).spec
    assert stored["seeds"] == {"first": 0, "count": 10}
    assert stored["init"] == {"scheme": "uniform", "range": 0.1}
    assert stored["network"]["output"]["name"] == "logistic"
    assert stored["loss"] == {"name": "log_likelihood"}
    assert stored["success"] == {"metric": "accuracy", "at_least": 1.0}
    assert stored["record"]["every"] == 1
    for name in ("batch_size", "schedule", "clip", "stop"):
        assert stored["training"][name] is None
    assert isinstance(spec.Spec.model_validate(stored), spec.Spec)
