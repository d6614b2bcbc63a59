"""Who is looked at more often does not win: runs of one report are judged at the epochs that they share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpsvc import Store, submit
from bpsvc.reporting import Material, data, summary
from bpsvc.service import reporting

BATCHES = {"grid": {"training.batch_size": [None, 2]}}


def spec(name: str, every: int, **training: Any) -> dict[str, Any]:
    network = {"hidden": [3], "activation": "tanh"}
    steps = {"learning_rate": 0.5, "epochs": 400, "shuffle": False, "batch_size": 2, **training}
    init = {"scheme": "uniform", "range": 1.0}
    plain = {"data": "xor", "network": network, "init": init, "seeds": 10, "training": steps}
    return {"name": name, **plain, "record": {"every": every}}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    db = tmp_path_factory.mktemp("alike") / "a.db"
    for one in (
        {**spec("coarse", 100), "sweep": BATCHES},
        {**spec("fine", 1), "sweep": BATCHES},
        spec("full", 40, batch_size=None),
        spec("stopping", 40, batch_size=None, stop="solved"),
        spec("mini", 100, stop="solved"),
    ):
        submit(one, db=db, processes=1)
    with Store(db) as opened:
        yield opened


def of(store: Store, *names: str) -> Material:
    return reporting.material(store, names)


def first_right(store: Store, name: str, step: int) -> "pd.Series[float]":
    """The first epoch on a grid at which all answers are right, by batch size and seed: from the records."""
    runs = store.runs([name])[["run_id", "batch_size", "seed"]]
    records = store.epochs([name]).merge(runs, on="run_id")
    right = records[(records["accuracy"] >= 1) & (records["epoch"] % step == 0)]
    return right.groupby([size(right), "seed"])["epoch"].min()


def size(rows: pd.DataFrame) -> "pd.Series[float]":
    """The size of a batch, 0 for a full one."""
    return pd.to_numeric(rows["batch_size"], errors="coerce").fillna(0)


def solved(material: Material) -> "pd.Series[float]":
    cases = material.cases.dropna(subset="solved_epoch")
    return cases["solved_epoch"].groupby([size(cases), cases["seed"]]).first()


def test_batches_of_all_sizes_are_judged_at_shared_epochs(store: Store) -> None:
    coarse, expected = solved(of(store, "coarse")), first_right(store, "fine", 100)
    assert len(expected) > 10 and set(expected.index.get_level_values(0)) == {0, 2}
    assert coarse.to_dict() == expected.to_dict()
    assert [text for text in summary(of(store, "coarse")) if "5 recorded epochs that all runs share" in text]


def test_the_grid_does_not_turn_a_comparison_round(store: Store) -> None:
    for name in ("coarse", "fine"):
        frame = data(of(store, name), "paired")
        middle = frame[frame["row"] == "median"].iloc[0]
        assert middle["base"] == "batch_size none" and middle["higher"] <= middle["lower"], name


def test_where_all_are_looked_at_alike_nothing_changes(store: Store) -> None:
    for name in ("fine", "full"):
        about = of(store, name)
        assert about.notes == ()
        pd.testing.assert_series_equal(about.runs["solved_epoch"], store.runs([name])["solved_epoch"])


def test_a_run_that_stopped_when_solved_stays_solved(store: Store) -> None:
    both = of(store, "stopping", "mini").runs
    native = store.runs(["stopping"])["solved_epoch"]
    stopped = both.loc[both["experiment"] == "stopping@1", "solved_epoch"]
    assert native.notna().sum() == stopped.notna().sum() > 3
    np.testing.assert_array_equal(stopped.dropna(), np.minimum(200 * np.ceil(native.dropna() / 200), 400))


def test_another_criterion_is_judged_at_shared_epochs_too(store: Store) -> None:
    wish = reporting.Wish(success="accuracy>=1")
    both = reporting.material(store, ("full", "coarse"), wish)
    assert set(both.runs["solved_epoch"].dropna()) <= {0, 200, 400}
    assert len(both.notes) == 1


def test_it_is_the_experiments_own_end_that_counts(store: Store, tmp_path: Path) -> None:
    for epochs in (100, 400):
        submit({**spec("long", 100, epochs=epochs), "sweep": BATCHES}, db=tmp_path / "l.db", processes=1)
    with Store(tmp_path / "l.db") as opened:
        short = of(opened, "long@1").runs["solved_epoch"]
        assert short.max() <= 100
        assert of(opened, "long@2").runs["solved_epoch"].notna().sum() > short.notna().sum()
