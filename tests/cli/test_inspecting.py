"""trace and gradcheck: the lecture's step by hand, and finite differences, from the command line."""

import json
import math
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc

ALONE = ("--processes", 1)


def logistic(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def test_the_trace_is_the_lectures_arithmetic(bpsvc: Bpsvc, tiny: Path) -> None:
    step = bpsvc("trace", tiny, "--json").json
    w = {one["name"]: one["old"] for one in step["weights"]}
    assert sorted(w) == ["w01", "w02", "w03", "w11", "w12", "w13", "w21", "w22", "w23"]
    terms = {one["name"]: one["terms"] for one in step["weights"]}
    for i, example in enumerate(step["examples"]):
        x1, x2, y = *example["inputs"].values(), example["targets"]["y"]
        h1 = logistic(w["w01"] + w["w11"] * x1 + w["w21"] * x2)
        h2 = logistic(w["w02"] + w["w12"] * x1 + w["w22"] * x2)
        h = logistic(w["w03"] + w["w13"] * h1 + w["w23"] * h2)
        assert example["units"] == pytest.approx({"h1": h1, "h2": h2, "h": h})
        assert example["pull"]["pull"] == pytest.approx(y / h - (1 - y) / (1 - h))
        assert terms["w13"][i] == pytest.approx(h1 * (y - h))
        assert terms["w03"][i] == pytest.approx(y - h)
        assert terms["w21"][i] == pytest.approx(x2 * h1 * (1 - h1) * w["w13"] * (y - h))
        assert terms["w02"][i] == pytest.approx(h2 * (1 - h2) * w["w23"] * (y - h))
    for one in step["weights"]:
        assert one["total"] == pytest.approx(sum(one["terms"]))
        assert one["used"] == pytest.approx(one["total"] / 4)
        assert one["new"] == pytest.approx(one["old"] + 1.0 * one["used"])


def test_the_trace_of_a_stored_run_is_the_step_it_took(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    step = bpsvc("trace", 1, "--epoch", 7, "--json").json
    for at, which in ((7, "old"), (8, "new")):
        layers = bpsvc("weights", 1, "--at", at, "--json").json["layers"]
        values = {one["name"]: one[which] for one in step["weights"]}
        assert values["w12"] == layers[0]["weights"][0][1]
        assert values["w03"] == layers[1]["bias"][0]
    text = bpsvc("trace", 1, "--epoch", 7).out
    assert "y/h−(1−y)/(1−h)" in text and "w13" in text and "-0 " not in text
    assert bpsvc("trace", 1, "--epoch", 99).code == 3
    assert bpsvc("weights", 1, "--at", 1).err.startswith("run 1 after 1 epoch; ")
    assert bpsvc("show", 1).out.split()[:2] == ["name", "value"]


def test_the_trace_says_what_else_is_in_a_step(bpsvc: Bpsvc) -> None:
    training = {
        **TINY["training"],
        "clip": 0.01,
        "weight_decay": 0.1,
        "schedule": {"name": "constant", "warm_up": 4},
    }
    Path("more.json").write_text(json.dumps({**TINY, "training": training, "sweep": None}))
    step = bpsvc("trace", "more.json", "--json").json
    (note,) = step["notes"]
    assert note.endswith("also: training.clip, training.weight_decay, training.schedule")
    length = math.sqrt(sum(one["used"] ** 2 for one in step["weights"]))
    for one in step["weights"]:
        decay = 0.0 if one["name"].startswith("w0") else 0.1 * one["old"]
        rate = training["learning_rate"] / 4
        assert one["new"] == pytest.approx(one["old"] + rate * (0.01 / length * one["used"] - decay))


def test_the_trace_of_prelu_has_the_step_of_its_alphas(bpsvc: Bpsvc) -> None:
    network = {"hidden": [2, 2], "activation": "prelu"}
    Path("deep.json").write_text(json.dumps({**TINY, "network": network, "sweep": None}))
    bpsvc("submit", "deep.json", *ALONE)
    step = bpsvc("trace", 1, "--epoch", 7, "--json").json
    assert step["knobs"] == ["alpha_1", "alpha_2"]
    for at, which in ((7, "old"), (8, "new")):
        layers = bpsvc("weights", 1, "--at", at, "--json").json["layers"]
        alphas = {one["name"]: one[which] for one in step["weights"] if one["name"] in step["knobs"]}
        assert alphas == {f"alpha_{k}": layers[k - 1]["knobs"]["alpha"] for k in (1, 2)}
    for one in step["weights"]:
        assert one["total"] == pytest.approx(sum(one["terms"])) and len(one["terms"]) == 4
        assert one["used"] == pytest.approx(one["total"] / 4)
        assert one["new"] == pytest.approx(one["old"] + one["used"])
    text = bpsvc("trace", 1).out
    assert "alpha_1: Σ ∂(log L)/∂h ∂h/∂alpha_1 over the units of its layer." in text


def test_a_unit_has_one_name_everywhere(bpsvc: Bpsvc) -> None:
    Path("deep.json").write_text(json.dumps({**TINY, "network": {"hidden": [2, 3]}, "sweep": None}))
    bpsvc("submit", "deep.json", *ALONE)
    examples = bpsvc("trace", 1, "--json").json["examples"]
    rows = bpsvc("predict", 1, "--layers", "--json").json
    names = ["h1", "h2", "h3", "h4", "h5", "h"]
    assert [*examples[0]["units"]] == names
    for row, example in zip(rows, examples, strict=True):
        assert {name: row[name] for name in names} == pytest.approx(example["units"])


def test_the_trace_says_what_its_columns_are(bpsvc: Bpsvc) -> None:
    data = {"source": "blobs", "classes": 3, "scale": "standard"}
    Path("blobs.json").write_text(
        json.dumps({**TINY, "data": data, "network": {"hidden": [9]}, "sweep": None, "success": None})
    )
    text = bpsvc("trace", "blobs.json", "--path", "2,3").out
    assert text.index("Shown of each layer: unit 2, 3 (") < text.index("Forward:")
    assert "The inputs are scaled" in text
    assert "pull: ∂(log L)/∂h of an output" in text and "y/h" not in text
    Path("sine.json").write_text(
        json.dumps({**TINY, "data": "sine", "loss": "log_likelihood", "sweep": None, "success": None})
    )
    text = bpsvc("trace", "sine.json").out
    assert "scaled" not in text and "Shown" not in text
    assert "pull: " in text and "y/h" not in text, "a Gaussian likelihood has another"


def test_a_big_network_shows_one_path(bpsvc: Bpsvc) -> None:
    Path("big.json").write_text(json.dumps({**TINY, "network": {"hidden": [20, 30]}, "sweep": None}))
    step = bpsvc("trace", "big.json", "--path", "3,7", "--json").json
    assert [one["name"] for one in step["weights"]] == [
        *("w13", "w23", "w03"),
        *("w_3_27", "w_0_27"),
        *("w_27_51", "w_0_51"),
    ]
    assert bpsvc("trace", "big.json", "--path", "3,99").code == 2


def test_gradcheck_checks_every_layer_of_each_network(bpsvc: Bpsvc, tiny: Path) -> None:
    rows = bpsvc("gradcheck", tiny, "--json").json
    assert [(row["layer"], row["parameters"], row["ok"]) for row in rows] == [(1, 6, True), (2, 3, True)] * 2
    assert bpsvc("gradcheck", tiny, "--epoch", 5).code == 0


def test_gradcheck_says_what_is_at_a_kink(bpsvc: Bpsvc) -> None:
    relu = {**TINY, "network": {"hidden": [3], "activation": "relu"}, "init": "he_normal", "sweep": None}
    Path("relu.json").write_text(json.dumps(relu))
    rows = bpsvc("gradcheck", "relu.json", "--json").json
    assert rows[0]["at_kinks"] == 3, "the biases: at x = 00 every unit stands at 0"
    assert all(row["ok"] for row in rows)


def test_gradcheck_passes_where_gradients_vanish(bpsvc: Bpsvc) -> None:
    """Its slopes are too small for differences, and said to be: they are no mismatch."""
    deep = {**TINY, "network": {"hidden": {"depth": 20, "units": 4}}, "sweep": None}
    Path("deep.json").write_text(json.dumps(deep))
    ran = bpsvc("gradcheck", "deep.json", "--json")
    assert ran.code == 0 and ran.json[0]["too_small"] > 0
    assert ran.json[-1]["checked"] == ran.json[-1]["parameters"] == 5


def test_what_is_no_derivative_on_purpose_is_said(bpsvc: Bpsvc) -> None:
    offset = {"name": "logistic", "derivative_offset": 0.1}
    spec = {**TINY, "network": {"hidden": [2], "activation": offset}, "sweep": None}
    Path("off.json").write_text(json.dumps(spec))
    ran = bpsvc("gradcheck", "off.json")
    assert ran.code == 0 and "derivative_offset" in ran.err
