"""Laws of expansion: order, counts, union, idempotence; what cannot be a sweep."""

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spec_help import SPECS, changed, keys, refusal, resolved, small, training

from bpsvc import spec
from bpsvc.errors import SpecError
from bpsvc.spec import sweep
from bpsvc.spec.labels import labels_of
from bpsvc.spec.random_points import drawn
from bpsvc.spec.sweep_section import Block, Random

RATES = [1.0, 0.5, 0.25]
RANGES = [0.1, 0.2]
VANISHING = {
    "grid": {"network.hidden.depth": [2, 5]},
    "zip": {"network.activation": ["logistic", "relu"], "training.learning_rate": [1.0, 0.1]},
}


def factors(experiment: spec.Experiment) -> list[tuple[Any, ...]]:
    """The factors of each point, in order."""
    return list(dict.fromkeys(tuple(run.factors.values()) for run in experiment.runs))


def test_a_grid_is_a_product_in_order_the_last_axis_fastest() -> None:
    experiment = small(sweep={"grid": {"training.learning_rate": RATES, "init.range": RANGES}})
    assert factors(experiment) == list(itertools.product(RATES, RANGES))
    assert len(experiment.runs) == 3 * 2 * 3
    assert [run.seed for run in experiment.runs[:4]] == [0, 1, 2, 0]


def test_zip_goes_in_parallel_and_multiplies_the_grid() -> None:
    network = {"hidden": {"depth": 1, "units": 2}}
    experiment = small(network=network, sweep=VANISHING)
    assert factors(experiment) == [
        (2, "logistic", 1.0),
        (2, "relu", 0.1),
        (5, "logistic", 1.0),
        (5, "relu", 0.1),
    ]
    assert [len(run.run.network.layers) for run in experiment.runs[::6]] == [3, 6]


def test_parallel_values_may_repeat_alone_but_not_together() -> None:
    experiment = small(sweep={"zip": {"loss": ["squared", "log_likelihood"], "init.range": [1, 1]}})
    assert factors(experiment) == [("squared", 1.0), ("log_likelihood", 1.0)]
    error = refusal(changed(sweep={"zip": {"loss": ["squared", "squared"], "init.range": [1, 1.0]}}))
    assert 'the values in parallel ["squared",1] appear twice' in str(error)


def test_points_come_after_the_product_and_take_the_rest_from_the_spec() -> None:
    block = {
        "grid": {"loss": ["log_likelihood", "squared"]},
        "points": [{"loss": "squared", "training.learning_rate": 4}],
    }
    assert factors(small(sweep=block)) == [("log_likelihood", 1.0), ("squared", 1.0), ("squared", 4.0)]


def test_points_alone_are_just_those_points() -> None:
    experiment = small(sweep={"points": [{"init.range": 1}, {}, {"loss": "squared"}]})
    assert factors(experiment) == [(1.0, "log_likelihood"), (0.1, "log_likelihood"), (0.1, "squared")]


def test_without_a_sweep_there_is_one_point_and_no_factor() -> None:
    experiment = small()
    assert factors(experiment) == [()]
    assert experiment.labels == {}
    assert len(experiment.runs) == 3


def test_every_swept_path_appears_for_every_run() -> None:
    blocks = [{"grid": {"init.range": RANGES}}, {"points": [{"init": "he_normal"}]}]
    experiment = small(sweep=blocks)
    assert [dict(run.factors) for run in experiment.runs[::3]] == [
        {"init.range": 0.1, "init": "uniform"},
        {"init.range": 0.2, "init": "uniform(range=0.2)"},
        {"init.range": None, "init": "he_normal"},
    ]


def test_blocks_are_the_union_of_their_expansions() -> None:
    one, two = {"grid": {"training.learning_rate": RATES}}, {"grid": {"init.range": RANGES}}
    both = small(sweep=[one, two])
    union = dict.fromkeys([*keys(small(sweep=one)), *keys(small(sweep=two))])
    assert keys(both) == list(union)
    assert len(both.runs) == 3 * (3 + 2 - 1)  # the point that is the spec itself is in both


