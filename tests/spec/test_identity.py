"""What makes two runs the same, and what makes them different; pinned, so that it cannot drift silently."""

import json
import math
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_help import SPECS, changed, keys, resolved, small, training

from bpsvc import spec
from bpsvc.nn import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS
from bpsvc.registry import Knob
from bpsvc.spec.identity import canonical_json, run_key
from bpsvc.work.stacking import initial, network

GOLDEN_IDENTITY = (
    '{"init":{"range":0.5,"scheme":"uniform"},"loss":{"name":"log_likelihood"},"network":{"laye'
    'rs":[{"activation":{"name":"logistic"},"units":2},{"activation":{"name":"logistic"},"units'
    '":1}]},"record":{"every":"decades"},"success":{"at_least":1,"metric":"accuracy"},"training'
    '":{"learning_rate":1}}'
)
GOLDEN_KEY = "5bd1ab0f73d57d869d835bc66a95240313a5c481b2b6eb9d9d9172e502a30c1e"
GOLDEN_DIGEST = "e94e242558f5215d4b0616e8c4cd8d147b81f84d12eed21a4fff26d05f2d6450"

CSV = {"source": "csv", "path": "iris.csv", "target": "species"}


def key_of(**sections: Any) -> str:
    """The key of the run with seed 0."""
    return small(**sections).runs[0].key


def test_golden_run_of_the_shipped_xor() -> None:
    """A change here is a change of every stored run's identity: raise nn.NUMERICS and say so, or undo it."""
    experiment = spec.resolve(spec.read(SPECS / "xor.json"), base=SPECS)
    run = experiment.runs[0]
    assert run.run.identity() == GOLDEN_IDENTITY
    assert run.key == GOLDEN_KEY
    assert experiment.digest == GOLDEN_DIGEST


DIFFERENT: list[dict[str, Any]] = [
    {},
    {"data": "and"},
    {"data": "parity"},
    {"data": {"source": "parity", "bits": 2, "scale": "standard"}},
    {"data": {"source": "xor", "validation": 0.25}},
    {"data": {"source": "xor", "validation": 0.5}},
    {"data": {"source": "xor", "split": {"validation": 0.5, "stratify": True}}},
    {"data": {"source": "xor", "split": {"validation": 0.5, "seed": 1}}},
    {"data": {"source": "xor", "split": {"validation": 0.5, "seed": "run"}}},
    {"data": CSV},
    {"data": {**CSV, "features": ["petal_length"]}},
    {"network": {"hidden": []}},
    {"network": {"hidden": [3]}},
    {"network": {"hidden": [2, 2]}},
    {"network": {"hidden": [2], "bias": False}},
    {"network": {"layers": [{"units": 2, "bias": False}, {}]}},
    {"network": {"hidden": [2], "activation": "tanh"}},
    {"network": {"hidden": [2], "activation": "leaky_relu"}},
    {"network": {"hidden": [2], "activation": {"name": "leaky_relu", "alpha": 0.1}}},
    {"network": {"hidden": [2], "output": "identity"}},
    {"init": {"scheme": "uniform", "range": 0.2}},
    {"init": {"scheme": "uniform", "low": 0, "high": 0.1}},
    {"init": "zeros"},
    {"init": "normal"},
    {"init": {"scheme": "normal", "bias_std": 0}},
    {"loss": "squared"},
    {"loss": "huber"},
    {"loss": {"name": "huber", "delta": 2}},
    {"training": training(learning_rate=2)},
    {"training": training(batch_size=1)},
    {"training": training(batch_size=2)},
    {"training": training(batch_size=1, shuffle=False)},
    {"training": training(reduction="sum")},
    {"training": training(schedule={"name": "constant", "warm_up": 5})},
    {"training": training(schedule={"name": "exponential", "gamma": 0.5})},
    {"training": training(schedule={"name": "exponential", "gamma": 0.25})},
    {"training": training(weight_decay=0.1)},
    {"training": training(weight_decay=0.1, decay_biases=True)},
    {"training": training(clip=1)},
    {"training": training(stop="solved")},
    {"success": {"metric": "accuracy", "at_least": 0.75}},
    {"success": {"metric": "loss", "below": 0.1}},
    {"success": {"metric": "loss", "at_least": 0.1}},
    {"record": {"every": 2}},
    {"record": {"every": "decades"}},
    {"record": {"series": ["sharpness"]}},
    {"record": {"series": ["sharpness", "w_dot_g"]}},
    {"seeds": [1]},
]


