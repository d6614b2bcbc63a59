"""What configurations are called, and which of them compare: whatever is swept is told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from bpsvc import Store, submit
from bpsvc.reporting import FIGURES, Material, data, summary
from bpsvc.reporting.encoding import describe, encoded, numbering, telling, vocabulary
from bpsvc.reporting.figures.pairs import comparisons
from bpsvc.service import reporting


def named(rows: Sequence[Mapping[str, Any]], drawn: Sequence[str] = ()) -> pd.DataFrame:
    """The configurations of a table of levels."""
    factors = list(rows[0])
    cases = pd.DataFrame(rows)
    cases["configuration"] = numbering(cases, factors)
    known = telling(cases, factors, drawn)
    return encoded(cases, factors, known, vocabulary(known, factors), "all")


def test_what_travels_together_is_named_together() -> None:
    rows = [{"rate": 0.2, "f": "tanh"}, {"rate": 5.0, "f": "logistic"}]
    assert set(named(rows)["label"]) == {"rate 0.2 · tanh", "rate 5 · logistic"}
    rates = {"tanh": 1, "relu": 2, "elu": 2}
    table = named([{"f": f, "depth": depth, "rate": rates[f]} for f in rates for depth in (1, 2)])
    assert set(table["label"]) == {f"{f} · rate {rates[f]} · depth {d}" for f in rates for d in (1, 2)}


def test_a_factor_that_only_the_others_together_decide_is_named() -> None:
    rows = [{"a": a, "b": b, "c": (a + b) % 2} for a in (0, 1) for b in (0, 1)]
    assert named(rows)["label"].str.count(" · ").eq(2).all()


def test_steps_of_its_own_do_not_carry_an_optimizer_along() -> None:
    steps = {"sgd": (1, 2, 3, 4), "adam": (0.1, 0.2, 0.3, 0.4)}
    table = named([{"optimizer": name, "rate": rate} for name, rates in steps.items() for rate in rates])
    assert len(table) == 8 and set(table["label"].str.split(" · ").str.len()) == {2}
    known = telling(table, ["optimizer", "rate"])
    assert [factor.title for factor in known] == ["optimizer", "rate"]


def test_random_points_bind_no_factors_together() -> None:
    rows = [{"rate": 0.1 * k, "range": 1.0 / k} for k in range(1, 11)]
    assert len(telling(numbered(rows), ["rate", "range"])) == 1, "side by side in a zip they are"
    table = named(rows, drawn=["rate", "range"])
    assert table["label"].str.fullmatch(r"rate [\d.]+ · range [\d.]+").all()
    assert set(table["panel"]) == {""}, "not a panel for each"


def numbered(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    cases = pd.DataFrame(rows)
    return cases.assign(configuration=numbering(cases, list(cases)))


@pytest.mark.parametrize(
    "value, words",
    [("null", "batch_size none"), ("true", "batch_size true"), (2, "batch_size 2"), ("a", "a")],
)
def test_constants_carry_the_name_of_their_factor(value: object, words: str) -> None:
    assert describe("batch_size", value) == words


PLAIN: dict[str, Any] = {
    "data": "xor",
    "network": {"hidden": [3], "activation": "tanh"},
    "init": {"scheme": "uniform", "range": 1.0},
    "training": {"learning_rate": 1.0, "epochs": 100},
    "record": {"every": 50},
    "seeds": 8,
}
SWEEPS: dict[str, Any] = {
    "zip": {"zip": {"network.activation": ["tanh", "logistic"], "training.learning_rate": [0.2, 5.0]}},
    "random": {
        "random": {
            "count": 9,
            "axes": {
                "training.learning_rate": {"log_uniform": [0.1, 10]},
                "init.range": {"uniform": [0.1, 3]},
            },
        }
    },
    "blocks": [
        {"grid": {"training.optimizer": ["momentum", "adam"], "training.learning_rate": [0.05, 0.1]}},
        {"zip": {"network.activation": ["relu", "logistic"], "training.learning_rate": [0.5, 2.0]}},
    ],
    "batches": {"grid": {"training.batch_size": [None, 2]}},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    db = tmp_path_factory.mktemp("names") / "n.db"
    for name, sweep in SWEEPS.items():
        submit({"name": name, **PLAIN, "sweep": sweep}, db=db, processes=1)
    with Store(db) as opened:
        yield opened


def of(store: Store, *names: str) -> Material:
    return reporting.material(store, names)


def test_a_comparison_names_all_that_differs(store: Store) -> None:
    zipped = of(store, "zip")
    pairs = data(zipped, "paired")
    assert set(pairs["factor"]) == {"activation with learning_rate"}
    assert set(pairs["base"]) == {"tanh · learning_rate 0.2"}
    assert set(pairs["level"]) == {"logistic · learning_rate 5"}
    assert "2 configurations (activation with learning_rate)" in summary(zipped)[0]


def test_random_points_are_named_by_every_axis_and_never_paired(store: Store) -> None:
    drawn = of(store, "random")
    assert drawn.drawn == {"learning_rate", "range"}
    assert drawn.configurations["label"].str.contains(r"learning_rate .* · range ").all()
    assert not FIGURES["paired"].applies(drawn) and not FIGURES["map"].applies(drawn)


def test_blocks_name_what_only_some_of_them_vary(store: Store) -> None:
    blocks = of(store, "blocks")
    assert {"sgd · learning_rate 2 · logistic", "adam · learning_rate 0.1 · tanh"} < set(
        blocks.configurations["label"]
    )
    compared = comparisons(blocks)
    assert set(compared["others"]) <= {
        "momentum · tanh", "adam · tanh", "learning_rate 0.05 · tanh", "learning_rate 0.1 · tanh"
    }  # fmt: skip
    assert "can differ in other factors too" in FIGURES["map"].caption(data(blocks, "map"))


def test_null_is_told_with_its_factor(store: Store) -> None:
    assert list(of(store, "batches").configurations["label"]) == ["batch_size none", "batch_size 2"]
