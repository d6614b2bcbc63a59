"""Every file in specs/ is an example and a test case: it resolves, says what it is about, and warns only on
purpose.
"""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from spec_help import SPECS

from bpsvc import spec

TABLES = {"digits"}
"""Specs whose data come with scikit-learn, an optional extra."""
FILES = [
    pytest.param(
        path,
        marks=pytest.mark.skipif(
            path.stem in TABLES and importlib.util.find_spec("sklearn") is None, reason="needs bpsvc[tables]"
        ),
        id=path.stem,
    )
    for path in sorted(SPECS.glob("**/*.json"))
]
RUNS = {"xor": 90, "xor_ranges": 90, "vanishing": 320, "activations": 900, "iris": 60, "xor_by_hand": 1}
"""DEMOS.md: points × seeds."""


def resolve(path: Path) -> spec.Experiment:
    return spec.resolve(spec.read(path), base=path.parent, name=path.stem)


@pytest.mark.parametrize("path", FILES)
def test_it_resolves_without_a_warning(path: Path) -> None:
    experiment = resolve(path)
    assert experiment.warnings == ()
    assert experiment.name == path.stem
    assert len(experiment.description) > 40
    assert experiment.spec.get("$schema", "bpsvc.schema.json").endswith("bpsvc.schema.json")
    assert len({run.key for run in experiment.runs}) == len(experiment.runs)


@pytest.mark.parametrize("path", FILES)
def test_what_is_stored_is_the_same_experiment(path: Path) -> None:
    experiment = resolve(path)
    stored = spec.read(json.dumps(experiment.spec))
    again = spec.resolve(stored, base=path.parent)
    assert again.digest == experiment.digest
    assert again.spec == experiment.spec


@pytest.mark.parametrize("name", RUNS)
def test_runs_as_documented(name: str) -> None:
    assert len(resolve(SPECS / f"{name}.json").runs) == RUNS[name]


def factors(name: str) -> list[tuple[Any, ...]]:
    return list(dict.fromkeys(tuple(run.factors.values()) for run in resolve(SPECS / f"{name}.json").runs))


def test_the_factors_of_the_demonstrations() -> None:
    assert factors("xor") == [("log_likelihood", 1.0), ("squared", 1.0), ("squared", 4.0)]
    assert factors("xor_ranges") == [(0.1,), (0.5,), (1.0,)]
    steps = {"logistic": 1.0, "tanh": 0.05, "relu": 0.02, "leaky_relu": 0.02}
    assert factors("vanishing") == [(depth, *step) for depth in (2, 5, 10, 20) for step in steps.items()]
    assert factors("iris") == [("tanh",), ("logistic",), ("relu",)]


def test_the_demonstrations_share_runs() -> None:
    """xor and xor_ranges both train log_likelihood from ±0.5: once."""
    one, two = resolve(SPECS / "xor.json"), resolve(SPECS / "xor_ranges.json")
    assert len({run.key for run in one.runs} & {run.key for run in two.runs}) == 30


def test_vanishing_has_the_layers_it_says() -> None:
    experiment = resolve(SPECS / "vanishing.json")
    assert {len(run.run.network.layers) for run in experiment.runs} == {3, 6, 11, 21}
    assert {layer.units for run in experiment.runs for layer in run.run.network.layers} == {8, 1}
    assert experiment.volume.records == 320 * 51


def test_iris_splits_by_seed() -> None:
    run = resolve(SPECS / "iris.json").runs[3]
    split = spec.split_of(run.run.data, run.seed)
    assert split is not None
    assert (split.validation, split.stratify, split.seed) == (0.2, True, 3)
    assert spec.split_of(run.run.data, 17) != split


def test_the_gallery_installs_what_every_spec_needs() -> None:
    """In the versions that the tests and the peers have."""
    root = Path(__file__).parents[2]
    makefile = (root / "Makefile").read_text()
    assert "gallery: $(VENV)/.tables " in makefile
    assert "--require-hashes -r requirements-tables.lock\n" in makefile
    locks = [
        set(re.findall(r"^[\w-]+==\S+", (root / f"requirements{name}.lock").read_text(), re.MULTILINE))
        for name in ("", "-tables", "-peers")
    ]
    assert any(pin.startswith("scikit-learn==") for pin in locks[1])
    assert locks[1] <= locks[2]
    common = {pin.split("==")[0] for pin in locks[0]}
    assert {pin for pin in locks[1] if pin.split("==")[0] in common} <= locks[0]