@pytest.mark.parametrize(
    "block",
    [
        {"grid": {"training.learning_rate": RATES, "init.range": RANGES}},
        VANISHING,
        {"points": [{}, {"loss": "squared"}]},
        {"random": {"count": 5, "axes": {"init.range": {"uniform": [0.1, 1]}}}},
    ],
    ids=["grid", "zip", "points", "random"],
)
def test_the_union_of_a_block_with_itself_is_the_block(block: dict[str, Any]) -> None:
    network = {"hidden": {"depth": 1, "units": 2}}
    once = small(network=network, sweep=block)
    assert keys(small(network=network, sweep=[block, block])) == keys(once)
    assert keys(small(network=network, sweep=block)) == keys(once)


axis = st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True)


@settings(max_examples=40)
@given(
    st.fixed_dictionaries({}, optional={"init.range": axis, "training.learning_rate": axis}),
    axis,
    st.integers(0, 2),
)
def test_the_count_needs_no_expansion(grid: dict[str, Any], parallel: list[int], extra: int) -> None:
    raw: dict[str, Any] = {
        "zip": {"network.hidden.1": parallel},
        "points": [{"init.range": 20 + i} for i in range(extra)],
    }
    if grid:
        raw["grid"] = grid
    block = Block.model_validate(raw)
    document = spec.read(json.dumps(changed(sweep=raw)))
    points = list(sweep.points([block], document))
    assert sweep.count([block]) == len(points) == math.prod(map(len, grid.values())) * len(parallel) + extra


def test_values_can_be_whole_records_lists_and_entries_of_layers() -> None:
    layers = {"layers": [{"units": 2}, {"units": 3, "activation": "relu"}, {}]}
    experiment = small(network=layers, sweep={"grid": {"network.layers.2.units": [4, 5]}})
    assert [run.run.network.layers[1].units for run in experiment.runs[::3]] == [4, 5]
    experiment = small(sweep={"grid": {"network.hidden": [[2], [2, 3], {"depth": 3, "units": 2}]}})
    assert factors(experiment) == [("[2]",), ("[2, 3]",), ("depth=3, units=2",)]
    records = [{"name": "leaky_relu", "alpha": 0.1}, "leaky_relu", {"name": "elu", "alpha": 2}]
    experiment = small(sweep={"grid": {"network.activation": records}})
    assert factors(experiment) == [("leaky_relu(alpha=0.1)",), ("leaky_relu",), ("elu(alpha=2.0)",)]
    experiment = small(
        sweep={"grid": {"training.batch_size": [None, 1], "training.reduction": ["mean", "sum"]}}
    )
    assert factors(experiment) == [("null", "mean"), ("null", "sum"), (1, "mean"), (1, "sum")]


def test_a_path_goes_on_below_a_short_form() -> None:
    swept = {"grid": {"network.activation.alpha": [0.1, 0.2]}}
    experiment = small(network={"hidden": [2], "activation": "leaky_relu"}, sweep=swept)
    assert [run.run.network.layers[0].activation.knobs["alpha"] for run in experiment.runs[::3]] == [0.1, 0.2]
    assert factors(small(data="parity", sweep={"grid": {"data.bits": [2, 3]}})) == [(2,), (3,)]
    csv = {"source": "csv", "path": "iris.csv", "target": "species"}
    experiment = small(data=csv, sweep={"grid": {"data.split.validation": [0.2, 0.4]}})
    assert [run.run.data.split.validation for run in experiment.runs[::3] if run.run.data.split] == [0.2, 0.4]


EVERYTHING: list[dict[str, Any]] = [
    {
        "data": {"source": "moons", "examples": 20, "scale": "standard", "validation": 0.25},
        "network": {"hidden": [2, 3], "activation": ["relu", {"name": "elu", "alpha": 2}], "bias": False},
        "init": {"scheme": "uniform", "low": -1, "high": 2},
        "loss": {"name": "huber", "delta": 2},
        "training": training(
            optimizer={"name": "momentum", "mu": 0.5},
            batch_size=4,
            shuffle=False,
            reduction="sum",
            schedule={"name": "exponential", "gamma": 0.5, "warm_up": 3},
            weight_decay=0.1,
            decay_biases=True,
            clip=1,
            stop={"when": "validation_loss", "patience": 3},
        ),
        "success": {"metric": "max_error", "below": 0.5},
        "record": {"every": 5, "series": ["sharpness"], "parameters": True},
    },
    {
        "data": {
            "source": "inline",
            "x": [0, 1, 2],
            "y": [[0], [1], [1]],
            "split": {"validation": 0.5, "seed": "run"},
        },
        "network": {
            "layers": [{"units": 1, "activation": "prelu"}, {"activation": "logistic", "bias": False}]
        },
        "init": {
            "scheme": "explicit",
            "layers": [{"weights": [[1]], "bias": [0], "knobs": {"alpha": 0.5}}, {"weights": [[2]]}],
        },
        "training": training(optimizer="adam", stop="solved"),
        "success": {"metric": "accuracy", "at_least": 1},
        "record": {"every": "decades"},
    },
    {
        "data": {"source": "csv", "path": "iris.csv", "target": "species", "features": ["petal_length"]},
        "network": {"hidden": {"depth": 2, "units": 3}, "activation": "tanh", "output": {"name": "softmax"}},
        "init": "he_normal",
        "loss": "squared",
        "training": training(optimizer="adam", schedule="constant"),
    },
]
"""Specs in which every field, long or short, is said."""