def test_every_effective_field_makes_another_run() -> None:
    found: dict[str, Any] = {}
    for sections in DIFFERENT:
        same = found.setdefault(key_of(**sections), sections)
        assert same is sections, f"{same} and {sections} have one key"


def test_every_knob_of_every_record_is_effective() -> None:
    for table, place in (
        (ACTIVATIONS, lambda value: {"network": {"hidden": [2], "activation": value}}),
        (LOSSES, lambda value: {"loss": value}),
        (OPTIMIZERS, lambda value: {"training": training(optimizer=value)}),
        (INITIALIZERS, lambda value: {"init": value}),
    ):
        key = "scheme" if table is INITIALIZERS else "name"
        for record in table.values():
            if getattr(record, "output_only", False):
                continue
            for knob in record.knobs:
                if knob.name in ("learning_rate", "low", "high"):
                    continue
                plain, other = {key: record.name}, {key: record.name, knob.name: another(knob)}
                assert key_of(**place(plain)) != key_of(**place(other)), f"{record.name}.{knob.name}"


def another(knob: Knob) -> Any:
    """A legal value that is not the default."""
    if knob.choices:
        return next(choice for choice in knob.choices if choice != knob.default)
    if knob.kind is bool:
        return not knob.default
    low = knob.low if knob.low is not None else -1.0
    high = knob.high if knob.high is not None else low + 10
    value = low + (high - low) * 0.37
    return math.ceil(value) if knob.kind is int else value


SAME: list[dict[str, Any]] = [
    {"name": "another"},
    {"description": "words\nand more"},
    {"$schema": "somewhere.json"},
    {"training": training(epochs=20)},
    {"seeds": 7},
    {"sweep": {"points": [{}]}},
    {"sweep": {"grid": {"init.range": [0.1, 5]}}},
]


@pytest.mark.parametrize("sections", SAME, ids=lambda s: next(iter(s)))
def test_what_is_not_in_a_runs_identity(sections: dict[str, Any]) -> None:
    assert key_of(**sections) == key_of()


def explicit(**layer: Any) -> dict[str, Any]:
    """Weights for xor through one hidden unit, whose activation learns its slope."""
    return {
        "scheme": "explicit",
        "layers": [{"weights": [[1], [1]], **layer}, {"weights": [[1]], "bias": [0]}],
    }


def prelu(alpha: float, **layer: Any) -> dict[str, Any]:
    return {"layers": [{"units": 1, "activation": {"name": "prelu", "alpha": alpha}, **layer}, {}]}


UNUSED = [
    (
        {"network": {"hidden": [2], "bias": False}, "init": {"scheme": "normal", "bias_std": std}}
        for std in (0.2, 0.3)
    ),
    ({"network": prelu(alpha), "init": explicit(bias=[0], knobs={"alpha": 0.5})} for alpha in (0.25, 0.1)),
]
USED = [
    (
        {
            "network": {"layers": [{"units": 2, "bias": False}, {}]},
            "init": {"scheme": "normal", "bias_std": std},
        }
        for std in (0.2, 0.3)
    ),
    ({"network": prelu(alpha), "init": explicit(bias=[0])} for alpha in (0.25, 0.1)),
    ({"network": prelu(0.25), "init": explicit(bias=[0], knobs={"alpha": alpha})} for alpha in (0.25, 0.1)),
]


@pytest.mark.parametrize(
    ("specs", "count"), [*((list(two), 1) for two in UNUSED), *((list(two), 2) for two in USED)]
)
def test_a_start_that_is_not_used_is_not_in_it(specs: list[dict[str, Any]], count: int) -> None:
    """Runs that begin alike are one run: biases that no layer has, slopes that the given weights replace."""
    runs = [small(**sections).runs[0] for sections in specs]
    assert len({run.key for run in runs}) == count
    starts = [initial(network(run.run, 2), [run.run], [run.seed]) for run in runs]
    assert len({start.tobytes() for start in starts}) == count


def test_the_path_of_the_data_is_not_in_it_and_their_content_is(tmp_path: Any) -> None:
    text = (SPECS / "iris.csv").read_text()
    (tmp_path / "flowers.csv").write_text(text)
    (tmp_path / "changed.csv").write_text(text.replace("5.1,3.5", "5.2,3.5", 1))
    original = keys(small(data=CSV))
    copied = resolved(changed(data={**CSV, "path": "flowers.csv"}), base=tmp_path)
    edited = resolved(changed(data={**CSV, "path": "changed.csv"}), base=tmp_path)
    assert keys(copied) == original
    assert not set(keys(edited)) & set(original)