def below(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every path into a document, with what stands there."""
    if path:
        yield path, value
    steps = (
        value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    )
    for step, inside in steps:
        yield from below(inside, f"{path}.{step}" if path else str(step))


@pytest.mark.parametrize(
    ("sections", "path", "value"),
    [
        pytest.param(sections, path, value, id=path)
        for sections in EVERYTHING
        for path, value in below(sections)
        if path not in ("training", "training.epochs") and not path.endswith((".name", ".source", ".scheme"))
    ],
)
def test_a_value_that_a_point_set_is_its_factor(sections: dict[str, Any], path: str, value: Any) -> None:
    """What a spec says in any place may as well be swept there, and then it is a factor of its runs."""
    experiment = small(**sections, sweep={"points": [{path: value}]})
    assert keys(experiment) == keys(small(**sections))
    assert [run.factors[path] for run in experiment.runs] != [None] * 3


def test_a_share_that_varies_tells_its_runs_apart() -> None:
    experiment = small(data="moons", sweep={"grid": {"data.validation": [0.2, 0.4, None]}})
    assert factors(experiment) == [(0.2,), (0.4,), (None,)]


def test_required_fields_may_come_from_the_sweep() -> None:
    bare = {"epochs": 10}
    experiment = small(training=bare, sweep={"grid": {"training.learning_rate": RATES}})
    assert factors(experiment) == [(1.0,), (0.5,), (0.25,)]
    assert resolved(dict(experiment.spec)).digest == experiment.digest
    missing = refusal(
        changed(training=bare, sweep={"points": [{"training.learning_rate": 1}, {"loss": "squared"}]})
    )
    assert "training.learning_rate: is missing" in str(missing)


def test_data_may_vary_and_what_follows_from_them_stays_open() -> None:
    csv = {"source": "csv", "path": "iris.csv", "target": "species"}
    experiment = small(sweep={"points": [{"data": "xor"}, {"data": csv}]})
    assert [run.run.network.layers[-1].units for run in experiment.runs[::3]] == [1, 3]
    assert sorted(experiment.data_labels.values()) == ["iris.csv", "xor"]
    assert resolved(dict(experiment.spec)).digest == experiment.digest


def test_data_are_called_after_where_they_come_from_however_they_are_prepared() -> None:
    splits = [{"validation": 0.2}, {"validation": 0.5, "seed": "run"}, None]
    moons = {"source": "moons", "examples": 20, "scale": "standard"}
    experiment = small(data=moons, sweep={"grid": {"data.split": splits}})
    assert list(experiment.data_labels.values()) == ["moons(examples=20)"]
    twice = small(sweep={"points": [{"data": {"source": "parity", "bits": 2}, "loss": "squared"}, {}]})
    assert list(twice.data_labels.values()) == ["xor"]


def test_random_points_are_the_same_every_time_and_within_bounds() -> None:
    axes = {
        "training.learning_rate": {"log_uniform": [0.01, 10]},
        "init.range": {"uniform": [0.5, 1]},
        "network.hidden.1": {"integers": [2, 9]},
        "network.activation": {"choice": ["tanh", "relu"]},
    }
    experiment = small(sweep={"random": {"count": 40, "axes": axes}})
    assert len(factors(experiment)) == 40
    for rate, reach, units, activation in factors(experiment):
        assert 0.01 <= rate <= 10 and 0.5 <= reach <= 1 and 2 <= units <= 9 and activation in ("tanh", "relu")
    assert sum(rate < 0.3162 for rate, *_ in factors(experiment)) in range(10, 31)
    assert {units for _, _, units, _ in factors(experiment)} == set(range(2, 10))
    more = small(sweep={"random": {"count": 45, "axes": axes}})
    assert factors(more)[:40] == factors(experiment)
    other = small(sweep={"random": {"count": 40, "seed": 1, "axes": axes}})
    assert not set(factors(other)) & set(factors(experiment))


def test_random_draws_of_one_path_do_not_depend_on_the_others() -> None:
    rate = {"training.learning_rate": {"uniform": [1, 2]}}
    alone = small(sweep={"random": {"count": 5, "axes": rate}})
    both = small(sweep={"random": {"count": 5, "axes": {"init.range": {"uniform": [1, 2]}, **rate}}})
    assert [f[0] for f in factors(alone)] == [f[1] for f in factors(both)]


GOLDEN_POINTS = [
    {"a": 0.000479226, "b": 0.0301927, "c": 1191, "d": 2},
    {"a": 2.93255, "b": -0.0923274, "c": 1973, "d": 2},
    {"a": 2.46557e-05, "b": -0.147671, "c": 874, "d": "x"},
]


def sampled(axes: dict[str, Any], count: int) -> list[dict[str, Any]]:
    return drawn(Random.model_validate({"count": count, "seed": 3, "axes": axes}))


def test_golden_random_points() -> None:
    """A change here makes other runs of stored sweeps: undo it."""
    axes = {
        "a": {"log_uniform": [1e-5, 10]},
        "b": {"uniform": [-0.3, 1.7]},
        "c": {"integers": [-3, 2000]},
        "d": {"choice": ["x", 2, {"y": 1}]},
    }
    points = sampled(axes, 400)
    assert points[:2] + points[399:] == GOLDEN_POINTS


FINITE = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.tuples(FINITE, FINITE).filter(lambda pair: pair[0] < pair[1])
BELOW = (
    st.tuples(FINITE, FINITE)
    .map(lambda pair: (abs(pair[0]), abs(pair[1])))
    .filter(lambda pair: 0 < pair[0] < pair[1])
)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)
WHOLES = st.tuples(WHOLE, WHOLE).filter(lambda pair: pair[0] < pair[1])


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.tuples(st.just("uniform"), PAIRS),
        st.tuples(st.just("log_uniform"), BELOW),
        st.tuples(st.just("integers"), WHOLES),
    )
)
@example(("log_uniform", (1e-200, 1e200)))
@example(("uniform", (-1e308, 1e308)))
@example(("uniform", (0.12345640, 0.12345641)))
def test_random_values_lie_within_any_bounds(axis: tuple[str, tuple[float, float]]) -> None:
    kind, (low, high) = axis
    found = [point["x"] for point in sampled({"x": {kind: [low, high]}}, 20)]
    assert found and all(low <= value <= high for value in found)


@pytest.mark.parametrize(
    ("axis", "count"),
    [
        ({"integers": [1, 3_000]}, 3_000),
        ({"choice": [*range(50), *range(50)]}, 50),
        ({"uniform": [1, 1.0001]}, 11),
    ],
)
def test_axes_give_every_value_they_have_and_are_not_asked_for_ever(axis: dict[str, Any], count: int) -> None:
    points = sampled({"x": axis}, count)
    assert len(points) == count
    assert sampled({"x": axis}, 90_000) == points


def test_labels_are_the_shortest_ends_that_differ() -> None:
    assert labels_of(["network.activation", "training.learning_rate", "loss"]) == {
        "network.activation": "activation",
        "training.learning_rate": "learning_rate",
        "loss": "loss",
    }
    assert labels_of(["network.layers.1.units", "network.layers.2.units", "network.hidden.1"]) == {
        "network.layers.1.units": "layers.1.units",
        "network.layers.2.units": "layers.2.units",
        "network.hidden.1": "hidden.1",
    }
    assert labels_of(["data.seed", "data.split.seed"]) == {
        "data.seed": "data.seed",
        "data.split.seed": "split.seed",
    }


@given(
    st.lists(st.lists(st.sampled_from("abc1"), min_size=1, max_size=4).map(".".join), unique=True, max_size=6)
)
def test_labels_are_unique(paths: list[str]) -> None:
    labels = labels_of(paths)
    assert len(set(labels.values())) == len(paths)
    assert all(path == label or path.endswith("." + label) for path, label in labels.items())


REFUSED = [
    ({"grid": {"loss": []}}, "sweep.grid.loss: this axis has no values"),
    ({"grid": {"loss": "squared"}}, "the values of an axis are a list, not text"),
    ({"grid": {}}, "there are no axes here"),
    ({}, "this sweep has no points"),
    ([], "this sweep has no points"),
    ({"points": []}, "this sweep has no points"),
    ({"points": [3]}, "sweep.points.1: 3 is not an object"),
    ({"points": {"loss": "squared"}}, "sweep.points: an object is not a list"),
    ({"gird": {"loss": ["squared"]}}, "did you mean 'grid'?"),
    (3, "sweep: 3 is not an object"),
    ({"zip": {"loss": ["squared"], "init.range": [1, 2]}}, "equally long: loss has 1, init.range has 2"),
    ({"grid": {"init.range": [1, 2, 1.0]}}, "1 appears twice among the values of init.range"),
    ({"grid": {"training.epochs": [10, 20]}}, "training.epochs cannot vary: every run of an experiment"),
    ({"grid": {"training": [{"epochs": 10}]}}, "training cannot vary as a whole"),
    ({"grid": {"seeds": [1, 2]}}, "seeds cannot vary: seeds are replicates"),
    ({"grid": {"seeds.first": [1, 2]}}, "seeds cannot vary"),
    ({"grid": {"name": ["a", "b"]}}, "name cannot vary: an experiment has one name"),
    ({"grid": {"sweep": [None]}}, "a sweep does not sweep itself"),
    ({"points": [{"training.epochs": 20}]}, "training.epochs cannot vary"),
    ({"grid": {"network.activation.name": ["relu"]}}, "the path is network.activation"),
    ({"grid": {"init.range": [1]}, "zip": {"init.range": [2]}}, "init.range varies twice"),
    ({"grid": {"init": ["zeros"], "init.range": [2]}}, "init.range overlaps with init"),
    ({"points": [{"init": "uniform", "init.range": 2}]}, "init.range overlaps with init"),
    ({"grid": {"network.actvation": ["relu"]}}, "did you mean 'activation'?"),
    ({"grid": {"lr": [1, 2]}}, "lr: there is no such field here"),
    ({"grid": {"learning_rate": [1, 2]}}, "it belongs into `training`"),
    ({"grid": {"training..learning_rate": [1, 2]}}, "names joined by single dots"),
    ({"grid": {"training.learning_rate.x": [1, 2]}}, "training.learning_rate has no parts here"),
    ({"grid": {"network.hidden.2": [1, 2]}}, "network.hidden has entries 1 to 1, not 2"),
    ({"grid": {"network.hidden.0": [1, 2]}}, "network.hidden has entries 1 to 1, not 0"),
    (
        {"grid": {"network.layers.2.units": [4, 5]}},
        "network.layers is not written out here: there is no entry 2",
    ),
    ({"grid": {"network.hidden.depth": [1, 2]}}, "network.hidden is a list here"),
    ({"grid": {"loss": ["squared", "mse"]}}, "there is no loss called 'mse'"),
    ({"grid": {"training.shuffle": [True, False]}}, "training.shuffle changes nothing here"),
    ({"grid": {"training.batch_size": [None, 4]}}, "batch_size=null and batch_size=4 are the same run"),
    ({"grid": {"network.activation": ["sigmoid", "logistic"]}}, "network.activation changes nothing here"),
    ({"grid": {"init.range": [0.1, 1]}, "points": [{"init.range": 1}]}, "this point changes nothing here"),
    (
        {"random": {"count": 0, "axes": {"init.range": {"uniform": [0, 1]}}}},
        "sweep.random.count: 0 is out of range",
    ),
    ({"random": {"count": 2, "axes": {}}}, "there are no axes here"),
    ({"random": {"count": 2, "axes": {"init.range": {"uniform": [1, 0]}}}}, "1 is not less than 0"),
    ({"random": {"count": 2, "axes": {"init.range": {"uniform": [1]}}}}, "a list of two numbers"),
    ({"random": {"count": 2, "axes": {"init.range": {"log_uniform": [0, 1]}}}}, "0 has no logarithm"),
    ({"random": {"count": 2, "axes": {"init.range": {"normal": [0, 1]}}}}, "allowed: uniform, log_uniform"),
    ({"random": {"count": 2, "axes": {"init.range": {}}}}, "exactly one distribution is needed"),
    (
        {"random": {"count": 9, "axes": {"network.hidden.1": {"integers": [2, 4]}}}},
        "hardly more than 3 different points",
    ),
]


@pytest.mark.parametrize(("block", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_no_sweep(block: Any, message: str) -> None:
    error = refusal({**changed(), "sweep": block})
    assert message in str(error)
    assert all(finding.line is not None for finding in error.findings)


def test_one_bad_value_of_many_is_told_once_where_it_stands() -> None:
    rates = [round(0.1 * i, 1) for i in range(1, 50)] + [-1]
    error = refusal(
        changed(sweep={"grid": {"loss": ["squared", "log_likelihood"], "training.learning_rate": rates}})
    )
    assert len(error.findings) == 1
    assert "training.learning_rate: -1 is out of range" in str(error)
    assert "        -1\n" in str(error)


def test_one_bad_point_of_many_is_named_with_its_values() -> None:
    block = {"grid": {"network.output": ["logistic", "tanh"], "loss": ["squared", "log_likelihood"]}}
    error = refusal(changed(sweep=block))
    assert len(error.findings) == 1
    assert "log_likelihood is not defined for tanh outputs" in str(error)
    assert "in 1 of 4 points of the sweep, first: output=tanh, loss=log_likelihood" in str(error)


def test_errors_of_several_points_are_collected() -> None:
    raw = changed(
        training=training(epochs=-1), sweep={"grid": {"init.range": ["x", -1], "loss": ["mse", "squared"]}}
    )
    error = refusal(raw)
    messages = [finding.what for finding in error.findings]
    assert len(messages) == 4
    assert [finding.line for finding in error.findings] == sorted(f.line or 0 for f in error.findings)


def test_too_many_runs_are_counted_not_expanded() -> None:
    many = {
        "init.range": list(range(1, 1001)),
        "training.learning_rate": list(range(1, 1001)),
        "network.hidden.1": [1, 2],
    }
    error = refusal(changed(sweep={"grid": many}, seeds=50))
    assert "100,000,000 runs (2,000,000 points × 50 seeds)" in str(error)
    assert "allowed: at most 100,000" in str(error)
    assert "seeds: 10,000,000,000 runs" in str(refusal(changed(seeds=10**10)))


def test_the_limit_can_be_raised() -> None:
    limits = spec.Limits(runs=5)
    assert "6 runs (2 points × 3 seeds)" in str(
        refusal(changed(sweep={"grid": {"init.range": [1, 2]}}), limits=limits)
    )
    assert len(small(sweep={"grid": {"init.range": [1, 2]}}).runs) == 6


def test_overrides_come_first() -> None:
    experiment = resolved(changed(), overrides={"training.epochs": 20, "init.range": 1, "name": "other"})
    assert (experiment.epochs, experiment.name) == (20, "other")
    assert experiment.spec["init"] == {"scheme": "uniform", "range": 1.0}
    swept = changed(sweep={"grid": {"init.range": [1, 2]}})
    assert "--set init.range has no effect" in str(refusal(swept, overrides={"init.range": 3}))
    wrong = refusal(swept, overrides={"init.range": "wide", "training.epochs": -1})
    assert [one.path for one in wrong.findings] == [("training", "epochs"), ("sweep", "grid", "init.range")]
    wrong = str(refusal(changed(), overrides={"training.epochs": -1}))
    assert "training.epochs: -1 is out of range (as set by --set)" in wrong and "^" not in wrong
    assert "training.learning_rate has no parts here" in str(
        refusal(changed(), overrides={"training.learning_rate.x": 1})
    )


WORDS = """
    data source path split validation network hidden depth 1 2 layers units activation name alpha output bias
    init range layers.1 weights loss delta training optimizer mu learning_rate batch_size stop when success
    metric at_least record every schedule x
"""
PATHS = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=4).map(".".join)
VALUES = st.lists(
    st.sampled_from(
        [None, True, 0, 1, 2.5, -1, "relu", "xor", "uniform", [2], [], {}, {"name": "elu"}, {"x": [1]}, 10**9]
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(PATHS, VALUES, max_size=2), st.sampled_from(sorted(SPECS.glob("*.json"))))
def test_any_axes_are_points_or_a_spec_error(grid: dict[str, Any], path: Any) -> None:
    raw = {**json.loads(path.read_text()), "sweep": {"grid": grid}}
    try:
        assert resolved(raw).runs
    except SpecError as error:
        assert error.findings and all(finding.line is not None for finding in error.findings)