def test_the_digest_of_an_experiment_is_that_of_its_content() -> None:
    digest = small().digest
    assert small(description="other words").digest == digest
    assert small(training=training(epochs=20)).digest != digest
    assert small(seeds=4).digest != digest
    assert small(sweep={"points": [{"init.range": 0.1}]}).digest != digest  # a factor more
    assert small(init={"scheme": "uniform", "range": 0.1}).digest == digest


def shuffled(value: Any, order: list[int]) -> Any:
    """The same JSON with its keys in another order."""
    if isinstance(value, dict):
        ranked = sorted(value, key=lambda key: order[zlib.crc32(key.encode()) % len(order)])
        return {key: shuffled(value[key], order) for key in ranked}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


layer = st.fixed_dictionaries(
    {"units": st.integers(1, 5)},
    optional={
        "activation": st.sampled_from(["relu", "sigmoid", {"name": "elu", "alpha": 0.5}, "prelu"]),
        "bias": st.booleans(),
    },
)
init = st.sampled_from(["zeros", "he_normal", "orthogonal"]) | st.fixed_dictionaries(
    {"scheme": st.just("uniform")}, optional={"range": st.floats(0, 5)}
)
specs = st.fixed_dictionaries(
    {
        "data": st.sampled_from(
            ["xor", {"source": "parity", "bits": 4}, {"source": "xor", "validation": 0.25}]
        ),
        "network": st.fixed_dictionaries(
            {"layers": st.lists(layer, max_size=3).map(lambda hidden: [*hidden, {}])}
        ),
        "training": st.fixed_dictionaries(
            {"learning_rate": st.floats(1e-6, 1e6), "epochs": st.just(20)},
            optional={
                "batch_size": st.none() | st.integers(1, 3),
                "shuffle": st.booleans(),
                "reduction": st.sampled_from(["mean", "sum"]),
                "stop": st.sampled_from([None, "solved"]),
            },
        ),
    },
    optional={
        "init": init,
        "loss": st.sampled_from(["squared", "log_likelihood", {"name": "huber", "delta": 0.3}]),
        "record": st.fixed_dictionaries({"every": st.sampled_from([1, 2, 20, "decades"])}),
        "seeds": st.integers(1, 3) | st.lists(st.integers(0, 2**63 - 1), unique=True, min_size=1, max_size=3),
        "success": st.just({"metric": "max_error", "below": 0.4}),
    },
)


@settings(max_examples=60, deadline=None)
@given(specs, st.permutations(range(7)))
def test_round_trips_and_key_order(raw: dict[str, Any], order: list[int]) -> None:
    raw = {"name": "any", **raw}
    experiment = resolved(raw)
    assert keys(resolved(shuffled(raw, order))) == keys(experiment)
    assert resolved(dict(experiment.spec)).digest == experiment.digest
    for run in experiment.runs:
        again = spec.RunSpec.from_canonical(run.canonical)
        assert again == run.run
        assert again.canonical() == run.canonical
        assert run.run.canonical() == run.canonical
        assert len(run.key) == 64


def test_canonical_json() -> None:
    assert (
        canonical_json({"b": 1.0, "a": [0.1, -0.0, True, None, "é"]}) == '{"a":[0.1,0,true,null,"é"],"b":1}'
    )
    assert canonical_json(1e300) == "1e+300"
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists
    )
)
@pytest.mark.slow
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


def test_a_key_depends_on_each_of_its_parts() -> None:
    parts = [("{}", 0, "d", 1), ("{ }", 0, "d", 1), ("{}", 1, "d", 1), ("{}", 0, "e", 1), ("{}", 0, "d", 2)]
    assert len({run_key(*part) for part in parts}) == len(parts)


def test_what_is_at_its_default_is_not_hashed() -> None:
    """So a knob or field that is added later, neutral by default, leaves stored runs their keys."""
    run = small(record={"every": 1}, loss={"name": "huber", "delta": 1}).runs[0].run
    assert '"delta":1' in run.canonical() and '"delta"' not in run.identity()
    assert '"every":1' in run.canonical() and '"record"' in run.canonical()
    assert '"every"' not in run.identity()
